"""The most expensive pictures allowed, and clients that stall while they upload."""

import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple

from app.drawing.picture_file import MAX_SCANS, MAX_SIDE
from harness.launcher import Service, running
from harness.pictures import (
    CMYK,
    COLOUR,
    END,
    GREY,
    REDUCED_COLOUR,
    chunk,
    clear_webp,
    jpeg,
    lossless_webp,
    lossy_webp,
    marks,
    png,
    turned_exif,
)
from harness.process import forget_peak, peak_mb, processor_s
from torture.scale import Scale
from torture.verdict import Verdict

GROWTH_MB = 150
PROCESSOR_S = 2
CROWD = 20  # more than wait for their turn
STALLED = 40
BODY_BYTES = 8 * 2**20  # the largest body
SHUTDOWN_S = 2
END_S = SHUTDOWN_S + 2
WAIT_S = 120
READ = (200, 422)  # decoded to the end; 422: it is blank
FORM = "multipart/form-data; boundary=b"
PATH = "/restyle?digits=1&label=1"
LINE_PATH = "/restyle?digits=1&shows=line"
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n"
ROWS = 2**23 // MAX_SIDE
MARKS = 10  # in a row and in a column
SCANS = MAX_SCANS - 1  # behind the first


class Upload(NamedTuple):
    """What is sent: the body, its type, and where to."""

    name: str
    content: bytes
    kind: str = "image/png"
    path: str = PATH


def costly_pictures() -> dict[str, bytes]:
    """Pictures as large as their kind may be, and as expensive."""
    turned = chunk(b"eXIf", turned_exif())
    clear = chunk(b"tRNS", bytes(6)) + turned
    return {
        "PNG, colour, 16 bits, interlaced": png(4096, 4096, 2, 16, True, turned),
        "PNG, colour, long": png(ROWS * 2, MAX_SIDE, 2, more=turned),
        "PNG, grey, 16 bits": png(4096, 4096, 0, 16, more=turned),
        "PNG, transparent, 16 bits, interlaced": png(4096, 2048, 6, 16, True, turned),
        "PNG, transparent colour, long": png(ROWS, MAX_SIDE, 2, more=clear),
        "PNG with bombs": png(64, 64, more=chunk(b"eXIf", turned_exif(900, 2**22))),
        "JPEG, CMYK, square": jpeg(8192, 8192, CMYK),
        "JPEG, CMYK, long": jpeg(1024, 8192, CMYK),
        "JPEG, CMYK, longest": jpeg(4095, MAX_SIDE, CMYK),
        "progressive JPEG, grey": jpeg(6324, 6324, GREY, SCANS),
        "progressive JPEG, colour": jpeg(3648, 3648, COLOUR, SCANS),
        "progressive JPEG, CMYK, long": jpeg(1020, 9800, CMYK, SCANS),
        "progressive JPEG, reduced colour": jpeg(5152, 5152, REDUCED_COLOUR, SCANS),
        "WebP": lossy_webp(2560, 2048),
        "WebP, transparent": clear_webp(256, 256),
        "WebP, lossless": lossless_webp(256, 256),
    }


def costly_forms() -> list[Upload]:
    """Several pictures in one upload, which take long to decode or to read."""
    decoded = [jpeg(5470, 5470, GREY, SCANS)] * 2 + [png(512, 512)] * 6
    return [
        Upload("8 pictures", _form(decoded), FORM),
        Upload("8 pictures of many marks", _form([marks(MARKS)] * 8), FORM),
    ]


def try_costly_pictures(_: Scale) -> Iterator[Verdict]:
    """Each alone, several in one upload, then as many at once as are taken."""
    with running() as service:
        _send(service, png(64, 64))  # loads what the first upload needs
        (pid,) = service.workers()
        before, wrong = service.holding().memory_mb, []
        slowest, slowest_name, largest, largest_name = 0.0, "", 0.0, ""
        pictures = costly_pictures()
        uploads = [Upload(name, content) for name, content in pictures.items()]
        for upload in [*uploads, *costly_forms(), Upload("a line", marks(MARKS), path=LINE_PATH)]:
            forget_peak(pid)
            used = processor_s(pid)
            if (status := _send(service, *upload[1:])) not in READ:
                wrong.append(f"{upload.name}: {status}")
            used, growth = processor_s(pid) - used, peak_mb(pid) - before
            slowest, slowest_name = max((slowest, slowest_name), (used, upload.name))
            largest, largest_name = max((largest, largest_name), (growth, upload.name))
        forget_peak(pid)
        statuses = _crowd(service, list(pictures.values()))
        crowd = peak_mb(pid) - before
    yield Verdict(
        "the most expensive pictures, forms of several and a line are read",
        f"{len(wrong)} others {'; '.join(wrong)}".strip(),
        "0 others",
        not wrong,
    )
    yield Verdict(
        "the most expensive pictures: processor time",
        f"most {slowest:.2f} s ({slowest_name})",
        f"<= {PROCESSOR_S} s each",
        slowest <= PROCESSOR_S,
        timed=True,
    )
    yield Verdict(
        "the most expensive pictures: memory, each alone",
        f"most {largest:+.0f} MB ({largest_name})",
        f"<= {GROWTH_MB} MB",
        largest <= GROWTH_MB,
    )
    strange = {status: n for status, n in statuses.items() if status not in (*READ, 503)}
    yield Verdict(
        f"{CROWD} of them at once, each in a body of {BODY_BYTES} bytes",
        f"{crowd:+.0f} MB, {_read(statuses)} read, {statuses[503]} x 503, {strange or 0} else",
        f"<= {GROWTH_MB} MB, some read, 0 else",
        crowd <= GROWTH_MB and _read(statuses) > 0 and not strange,
    )


def try_stalled_uploads(_: Scale) -> Iterator[Verdict]:
    """Clients that send a head and nothing more, and clients that keep back the last byte."""
    with running() as service, ExitStack() as stack:
        _send(service, png(64, 64))
        (pid,) = service.workers()
        before, statuses = service.holding().memory_mb, Counter[int]()
        forget_peak(pid)
        for number in range(2 * STALLED):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", service.port)))
            client.settimeout(WAIT_S)
            client.sendall((HEAD % BODY_BYTES).encode())
            if number % 2:
                client.sendall(bytes(BODY_BYTES - 1))
            statuses[_send(service, png(64, 64))] += 1
        growth = peak_mb(pid) - before
    yield Verdict(
        f"beside {2 * STALLED} stalled uploads those of others are read",
        f"{_read(statuses)} of {statuses.total()}",
        "all",
        _read(statuses) == statuses.total(),
    )
    yield Verdict(
        f"{2 * STALLED} stalled uploads: memory",
        f"{growth:+.0f} MB",
        f"<= {GROWTH_MB} MB",
        growth <= GROWTH_MB,
    )


def try_end_while_reading(_: Scale) -> Iterator[Verdict]:
    """SIGTERM while pictures are decoded that would take longer than the end may."""
    content = jpeg(6324, 6324, GREY, SCANS)
    with running("--shutdown-seconds", str(SHUTDOWN_S)) as service:
        _send(service, png(64, 64))
        threads = [threading.Thread(target=_send, args=(service, content)) for _ in range(CROWD)]
        for thread in threads:
            thread.start()
        (pid,) = service.workers()
        used = processor_s(pid)
        while processor_s(pid) < used + 0.2:  # until the first is being decoded
            time.sleep(0.01)
        service.signal(signal.SIGTERM)
        begun = time.monotonic()
        code = service.process.wait(WAIT_S)
        took = time.monotonic() - begun
        for thread in threads:
            thread.join()
    yield Verdict("SIGTERM while pictures are decoded", f"exit {code}", "exit 0", code == 0)
    yield Verdict(
        f"SIGTERM while pictures are decoded: end within {SHUTDOWN_S} s and a margin",
        f"{took:.1f} s",
        f"<= {END_S} s",
        took <= END_S,
        timed=True,
    )


def _crowd(service: Service, contents: list[bytes]) -> Counter[int]:
    """The statuses of pictures that are sent at once, each in the largest body."""
    statuses = Counter[int]()

    def send(content: bytes) -> None:
        statuses[_send(service, _filled(content))] += 1

    chosen = (contents * CROWD)[:CROWD]
    threads = [threading.Thread(target=send, args=(content,)) for content in chosen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def _read(statuses: Counter[int]) -> int:
    return sum(statuses[status] for status in READ)


def _filled(content: bytes) -> bytes:
    """The same picture in a body of the largest size: zeros before the end of a JPEG, or behind."""
    zeros = bytes(BODY_BYTES - len(content))
    return content[:-2] + zeros + END if content.endswith(END) else content + zeros


def _form(pictures: list[bytes]) -> bytes:
    head = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    return b"".join(head + picture + b"\r\n" for picture in pictures) + b"--b--\r\n"


def _send(service: Service, content: bytes, kind: str = "image/png", path: str = PATH) -> int:
    try:
        return service.ask(path, "POST", {"Content-Type": kind}, content).status
    except OSError:
        return 503  # closed while the body was sent
