"""The short way for the most frequent request: `GET /generate?digits=...[&seed=...]` as PNG.

It gives the very answer of `app.api.routes.generate`, without the framework's routing, which costs
more than drawing the digits. Whatever is not plainly such a request goes the normal way, and so
does everything that could be refused: there is one place that judges.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from starlette.datastructures import State
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.overload.pool import RETRY_AFTER_S
from app.api.caching import chosen_seed, seeded_headers
from app.drawing.encoding import MEDIA_TYPES
from app.api.errors import problem_response
from app.overload.gate import BUSY
from app.overload.gathering import Gathering
from app.api.negotiation import drawing_format
from app.drawing.renderer import Studio
from model.noise import MAX_SEED

PATH = "/generate"
QUERY = re.compile(rb"digits=([0-9]{1,64})(?:&seed=([0-9]{1,10}))?")


class PlainRequest(NamedTuple):
    """What a plain request asks for; its seed is None where it has none."""

    digits: str
    seed: int | None


class FastLane:
    """Answers the plain requests itself and hands on all others."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self.app = app
        self.state = state
        self.gathering = Gathering(self._answers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope."""
        if "busy" in scope:  # says app.server.connection
            retry = {"Retry-After": str(RETRY_AFTER_S)}
            response = problem_response(scope["request_id"], 503, BUSY, headers=retry)
            await response(scope, receive, send)
            return
        plain = plain_request(scope)
        if plain is None or scope.get("locked"):  # says app.api.keys
            await self.app(scope, receive, send)
            return
        let_in = await self.state.turnstile.enter(len(plain.digits))
        expected = let_in or _read_together(scope)
        for message in await self.gathering.join(plain, expected):
            await send(message)

    def _answers(self, plains: Sequence[PlainRequest]) -> list[tuple[Message, Message]]:
        studio: Studio = self.state.studio  # one for all: it may be exchanged between two turns
        orders = [(plain.digits, chosen_seed(plain.seed)) for plain in plains]
        pictures = studio.lines(orders)
        return [
            _answer(studio, plain.seed, *order, picture)
            for plain, order, picture in zip(plains, orders, pictures, strict=True)
        ]


def plain_request(scope: Scope) -> PlainRequest | None:
    """What a request that needs no judgement asks for; None for every other."""
    if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "GET":
        return None
    match = QUERY.fullmatch(scope["query_string"])
    if match is None or not _takes_png(scope["headers"]):
        return None
    digits, seed = match.groups()
    if seed is not None and int(seed) > MAX_SEED:
        return None
    return PlainRequest(digits.decode("ascii"), None if seed is None else int(seed))


def _read_together(scope: Scope) -> int | None:
    """How many requests were read with this one, it included; None where no gate counts them."""
    gate = scope.get("state", {}).get("gate")
    return None if gate is None else gate.turn


def _answer(
    studio: Studio, asked: int | None, digits: str, seed: int, picture: bytes
) -> tuple[Message, Message]:
    identity = *studio.identity, f"digits={digits}&seed={seed}"
    headers = {
        **seeded_headers(asked, seed, *identity),
        "Vary": "Accept",
        "Content-Length": str(len(picture)),
        "Content-Type": MEDIA_TYPES["png"],
    }
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return (
        {"type": "http.response.start", "status": 200, "headers": pairs},
        {"type": "http.response.body", "body": picture},
    )


def _takes_png(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether the client takes a PNG and does not ask if it has the right one already."""
    accept = None
    for name, value in headers:
        if name == b"if-none-match":
            return False
        if name == b"accept":
            if accept is not None:
                return False
            accept = value.decode("latin-1")
    return drawing_format(accept) == "png"
