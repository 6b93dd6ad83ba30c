"""The pictures in the body of a request, read with bounded memory."""

import asyncio
from collections.abc import AsyncGenerator

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from app.overload import ClientGone
from app.request.error import Reason, RequestError

MAX_BYTES = 8 * 2**20  # the default of the settings
LIMIT_S = 30  # for all of a body to arrive
MAX_PICTURES = 8
FIELD = "image"


class _InMemory(MultiPartParser):
    """Keeps files in memory, where the body is already: no disk is needed, nothing to clean up."""

    spool_max_size = 2**30  # more than any body


async def uploaded_pictures(request: Request, max_bytes: int = MAX_BYTES) -> list[bytes]:
    """The files of an upload: a raw `image/*` body, or the multipart fields `image`.

    Raises:
        RequestError: too slow, too large, of another type, or without a picture.
        ClientGone: the client closed its connection.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        pictures = await _parts(request, await _body(request, max_bytes))
    elif kind.startswith("image/") or kind in ("", "application/octet-stream"):
        pictures = [await _body(request, max_bytes)]
    else:
        raise RequestError(
            Reason.UNSUPPORTED_TYPE,
            "The upload must be a picture: a body of type image/png, image/jpeg or image/webp, "
            f"or a multipart form with the picture in the field {FIELD}.",
        )
    if not pictures or not all(pictures):
        raise RequestError(
            Reason.INVALID,
            f"The upload contains no picture; send it as the body or in the field {FIELD}.",
        )
    return pictures


async def _body(request: Request, max_bytes: int) -> bytes:
    """The whole body; refused once it is known to be too large, or when it takes too long."""
    too_large = RequestError(
        Reason.TOO_LARGE, f"The upload is larger than {max_bytes} bytes; make the picture smaller."
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
        raise RequestError(
            Reason.TOO_SLOW, f"The upload took longer than {LIMIT_S} s; send it again."
        ) from None
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
        raise RequestError(
            Reason.INVALID,
            f"The multipart form cannot be read; send 1 to {MAX_PICTURES} pictures as files "
            f"in the field {FIELD} and nothing else.",
        ) from error
    try:
        files = form.getlist(FIELD)
        if len(files) != len(form.multi_items()):
            raise RequestError(
                Reason.INVALID,
                f"The multipart form has other fields than {FIELD}; leave them out.",
            )
        return [await file.read() for file in files if isinstance(file, UploadFile)]
    finally:
        await form.close()
