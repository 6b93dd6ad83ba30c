"""The ASGI layer around all answers: request ids, security headers, last-resort errors."""

import logging
import re
import secrets

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import problem_response
from app.api.headers import security_headers
from app.settings import SettingError
from model.checkpoint import CheckpointError
from model.runtime import EngineError

log = logging.getLogger("uvicorn.error")
REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class Boundary:
    """Wraps an ASGI application.

    Every answer gets X-Request-ID, the caller's own where it is well-formed, else a new one, and
    the security headers.
    HEAD is answered wherever GET is.
    An exception that nothing else caught becomes a 500 in the one error body, and a log entry.
    A checkpoint that cannot be used fails the start with its sentence instead of a traceback.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

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
        # HEAD is GET without its body, which the server leaves out by the scope it kept.
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        scope["request_id"] = request_id  # for whoever stands before us too
        scope = {**scope, "method": method}
        own_header = (b"x-request-id", request_id.encode())
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = message["headers"]
                message["headers"] = [*headers, own_header, *security_headers(headers)]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except Exception:
            log.exception("request %s failed", request_id)
            if started:
                raise  # too late for another status: the server must cut the connection
            detail = "The service failed to answer; its log has the cause under this request id."
            response = problem_response(request_id, 500, detail)
            await response(scope, receive, send_with_id)

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
    return secrets.token_hex(8)
