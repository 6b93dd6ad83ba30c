"""What is compared: the services, and the requests to each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import DIGITS, SEED
from benchmarks.wrk import Request
from harness.launcher import ROOT

CONNECTIONS = (1, 16, 64)
USUAL = 16  # connections at which ratios are taken
LONGEST = "2018" * 16  # the most digits in a line
LONG = Request(f"/generate?digits={LONGEST}")
LARGEST = Request(f"/generate?digits={LONGEST}&rows=16")

UNSEEDED = Request(f"/generate?digits={DIGITS}")
SEEDED = Request(f"/generate?digits={DIGITS}&seed={SEED}")
ORDINARY = Request(f"/generate?rows=1&digits={DIGITS}")  # the same, but not for the fast path
FORMATS = {  # what else four digits are drawn as, by the ordinary route
    "WebP": Request(f"/generate?digits={DIGITS}&format=webp"),
    "JSON": Request(f"/generate?digits={DIGITS}&format=json"),
    "SVG": Request(f"/generate?digits={DIGITS}&format=svg"),
    "ink": Request(f"/generate?digits={DIGITS}&render=ink"),
}
JSON = f'{{"digits": "{DIGITS}"}}'

CEILING, FAST_CEILING = "ceiling", "ceiling, fast path"
OURS, OURS_ORDINARY = "ours", "ours, ordinary route, drawing"
OURS_FORMATS = "ours, other formats"  # apart, because they need more memory
PEERS = ("plain", "LitServe", "BentoML")
BEFORE, AFTER = "before", "after"


@dataclass(frozen=True)
class Command:
    """How to start a service, and what proves that it draws.

    Attributes:
        arguments: of the process; `{port}` stands for its port.
        request: answered with a picture of four digits.
        folder: its working directory.
    """

    arguments: Sequence[str]
    request: Request
    folder: Path = ROOT


@dataclass(frozen=True)
class Case:
    """One kind of request to one service.

    Attributes:
        name: in tables and files.
        service: name of the service.
        request: what is sent.
        connections: numbers of connections at which it is measured.
    """

    name: str
    service: str
    request: Request
    connections: Sequence[int] = CONNECTIONS


def services(ours: str, theirs: str) -> dict[str, Command]:
    """How each service is started, with one worker each.

    Args:
        ours: Python of an environment with the service's dependencies.
        theirs: Python of an environment with the peers' dependencies.
    """
    port, host = "{port}", "127.0.0.1"
    bentoml = ("-m", "bentoml", "serve", "benchmarks.peers.bento:Digits", "--host", host)
    posted = Request("/predict", JSON), Request("/generate", JSON)
    return {
        CEILING: Command((ours, "-m", "benchmarks.ceiling", "--port", port), UNSEEDED),
        OURS: _app(ours),
        "ours, float": _app(ours, "--precision", "float"),
        OURS_FORMATS: _app(ours),
        "plain": Command((theirs, "-m", "benchmarks.peers.plain", port), UNSEEDED),
        "LitServe": Command((theirs, "-m", "benchmarks.peers.lit", port), posted[0]),
        "BentoML": Command((theirs, *bentoml, "--port", port), posted[1]),
    }


def cases(commands: dict[str, Command], etag: str) -> list[Case]:
    """Every kind of request, the usual four digits first.

    Args:
        commands: of `services`.
        etag: of the seeded picture.
    """
    not_modified = Request(SEEDED.path, headers={"If-None-Match": etag})
    sizes = [
        Case(f"digits: {count}", OURS, Request(f"/generate?digits={LONGEST[:count]}"), (USUAL,))
        for count in (1, 4, 16, 64)
    ]
    return [
        Case(CEILING, CEILING, Request("/ceiling")),
        Case(FAST_CEILING, CEILING, UNSEEDED),
        Case(OURS, OURS, UNSEEDED),
        Case(OURS_ORDINARY, OURS, ORDINARY),
        Case("ours, float", "ours, float", UNSEEDED),
        Case("ours, seeded", OURS, SEEDED),
        Case("ours, 304", OURS, not_modified),
        *(Case(name, name, commands[name].request) for name in PEERS),
        *sizes,
        Case("16 lines of 64", OURS, LARGEST, (1,)),
        *(Case(name, OURS_FORMATS, request, (USUAL,)) for name, request in FORMATS.items()),
    ]


def two_checkouts(python: str, other: Path) -> dict[str, Command]:
    """The service of another checkout of this project, and that of this one.

    Args:
        python: of an environment with the dependencies of both.
        other: folder of the other checkout.
    """
    return {BEFORE: _app(python, folder=other), AFTER: _app(python)}


def cases_of_two() -> list[Case]:
    """What two checkouts are compared by: four digits, and 64."""
    return [
        case
        for name in (BEFORE, AFTER)
        for case in (
            Case(name, name, UNSEEDED),
            Case(f"{name}, 64 digits", name, LONG, (USUAL,)),
        )
    ]


def _app(python: str, *options: str, folder: Path = ROOT) -> Command:
    return Command((python, "-m", "app", "--port", "{port}", *options), UNSEEDED, folder)
