"""Whether an answer is what was promised: a picture that decodes and has the right size."""

import base64
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import numpy as np
from PIL import Image

from app.request.dataset import DatasetQuery
from app.request.morph import MorphQuery
from app.request.query import Query
from app.request.schemas import (
    CELL,
    Drawing,
    GenerateQuery,
    LatentMapQuery,
    RestyleQuery,
    line_width,
)

SVG_START = b"<svg "


def find_fault(url: str, status: int, media_type: str, body: bytes) -> str | None:
    """What is wrong with an answer, or None.

    Args:
        url: path and query of the request.
        status: of the answer.
        media_type: its Content-Type.
        body: the whole body.
    """
    if status >= 500:
        return f"status {status}"
    parts = urlsplit(url)
    if status != 200 or parts.path not in CHECKS:
        return None
    query, check = CHECKS[parts.path]
    try:
        values = dict(parse_qsl(parts.query, keep_blank_values=True))
        return check(query.model_validate(values), media_type, body)
    except Exception as error:  # a decoder may raise anything
        return f"{type(error).__name__}: {error}"


def _drawing(query: Query, media_type: str, body: bytes) -> str | None:
    assert isinstance(query, Drawing)
    height, width = CELL * query.rows * query.scale, query.width * query.scale
    if media_type == "application/json":
        return _json(query, body)
    if media_type == "application/octet-stream":
        found: tuple[int, ...] = np.load(io.BytesIO(body), allow_pickle=False).shape
    elif media_type == "image/svg+xml":
        found = _svg_size(body)
    else:
        found = _size(body)
    exact = query.spacing == "cell"
    if found == (height, width) or (not exact and found[0] == height and found[1] <= width):
        return None
    return f"size {found} for {(height, width)}"


def _json(query: Drawing, body: bytes) -> str | None:
    lines = json.loads(body)["lines"]
    written = ["".join(digit["digit"] for digit in line) for line in lines]
    if written != [query.line] * query.rows:
        return f"digits {written} for {query.rows} times {query.line}"
    side = CELL * query.scale
    sizes = {_size(base64.b64decode(digit["png"])) for line in lines for digit in line}
    return None if sizes == {(side, side)} else f"sizes {sizes} for {(side, side)}"


def _svg_size(body: bytes) -> tuple[int, ...]:
    head = body[body.index(SVG_START) :].split(b">", 1)[0].decode()
    words = dict(word.split("=", 1) for word in head.split() if "=" in word)
    return int(words["height"].strip('"')), int(words["width"].strip('"'))


def _size(body: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(body)) as picture:
        picture.load()
        return picture.height, picture.width


def _morph(query: Query, _: str, body: bytes) -> str | None:
    assert isinstance(query, MorphQuery)
    width = line_width(len(query.start), query.gap) * query.scale
    with Image.open(io.BytesIO(body)) as film:
        frames = getattr(film, "n_frames", 1)
        for frame in range(frames):
            film.seek(frame)
            film.load()
        found = film.height, film.width
    # Equal frames may be merged into one that is shown longer.
    if found != (CELL * query.scale, width) or not 1 <= frames <= query.frames:
        return f"size {found}, {frames} frames"
    return None


def _map(query: Query, media_type: str, body: bytes) -> str | None:
    assert isinstance(query, LatentMapQuery)
    side = CELL * query.cells * query.scale
    found = _svg_size(body) if media_type == "image/svg+xml" else _size(body)
    return None if found == (side, side) else f"size {found} for {side}"


def _dataset(query: Query, _: str, body: bytes) -> str | None:
    assert isinstance(query, DatasetQuery)
    if query.format == "npz":
        with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
            found = arrays["images"].shape
        texts = query.texts.splitlines() if query.texts else []
        canvas = query.canvas(max(map(len, texts), default=int(query.length.high)))
        expected = query.count, canvas.height, canvas.width
        return None if found == expected else f"shape {found} for {expected}"
    if query.format == "webdataset":
        with tarfile.open(fileobj=io.BytesIO(body)) as archive:
            names = archive.getnames()
        pictures = sum(name.endswith(".png") for name in names)
        return None if pictures == query.count else f"{pictures} pictures for {query.count}"
    with zipfile.ZipFile(io.BytesIO(body)) as files:
        broken, count = files.testzip(), len(files.namelist()) - 1
    return None if broken is None and count == query.count else f"{count} files, broken {broken}"


Check = Callable[[Query, str, bytes], str | None]
CHECKS: dict[str, tuple[type[Query], Check]] = {
    "/generate": (GenerateQuery, _drawing),
    "/restyle": (RestyleQuery, _drawing),
    "/morph": (MorphQuery, _morph),
    "/latent-map": (LatentMapQuery, _map),
    "/dataset": (DatasetQuery, _dataset),
}
