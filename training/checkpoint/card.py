"""The sample sheet and the model card of a checkpoint, and the table of measurements."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from PIL import Image

from model.checkpoint import Provenance
from model.config import CVAEConfig
from model.cvae import CVAE
from model.noise import line_noise
from training.data.named import about_named

SHEET_ROWS, SHEET_COLUMNS = 10, 40  # columns at most
ANY_LABEL_COLUMNS = 10  # of an unconditional VAE, which draws any label in any column
# The rows of the table: name in metrics.json -> title, decimal places.
SHOWN = {
    "cas": ("CAS: accuracy on real digits of a classifier trained on samples", 4),
    "label_agreement": ("label agreement", 4),
    "frechet_distance": ("Frechet distance", 3),
    "precision": ("precision", 3),
    "recall": ("recall", 3),
    "slant_correlation_same_noise": ("slant correlation, same noise", 2),
    "slant_correlation_other_noise": ("slant correlation, other noise", 2),
    "ink_correlation_same_noise": ("ink correlation, same noise", 2),
    "ink_correlation_other_noise": ("ink correlation, other noise", 2),
    "nearest_training_distance": ("distance to the nearest training image", 2),
    "log_likelihood_nats": ("log-likelihood of binarised digits, nats", 1),
}
# The columns of the table by label: name in metrics.json -> title, decimal places.
BY_LABEL = {
    "cas": ("CAS", 4),
    "label_agreement": ("label agreement", 4),
    "frechet_distance": ("Frechet distance", 2),
}


@torch.inference_mode()
def sample_sheet(cvae: CVAE, seed: int, device: torch.device) -> bytes:
    """A PNG of samples, 10 rows by K columns, column = label; each picture has its own noise.

    The pictures are those that `/generate` draws for all labels with this seed and 10 rows. Of many
    labels the first 40 are shown. An unconditional VAE draws any label in any column.
    """
    config = cvae.config
    columns = min(config.classes, SHEET_COLUMNS) if config.conditional else ANY_LABEL_COLUMNS
    noise = np.concatenate(
        [line_noise(seed, row, columns, config.latent) for row in range(SHEET_ROWS)]
    )
    one_hot = None
    if config.conditional:
        one_hot = torch.eye(config.classes)[:columns].repeat(SHEET_ROWS, 1)
    pixels = cvae.decoder(
        torch.from_numpy(noise).to(device), None if one_hot is None else one_hot.to(device)
    )
    levels = (pixels * 255 + 0.5).to(torch.uint8).cpu().numpy()  # (rows * K, H, W)
    grid = levels.reshape(SHEET_ROWS, columns, config.image_height, config.image_width)
    sheet = grid.transpose(0, 2, 1, 3).reshape(SHEET_ROWS * config.image_height, -1)
    file = io.BytesIO()
    Image.fromarray(sheet).save(file, format="PNG")
    return file.getvalue()


def model_card(config: CVAEConfig, provenance: Provenance, metrics: Mapping[str, Any]) -> str:
    """The README.md of a checkpoint folder: the model, its quality and its use."""
    kind = "Conditional Variational Auto-Encoder" if config.conditional else "VAE (unconditional)"
    encoder = "-".join(map(str, config.encoder_sizes))
    decoder = "-".join(map(str, config.decoder_sizes))
    subject, about = _described(provenance)
    word = "digit" if "digits" in subject else "label"
    data = (
        f"{provenance.data_set}, {provenance.train_images:,} training and "
        f"{provenance.test_images:,} test images"
    )
    caption = f"Samples, column = {word}" if config.conditional else "Samples"
    label = f", one_hot [N, {config.classes}]" if config.conditional else ""
    return f"""# {kind} of {subject}

![{caption}](samples.png)

| | |
|---|---|
| encoder | {encoder}, ReLU, then two heads (mean, log-variance) of {config.latent} |
| decoder | {decoder}, ReLU, sigmoid |
| weights | {metrics["parameters"]:,} float32, model.safetensors |
| prior | N(0, I), independent of the label |
| objective | {provenance.objective} |
| data | {data} |
| training | {_recipe(provenance)} |

## Measurements

{_test_loss(metrics)}{_evaluation(metrics)}
## Use

- `decoder.onnx`: (noise [N, {config.latent}]{label}) -> pixels
  [N, {config.image_height}, {config.image_width}] in [0, 1]
- `encoder.onnx`: (pixels{label}) -> noise, the posterior mean
- `decoder.int8.onnx`: as `decoder.onnx`, with weights rounded to 8 bits

All inputs and outputs are float32. The graphs read their weights from model.safetensors and
decoder.int8.safetensors in the same folder.

{about}
"""


def _described(provenance: Provenance) -> tuple[str, str]:
    """What the model draws, and where its data is from."""
    if provenance.data_about:
        return provenance.data_subject, provenance.data_about
    # A checkpoint from before the two were kept.
    return about_named(provenance.data_set) or ("pictures", "The origin of the data is unknown.")


def evaluation_table(evaluation: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of the measurements: this model, its variants, a baseline, real digits."""
    titles = {"samples": "this model", "int8": "int8", "baseline": "baseline", "real": "real"}
    kinds = [kind for kind in titles if kind in evaluation]
    rows = [
        [title, *(_shown(evaluation[kind].get(name), digits) for kind in kinds)]
        for name, (title, digits) in SHOWN.items()
    ]
    rows.append(_ratios(evaluation, kinds))
    microseconds = evaluation["cost"]["microseconds"]
    cost = [_shown(microseconds.get(kind), 0) for kind in kinds]
    rows.append([f"time of {evaluation['cost']['digits']} digits, microseconds", *cost])
    return ["", *(titles[kind] for kind in kinds)], rows


def _ratios(evaluation: Mapping[str, Any], kinds: list[str]) -> list[str]:
    """The row of Frechet distances relative to the baseline's."""
    unit = evaluation.get("baseline", {}).get("frechet_distance")
    found = [evaluation[kind]["frechet_distance"] / unit if unit else None for kind in kinds]
    return ["Frechet distance, relative to the baseline", *(_shown(ratio, 4) for ratio in found)]


def _shown(value: float | None, digits: int) -> str:
    # Adding 0 turns the -0.0 of a small negative number into 0.0.
    return "-" if value is None else f"{round(value, digits) + 0.0:,.{digits}f}"


def _evaluation(metrics: Mapping[str, Any]) -> str:
    """The measurements of samples as Markdown; empty if there are none."""
    if "evaluation" not in metrics:
        return ""
    evaluation = metrics["evaluation"]
    settings = evaluation["settings"]
    names = ("label_agreement", "frechet_distance", "precision", "recall")
    heat = [
        [f"{row['temperature']:g}", *(f"{row[name]:.3f}" for name in names)]
        for row in evaluation["temperature"]
    ]
    return f"""
Samples at temperature 1, {settings["classifier_samples"]:,} for the CAS and
{settings["samples"]:,} for the rest, are compared with the {settings["test_images"]:,} test images.
"real" are training images in place of samples. The features, label agreement and CAS are those of
our own classifier (training/evaluation/judge.py), which takes no part in training. The baseline, if
there is one, is another checkpoint measured in the same run, here the article's model.

{_markdown(*evaluation_table(evaluation))}
By label:

{_markdown(*_by_label(evaluation))}
By temperature, which scales the noise:

{_markdown(["temperature", "label agreement", "Frechet distance", "precision", "recall"], heat)}"""


def _by_label(evaluation: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of the measurements by label, of this model and its int8 variant."""
    columns, rows = ["label"], [[str(row["label"])] for row in evaluation["samples"]["per_label"]]
    for kind, title in (("samples", ""), ("int8", "int8: ")):
        if "per_label" not in evaluation.get(kind, {}):
            continue  # a checkpoint without a rounded decoder
        for name, (heading, digits) in BY_LABEL.items():
            columns.append(title + heading)
            for row, found in zip(rows, evaluation[kind]["per_label"], strict=True):
                row.append(_shown(found[name], digits))
    return columns, rows


def _markdown(columns: list[str], rows: list[list[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _recipe(provenance: Provenance) -> str:
    if provenance.recipe:
        return f"{provenance.optimizer}, seed {provenance.seed}; config.json has all settings"
    return (
        f"{provenance.optimizer} {provenance.learning_rate:g}, batch {provenance.batch_size}, "
        f"{provenance.epochs} epochs, seed {provenance.seed}"
    )


def _test_loss(metrics: Mapping[str, Any]) -> str:
    test = metrics["test"]
    rows = [
        ["bound, one sample of the posterior per image", *_parts(test["bound"])],
        ["at the posterior mean (not a bound)", *_parts(test["at_mean"])],
    ]
    if "training" in metrics:
        last = metrics["training"]["last_epoch"]
        rows.append(["training images, last epoch", *_parts(last)])
    table = _markdown(["", "negative ELBO", "reconstruction", "KL"], rows)
    return f"""On the {test["images"]:,} test images, in nats per image, in evaluation mode:

{table}
Grey levels are treated as probabilities of ink, so the binary cross-entropy is the article's loss
and not a likelihood of the grey levels.
"""


def _parts(loss: Mapping[str, float]) -> list[str]:
    return [f"{loss[part]:.2f}" for part in ("negative_elbo", "reconstruction_nll", "kl")]
