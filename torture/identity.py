"""The name of a model: no two models share one, so no cache mixes their pictures."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

from harness.launcher import Service, running
from model.atomic import exchange
from model.checkpoint import NETWORKS, PRETRAINED
from torture.damage import sign
from torture.scale import Scale
from torture.verdict import Verdict

WATCH_S = 0.1
LIMIT_S = 20
TAKEN = "from now on"  # in the log
PICTURE = "/generate?digits=2018&seed=7"
DOCUMENTED = b"\x32\x01x"  # protobuf: the doc_string of an ONNX model, which draws the same
LOW_BYTE = -4  # of the last float32 of a safetensors file


def try_identity(_: Scale) -> Iterator[Verdict]:
    """One byte of each file that decides a picture is changed, one file after the other."""
    same: list[str] = []
    mixed = 0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(shutil.copytree(PRETRAINED, Path(place) / "checkpoint"))
        with running(CVAE_CHECKPOINT=str(folder), CVAE_WATCH_SECONDS=str(WATCH_S)) as service:
            for name in NETWORKS:
                headers = service.ask(PICTURE).headers
                tag, model = headers["ETag"], headers.get("X-Model", "")
                mixed += "immutable" in headers["Cache-Control"]
                taken = service.log.count(TAKEN)
                _exchange(folder, name)
                if not _takes_over(service, taken + 1) or _keeps(service, tag):
                    same.append(name)
                mixed += (
                    service.status(f"{PICTURE}&model={model}") != HTTPStatus.UNPROCESSABLE_ENTITY
                )
    yield Verdict(
        f"a changed byte in each of {len(NETWORKS)} files: another model, another ETag",
        f"{len(same)} keep the ETag {', '.join(same)}".strip(),
        "0",
        not same,
    )
    yield Verdict(
        "an immutable address never shows pictures of two models",
        f"{mixed} answers could be mixed",
        "0",
        not mixed,
    )


def _exchange(folder: Path, name: str) -> None:
    fresh = Path(shutil.copytree(folder, folder.with_name("fresh")))
    content = bytearray((fresh / name).read_bytes())
    if name.endswith(".onnx"):
        content += DOCUMENTED
    else:
        content[LOW_BYTE] ^= 1
    (fresh / name).write_bytes(content)
    sign(fresh)
    exchange(fresh, folder)
    shutil.rmtree(fresh)


def _takes_over(service: Service, times: int) -> bool:
    """Whether the service has taken over a checkpoint so many times."""
    limit = time.monotonic() + LIMIT_S
    while service.log.count(TAKEN) < times and time.monotonic() < limit:
        time.sleep(WATCH_S)
    return service.log.count(TAKEN) >= times


def _keeps(service: Service, tag: str) -> bool:
    """Whether a copy under this ETag is still called right."""
    return service.ask(PICTURE, headers={"If-None-Match": tag}).status != 200
