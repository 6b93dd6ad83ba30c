import csv
import io
import zipfile

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from app.overload.pool import BoundedPool
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


def test_head_of_a_data_set_draws_nothing(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/dataset?count=60000&seed=1&format=zip"
    with client.stream("GET", path) as whole:
        expected = whole.headers
    monkeypatch.delattr(BoundedPool, "stream")
    answer = client.head(path)
    assert answer.status_code == 200
    for name in ("content-type", "content-disposition", "etag", "x-seed"):
        assert answer.headers[name] == expected[name]


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


@pytest.mark.parametrize("more", ["", "&spacing=tight", "&spacing=tight&variation=0&gap=2"])
def test_texts_with_marks_are_those_of_generate(client: TestClient, more: str) -> None:
    texts = ["3.14", "2018", "-5,0 1/2", "12:30"]
    url = f"/dataset?count=5&seed=5&texts={'%0A'.join(texts)}{more}"
    data = np.load(io.BytesIO(client.get(url).content))
    assert data["texts"].tolist() == [*texts, texts[0]]
    for row, image in enumerate(data["images"]):
        text, (height, width) = texts[row % 4], data["sizes"][row]
        answer = client.get(f"/generate?text={text}&seed=5&rows=5{more}&format=npy").content
        lines = np.load(io.BytesIO(answer)).reshape(5, 28, -1)
        assert np.array_equal(image[:height, :width], lines[row][:, :width])


def test_boxes_of_marks_hold_their_ink_and_a_space_has_none(client: TestClient) -> None:
    url = "/dataset?count=2&seed=5&texts=1.5 -2&boxes=on&spacing=tight&size=32x190"
    data = np.load(io.BytesIO(client.get(url).content))
    assert data["digits"].tolist() == [[1, 11, 5, 16, 14, 2]] * 2
    for image, boxes in zip(data["images"], data["boxes"].tolist(), strict=True):
        assert boxes[3] == [0, 0, 0, 0]
        for left, top, right, bottom in boxes[:3] + boxes[4:]:
            assert image[top:bottom, left:right].max() >= 64
        point, dash = boxes[1], boxes[4]
        assert point[3] - point[1] <= 6
        assert dash[2] - dash[0] > dash[3] - dash[1]


def test_names_in_a_zip_of_texts_are_safe(client: TestClient) -> None:
    answer = client.get("/dataset?count=2&seed=5&texts=1/2%0A12:30.5&format=zip")
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    names = ["images/00000_1%2F2.png", "images/00001_12%3A30%2E5.png"]
    assert archive.namelist() == [*names, "labels.csv"]
    rows = list(csv.reader(io.TextIOWrapper(archive.open("labels.csv"))))
    assert rows[1:] == [[names[0], "1/2"], [names[1], "12:30.5"]]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("count=2&texts=1%0Ax", "texts cannot be drawn: line 2 must be 1 to 64 of the digits 0-9 "),
        ("count=2&texts=%0A", "texts have no line; expected one text a line."),
        ("count=2&texts=1&length=2", "length is for random numbers; leave it out where texts are"),
        ("count=9999&texts=1234567", "count times length must be at most 60000 digits."),
    ],
)
def test_texts_that_cannot_be_drawn_are_refused(
    assert_problem: AssertProblem, query: str, sentence: str
) -> None:
    assert assert_problem(f"/dataset?{query}", 422).detail.startswith(sentence)


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
