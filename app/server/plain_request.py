"""Plain requests: the heads that need neither the parser nor the framework.

A client sends the same headers with every request. So the headers of a plain request are parsed
once, and from then on recognised by their bytes: only its first line is new.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from app.api.negotiation import drawing_format
from app.api.service import Service
from app.request.schemas import GenerateQuery
from app.server.head import BODY_HEADERS, find_fault
from model.noise import MAX_SEED

PATH = "/generate"
LINE = re.compile(
    b"GET " + PATH.encode() + rb"\?digits=([0-9]{1,64})"
    rb"(?:&seed=([0-9]{1,10})(?:&model=([0-9a-f]{16}))?)? HTTP/1\.1\r\n"
)
HEAD_END = b"\r\n\r\n"
PLAIN = GenerateQuery.model_validate({"digits": "0"})
CACHED = 256  # blocks of headers, which the connection bounds in size
# With one of these a request asks for more than its answer: a body, or an id of its own.
SPECIAL_HEADERS = BODY_HEADERS | {b"upgrade", b"expect", b"x-request-id"}

Headers = list[tuple[bytes, bytes]]


class PlainHeaders(NamedTuple):
    """Headers that change nothing but what is in the other attributes.

    Attributes:
        pairs: all of them, with names in lower case.
        if_none_match: the value of this header.
        keep_alive: whether the connection stays open after the answer.
        of_page: whether a script of a page sends the request, which names its origin.
    """

    pairs: Headers
    if_none_match: str | None
    keep_alive: bool
    of_page: bool


class PlainRequest(NamedTuple):
    """A GET that needs no further checks but that of its key and of the model that it names."""

    query: GenerateQuery
    headers: PlainHeaders


def plain_request(head: bytes) -> PlainRequest | None:
    """What a request asks for, if it is plain; None for every other.

    Args:
        head: bytes from the beginning of a request to the end of its head; less is not plain.
    """
    line = LINE.match(head)
    if line is None or head.find(HEAD_END) != len(head) - len(HEAD_END):
        return None
    headers = plain_headers(head[line.end() :])
    digits, seed, model = line.groups()
    if headers is None or (seed is not None and int(seed) > MAX_SEED):
        return None
    values = {
        "line": digits.decode("ascii"),
        "seed": None if seed is None else int(seed),
        "model": None if model is None else model.decode("ascii"),
    }
    return PlainRequest(PLAIN.model_copy(update=values), headers)


def may_draw(request: PlainRequest, service: Service) -> bool:
    """Whether nothing speaks against the request; else the ordinary route says what does."""
    model, headers = request.query.model, request.headers
    return (
        service.writes_digits
        and not service.draining
        and not service.settings.tracing
        and not (headers.of_page and service.settings.cors_origins)
        and service.keys.admits(headers.pairs)
        and (model is None or model == service.renderer.model_hash)
    )


@lru_cache(maxsize=CACHED)
def plain_headers(block: bytes) -> PlainHeaders | None:
    """The headers of a request, if it can be plain.

    Args:
        block: the bytes behind the first line, up to the empty line.
    """
    parsed = _Parsed()
    try:
        parsed.parser.feed_data(b"GET / HTTP/1.1\r\n" + block)
    except (HttpParserError, HttpParserUpgrade):
        return None
    names = [name for name, _ in parsed.headers]
    texts = {name: value.decode("latin-1") for name, value in parsed.headers}
    if (
        not parsed.complete
        or not SPECIAL_HEADERS.isdisjoint(names)
        or names.count(b"accept") > 1  # the values would have to be joined
        or names.count(b"if-none-match") > 1
        or find_fault(b"/", parsed.headers, "1.1", upgrade=False)
        or drawing_format(texts.get(b"accept")) != "png"
    ):
        return None
    return PlainHeaders(
        parsed.headers,
        texts.get(b"if-none-match"),
        parsed.keep_alive,
        b"origin" in names,
    )


class _Parsed:
    """What the parser finds."""

    def __init__(self) -> None:
        self.parser = HttpRequestParser(self)
        self.headers: Headers = []
        self.keep_alive = self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.keep_alive = self.parser.should_keep_alive()

    def on_message_complete(self) -> None:
        self.complete = True
