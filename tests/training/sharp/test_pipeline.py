import shutil
from pathlib import Path

import pytest
import torch

from model.checkpoint import WEIGHTS, read_checkpoint
from training.config import TrainingConfig
from training.data import LabelledImages
from training.sharp.pipeline import STAGES, Course
from training.sharp.recipe import SHARP, Recipe
from training.snapshot import SnapshotError

Mnist = tuple[LabelledImages, LabelledImages]


def tiny_recipe(sharpen_steps: int = 2) -> Recipe:
    small = {"hidden": (16,), "latent": 4}
    stages = {
        name: getattr(SHARP, name).model_copy(update={"steps": 2, "batch_size": 20})
        for name in STAGES
    }
    stages["flow"] = stages["flow"].model_copy(update={"depth": 2, "width": 8})
    stages["guide"] = stages["guide"].model_copy(update={"width": 2})
    stages["sharpen"] = stages["sharpen"].model_copy(
        update={"steps": sharpen_steps, "discriminator_width": 2, "feature_width": 4}
    )
    networks = {
        name: getattr(SHARP, name).model_copy(update=small)
        for name in ("architecture", "teacher_architecture")
    }
    return SHARP.model_copy(update={**networks, **stages})


def course(run_dir: Path, mnist: Mnist, recipe: Recipe | None = None, **changes: object) -> Course:
    config = TrainingConfig.model_validate({"preset": "sharp", "run_dir": run_dir, **changes})
    return Course(config, recipe or tiny_recipe(), *mnist, torch.device("cpu"))


def weights(run_dir: Path) -> bytes:
    return (run_dir / "checkpoint" / WEIGHTS).read_bytes()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, mnist: Mnist) -> Path:
    """The folder of a run that has come to its end."""
    run_dir = tmp_path_factory.mktemp("course")
    course(run_dir, mnist).fit()
    return run_dir


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """The same, to change."""
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def test_course_writes_a_plain_checkpoint(finished: Path) -> None:
    checkpoint = read_checkpoint(finished / "checkpoint")
    assert checkpoint.config.latent == 4
    assert checkpoint.manifest.provenance.recipe == tiny_recipe().model_dump(mode="json")
    assert checkpoint.metrics["test"]["bound"]["negative_elbo"] > 0
    assert sorted(path.stem for path in (finished / "stages").iterdir()) == sorted(STAGES)


def test_course_repeats_only_what_is_missing_and_ends_the_same(
    mnist: Mnist, finished: Path, copy: Path
) -> None:
    for stage in ("sharpen", "encoder"):
        (copy / "stages" / f"{stage}.safetensors").unlink()
    course(copy, mnist, resume=True).fit()
    assert weights(finished) == weights(copy)


def test_course_stage_after_a_changed_setting_is_refused(mnist: Mnist, copy: Path) -> None:
    with pytest.raises(SnapshotError, match=r"sharpen.safetensors was made by another recipe"):
        course(copy, mnist, tiny_recipe(sharpen_steps=3), resume=True).fit()


def test_course_resumed_with_another_seed_raises(mnist: Mnist, copy: Path) -> None:
    with pytest.raises(SnapshotError, match=r"teacher.safetensors was made by another recipe"):
        course(copy, mnist, resume=True, seed=1).fit()


def test_second_course_in_the_same_folder_raises(mnist: Mnist, finished: Path) -> None:
    with pytest.raises(SnapshotError, match="already holds a run; continue it with --resume"):
        course(finished, mnist)
