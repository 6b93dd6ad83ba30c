"""Requests whose answers are recorded, and the recording: `python -m tests.recorded`.

The recording holds the status, the main headers and a hash of the body of each answer of the
bundled checkpoint. `tests/test_recorded.py` compares them with the answers of today's code.
"""

import hashlib
import io
import json
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from isal import isal_zlib
from PIL import Image
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import read_settings
from model.checkpoint import PRETRAINED
from model.noise import MAX_SEED

RECORDING = Path(__file__).parent / "recorded.json"
KEPT_HEADERS = ("content-type", "etag", "vary", "cache-control", "x-seed", "x-style", "x-label")
GENERATE = (
    "digits=2018&seed=7",
    "digits=2018&seed=0",
    f"digits=0123456789&seed={MAX_SEED}",
    "digits=0&seed=1",
    "digits=" + "0123456789" * 6 + "2018&seed=3",
    "seed=7&digits=2018",
    "digits=2018&seed=7&rows=3",
    "digits=42&seed=9&rows=16",
    "digits=31415926&seed=5&rows=12&scale=2",
    "digits=2018&seed=7&variation=0",
    "digits=2018&seed=7&variation=0.3",
    "digits=2018&seed=7&variation=1",
    "digits=2018&seed=7&temperature=0",
    "digits=2018&seed=7&temperature=0.8",
    "digits=2018&seed=7&temperature=1.5&rows=2",
    "digits=2018&seed=7&variation=0.5&temperature=0.5&rows=2",
    "digits=2018&seed=7&spacing=tight",
    "digits=1111&seed=7&spacing=tight&gap=-4",
    "digits=2018&seed=7&spacing=tight&gap=7&rows=4",
    "digits=2018&seed=7&gap=-12",
    "digits=2018&seed=7&gap=28",
    "digits=2018&seed=7&scale=4",
    "digits=2018&seed=7&scale=16",
    "digits=2018&seed=7&ink=1a237e",
    "digits=2018&seed=7&ink=%23f00&paper=ffe",
    "digits=2018&seed=7&paper=transparent",
    "digits=2018&seed=7&ink=000000&paper=transparent&scale=3",
    "digits=2018&seed=7&ink=fff&paper=000",
)
FORMATS = ("png", "webp", "svg", "json", "npy")
MORPH = (
    "from=2018&to=2019&seed=7",
    "from=1&to=7&seed=3&frames=5&scale=1",
    "from=007&to=700&seed=3&frames=4&walk=0&fps=5",
    "from=12&to=34&seed=3&frames=4&walk=1&variation=0.2&temperature=0.7",
    "from=12&to=34&seed=3&frames=3&gap=-3&ink=1a237e&paper=fffde7&scale=2",
)
LATENT_MAP = (
    "digit=7",
    "digit=0&cells=3",
    "digit=2&cells=5&span=4&scale=2",
    "digit=9&cells=4&span=0&ink=b71c1c&paper=fff",
    "digit=4&cells=6&paper=transparent",
)
DATASET = (
    "count=1&seed=7",
    "count=300&seed=7",
    "count=40&seed=7&length=3",
    "count=40&seed=7&length=2&gap=-4&temperature=0.7",
    "count=20&seed=7&length=4&variation=0.3",
)
RESTYLE = (
    "digits=2018&seed=7",
    "digits=2018&seed=7&label=3",
    "digits=42&seed=1&variation=0.4&rows=2&format=npy",
    "digits=42&seed=1&temperature=0.6&spacing=tight&format=svg",
)
REFUSED = (
    "/generate",
    "/generate?digits=",
    "/generate?digits=20x8",
    "/generate?digits=%EF%BC%92",
    "/generate?digits=" + "1" * 65,
    "/generate?digits=1&digits=2",
    "/generate?digits=1&colour=red",
    "/generate?digits=1&a=1&b=2&seed=x",
    "/generate?digits=1&seed=-1",
    "/generate?digits=1&seed=1_0",
    "/generate?digits=1&seed=1.0",
    "/generate?digits=1&seed=%201",
    "/generate?digits=1&seed=4294967296",
    "/generate?digits=1&seed=",
    "/generate?digits=1&rows=0",
    "/generate?digits=1&rows=17",
    "/generate?digits=1&variation=1.1",
    "/generate?digits=1&temperature=1e0",
    "/generate?digits=1&temperature=nan",
    "/generate?digits=1&scale=17",
    "/generate?digits=1&gap=29",
    "/generate?digits=1&ink=red",
    "/generate?digits=1&ink=transparent",
    "/generate?digits=1&paper=12345",
    "/generate?digits=1&spacing=wide",
    "/generate?digits=1&format=bmp",
    "/generate?digits=1&format=npy&ink=f00",
    "/generate?digits=" + "1" * 64 + "&rows=16&scale=16",
    "/generate?digits=1&style=abc",
    "/generate?digits=1&style=" + "A" * 1001,
    "/morph?from=1&to=22",
    "/morph?from=1",
    "/morph?from=1&to=2&format=gif&paper=transparent",
    "/morph?from=1&to=2&frames=1",
    "/morph?start=1&end=2",
    "/latent-map",
    "/latent-map?digit=10",
    "/latent-map?digit=1&cells=33",
    "/latent-map?digit=1&digit=1",
    "/dataset",
    "/dataset?count=0",
    "/dataset?count=60000&length=2",
    "/dataset?count=10&format=csv",
    "/nothing",
    "/generate/",
)


@dataclass(frozen=True)
class Recorded:
    """One request."""

    name: str  # method and address, and what is sent
    method: str
    url: str
    headers: dict[str, str]
    body: bytes = b""


def requests() -> list[Recorded]:
    """All of them, in a fixed order."""
    found = [_get(f"/generate?{query}") for query in GENERATE]
    found += [_get(f"/generate?{query}&format={kind}") for query, kind in _in_formats()]
    for accept in ("image/webp", "image/svg+xml", "application/json", "image/*", "text/html"):
        found.append(_get("/generate?digits=7&seed=7", accept=accept))
    kinds = ("webp", "gif", "apng")
    found += [_get(f"/morph?{query}&format={kind}") for query, kind in product(MORPH, kinds)]
    kinds = ("png", "webp", "svg")
    found += [
        _get(f"/latent-map?{query}&format={kind}") for query, kind in product(LATENT_MAP, kinds)
    ]
    kinds = ("npz", "zip")
    found += [_get(f"/dataset?{query}&format={kind}") for query, kind in product(DATASET, kinds)]
    found += [_upload(query, *picture) for query, picture in product(RESTYLE, _pictures())]
    found += [_get(url) for url in (*REFUSED, "/model", "/livez", "/readyz", "/favicon.ico")]
    found += [Recorded(f"{m} /generate", m, "/generate?digits=1", {}) for m in ("POST", "PUT")]
    found.append(Recorded("POST /restyle empty", "POST", "/restyle?digits=1", {}))
    return found


def _in_formats() -> list[tuple[str, str]]:
    coloured = ("ink=", "paper=")
    return [
        (query, kind)
        for query, kind in product(GENERATE, FORMATS)
        if not (kind == "npy" and any(word in query for word in coloured))
    ]


def _get(url: str, **headers: str) -> Recorded:
    return Recorded(" ".join(["GET", url, *headers.values()]), "GET", url, headers)


def _upload(query: str, name: str, media_type: str, body: bytes) -> Recorded:
    url = f"/restyle?{query}"
    return Recorded(f"POST {url} {name}", "POST", url, {"content-type": media_type}, body)


def _pictures() -> list[tuple[str, str, bytes]]:
    """Uploads: a stroke on paper, its negative, a small one, and things that are refused."""
    grey = np.full((120, 90), 230, np.uint8)
    grey[20:100, 40:52] = 30
    grey[20:34, 28:52] = 40
    broken = _file(grey, "PNG")[:200]
    return [
        ("dark.png", "image/png", _file(grey, "PNG")),
        ("bright.png", "image/png", _file(255 - grey, "PNG")),
        ("small.webp", "image/webp", _file(grey[::3, ::3], "WEBP")),
        ("blank.png", "image/png", _file(np.full((50, 50), 200, np.uint8), "PNG")),
        ("broken.png", "image/png", broken),
        ("text.txt", "text/plain", b"7"),
    ]


def _file(levels: Any, kind: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(levels).save(file, kind, lossless=True)
    return file.getvalue()


def answers(client: TestClient) -> dict[str, dict[str, Any]]:
    """What a service answers: status, headers and a hash; of an error the fields at fault."""
    return {request.name: answer(client, request) for request in requests()}


def answer(client: TestClient, request: Recorded) -> dict[str, Any]:
    """The part of an answer that must stay as it is."""
    found = client.request(
        request.method, request.url, headers=request.headers, content=request.body
    )
    if found.status_code >= 400:
        problem = found.json()
        return {
            "status": found.status_code,
            "keys": sorted(problem),
            "fields": [error["field"] for error in problem["errors"]],
        }
    return {
        "status": found.status_code,
        "headers": {
            name: found.headers[name] for name in KEPT_HEADERS if name in found.headers
        },
        "sha256": hashlib.sha256(found.content).hexdigest()[:32],
    }


def kernels() -> str:
    """A name for what the kernels of this processor compute: they may differ in the last bit.

    Covers the decoder's products and the compression of PNG and WebP, all without our own code.
    """
    names = ["decoder.int8.onnx", "decoder.int8.safetensors"]
    graph, weights = ((PRETRAINED / name).read_bytes() for name in names)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_external_initializers_from_files_in_memory(names[1:], [weights], [len(weights)])
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    latent_size = session.get_inputs()[0].shape[1]
    noise = np.random.default_rng(0).standard_normal((512, latent_size), np.float32)
    one_hot = np.eye(10, dtype=np.float32)[np.arange(512) % 10]
    (pixels,) = session.run(None, {"noise": noise, "one_hot": one_hot})
    levels = (np.asarray(pixels) * 255 + 0.5).astype(np.uint8).reshape(512, -1)
    packed = isal_zlib.compress(levels.tobytes(), 0) + isal_zlib.compress(levels.tobytes(), 1)
    return hashlib.sha256(levels.tobytes() + packed + _file(levels, "WEBP")).hexdigest()[:32]


def record() -> None:
    """Write the recording anew."""
    with TestClient(create_app(read_settings())) as client:
        document = {"kernels": kernels(), "answers": answers(client)}
    RECORDING.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    record()
