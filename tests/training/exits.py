"""How commands end."""

from collections.abc import Callable


def exit_code(main: Callable[[list[str]], int], arguments: list[str]) -> int | str | None:
    """The exit code of a command, which raises SystemExit where argparse does."""
    try:
        return main(arguments)
    except SystemExit as ended:
        return ended.code
