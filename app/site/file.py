"""One file of the page, and how it is sent."""

import hashlib
import re
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

INDEX, WORKER = "index.html", "service-worker.js"
HASHED = re.compile(r"page/[a-z]+-[0-9a-f]{16}\.[a-z]+")
POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; style-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'none'"
)
HEADER_POLICY = f"{POLICY}; frame-ancestors 'none'"  # not allowed in a meta element
GZIP = 16 + zlib.MAX_WBITS  # zlib's number for the format of gzip
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".safetensors": "application/octet-stream",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True)
class PageFile:
    """One file of the page.

    Attributes:
        name: path relative to the address of the page.
        content: uncompressed.
    """

    name: str
    content: bytes

    @property
    def media_type(self) -> str:
        """The Content-Type."""
        return MEDIA_TYPES[Path(self.name).suffix]

    @property
    def lasting(self) -> bool:
        """Whether the content never changes, because the name contains its hash."""
        return HASHED.fullmatch(self.name) is not None

    @cached_property
    def digest(self) -> str:
        """24 hex digits of the SHA-256 of the content."""
        return hashlib.sha256(self.content).hexdigest()[:24]

    @cached_property
    def packed(self) -> bytes | None:
        """The content compressed with gzip; None if that is not smaller."""
        # Weights repeat no sequence; the few that zlib finds make the file longer, by up to 15 %.
        weights = self.name.endswith(".safetensors")
        strategy = zlib.Z_HUFFMAN_ONLY if weights else zlib.Z_DEFAULT_STRATEGY
        packer = zlib.compressobj(9, wbits=GZIP, strategy=strategy)
        packed = packer.compress(self.content) + packer.flush()
        return packed if len(packed) < len(self.content) else None
