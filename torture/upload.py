"""Hostile uploads: refused quickly, in bounded memory."""

import http.client
import io
import struct
import threading
import time
import zlib
from collections.abc import Iterator

from PIL import Image

from harness.launcher import Service, running
from harness.pictures import chunk, jpeg, lossless_webp, lossy_webp, turned_exif
from harness.pictures import png as png_of
from torture.scale import Scale
from torture.verdict import Verdict

REFUSED_MS = 100
GROWTH_MB = 150  # two threads with the largest pictures allowed, and the queue
LIMIT_S = 60
BOUNDARY = "b"
Upload = tuple[str, str, bytes]  # name, content type, body


def try_uploads(_: Scale) -> Iterator[Verdict]:
    """Each attack alone, then all at once."""
    with running() as service:
        _send(service, "image/png", _png(28, 28))  # loads what the first upload needs
        before = service.holding().memory_mb
        wrong, slowest, slowest_name = [], 0.0, ""
        for name, kind, body in attacks():
            begun = time.monotonic()
            status = _send(service, kind, body)
            took = (time.monotonic() - begun) * 1e3
            if not 400 <= status < 500:
                wrong.append(f"{name}: {status}")
            if took > slowest:
                slowest, slowest_name = took, name
        wrong += _endless(service)
        peak = _peak_while_all_at_once(service)
    yield Verdict(
        f"{len(attacks()) + 2} hostile uploads are 4xx",
        f"{len(wrong)} others {'; '.join(wrong)}".strip(),
        "0 others",
        not wrong,
    )
    yield Verdict(
        "hostile uploads are refused quickly",
        f"slowest {slowest:.0f} ms ({slowest_name})",
        f"<= {REFUSED_MS} ms",
        slowest <= REFUSED_MS,
        timed=True,
    )
    yield Verdict(
        "hostile uploads: memory",
        f"{peak - before:+.0f} MB at most, all at once",
        f"< {GROWTH_MB} MB",
        peak - before < GROWTH_MB,
    )


def attacks() -> list[Upload]:
    """Name, content type and body of each attack, all but the last below the size limit."""
    png = _png(28, 28)
    form = f"multipart/form-data; boundary={BOUNDARY}"
    return [
        ("empty", "image/png", b""),
        ("one byte", "image/png", b"\x89"),
        ("wrong type", "text/plain", png),
        ("text as png", "image/png", b"not a picture" * 1000),
        ("truncated png", "image/png", _png(512, 512)[:-40]),
        ("flipped png", "image/png", png[:60] + bytes([png[60] ^ 255]) + png[61:]),
        ("truncated jpeg", "image/jpeg", _encoded("JPEG")[:200]),
        ("truncated webp", "image/webp", _encoded("WEBP")[:60]),
        ("svg", "image/png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("gif", "image/gif", _encoded("GIF")),
        ("bomb: 40,000 x 40,000", "image/png", _header_png(40_000, 40_000)),
        ("bomb: 2^31 wide", "image/png", _header_png(2**31 - 1, 1)),
        ("bomb: 4,200 x 4,200", "image/png", _png(4200, 4200)),
        ("bomb in a text chunk", "image/png", _with_chunk(_png(28, 28, 0), b"zTXt", _bomb_text())),
        ("bomb in exif", "image/png", png_of(28, 28, more=chunk(b"eXIf", turned_exif(900, 2**20)))),
        ("1 x 16,777,216", "image/png", png_of(1, 2**24)),
        ("20,000 scans", "image/jpeg", jpeg(4096, 4096, scans=20_000)),
        ("webp of 4,096 x 4,096", "image/webp", lossy_webp(4096, 4096)),
        ("webp of 65,536 tables", "image/webp", lossless_webp(1024, 1024, deep=False)),
        ("blank", "image/png", _png(28, 28, 0)),
        (
            "broken exif",
            "image/jpeg",
            _encoded("JPEG", exif=b"Exif\0\0II*\0" + b"\xff" * 60),
        ),
        ("form without an end", form, _part(png)),
        ("form without a part", form, b"--b--\r\n"),
        ("form of 9 pictures", form, _part(png) * 9 + b"--b--\r\n"),
        ("form of 5,000 empty parts", form, _part(b"") * 5000 + b"--b--\r\n"),
        ("form with a long header", form, b"--b\r\nX: " + b"a" * 2**20 + b"\r\n\r\n\r\n--b--\r\n"),
        ("form with 3,000 parameters", form + "; a=b" * 3000, _part(png) + b"--b--\r\n"),
        ("form without a boundary", "multipart/form-data", _part(png)),
        ("too large", "image/png", b"1" * (8 * 2**20 + 1)),
    ]


def _endless(service: Service) -> list[str]:
    """What is wrong with the answers to an endless body and to a huge announced length."""
    wrong = []
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=LIMIT_S)
    connection.putrequest("POST", "/restyle?digits=1")
    connection.putheader("Content-Type", "image/png")
    connection.putheader("Content-Length", str(10**15))
    connection.endheaders()
    if (status := connection.getresponse().status) != 413:
        wrong.append(f"announced 10^15 bytes: {status}")
    connection.close()
    pieces = (b"1" * 2**20 for _ in range(1000))
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=LIMIT_S)
    try:
        connection.request(
            "POST", "/restyle?digits=1", pieces, {"Content-Type": "image/png"}, encode_chunked=True
        )
        if (status := connection.getresponse().status) != 413:
            wrong.append(f"endless: {status}")
    except (ConnectionError, BrokenPipeError):
        pass  # the service has closed the connection, which is as good
    finally:
        connection.close()
    return wrong


def _peak_while_all_at_once(service: Service) -> float:
    threads = [
        threading.Thread(target=_send, args=(service, kind, body))
        for _ in range(2)
        for _, kind, body in attacks()
    ]
    for thread in threads:
        thread.start()
    peak = 0.0
    while any(thread.is_alive() for thread in threads):
        peak = max(peak, service.holding().memory_mb)
        time.sleep(0.01)
    return peak


def _send(service: Service, kind: str, body: bytes) -> int:
    try:
        return service.ask("/restyle?digits=1&label=1", "POST", {"Content-Type": kind}, body).status
    except ConnectionError:
        return 499  # closed while the body was being sent, which is a refusal too


def _part(content: bytes) -> bytes:
    head = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
    return head + content + b"\r\n"


def _picture(width: int, height: int, ink: int) -> Image.Image:
    picture = Image.new("L", (width, height))
    picture.paste(ink, (width // 3, height // 8, width // 2, height - height // 8))
    return picture


def _png(width: int, height: int, ink: int = 255) -> bytes:
    stream = io.BytesIO()
    _picture(width, height, ink).save(stream, "PNG")
    return stream.getvalue()


def _encoded(name: str, **options: bytes) -> bytes:
    stream = io.BytesIO()
    # Blank, so that a picture that can be decoded is refused for having no ink.
    _picture(64, 64, 0).save(stream, name, **options)
    return stream.getvalue()


def _header_png(width: int, height: int) -> bytes:
    """A picture whose header claims a size, with little content."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + chunk(b"IDAT", zlib.compress(bytes(2**20))) + chunk(b"IEND", b"")


def _with_chunk(png: bytes, name: bytes, content: bytes) -> bytes:
    return png[:33] + chunk(name, content) + png[33:]  # after the header


def _bomb_text() -> bytes:
    return b"Comment\0\0" + zlib.compress(bytes(200 * 2**20), 9)
