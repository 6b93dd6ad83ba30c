"""What is compared: the services, and what each is asked."""

from dataclasses import dataclass

from benchmarks import DIGITS, SEED
from benchmarks.wrk import Request

CONNECTIONS = (1, 16, 64)
USUAL = 16  # connections at which ratios are taken
LONGEST = "2018" * 16  # the most digits in a line
LARGEST = Request(f"/generate?digits={LONGEST}&rows=16")

UNSEEDED = Request(f"/generate?digits={DIGITS}")
SEEDED = Request(f"/generate?digits={DIGITS}&seed={SEED}")
JSON = f'{{"digits": "{DIGITS}"}}'


@dataclass(frozen=True)
class Command:
    """How to start a service, and what proves that it draws.

    Attributes:
        arguments: of the process; `{port}` stands for its port.
        request: answered with a picture of four digits.
    """

    arguments: tuple[str, ...]
    request: Request


@dataclass(frozen=True)
class Case:
    """One kind of request to one service.

    Attributes:
        name: in tables and files.
        service: one of the names in `services`.
        connections: numbers of connections at which it is measured.
    """

    name: str
    service: str
    request: Request
    connections: tuple[int, ...] = CONNECTIONS


def services(ours: str, theirs: str) -> dict[str, Command]:
    """How each service is started, one worker each.

    Args:
        ours: Python of an environment with the service's dependencies.
        theirs: Python of an environment with the peers' dependencies.
    """
    port = "{port}"
    bentoml = ("-m", "bentoml", "serve", "benchmarks.peers.bento:Digits", "--host", "127.0.0.1")
    return {
        "ceiling": Command((ours, "-m", "benchmarks.ceiling", "--port", port), UNSEEDED),
        "ours": Command((ours, "-m", "app", "--port", port), UNSEEDED),
        "ours, float": Command(
            (ours, "-m", "app", "--precision", "float", "--port", port), UNSEEDED
        ),
        "plain": Command((theirs, "-m", "benchmarks.peers.plain", port), UNSEEDED),
        "LitServe": Command(
            (theirs, "-m", "benchmarks.peers.lit", port), Request("/predict", JSON)
        ),
        "BentoML": Command((theirs, *bentoml, "--port", port), Request("/generate", JSON)),
    }


def cases(commands: dict[str, Command], etag: str) -> list[Case]:
    """All that is asked; the usual four digits first.

    Args:
        commands: of `services`.
        etag: of the seeded picture.
    """
    not_modified = Request(SEEDED.path, headers={"If-None-Match": etag})
    peers = [Case(name, name, commands[name].request) for name in ("plain", "LitServe", "BentoML")]
    sizes = [
        Case(f"digits: {count}", "ours", Request(f"/generate?digits={LONGEST[:count]}"), (USUAL,))
        for count in (1, 4, 16, 64)
    ]
    return [
        Case("ceiling", "ceiling", Request("/ceiling")),
        Case("ceiling, short way", "ceiling", Request("/ceiling-short")),
        Case("ours", "ours", UNSEEDED),
        Case("ours, float", "ours, float", UNSEEDED),
        Case("ours, seeded", "ours", SEEDED),
        Case("ours, 304", "ours", not_modified),
        *peers,
        *sizes,
        Case("16 lines of 64", "ours", LARGEST, (1,)),
    ]
