"""The ASGI layer that refuses requests when the service is overloaded."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.errors import error_response
from app.api.service import Service
from app.overload import Overloaded
from app.telemetry.route import PROBES

ADMITTED = "turn"  # in the state of a request: the connection has let it enter, see `Limit.enter`


class OverloadLimit:
    """Lets every request but the probes wait its turn, and answers 503 where too many wait.

    Most refusals never come here: the connection refuses plain GETs itself.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope."""
        if scope["type"] == "http":
            try:
                turn = self._turn(scope)
            except Overloaded as error:
                refusal = error_response(scope["state"]["request_id"], error)
                await refusal(scope, receive, send)
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
