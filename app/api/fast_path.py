"""The ASGI layer for the most frequent request: `GET /generate?digits=...[&seed=...]` as PNG.

The framework's routing and validation cost more than drawing four digits. This layer recognises
the plainest form of the request by one pattern, and answers it with the function of the ordinary
route. Everything else, and everything that might be refused, takes the ordinary route.
"""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.negotiation import drawing_format
from app.api.routes.generate import drawing_response
from app.api.service import Service
from app.request.schemas import GenerateQuery
from model.noise import MAX_SEED

PATH = "/generate"
QUERY = re.compile(rb"digits=([0-9]{1,64})(?:&seed=([0-9]{1,10}))?")
PLAIN = GenerateQuery.model_validate({"digits": "0"})


class FastPath:
    """Answers plain requests and passes on all others."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope."""
        query = plain_query(scope)
        if query is None or not self.service.keys.admits(scope["headers"]):
            await self.app(scope, receive, send)
            return
        response = await drawing_response(self.service, query, "png", receive)
        await response(scope, receive, send)


def plain_query(scope: Scope) -> GenerateQuery | None:
    """The query of a request that needs no further checks; None for every other request."""
    if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "GET":
        return None
    match = QUERY.fullmatch(scope["query_string"])
    if match is None or not _takes_png(scope["headers"]):
        return None
    digits, seed = match.groups()
    if seed is not None and int(seed) > MAX_SEED:
        return None
    values = {"digits": digits.decode("ascii"), "seed": None if seed is None else int(seed)}
    return PLAIN.model_copy(update=values)


def _takes_png(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether the client accepts PNG and does not ask whether its own copy is still right."""
    accept = None
    for name, value in headers:
        if name == b"if-none-match":
            return False
        if name == b"accept":
            if accept is not None:
                return False
            accept = value.decode("latin-1")
    return drawing_format(accept) == "png"
