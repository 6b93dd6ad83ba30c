"""The report of a run: one file that needs nothing else, with numbers that are right."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from model.config import CVAEConfig
from model.cvae import CVAE
from model.objective import gaussian_kl
from tests.training.conftest import CPU, MakeTrainer
from training.data import DataSet
from training.report.latent import Posteriors, leading_directions, posteriors, t_sne
from training.report.page import write_report


@pytest.mark.parametrize("options", [{}, {"latent": 2, "conditional": False}])
def test_report_is_one_page_and_pictures(
    make_trainer: MakeTrainer, mnist_data: DataSet, tmp_path: Path, options: dict[str, object]
) -> None:
    checkpoint = make_trainer(tmp_path / "run", **{"epochs": 1, **options}).fit()
    assert checkpoint is not None
    page = write_report(checkpoint, mnist_data, tmp_path / "report", 0, CPU)
    text = page.read_text()
    assert not re.findall(r"(?:src|href)=\"(?!data:)", text)
    bound = checkpoint.metrics["test"]["bound"]["negative_elbo"]
    assert f"{bound:.2f} nats" in text
    expected = {"loss", "reconstructions", "samples", "interpolations", "latent", "kl", "prior"}
    expected |= {"plane"} if "latent" in options else set()
    assert {path.stem for path in (tmp_path / "report").glob("*.png")} == expected
    assert text.count("<h2>") == len(expected)
    for path in (tmp_path / "report").glob("*.png"):
        levels = np.asarray(Image.open(io.BytesIO(path.read_bytes())).convert("L"))
        assert np.ptp(levels) > 50, path


def test_kl_of_numbers_sums_to_that_of_the_loss(
    tiny_config: CVAEConfig, mnist_data: DataSet
) -> None:
    cvae = CVAE(tiny_config)
    cvae.initialise(torch.Generator().manual_seed(0))
    found = posteriors(cvae.eval(), mnist_data.test, 0, CPU, most=200)
    kl = gaussian_kl(torch.from_numpy(found.mean), torch.from_numpy(found.log_variance))
    assert found.kl.shape == (6,)
    assert found.kl.sum() == pytest.approx(kl.mean().item(), rel=1e-4)


def test_active_numbers_are_those_whose_mean_varies() -> None:
    rng = np.random.default_rng(0)
    mean = rng.standard_normal((500, 4)).astype(np.float32)
    mean *= np.array([1, 0.5, 0.01, 0], np.float32)
    found = Posteriors(mean, np.zeros_like(mean), mean, np.zeros(500, np.int64))
    assert found.is_active.tolist() == [True, True, False, False]
    assert found.active == 2
    assert found.carrying == 2


def test_leading_directions_have_the_largest_variance() -> None:
    rng = np.random.default_rng(0)
    points = rng.standard_normal((500, 5)).astype(np.float32)
    points *= np.array([0.1, 3, 0.1, 2, 0.1], np.float32)
    projected, share = leading_directions(points)
    assert share > 0.99
    assert np.abs(np.corrcoef(projected[:, 0], points[:, 1])[0, 1]) > 0.99


def test_t_sne_keeps_two_clusters_apart() -> None:
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)
    points = rng.standard_normal((60, 5)).astype(np.float32)
    points[30:] += 20
    plane = t_sne(points, seed=0)
    assert plane is not None
    middle = (plane[:30].mean(axis=0) + plane[30:].mean(axis=0)) / 2
    side = (plane - middle) @ (plane[30:].mean(axis=0) - middle)
    assert (side > 0).tolist() == [False] * 30 + [True] * 30
