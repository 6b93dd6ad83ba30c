"""The plots of a report, as PNG files by matplotlib."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from training.report.latent import Floats, Posteriors

DPI = 110
FEW_LABELS = 10  # that have colours of their own
NAMED_LABELS = 20  # labels that a legend names
TITLES = {"negative_elbo": "negative ELBO", "reconstruction_nll": "reconstruction", "kl": "KL"}


def loss_curves(history: Sequence[Mapping[str, Any]]) -> bytes:
    """The loss and its two terms by epoch, of training and test images, in nats per image."""
    figure = Figure(figsize=(9, 3), layout="constrained")
    for axes, (part, title) in zip(figure.subplots(1, 3), TITLES.items(), strict=True):
        epochs = [row["epoch"] for row in history]
        for split in ("train", "test"):
            axes.plot(epochs, [row[split][part] for row in history], marker=".", label=split)
        axes.set(title=f"{title}, nats", xlabel="epoch")
        axes.grid(alpha=0.3)
        axes.legend(loc="center right")
    return _png(figure)


def latent_planes(
    planes: Mapping[str, Floats], labels: NDArray[np.int64], names: Sequence[str]
) -> bytes:
    """Points (N, 2) coloured by label, one plane beside the other, each with its title."""
    figure = Figure(figsize=(5.2 * len(planes), 4.8), layout="constrained")
    colours = colormaps["tab10" if len(names) <= FEW_LABELS else "nipy_spectral"]
    every = figure.subplots(1, len(planes), squeeze=False)[0]
    for axes, (title, points) in zip(every, planes.items(), strict=True):
        for number in np.unique(labels):
            of_label = points[labels == number]
            shade = colours(number if len(names) <= FEW_LABELS else number / max(1, len(names) - 1))
            axes.scatter(*of_label.T, s=5, color=shade, label=names[number], linewidths=0)
        axes.set(title=title)
        axes.set_aspect("equal", "datalim")
    if len(names) <= NAMED_LABELS:
        every[-1].legend(
            markerscale=3, fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5)
        )
    return _png(figure)


def kl_of_numbers(found: Posteriors) -> bytes:
    """The KL of each latent dimension, largest first."""
    figure = Figure(figsize=(9, 3), layout="constrained")
    axes = figure.subplots()
    kl = np.sort(found.kl)[::-1]
    axes.bar(np.arange(len(kl)), kl, width=1.0, edgecolor="white", linewidth=0.2)
    axes.set(xlabel="latent dimension, by its KL", ylabel="KL, nats")
    axes.set_title(
        f"{found.active} of {len(kl)} numbers are active; {found.carrying} carry 90 % of "
        f"{kl.sum():.1f} nats"
    )
    return _png(figure)


def posterior_against_prior(found: Posteriors) -> bytes:
    """Three views of how samples of all posteriors together differ from N(0, I)."""
    figure = Figure(figsize=(9, 3), layout="constrained")
    numbers, variances, lengths = figure.subplots(1, 3)
    most = int(found.kl.argmax())
    _against_normal(numbers, found.latent[:, most])
    numbers.set(title="the number of z with the largest KL")
    variances.plot(np.sort(found.latent.var(axis=0))[::-1], label="samples of the posteriors")
    variances.plot(np.sort(found.mean.var(axis=0))[::-1], label="their means alone")
    variances.axhline(1, color="black", linestyle="--", label="prior")
    variances.set(
        title="variance of each number of z", xlabel="number, by variance", ylim=(0, None)
    )
    variances.legend(fontsize="small", loc="lower left")
    active = found.latent[:, found.is_active]
    size = max(1, active.shape[1])
    rng = np.random.default_rng(0)
    drawn = np.linalg.norm(rng.standard_normal((len(active), size)), axis=1)
    lengths.hist(
        np.linalg.norm(active, axis=1), bins=40, density=True, alpha=0.6, label="posteriors"
    )
    lengths.hist(drawn, bins=40, density=True, alpha=0.6, label="prior")
    lengths.set(title=f"length of the {active.shape[1]} active numbers")
    lengths.legend(fontsize="small", loc="upper right")
    return _png(figure)


def _against_normal(axes: Axes, values: Floats) -> None:
    axes.hist(values, bins=60, density=True, alpha=0.6, label="samples of the posteriors")
    places = np.linspace(-4, 4, 200)
    axes.plot(places, np.exp(-(places**2) / 2) / np.sqrt(2 * np.pi), "k--", label="prior")
    axes.legend(fontsize="small", loc="upper right")


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DPI)
    return file.getvalue()
