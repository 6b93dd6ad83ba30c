"""What a run shows to people: the sheet of samples and the model card."""

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

SHEET_ROWS = 10


@torch.inference_mode()
def sample_sheet(cvae: CVAE, seed: int, device: torch.device) -> bytes:
    """A PNG of samples, 10 rows by K columns, column = label; every digit has its own noise.

    The same digits as `/generate` draws for "0123456789" with this seed and 10 rows. The
    unconditional VAE has no columns: any digit may come up anywhere.
    """
    config = cvae.config
    noise = np.concatenate(
        [line_noise(seed, row, config.classes, config.latent) for row in range(SHEET_ROWS)]
    )
    one_hot = torch.eye(config.classes).repeat(SHEET_ROWS, 1) if config.conditional else None
    pixels = cvae.decoder(
        torch.from_numpy(noise).to(device), None if one_hot is None else one_hot.to(device)
    )
    levels = (pixels * 255 + 0.5).to(torch.uint8).cpu().numpy()  # (rows * K, H, W)
    grid = levels.reshape(SHEET_ROWS, config.classes, config.image_height, config.image_width)
    sheet = grid.transpose(0, 2, 1, 3).reshape(SHEET_ROWS * config.image_height, -1)
    file = io.BytesIO()
    Image.fromarray(sheet).save(file, format="PNG")
    return file.getvalue()


def model_card(config: CVAEConfig, provenance: Provenance, metrics: Mapping[str, Any]) -> str:
    """The README.md of a checkpoint folder: what the model is, what it is worth, how to use it."""
    kind = "Conditional Variational Auto-Encoder" if config.conditional else "VAE (unconditional)"
    encoder = "-".join(map(str, config.encoder_sizes))
    decoder = "-".join(map(str, config.decoder_sizes))
    return f"""# {kind} of handwritten digits

![Samples, column = digit](samples.png)

| | |
|---|---|
| encoder | {encoder}, ReLU, then two heads (mean, log-variance) of {config.latent} |
| decoder | {decoder}, ReLU, sigmoid |
| weights | {metrics["parameters"]:,} float32, model.safetensors |
| prior | N(0, I), independent of the label |
| objective | {provenance.objective} |
| data | MNIST, {provenance.train_images:,} training and {provenance.test_images:,} test images |
| training | {_recipe(provenance)} |

## Measured

{_test_loss(metrics)}{_evaluation(metrics)}
## Use

`decoder.onnx`: (noise [N, {config.latent}], one_hot [N, {config.classes}]) -> pixels
[N, {config.image_height}, {config.image_width}] in [0, 1]. `encoder.onnx`: (pixels, one_hot) ->
noise. Both float32; both read their weights from model.safetensors beside them.
`decoder.int8.onnx` takes and gives the same, with weights rounded to 8 bits, which it reads from
decoder.int8.safetensors.

For toy digits and teaching. It was trained on handwriting of American census employees and high
school students of the early 1990s and knows no other hands, no other signs and no larger sizes.
"""


def evaluation_table(evaluation: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of the measurements: this model, what stands beside it, real digits."""
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


# What the table shows: name in metrics.json -> title, digits after the point.
SHOWN = {
    "cas": ("CAS: accuracy on real digits of a classifier of samples", 4),
    "label_agreement": ("label agreement", 4),
    "frechet_distance": ("Frechet distance", 3),
    "precision": ("precision", 3),
    "recall": ("recall", 3),
    "slant_correlation_same_noise": ("slant, correlation in one noise", 2),
    "slant_correlation_other_noise": ("slant, correlation in two noises", 2),
    "ink_correlation_same_noise": ("ink, correlation in one noise", 2),
    "ink_correlation_other_noise": ("ink, correlation in two noises", 2),
    "nearest_training_distance": ("distance to nearest training image", 2),
    "log_likelihood_nats": ("log-likelihood, binarised, nats", 1),
}


def _ratios(evaluation: Mapping[str, Any], kinds: list[str]) -> list[str]:
    """The row of Frechet distances relative to the baseline's."""
    unit = evaluation.get("baseline", {}).get("frechet_distance")
    found = [evaluation[kind]["frechet_distance"] / unit if unit else None for kind in kinds]
    return ["Frechet distance, relative to the baseline", *(_shown(ratio, 4) for ratio in found)]


def _shown(value: float | None, digits: int) -> str:
    # Adding 0 turns the -0.0 of a small negative number into 0.0.
    return "-" if value is None else f"{round(value, digits) + 0.0:,.{digits}f}"


def _evaluation(metrics: Mapping[str, Any]) -> str:
    """The measurements of samples as Markdown, nothing where they were left out."""
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
{settings["samples"]:,} for the rest, against the {settings["test_images"]:,} test images; "real"
puts training images in the place of samples. Judge and CAS: our own classifier
(training/judge.py), which takes no part in training. The baseline, if there is one, is another
checkpoint measured in the same run, here the article's model.

{_markdown(*evaluation_table(evaluation))}
By label:

{_markdown(*_by_label(evaluation))}
By temperature, the scale of the noise:

{_markdown(["temperature", "label agreement", "Frechet distance", "precision", "recall"], heat)}"""


def _by_label(evaluation: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of the measurements of each label: of this model, and rounded to int8."""
    columns, rows = ["label"], [[str(row["label"])] for row in evaluation["samples"]["per_label"]]
    for kind, title in (("samples", ""), ("int8", "int8: ")):
        if "per_label" not in evaluation.get(kind, {}):
            continue  # a checkpoint without a rounded decoder
        for name, (heading, digits) in BY_LABEL.items():
            columns.append(title + heading)
            for row, found in zip(rows, evaluation[kind]["per_label"], strict=True):
                row.append(_shown(found[name], digits))
    return columns, rows


# What the table by label shows: name in metrics.json -> title, digits after the point.
BY_LABEL = {
    "cas": ("CAS", 4),
    "label_agreement": ("label agreement", 4),
    "frechet_distance": ("Frechet distance", 2),
}


def _markdown(columns: list[str], rows: list[list[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _recipe(provenance: Provenance) -> str:
    if provenance.recipe:
        return f"{provenance.optimizer}, seed {provenance.seed}; every setting is in config.json"
    return (
        f"{provenance.optimizer} {provenance.learning_rate:g}, batch {provenance.batch_size}, "
        f"{provenance.epochs} epochs, seed {provenance.seed}"
    )


def _test_loss(metrics: Mapping[str, Any]) -> str:
    test = metrics["test"]
    rows = [
        ["bound: one sample of the posterior per image", *_parts(test["bound"])],
        ["at the posterior mean (no bound)", *_parts(test["at_mean"])],
    ]
    if "training" in metrics:
        last = metrics["training"]["last_epoch"]
        rows.append(["last training epoch, while training", *_parts(last)])
    table = _markdown(["", "negative ELBO", "reconstruction", "KL"], rows)
    return f"""On the {test["images"]:,} test images, in nats per image, in evaluation mode:

{table}
Grey pixels are taken as probabilities of ink, so the binary cross-entropy is the article's loss
and not a likelihood of the grey values.
"""


def _parts(loss: Mapping[str, float]) -> list[str]:
    return [f"{loss[part]:.2f}" for part in ("negative_elbo", "reconstruction_nll", "kl")]
