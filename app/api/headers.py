"""Security headers, of every answer and of the pages that need other ones."""

import base64
import hashlib
import re
from collections.abc import Iterable

CONTENT_POLICY = b"content-security-policy"
# Nothing here is a page unless its answer brings a policy of its own.
NO_PAGE = (CONTENT_POLICY, b"default-src 'none'; frame-ancestors 'none'")
COMMON = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    # Pictures are made to be shown on pages of other sites; there are no cookies to misuse.
    (b"cross-origin-resource-policy", b"cross-origin"),
)
HEADERS = (*COMMON, NO_PAGE)
INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def header_lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Headers as the lines of an HTTP/1.1 head."""
    return b"".join([b"%b: %b\r\n" % pair for pair in headers])


def security_headers(own: list[tuple[bytes, bytes]]) -> tuple[tuple[bytes, bytes], ...]:
    """The headers that an answer with the headers `own` still lacks."""
    for name, _ in own:
        if name == CONTENT_POLICY:
            return COMMON
    return HEADERS


def swagger_policy(page: str) -> str:
    """The Content-Security-Policy of Swagger UI: its own files and its one inline script."""
    digests = [hashlib.sha256(script.encode()).digest() for script in INLINE_SCRIPT.findall(page)]
    scripts = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; media-src blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
