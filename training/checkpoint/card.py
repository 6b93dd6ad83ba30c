"""The model card of a checkpoint."""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

from model.checkpoint import Provenance
from model.config import CVAEConfig
from training.checkpoint.table import (
    SHOWN,
    evaluation_table,
    has_frame,
    label_table,
    level_table,
    markdown,
    shown,
)
from training.data.named import about_named

HUB_DATA_SETS = {"MNIST": "ylecun/mnist", "Fashion-MNIST": "zalando-datasets/fashion_mnist"}


def model_card(
    config: CVAEConfig, provenance: Provenance, metrics: Mapping[str, Any], names: Sequence[str]
) -> str:
    """The README.md of a checkpoint folder: the model, its quality and its use.

    Args:
        config: the architecture.
        provenance: the origin of the checkpoint.
        metrics: the content of metrics.json.
        names: of the labels.
    """
    kind = "Conditional Variational Auto-Encoder" if config.conditional else "VAE (unconditional)"
    encoder = "-".join(map(str, config.encoder_sizes))
    decoder = "-".join(map(str, config.decoder_sizes))
    subject, about = _described(provenance)
    caption = "Unchosen samples"
    label = f", one_hot [N, {config.classes}]" if config.conditional else ""
    return f"""{_front_matter(provenance, subject)}
# {kind} of {subject}

![{caption}](samples.png)

{_what_it_is(config, provenance, metrics)}

| | |
|---|---|
| encoder | {encoder}, ReLU, then two heads (mean, log-variance) of {config.latent} |
| decoder | {decoder}, ReLU, {_output(config)} |
| weights | {metrics["parameters"]:,} float32, model.safetensors |
| prior | N(0, I), independent of the label |
| objective | {provenance.objective} |
| data | {_data(provenance)} |
| training | {_recipe(provenance)} |

## Measurements

{_test_loss(metrics)}{_evaluation(metrics, names)}
## Use

- `decoder.onnx`: (noise [N, {config.latent}]{label}) -> pixels
  [N, {config.image_height}, {config.image_width}] in [0, 1]{_placing(config)}
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


def _front_matter(provenance: Provenance, subject: str) -> str:
    """The metadata that a model hub reads."""
    data_set = HUB_DATA_SETS.get(provenance.data_set, provenance.data_set)
    tags = "handwriting, " if "handwritten" in subject else ""
    return f"""---
license: mit
library_name: onnx
pipeline_tag: unconditional-image-generation
tags: [cvae, variational-autoencoder, {tags}onnx, safetensors]
datasets: ["{data_set}"]
metrics: [accuracy, frechet-distance, precision, recall, c2st]
---
"""


def _what_it_is(config: CVAEConfig, provenance: Provenance, metrics: Mapping[str, Any]) -> str:
    """What the model is, in a few sentences."""
    if not provenance.recipe:
        return "The samples above are the first of their seed: none was left out."
    box = (
        f"It draws a box of {config.image_height} x {config.image_width} pixels, which is placed "
        f"in a picture of {config.canvas} x {config.canvas} by its centre of mass, as MNIST was "
        "made. "
        if config.canvas is not None
        else ""
    )
    compared = (
        " Against it, this one draws sharper, clearer and more varied pictures, and is a worse "
        "model of the likelihood."
    ) * _was_better(metrics.get("evaluation", {}))
    origin = _filled(
        "The model is the decoder of a CVAE that was distilled from a larger CVAE, whose latents a "
        "normalising flow models, and was then trained against two discriminators. "
        f"{box}Its encoder was trained last, to find the noise that draws a given picture. The "
        'model of the article "Understanding CVAEs" (T. Roeder, 2018) is instead trained in one '
        f"go, on the variational bound alone.{compared}"
    )
    return f"The 400 samples above are the first of their seed: none was left out.\n\n{origin}"


def _was_better(evaluation: Mapping[str, Any]) -> bool:
    """Whether it draws better than a baseline in every respect, and has the lower likelihood."""
    if "baseline" not in evaluation:
        return False
    ours, other = evaluation["samples"], evaluation["baseline"]
    better = all(ours[name] > other[name] for name in ("label_agreement", "precision", "recall"))
    return better and bool(ours["log_likelihood_nats"] < other["log_likelihood_nats"])


def _data(provenance: Provenance) -> str:
    train, test = provenance.train_images, provenance.test_images
    return f"{provenance.data_set}, {train:,} training and {test:,} test images"


def _output(config: CVAEConfig) -> str:
    steps = ["sigmoid"]
    if config.subpixels > 1:
        steps.append(f"a mean over {config.supersampling} x {config.supersampling} subpixels")
    if config.overshoot:
        steps.append(f"stretched by {config.overshoot:g} beyond 0 and 1 and clipped")
    return ", ".join(steps)


def _placing(config: CVAEConfig) -> str:
    if config.canvas is None:
        return ""
    return f""", rounded to grey levels and then placed
  in {config.canvas} x {config.canvas} at round({config.canvas} / 2 - centre of mass)"""


def _evaluation(metrics: Mapping[str, Any], names: Sequence[str]) -> str:
    """The measurements of samples as Markdown; empty if there are none."""
    if "evaluation" not in metrics:
        return ""
    evaluation = metrics["evaluation"]
    settings = evaluation["settings"]
    of_samples = ("label_agreement", "frechet_distance", "precision", "recall", "coverage")
    titles = ["temperature", *(SHOWN[name][0] for name in of_samples)]
    heat = [
        [f"{row['temperature']:g}", *(shown(row.get(name), 3) for name in of_samples)]
        for row in evaluation["temperature"]
    ]
    levels = ""
    if "grey_levels" in evaluation["real"]:
        table = markdown(*level_table(evaluation))
        levels = f"Share of the pixels by grey level, 0 is paper and 255 is ink:\n\n{table}\n"
    again = ""
    if "repeat" in evaluation:
        seed = evaluation["repeat"]["training_seed"]
        again = f' "another seed" is this model, trained again with seed {seed}.'
    about = _filled(
        f"Samples at temperature 1, {settings['classifier_samples']:,} for the CAS and "
        f"{settings['samples']:,} for the rest, are compared with the {settings['test_images']:,} "
        'test images. "real" are training images instead of samples. The features, label '
        "agreement and CAS are those of our own classifier (training/evaluation/judge.py), which "
        "takes no part in training. The baseline, if there is one, is another checkpoint measured "
        f"in the same run, here the article's model.{again}"
    )
    return f"""
{about}

{markdown(*evaluation_table(evaluation))}
{_explained(evaluation)}

{levels}By label:

{markdown(*label_table(evaluation, names))}
By temperature, which scales the noise:

{markdown(titles, heat)}"""


def _explained(evaluation: Mapping[str, Any]) -> str:
    """What the rows of the table mean."""
    settings, measured = evaluation["settings"], evaluation["samples"]
    lines = []
    if "cas_gap" in measured:
        error, seeds = measured["cas_gap_standard_error"], settings["seeds"]
        lines.append(
            f"CAS and C2ST are {f'means over {seeds} seeds' if seeds > 1 else 'of one seed'}. "
            "The CAS is compared with that "
            "of real training images, on the same test images with the same seeds; the difference "
            f"has a standard error of {error:.4f}."
        )
    if "c2st" in measured:
        lines.append(
            "C2ST: fresh classifiers learn to tell samples from test images, on one half of both, "
            "and are measured on the other half; 0.5 means that they cannot."
        )
    lines.append(
        "Precision: the share of samples that look real. Recall and coverage: the share of real "
        "images near which there are samples, by the balls of the samples (k = 3) and of the real "
        "images (k = 5)."
    )
    if "speck_share" in measured:
        speck = "Lone speck: a pixel above grey level 16 with no neighbour above it."
        frame = (
            " Frame: the ink above grey level 127 is exactly 20 pixels high or wide, whichever is "
            "longer."
        )
        lines.append(speck + (frame if has_frame(evaluation) else ""))
    return "\n".join(_filled(line, "- ") for line in lines)


def _filled(text: str, mark: str = "") -> str:
    """A paragraph, or an item of a list, in lines of at most 99 characters."""
    return fill(text, 99, initial_indent=mark, subsequent_indent=" " * len(mark))


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
    table = markdown(["", "negative ELBO", "reconstruction", "KL"], rows)
    return f"""On the {test["images"]:,} test images, in nats per image, in evaluation mode:

{table}
Grey levels are treated as probabilities of ink, so the binary cross-entropy is the article's loss
and not a likelihood of the grey levels.
"""


def _parts(loss: Mapping[str, float]) -> list[str]:
    return [f"{loss[part]:.2f}" for part in ("negative_elbo", "reconstruction_nll", "kl")]
