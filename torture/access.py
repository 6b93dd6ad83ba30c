"""Keys over a real service: nobody draws without one, and nobody ever sees one."""

import http.client
import tempfile
from collections.abc import Iterator

from app.api.headers import COMMON
from torture.scale import Scale
from torture.service import Service, running
from torture.verdict import Verdict

KEYS = ("first-key-of-the-torture", "second-key-of-the-torture")
DRAWINGS = (
    "/generate?digits=1",
    "/generate?rows=1&digits=1",
    "/morph?from=1&to=2",
    "/dataset?count=1",
)
TRICKS = (
    "//generate",
    "/generate/",
    "/%67enerate",
    "/./generate",
    "/generate%0a",
    "/x/../generate",
)
OPEN = ("/", "/livez", "/readyz", "/docs", "/openapi.json", "/model")
WRONG: tuple[dict[str, str], ...] = (
    {},
    {"X-API-Key": "x" * 24},
    {"X-API-Key": KEYS[0][:-1]},
    {"Authorization": KEYS[0]},
)


def try_access(_: Scale) -> Iterator[Verdict]:
    """One key from the environment, one from a file."""
    with tempfile.NamedTemporaryFile("w", suffix=".keys") as file:
        file.write(KEYS[1] + "\n")
        file.flush()
        with running(
            "--access-log", CVAE_API_KEYS=KEYS[0], CVAE_API_KEYS_FILE=file.name
        ) as service:
            asked = [(path, headers) for path in DRAWINGS for headers in WRONG]
            asked += [(f"{path}?digits=1", {}) for path in TRICKS]
            let_in = [path for path, headers in asked if _ask(service, path, headers)[0] == 200]
            drawn = [
                _ask(service, path, {"X-API-Key": key})[0] for path in DRAWINGS for key in KEYS
            ]
            everything = [_ask(service, path, {}) for path in (*OPEN, *DRAWINGS, "/nope")]
            texts = [service.log, *(body for _, _, body in everything)]
    yield Verdict(
        "nobody draws without a key",
        f"{len(let_in)} of {len(asked)} let in {', '.join(let_in)}; "
        f"{drawn.count(200)} of {len(drawn)} with a key drawn",
        "0 let in, all drawn",
        not let_in and drawn.count(200) == len(drawn),
    )
    shown = sum(key in text for key in KEYS for text in texts)
    yield Verdict("keys in logs and answers", f"{shown} times", "0 times", not shown)
    bare = sum(not _is_covered(headers) for _, headers, _ in everything)
    yield Verdict(
        "security headers on every answer",
        f"{bare} of {len(everything)} without",
        "0 without",
        not bare,
    )


def _is_covered(headers: dict[str, str]) -> bool:
    wanted = [*(name.decode() for name, _ in COMMON), "content-security-policy", "x-request-id"]
    return all(name in headers for name in wanted)


def _ask(service: Service, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], str]:
    """Status, headers and body."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read().decode("latin-1")
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body
    finally:
        connection.close()
