"""The pictures in the body of a request, read with bounded memory."""

from collections.abc import AsyncGenerator

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from app.errors import Refused

MAX_BYTES = 8 * 2**20
MAX_PICTURES = 8
FIELD = "image"


async def uploaded_pictures(request: Request) -> list[bytes]:
    """The files of an upload: a raw `image/*` body, or the multipart fields `image`.

    Raises:
        Refused: too large (413), of another type (415), or without a picture (422).
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        pictures = await _parts(request, await _body(request))
    elif kind.startswith("image/") or kind in ("", "application/octet-stream"):
        pictures = [await _body(request)]
    else:
        raise Refused(
            415,
            "The upload must be a picture: a body of type image/png, image/jpeg or image/webp, "
            f"or a multipart form with it in the field {FIELD}.",
        )
    if not pictures or not all(pictures):
        raise Refused(
            422, f"The upload holds no picture; send it as the body or in the field {FIELD}."
        )
    return pictures


async def _body(request: Request) -> bytes:
    """The whole body; refused as soon as it is known to be too large."""
    too_large = Refused(
        413, f"The upload is larger than {MAX_BYTES} bytes; make the picture smaller."
    )
    announced = request.headers.get("content-length", "")
    # Compared as text first: Python refuses to read a number of thousands of digits.
    longer = len(announced) > len(str(MAX_BYTES))
    if announced.isdecimal() and (longer or int(announced) > MAX_BYTES):
        raise too_large
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BYTES:
            raise too_large
    return bytes(body)


async def _parts(request: Request, body: bytes) -> list[bytes]:
    async def stream() -> AsyncGenerator[bytes]:
        yield body

    parser = MultiPartParser(request.headers, stream(), max_files=MAX_PICTURES, max_fields=0)
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise Refused(
            422,
            f"The multipart form cannot be read; send 1 to {MAX_PICTURES} pictures as files "
            f"in the field {FIELD} and nothing else.",
        ) from error
    try:
        files = form.getlist(FIELD)
        if len(files) != len(form.multi_items()):
            raise Refused(422, f"The multipart form has other fields than {FIELD}; leave them out.")
        return [await file.read() for file in files if isinstance(file, UploadFile)]
    finally:
        await form.close()
