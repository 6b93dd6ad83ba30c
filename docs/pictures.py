"""`make pictures`: the pictures of the documents, made by the documents' own curl lines."""

import re
import shlex
import subprocess
import tempfile
from pathlib import Path

from harness.launcher import ROOT, running

ADDRESS = "http://127.0.0.1:8000"
DOCUMENTS = (ROOT / "README.md", ROOT / "docs" / "api.md")


def curl_lines(document: str) -> list[list[str]]:
    """Every command of a document that begins with curl, split as a shell does."""
    return [shlex.split(line, comments=True) for line in re.findall(r"^curl .*$", document, re.M)]


def run(command: list[str], address: str, folder: Path) -> None:
    """Run a command against `address`, as if typed in the project's root; files go to `folder`.

    Raises:
        CalledProcessError: curl or the service failed.
    """
    here = [part.replace(ADDRESS, address).replace("@docs/", f"@{ROOT}/docs/") for part in command]
    subprocess.run([*here, "--fail", "--silent"], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    """Run all of them, and replace the pictures in docs/ that they made."""
    with running() as service, tempfile.TemporaryDirectory() as folder:
        for command in (line for path in DOCUMENTS for line in curl_lines(path.read_text())):
            run(command, service.address, Path(folder))
            for made in Path(folder).iterdir():
                if (ROOT / "docs" / made.name).exists():
                    (ROOT / "docs" / made.name).write_bytes(made.read_bytes())
                made.unlink()


if __name__ == "__main__":
    main()
