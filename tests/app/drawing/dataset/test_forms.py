"""Each form is read back by the library that it is made for."""

import csv
import gc
import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.dataset import main

VARIED = ["--length=1-4", "--writers=10", "--boxes=on", "--gap=0-3", "--split=train=0.8,test=0.2"]
COUNT, SHARD = 60, 20
# `datasets` and `webdataset` leave the files open that they read.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Closes these files in the test that opened them."""
    yield
    gc.collect()


def written(folder: Path, form: str, *options: str) -> Path:
    if form == "parquet":
        pytest.importorskip("pyarrow")
    words = [f"--count={COUNT}", f"--shard-size={SHARD}", "--seed=7", f"--format={form}"]
    assert main([str(folder), *words, *options]) == 0
    return folder


def arrays_of(folder: Path, split: str) -> dict[str, np.ndarray]:
    """The arrays of all shards of a split, as numpy reads them."""
    shards = [dict(np.load(path)) for path in sorted(folder.glob(f"{split}-*.npz"))]
    return {name: np.concatenate([shard[name] for shard in shards]) for name in shards[0]}


def levels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """60 digits as arrays, which the other forms must hold too."""
    folder = written(tmp_path_factory.mktemp("digits") / "npz", "npz")
    return arrays_of(folder, "train")


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, np.ndarray]]:
    """Numbers with all labels, as arrays, by split."""
    folder = written(tmp_path_factory.mktemp("varied") / "npz", "npz", *VARIED)
    return {split: arrays_of(folder, split) for split in ("train", "test")}


def picture(arrays: dict[str, np.ndarray], row: int) -> np.ndarray:
    """The part of an image of varied size that is the picture."""
    height, width = arrays["sizes"][row]
    image: np.ndarray = arrays["images"][row][:height, :width]
    return image


def boxes(arrays: dict[str, np.ndarray], row: int) -> list[list[int]]:
    found: list[list[int]] = arrays["boxes"][row][: arrays["lengths"][row]].tolist()
    return found


def test_splits_have_writers_of_their_own(varied: dict[str, dict[str, np.ndarray]]) -> None:
    assert {split: len(arrays["images"]) for split, arrays in varied.items()} == {
        "train": 48,
        "test": 12,
    }
    assert set(varied["train"]["writers"].tolist()) == set(range(8))
    assert set(varied["test"]["writers"].tolist()) == {8, 9}


def test_npz_labels_are_integers_that_torch_takes(digits: dict[str, np.ndarray]) -> None:
    torch = pytest.importorskip("torch")
    labels = torch.from_numpy(digits["labels"])
    assert labels.dtype == torch.int64
    assert (labels == 3).sum() == (digits["labels"] == 3).sum() > 0


def test_idx_is_read_as_mnist_by_torchvision(tmp_path: Path, digits: dict[str, np.ndarray]) -> None:
    mnist = pytest.importorskip("torchvision.datasets").MNIST
    folder = written(tmp_path / "idx", "idx")
    train, test = mnist(str(folder), train=True), mnist(str(folder), train=False)
    assert (len(train), len(test)) == (51, 9)
    images = np.concatenate([train.data.numpy(), test.data.numpy()])
    assert np.array_equal(images, digits["images"])
    assert [*train.targets.tolist(), *test.targets.tolist()] == digits["labels"].tolist()


def test_idx_has_the_bytes_of_its_definition(tmp_path: Path, digits: dict[str, np.ndarray]) -> None:
    raw = written(tmp_path / "idx", "idx") / "MNIST" / "raw"
    images, labels = digits["images"], digits["labels"].astype(np.uint8)
    files = {
        "train-images-idx3-ubyte": struct.pack(">4I", 2051, 51, 28, 28) + images[:51].tobytes(),
        "train-labels-idx1-ubyte": struct.pack(">2I", 2049, 51) + labels[:51].tobytes(),
        "t10k-images-idx3-ubyte": struct.pack(">4I", 2051, 9, 28, 28) + images[51:].tobytes(),
        "t10k-labels-idx1-ubyte": struct.pack(">2I", 2049, 9) + labels[51:].tobytes(),
    }
    assert {path.name: path.read_bytes() for path in raw.iterdir()} == files


def test_idx_begins_like_the_files_of_mnist(tmp_path: Path, mnist_slice: Path) -> None:
    raw = written(tmp_path / "idx", "idx") / "MNIST" / "raw"
    for path in raw.iterdir():
        real = (mnist_slice / "MNIST" / "raw" / path.name).read_bytes()
        assert path.read_bytes()[:4] == real[:4]
        assert path.read_bytes()[8:16] == real[8:16] or "labels" in path.name


def test_image_folder_of_digits_is_read_by_torchvision(
    tmp_path: Path, digits: dict[str, np.ndarray]
) -> None:
    image_folder = pytest.importorskip("torchvision.datasets").ImageFolder
    data = image_folder(str(written(tmp_path / "folder", "imagefolder") / "train"))
    assert data.classes == list("0123456789")
    rows = {int(Path(path).stem): index for index, (path, _) in enumerate(data.samples)}
    for row in range(COUNT):
        image, label = data[rows[row]]
        assert label == digits["labels"][row]
        assert np.array_equal(np.asarray(image)[..., 0], digits["images"][row])


def test_image_folder_of_digits_is_read_by_datasets(
    tmp_path: Path, digits: dict[str, np.ndarray]
) -> None:
    folder = written(tmp_path / "folder", "imagefolder")
    data = loaded("imagefolder", tmp_path, data_dir=str(folder))["train"]
    assert [row["label"] for row in data] == digits["labels"].tolist()
    assert np.array_equal(np.stack([np.asarray(row["image"]) for row in data]), digits["images"])


def test_image_folder_of_numbers_is_read_by_datasets_with_leading_zeros(
    tmp_path: Path, varied: dict[str, dict[str, np.ndarray]]
) -> None:
    datasets = pytest.importorskip("datasets")
    folder = written(tmp_path / "folder", "imagefolder", *VARIED)
    text, number = datasets.Value("string"), datasets.Value("int64")
    features = datasets.Features(
        {"image": datasets.Image(), "text": text, "writer": number, "boxes": text}
    )
    card = (folder / "README.md").read_text()
    assert eval(card.split("features = ")[1].split("data = ")[0]) == features
    data = loaded("imagefolder", tmp_path, data_dir=str(folder), features=features)
    assert any(text.startswith("0") for text in varied["train"]["texts"])
    for split, arrays in varied.items():
        assert len(data[split]) == len(arrays["texts"])
        for row, found in enumerate(data[split]):
            assert found["text"] == arrays["texts"][row]
            assert found["writer"] == arrays["writers"][row]
            assert json.loads(found["boxes"]) == boxes(arrays, row)
            assert np.array_equal(np.asarray(found["image"]), picture(arrays, row))


def test_gt_txt_has_a_path_and_a_text_in_each_line(
    tmp_path: Path, varied: dict[str, dict[str, np.ndarray]]
) -> None:
    folder = written(tmp_path / "folder", "imagefolder", *VARIED) / "test"
    with (folder / "gt.txt").open(newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    assert [text for _, text in rows] == varied["test"]["texts"].tolist()
    for row, (name, _) in enumerate(rows):
        assert np.array_equal(np.asarray(Image.open(folder / name)), picture(varied["test"], row))


def test_marks_are_kept_in_every_table(tmp_path: Path) -> None:
    texts = ["1,000", "3.14", "12:30", "1/2 3", "-7"]
    (tmp_path / "texts.txt").write_text("\n".join(texts))
    more = [f"--texts={tmp_path / 'texts.txt'}", "--count=5", "--boxes=on", "--seed=7"]
    for form in ("imagefolder", "zip", "webdataset"):
        assert main([str(tmp_path / form), f"--format={form}", *more]) == 0
    table = (tmp_path / "imagefolder" / "train" / "metadata.csv").read_text()
    assert [row["text"] for row in csv.DictReader(io.StringIO(table))] == texts
    lines = (tmp_path / "imagefolder" / "train" / "gt.txt").read_text().splitlines()
    assert [line.split("\t")[1] for line in lines] == texts
    with zipfile.ZipFile(tmp_path / "zip" / "train-00000-of-00001.zip") as archive:
        rows = list(csv.DictReader(io.TextIOWrapper(archive.open("labels.csv"))))
        assert all(archive.read(row["file"])[1:4] == b"PNG" for row in rows)
    assert [row["label"] for row in rows] == texts
    with tarfile.open(tmp_path / "webdataset" / "train-00000-of-00001.tar") as tar:
        content = [tar.extractfile(name) for name in tar.getnames() if name.endswith(".json")]
        found = [json.loads(file.read()) for file in content if file is not None]
    assert [facts["text"] for facts in found] == texts
    assert [len(facts["boxes"]) for facts in found] == list(map(len, texts))
    manifest = json.loads((tmp_path / "zip" / "manifest.json").read_text())
    assert manifest["digits"] == [4, 4, 2, 3, 1, 0, 0, 1, 0, 0]


@pytest.mark.parametrize("form", ["parquet", "webdataset"])
def test_form_of_digits_is_read_by_datasets(
    tmp_path: Path, form: str, digits: dict[str, np.ndarray]
) -> None:
    folder = written(tmp_path / "data", form)
    data = loaded(form, tmp_path, data_dir=str(folder))["train"]
    image, label = ("image", "label") if form == "parquet" else ("png", "cls")
    assert [row[label] for row in data] == digits["labels"].tolist()
    assert np.array_equal(np.stack([np.asarray(row[image]) for row in data]), digits["images"])


def test_parquet_of_numbers_is_read_by_datasets(
    tmp_path: Path, varied: dict[str, dict[str, np.ndarray]]
) -> None:
    folder = written(tmp_path / "data", "parquet", *VARIED)
    data = loaded("parquet", tmp_path, data_dir=str(folder))
    assert type(data["train"].features["image"]).__name__ == "Image"
    for split, arrays in varied.items():
        for row, found in enumerate(data[split]):
            assert (found["text"], found["writer"]) == (
                arrays["texts"][row],
                arrays["writers"][row],
            )
            assert found["boxes"] == boxes(arrays, row)
            assert np.array_equal(np.asarray(found["image"]), picture(arrays, row))


def test_parquet_labels_are_classes_with_names(tmp_path: Path) -> None:
    folder = written(tmp_path / "data", "parquet")
    data = loaded("parquet", tmp_path, data_dir=str(folder))["train"]
    assert data.features["label"].names == list("0123456789")


def test_tar_shards_are_read_by_webdataset(
    tmp_path: Path, varied: dict[str, dict[str, np.ndarray]]
) -> None:
    webdataset = pytest.importorskip("webdataset")
    folder = written(tmp_path / "data", "webdataset", *VARIED)
    for split, arrays in varied.items():
        shards = [str(path) for path in sorted(folder.glob(f"{split}-*.tar"))]
        samples = list(webdataset.WebDataset(shards, shardshuffle=False).decode())
        assert [sample["txt"] for sample in samples] == arrays["texts"].tolist()
        for row, sample in enumerate(samples):
            assert sample["json"]["writer"] == arrays["writers"][row]
            assert sample["json"]["boxes"] == boxes(arrays, row)


def test_pngs_of_a_tar_shard_are_the_pictures(
    tmp_path: Path, digits: dict[str, np.ndarray]
) -> None:
    webdataset = pytest.importorskip("webdataset")
    folder = written(tmp_path / "data", "webdataset")
    shards = [str(path) for path in sorted(folder.glob("*.tar"))]
    samples = list(webdataset.WebDataset(shards, shardshuffle=False))
    assert [int(sample["cls"]) for sample in samples] == digits["labels"].tolist()
    pictures = np.stack([levels(sample["png"]) for sample in samples])
    assert np.array_equal(pictures, digits["images"])


def test_colours_are_those_asked_for(tmp_path: Path) -> None:
    folder = written(tmp_path / "folder", "imagefolder", "--ink=1a237e", "--paper=ffffff")
    path = next(folder.rglob("*.png"))
    colours = np.asarray(Image.open(path).convert("RGB")).reshape(-1, 3).astype(int)
    assert (colours == 255).all(axis=1).any()
    assert (colours[:, 2] >= colours[:, 0]).all()
    assert (colours.min(axis=0) < (60, 80, 160)).all()


def loaded(form: str, cache: Path, **options: Any) -> Any:
    """What `datasets.load_dataset` reads, without the internet."""
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    return datasets.load_dataset(form, cache_dir=str(cache / "cache"), **options)
