"""What the page links to for reading: the mathematics, and the two files that implement it.

`python -m docs.reading` makes the files of the folder `reading` from docs/understanding.md.
"""

from pathlib import Path

FOLDER = Path(__file__).parent / "reading"
ROOT = Path(__file__).parents[2]
# Path in the repository -> name beside the page's files. Browsers show a text file, and offer
# to download a Python file.
SOURCES = {"model/cvae.py": "cvae.py.txt", "model/objective.py": "objective.py.txt"}


def documents() -> dict[str, bytes]:
    """The files by name: path relative to the address of the page -> content."""
    read = {f"page/{path.name}": path.read_bytes() for path in sorted(FOLDER.iterdir())}
    return read | {f"page/{name}": (ROOT / path).read_bytes() for path, name in SOURCES.items()}
