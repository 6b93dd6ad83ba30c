"""The ASGI layer that refuses requests when the service is overloaded."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.errors import error_response
from app.api.service import Service
from app.overload import Overloaded
from app.telemetry.route import PROBES

ADMITTED = "turn"  # in the state of a request: the connection has let it enter, see `Limit.enter`
PLACEHOLDER = "0" * 16  # in the place of a request id of our own


class OverloadLimit:
    """Lets every request but the probes wait its turn, and answers 503 where too many wait.

    Under overload most of the work is refusing. So the response is prepared once, and only its
    request id is filled in.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app = app
        self.service = service
        self._prepared = error_response(PLACEHOLDER, Overloaded())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope."""
        if scope["type"] == "http":
            try:
                turn = self._turn(scope)
            except Overloaded as error:
                await self._refuse(error, scope, receive, send)
                return
            if turn is not None:
                await turn
        await self.app(scope, receive, send)

    def _turn(self, scope: Scope) -> Awaitable[None] | None:
        if scope["path"] in PROBES:
            return None
        if ADMITTED in scope["state"]:
            turn: Awaitable[None] | None = scope["state"].pop(ADMITTED)
            return turn
        return self.service.enter()

    async def _refuse(self, error: Overloaded, scope: Scope, receive: Receive, send: Send) -> None:
        request_id: str = scope["state"]["request_id"]
        if len(request_id) != len(PLACEHOLDER):  # the client's own, so another content-length
            await error_response(request_id, error)(scope, receive, send)
            return
        headers = self._prepared.raw_headers
        body = bytes(self._prepared.body).replace(PLACEHOLDER.encode(), request_id.encode())
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": body})
