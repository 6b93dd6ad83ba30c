"""Keys on a real service: nothing is drawn without one, and none is ever shown."""

import re
import tempfile
from collections.abc import Iterator

from app.api.headers import HEADERS as SECURITY_HEADERS
from harness.launcher import running
from torture.scale import Scale
from torture.verdict import Verdict

KEYS = ("first-key-of-the-torture", "second-key-of-the-torture")
DRAWINGS = (
    "/generate?digits=1",
    "/generate?rows=1&digits=1",
    "/morph?from=1&to=2",
    "/dataset?count=1",
)
MISSPELT = (
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
HEADERS = (*(name.decode() for name, _ in SECURITY_HEADERS), "x-request-id")


def try_access(_: Scale) -> Iterator[Verdict]:
    """One key from the environment, one from a file."""
    with tempfile.NamedTemporaryFile("w", suffix=".keys") as file:
        file.write(KEYS[1] + "\n")
        file.flush()
        with running(
            "--access-log", CVAE_API_KEYS=KEYS[0], CVAE_API_KEYS_FILE=file.name
        ) as service:
            wrong = [(path, headers) for path in DRAWINGS for headers in WRONG]
            wrong += [(f"{path}?digits=1", {}) for path in MISSPELT]
            let_in = [
                path for path, headers in wrong if service.ask(path, "GET", headers)[0] == 200
            ]
            drawn = [
                service.ask(path, "GET", {"X-API-Key": key}).status
                for path in DRAWINGS
                for key in KEYS
            ]
            home = service.get("/").decode()
            page = ["", "service-worker.js", *re.findall(r'(?:href|src)="(page/[^"]+)"', home)]
            answers = [service.ask(path) for path in (*OPEN, *DRAWINGS, "/nope")]
    yield Verdict(
        "nothing is drawn without a key",
        f"{len(let_in)} of {len(wrong)} let in {', '.join(let_in)}; "
        f"{drawn.count(200)} of {len(drawn)} with a key drawn",
        "0 let in, all drawn",
        not let_in and drawn.count(200) == len(drawn),
    )
    texts = [service.log, *(answer.body.decode("latin-1") for answer in answers)]
    shown = sum(key in text for key in KEYS for text in texts)
    with running("--no-page", CVAE_API_KEYS=KEYS[0]) as closed:
        handed = [name for name in page if closed.status(f"/{name}") != 404]
    yield Verdict(
        "a closed page hands out no weights",
        f"{len(handed)} of {len(page)} files {', '.join(handed)}".strip(),
        "0",
        not handed,
    )
    yield Verdict("keys in logs and answers", f"{shown} times", "0 times", not shown)
    bare = sum(not all(name in answer.headers for name in HEADERS) for answer in answers)
    yield Verdict(
        "security headers on every answer",
        f"{bare} of {len(answers)} without",
        "0 without",
        not bare,
    )
