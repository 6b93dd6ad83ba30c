import csv
import io
import zipfile

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from tests.app.conftest import AssertProblem


def test_dataset_npz_is_labelled_pictures(client: TestClient) -> None:
    answer = client.get("/dataset?count=300&seed=1")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == 'attachment; filename="digits-1.npz"'
    data = np.load(io.BytesIO(answer.content), allow_pickle=False)
    assert data["images"].shape == (300, 28, 28)
    assert data["images"].dtype == np.uint8
    assert data["labels"].dtype == np.int64
    assert set(data["labels"].tolist()) == set(range(10))


def test_dataset_of_several_digits_has_them_padded_and_as_text(client: TestClient) -> None:
    url = "/dataset?count=300&seed=1&length=1-3&writers=7&boxes=on"
    data = np.load(io.BytesIO(client.get(url).content), allow_pickle=False)
    assert data["digits"].dtype == np.uint8
    for digits, length, text in zip(data["digits"], data["lengths"], data["texts"], strict=True):
        assert "".join(map(str, digits[:length])) == text
        assert digits[length:].tolist() == [10] * (3 - length)
    assert data["images"].shape == (300, 28, 84)
    assert data["sizes"].tolist() == [[28, 28 * length] for length in data["lengths"]]
    assert data["writers"].tolist() == [row % 7 for row in range(300)]
    assert data["boxes"].shape == (300, 3, 4)


def test_dataset_pictures_are_those_of_generate(client: TestClient) -> None:
    data = np.load(io.BytesIO(client.get("/dataset?count=3&seed=5&length=4").content))
    for row, (image, label) in enumerate(zip(data["images"], data["texts"], strict=True)):
        answer = client.get(f"/generate?digits={label}&seed=5&rows=3").content
        line = np.asarray(Image.open(io.BytesIO(answer)))[28 * row : 28 * row + 28]
        assert abs(image.astype(int) - line).max() <= 1


def test_dataset_zip_holds_the_same(client: TestClient) -> None:
    options = "count=130&seed=5&length=2&gap=-4"
    data = np.load(io.BytesIO(client.get(f"/dataset?{options}").content))
    archive = zipfile.ZipFile(io.BytesIO(client.get(f"/dataset?{options}&format=zip").content))
    assert archive.testzip() is None
    rows = list(csv.DictReader(io.StringIO(archive.read("labels.csv").decode())))
    assert [row["label"] for row in rows] == list(data["texts"])
    for row, image in zip(rows, data["images"], strict=True):
        picture = Image.open(io.BytesIO(archive.read(row["file"])))
        assert np.array_equal(np.asarray(picture), image)


@pytest.mark.parametrize("name", ["npz", "zip", "webdataset"])
def test_dataset_same_seed_same_bytes(client: TestClient, name: str) -> None:
    url = f"/dataset?count=200&seed=1&format={name}"
    assert client.get(url).content == client.get(url).content
    assert client.get(url.replace("seed=1", "seed=2")).content != client.get(url).content
    headers = {"If-None-Match": client.get(url).headers["etag"]}
    assert client.get(url, headers=headers).status_code == 304


def test_dataset_variation_0_writes_each_number_in_one_hand(client: TestClient) -> None:
    url = "/dataset?count=400&seed=1&length=2&variation=0"
    data = np.load(io.BytesIO(client.get(url).content))
    doubles = [
        image
        for image, label in zip(data["images"], data["texts"], strict=True)
        if label[0] == label[1]
    ]
    assert doubles
    assert all(np.array_equal(image[:, :28], image[:, 28:]) for image in doubles)


def test_dataset_is_bounded(client: TestClient, assert_problem: AssertProblem) -> None:
    problem = assert_problem("/dataset?count=30001&length=2&seed=1", 422)
    assert problem.detail == "count times length must be at most 60000 digits."
    with client.stream("GET", "/dataset?count=60000&seed=1") as answer:  # the most there is
        assert sum(len(piece) for piece in answer.iter_bytes()) > 60_000 * 784


def test_pen_of_a_dataset_is_bounded(assert_problem: AssertProblem) -> None:
    problem = assert_problem("/dataset?count=251&length=2&render=ink&pen=0.5-1&seed=1", 422)
    assert problem.detail == (
        "pen shapes at most 500 digits in one answer, and count times length is 502; ask for "
        "fewer, or leave out pen."
    )
    problem = assert_problem("/dataset?count=5&pen=0.5-1&seed=1", 422)
    assert problem.detail == "pen shapes ink; add render=ink, or leave out pen."
