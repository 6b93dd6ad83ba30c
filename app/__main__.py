"""`python -m app`: serve."""

import gc
import sys

from app.server.start import prepare_process


def main(arguments: list[str]) -> int:
    """Run the command until a signal ends it; the exit code.

    Args:
        arguments: as typed, without the name of the program.
    """
    prepare_process()
    # Only now, because the imports take most of the start. What they make stays: looking for
    # garbage among it would take a sixth of their time, and some time again and again later.
    gc.disable()
    from app.main import create_app
    from app.server.serve import serve
    from app.settings import read_settings

    gc.freeze()
    gc.enable()
    serve(create_app, read_settings(arguments))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
