import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.drawing.canvas import stitch
from model.checkpoint import PRETRAINED, Checkpoint, Provenance, read_checkpoint
from model.config import CVAEConfig
from model.cvae import CVAE
from model.generator import open_generator
from model.noise import line_noise
from model.torch_engine import load_cvae
from tests.conftest import ROOT
from tests.training.conftest import CPU
from training.checkpoint.card import model_card
from training.checkpoint.sheet import sample_sheet
from training.checkpoint.table import SHOWN, evaluation_table
from training.data.named import CLOTHES


def facts(
    checkpoint: Checkpoint,
) -> tuple[CVAEConfig, Provenance, dict[str, Any], tuple[str, ...]]:
    """What the model card of a checkpoint is made of."""
    manifest = checkpoint.manifest
    return checkpoint.config, manifest.provenance, checkpoint.metrics, manifest.label_names


@pytest.fixture
def bundled() -> Checkpoint:
    return read_checkpoint(PRETRAINED)


def test_sample_sheet_has_the_digits_that_the_service_draws(bundled: Checkpoint) -> None:
    sheet = np.asarray(Image.open(io.BytesIO(sample_sheet(load_cvae(bundled), 7, CPU))))
    assert sheet.shape == (280, 1120)
    generator = open_generator(bundled)
    for row in range(10):
        noise = line_noise(7, row, 40, generator.config.latent)
        drawn = stitch(generator.draw(generator.one_hot(np.arange(40) % 10), noise)[None])
        assert abs(sheet[28 * row : 28 * row + 28].astype(int) - drawn).max() <= 1


def test_sample_sheet_of_an_unconditional_vae_has_the_same_size(tiny_config: CVAEConfig) -> None:
    vae = CVAE(tiny_config.model_copy(update={"conditional": False}))
    assert Image.open(io.BytesIO(sample_sheet(vae, 0, CPU))).size == (1120, 280)


def test_model_card_of_the_bundled_checkpoint_is_up_to_date(bundled: Checkpoint) -> None:
    """If it is not, call `replace_metrics` with the checkpoint and its metrics."""
    card = model_card(*facts(bundled))
    assert card == (PRETRAINED / "README.md").read_text()


def test_model_card_has_the_loss_and_a_row_for_each_label(bundled: Checkpoint) -> None:
    card = model_card(*facts(bundled))
    assert f"| {bundled.metrics['test']['bound']['negative_elbo']:.2f} |" in card
    evaluation = bundled.metrics["evaluation"]
    for kind in ("samples", "int8"):
        for found in evaluation[kind]["per_label"]:
            assert f" {found['cas']:.4f} | {found['label_agreement']:.4f} |" in card


def test_model_card_of_other_pictures_has_their_names_and_no_word_of_digits(
    bundled: Checkpoint,
) -> None:
    config, provenance, metrics, _ = facts(bundled)
    clothes = {
        "data_set": "Fashion-MNIST",
        "data_subject": "clothes",
        "data_about": "Small pictures.",
    }
    real = {**metrics["evaluation"]["real"], "frame_share": 0.05}
    card = model_card(
        config.model_copy(update={"canvas": None}),
        provenance.model_copy(update=clothes),
        {**metrics, "evaluation": {**metrics["evaluation"], "real": real}},
        CLOTHES,
    )
    assert all(f"\n| {name} | 0." in card for name in CLOTHES)
    assert not {word for word in ("digit", "handwriting", "20 pixels") if word in card}


def test_model_card_compares_with_the_article_only_where_that_was_measured(
    bundled: Checkpoint,
) -> None:
    config, provenance, metrics, names = facts(bundled)
    worse = {**metrics["evaluation"]["samples"], "recall": 0.1}
    for evaluation in (
        {**metrics["evaluation"], "samples": worse},
        {name: part for name, part in metrics["evaluation"].items() if name != "baseline"},
    ):
        card = model_card(config, provenance, {**metrics, "evaluation": evaluation}, names)
        assert "more varied" not in card


def test_evaluation_table_has_a_column_for_each_model_and_for_real_digits(
    bundled: Checkpoint,
) -> None:
    measured = bundled.metrics["evaluation"]
    evaluation = {**measured, "repeat": measured["samples"]}
    columns, rows = evaluation_table(evaluation)
    assert columns == ["", "this model", "int8", "another seed", "baseline", "real"]
    assert {len(row) for row in rows} == {6}
    table = {row[0]: row[1:] for row in rows}
    assert table["label agreement"][0] == f"{evaluation['samples']['label_agreement']:.4f}"
    assert table["Frechet distance, relative to the baseline"][3] == "1.0000"
    unknown = {row[0] for row in rows if row[2] == "-"}  # of int8
    assert unknown <= {
        SHOWN[name][0] for name in ("log_likelihood_nats", "calibrated_log_likelihood_nats")
    }
    assert "-0.00" not in {cell for row in rows for cell in row}


def test_table_in_the_documents_is_up_to_date(bundled: Checkpoint) -> None:
    """If it is not, put the table that `training.evaluate` prints into the document."""
    document = (ROOT / "docs" / "training.md").read_text()
    _, rows = evaluation_table(bundled.metrics["evaluation"])
    for row in rows:
        assert f"| {' | '.join(row)} |" in document, row[0]
