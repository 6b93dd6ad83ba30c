from pathlib import Path

from model.checkpoint import read_checkpoint
from training.config import TrainingConfig
from training.run import train


def test_train_article_preset_writes_its_checkpoint(mnist_slice: Path, tmp_path: Path) -> None:
    config = TrainingConfig(
        data_dir=mnist_slice,
        run_dir=tmp_path,
        hidden=(8,),
        latent=3,
        epochs=1,
        evaluate=False,
        accelerator="cpu",
    )
    checkpoint = train(config)
    assert checkpoint is not None
    assert checkpoint.config.latent == 3
    assert read_checkpoint(tmp_path / "checkpoint").metrics["training"]["epochs"] == 1
