"""Who may draw: optional API keys. The probes, the documents and the page stay open."""

import hashlib
import hmac
from collections.abc import Iterable
from typing import Any

from fastapi.routing import APIRoute
from starlette.datastructures import State
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import Unauthorized
from app.settings import SettingError, Settings

MIN_LENGTH = 16  # characters of a key
BEARER = b"bearer "
SCHEMES: dict[str, Any] = {
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "Only where the operator has set keys.",
    },
    "bearer": {"type": "http", "scheme": "bearer", "description": "The same key, as a token."},
}
SECURITY: list[dict[str, list[str]]] = [{}, {"apiKey": []}, {"bearer": []}]


class AccessError(SettingError):
    """The keys cannot be used; the message is one full sentence and holds none of them."""


def has_keys(settings: Settings) -> bool:
    """Whether only who has a key may draw."""
    return bool(settings.api_keys) or settings.api_keys_file is not None


class KeyRing:
    """The keys that may draw; without any everybody may. Holds only their hashes."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._hashes = [hashlib.sha256(key.encode()).digest() for key in keys]

    def __bool__(self) -> bool:
        return bool(self._hashes)

    def admits(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether a request with these headers may draw; how long it takes tells nobody a key."""
        given = _given_key(headers)
        if given is None:
            return not self
        found, presented = False, hashlib.sha256(given).digest()
        for known in self._hashes:  # all of them, whichever fits
            found |= hmac.compare_digest(known, presented)
        return found or not self


class Access:
    """The ASGI layer that notes in the scope whether a request may draw.

    What may not is refused where it is known what it asks for: by the fast lane, and by the
    route (`DrawingRoute`), which no spelling of the path gets round. Answers to those who may are
    for them alone: a cache on the way must not hand them to others.
    """

    def __init__(self, app: ASGIApp, state: State) -> None:
        self.app = app
        self.state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_privately(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [_private(*pair) for pair in message["headers"]]
            await send(message)

        scope["locked"] = not self.state.keys.admits(scope["headers"])
        await self.app(scope, receive, send_privately)


class DrawingRoute(APIRoute):
    """A route that draws: closed to who has no key, where there are keys."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request that was found to be for this route.

        Raises:
            Unauthorized: it has no key that fits.
        """
        if scope.get("locked"):
            raise Unauthorized
        await super().handle(scope, receive, send)


def read_keys(settings: Settings) -> KeyRing:
    """The keys from the environment and the file.

    Raises:
        AccessError: the file cannot be read, or a key is no key.
    """
    texts = settings.api_keys.get_secret_value().split(",") if settings.api_keys else []
    if texts and not "".join(texts).strip():
        raise AccessError(
            "CVAE_API_KEYS is set but holds no key, so nobody could draw; give it keys with "
            "commas between them, or unset it."
        )
    if settings.api_keys_file is not None:
        try:
            lines = settings.api_keys_file.read_text("ascii").splitlines()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not ASCII"
            raise AccessError(
                f"The file of API keys {settings.api_keys_file} cannot be read ({reason}); "
                "put one key on each line, or unset CVAE_API_KEYS_FILE."
            ) from None
        if not "".join(lines).strip():
            raise AccessError(
                f"The file of API keys {settings.api_keys_file} holds none, so nobody could draw; "
                "put one key on each line, or unset CVAE_API_KEYS_FILE."
            )
        texts += lines
    keys = [text.strip() for text in texts if text.strip()]
    for number, key in enumerate(keys, 1):
        if len(key) < MIN_LENGTH or not key.isascii() or not key.isprintable() or " " in key:
            raise AccessError(
                f"API key {number} of {len(keys)} cannot be used: expected at least {MIN_LENGTH} "
                "printable ASCII characters without spaces; make one with "
                '`python -c "import secrets; print(secrets.token_urlsafe())"`.'
            )
    return KeyRing(keys)


def _private(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    return name, value.replace(b"public", b"private") if name == b"cache-control" else value


def _given_key(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    for name, value in headers:
        if name == b"x-api-key":
            return value
        if name == b"authorization" and value[: len(BEARER)].lower() == BEARER:
            return value[len(BEARER) :].strip()
    return None
