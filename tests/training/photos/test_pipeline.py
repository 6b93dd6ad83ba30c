"""The way from MNIST to the files of a reader, with a few steps of training."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from model.checkpoint import (
    PAYLOAD,
    READER,
    Checkpoint,
    CheckpointError,
    read_checkpoint,
    write_checkpoint,
)
from model.reading.frame import SIDE, framed
from model.reading.networks import open_reader
from tests.mnist import read_mnist
from training.data import load_mnist
from training.photos.classifier import Classifier, calibrate, logits_of
from training.photos.cutouts import NO_DIGIT, Cutouts
from training.photos.examples import ANYTHING, INK, Composed, compose, make_examples, target
from training.photos.export import add_reader
from training.photos.pipeline import Pipeline
from training.photos.recipe import Recipe, Steps
from training.snapshot import SnapshotError

SMALL = Recipe(
    finder_pictures=60,
    finder=Steps(count=25, batch=8, learning_rate=4e-3),
    classifier_pictures=60,
    classifier=Steps(count=20, batch=32, learning_rate=4e-3),
)
IMAGES, LABELS = read_mnist(train=True)


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("photos")


@pytest.fixture(scope="module")
def files(run_dir: Path, mnist_slice: Path) -> dict[str, bytes]:
    return Pipeline(load_mnist(mnist_slice, train=True), SMALL, run_dir).run()


@pytest.fixture
def checkpoint(tiny_checkpoint: Checkpoint, tmp_path: Path) -> Checkpoint:
    """A copy, which a test may change."""
    return read_checkpoint(shutil.copytree(tiny_checkpoint.folder, tmp_path / "checkpoint"))


def test_composed_picture_has_the_labels_of_its_digits() -> None:
    for index in range(30):
        made = compose(IMAGES, LABELS, np.random.default_rng(index))
        assert made.picture.mode == "RGB"
        assert len(made.labels) == len(made.digits)
        size = made.picture.size[::-1]
        assert all(cover.shape == size for cover in (*made.digits, made.mark, made.cut))


def test_examples_mark_ink_inside_the_picture_and_repeat_for_a_seed() -> None:
    made, again = (make_examples(IMAGES, LABELS, 40, (3,)) for _ in range(2))
    for one, other in zip(made, again, strict=True):
        assert np.array_equal(np.asarray(one), np.asarray(other))
    for wanted, (top, bottom, left, right) in zip(made.targets, made.places, strict=True):
        outside = np.ones_like(wanted, dtype=bool)
        outside[top:bottom, left:right] = False
        assert not wanted[outside].any()
    assert {INK, ANYTHING} <= set(made.targets.ravel().tolist())


def test_line_that_is_thinner_than_a_pixel_of_the_frame_is_to_be_marked() -> None:
    line = np.zeros((480, 480), dtype=np.float32)
    line[100:380, 240:242] = 1
    bare = np.zeros_like(line)
    made = Composed(Image.new("RGB", line.shape), [line], bare, bare, bare, [1])
    marked = target(framed(made.picture), made)
    assert (marked == INK).sum() == pytest.approx(280 / 480 * SIDE, abs=2)
    assert target(framed(made.picture), made._replace(digits=[], mark=line)).max() == ANYTHING


def test_reader_files_are_small_and_run(files: dict[str, bytes], checkpoint: Checkpoint) -> None:
    assert set(files) == set(READER)
    assert sum(map(len, files.values())) <= 300_000
    assert open_reader(checkpoint) is None
    changed = add_reader(checkpoint, files)
    assert changed.model_hash != checkpoint.model_hash
    reader = open_reader(read_checkpoint(changed.folder))
    assert reader is not None
    picture = Image.fromarray(255 - IMAGES[0]).convert("RGB")
    for seen in reader.read(picture):
        assert seen.shares.sum() == pytest.approx(1, abs=1e-4)


def test_training_again_skips_what_is_there_and_gives_the_same(
    files: dict[str, bytes],
    run_dir: Path,
    mnist_slice: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def train_again(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("training.photos.pipeline.train_finder", train_again)
    monkeypatch.setattr("training.photos.pipeline.train_classifier", train_again)
    again = Pipeline(load_mnist(mnist_slice, train=True), SMALL, run_dir).run()
    assert again == files


def test_folder_of_another_recipe_is_refused(
    files: dict[str, bytes], run_dir: Path, mnist_slice: Path
) -> None:
    assert files
    other = SMALL.model_copy(update={"seed": 1})
    with pytest.raises(SnapshotError, match="has a run with other settings"):
        Pipeline(load_mnist(mnist_slice, train=True), other, run_dir)


@pytest.mark.parametrize("name", ["finder", "cutouts"])
def test_damaged_file_of_a_run_is_named(
    files: dict[str, bytes], run_dir: Path, mnist_slice: Path, tmp_path: Path, name: str
) -> None:
    assert files
    copy = shutil.copytree(run_dir, tmp_path / "run")
    (copy / f"{name}.safetensors").write_bytes(b"\0" * 100)
    with pytest.raises(SnapshotError, match=rf"{name}\.safetensors is damaged .*; remove it"):
        Pipeline(load_mnist(mnist_slice, train=True), SMALL, copy).run()


def test_add_reader_keeps_the_names_of_the_labels(
    files: dict[str, bytes], checkpoint: Checkpoint, tmp_path: Path
) -> None:
    kept = {name: checkpoint.content(name) for name in PAYLOAD}
    names = tuple("abcdefghij")
    provenance = checkpoint.manifest.provenance
    letters = write_checkpoint(
        tmp_path / "letters", checkpoint.config, provenance, kept, lambda _: None, names
    )
    assert add_reader(letters, files).manifest.label_names == names


def test_add_reader_refuses_other_files(checkpoint: Checkpoint) -> None:
    with pytest.raises(CheckpointError):
        add_reader(checkpoint, {"reader.bin": b""})


def test_calibrate_makes_an_overconfident_classifier_as_sure_as_it_is_right() -> None:
    rng = torch.Generator().manual_seed(0)
    classifier = Classifier().eval()
    digits = torch.randint(0, 256, (600, 28, 28), generator=rng).byte().numpy()
    with torch.no_grad():
        for part in classifier.scores.parameters():
            part.mul_(40)
    likely = torch.softmax(logits_of(classifier, digits) / 3, dim=1)
    labels = torch.multinomial(likely, 1, generator=rng)[:, 0].byte().numpy()
    temperature = calibrate(classifier, Cutouts(digits, labels))
    assert 2.2 <= temperature <= 3
    assert torch.allclose(torch.softmax(logits_of(classifier, digits), dim=1), likely, atol=0.2)
    assert likely.shape[1] - 1 == NO_DIGIT
