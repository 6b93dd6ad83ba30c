"""The ASGI layer that refuses requests when the service is overloaded."""

from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.errors import error_response
from app.api.service import Service
from app.overload import Overloaded
from app.telemetry.route import PROBES


class OverloadLimit:
    """Lets every request but the probes wait its turn, and answers 503 where too many wait."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope."""
        if scope["type"] == "http" and scope["path"] not in PROBES:
            try:
                turn = self.service.limit.enter()
            except Overloaded as error:
                response = error_response(scope["state"]["request_id"], error)
                await response(scope, receive, send)
                return
            if turn is not None:
                await turn
        await self.app(scope, receive, send)
