"""The head of a request: how large it may be, and what is refused whatever it asks for."""

from http import HTTPStatus

MAX_HEAD_BYTES = 2**14
MAX_HEADERS = 100
MAX_TARGET_BYTES = 2**12
MAX_PARAMETERS = 64
MAX_VALUE_BYTES = 2**10  # of a header that is taken apart
MAX_ITEMS = 64

TAKEN_APART = frozenset(
    {
        *(b"accept", b"accept-encoding", b"access-control-request-headers", b"authorization"),
        *(b"connection", b"content-type", b"if-none-match"),
    }
)
TOO_LARGE = (
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    f"The head of the request is too large: at most {MAX_HEAD_BYTES} bytes and {MAX_HEADERS} "
    "headers are read; send less.",
)
BODY_HEADERS = frozenset({b"content-length", b"transfer-encoding"})


def is_large(size: int, headers: int) -> bool:
    """Whether a head of so many bytes and headers is refused, with `TOO_LARGE`."""
    return size > MAX_HEAD_BYTES or headers > MAX_HEADERS


def find_fault(
    target: bytes, headers: list[tuple[bytes, bytes]], version: str, upgrade: bool
) -> tuple[HTTPStatus, str] | None:
    """The status and the sentence by which a head is refused, or None.

    Args:
        target: of the request: path and query string.
        headers: with names in lower case.
        version: of HTTP.
        upgrade: whether the request asks for another protocol.
    """
    if len(target) > MAX_TARGET_BYTES or target.count(b"&") >= MAX_PARAMETERS:
        return HTTPStatus.REQUEST_URI_TOO_LONG, (
            f"The address is too long: at most {MAX_TARGET_BYTES} bytes and {MAX_PARAMETERS} "
            "parameters are read; send less."
        )
    hosts = bodies = 0
    for name, value in headers:
        hosts += name == b"host"
        bodies += name in BODY_HEADERS
        if len(value) >= MAX_ITEMS and name in TAKEN_APART and _is_long(value):
            return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, (
                f"The header {name.decode()} is too long: at most {MAX_VALUE_BYTES} bytes and "
                f"{MAX_ITEMS} items are read; send less."
            )
    if hosts != 1 and (hosts or version == "1.1"):
        return HTTPStatus.BAD_REQUEST, (
            f"A request names its host once; found {hosts} Host headers, expected 1."
        )
    if bodies and upgrade:  # the parser would skip the body
        return HTTPStatus.BAD_REQUEST, (
            "A request to upgrade the connection cannot have a body; leave out Upgrade."
        )
    return None


def _is_long(value: bytes) -> bool:
    return len(value) > MAX_VALUE_BYTES or value.count(b",") + value.count(b";") >= MAX_ITEMS
