import shutil
from pathlib import Path

from model.checkpoint import CARD, METRICS, Checkpoint, Provenance, read_checkpoint
from model.cvae import CVAE
from tests.training.conftest import CPU
from training.checkpoint.export import (
    export_checkpoint,
    replace_metrics,
)

LOSS = {"negative_elbo": 3.0, "reconstruction_nll": 2.0, "kl": 1.0}
TEST = {"images": 5, "bound": LOSS, "at_mean": LOSS}
FOUND = {"unit": "nats per image", "parameters": 7, "test": TEST}


def test_export_checkpoint_writes_metrics_and_card(
    tiny_cvae: CVAE, provenance: Provenance, tmp_path: Path
) -> None:
    folder = tmp_path / "checkpoint"
    checkpoint = export_checkpoint(folder, tiny_cvae, provenance, FOUND, CPU)
    assert checkpoint.metrics == FOUND
    assert "| 3.00 | 2.00 | 1.00 |" in (folder / CARD).read_text()


def test_replace_metrics_changes_metrics_and_card_only(
    tiny_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_checkpoint.folder, tmp_path / "checkpoint"))
    replaced = replace_metrics(read_checkpoint(folder), FOUND)
    assert replaced.metrics == FOUND
    assert replaced.model_hash == tiny_checkpoint.model_hash
    changed = {
        path.name
        for path in folder.iterdir()
        if path.read_bytes() != (tiny_checkpoint.folder / path.name).read_bytes()
    }
    assert changed == {METRICS, CARD, "config.json"}
