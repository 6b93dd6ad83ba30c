import io

import numpy as np
import pytest
from PIL import Image, ImageSequence
from starlette.testclient import TestClient

from tests.app.conftest import AssertProblem


def frames(content: bytes) -> list[np.ndarray]:
    picture = Image.open(io.BytesIO(content))
    return [np.asarray(frame.convert("L")).astype(int) for frame in ImageSequence.Iterator(picture)]


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("webp", "image/webp"), ("gif", "image/gif"), ("apng", "image/apng")],
)
def test_morph_begins_with_the_picture_of_generate(
    client: TestClient, name: str, media_type: str
) -> None:
    url = f"/morph?from=2018&to=2019&seed=7&frames=8&fps=10&scale=2&format={name}"
    answer = client.get(url)
    assert answer.headers["content-type"] == media_type
    picture = Image.open(io.BytesIO(answer.content))
    assert (picture.size, picture.n_frames) == ((224, 56), 8)  # type: ignore[attr-defined]
    picture.load()
    assert picture.info["loop"] == 0
    assert picture.info["duration"] == 100
    still = client.get("/generate?digits=2018&seed=7&scale=2").content
    assert abs(frames(answer.content)[0] - np.asarray(Image.open(io.BytesIO(still)))).max() <= 1


def test_morph_goes_to_the_other_number_and_comes_back(client: TestClient) -> None:
    url = "/morph?from=1111&to=8888&seed=7&frames=20&walk=0&scale=1"
    shown = frames(client.get(url).content)
    goal = client.get("/generate?digits=8888&seed=7").content
    assert abs(shown[10] - np.asarray(Image.open(io.BytesIO(goal)))).max() <= 1
    for frame in range(1, 10):  # the way back is the way there, so the loop has no seam
        assert np.array_equal(shown[frame], shown[20 - frame])
    steps = [abs(b - a).mean() for a, b in zip(shown, [*shown[1:], shown[0]], strict=True)]
    assert max(steps) < 0.6 * abs(shown[10] - shown[0]).mean()


def test_morph_draws_the_marks_of_its_numbers(client: TestClient) -> None:
    shown = frames(client.get("/morph?from=3.14&to=2.71&seed=7&frames=8&walk=0&scale=1").content)
    for frame, text in ((0, "3.14"), (4, "2.71")):
        still = client.get(f"/generate?text={text}&seed=7").content
        assert abs(shown[frame] - np.asarray(Image.open(io.BytesIO(still)))).max() <= 1


def test_morph_walk_moves_the_hand(client: TestClient) -> None:
    url = "/morph?from=5&to=5&seed=7&frames=4&scale=1"
    still, walked = (frames(client.get(f"{url}&walk={walk}").content) for walk in (0, 1))
    assert all(np.array_equal(still[0], frame) for frame in still)
    assert not np.array_equal(walked[0], walked[2])


def test_morph_same_seed_same_bytes_and_caching(client: TestClient) -> None:
    url = "/morph?from=12&to=21&seed=7&frames=3"
    first, second = client.get(url), client.get(url)
    assert first.content == second.content
    assert "must-revalidate" in first.headers["cache-control"]
    headers = {"If-None-Match": first.headers["etag"]}
    assert client.get(url, headers=headers).status_code == 304
    unseeded = client.get("/morph?from=12&to=21&frames=3")
    assert unseeded.headers["cache-control"] == "no-store"
    again = client.get(f"/morph?from=12&to=21&frames=3&seed={unseeded.headers['x-seed']}")
    assert again.content == unseeded.content


def test_morph_bad_query_is_422(assert_problem: AssertProblem) -> None:
    problem = assert_problem("/morph?from=2018&to=201", 422)
    assert problem.detail == "to must have as many digits as from."
    assert assert_problem("/morph?start=1&to=2", 422).errors[0].field == "from"
