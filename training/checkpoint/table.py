"""The tables of measurements, for the terminal and for the model card."""

from collections.abc import Mapping, Sequence
from typing import Any

# The rows of the table: name in metrics.json -> title, decimal places.
SHOWN = {
    "cas": ("CAS: accuracy on real images of a classifier trained on samples", 4),
    "cas_gap": ("CAS below that of real images", 4),
    "c2st": ("C2ST: accuracy of a classifier that tells samples from real images", 3),
    "label_agreement": ("label agreement", 4),
    "frechet_distance": ("Frechet distance", 3),
    "precision": ("precision", 3),
    "recall": ("recall", 3),
    "coverage": ("coverage", 3),
    "speck_share": ("share with a lone speck", 3),
    "frame_share": ("share with a frame of 20 pixels", 3),
    "slant_correlation_same_noise": ("slant correlation, same noise", 2),
    "slant_correlation_other_noise": ("slant correlation, other noise", 2),
    "ink_correlation_same_noise": ("ink correlation, same noise", 2),
    "ink_correlation_other_noise": ("ink correlation, other noise", 2),
    "nearest_training_distance": ("distance to the nearest training image", 2),
    "log_likelihood_nats": ("log-likelihood of binarised images, nats", 1),
    "calibrated_log_likelihood_nats": ("the same, calibrated", 1),
}
FRAMED = 0.5  # share of the real pictures that have the frame
TITLES = {
    "samples": "this model",
    "int8": "int8",
    "repeat": "another seed",
    "baseline": "baseline",
    "real": "real",
}
# The columns of the table by label: name in metrics.json -> title, decimal places.
BY_LABEL = {
    "cas": ("CAS", 4),
    "label_agreement": ("label agreement", 4),
    "frechet_distance": ("Frechet distance", 2),
}


def evaluation_table(evaluation: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of the measurements: this model, its variants, a baseline, real pictures."""
    kinds = _kinds(evaluation)
    rows = [
        [title, *(shown(evaluation[kind].get(name), digits) for kind in kinds)]
        for name, (title, digits) in SHOWN.items()
        if any(name in evaluation[kind] for kind in kinds)  # a new measurement may be missing
        and (name != "frame_share" or has_frame(evaluation))
    ]
    rows.append(_ratios(evaluation, kinds))
    microseconds = evaluation["cost"]["microseconds"]
    cost = [shown(microseconds.get(kind), 0) for kind in kinds]
    rows.append([f"time of {evaluation['cost']['digits']} images, microseconds", *cost])
    return ["", *(TITLES[kind] for kind in kinds)], rows


def has_frame(evaluation: Mapping[str, Any]) -> bool:
    """Whether the real pictures are scaled to a frame as MNIST's are, so that it can be missed."""
    return bool(evaluation["real"].get("frame_share", 0) > FRAMED)


def _ratios(evaluation: Mapping[str, Any], kinds: list[str]) -> list[str]:
    """The row of Frechet distances relative to the baseline's."""
    unit = evaluation.get("baseline", {}).get("frechet_distance")
    found = [evaluation[kind]["frechet_distance"] / unit if unit else None for kind in kinds]
    return ["Frechet distance, relative to the baseline", *(shown(ratio, 4) for ratio in found)]


def shown(value: float | None, digits: int) -> str:
    """A number with so many decimal places, or a dash."""
    # Adding 0 turns the -0.0 of a small negative number into 0.0.
    return "-" if value is None else f"{round(value, digits) + 0.0:,.{digits}f}"


def level_table(evaluation: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of the shares of grey levels."""
    kinds = _kinds(evaluation)
    rows = [
        [name, *(shown(evaluation[kind]["grey_levels"][name], 3) for kind in kinds)]
        for name in evaluation["real"]["grey_levels"]
    ]
    return ["grey levels", *(TITLES[kind] for kind in kinds)], rows


def label_table(
    evaluation: Mapping[str, Any], names: Sequence[str]
) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of the measurements by label, of this model and its int8 variant."""
    columns, rows = ["label"], [[names[row["label"]]] for row in evaluation["samples"]["per_label"]]
    for kind, title in (("samples", ""), ("int8", "int8: ")):
        if "per_label" not in evaluation.get(kind, {}):
            continue  # a checkpoint without a rounded decoder
        for name, (heading, digits) in BY_LABEL.items():
            columns.append(title + heading)
            for row, found in zip(rows, evaluation[kind]["per_label"], strict=True):
                row.append(shown(found[name], digits))
    return columns, rows


def markdown(columns: list[str], rows: list[list[str]]) -> str:
    """A table as Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _kinds(evaluation: Mapping[str, Any]) -> list[str]:
    """What was measured, in the order of the columns."""
    return [kind for kind in TITLES if kind in evaluation]
