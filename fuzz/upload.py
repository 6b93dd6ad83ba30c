"""The body of an upload, raw or as a form, and the picture files in it."""

import asyncio
import io

import numpy as np
from PIL import Image
from starlette.requests import Request
from starlette.types import Message

from app.api.upload import uploaded_pictures
from app.drawing.handwriting import read_digit
from app.overload.memory import UploadMemory
from app.request.error import PICTURE, RequestError
from harness.pictures import chunk, clear_webp, jpeg, lossless_webp, png, turned_exif

RAW, FORM = b"image/png", b"multipart/form-data; boundary=b"
HEAD = b'--b\r\nContent-Disposition: form-data; name="%b"; filename="a.png"\r\n\r\n'
MAX_BYTES = 2**20


def seeds() -> list[bytes]:
    """Pictures of each kind, and forms."""
    ink = np.full((28, 28), 255, dtype=np.uint8)
    ink[4:24, 12:16] = 0
    pictures = [png(9, 9, colour, 16 if colour else 8, True) for colour in (0, 2, 4, 6)]
    pictures += [png(8, 8, 3, more=chunk(b"tRNS", b"\0") + chunk(b"eXIf", turned_exif(1)))]
    pictures += [jpeg(16, 8, ("22", "11", "11"), scans) for scans in (0, 3)]
    pictures += [clear_webp(16, 16), lossless_webp(8, 8, deep=False)]
    for kind, options in (("PNG", {}), ("JPEG", {"progressive": True}), ("WEBP", {})):
        for mode in ("L", "RGB"):
            file = io.BytesIO()
            Image.fromarray(ink).convert(mode).save(file, kind, exif=turned_exif(), **options)
            pictures.append(file.getvalue())
    head, end = HEAD % PICTURE.encode(), b"\r\n--b--\r\n"
    forms = [b"\1" + head + picture + end for picture in pictures[-2:]]
    forms += [b"\1" + head + b"1\r\n" + head + b"2" + end, b"\1" + HEAD % b"x" + b"1" + end]
    return [b"\0" + picture for picture in pictures] + forms


def try_bytes(data: bytes) -> None:
    """An upload is refused with `RequestError`, or each of its pictures is ink in 28 x 28."""
    try:
        for picture in asyncio.run(_uploaded(FORM if data[:1] == b"\1" else RAW, data[1:])):
            ink = read_digit(picture)
            if ink.shape != (28, 28) or not 0 <= ink.min() <= ink.max() <= 1:
                raise AssertionError(ink)
    except RequestError:
        pass


async def _uploaded(kind: bytes, body: bytes) -> list[bytes]:
    pieces = [body[:100], body[100:]]

    async def receive() -> Message:
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", kind)]}
    memory = UploadMemory(MAX_BYTES)
    with memory.share() as share:
        found = await uploaded_pictures(Request(scope, receive), memory, share, MAX_BYTES)
    if sum(map(len, found)) > len(body):
        raise AssertionError(found)
    return found
