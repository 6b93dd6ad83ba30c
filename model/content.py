"""The files of a checkpoint folder, read so that none can block, fill the memory or crash a parser.

The folder is data that others write: a file may be a FIFO, endless, or JSON of 200,000 brackets.
"""

import json
import stat
from collections.abc import Mapping
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
import safetensors.numpy
from pydantic_core import from_json

MAX_BYTES = 2**30  # of a file; the bundled model has 6 MB
MAX_DOCUMENT_BYTES = 2**23  # of a file of JSON, which takes up to 50 times as much when it is read
MAX_FOUND = 300  # characters of what a sentence quotes


class CheckpointError(Exception):
    """A checkpoint is missing, damaged or unsuitable; the message is one full sentence."""


def damaged(name: str, found: str, expected: str) -> CheckpointError:
    """The error of one file; what was found is quoted in one line and shortened."""
    return CheckpointError(
        f"The checkpoint file {name} cannot be used: found {one_line(found)}, expected "
        f"{expected}; restore the folder from its source or train it again with "
        "`python -m training`."
    )


def one_line(text: object) -> str:
    """A text of unknown length and form, such as a library's message, for use in a sentence."""
    return shorten(str(text), MAX_FOUND, placeholder=" ...")


def read_content(folder: Path, name: str) -> bytes:
    """The content of one file of a folder.

    Raises:
        CheckpointError: it is not a regular file, too large, or cannot be read.
    """
    path = folder / name
    try:
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            raise damaged(name, "a symbolic link", "a regular file inside the folder")
        if not stat.S_ISREG(found.st_mode):  # a FIFO would block
            raise damaged(name, "something else than a file", "a regular file")
        if found.st_size > MAX_BYTES:
            raise damaged(name, f"{found.st_size} bytes", f"at most {MAX_BYTES}")
        return path.read_bytes()
    except FileNotFoundError:
        raise damaged(name, f"no such file in {folder}", "a regular file") from None
    except (OSError, ValueError) as error:
        raise damaged(name, f"an error ({error})", "a readable file") from error


def parse_object(name: str, content: bytes) -> dict[str, Any]:
    """The object that a file of JSON holds. At most 200 of its values are inside each other.

    Raises:
        CheckpointError: it is too large, no JSON, nested more deeply, or not an object.
    """
    if len(content) > MAX_DOCUMENT_BYTES:
        raise damaged(name, f"{len(content)} bytes", f"at most {MAX_DOCUMENT_BYTES}")
    try:
        document = from_json(content)  # unlike the standard library's, its depth has a limit
        json.dumps(document, allow_nan=False)  # the model card shows it as JSON, which has no NaN
    except ValueError as error:
        raise damaged(name, f"no JSON ({error})", "a JSON object") from error
    if not isinstance(document, dict):
        raise damaged(name, f"a JSON {type(document).__name__}", "a JSON object")
    return document


def check_weights(name: str, content: bytes, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Check that a safetensors file has exactly the weights of an architecture, all finite.

    Args:
        name: of the file.
        content: of the file.
        shapes: name of a weight -> its shape.
    Raises:
        CheckpointError: a weight is missing, unknown, of the wrong shape or type, or not finite.
    """
    try:
        weights = safetensors.numpy.load(content)
    except Exception as error:  # of the format or of NumPy, without a common base
        raise damaged(name, f"invalid data ({error})", "a safetensors file") from error
    if weights.keys() != shapes.keys():
        differing = sorted(weights.keys() ^ shapes.keys())
        raise damaged(name, f"other names ({', '.join(differing)})", "those of the architecture")
    for key, weight in weights.items():
        if weight.shape != shapes[key] or weight.dtype != np.float32:
            found = f"{key} of shape {weight.shape} and type {weight.dtype}"
            raise damaged(name, found, f"shape {shapes[key]} and type float32")
        if not np.isfinite(weight).all():
            raise damaged(name, f"NaN or infinity in {key}", "finite numbers")
