"""The options of the commands that draw without a server: one for each parameter of a query."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from app.drawing.renderer import model_queries
from app.request.error import RequestError
from app.request.line import Line, MarkedLine
from app.request.parameter import Colour, Constraint, Decimal, Integer, Token
from app.request.queries import Queries
from app.request.query import Query
from app.request.ranges import RangeOf
from app.settings import read_settings
from model.checkpoint import CheckpointError, read_manifest
from model.engine import EngineError

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130
# Where the default is not the one that the description of the HTTP parameter tells.
DEFAULTS = {"seed": "random, and printed.", "format": "the ending of the file name."}
METAVARS: dict[type, str] = {
    Integer: "INTEGER",
    Decimal: "NUMBER",
    Colour: "COLOUR",
    Token: "TOKEN",
    RangeOf: "RANGE",
}
AnyQuery = TypeVar("AnyQuery", bound=Query)


def asked_queries() -> Queries:
    """What can be asked of the model of the settings.

    Where its checkpoint cannot be read, that is told when it is opened to draw.
    """
    try:
        return model_queries(read_manifest(read_settings().checkpoint))
    except CheckpointError:
        return Queries()


def add_parameters(parser: argparse.ArgumentParser, model: type[Query]) -> None:
    """Add an option for each parameter of a query; a line is an argument without a name.

    Values stay text: the query checks them, with the messages of the service.
    """
    for option, name, _ in model.parameters:
        field = model.model_fields[name]
        constraint = next((item for item in field.metadata if isinstance(item, Constraint)), None)
        text = _help(name, field, constraint).replace("%", "%%")
        metavar = METAVARS.get(type(constraint), option.upper())
        if isinstance(constraint, Line):
            parser.add_argument(option, help=text, metavar=metavar)
        elif not isinstance(constraint, MarkedLine):  # the argument takes both
            parser.add_argument(f"--{option}", dest=option, help=text, metavar=metavar)


def parse_query(
    model: type[AnyQuery], options: Mapping[str, str | None], output: Path | None
) -> AnyQuery:
    """The checked query of the options that were given.

    Args:
        model: the query.
        options: name of a parameter -> its text, or None.
        output: its ending names the format, unless the option does.
    Raises:
        InvalidRequest: an option breaks the limits of its parameter.
    """
    values = {name: text for name, text in options.items() if text is not None}
    if output is not None and output.suffix:
        values.setdefault("format", output.suffix.removeprefix(".").lower())
    return model.model_validate(values)


def run(command: Callable[[], None]) -> int:
    """The exit code of a command: 0 done, 1 failed, 2 wrong option, 130 interrupted."""
    try:
        command()
    except RequestError as error:
        return _fail(f"{error} See --help.", EXIT_USAGE)
    except (CheckpointError, EngineError) as error:
        return _fail(str(error), EXIT_FAILED)
    except OSError as error:
        name = error.filename or "Standard output"
        return _fail(f"{name} cannot be written: {error.strerror}.", EXIT_FAILED)
    except KeyboardInterrupt:
        return _fail("\nInterrupted.", EXIT_INTERRUPTED)
    return 0


def write_file(path: Path, content: bytes) -> None:
    """Write a file.

    Raises:
        OSError: it cannot be written; names the file, also where the disk is full.
    """
    try:
        path.write_bytes(content)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def print_seed(asked: int | None, seed: int) -> None:
    """Tell the seed that was taken, unless it was asked for."""
    if asked is None:
        print(f"seed {seed}", file=sys.stderr)  # noqa: T201 - for a command


def _help(name: str, field: FieldInfo, constraint: Constraint | None) -> str:
    """Description, limits, default, and an example that can be typed as it is printed."""
    text, _, default = str(field.description).partition(" Default: ")
    parts = [text]
    if isinstance(constraint, RangeOf):
        constraint = constraint.kind
    if isinstance(constraint, Integer | Decimal):
        parts.append(f"From {constraint.low} to {constraint.high}.")
    if name in DEFAULTS:
        default = DEFAULTS[name]
    elif field.default not in (None, PydanticUndefined):
        default = f"{field.default}."
    if default:
        parts.append(f"Default: {default}")
    if field.examples:
        parts.append(f"Example: {field.examples[0]}")
    return " ".join(parts)


def _fail(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201 - for a command
    return code
