"""The ASGI layer around all answers: request ids, security headers, unexpected errors."""

import logging
import re
import secrets
from itertools import count

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.headers import security_headers
from app.api.problem import problem_response
from app.api.service import Service
from app.settings import SettingError
from model.checkpoint import CheckpointError
from model.engine import EngineError

log = logging.getLogger("uvicorn.error")
REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
HEAD_ONLY = "head_only"  # in the state of a request that takes no body
FAILED = "The service failed to answer; its log has the cause under this request id."
CLOSE = (b"connection", b"close")
# They are no secrets, and counting costs less than a random number for each request.
request_ids = count(secrets.randbits(63))


class Boundary:
    """Wraps an ASGI application.

    Every answer gets X-Request-ID (the client's own if it is well-formed, else a new one) and the
    security headers; while the service drains, also `Connection: close`. HEAD is answered
    wherever GET is. An exception that was not handled becomes a 500 with the one error body, and
    a log entry. A checkpoint that cannot be used fails the start with a sentence instead of a
    traceback.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = _request_id(scope)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        if scope["method"] == "HEAD":
            # The server knows from its own scope that it must not send the body.
            state[HEAD_ONLY] = True
            scope = {**scope, "method": "GET"}
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = [*message["headers"], (b"x-request-id", request_id.encode())]
                headers += security_headers(message["headers"])
                message["headers"] = [*headers, CLOSE] if self.service.draining else headers
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except Exception:
            log.exception("request %s failed", request_id)
            if started:
                raise  # too late for another status: the server must close the connection
            response = problem_response(request_id, 500, FAILED)
            await response(scope, receive, send_with_headers)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        failure: Message = {"type": "lifespan.startup.failed", "message": ""}

        async def hold_failure(message: Message) -> None:
            nonlocal failure
            if message["type"] == failure["type"]:
                failure = message  # with the traceback
            else:
                await send(message)

        try:
            await self.app(scope, receive, hold_failure)
        except (CheckpointError, EngineError, SettingError) as error:
            await send({**failure, "message": str(error)})
        except BaseException:
            if failure["message"]:
                await send(failure)
            raise


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and REQUEST_ID.fullmatch(value):
            return str(value, "ascii")
    return f"{next(request_ids):016x}"
