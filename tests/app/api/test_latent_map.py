import io

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient


def cells(content: bytes, count: int) -> np.ndarray:
    sheet = np.asarray(Image.open(io.BytesIO(content))).astype(int)
    return sheet.reshape(count, 28, count, 28).transpose(0, 2, 1, 3)


@pytest.mark.parametrize("digit", range(10))
def test_latent_map_has_the_typical_digit_in_the_middle(client: TestClient, digit: int) -> None:
    answer = client.get(f"/latent-map?digit={digit}&cells=5")
    drawn = cells(answer.content, 5)
    typical = client.get(f"/generate?digits={digit}&temperature=0&seed=0").content
    assert abs(drawn[2, 2] - np.asarray(Image.open(io.BytesIO(typical)))).max() <= 1


def test_latent_map_walks_the_direction_of_most_change_across(client: TestClient) -> None:
    drawn = cells(client.get("/latent-map?digit=7&cells=9&span=0.5").content, 9)
    across = abs(drawn[4, 8] - drawn[4, 0]).mean()
    down = abs(drawn[8, 4] - drawn[0, 4]).mean()
    assert across > down * 0.95  # the first singular value is the larger one, near the middle
    assert down > 0


def test_latent_map_span_0_is_the_same_digit_everywhere(client: TestClient) -> None:
    drawn = cells(client.get("/latent-map?digit=3&cells=3&span=0").content, 3)
    assert all(np.array_equal(drawn[0, 0], cell) for row in drawn for cell in row)


def test_latent_map_formats_and_caching(client: TestClient) -> None:
    for name, media_type in (
        ("png", "image/png"),
        ("webp", "image/webp"),
        ("svg", "image/svg+xml"),
    ):
        answer = client.get(f"/latent-map?digit=1&cells=2&format={name}&scale=2")
        assert answer.headers["content-type"] == media_type
        assert "must-revalidate" in answer.headers["cache-control"]
        headers = {"If-None-Match": answer.headers["etag"]}
        url = f"/latent-map?format={name}&scale=2&cells=2&digit=1"
        assert client.get(url, headers=headers).status_code == 304
