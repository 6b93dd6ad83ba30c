"""The command `cvae-digits`, and in an installed wheel the packages that it runs.

`from cvae_digits import numbers` gives pictures and texts one after the other, see
`app.drawing.dataset.iterator.numbers`.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def numbers(*args: Any, **options: Any) -> Iterator[tuple[Any, str]]:
    """`app.drawing.dataset.iterator.numbers`, for a program that has installed this package."""
    find_packages()
    from app.drawing.dataset.iterator import numbers as drawn

    return drawn(*args, **options)


def find_packages() -> None:
    """Put the folder of app, model and training first on the path; child processes inherit it.

    A wheel has them inside this package, so that site-packages gets no module with a name as
    common as `app`, and a user's own app.py neither hides ours nor is hidden by it.
    """
    here = Path(__file__).resolve().parent
    bundled = here / "bundled"
    folder = str(bundled if bundled.is_dir() else here.parent)
    if sys.path[:1] != [folder]:
        sys.path.insert(0, folder)
