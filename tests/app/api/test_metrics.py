import time

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from app import __version__
from app.main import create_app
from app.settings import Settings
from app.telemetry.prometheus import KEPT_S
from model.checkpoint import Checkpoint


def counted(client: TestClient) -> dict[tuple[str, ...], float]:
    time.sleep(KEPT_S)
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.fixture
def settings(tiny_checkpoint: Checkpoint) -> Settings:
    return Settings(checkpoint=tiny_checkpoint.folder)


def test_metrics_count_what_was_asked(settings: Settings) -> None:
    with TestClient(create_app(settings)) as client:
        for query in ("digits=2018", "digits=2018&seed=7", "digits=42&scale=2", "digits=x"):
            client.get(f"/generate?{query}")
        client.get("/latent-map?digit=7&cells=3")
        client.get("/secret/path?token=abc")
        client.get("/metrics")
        text = client.get("/metrics").text
        found = counted(client)
    assert found["cvae_requests_total", "/generate", "200"] == 3
    assert found["cvae_requests_total", "/generate", "422"] == 1
    assert found["cvae_requests_total", "/latent-map", "200"] == 1
    assert found["cvae_requests_total", "other", "404"] == 1
    assert found["cvae_requests_total", "/metrics", "200"] == 2
    assert found["cvae_digits_drawn_total",] == 4 + 4 + 2 + 9  # none of the warm-up
    assert found["cvae_refusals_total", "invalid_request"] == 1
    assert found["cvae_requests_in_flight",] == 1
    assert found["cvae_queue_depth",] == 0
    assert found["cvae_queue_limit",] > 0
    assert "secret" not in text
    assert "token" not in text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/generate?digits=1&format=svg"),
        ("GET", "/generate?digits=1&format=json"),
        ("GET", "/morph?from=1&to=2&frames=2"),
        ("GET", "/dataset?count=1&format=zip"),
    ],
)
def test_every_stage_of_every_drawing_is_timed(method: str, path: str, settings: Settings) -> None:
    with TestClient(create_app(settings)) as client:
        assert client.request(method, path).status_code == 200
        found = counted(client)
    for stage in ("noise", "decode", "compose", "encode"):
        assert found["cvae_stage_seconds_total", stage] > 0, stage


def test_metrics_say_what_draws(settings: Settings) -> None:
    with TestClient(create_app(settings)) as client:
        model = client.get("/readyz").json()["model"]
        text = client.get("/metrics").text
    names = f'engine="onnx",model="{model}",precision="int8",version="{__version__}"'
    assert f"cvae_build_info{{{names}}} 1.0" in text


def test_metrics_with_a_port_of_their_own_are_not_on_the_main_one(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"metrics_port": 1}))
    assert TestClient(app).get("/metrics").status_code == 404


def test_metrics_are_no_part_of_the_contract(client: TestClient) -> None:
    assert "/metrics" not in client.get("/openapi.json").json()["paths"]
