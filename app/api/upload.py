"""The pictures in the body of a request, read with bounded memory."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from io import BytesIO

from fastapi import Request
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from app.overload import ClientGone
from app.overload.memory import Share, UploadMemory
from app.request.error import PICTURE, Reason, RequestError

MAX_BYTES = 8 * 2**20  # the default of the settings
LIMIT_S = 30  # for all of a body to arrive
MAX_PICTURES = 8
MAX_HEADER_BYTES = 1024  # of the Content-Type of a form; reading more takes milliseconds


class _InMemory(MultiPartParser):
    """Keeps files in memory, where the body is already: no disk is needed, nothing to clean up."""

    spool_max_size = 2**30  # more than any body
    unfinished = False  # whether a part has begun that has not ended

    def on_part_begin(self) -> None:
        """A part begins."""
        super().on_part_begin()
        self.unfinished = True

    def on_part_end(self) -> None:
        """A part has ended."""
        super().on_part_end()
        self.unfinished = False


async def uploaded_pictures(
    request: Request, memory: UploadMemory, share: Share, max_bytes: int = MAX_BYTES
) -> list[bytes]:
    """The files of an upload: a raw `image/*` body, or the multipart fields `image`.

    Args:
        request: the body is read from it.
        memory: bounds the bytes of all uploads.
        share: of this upload in it; the caller releases it when the files are not needed any more.
        max_bytes: of the body.
    Raises:
        RequestError: too slow, too large, of another type, or without a picture.
        Overloaded: the memory is full.
        ClientGone: the client closed its connection.
    """
    header = request.headers.get("content-type", "")
    kind = header.split(";", 1)[0].strip().lower()
    form = kind == "multipart/form-data"
    if not (form or kind.startswith("image/") or kind in ("", "application/octet-stream")):
        raise RequestError(
            Reason.UNSUPPORTED_TYPE,
            "The upload must be a picture: a body of type image/png, image/jpeg or image/webp, "
            f"or a multipart form with the picture in the field {PICTURE}.",
        )
    body = _body(request, memory, share, max_bytes)
    try:
        async with memory.arriving(share, LIMIT_S), aclosing(body):
            pictures = await (_parts(header, body) if form else _whole(body))
    except TimeoutError:
        raise RequestError(
            Reason.TOO_SLOW, f"The upload took longer than {LIMIT_S} s; send it again."
        ) from None
    if not pictures or not all(pictures):
        raise RequestError(
            Reason.INVALID,
            f"The upload contains no picture; send it as the body or in the field {PICTURE}.",
        )
    return pictures


async def _body(
    request: Request, memory: UploadMemory, share: Share, max_bytes: int
) -> AsyncGenerator[bytes]:
    """The body in pieces; refused once it is known to be too large."""
    too_large = RequestError(
        Reason.TOO_LARGE, f"The upload is larger than {max_bytes} bytes; make the picture smaller."
    )
    announced = request.headers.get("content-length", "")
    # Compared as text first: Python refuses to read a number of thousands of digits.
    longer = len(announced) > len(str(max_bytes))
    if announced.isdecimal() and (longer or int(announced) > max_bytes):
        raise too_large
    try:
        async for piece in request.stream():
            if share.size + len(piece) > max_bytes:
                raise too_large
            memory.take(share, len(piece))
            yield piece
    except ClientDisconnect as error:
        raise ClientGone from error


async def _whole(body: AsyncGenerator[bytes]) -> list[bytes]:
    file = BytesIO()
    async for piece in body:
        file.write(piece)
    return [file.getvalue()]  # without a copy


async def _parts(header: str, body: AsyncGenerator[bytes]) -> list[bytes]:
    """The files of a multipart form, read while it arrives.

    Args:
        header: Content-Type.
        body: in pieces.
    """
    unreadable = RequestError(
        Reason.INVALID,
        f"The multipart form cannot be read; send 1 to {MAX_PICTURES} pictures as files "
        f"in the field {PICTURE} and nothing else.",
    )
    if len(header) > MAX_HEADER_BYTES:
        raise unreadable

    async def stream() -> AsyncGenerator[bytes]:
        async for piece in body:
            yield piece
        if parser.unfinished:  # the parser would leave its file open
            raise MultiPartException("The last part has no end.")

    headers = Headers({"content-type": header})
    parser = _InMemory(headers, stream(), max_files=MAX_PICTURES, max_fields=0)
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise unreadable from error
    try:
        files = form.getlist(PICTURE)
        if len(files) != len(form.multi_items()):
            raise RequestError(
                Reason.INVALID,
                f"The multipart form has other fields than {PICTURE}; leave them out.",
            )
        return [await file.read() for file in files if isinstance(file, UploadFile)]
    finally:
        await form.close()
