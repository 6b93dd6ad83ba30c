"""`python -m app.dataset OUT --count 1000`: data sets without the service, of any size."""

import argparse
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from app.drawing.dataset import folder as folders
from app.drawing.dataset.encoder import encode_section
from app.drawing.dataset.files import write_whole
from app.drawing.dataset.iterator import numbers
from app.drawing.dataset.plan import Plan
from app.drawing.dataset.progress import Progress
from app.drawing.dataset.section import Section, Writers
from app.drawing.dataset.stream import ENCODERS, ENDINGS
from app.drawing.dataset.texts import Texts, read_texts
from app.drawing.dataset.workers import write_shards, write_shards_with
from app.drawing.renderer import Renderer, open_renderer
from app.options import add_parameters, asked_queries, parse_query, print_seed, run
from app.request.dataset_options import DatasetOptions, RunOptions
from app.request.error import invalid
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
    output: Path = options.pop("output")
    force = options.pop("force")
    ending = FORMATS.get(output.suffix.removeprefix(".").lower())
    single = options["format"] in (None, ending)
    if single and not force and output.exists():
        parser.error(f"The file {output} exists; choose another name, or replace it with --force.")
    return run(lambda: _write_dataset(queries, options, output, single, ending))


def _write_dataset(
    queries: Queries,
    options: dict[str, str | None],
    output: Path,
    single: bool,
    ending: str | None,
) -> None:
    names = RunOptions.names()
    running = parse_query(RunOptions, {name: options.pop(name) for name in names}, None)
    asked = queries.dataset_options
    texts = None if running.texts is None else read_texts(Path(running.texts), asked.alphabet)
    if texts is not None and options["count"] is None:
        options["count"] = str(len(texts))
    if ending is not None:
        options["format"] = options["format"] or ending
    query = parse_query(asked, options, output if single else None)
    if texts is not None:
        query.check_texts(texts.longest)
    if single:
        _write_file(query, texts, output)
    else:
        _write_folder(query, texts, output, running)


def _write_file(query: DatasetOptions, texts: Texts | None, output: Path) -> None:
    if query.format not in ENCODERS or query.count > MOST_IN_FILE or query.split is not None:
        raise invalid(
            "format",
            f"{query.format} with these options needs a folder: name one without the ending of "
            f"a file and give --format; a file holds at most {MOST_IN_FILE} pictures and no splits",
        )
    seed = chosen_seed(query.seed)
    writers = None if query.writers is None else Writers(0, query.writers, 0)
    section = Section(query, seed, 0, query.count, texts, writers)
    encoder = ENCODERS[query.format](section)
    pieces = encode_section(encoder, section, _renderer(query))
    write_whole(output, _with_progress(pieces, section))
    print_seed(query.seed, seed)


def _write_folder(
    query: DatasetOptions, texts: Texts | None, folder: Path, running: RunOptions
) -> None:
    renderer = _renderer(query)
    asked = query.seed if query.seed is not None else folders.resumed_seed(folder)
    plan = Plan(query, chosen_seed(asked), texts)
    part, parts = running.part
    missing = folders.begin(folder, plan, renderer)
    indices = [index for index in missing if index % parts == part]
    progress = Progress(sum(plan.shards[index].section.count for index in indices))
    if running.workers == 1 or len(indices) == 1:
        write_shards(folder, plan, renderer, indices, progress.show)
    else:
        workers = min(running.workers, max(len(indices), 1))
        write_shards_with(workers, partial(_renderer, query), folder, plan, indices, progress.show)
    progress.end()
    folders.finish(folder, plan, renderer)
    print_seed(query.seed, plan.seed)


def _renderer(query: DatasetOptions) -> Renderer:
    settings = read_settings()
    renderer = open_renderer(settings.checkpoint, settings.engine, settings.precision)
    query.check_model(renderer.model_hash)
    return renderer


def _with_progress(pieces: Iterable[bytes], section: Section) -> Iterable[bytes]:
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
        "interrupted goes on where it was, if it is started again on the same folder.",
    )
    parser.add_argument(
        "output",
        type=Path,
        metavar="OUT",
        help="A file such as digits.npz, or a folder, with --format.",
    )
    add_parameters(parser, query)
    add_parameters(parser, RunOptions)
    parser.add_argument("--force", action="store_true", help="Replace the file if it exists.")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
