"""`python -m app.site FOLDER`: write the page for a static host."""

import argparse
import sys
from pathlib import Path

from app.drawing.card import describe
from app.drawing.renderer import open_renderer
from app.settings import read_settings
from app.site.build import (
    is_simple,
    page_files,
    rounded_weights,
    shown_networks,
    with_address,
    write_page,
)
from app.site.file import INDEX
from model.checkpoint import ROUNDED_WEIGHTS, CheckpointError
from model.engine import EngineError


def main(arguments: list[str]) -> int:
    """Run the command; the exit code: 0 for success, 1 for a failure.

    Args:
        arguments: as typed, without the name of the program.
    """
    parser = argparse.ArgumentParser(
        prog="python -m app.site",
        description="Write the web page for a static host; it draws in the browser.",
    )
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="an older page in it is replaced"
    )
    parser.add_argument(
        "--address",
        metavar="URL",
        help="where the page will be, for the picture that other sites show beside a link to it",
    )
    options = parser.parse_args(arguments)
    try:
        _write(options.folder, options.address)
    except (CheckpointError, EngineError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - this is a command
        return 1
    return 0


def _write(folder: Path, address: str | None) -> None:
    settings = read_settings()
    renderer = open_renderer(settings.checkpoint, settings.engine, settings.precision)
    if is_simple(renderer):
        raise CheckpointError(
            f"The checkpoint {settings.checkpoint} writes {renderer.alphabet.description}, and a "
            "page without a service draws only the digits of MNIST; serve it instead."
        )
    weights = rounded_weights(renderer)
    if weights is None:
        raise CheckpointError(
            f"The checkpoint {settings.checkpoint} has no {ROUNDED_WEIGHTS}, which a page without "
            "a service needs; train a new checkpoint with `python -m training`."
        )
    card = describe(renderer).model_dump_json().encode()
    files = page_files(card, weights, served=False, networks=shown_networks(renderer))
    if address is not None:
        files[INDEX] = with_address(files[INDEX], address)
    write_page(folder, files)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
