"""The service with models of other alphabets, trained here: letters, words, 8 x 8, no labels."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from app import dataset, draw
from app.main import create_app
from app.request.query import Query
from app.request.schemas import GenerateQuery
from app.settings import Settings
from harness.launcher import running, wait_until
from tests.conftest import ROOT

models = pytest.importorskip("tests.small_models")
Client = Callable[[str], TestClient]
SEVEN = (ROOT / "docs" / "seven.png").read_bytes()


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The checkpoint of a kind of model, trained on first use."""
    base, rng = tmp_path_factory.mktemp("alphabets"), np.random.default_rng(0)
    digits = tuple("0123456789")

    def folder(kind: str) -> Path:
        if not (base / kind).exists():
            if kind == "letters":
                models.train(base / kind, *models.letters(rng), models.LETTERS)
            elif kind == "words":
                models.train(base / kind, *models.things(rng), models.WORDS)
            else:
                eights = models.eights()
                labelled = kind == "eights"
                models.train(base / kind, *eights, digits, conditional=labelled, latent=2)
        return base / kind

    return folder


@pytest.fixture(scope="module")
def client_of(folders: Callable[[str], Path]) -> Iterator[Client]:
    kept: dict[str, TestClient] = {}

    def client(kind: str) -> TestClient:
        if kind not in kept:
            app = create_app(Settings(checkpoint=folders(kind), access_log=False))
            kept[kind] = TestClient(app).__enter__()
        return kept[kind]

    yield client
    for each in kept.values():
        each.__exit__(None, None, None)


def picture(client: TestClient, path: str) -> Image.Image:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return Image.open(io.BytesIO(answer.content))


def refusal(client: TestClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 422
    return str(answer.json()["detail"])


def test_letters_are_written_as_text(client_of: Client) -> None:
    client = client_of("letters")
    written = picture(client, "/generate?text=Hello&seed=1")
    assert written.size == (5 * 20, 28)
    assert (written.info["text"], written.info["request"]) == ("hello", "text=hello&seed=1")
    pixels = np.asarray(written)
    first = np.asarray(picture(client, "/generate?text=h&seed=1"))
    assert np.array_equal(pixels[:, :20], first)
    typical = [np.asarray(picture(client, f"/generate?text={c}&temperature=0")) for c in "hj"]
    assert abs(typical[0].astype(int) - typical[1]).max() > 64  # the label decides
    lines = client.get("/generate?text=hi&seed=1&format=json").json()["lines"]
    assert [each["label"] for each in lines[0]] == ["h", "i"]


def test_letters_keep_their_height_in_tight_spacing(client_of: Client) -> None:
    path = "/generate?text=g&seed=1&temperature=0"
    cell, tight = (
        np.asarray(picture(client_of("letters"), f"{path}&spacing={spacing}")).max(axis=1)
        for spacing in ("cell", "tight")
    )
    inked = cell >= 64
    assert np.array_equal(cell[inked], tight[inked])


@pytest.mark.parametrize(
    ("kind", "path", "sentence"),
    [
        (
            "letters",
            "/generate?digits=12",
            "text is required; digits is not for this model, which writes the characters a-z; ask "
            "for text=abcd.",
        ),
        (
            "letters",
            "/generate?text=h%C3%A9",
            "text must be 1 to 64 of the characters a-z; character 2 is not one of them.",
        ),
        ("letters", "/latent-map?label=%7B", "label must be one of the characters a-z."),
        (
            "words",
            "/generate?labels=box,shirt",
            "labels must be 1 to 64 of the labels Round/ring, Bar, upright, Box; label 2 is "
            "not one of them.",
        ),
        ("eights", "/generate?digits=1&gap=-4", "gap must be an integer from -3 to 8."),
        (
            "pictures",
            "/generate?count=2&digits=7",
            "digits is not for this model, an unconditional VAE, which takes no label and draws "
            "pictures of any kind that it has learned; ask for count=4.",
        ),
        ("pictures", "/generate?count=65", "count must be an integer from 1 to 64."),
        (
            "pictures",
            "/dataset?count=10",
            "count is of labelled pictures, and this model, an unconditional VAE, knows no labels; "
            "ask /generate for pictures without labels.",
        ),
    ],
)
def test_what_a_model_cannot_write_is_refused_with_what_it_can(
    client_of: Client, kind: str, path: str, sentence: str
) -> None:
    assert refusal(client_of(kind), path) == sentence


def test_words_are_written_by_their_names(client_of: Client) -> None:
    client = client_of("words")
    written = picture(client, "/generate?labels=bar%5C,%20upright,BOX,round/ring&seed=1&rows=2")
    assert written.size == (3 * 32, 2 * 32)
    assert written.info["labels"] == r"Bar\, upright,Box,Round/ring"
    again = picture(client, f"/generate?{written.info['request']}")
    assert np.array_equal(np.asarray(written), np.asarray(again))
    lines = client.get("/generate?labels=box&seed=1&format=json").json()["lines"]
    assert lines[0][0]["label"] == "Box"


def test_small_pictures_of_digits_are_digits(client_of: Client) -> None:
    client = client_of("eights")
    assert picture(client, "/generate?digits=2018&seed=1&scale=4").size == (4 * 32, 32)
    assert picture(client, "/latent-map?digit=7&cells=3").size == (24, 24)
    tight = picture(client, "/generate?digits=2018&seed=1&spacing=tight&gap=-3")
    assert tight.height == 8


def test_unconditional_model_draws_what_it_has_learned(client_of: Client) -> None:
    client = client_of("pictures")
    drawn = picture(client, "/generate?count=12&seed=1")
    assert drawn.size == (12 * 8, 8)
    assert np.asarray(drawn).reshape(8, 12, 8).std(axis=1).max() > 10  # not all the same
    lines = client.get("/generate?count=2&seed=1&format=json").json()["lines"]
    assert [sorted(each) for each in lines[0]] == [["png"], ["png"]]
    assert picture(client, "/latent-map?cells=5").size == (40, 40)


def test_unconditional_morph_goes_from_noise_to_other_noise_and_back(client_of: Client) -> None:
    client = client_of("pictures")
    loop = picture(client, "/morph?count=2&seed=1&frames=6&format=apng&scale=1")
    frames = []
    for index in range(6):
        loop.seek(index)
        frames.append(np.asarray(loop.convert("L")).astype(int))
    first = np.asarray(picture(client, "/generate?count=2&seed=1")).astype(int)
    assert np.array_equal(frames[0], first)
    assert abs(frames[3] - first).max() > 16
    assert abs(frames[1] - frames[5]).max() <= 1


@pytest.mark.parametrize(
    ("kind", "ends"),
    [("letters", "from=ab&to=xy"), ("words", "from=Box&to=Round/ring"), ("eights", "from=1&to=7")],
)
def test_morph_and_restyle_follow_the_alphabet(client_of: Client, kind: str, ends: str) -> None:
    client = client_of(kind)
    assert picture(client, f"/morph?{ends}&seed=1&frames=4").format == "WEBP"
    query = client.app.state.service.renderer.sample  # type: ignore[attr-defined]
    headers = {"Content-Type": "image/png"}
    answer = client.post(f"/restyle?{query.canonical()}", content=SEVEN, headers=headers)
    assert answer.status_code == 200
    names = [re.escape(name) for name in client.get("/model").json()["label_names"]]
    assert re.fullmatch("|".join(names), answer.headers["x-label"].replace("%2F", "/"))
    style = answer.headers["x-style"]
    assert client.get(f"/generate?{query.canonical()}&style={style}").status_code == 200


def test_unconditional_restyle_draws_the_upload_again_without_a_label(client_of: Client) -> None:
    headers = {"Content-Type": "image/png"}
    answer = client_of("pictures").post("/restyle?count=2", content=SEVEN, headers=headers)
    assert answer.status_code == 200
    assert "x-label" not in answer.headers
    seen = client_of("pictures").post(
        "/restyle?count=2&format=json", content=SEVEN, headers=headers
    )
    assert seen.json()["label"] is None
    assert [each["label"] for each in seen.json()["seen"]] == [None]
    first, second = np.hsplit(np.asarray(Image.open(io.BytesIO(answer.content))), 2)
    assert np.array_equal(first, second)


def test_data_set_of_letters_has_their_names(client_of: Client) -> None:
    client = client_of("letters")
    single = np.load(io.BytesIO(client.get("/dataset?count=300&seed=1").content))
    assert single["images"].shape == (300, 28, 20)
    assert single["names"].tolist() == list(models.LETTERS)
    assert set(single["labels"].tolist()) == set(range(26))
    many = np.load(io.BytesIO(client.get("/dataset?count=40&seed=1&length=2-4").content))
    for row, text, length in zip(many["labels"], many["texts"], many["lengths"], strict=True):
        assert "".join(models.LETTERS[label] for label in row[:length]) == text
        assert (row[length:] == 26).all()
    drawn = np.asarray(picture(client, f"/generate?text={many['texts'][0]}&seed=1"))
    width = drawn.shape[1]
    start = (many["images"].shape[2] - width) // 2
    if "sizes" not in many:
        assert np.array_equal(many["images"][0][:, start : start + width], drawn)


def test_data_set_of_words_has_safe_file_names_and_equal_shares(client_of: Client) -> None:
    path = "/dataset?count=999&seed=1&format=zip&frequencies=balanced"
    archive = zipfile.ZipFile(io.BytesIO(client_of("words").get(path).content))
    table = archive.read("labels.csv").decode().splitlines()
    assert table[0] == "file,label,name"
    counts = [sum(f",{label}," in row for row in table[1:]) for label in range(3)]
    assert counts == [333, 333, 333] or sorted(counts)[0] > 330  # 999 of the first 1,002
    assert all(name.count("/") == 1 for name in archive.namelist() if name != "labels.csv")
    assert any("Round%2Fring" in name for name in archive.namelist())


@pytest.mark.parametrize("kind", ["letters", "words", "eights", "pictures"])
def test_openapi_has_the_parameters_and_examples_of_the_model(client_of: Client, kind: str) -> None:
    client = client_of(kind)
    document = client.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        ((method, operation),) = operations.items()
        if method != "get" or path == "/dataset" or "parameters" not in operation:
            continue
        needed = {
            each["name"]: each["example"]
            for each in operation["parameters"]
            if each["required"] or each["name"] == "digits"  # or text
        }
        assert client.get(path, params=needed).status_code == 200, path


def test_page_and_card_are_served_for_every_model(client_of: Client) -> None:
    for kind in ("letters", "words", "eights", "pictures"):
        assert client_of(kind).get("/").status_code == 200
        assert client_of(kind).get("/favicon.ico").status_code == 200
    names = client_of("words").get("/model").json()["label_names"]
    assert tuple(names) == models.WORDS


def test_commands_write_the_alphabet(
    folders: Callable[[str], Path],
    client_of: Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CVAE_CHECKPOINT", str(folders("letters")))
    file = tmp_path / "hello.png"
    assert draw.main(["hello", "--seed", "7", "-o", str(file)]) == 0
    assert file.read_bytes() == client_of("letters").get("/generate?text=hello&seed=7").content
    assert draw.main(["12", "-o", str(file)]) == 2
    lines = tmp_path / "texts"
    lines.write_text("hello\nworld\n")
    folder = tmp_path / "set"
    arguments = [str(folder), "--texts", str(lines), "--format", "imagefolder", "--seed", "1"]
    assert dataset.main(arguments) == 0
    assert "hello" in (folder / "train" / "metadata.csv").read_text()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["label_names"] == list(models.LETTERS)
    assert "pictures of the tests" in (folder / "README.md").read_text()


def test_reload_to_another_alphabet_changes_what_can_be_asked(
    folders: Callable[[str], Path], tmp_path: Path
) -> None:
    checkpoint = tmp_path / "checkpoint"
    checkpoint.symlink_to(folders("eights"))
    with running(CVAE_CHECKPOINT=str(checkpoint), CVAE_WATCH_SECONDS="0.2") as service:
        assert service.ask("/generate?digits=12&seed=1").status == 200
        other = tmp_path / "other"
        other.symlink_to(folders("letters"))
        other.replace(checkpoint)
        wait_until(
            lambda: service.status("/generate?text=hi&seed=1") == 200,
            "The service does not take the other checkpoint.",
        )
        assert service.ask("/generate?digits=12&seed=1").status == 422
        assert service.ask("/openapi.json").body.count(b'"text"') > 0


def test_digits_alphabet_has_the_queries_that_all_programs_use() -> None:
    assert GenerateQuery.alphabet == Query.alphabet
    assert GenerateQuery.model_validate({"digits": "007"}).canonical() == "digits=007"
