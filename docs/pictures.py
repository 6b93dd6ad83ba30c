"""`make pictures`: the README's pictures, made by the README's own curl lines."""

import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).parent.parent
ADDRESS = "http://127.0.0.1:8000"
PORT = 8765
START_LIMIT_S = 60


def curl_lines(readme: str) -> list[list[str]]:
    """Every command of the README that begins with curl, split as a shell does."""
    return [shlex.split(line, comments=True) for line in re.findall(r"^curl .*$", readme, re.M)]


def run(command: list[str], address: str, folder: Path) -> None:
    """Run one of them against `address`, as typed in the project's root, files into `folder`.

    Raises:
        CalledProcessError: curl or the service says no.
    """
    here = [part.replace(ADDRESS, address).replace("@docs/", f"@{ROOT}/docs/") for part in command]
    subprocess.run([*here, "--fail", "--silent"], cwd=folder, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def service() -> Iterator[str]:
    """The service with the bundled checkpoint; its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "--port", str(PORT)], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    address, limit = f"http://127.0.0.1:{PORT}", time.monotonic() + START_LIMIT_S
    try:
        while time.monotonic() < limit and process.poll() is None:
            try:
                urlopen(f"{address}/readyz").close()
                break
            except URLError:
                time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Run all of them and keep what the README shows."""
    with service() as address, tempfile.TemporaryDirectory() as folder:
        for command in curl_lines((ROOT / "README.md").read_text()):
            run(command, address, Path(folder))
            for made in Path(folder).iterdir():
                if (ROOT / "docs" / made.name).exists():
                    (ROOT / "docs" / made.name).write_bytes(made.read_bytes())
                made.unlink()


if __name__ == "__main__":
    main()
