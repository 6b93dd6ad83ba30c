"""Pictures of one's own, in every layout and with every damage."""

import csv
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from training.data.idx import read_idx
from training.data.images import DataError, DataSet
from training.data.own import load_images
from training.data.picture import Rules

Levels = NDArray[np.uint8]
MakeFolder = Callable[..., Path]


def stroke(seed: int, side: int = 28, dark: bool = True) -> Levels:
    """A thick stroke somewhere in the middle of paper, different for each seed."""
    rng = np.random.default_rng(seed)
    levels = np.zeros((side, side), np.uint8)
    top, left = rng.integers(side // 4, side // 2, 2)
    block = rng.integers(200, 250, (side // 3, side // 6))
    levels[top : top + side // 3, left : left + side // 6] = block
    return 255 - levels if dark else levels


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """A folder per label, with `count` pictures in each."""

    def make(labels: str = "abc", count: int = 20, side: int = 28, dark: bool = True) -> Path:
        folder = tmp_path / "letters"
        for number, label in enumerate(labels):
            (folder / label).mkdir(parents=True)
            for index in range(count):
                picture = Image.fromarray(stroke(1000 * number + index, side, dark))
                picture.save(folder / label / f"{index}.png")
        return folder

    return make


def notes(data: DataSet) -> str:
    return "\n".join(data.notes)


def test_folder_per_label_keeps_names_and_is_split_by_hash(make_folder: MakeFolder) -> None:
    folder = make_folder(count=100)
    data, again = load_images(folder, Rules()), load_images(folder, Rules(size=20))
    assert data.label_names == ("a", "b", "c")
    assert data.name == "letters"
    assert len(data.train) + len(data.test) == 300
    assert Counter(data.test.labels.tolist()) == {0: 10, 1: 10, 2: 10}
    assert data.test.labels.tolist() == again.test.labels.tolist()
    both = [{image.numpy().tobytes() for image in part.images} for part in (data.train, data.test)]
    assert not both[0] & both[1]
    assert "MNIST" not in data.about


@pytest.mark.parametrize("dark", [True, False])
def test_ink_becomes_light_on_dark(make_folder: MakeFolder, dark: bool) -> None:
    data = load_images(make_folder(dark=dark), Rules())
    assert data.train.images[:, 0].max() == 0
    assert data.train.images.max() > 190
    assert f"{'dark' if dark else 'light'} ink" in data.facts


def test_given_split_is_kept(make_folder: MakeFolder, tmp_path: Path) -> None:
    folder = make_folder(count=10)
    for part, name in (("train", "letters"), ("test", "letters")):
        for label in "abc":
            kept = range(8) if part == "train" else range(8, 10)
            target = tmp_path / "split" / part / label
            target.mkdir(parents=True)
            for index in kept:
                (target / f"{index}.png").write_bytes(
                    (tmp_path / name / label / f"{index}.png").read_bytes()
                )
    assert folder.exists()
    data = load_images(tmp_path / "split", Rules())
    assert (len(data.train), len(data.test)) == (24, 6)


def test_numbers_as_labels_are_in_order_of_their_value(make_folder: MakeFolder) -> None:
    folder = make_folder("123")
    (folder / "1").rename(folder / "10")
    assert load_images(folder, Rules()).label_names == ("2", "3", "10")


def test_metadata_csv_gives_labels_and_split(make_folder: MakeFolder) -> None:
    folder = make_folder(count=10)
    with (folder / "metadata.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file_name", "label", "split"])
        for label in "abc":
            for index in range(10):
                part = "test" if index == 0 else "train"
                writer.writerow([f"{label}/{index}.png", f"letter {label}", part])
        writer.writerow(["a/none.png", "letter a", "train"])
        writer.writerow(["../outside.png", "letter a", "train"])
    Image.fromarray(stroke(1)).save(folder.parent / "outside.png")
    data = load_images(folder, Rules())
    assert data.label_names == ("letter a", "letter b", "letter c")
    assert (len(data.train), len(data.test)) == (27, 3)
    assert "Entries that are named in metadata.csv and do not exist, left out: 1." in notes(data)
    assert "Entries that are links out of the folder, left out: 1." in notes(data)


def test_npz_with_colours_and_names(tmp_path: Path) -> None:
    grey = np.stack([stroke(seed, dark=False) for seed in range(40)])
    np.savez(
        tmp_path / "signs.npz",
        x_train=np.repeat(grey[:30, :, :, None], 3, axis=3),
        y_train=np.arange(30) % 2,
        x_test=np.repeat(grey[30:, :, :, None], 3, axis=3),
        y_test=np.arange(10) % 2,
        label_names=np.array(["yes", "no"]),
    )
    data = load_images(tmp_path / "signs.npz", Rules())
    assert data.label_names == ("yes", "no")
    assert (len(data.train), len(data.test)) == (30, 10)
    assert {image.numpy().tobytes() for image in data.test.images} == {
        image.tobytes() for image in grey[30:]
    }


def test_idx_files_with_other_names(mnist_slice: Path) -> None:
    names = tuple(f"digit {number}" for number in range(10))
    data = load_images(mnist_slice / "MNIST" / "raw", Rules(), names)
    assert data.label_names == names
    assert (len(data.train), len(data.test)) == (1000, 200)
    raw = read_idx(mnist_slice / "MNIST" / "raw" / "t10k-images-idx3-ubyte")
    assert {image.numpy().tobytes() for image in data.test.images} == {
        image.tobytes() for image in raw
    }


def test_wrong_number_of_names_raises(make_folder: MakeFolder) -> None:
    with pytest.raises(DataError, match=r"has 2 names for 3 labels \(a, b, c\); give one name"):
        load_images(make_folder(), Rules(), ("x", "y"))


def test_broken_image_among_many_is_left_out_with_its_name(make_folder: MakeFolder) -> None:
    folder = make_folder()
    (folder / "a" / "3.png").write_bytes((folder / "a" / "3.png").read_bytes()[:50])
    (folder / "a" / "notes.txt").write_text("not a picture")
    data = load_images(folder, Rules())
    assert len(data.train) + len(data.test) == 59
    assert f"Pictures that cannot be read, left out: 1 ({Path('a', '3.png')}: " in notes(data)
    assert "Entries that do not have the name of a picture, left out: 1." in notes(data)


def test_empty_label_is_left_out(make_folder: MakeFolder) -> None:
    folder = make_folder()
    (folder / "d").mkdir()
    data = load_images(folder, Rules())
    assert data.label_names == ("a", "b", "c")
    assert "Labels with no picture to train on, left out: 1 (d)." in notes(data)


def test_one_label_is_taken_with_a_note(make_folder: MakeFolder) -> None:
    data = load_images(make_folder("a"), Rules())
    assert data.classes == 1
    assert "There is one label only (a)" in notes(data)


def test_five_pictures_are_taken_with_notes(make_folder: MakeFolder) -> None:
    data = load_images(make_folder("abcde", count=1), Rules())
    assert len(data.train) == 5
    assert data.label_names == tuple("abcde")
    assert "There are too few pictures for a test part" in notes(data)
    assert "Training pictures of the rarest label: 1" in notes(data)


def test_equal_pictures_of_a_label_are_in_one_part(make_folder: MakeFolder) -> None:
    folder = make_folder("ab", count=2)
    for path in (folder / "a").iterdir():
        for copy in range(8):
            shutil.copy(path, path.with_name(f"{copy}-{path.name}"))
    data = load_images(folder, Rules())
    assert Counter(data.test.labels.tolist()) == {0: 9, 1: 1}
    assert Counter(data.train.labels.tolist()) == {0: 9, 1: 1}


def test_thousand_labels_are_taken(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 60, (3000, 12, 12)).astype(np.uint8)
    np.savez(tmp_path / "many.npz", images=images, labels=np.arange(3000) % 1000)
    data = load_images(tmp_path / "many.npz", Rules(size=12))
    assert data.classes == 1000
    assert Counter(data.test.labels.tolist()) == dict.fromkeys(range(1000), 1)
    assert data.label_names[:3] == ("0", "1", "2")
    assert "of the rarest label: 2; below about 100" in notes(data)


def test_mixed_sizes_animated_and_deep_pictures_are_counted(make_folder: MakeFolder) -> None:
    folder = make_folder()
    frames = [Image.fromarray(stroke(seed)) for seed in (1, 2)]
    frames[0].save(folder / "a" / "moving.gif", save_all=True, append_images=frames[1:])
    deep = stroke(5000).astype(np.uint16) * 257
    Image.fromarray(deep).save(folder / "b" / "deep.png")
    Image.fromarray(stroke(6000, side=100)[:70]).save(folder / "c" / "wide.png")
    data = load_images(folder, Rules())
    assert "Animated pictures: 1" in notes(data)
    assert "Pictures of more than 8 bits: 1" in notes(data)
    assert "2 different sizes, from 28 x 28 to 100 x 70 pixels" in notes(data)
    shallow = stroke(5000)
    assert any(np.array_equal(255 - shallow, image) for image in data.train.images.numpy()) or any(
        np.array_equal(255 - shallow, image) for image in data.test.images.numpy()
    )


def test_links_out_of_the_folder_are_left_out(make_folder: MakeFolder, tmp_path: Path) -> None:
    folder = make_folder()
    Image.fromarray(stroke(9)).save(tmp_path / "secret.png")
    (folder / "a" / "link.png").symlink_to(tmp_path / "secret.png")
    (tmp_path / "elsewhere").mkdir()
    (folder / "d").symlink_to(tmp_path / "elsewhere")
    data = load_images(folder, Rules())
    assert len(data.train) + len(data.test) == 60
    assert "Entries that are links out of the folder, left out: 2." in notes(data)


def test_other_polarity_and_contradicting_labels_are_noted(make_folder: MakeFolder) -> None:
    folder = make_folder()
    Image.fromarray(255 - stroke(77)).save(folder / "a" / "turned.png")
    Image.fromarray(255 - stroke(78)).save(folder / "b" / "turned.png")
    (folder / "c" / "copy.png").write_bytes((folder / "a" / "0.png").read_bytes())
    text = notes(load_images(folder, Rules()))
    assert "Pictures of the other polarity: 2 of 63" in text
    assert "Pictures that repeat one of another label: 1" in text


def test_small_pale_ink_on_grey_paper_is_noted_with_the_cure(tmp_path: Path) -> None:
    levels = np.full((40, 60, 60), 60, np.uint8)
    levels[:, 25:35, 25:35] = 150
    levels[:, 0, 0] = np.arange(40)
    np.savez(tmp_path / "scan.npz", images=levels, labels=np.arange(40) % 2)
    text = notes(load_images(tmp_path / "scan.npz", Rules()))
    assert "--contrast stretch makes it 0" in text
    assert "--contrast stretch makes it 255" in text
    assert "--fit ink crops and centres it" in text
    cured = load_images(tmp_path / "scan.npz", Rules(fit="ink", contrast="stretch"))
    assert not {"contrast", "fit"} & {word.strip("-") for word in notes(cured).split()}
    assert cured.train.images.float().amax(dim=(1, 2)).min() == 255
    assert cured.train.images[:, 0].max() == 0


def test_counts_of_the_labels_are_right(make_folder: MakeFolder) -> None:
    data = load_images(make_folder(count=7), Rules())
    counts = Counter(data.train.labels.tolist()) + Counter(data.test.labels.tolist())
    assert counts == {0: 7, 1: 7, 2: 7}


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda _: None, "does not exist; give one that has a folder per label"),
        (lambda path: path.write_text("x"), "is not a folder or an .npz file"),
        (lambda path: path.mkdir(), "There is no labelled picture in .*left out: none"),
        (lambda path: (path / "a").mkdir(parents=True), "There is no labelled picture in"),
    ],
)
def test_nothing_to_train_on_raises(
    tmp_path: Path, make: Callable[[Path], object], sentence: str
) -> None:
    make(tmp_path / "none")
    with pytest.raises(DataError, match=sentence):
        load_images(tmp_path / "none", Rules())


def test_pictures_without_labels_raise_with_their_number(tmp_path: Path) -> None:
    Image.fromarray(stroke(1)).save(tmp_path / "1.png")
    with pytest.raises(DataError, match=r"1 lie directly in .*, which gives them no label"):
        load_images(tmp_path, Rules())


def test_only_broken_pictures_raise(make_folder: MakeFolder) -> None:
    folder = make_folder("a", count=2)
    for file in (folder / "a").iterdir():
        file.write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"None of the 2 pictures in .* can be read"):
        load_images(folder, Rules())


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"pictures": np.zeros(3)}, "has the arrays pictures, expected one or more of the pairs"),
        ({"images": np.zeros((3, 9)), "labels": np.zeros(3)}, "have the shape \\(3, 9\\)"),
        ({"images": np.zeros((3, 9, 9)), "labels": np.zeros(2)}, "found 3 images and 2 labels"),
        ({"images": np.zeros((3, 0, 9)), "labels": np.zeros(3)}, "have the shape \\(3, 0, 9\\)"),
        ({"images": np.zeros((3, 9, 9)), "labels": np.array([0, 1, np.nan])}, "not whole"),
        ({"images": np.zeros((3, 9, 9)), "labels": np.eye(3, 4) * 2}, "or one-hot rows"),
        (
            {"images": np.zeros((3, 9, 9)), "labels": np.arange(3), "label_names": ["a", "b"]},
            "2 different label_names for labels from 0 to 2",
        ),
        (
            {"images": np.zeros((2, 9, 9)), "labels": np.arange(2), "label_names": ["a", "a"]},
            "1 different label_names for labels from 0 to 1",
        ),
        (
            {"images": np.zeros((2, 9, 9)), "labels": [-1, 1], "label_names": ["a", "b"]},
            "2 different label_names for labels from -1 to 1",
        ),
    ],
)
def test_unsuitable_npz_raises(tmp_path: Path, arrays: dict[str, Any], sentence: str) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=sentence):
        load_images(tmp_path / "a.npz", Rules())


@pytest.mark.parametrize("content", [b"", b"nothing", None])
def test_file_that_is_no_npz_raises(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.npz"
    if content is None:
        with path.open("wb") as file:
            np.save(file, np.zeros((3, 9, 9)))
    else:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"cannot be read as \.npz"):
        load_images(path, Rules())


@pytest.mark.parametrize("kind", [int, float, bool, "bytes", "one-hot"])
def test_npz_takes_labels_of_every_kind(tmp_path: Path, kind: Any) -> None:
    numbers, images = np.arange(20) % 2, np.stack([stroke(seed) for seed in range(20)])
    forms = {"bytes": np.array([b"no", b"yes"])[numbers], "one-hot": np.eye(2, dtype=int)[numbers]}
    labels = forms[kind] if kind in forms else numbers.astype(kind)
    np.savez(tmp_path / "a.npz", images=images, labels=labels)
    expected = {bool: ("False", "True"), "bytes": ("no", "yes")}.get(kind, ("0", "1"))
    assert load_images(tmp_path / "a.npz", Rules()).label_names == expected


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32, np.bool_])
def test_masks_are_black_and_white_whatever_their_type(tmp_path: Path, kind: Any) -> None:
    masks = np.stack([stroke(seed, dark=False) > 0 for seed in range(20)])
    masks[0] = False
    np.savez(tmp_path / "a.npz", images=masks.astype(kind), labels=np.arange(20) % 2)
    data = load_images(tmp_path / "a.npz", Rules())
    assert set(np.unique(data.train.images).tolist()) == {0, 255}


def test_levels_of_one_array_have_one_scale(tmp_path: Path) -> None:
    images = np.stack([stroke(seed, dark=False) for seed in range(20)]).astype(np.float32)
    images[7] = images[7] > 0  # a faint picture, with levels of 0 and 1
    np.savez(tmp_path / "a.npz", images=images, labels=np.arange(20) % 2)
    assert "Blank pictures: 1." in load_images(tmp_path / "a.npz", Rules()).notes


@pytest.mark.parametrize("name", ["\u200b", "a" * 101, "x\u200dy"])
def test_name_that_no_checkpoint_can_have_raises_before_the_training(
    make_folder: MakeFolder, name: str
) -> None:
    folder = make_folder("ab", count=3)
    (folder / "b").rename(folder / name)
    with pytest.raises(DataError, match="expected 1 to 100, all of them printable; rename it"):
        load_images(folder, Rules())
    assert load_images(folder, Rules(), ["a", "b"]).label_names == ("a", "b")


def test_metadata_of_the_whole_folder_names_the_pictures_of_its_parts(
    make_folder: MakeFolder,
) -> None:
    folder = make_folder("ab", count=4)
    lines = ["file_name,label"]
    for source, part in (("a", "train"), ("b", "test")):
        (folder / source).rename(folder / part)
        lines += [f"{part}/{index}.png,{'cat' if index % 2 else 'dog'}" for index in range(4)]
    (folder / "metadata.csv").write_text("\n".join(lines))
    data = load_images(folder, Rules())
    assert data.label_names == ("cat", "dog")
    assert (len(data.train), len(data.test)) == (4, 4)
    assert "split as given" in data.facts


def test_folders_beside_one_that_is_called_train_are_not_lost_silently(
    make_folder: MakeFolder,
) -> None:
    folder = make_folder("abc", count=4)
    (folder / "train").mkdir()
    (folder / "a").rename(folder / "train" / "a")
    told = "lie beside the folder train, which is a part of the pictures unless it is renamed"
    assert f"Entries that {told}, left out: 8." in load_images(folder, Rules()).notes


def test_test_pictures_that_are_trained_on_are_noted(make_folder: MakeFolder) -> None:
    folder = make_folder("ab", count=4)
    for part in ("train", "test"):
        for label in "ab":
            shutil.copytree(folder / label, folder / part / label)
    for label in "ab":
        shutil.rmtree(folder / label)
    data = load_images(folder, Rules())
    assert "Test pictures that are trained on too: 8; the test loss flatters." in data.notes
    assert "too few pictures for a test part" not in notes(data)


def test_data_set_is_called_as_its_folder(make_folder: MakeFolder) -> None:
    folder = make_folder("ab", count=4)
    assert load_images(folder.rename(folder.with_name("my.data.v2")), Rules()).name == "my.data.v2"


def test_metadata_without_a_label_column_raises(tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_text("file_name,kind\na.png,b\n")
    with pytest.raises(DataError, match="has the columns file_name, kind, expected file_name and"):
        load_images(tmp_path, Rules())
