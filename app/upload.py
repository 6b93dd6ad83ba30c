"""The pictures in the body of a request, read with bounded memory."""

import asyncio
from collections.abc import AsyncGenerator

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from app.overload.pool import ClientGone
from app.api.errors import Refused

MAX_BYTES = 8 * 2**20  # unless the settings say otherwise
UPLOADS = 16  # taken at a time, each with its bytes in memory; one more is refused at once
LIMIT_S = 30  # for all of a body to arrive
MAX_PICTURES = 8
FIELD = "image"


class _InMemory(MultiPartParser):
    """Keeps files where the body is already: no disk is needed, and nothing to clean up."""

    spool_max_size = 2**30  # more than any body


async def uploaded_pictures(request: Request, max_bytes: int = MAX_BYTES) -> list[bytes]:
    """The files of an upload: a raw `image/*` body, or the multipart fields `image`.

    Raises:
        Refused: too slow (408), too large (413), of another type (415), or without a picture (422).
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        pictures = await _parts(request, await _body(request, max_bytes))
    elif kind.startswith("image/") or kind in ("", "application/octet-stream"):
        pictures = [await _body(request, max_bytes)]
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


async def _body(request: Request, max_bytes: int) -> bytes:
    """The whole body; refused as soon as it is known to be too large, or when it does not come."""
    too_large = Refused(
        413, f"The upload is larger than {max_bytes} bytes; make the picture smaller."
    )
    announced = request.headers.get("content-length", "")
    # Compared as text first: Python refuses to read a number of thousands of digits.
    longer = len(announced) > len(str(max_bytes))
    if announced.isdecimal() and (longer or int(announced) > max_bytes):
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(LIMIT_S):
            async for piece in request.stream():
                body += piece
                if len(body) > max_bytes:
                    raise too_large
    except TimeoutError:
        raise Refused(408, f"The upload took longer than {LIMIT_S} s; send it again.") from None
    except ClientDisconnect as error:
        raise ClientGone from error
    return bytes(body)


async def _parts(request: Request, body: bytes) -> list[bytes]:
    async def stream() -> AsyncGenerator[bytes]:
        yield body

    parser = _InMemory(request.headers, stream(), max_files=MAX_PICTURES, max_fields=0)
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
