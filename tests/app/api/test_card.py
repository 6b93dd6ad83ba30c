from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
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


def test_model_card_of_another_precision_has_another_etag(client: TestClient) -> None:
    with TestClient(create_app(Settings(precision="float"))) as exact:
        answers = [one.get("/model") for one in (client, exact)]
    assert answers[0].json()["precision"] != answers[1].json()["precision"]
    assert answers[0].headers["etag"] != answers[1].headers["etag"]
