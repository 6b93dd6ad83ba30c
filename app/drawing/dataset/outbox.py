"""A file whose content is taken away while it is written."""

import io


class Outbox(io.RawIOBase):
    """A write-only file in memory; `take` leaves it empty, and its position goes on."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        """Whether it can be written: yes."""
        return True

    def tell(self) -> int:
        """Bytes written so far."""
        return self._size

    def write(self, data: "bytes | memoryview") -> int:  # type: ignore[override]
        """Append bytes; their number."""
        self._parts.append(bytes(data))
        self._size += len(self._parts[-1])
        return len(self._parts[-1])

    def take(self) -> bytes:
        """What was written since the last call."""
        content = b"".join(self._parts)
        self._parts.clear()
        return content
