"""How a command of the training ends when its user ends it."""

import os
import sys
from collections.abc import Callable, Sequence
from functools import wraps

from training.config import EXIT_FAILED, EXIT_INTERRUPTED

Command = Callable[[Sequence[str]], int]


def command(main: Command) -> Command:
    """A command that ends without a traceback at Ctrl-C, and where nobody reads what it prints.

    A run of the training saves its state at Ctrl-C by itself, see `training.interrupt`; this is for
    the seconds before and after it.
    """

    @wraps(main)
    def run(arguments: Sequence[str]) -> int:
        try:
            code = main(arguments)
            sys.stdout.flush()
        except KeyboardInterrupt:
            print("\nInterrupted.", file=sys.stderr)  # noqa: T201 - this is a command
            return EXIT_INTERRUPTED
        except BrokenPipeError:  # as in `cvae-digits look FOLDER | head`
            # What is left to print goes nowhere: Python prints it again at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return EXIT_FAILED
        return code

    return run
