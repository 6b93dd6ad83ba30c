"""Same request, same bytes: the answers of the bundled checkpoint are the recorded ones.

`recorded.json` holds requests to every endpoint, with the status, the main headers and a hash of
the body of each answer; of an error, the fields at fault. If answers change on purpose, raise
`DRAWING_VERSION` in `app/api/caching.py` and record them again: `python -m tests.test_recorded`.
"""

import hashlib
import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from isal import isal_zlib
from PIL import Image
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from model.checkpoint import PRETRAINED, ROUNDED_DECODER, ROUNDED_WEIGHTS

RECORDING = Path(__file__).parent / "recorded.json"
HEADERS = ("content-type", "etag", "vary", "cache-control", "x-seed", "x-style", "x-label")
RECORDED: dict[str, Any] = json.loads(RECORDING.read_text())


def upload(name: str) -> bytes:
    """A picture that is sent: a stroke on paper in several forms, and unusable files."""
    grey = np.full((120, 90), 230, np.uint8)
    grey[20:100, 40:52] = 30
    grey[20:34, 28:52] = 40
    files = {
        "dark.png": file(grey, "PNG"),
        "bright.png": file(255 - grey, "PNG"),
        "small.webp": file(grey[::3, ::3], "WEBP"),
        "blank.png": file(np.full((50, 50), 200, np.uint8), "PNG"),
        "broken.png": file(grey, "PNG")[:200],
        "text.txt": b"7",
    }
    return files[name]


def file(levels: Any, kind: str) -> bytes:
    content = io.BytesIO()
    Image.fromarray(levels).save(content, kind, lossless=True)
    return content.getvalue()


def answer(client: TestClient, request: dict[str, Any]) -> dict[str, Any]:
    """The part of an answer that must stay as it is."""
    content = upload(request["upload"]) if "upload" in request else b""
    headers = request.get("headers")
    found = client.request(request["method"], request["url"], headers=headers, content=content)
    if found.is_error:
        problem = found.json()
        fields = [error["field"] for error in problem["errors"]]
        return {"status": found.status_code, "keys": sorted(problem), "fields": fields}
    return {
        "status": found.status_code,
        "headers": {name: found.headers[name] for name in HEADERS if name in found.headers},
        "sha256": hashlib.sha256(found.content).hexdigest()[:32],
    }


@cache
def kernels() -> str:
    """A name for what the kernels of this processor compute: they may differ in the last bit.

    Covers the products of the decoder and the compression of PNG and WebP, without our own code.
    """
    graph, weights = ((PRETRAINED / n).read_bytes() for n in (ROUNDED_DECODER, ROUNDED_WEIGHTS))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_external_initializers_from_files_in_memory(
        [ROUNDED_WEIGHTS], [weights], [len(weights)]
    )
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    latent_size = session.get_inputs()[0].shape[1]
    noise = np.random.default_rng(0).standard_normal((512, latent_size), np.float32)
    one_hot = np.eye(10, dtype=np.float32)[np.arange(512) % 10]
    (found,) = session.run(["levels"], {"noise": noise, "one_hot": one_hot})
    levels = np.asarray(found).reshape(512, -1)
    packed = isal_zlib.compress(levels.tobytes(), 0) + isal_zlib.compress(levels.tobytes(), 1)
    return hashlib.sha256(levels.tobytes() + packed + file(levels, "WEBP")).hexdigest()[:32]


def test_recording_covers_every_endpoint_that_draws() -> None:
    urls = [each["url"] for each in RECORDED["requests"] if each["answer"]["status"] == 200]
    assert len(urls) >= 200
    for path in ("/generate", "/restyle", "/morph", "/latent-map", "/dataset"):
        assert sum(url.startswith(path) for url in urls) >= 10, path


@pytest.mark.parametrize("request_", RECORDED["requests"], ids=lambda each: each["url"][:60])
def test_answer_is_the_recorded_one(client: TestClient, request_: dict[str, Any]) -> None:
    expected = request_["answer"]
    if expected["status"] == 200 and kernels() != RECORDED["kernels"]:
        pytest.skip("the kernels of this processor differ in the last bit from the recorded ones")
    assert answer(client, request_) == expected


def record() -> None:
    """Write the recording again."""
    with TestClient(create_app(Settings(access_log=False))) as client:
        requests = [{**each, "answer": answer(client, each)} for each in RECORDED["requests"]]
    lines = ",\n".join(f"  {json.dumps(each)}" for each in requests)
    RECORDING.write_text(f'{{\n "kernels": "{kernels()}",\n "requests": [\n{lines}\n ]\n}}\n')


if __name__ == "__main__":
    record()
