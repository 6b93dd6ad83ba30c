"""`python -m fuzz TARGET [OPTION ...]`: changes inputs so that they reach new code, with atheris.

Options are those of libFuzzer, such as -max_total_time=900, and a folder that keeps the inputs
which reached new code.
"""

import sys
import tempfile
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path

import atheris

TARGETS = sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))
# Whose branches are counted.
WATCHED = ["fuzz", "app", "model", "urllib.parse", "base64", "starlette.datastructures"]
WATCHED += ["starlette.formparsers", "python_multipart", "PIL"]


def main(target: str, options: list[str]) -> None:
    """Search until the limit of the options, or until a finding; ends the process.

    Args:
        target: one of `TARGETS`.
        options: of libFuzzer; what does not begin with a dash is a folder.
    """
    with atheris.instrument_imports(include=WATCHED):
        module = import_module(f"fuzz.{target}")
    with ExitStack() as stack:
        # New inputs go to the first folder, the others are only read.
        folders = [each for each in options if not each.startswith("-")]
        folders = folders or [stack.enter_context(tempfile.TemporaryDirectory())]
        begin = stack.enter_context(tempfile.TemporaryDirectory())
        for number, seed in enumerate(module.seeds()):
            (Path(begin) / str(number)).write_bytes(seed)
        limits = [each for each in options if each.startswith("-")]
        atheris.Setup([sys.argv[0], *limits, *folders, begin], module.try_bytes)
        atheris.Fuzz()


if __name__ == "__main__":
    if len(sys.argv) == 1 or sys.argv[1] not in TARGETS:
        sys.exit(f"Name a target: {', '.join(TARGETS)}.")
    main(sys.argv[1], sys.argv[2:])
