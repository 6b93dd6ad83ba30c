from starlette.testclient import TestClient

from model.checkpoint import PRETRAINED, read_checkpoint


def test_model_card_says_what_draws(client: TestClient) -> None:
    card = client.get("/model").json()
    checkpoint = read_checkpoint(PRETRAINED)
    assert card["model"] == checkpoint.model_hash
    assert card["architecture"] == checkpoint.config.model_dump(mode="json")
    assert card["metrics"] == checkpoint.metrics
    assert card["provenance"]["data_set"] == "MNIST"
    assert card["provenance"]["versions"]["torch"]
    assert card["sha256"].keys() >= {"decoder.onnx", "model.safetensors"}
    assert card["parameters"] == checkpoint.metrics["parameters"]


def test_model_card_can_be_revalidated(client: TestClient) -> None:
    answer = client.get("/model")
    assert answer.headers["cache-control"] == "no-cache"
    headers = {"If-None-Match": answer.headers["etag"]}
    assert client.get("/model", headers=headers).status_code == 304
