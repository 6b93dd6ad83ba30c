import io
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from model.checkpoint import PRETRAINED, read_checkpoint
from model.noise import MAX_SEED
from training.data import load_mnist


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def test_generate_2018_is_one_grey_picture(client: TestClient) -> None:
    answer = client.get("/generate?digits=2018&seed=7")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    picture = Image.open(io.BytesIO(answer.content))
    assert (picture.format, picture.mode, picture.size) == ("PNG", "L", (112, 28))
    for start in range(0, 112, 28):  # each of the four cells holds ink
        assert pixels(answer.content)[:, start : start + 28].max() > 128


@pytest.mark.parametrize("digit", "0123456789")
def test_generate_draws_the_digit_asked_for(client: TestClient, digit: str) -> None:
    """Of 64 samples, most have their nearest neighbour among 1,000 real digits of the same label.

    Such a reader gets 88 % of real digits; half is far below it and five times chance.
    """
    images, labels = real_digits()
    sheet = pixels(client.get(f"/generate?digits={digit * 64}&seed=1").content)
    samples = sheet.reshape(28, 64, 28).transpose(1, 0, 2).reshape(64, -1) / 255
    distances = (images**2).sum(1) - 2 * samples @ images.T
    assert (labels[distances.argmin(1)] == int(digit)).mean() > 1 / 2


@cache
def real_digits() -> tuple[np.ndarray, np.ndarray]:
    data = load_mnist(Path(__file__).parent.parent / "data", train=True)
    return data.images.numpy().reshape(len(data), -1) / 255, data.labels.numpy()


@pytest.mark.parametrize("count", [1, 2, 64])
def test_generate_width_follows_the_digits(client: TestClient, count: int) -> None:
    assert pixels(client.get(f"/generate?digits={'7' * count}").content).shape == (28, 28 * count)


def test_generate_leading_zeros_stay(client: TestClient) -> None:
    assert pixels(client.get("/generate?digits=007").content).shape == (28, 84)


def test_generate_same_seed_same_bytes(client: TestClient) -> None:
    first, second = (client.get("/generate?digits=2018&seed=7") for _ in range(2))
    assert first.content == second.content
    assert client.get("/generate?digits=2018&seed=8").content != first.content


def test_generate_seed_of_an_unseeded_answer_draws_it_again(client: TestClient) -> None:
    answer = client.get("/generate?digits=2018")
    again = client.get(f"/generate?digits=2018&seed={answer.headers['x-seed']}")
    assert again.content == answer.content
    assert client.get("/generate?digits=2018").content != answer.content  # 1 in 2^32 to fail


@given(digits=st.text("0123456789", min_size=2, max_size=64), seed=st.integers(0, MAX_SEED))
def test_generate_a_digit_does_not_depend_on_what_follows(
    client: TestClient, digits: str, seed: int
) -> None:
    line = pixels(client.get(f"/generate?digits={digits}&seed={seed}").content).astype(int)
    alone = pixels(client.get(f"/generate?digits={digits[0]}&seed={seed}").content)
    # Another number of digits may take another matrix kernel: at most one grey level.
    assert abs(line[:, :28] - alone).max() <= 1


def test_generate_every_digit_has_its_own_latent(client: TestClient) -> None:
    sheet = pixels(client.get("/generate?digits=55&seed=3").content)
    assert not np.array_equal(sheet[:, :28], sheet[:, 28:])


def test_generate_picture_carries_the_facts_to_make_it_again(client: TestClient) -> None:
    answer = client.get("/generate?digits=042")
    facts = Image.open(io.BytesIO(answer.content)).info
    assert facts == {
        "digits": "042",
        "seed": answer.headers["x-seed"],
        "model": read_checkpoint(PRETRAINED).model_hash,
    }
    again = client.get(f"/generate?digits={facts['digits']}&seed={facts['seed']}")
    assert again.content == answer.content


def test_generate_seeded_may_be_cached_for_ever(client: TestClient) -> None:
    answer = client.get("/generate?digits=2018&seed=7")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-seed"] == "7"
    etag = answer.headers["etag"]
    assert etag.startswith('"')
    # The same request in other words is the same picture; another one is not.
    assert client.get("/generate?seed=007&digits=2018").headers["etag"] == etag
    assert client.get("/generate?digits=2018&seed=8").headers["etag"] != etag
    assert client.get("/generate?digits=02018&seed=7").headers["etag"] != etag


def test_generate_unseeded_must_not_be_cached(client: TestClient) -> None:
    answer = client.get("/generate?digits=2018")
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_generate_if_none_match_is_304(client: TestClient, form: str) -> None:
    url = "/generate?digits=2018&seed=7"
    etag = client.get(url).headers["etag"]
    answer = client.get(url, headers={"If-None-Match": form.format(etag)})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == etag
    assert "max-age" in answer.headers["cache-control"]


def test_generate_if_none_match_other_is_200(client: TestClient) -> None:
    headers = {"If-None-Match": '"other"'}
    assert client.get("/generate?digits=1&seed=7", headers=headers).status_code == 200
    assert client.get("/generate?digits=1", headers={"If-None-Match": "*"}).status_code == 200


def test_generate_torch_engine_draws_the_same_to_one_grey_level(client: TestClient) -> None:
    url = "/generate?digits=0123456789&seed=5"
    with TestClient(create_app(Settings(checkpoint=PRETRAINED, engine="torch"))) as torch_client:
        assert torch_client.get("/readyz").json()["engine"] == "torch"
        by_torch = torch_client.get(url)
    by_onnx = client.get(url)
    assert by_torch.headers["etag"] != by_onnx.headers["etag"]  # the bytes may differ
    drawn = [pixels(answer.content).astype(int) for answer in (by_torch, by_onnx)]
    assert abs(drawn[0] - drawn[1]).max() <= 1


def test_probes(client: TestClient) -> None:
    assert client.get("/livez").json() == {"status": "live"}
    assert client.get("/readyz").json() == {
        "status": "ready",
        "model": read_checkpoint(PRETRAINED).model_hash,
        "engine": "onnx",
    }


def test_favicon_is_a_picture(client: TestClient) -> None:
    assert pixels(client.get("/favicon.ico").content).shape == (28, 28)


def test_home_leads_to_the_documentation(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.url.path == "/docs"
    assert answer.status_code == 200
