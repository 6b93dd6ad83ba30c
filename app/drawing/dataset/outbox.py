"""A file whose content is taken away while it is written."""

import io


class Outbox(io.RawIOBase):
    """A write-only file in memory; `take` leaves it empty, and its position goes on."""

    def __init__(self) -> None:
        self._content = bytearray()
        self._taken = 0

    def writable(self) -> bool:
        """Whether it can be written: yes."""
        return True

    def tell(self) -> int:
        """Bytes written so far."""
        return self._taken + len(self._content)

    def write(self, data: "bytes | memoryview") -> int:  # type: ignore[override]
        """Append bytes; their number."""
        self._content += data
        return len(data)

    def take(self) -> bytes:
        """What was written since the last call."""
        content = bytes(self._content)
        self._taken += len(content)
        self._content.clear()
        return content
