"""Valid, invalid and raw requests to a real service: no 5xx, and every 200 is what was promised.

Two thirds are generated from the service's OpenAPI document, half of them valid. One third are
bytes close to HTTP: paths, queries, headers and bodies with content that does not belong there.
"""

import http.client
import io
import random
import socket
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_from_bytes

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from harness.launcher import Service, running
from torture.answer import find_fault
from torture.scale import Scale
from torture.verdict import Verdict

# Shares of the valid and of the invalid cases; small where a valid answer is large.
SHARES = {
    "/generate": (0.55, 0.4),
    "/restyle": (0.2, 0.3),
    "/morph": (0.1, 0.1),
    "/latent-map": (0.1, 0.1),
    "/dataset": (0.05, 0.1),
}
LIMIT_S = 60
PATHS = ("/generate", "/restyle", "/morph", "/latent-map", "/dataset", "/model", "/docs", "/", "/x")
METHODS = ("GET", "HEAD", "POST", "PUT", "OPTIONS", "TRACE", "PATCH", "get", "\x00", "CONNECT")
NAMES = ("digits", "seed", "rows", "scale", "format", "style", "from", "to", "count", "digit", "ü")
VALUES = (
    *("2018", "", "-1", "9" * 40, "1e9", "NaN", "٣", "%00", "%", "%zz", "%ff", "a" * 9000, "&&=;"),
    *(
        "png",
        "svg",
        "npy",
        "json",
        "../../etc/passwd",
        "<script>",
        "'; --",
        "{}",
        "[]",
        "\t",
        "1 2",
    ),
)
HEADERS = (
    *("Accept: */*;q=0", "Accept: " + "image/png," * 900, "If-None-Match: *", "Range: bytes=0-1"),
    *("X-Request-ID: \x01", "Content-Length: 5", "Content-Length: -1", "Content-Length: 9" * 3),
    *("Transfer-Encoding: chunked", "Expect: 100-continue", "Upgrade: websocket", "Host: "),
    *("Connection: close, upgrade", "Content-Type: multipart/form-data", "Cookie: " + "a" * 5000),
    *("Content-Type: image/png", "Content-Type: multipart/form-data; boundary=b", "\x80: \xff"),
    *(
        "Origin: null",
        "Authorization: Bearer \xff",
        "X-Forwarded-For: ' OR 1",
        "Content-Encoding: x",
    ),
)


def try_fuzz(scale: Scale) -> Iterator[Verdict]:
    """Requests by the contract, then raw ones."""
    found = Counter[str]()
    with running() as service:
        cases = 0
        for path, shares in SHARES.items():
            for mode, share in zip(_modes(), shares, strict=True):
                cases += _by_contract(service, path, mode, round(scale.fuzz / 3 * share), found)
        cases += _raw(service, scale.fuzz - cases, found)
        alive = service.status("/readyz")
        traces = service.log.count("Traceback")
    faults = {name: count for name, count in found.items() if not name.isdecimal()}
    statuses = ", ".join(f"{n} x {name}" for name, n in sorted(found.items()) if name.isdecimal())
    crashes = sum(count for name, count in found.items() if name.startswith("5"))
    yield Verdict(
        "no 5xx on any input",
        f"{cases} cases: {crashes} x 5xx, {traces} tracebacks; {statuses}",
        f"{scale.fuzz} cases, 0",
        cases >= scale.fuzz and not crashes and not traces and alive == 200,
    )
    yield Verdict(
        "every 200 is a valid picture of the promised size",
        f"{found['200']} decoded, {len(faults)} faults {_some(faults)}".strip(),
        "0 faults",
        found["200"] > 0 and not faults,
    )


def _modes() -> tuple[GenerationMode, GenerationMode]:
    return GenerationMode.POSITIVE, GenerationMode.NEGATIVE


def _some(faults: dict[str, int]) -> str:
    return "; ".join(list(faults)[:3])


def _by_contract(
    service: Service, path: str, mode: GenerationMode, cases: int, found: Counter[str]
) -> int:
    api = schemathesis.openapi.from_url(f"{service.address}/openapi.json")
    operation = next(iter(api[path].values())) if path != "/restyle" else api[path]["post"]
    done = 0

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=max(1, cases),
        suppress_health_check=list(HealthCheck),
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
    )
    def ask(case: Any) -> None:
        nonlocal done
        answer = case.call(timeout=LIMIT_S)
        media_type = answer.headers.get("content-type", [""])[0]
        url = str(answer.request.url)
        _count(found, url, answer.status_code, media_type, answer.content)
        done += 1

    ask()
    return done


def _raw(service: Service, cases: int, found: Counter[str]) -> int:
    chance = random.Random(0)
    for _ in range(cases):
        request, url = _raw_request(chance)
        try:
            answer = _exchange(service, request)
        except (OSError, http.client.HTTPException):
            continue  # the service may close the connection if it is not HTTP
        _count(found, url, *answer)
    return cases


def _raw_request(chance: random.Random) -> tuple[bytes, str]:
    """A request close to HTTP, and its target if the answer to it can be checked."""
    method = "GET" if chance.random() < 0.6 else chance.choice(METHODS)
    path = chance.choice(PATHS) if chance.random() < 0.8 else "/" + _noise(chance)
    pairs = [f"{chance.choice(NAMES)}={_value(chance)}" for _ in range(chance.randrange(5))]
    target = path + ("?" + "&".join(pairs) if pairs else "")
    lines = [chance.choice(HEADERS) for _ in range(chance.randrange(4))]
    body = chance.randbytes(chance.choice((0, 0, 0, 5, 200)))
    head = "\r\n".join([f"{method} {target} HTTP/1.1", "Host: x", *lines, "Connection: close"])
    content = head.encode("latin-1", "replace") + b"\r\n\r\n" + body
    if chance.random() < 0.1:  # replace one byte
        place = chance.randrange(len(content))
        content = content[:place] + chance.randbytes(1) + content[place + 1 :]
    return content, target if method == "GET" else ""


def _value(chance: random.Random) -> str:
    return chance.choice(VALUES) if chance.random() < 0.7 else _noise(chance)


def _noise(chance: random.Random) -> str:
    content = chance.randbytes(chance.randrange(12))
    return quote_from_bytes(content) if chance.random() < 0.7 else content.decode("latin-1")


def _exchange(service: Service, request: bytes) -> tuple[int, str, bytes]:
    """Status, Content-Type and body of the answer to raw bytes."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=LIMIT_S) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(client, method="GET")
        answer.begin()
        if request.startswith(b"HEAD"):
            return answer.status, "", b""
        return answer.status, answer.getheader("content-type", ""), io.BytesIO(answer.read()).read()


def _count(found: Counter[str], url: str, status: int, media_type: str, body: bytes) -> None:
    found[str(status)] += 1
    if (wrong := find_fault(url, status, media_type, body)) is not None:
        found[f"{wrong} at {url[:80]}"] += 1
