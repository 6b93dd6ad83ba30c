"""`python -m app.draw 2018 --seed 7 -o 2018.png`: the pictures of the service, without it."""

import argparse
import sys
from pathlib import Path

from app.drawing.renderer import Order, open_renderer
from app.options import add_parameters, asked_queries, parse_query, print_seed, run, write_file
from app.request.fields import chosen_seed
from app.request.schemas import GenerateQuery
from app.settings import read_settings


def main(arguments: list[str]) -> int:
    """Run the command; the exit code, see `app.options.run`.

    Args:
        arguments: as typed, without the name of the program.
    """
    query = asked_queries().generate
    parser = _parser(query)
    options = vars(parser.parse_args(arguments))
    output: Path | None = options.pop("output")
    if output is None and sys.stdout is None:
        parser.error("Standard output is closed; name a file with -o.")
    if output is None and sys.stdout.isatty():
        parser.error("A terminal cannot show a picture; name a file with -o, or use a pipe.")
    return run(lambda: _draw(query, options, output))


def _draw(asked: type[GenerateQuery], options: dict[str, str | None], output: Path | None) -> None:
    number = options.get("digits")
    if number is not None and not (number.isascii() and number.isdigit()):
        options = {**options, "digits": None, "text": number}  # one argument takes both
    query = parse_query(asked, options, output)
    settings = read_settings()
    renderer = open_renderer(settings.checkpoint, settings.engine, settings.precision)
    query.check_model(renderer.model_hash)
    seed = chosen_seed(query.seed)
    (content,) = renderer.render([Order(query.in_format(query.format or "png"), seed)])
    if output is None:
        sys.stdout.buffer.write(content)
    else:
        write_file(output, content)
    print_seed(query.seed, seed)


def _parser(query: type[GenerateQuery]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cvae-digits draw",
        allow_abbrev=False,
        description="Draw a number into a file, with the same bytes as GET /generate.",
    )
    add_parameters(parser, query)
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="File to write. Default: standard output."
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
