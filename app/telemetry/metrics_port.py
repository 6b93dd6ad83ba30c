"""The metrics on a port of their own, for as many clients as come and however slow they are."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

from app.settings import SettingError
from app.telemetry.prometheus import Readings, Scrapes

CONNECTIONS = 64  # at a time; when another one opens, the oldest is closed
LIMIT_S = 5  # for a connection from its first byte to its last
MAX_HEAD_BYTES = 2**13
HEAD_END = b"\r\n\r\n"


class MetricsServer:
    """Answers one request on each connection."""

    def __init__(self, scrapes: Scrapes) -> None:
        self._scrapes = scrapes
        self._open: dict[asyncio.StreamWriter, None] = {}  # oldest first

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection."""
        if len(self._open) >= CONNECTIONS:
            oldest = next(iter(self._open))
            del self._open[oldest]
            oldest.transport.abort()
        self._open[writer] = None
        try:
            async with asyncio.timeout(LIMIT_S):
                writer.write(self._response(await reader.readuntil(HEAD_END)))
                writer.close()
                await writer.wait_closed()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client is too slow, has left, or sends too much
        finally:
            writer.transport.abort()
            self._open.pop(writer, None)

    def _response(self, head: bytes) -> bytes:
        """The answer to a request: the metrics, whatever the address."""
        request, *lines = head.split(b"\r\n")
        method = request.partition(b" ")[0]
        if method not in (b"GET", b"HEAD"):
            return (
                b"HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\nConnection: close\r\n\r\n"
            )
        headers = [line.partition(b":") for line in lines]
        accept = b",".join(value for name, _, value in headers if name.lower() == b"accept")
        content, media_type = self._scrapes.render(accept.decode("latin-1"))
        own = f"Content-Type: {media_type}\r\nContent-Length: {len(content)}\r\nConnection: close"
        own_head = b"HTTP/1.1 200 OK\r\n" + own.encode("latin-1") + HEAD_END
        return own_head if method == b"HEAD" else own_head + content


@contextmanager
def own_port(host: str, port: int, read: Callable[[], Readings]) -> Iterator[None]:
    """Serve the metrics on their own port, from a thread, as long as the `with` block lasts.

    Raises:
        SettingError: the port is not available.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=CONNECTIONS)
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]  # without the address again
        raise SettingError(
            f"The metrics cannot be served on {host}:{port}: {reason}; choose a free "
            "port with CVAE_METRICS_PORT, or 0 for /metrics on the main port."
        ) from error
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()
    server = MetricsServer(Scrapes(read))
    thread = Thread(target=loop.run_until_complete, args=[_serve(server, listener, ended)])
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


async def _serve(server: MetricsServer, listener: socket.socket, ended: asyncio.Event) -> None:
    listening = await asyncio.start_server(server.answer, sock=listener, limit=MAX_HEAD_BYTES)
    await ended.wait()
    listening.close()
    open_still = asyncio.all_tasks() - {asyncio.current_task()}
    for task in open_still:
        task.cancel()
    await asyncio.gather(*open_still, return_exceptions=True)
    await asyncio.sleep(0)  # until their connections are closed
