import io

from PIL import Image
from starlette.testclient import TestClient

from model.checkpoint import PRETRAINED, read_checkpoint


def test_probes(client: TestClient) -> None:
    assert client.get("/livez").json() == {"status": "live"}
    assert client.get("/readyz").json() == {
        "status": "ready",
        "model": read_checkpoint(PRETRAINED).model_hash,
        "engine": "onnx",
        "precision": "int8",
    }


def test_favicon_is_a_picture(client: TestClient) -> None:
    answer = client.get("/favicon.ico")
    assert Image.open(io.BytesIO(answer.content)).size == (28, 28)
