import io
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from docs.stages import picture, read_stages, rows
from model.checkpoint import WEIGHTS, read_checkpoint
from model.config import ARTICLE, CVAEConfig
from model.torch_engine import load_cvae
from tests.training.conftest import CPU, Mnist
from training.config import TrainingConfig
from training.data import DataSet, LabelledImages
from training.sharp.pipeline import STAGES, Pipeline
from training.sharp.recipe import SHARP, Recipe
from training.snapshot import SnapshotError


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


def pipeline(
    run_dir: Path, mnist: Mnist, recipe: Recipe | None = None, **options: object
) -> Pipeline:
    config = TrainingConfig.model_validate({"preset": "sharp", "run_dir": run_dir, **options})
    data = DataSet("MNIST", "handwritten digits", "A slice.", tuple("0123456789"), *mnist)
    return Pipeline(config, recipe or tiny_recipe(), data, CPU)


def weights(run_dir: Path) -> bytes:
    return (run_dir / "checkpoint" / WEIGHTS).read_bytes()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, mnist: Mnist) -> Path:
    """The folder of a finished run."""
    run_dir = tmp_path_factory.mktemp("sharp")
    pipeline(run_dir, mnist).fit()
    return run_dir


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """A copy of it, to change."""
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def test_fit_writes_a_checkpoint_and_a_file_per_stage(finished: Path) -> None:
    checkpoint = read_checkpoint(finished / "checkpoint")
    assert checkpoint.config.latent == 4
    assert checkpoint.manifest.provenance.recipe == tiny_recipe().model_dump(mode="json")
    assert checkpoint.metrics["test"]["bound"]["negative_elbo"] > 0
    assert sorted(path.stem for path in (finished / "stages").iterdir()) == sorted(STAGES)


def test_resumed_run_repeats_missing_stages_only_and_ends_the_same(
    mnist: Mnist, finished: Path, copy: Path
) -> None:
    for stage in ("sharpen", "encoder"):
        (copy / "stages" / f"{stage}.safetensors").unlink()
    pipeline(copy, mnist, resume=True).fit()
    assert weights(finished) == weights(copy)


@pytest.mark.parametrize(("sharpen_steps", "seed", "stage"), [(3, 0, "sharpen"), (2, 1, "teacher")])
def test_resumed_run_with_another_setting_or_seed_raises(
    mnist: Mnist, copy: Path, sharpen_steps: int, seed: int, stage: str
) -> None:
    run = pipeline(copy, mnist, tiny_recipe(sharpen_steps), resume=True, seed=seed)
    with pytest.raises(SnapshotError, match=rf"{stage}.safetensors is from another recipe"):
        run.fit()


def test_second_run_in_the_same_folder_raises(mnist: Mnist, finished: Path) -> None:
    with pytest.raises(SnapshotError, match="already holds a run; continue it with --resume"):
        pipeline(finished, mnist)


def test_sharp_decoder_costs_no_more_than_that_of_the_article() -> None:
    def products(config: CVAEConfig) -> int:
        return sum(inputs * outputs for inputs, outputs in pairwise(config.decoder_sizes))

    assert products(SHARP.architecture) <= products(ARTICLE)
    for size in ("latent", "classes", "conditional"):  # teacher and student share noise and labels
        assert getattr(SHARP.architecture, size) == getattr(SHARP.teacher_architecture, size)


def test_shortened_recipe_has_fewer_steps_and_averages_over_the_same_share() -> None:
    assert SHARP.shortened(1) == SHARP
    short = SHARP.shortened(0.25)
    for name in STAGES:
        whole, part = getattr(SHARP, name), getattr(short, name)
        assert part.steps == whole.steps // 4
        assert part.average**part.steps == pytest.approx(whole.average**whole.steps)
    assert short.sharpen.anchor_block == SHARP.sharpen.anchor_block
    assert SHARP.shortened(1e-9).flow.steps == 1


def test_picture_of_stages_ends_with_what_the_checkpoint_draws(
    finished: Path, mnist: Mnist
) -> None:
    checkpoint = read_checkpoint(finished / "checkpoint")
    stages = read_stages(finished)
    assert stages.finished.state_dict().keys() == load_cvae(checkpoint).state_dict().keys()
    for name, kept in load_cvae(checkpoint).state_dict().items():
        assert torch.equal(stages.finished.state_dict()[name], kept), name
    drawn = rows(stages, mnist[1])
    assert len(drawn) == len(STAGES)
    assert not torch.equal(drawn[2].pixels, drawn[3].pixels)  # sharpening changed them
    made = Image.open(io.BytesIO(picture(drawn, checkpoint.config)))
    assert made.width > 28 * len(drawn[0].pixels)


def test_recipe_has_statistics_of_form_for_placed_boxes_only(mnist: Mnist) -> None:
    shifted = [LabelledImages(part.images.roll(1, dims=2), part.labels) for part in mnist]
    boxes, whole = (
        SHARP.fitted(DataSet("digits", "digits", "", tuple("0123456789"), *parts))
        for parts in (mnist, shifted)
    )
    assert boxes.refine == SHARP.refine
    assert whole.architecture.canvas is None
    assert (whole.refine.lone_ink_weight, whole.refine.reach_weight) == (0, 0)
    assert whole.refine.guide_weight == SHARP.refine.guide_weight


def test_recipe_with_unknown_setting_raises() -> None:
    with pytest.raises(ValidationError):
        Recipe.model_validate({**SHARP.model_dump(), "colour": "red"})
