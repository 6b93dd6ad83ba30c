"""`python -m app.dataset digits.npz --count 1000`: the data sets of the service, without it."""

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from app.drawing.dataset.section import BATCH
from app.drawing.dataset.stream import dataset_pieces
from app.drawing.renderer import open_renderer
from app.options import add_parameters, parse_query, print_seed, run
from app.request.dataset import DatasetQuery
from app.request.fields import chosen_seed
from app.settings import read_settings

BAR_WIDTH = 40  # characters


def main(arguments: list[str]) -> int:
    """Run the command; the exit code, see `app.options.run`.

    Args:
        arguments: as typed, without the name of the program.
    """
    parser = _parser()
    options = vars(parser.parse_args(arguments))
    output: Path = options.pop("output")
    if not options.pop("force") and output.exists():
        parser.error(f"The file {output} exists; choose another name, or replace it with --force.")
    return run(lambda: _write_dataset(options, output))


def _write_dataset(options: dict[str, str | None], output: Path) -> None:
    query = parse_query(DatasetQuery, options, output)
    settings = read_settings()
    renderer = open_renderer(settings.checkpoint, settings.engine, settings.precision)
    query.check_model(renderer.model_hash)
    seed = chosen_seed(query.seed)
    _write(_with_progress(dataset_pieces(renderer, query, seed), query.count), output)
    print_seed(query.seed, seed)


def _write(pieces: Iterable[bytes], output: Path) -> None:
    """Write a file through a temporary neighbour: it is complete, or not there."""
    temporary = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(output)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(output)) from error
    finally:
        temporary.unlink(missing_ok=True)


def _with_progress(pieces: Iterable[bytes], count: int) -> Iterable[bytes]:
    """The pieces, with a bar on a terminal that shows how many of `count` pictures are drawn."""
    if not sys.stderr.isatty():
        yield from pieces
        return
    for number, piece in enumerate(pieces, start=1):
        yield piece
        drawn = min(number * BATCH, count)
        bar = ("#" * (BAR_WIDTH * drawn // count)).ljust(BAR_WIDTH, ".")
        print(f"\r[{bar}] {drawn} of {count}", end="", file=sys.stderr, flush=True)  # noqa: T201
    print(file=sys.stderr)  # noqa: T201


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cvae-digits dataset",
        allow_abbrev=False,
        description="Write labelled digits into a file, with the same bytes as GET /dataset.",
    )
    parser.add_argument(
        "output", type=Path, metavar="OUT", help="File to write, such as digits.npz."
    )
    add_parameters(parser, DatasetQuery)
    parser.add_argument("--force", action="store_true", help="Replace the file if it exists.")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
