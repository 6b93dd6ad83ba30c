import base64
import html
import io
import json
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from starlette.testclient import TestClient

from app.drawing.ink import coverage
from app.main import create_app
from app.settings import Settings
from model.checkpoint import PRETRAINED, read_checkpoint
from model.noise import MAX_SEED
from tests.mnist import read_mnist


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


def test_generate_draws_the_same_ink_in_every_format(client: TestClient) -> None:
    query = "/generate?digits=2018&seed=7&render=ink&pen=0.7&scale=3&spacing=tight"
    png, webp = (client.get(f"{query}&format={name}").content for name in ("png", "webp"))
    assert np.array_equal(pixels(png), pixels(webp)[..., 0])
    levels = client.get("/generate?digits=2018&seed=7&spacing=tight&format=npy").content
    assert np.array_equal(pixels(png), coverage(np.load(io.BytesIO(levels)), 3, 0.7))
    answer = client.get("/generate?digits=20&seed=7&render=ink&scale=2&format=json").json()
    digit = pixels(base64.b64decode(answer["lines"][0][0]["png"]))
    alone = client.get("/generate?digits=2&seed=7&render=ink&scale=2")
    assert np.array_equal(digit, pixels(alone.content))


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
    images, labels = read_mnist(train=True)
    return images.reshape(len(images), -1) / 255, labels


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
        "request": f"digits=042&seed={answer.headers['x-seed']}",
        "model": read_checkpoint(PRETRAINED).model_hash,
    }
    again = client.get(f"/generate?{facts['request']}")
    assert again.content == answer.content


def test_generate_seeded_may_be_cached_for_ever(client: TestClient) -> None:
    answer = client.get("/generate?digits=2018&seed=7")
    assert answer.headers["cache-control"] == "public, max-age=86400, must-revalidate"
    assert answer.headers["x-seed"] == "7"
    etag = answer.headers["etag"]
    assert etag.startswith('"')
    # The same request in other words is the same picture; another one is not.
    same = "seed=007&digits=2018&rows=1&ink=FFF&format=png&temperature=1.0&scale=1"
    assert client.get(f"/generate?{same}").headers["etag"] == etag
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
    pytest.importorskip("torch")
    url = "/generate?digits=0123456789&seed=5"
    with TestClient(create_app(Settings(checkpoint=PRETRAINED, engine="torch"))) as torch_client:
        assert torch_client.get("/readyz").json()["engine"] == "torch"
        by_torch = torch_client.get(url)
    by_onnx = client.get(url)
    assert by_torch.headers["etag"] != by_onnx.headers["etag"]  # the bytes may differ
    drawn = [pixels(answer.content).astype(int) for answer in (by_torch, by_onnx)]
    assert abs(drawn[0] - drawn[1]).max() <= 1


@given(seed=st.integers(0, MAX_SEED), rows=st.integers(2, 4), scale=st.integers(1, 3))
def test_generate_a_digit_does_not_depend_on_rows_or_scale(
    client: TestClient, seed: int, rows: int, scale: int
) -> None:
    one = pixels(client.get(f"/generate?digits=42&seed={seed}").content).astype(int)
    many = pixels(client.get(f"/generate?digits=42&seed={seed}&rows={rows}&scale={scale}").content)
    assert many.shape == (28 * rows * scale, 56 * scale)
    assert abs(many[: 28 * scale : scale, ::scale] - one).max() <= 1
    assert np.array_equal(many, many[::scale, ::scale].repeat(scale, 0).repeat(scale, 1))
    assert not np.array_equal(many[: 28 * scale], many[28 * scale : 56 * scale])


def test_generate_variation_0_is_one_hand_and_1_is_independent(client: TestClient) -> None:
    def pair(variation: str) -> np.ndarray:
        url = f"/generate?digits=55&seed=3&variation={variation}"
        return pixels(client.get(url).content).astype(int)

    same, independent = pair("0"), pair("1")
    assert np.array_equal(same[:, :28], same[:, 28:])
    assert np.array_equal(independent, pixels(client.get("/generate?digits=55&seed=3").content))

    # Continuous between: a small step changes little, and the steps lead from one to the other. A
    # digit may move by a pixel, where its centre of mass comes to the next one.
    def change(before: np.ndarray, after: np.ndarray) -> float:
        moves = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
        cells = zip(np.hsplit(before, 2), np.hsplit(after, 2), strict=True)
        least = [min(abs(a - np.roll(b, by, (0, 1))).mean() for by in moves) for a, b in cells]
        return float(np.mean(least))

    steps = [pair(f"{share / 80}") for share in range(81)]
    jumps = [change(*step) for step in pairwise(steps)]
    assert max(jumps) < 0.06 * abs(steps[-1] - steps[0]).mean()
    assert np.array_equal(steps[0], same)
    assert np.array_equal(steps[-1], independent)


@given(seed=st.integers(0, MAX_SEED))
def test_generate_temperature_0_is_deterministic(client: TestClient, seed: int) -> None:
    typical = client.get("/generate?digits=2018&seed=0&temperature=0&format=npy").content
    url = f"/generate?digits=2018&seed={seed}&temperature=0&format=npy"
    assert client.get(url).content == typical
    assert client.get(url.replace("=0&", "=0.9&")).content != typical


def test_generate_temperature_changes_the_picture_more_the_hotter(client: TestClient) -> None:
    drawn = [
        pixels(client.get(f"/generate?digits={'0123456789' * 6}&seed=1&temperature={t}").content)
        for t in (0, 0.5, 1, 1.5)
    ]
    distances = [abs(picture.astype(int) - drawn[0]).mean() for picture in drawn]
    assert distances == sorted(distances)
    assert distances[1] > 0


FORMATS = {
    "png": "image/png",
    "webp": "image/webp",
    "svg": "image/svg+xml",
    "json": "application/json",
    "npy": "application/octet-stream",
}


@pytest.mark.parametrize(("name", "media_type"), FORMATS.items())
def test_generate_format_by_parameter_or_accept(
    client: TestClient, name: str, media_type: str
) -> None:
    url = "/generate?digits=2018&seed=7"
    asked = client.get(f"{url}&format={name}", headers={"Accept": "text/html"})
    accepted = client.get(url, headers={"Accept": media_type})
    assert asked.headers["content-type"] == accepted.headers["content-type"] == media_type
    assert asked.content == accepted.content
    assert asked.headers["etag"] == accepted.headers["etag"]
    assert accepted.headers["vary"] == "Accept"
    assert "vary" not in asked.headers


def test_generate_accept_of_nothing_we_have_is_406(client: TestClient) -> None:
    answer = client.get("/generate?digits=1", headers={"Accept": "text/html"})
    assert answer.status_code == 406
    assert "image/png, image/webp, image/svg+xml" in answer.json()["detail"]


@given(
    rows=st.integers(1, 3),
    scale=st.integers(1, 2),
    gap=st.integers(-12, 28),
    ink=st.sampled_from(["ffffff", "1a237e"]),
    paper=st.sampled_from(["000000", "fff8e1", "transparent"]),
    spacing=st.sampled_from(["cell", "tight"]),
)
def test_generate_formats_show_the_same_pixels(
    client: TestClient, rows: int, scale: int, gap: int, ink: str, paper: str, spacing: str
) -> None:
    url = (
        f"/generate?digits=042&seed=7&rows={rows}&scale={scale}&gap={gap}"
        f"&ink={ink}&paper={paper}&spacing={spacing}"
    )
    png, webp = (
        np.asarray(
            Image.open(io.BytesIO(client.get(f"{url}&format={name}").content))
            .convert("RGBA")
            .convert("RGBa")
        )
        for name in ("png", "webp")
    )
    assert np.array_equal(png, webp)
    if spacing == "cell":
        assert png.shape[:2] == (28 * rows * scale, ((28 + gap) * 2 + 28) * scale)
    if (ink, paper) == ("ffffff", "000000"):
        npy = np.load(io.BytesIO(client.get(f"{url}&format=npy").content), allow_pickle=False)
        assert np.array_equal(npy, png[..., 0])


def test_generate_transparent_paper_is_clear_where_there_is_no_ink(client: TestClient) -> None:
    url = "/generate?digits=2018&seed=7&ink=ff0000&paper=transparent"
    picture = Image.open(io.BytesIO(client.get(url).content)).convert("RGBA")
    grey = pixels(client.get("/generate?digits=2018&seed=7").content)
    assert np.array_equal(np.asarray(picture)[..., 3], grey)
    assert {tuple(colour) for colour in np.asarray(picture)[grey > 0][:, :3]} == {(255, 0, 0)}


def test_generate_json_has_the_facts_and_each_digit(client: TestClient) -> None:
    answer = client.get("/generate?digits=042&seed=7&rows=2&format=json").json()
    assert (answer["digits"], answer["seed"]) == ("042", "7")
    assert [[cell["digit"] for cell in line] for line in answer["lines"]] == [["0", "4", "2"]] * 2
    sheet = pixels(client.get("/generate?digits=042&seed=7&rows=2").content)
    cell = pixels(base64.b64decode(answer["lines"][1][2]["png"]))
    assert np.array_equal(cell, sheet[28:, 56:])


@pytest.mark.parametrize("name", ["png", "webp", "svg", "json"])
def test_generate_every_format_carries_what_makes_it_again(client: TestClient, name: str) -> None:
    url = f"/generate?digits=042&rows=2&variation=0.5&scale=2&ink=00f&gap=-3&format={name}"
    answer = client.get(url)
    request = facts_of(answer.content, name)["request"]
    assert client.get(f"/generate?{request}").content == answer.content


def facts_of(content: bytes, name: str) -> dict[str, str]:
    if name == "json":
        return dict(json.loads(content))
    if name == "svg":
        text = html.unescape(content.decode().split("<desc>")[1].split("</desc>")[0])
        return dict(part.split("=", 1) for part in text.split("; "))
    picture = Image.open(io.BytesIO(content))
    if name == "webp":
        return dict(json.loads(picture.getexif()[0x010E]))
    return {str(word): str(text) for word, text in picture.info.items()}


def test_generate_requests_at_the_same_time_do_not_mix(client: TestClient) -> None:
    urls = [f"/generate?digits={n:04d}&seed={n}&rows={1 + n % 3}" for n in range(40)]
    alone = [client.get(url).content for url in urls]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda url: client.get(url).content, urls))
    assert alone == together


def test_generate_style_of_another_model_is_422(client: TestClient) -> None:
    answer = client.get("/generate?digits=1&style=AAAAAAAA")
    assert answer.status_code == 422
    assert (
        answer.json()["detail"] == "style belongs to a different model; restyle the picture again."
    )


def test_text_draws_the_digits_of_digits_with_marks_between_them(client: TestClient) -> None:
    options = {"seed": "7", "format": "npy"}
    plain = np.load(
        io.BytesIO(client.get("/generate", params={"digits": "314", **options}).content)
    )
    answer = client.get("/generate", params={"text": "3.14", **options})
    marked = np.load(io.BytesIO(answer.content))
    assert np.array_equal(np.delete(marked, np.s_[28:56], axis=1), plain)
    assert marked[:, 28:56].any()


def test_text_in_json_tells_marks_from_digits(client: TestClient) -> None:
    document = client.get("/generate?text=-5&seed=7&format=json").json()
    assert (document["text"], document["request"]) == ("-5", "text=-5&seed=7&format=json")
    ((mark, digit),) = document["lines"]
    assert (mark["mark"], digit["digit"]) == ("-", "5")
