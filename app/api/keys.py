"""Optional API keys for drawing. Probes, documentation and the page need none."""

import hashlib
import hmac
from collections.abc import Iterable
from pathlib import Path

from app.request.error import Reason, RequestError
from app.settings import SettingError, Settings

MIN_LENGTH = 16  # characters of a key
BEARER = b"bearer "
EMPTY = "holds no key, so that every drawing would be refused"


class Unauthorized(RequestError):
    """A drawing was asked for without a valid key."""

    def __init__(self) -> None:
        super().__init__(
            Reason.UNAUTHORIZED,
            "Drawing needs a key here; send it as the header X-API-Key or as a bearer token.",
        )


class AccessError(SettingError):
    """The keys cannot be used; the message is one full sentence and contains none of them."""


def has_keys(settings: Settings) -> bool:
    """Whether drawing needs a key."""
    return bool(settings.api_keys) or settings.api_keys_file is not None


class KeyRing:
    """The valid keys, as hashes. Without any, everyone may draw."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._hashes = [hashlib.sha256(key.encode()).digest() for key in keys]

    def __bool__(self) -> bool:
        return bool(self._hashes)

    def admits(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether a request with these headers may draw.

        Keys are compared in constant time, so timing reveals nothing about a key.
        """
        if not self._hashes:
            return True
        given = _given_key(headers)
        if given is None:
            return False
        found, presented = False, hashlib.sha256(given).digest()
        for known in self._hashes:  # all of them, even after a match
            found |= hmac.compare_digest(known, presented)
        return found


def read_keys(settings: Settings) -> KeyRing:
    """The keys from the environment and from the file.

    Raises:
        AccessError: the file cannot be read, holds no key, or a key is too weak.
    """
    texts = settings.api_keys.get_secret_value().split(",") if settings.api_keys else []
    if texts and not "".join(texts).strip():
        raise AccessError(
            f"CVAE_API_KEYS {EMPTY}; list keys with commas between them, or unset it."
        )
    if settings.api_keys_file is not None:
        texts += _read_file(settings.api_keys_file)
    keys = [text.strip() for text in texts if text.strip()]
    for number, key in enumerate(keys, 1):
        if len(key) < MIN_LENGTH or not key.isascii() or not key.isprintable() or " " in key:
            raise AccessError(
                f"API key {number} of {len(keys)} cannot be used: expected at least {MIN_LENGTH} "
                "printable ASCII characters without spaces; make one with "
                '`python -c "import secrets; print(secrets.token_urlsafe())"`.'
            )
    return KeyRing(keys)


def _read_file(path: Path) -> list[str]:
    advice = "write one key on each line, or unset CVAE_API_KEYS_FILE"
    try:
        if path.is_fifo():  # it would block a reload forever
            raise OSError(0, "it is a pipe")
        lines = path.read_text("ascii").splitlines()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not ASCII"
        raise AccessError(f"The API key file {path} cannot be read ({reason}); {advice}.") from None
    if not "".join(lines).strip():
        raise AccessError(f"The API key file {path} {EMPTY}; {advice}.")
    return lines


def _given_key(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    for name, value in headers:
        if name == b"x-api-key":
            return value
        if name == b"authorization" and value[: len(BEARER)].lower() == BEARER:
            return value[len(BEARER) :].strip()
    return None
