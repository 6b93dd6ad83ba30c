"""Same request, same bytes: today's answers are the recorded ones, see `tests/recorded.py`."""

import json

import pytest
from starlette.testclient import TestClient

from tests.recorded import RECORDING, Recorded, answer, kernels, requests

RECORDED = json.loads(RECORDING.read_text())


def test_recording_covers_every_drawing_endpoint() -> None:
    drawn = [name for name, found in RECORDED["answers"].items() if found["status"] == 200]
    assert len(drawn) >= 200
    for path in ("/generate", "/restyle", "/morph", "/latent-map", "/dataset", "/model"):
        assert any(f" {path}" in name for name in drawn), path


@pytest.mark.parametrize("request_", requests(), ids=lambda request: request.name[:60])
def test_answer_is_the_recorded_one(client: TestClient, request_: Recorded) -> None:
    expected = RECORDED["answers"][request_.name]
    if expected["status"] == 200 and kernels() != RECORDED["kernels"]:
        pytest.skip("the kernels of this processor differ in the last bit from the recorded ones")
    assert answer(client, request_) == expected
