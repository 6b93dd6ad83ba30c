"""`python -m training.evaluate CHECKPOINT`: measures a checkpoint.

The same run measures real pictures, for comparison, and where they are given a baseline and the
same model trained with another seed.
Writes metrics.json and a report of pictures.
"""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import Field, NonNegativeInt, PositiveInt

from model.checkpoint import ROUNDED_DECODER, Checkpoint, CheckpointError, read_checkpoint
from model.engine import Precision
from model.generator import Generator, open_generator
from model.torch_engine import load_cvae
from training.boxes import as_network_sees
from training.checkpoint.export import metrics_json, replace_metrics
from training.checkpoint.table import evaluation_table
from training.command import command
from training.config import EXIT_FAILED, DataOptions, read_options
from training.console import print_table, start_log
from training.data import DataError, DataSet, LabelledImages, load_data
from training.evaluation.evaluator import Evaluator, SampleSizes
from training.evaluation.judge import JudgeRecipe
from training.evaluation.latency import DIGITS, decode_seconds
from training.evaluation.likelihood import (
    BINARISATION,
    PLAIN,
    calibrate,
    importance_weighted_log_likelihood,
)
from training.evaluation.loss import evaluate_loss, loss_record
from training.evaluation.picture import picture_report

log = logging.getLogger("training.evaluate")
SHOWN = 10  # labels that a message names
LABELS_NEEDED, NEEDED = 2, 10  # pictures of each in both parts, to compare label by label
LEAST_STEPS = 1_000  # to train a classifier; MNIST takes 2,814
POOR_JUDGE = 0.9  # share of real test pictures that it reads, below which its scores say little
TEMPERATURES = (0.5, 0.7, 0.85, 1.0, 1.15)
DESCRIPTION = """
Measure a checkpoint: its samples against real pictures, its likelihood, its style and its speed.
"""


class EvaluationConfig(DataOptions):
    """The options of an evaluation."""

    checkpoint: Path = Field(description="the checkpoint folder")
    baseline: Path | None = Field(
        None, description="checkpoint folder of another model to measure in the same run"
    )
    repeat: Path | None = Field(
        None,
        description="checkpoint folder of the same model trained with another seed, to measure in "
        "the same run",
    )
    out_dir: Path = Field(
        Path("runs/evaluation"), description="folder for metrics.json and report.png"
    )
    cache_dir: Path = Field(
        Path("runs/judges"), description="folder for trained classifiers, which later runs reuse"
    )
    samples: PositiveInt = Field(
        10_000, description="number of samples for all measurements but the CAS"
    )
    classifier_samples: PositiveInt = Field(
        60_000, description="number of samples for the CAS (classification accuracy score)"
    )
    importance_samples: PositiveInt = Field(
        50, description="number of samples per image for the likelihood"
    )
    judge_epochs: int | None = Field(
        None,
        gt=0,
        description=f"epochs to train each classifier; without it {JudgeRecipe().epochs}, and on "
        f"few pictures as many as give {LEAST_STEPS:,} steps",
    )
    seeds: PositiveInt = Field(
        3, description="number of classifiers for the CAS and for the two-sample test"
    )
    seed: NonNegativeInt = Field(0, description="seed of all random numbers")
    update: bool = Field(
        False, description="also write the metrics and the model card into the checkpoint folder"
    )


class Evaluation:
    """One run of all measurements."""

    def __init__(
        self, config: EvaluationConfig, train: LabelledImages, test: LabelledImages
    ) -> None:
        self.config = config
        self.train = train
        self.test = test
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        sizes = SampleSizes(config.samples, config.classifier_samples, seeds=config.seeds)
        recipe = JudgeRecipe(seed=config.seed, least_steps=LEAST_STEPS)
        if config.judge_epochs is not None:
            recipe = JudgeRecipe(seed=config.seed, epochs=config.judge_epochs)
        self.evaluator = Evaluator(train, test, recipe, sizes, config.cache_dir, self.device)

    def run(
        self, checkpoint: Checkpoint, repeat: Checkpoint | None, baseline: Checkpoint | None
    ) -> dict[str, Any]:
        """All measurements of `checkpoint`, of the two compared with it and of real pictures."""
        log.info("measuring real pictures")
        found: dict[str, Any] = {
            "settings": self._settings(),
            "real": self.evaluator.measure_real_digits(),
        }
        if (read := found["real"]["label_agreement"]) < POOR_JUDGE:
            log.warning(
                "The classifier that scores reads %.1f %% of the real test pictures as their "
                "label: the label agreement and the CAS of samples cannot be higher. Its training "
                "is --judge-epochs.",
                100 * read,
            )
        found["samples"] = self._measure(checkpoint)
        for kind, other in (("repeat", repeat), ("baseline", baseline)):
            if other is not None:
                found[kind] = self._measure(other)
        found["temperature"] = [
            {"temperature": scale, **self.evaluator.measure_samples(_open(checkpoint), scale)}
            for scale in TEMPERATURES
        ]
        if ROUNDED_DECODER in checkpoint.manifest.sha256:
            found["int8"] = self.evaluator.measure(_open(checkpoint, "int8"))
        found["cost"] = _cost(checkpoint, baseline)
        return found

    def _measure(self, checkpoint: Checkpoint) -> dict[str, Any]:
        """Samples, test loss and likelihood of one checkpoint."""
        log.info("measuring %s", checkpoint.folder)
        cvae = load_cvae(checkpoint).to(self.device)
        seed, device = self.config.seed, self.device
        train, test = (as_network_sees(data, cvae.config) for data in (self.train, self.test))
        loss = evaluate_loss(cvae, test, seed, device)
        calibrated = calibrate(cvae, train, seed, device)
        plain, fair = (
            importance_weighted_log_likelihood(
                cvae, test, self.config.importance_samples, seed, device, observation
            )
            for observation in (PLAIN, calibrated)
        )
        return {
            "model": checkpoint.model_hash,
            "training_seed": checkpoint.manifest.provenance.seed,
            **self.evaluator.measure(_open(checkpoint)),
            "test": loss_record(loss, len(test), seed),
            "log_likelihood_nats": plain,
            "calibrated_log_likelihood_nats": fair,
            "calibration": calibrated._asdict(),
        }

    def _settings(self) -> dict[str, Any]:
        """The settings that reproduce the measurements."""
        config = self.config
        return {
            "samples": config.samples,
            "classifier_samples": config.classifier_samples,
            "test_images": len(self.test),
            "judge": self.evaluator.recipe.model_dump(),
            "seeds": config.seeds,
            "seed": config.seed,
            "temperature": 1.0,
            "importance_samples": config.importance_samples,
            "binarisation": BINARISATION,
        }


def _read(folder: Path) -> Checkpoint:
    checkpoint = read_checkpoint(folder)
    _open(checkpoint)  # what cannot be measured is refused before minutes of measuring
    return checkpoint


def _open(checkpoint: Checkpoint, precision: Precision = "float") -> Generator:
    return open_generator(checkpoint, "onnx", precision)


def _cost(checkpoint: Checkpoint, baseline: Checkpoint | None) -> dict[str, Any]:
    """The time of one call of each decoder, in microseconds, on one core."""
    generators = {"samples": _open(checkpoint)}
    if ROUNDED_DECODER in checkpoint.manifest.sha256:
        generators["int8"] = _open(checkpoint, "int8")
    if baseline is not None:
        generators["baseline"] = _open(baseline)
    seconds = decode_seconds(generators)
    microseconds = {name: round(value * 1e6, 1) for name, value in seconds.items()}
    return {"digits": DIGITS, "engine": "ONNX Runtime, one core", "microseconds": microseconds}


def evaluate(config: EvaluationConfig) -> dict[str, Any]:
    """Measure a checkpoint, print a table, and write metrics.json and report.png.

    Raises:
        CheckpointError, DataError: a checkpoint or the data set cannot be used.
    """
    checkpoint = _read(config.checkpoint)
    repeat, baseline = (
        _read(folder) if folder else None for folder in (config.repeat, config.baseline)
    )
    data = load_data(config)
    for measured in (checkpoint, repeat, baseline):
        if measured and (reason := unmeasurable(measured, data)):
            raise DataError(f"The checkpoint {measured.folder} cannot be measured: {reason}")
    train, test = data.train, data.test
    evaluation = Evaluation(config, train, test)
    metrics = {**checkpoint.metrics, "evaluation": evaluation.run(checkpoint, repeat, baseline)}
    config.out_dir.mkdir(parents=True, exist_ok=True)
    (config.out_dir / "metrics.json").write_bytes(metrics_json(metrics))
    cvae = load_cvae(checkpoint).to(evaluation.device)
    train, test = (as_network_sees(data, cvae.config) for data in (train, test))
    picture = picture_report(cvae, train, test, config.seed, evaluation.device)
    (config.out_dir / "report.png").write_bytes(picture)
    if config.update:
        replace_metrics(checkpoint, metrics)
    columns, rows = evaluation_table(metrics["evaluation"])
    print_table(f"Measurements of {checkpoint.folder}", columns, rows)
    return metrics


def unmeasurable(checkpoint: Checkpoint, data: DataSet) -> str | None:
    """Why the samples of a checkpoint cannot be compared with a data set; None if they can."""
    names, side = checkpoint.manifest.label_names, checkpoint.config.picture_size[0]
    if not checkpoint.config.conditional:
        return "it is an unconditional VAE, and the measurements ask for labels."
    if (names, side) != (data.label_names, data.size):
        return (
            f"it draws {len(names)} labels ({', '.join(names[:SHOWN])}) at {side} x {side} pixels, "
            f"but {data.name} has {data.classes} ({', '.join(data.label_names[:SHOWN])}) at "
            f"{data.size} x {data.size}; pass the --dataset or --images, --size and --label-names "
            "that it was trained with."
        )
    train, test = (
        int(torch.bincount(part.labels, minlength=data.classes).min())
        for part in (data.train, data.test)
    )
    if data.classes < LABELS_NEEDED or min(train, test) < NEEDED:
        return (
            f"{data.name} has {data.classes} labels, and of the rarest {train} training pictures "
            f"and {test} test pictures, expected at least {LABELS_NEEDED} labels and {NEEDED} "
            "pictures of each in both parts."
        )
    return None


@command
def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit code: 0 done, 1 failed.

    Args:
        arguments: as typed, without the name of the program.
    Raises:
        SystemExit: see `read_options`.
    """
    config = read_options(EvaluationConfig, "cvae-digits evaluate", DESCRIPTION, arguments)
    try:
        start_log(config.out_dir)
        evaluate(config)
    except (CheckpointError, DataError, OSError) as error:
        log.error("%s", error)
        return EXIT_FAILED
    log.info("wrote metrics.json and report.png into %s", config.out_dir)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
