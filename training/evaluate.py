"""`python -m training.evaluate CHECKPOINT`: everything that we measure of a checkpoint.

The same run measures the real digits, as floor and ceiling, and a baseline checkpoint if one is
given, so that ratios mean something. Writes metrics.json and a report of pictures.
"""

import logging
import sys
from pathlib import Path
from typing import Any

import torch
from pydantic import Field, PositiveInt
from pydantic_settings import (
    BaseSettings,
    CliApp,
    CliImplicitFlag,
    CliPositionalArg,
    SettingsConfigDict,
)

from model.checkpoint import ROUNDED_DECODER, Checkpoint, CheckpointError, read_checkpoint
from model.engine import Precision
from model.generator import Generator
from model.onnx_engine import OnnxEngine
from model.torch_engine import load_cvae
from training.checkpoint.card import evaluation_table
from training.checkpoint.export import metrics_json, replace_metrics
from training.console import print_table, start_log
from training.data import DataError, LabelledImages, load_mnist
from training.evaluation.evaluator import Examiner, ExamSize
from training.evaluation.judge import JudgeRecipe
from training.evaluation.latency import DIGITS, decode_seconds
from training.evaluation.likelihood import BINARISATION, importance_weighted_log_likelihood
from training.evaluation.loss import evaluate_loss, loss_record
from training.evaluation.picture import picture_report

log = logging.getLogger("training.evaluate")
TEMPERATURES = (0.5, 0.7, 0.85, 1.0, 1.15)


class EvaluationConfig(BaseSettings):
    """Measure a checkpoint: its samples against real digits, its likelihood, style and cost."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        cli_kebab_case=True,
        cli_prog_name="python -m training.evaluate",
        cli_avoid_json=True,
    )

    checkpoint: CliPositionalArg[Path] = Field(description="the checkpoint folder")
    baseline: Path | None = Field(None, description="a checkpoint to measure beside it")
    data_dir: Path = Field(Path("data"), description="folder that holds MNIST/raw")
    out_dir: Path = Field(Path("runs/evaluation"), description="for metrics.json and report.png")
    cache_dir: Path = Field(Path("runs/judges"), description="where trained classifiers are kept")
    samples: PositiveInt = Field(10_000, description="for all measurements but the CAS")
    classifier_samples: PositiveInt = Field(60_000, description="for the CAS")
    importance_samples: PositiveInt = Field(50, description="for the likelihood, an image")
    judge_epochs: PositiveInt = Field(JudgeRecipe().epochs, description="of each classifier")
    seed: int = Field(0, ge=0, description="of noise and classifiers")
    update: CliImplicitFlag[bool] = Field(
        False, description="write metrics and model card into the checkpoint folder too"
    )


class Evaluation:
    """One run of all measurements."""

    def __init__(
        self, config: EvaluationConfig, train: LabelledImages, test: LabelledImages
    ) -> None:
        self.config = config
        self.test = test
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        size = ExamSize(config.samples, config.classifier_samples)
        recipe = JudgeRecipe(epochs=config.judge_epochs, seed=config.seed)
        self.examiner = Examiner(train, test, recipe, size, config.cache_dir, self.device)

    def run(self, checkpoint: Checkpoint, baseline: Checkpoint | None) -> dict[str, Any]:
        """Everything that is measured of `checkpoint`, with the baseline and real digits beside."""
        log.info("judging real digits")
        found: dict[str, Any] = {"settings": self._settings(), "real": self.examiner.ceiling()}
        found["samples"] = self._examine(checkpoint)
        if baseline is not None:
            found["baseline"] = self._examine(baseline)
        found["temperature"] = [
            {"temperature": scale, **self.examiner.glance(_generator(checkpoint), scale)}
            for scale in TEMPERATURES
        ]
        if ROUNDED_DECODER in checkpoint.manifest.sha256:
            found["int8"] = self.examiner.examine(_generator(checkpoint, "int8"))
        found["cost"] = _cost(checkpoint, baseline)
        return found

    def _examine(self, checkpoint: Checkpoint) -> dict[str, Any]:
        """Samples, test loss and likelihood of one checkpoint."""
        log.info("examining %s", checkpoint.folder)
        cvae = load_cvae(checkpoint).to(self.device)
        loss = evaluate_loss(cvae, self.test, self.config.seed, self.device)
        likelihood = importance_weighted_log_likelihood(
            cvae, self.test, self.config.importance_samples, self.config.seed, self.device
        )
        return {
            "model": checkpoint.model_hash,
            **self.examiner.examine(_generator(checkpoint)),
            "test": loss_record(loss, len(self.test), self.config.seed),
            "log_likelihood_nats": likelihood,
        }

    def _settings(self) -> dict[str, Any]:
        """What is needed to measure it again."""
        config = self.config
        return {
            "samples": config.samples,
            "classifier_samples": config.classifier_samples,
            "test_images": len(self.test),
            "judge": self.examiner.recipe.model_dump(),
            "seed": config.seed,
            "temperature": 1.0,
            "importance_samples": config.importance_samples,
            "binarisation": BINARISATION,
        }


def _generator(checkpoint: Checkpoint, precision: Precision = "float") -> Generator:
    engine = OnnxEngine(checkpoint, precision)
    return Generator(checkpoint.config, engine)


def _cost(checkpoint: Checkpoint, baseline: Checkpoint | None) -> dict[str, Any]:
    """Microseconds for one call, on one core, of every decoder at hand."""
    generators = {"samples": _generator(checkpoint)}
    if ROUNDED_DECODER in checkpoint.manifest.sha256:
        generators["int8"] = _generator(checkpoint, "int8")
    if baseline is not None:
        generators["baseline"] = _generator(baseline)
    seconds = decode_seconds({name: (g.config, g.engine) for name, g in generators.items()})
    microseconds = {name: round(value * 1e6, 1) for name, value in seconds.items()}
    return {"digits": DIGITS, "engine": "ONNX Runtime, one core", "microseconds": microseconds}


def evaluate(config: EvaluationConfig) -> dict[str, Any]:
    """Measure, show, and write what was found.

    Raises:
        CheckpointError, DataError: what is to be measured cannot be read.
    """
    checkpoint = read_checkpoint(config.checkpoint)
    baseline = read_checkpoint(config.baseline) if config.baseline else None
    train, test = (load_mnist(config.data_dir, part) for part in (True, False))
    evaluation = Evaluation(config, train, test)
    metrics = {**checkpoint.metrics, "evaluation": evaluation.run(checkpoint, baseline)}
    config.out_dir.mkdir(parents=True, exist_ok=True)
    (config.out_dir / "metrics.json").write_bytes(metrics_json(metrics))
    cvae = load_cvae(checkpoint).to(evaluation.device)
    picture = picture_report(cvae, train, test, config.seed, evaluation.device)
    (config.out_dir / "report.png").write_bytes(picture)
    if config.update:
        replace_metrics(checkpoint, metrics)
    columns, rows = evaluation_table(metrics["evaluation"])
    print_table(f"Measured: {checkpoint.folder}", columns, rows)
    return metrics


def main() -> int:
    """Run the command; the exit code: 0 done, 1 failed."""
    config = CliApp.run(EvaluationConfig)
    start_log(config.out_dir)
    try:
        evaluate(config)
    except (CheckpointError, DataError, OSError) as error:
        log.error("%s", error)
        return 1
    log.info("wrote metrics.json and report.png into %s", config.out_dir)
    return 0


if __name__ == "__main__":
    sys.exit(main())
