"""`python -m app.draw 2018 --seed 7 -o 2018.png`: the same pictures as the service, without it."""

import argparse
import sys
from pathlib import Path

from app.api.caching import chosen_seed
from app.api.errors import InvalidRequest
from app.request.schemas import GenerateQuery
from app.settings import read_settings
from app.drawing.renderer import open_studio
from model.checkpoint import CheckpointError
from model.engine import EngineError

EXIT_USAGE = 2


def main(arguments: list[str]) -> int:
    """Run the command; the exit code: 0 done, 1 failed, 2 wrong option.

    Args:
        arguments: as typed, without the program's name.
    """
    options = vars(_parser().parse_args(arguments))
    output: Path | None = options.pop("output")
    values = {name: value for name, value in options.items() if value is not None}
    if output is not None:
        values.setdefault("format", output.suffix.removeprefix(".").lower() or "png")
    try:
        order = GenerateQuery.check(values)
        order, seed = order.in_format(order.format or "png"), chosen_seed(order.seed)
        content = open_studio(read_settings()).render(order, seed)
        _write(content, output)
    except InvalidRequest as error:
        print(f"{error}; see --help.", file=sys.stderr)  # noqa: T201 - this is a command
        return EXIT_USAGE
    except (CheckpointError, EngineError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    if order.seed is None:
        print(f"seed {seed}", file=sys.stderr)  # noqa: T201
    return 0


def _parser() -> argparse.ArgumentParser:
    """One option for each parameter of `/generate`; the values are checked there, not here."""
    parser = argparse.ArgumentParser(
        prog="python -m app.draw",
        description="Write a number by hand, with the same bytes as GET /generate.",
    )
    for name, field in GenerateQuery.model_fields.items():
        flag = name if field.is_required() else f"--{name}"
        text = str(field.description).replace("%", "%%")
        parser.add_argument(flag, help=text, metavar=name)
    parser.add_argument(
        "-o", "--output", type=Path, help="file to write; its ending names the format"
    )
    return parser


def _write(content: bytes, output: Path | None) -> None:
    if output is not None:
        output.write_bytes(content)
    elif sys.stdout.isatty():
        raise OSError("A picture is not for the terminal; name a file with -o, or use a pipe.")
    else:
        sys.stdout.buffer.write(content)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
