"""`cvae-digits COMMAND`: one name on the path for every command of the project."""

import sys
from importlib import import_module

from cvae_digits import find_packages

COMMANDS = {
    "serve": ("app.__main__", "serve handwritten digits over HTTP, and the web page"),
    "draw": ("app.draw", "draw a number into a file"),
    "dataset": ("app.dataset", "write labelled digits, as many as wanted, into a file or folder"),
    "look": ("training.look", "look at pictures of your own before training on them"),
    "train": ("training.__main__", "train a model, on MNIST or on pictures of your own"),
    "evaluate": ("training.evaluate", "measure a trained model"),
}
OURS = ("app", "model", "training")
EXIT_USAGE, EXIT_INTERRUPTED = 2, 130


def main(arguments: list[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: the command and its own arguments; None: those of the process.
    Returns:
        The exit code: 0 for success, 2 for a wrong command or option, 130 interrupted.
    """
    command, *rest = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    find_packages()
    if command in ("-h", "--help"):
        print(_help())  # noqa: T201 - this is a command
        return 0
    if command == "--version":
        print(f"cvae-digits {import_module('app').__version__}")  # noqa: T201
        return 0
    if command not in COMMANDS:
        names = ", ".join(COMMANDS)
        return _fail(f"cvae-digits has no command {command!r}; the commands are {names}.")
    return _run(command, rest)


def _run(command: str, arguments: list[str]) -> int:
    try:
        code: int = import_module(COMMANDS[command][0]).main(arguments)
    except ModuleNotFoundError as error:
        package = str(error.name).split(".")[0]
        if command not in ("look", "train", "evaluate") or package in OURS:
            raise
        return _fail(
            f"cvae-digits {command} needs the package {package}, which is not installed; install "
            "the extra `train`, for example with `pipx install '.[train]'` in a clone."
        )
    except KeyboardInterrupt:  # while the packages are read: each command has its own answer later
        return _fail("\nInterrupted.", EXIT_INTERRUPTED)
    return code


def _help() -> str:
    commands = [f"  {name:<10}{summary}" for name, (_, summary) in COMMANDS.items()]
    return "\n".join(
        (
            "usage: cvae-digits COMMAND [OPTION ...]",
            "",
            "Type a number, get it handwritten.",
            "",
            "commands:",
            *commands,
            "",
            "`cvae-digits COMMAND --help` lists the options of a command.",
            "`cvae-digits --version` prints the version.",
        )
    )


def _fail(sentence: str, code: int = EXIT_USAGE) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201 - this is a command
    return code


if __name__ == "__main__":
    sys.exit(main())
