"""`python -m app.dataset OUT --count 1000`: data sets without the service, of any size."""

import argparse
import sys
import tempfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from app.drawing.dataset import shards
from app.drawing.dataset.encoder import encode_section
from app.drawing.dataset.files import Piece, write_whole
from app.drawing.dataset.forms import INCOMPLETE
from app.drawing.dataset.iterator import numbers
from app.drawing.dataset.plan import Plan
from app.drawing.dataset.progress import Progress
from app.drawing.dataset.remote import Remote, is_address, send_description, send_shard
from app.drawing.dataset.section import Section
from app.drawing.dataset.stream import ENCODERS, whole
from app.drawing.dataset.texts import Texts, read_texts
from app.drawing.dataset.workers import Work, keep, write_shards, write_shards_with
from app.drawing.renderer import Renderer, open_renderer
from app.options import add_parameters, asked_queries, parse_query, print_seed, run
from app.request.dataset import ENDINGS
from app.request.dataset_options import DatasetOptions, RunOptions
from app.request.error import Reason, RequestError, invalid
from app.request.fields import chosen_seed
from app.request.queries import Queries
from app.settings import read_settings

__all__ = ["main", "numbers"]

FORMATS = {ending: name for name, ending in ENDINGS.items()}  # of the ending of a file
MOST_IN_FILE = 1_000_000  # pictures; a file keeps its labels in memory, shards do not


def main(arguments: list[str]) -> int:
    """Run the command; the exit code, see `app.options.run`.

    Args:
        arguments: as typed, without the name of the program.
    """
    queries = asked_queries()
    parser = _parser(queries.dataset_options)
    options = vars(parser.parse_args(arguments))
    address: str = options.pop("output")
    output, force = Path(address), options.pop("force")
    ending = _ending(address)
    if is_address(address):
        return run(lambda: _write_elsewhere(queries, options, address))
    single = options["format"] in (None, ending)
    return run(lambda: _write_dataset(queries, options, output, single, ending, force))


def _write_dataset(
    queries: Queries,
    options: dict[str, str | None],
    output: Path,
    single: bool,
    ending: str | None,
    force: bool,
) -> None:
    if single and not force and output.exists():
        sentence = f"The file {output} exists; choose another name, or replace it with --force."
        raise RequestError(Reason.INVALID, sentence)
    if ending is not None and not single:
        sentence = (
            f"is not {ending}, as the ending of {output} says; leave it out, or name a folder"
        )
        raise invalid("format", sentence)
    query, texts, running = _parse(queries, options, output if single else None, ending)
    if single:
        _write_file(query, texts, output)
    else:
        _write_folder(query, texts, output, running)


def _write_elsewhere(queries: Queries, options: dict[str, str | None], address: str) -> None:
    """Write a folder on another file system: shards are made here and sent."""
    if _ending(address) is not None:
        sentence = f"{address} has the ending of a file; name a folder there, or a local file."
        raise RequestError(Reason.INVALID, sentence)
    query, texts, running = _parse(queries, options, None, None)
    if query.format not in ENCODERS:
        names = ", ".join(ENCODERS)
        raise invalid("format", f"{query.format} needs a local folder; {names} do not")
    remote = Remote(address)
    with tempfile.TemporaryDirectory(prefix="cvae-digits-") as place:
        folder = Path(place)
        remote.fetch(folder)
        if (folder / INCOMPLETE).exists() or not (folder / shards.MANIFEST).exists():
            _write_folder(query, texts, folder, running, remote)
        else:
            plan = Plan(query, _seed(query, folder), texts)
            shards.begin(folder, plan, _renderer(query), name=address)


def _ending(output: str) -> str | None:
    """The form of the files with that ending; None for a folder."""
    return FORMATS.get(Path(output).suffix.removeprefix(".").lower())


def _parse(
    queries: Queries, options: dict[str, str | None], file: Path | None, ending: str | None
) -> tuple[DatasetOptions, Texts | None, RunOptions]:
    """What is drawn, the texts to draw, and how the command works."""
    names = RunOptions.names()
    running = parse_query(RunOptions, {name: options.pop(name) for name in names}, None)
    asked = queries.dataset_options
    texts = None if running.texts is None else read_texts(Path(running.texts), asked.alphabet)
    if texts is not None and options["count"] is None:
        options["count"] = str(len(texts))
    if ending is not None:
        options["format"] = options["format"] or ending
    query = parse_query(asked, options, file)
    if texts is not None:
        query.check_texts(texts.longest)
    return query, texts, running


def _write_file(query: DatasetOptions, texts: Texts | None, output: Path) -> None:
    if query.format not in ENCODERS or query.count > MOST_IN_FILE or query.split is not None:
        raise invalid(
            "format",
            f"{query.format} with these options needs a folder: name one without the ending of "
            f"a file and give --format; a file holds at most {MOST_IN_FILE} pictures and no splits",
        )
    seed, renderer = chosen_seed(query.seed), _renderer(query)
    section = whole(query, seed, texts)
    shards.check_disk(output, section, section.count, renderer)
    pieces = encode_section(ENCODERS[query.format](section), section, renderer)
    write_whole(output, _with_progress(pieces, section))
    print_seed(query.seed, seed)


def _write_folder(
    query: DatasetOptions,
    texts: Texts | None,
    folder: Path,
    running: RunOptions,
    remote: Remote | None = None,
) -> None:
    renderer = _renderer(query)
    plan = Plan(query, _seed(query, folder), texts)
    part, parts = running.part
    after = keep
    if remote is None:
        missing = shards.begin(folder, plan, renderer)
    else:
        missing = shards.begin(folder, plan, renderer, running.workers, remote.address)
        send_description(remote, folder)
        after = partial(send_shard, remote.address)
    indices = [index for index in missing if index % parts == part]
    progress = Progress(sum(plan.shards[index].section.count for index in indices))
    work = Work(folder, plan, indices, after)
    workers = min(running.workers, len(indices))
    if workers <= 1:
        write_shards(work, renderer, progress.show)
    else:
        write_shards_with(workers, partial(_renderer, query), work, progress.show)
    progress.end()
    if remote is not None:
        remote.fetch(folder)  # the records of other runs
    if shards.finish(folder, plan, renderer) and remote is not None:
        remote.complete(folder)
    print_seed(query.seed, plan.seed)


def _seed(query: DatasetOptions, folder: Path) -> int:
    """The seed that is asked for, that of the data set in the folder, or a random one."""
    return chosen_seed(query.seed if query.seed is not None else shards.resumed_seed(folder))


def _renderer(query: DatasetOptions) -> Renderer:
    settings = read_settings()
    renderer = open_renderer(settings.checkpoint, settings.engine, settings.precision)
    query.check_model(renderer.model_hash)
    return renderer


def _with_progress(pieces: Iterable[Piece], section: Section) -> Iterable[Piece]:
    """The pieces, with a bar that shows how many pictures are drawn."""
    progress, drawn = Progress(section.count), 0
    for piece, count in zip(pieces, section.batch_counts, strict=True):
        yield piece
        drawn += count
        progress.show(drawn)
    progress.end()


def _parser(query: type[DatasetOptions]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cvae-digits dataset",
        allow_abbrev=False,
        description="Write labelled handwritten numbers into a file or a folder. With options that "
        "GET /dataset has too, a file has the same bytes as its answer. A run that was "
        "interrupted resumes where it stopped, if it is started again on the same folder.",
    )
    parser.add_argument(
        "output",
        metavar="OUT",
        help="A file such as digits.npz, or a folder, with --format; or the address of a folder "
        "that fsspec opens, such as s3://bucket/numbers.",
    )
    add_parameters(parser, query)
    add_parameters(parser, RunOptions)
    parser.add_argument("--force", action="store_true", help="Replace the file if it exists.")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
