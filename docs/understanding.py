"""`python -m docs.understanding`: the plots of understanding.md, made by the project's own code."""

import io
import math
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from model.cvae import reparametrise
from model.objective import gaussian_kl

HERE = Path(__file__).parent
SAMPLES = 400
COLOURS = ("tab:blue", "tab:orange")


def moved_noise() -> Figure:
    """The same noise, moved and scaled by two posteriors: where the randomness comes in."""
    epsilon = torch.randn(SAMPLES, 2, generator=torch.Generator().manual_seed(0))
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    left.scatter(*epsilon.T.numpy(), s=4, color="grey")
    left.set(title="epsilon, drawn from N(0, I)")
    for colour, mean, log_variance in (
        (COLOURS[0], (-2.0, 1.0), (-2.0, -1.0)),
        (COLOURS[1], (1.5, -0.5), (0.0, -3.0)),
    ):
        one, other = (torch.tensor([value] * SAMPLES) for value in (mean, log_variance))
        latent = reparametrise(one, other, epsilon)
        label = f"mean {mean}, log-variance {log_variance}"
        right.scatter(*latent.T.numpy(), s=4, color=colour, label=label)
    right.set(title="mean + epsilon * exp(log-variance / 2)")
    right.legend(fontsize="small", loc="lower left")
    for axes in (left, right):
        axes.set(xlim=(-4, 4), ylim=(-4, 4), xlabel="z 1", ylabel="z 2")
        axes.grid(alpha=0.3)
    return figure


def gradient_estimates(draws: int = 4000) -> dict[str, NDArray[np.float32]]:
    """Estimates of d E[(z - 2)^2] / d mean for z from N(mean, 1) at mean 0: each from one draw.

    The true gradient is -4. "reparametrised" differentiates through the sample; "score" weighs the
    gradient of the log-density with the value, which needs no derivative of it.
    """
    epsilon = torch.randn(draws, 1, generator=torch.Generator().manual_seed(0))
    mean = torch.zeros(draws, 1, requires_grad=True)
    value = (reparametrise(mean, torch.zeros(draws, 1), epsilon) - 2).square()
    (reparametrised,) = torch.autograd.grad(value.sum(), mean)
    score = (epsilon - 2).square() * epsilon  # d log N(z; mean, 1) / d mean = z - mean
    return {
        "reparametrised": reparametrised.flatten().numpy(),
        "score": score.flatten().numpy(),
    }


def estimates_of_the_gradient() -> Figure:
    """How far single estimates of the gradient are from it, with and without the trick."""
    figure = Figure(figsize=(8, 3), layout="constrained")
    axes = figure.subplots()
    places = np.linspace(-40, 30, 141)
    for colour, (name, found) in zip(COLOURS, gradient_estimates().items(), strict=True):
        label = f"{name}: mean {found.mean():.2f}, standard deviation {found.std():.2f}"
        axes.hist(found, bins=places.tolist(), density=True, alpha=0.6, color=colour, label=label)
    axes.axvline(-4, color="black", linestyle="--", label="the gradient, -4")
    axes.set(xlabel="one estimate of the gradient", ylabel="density")
    axes.legend(fontsize="small", loc="upper left")
    return figure


def bound_by_log_variance() -> dict[str, NDArray[np.float64]]:
    """The bound and what it bounds, for a model so small that both are known.

    z is from N(0, 1), y given z from N(z, 1), and y = 1 was seen. Then y is from N(0, 2), and the
    posterior of z is N(1/2, 1/2). The bound is taken at q = N(1/2, variance).
    """
    log_variance = torch.linspace(-4, 2, 121)
    mean = torch.full_like(log_variance, 0.5)
    variance = log_variance.exp()
    expected = -0.5 * (math.log(2 * math.pi) + (1 - mean).square() + variance)
    kl = gaussian_kl(mean[:, None], log_variance[:, None])
    evidence = -0.5 * (math.log(2 * math.pi * 2) + 1 / 2)
    return {
        "variance": variance.double().numpy(),
        "bound": (expected - kl).double().numpy(),
        "evidence": np.full(len(variance), evidence),
    }


def bound() -> Figure:
    """The bound below the evidence: it touches it where q is the posterior."""
    found = bound_by_log_variance()
    figure = Figure(figsize=(8, 3), layout="constrained")
    axes = figure.subplots()
    axes.plot(found["variance"], found["bound"], label="the bound, of q = N(1/2, variance)")
    axes.plot(found["variance"], found["evidence"], "k--", label="log p(y)")
    axes.axvline(0.5, color="grey", linewidth=0.8, label="variance of the posterior, 1/2")
    axes.set(xscale="log", xlabel="variance of q", ylabel="nats")
    axes.legend(fontsize="small", loc="lower left")
    return figure


def png(figure: Figure) -> bytes:
    """A figure as PNG."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100)
    return file.getvalue()


def main() -> None:
    """Write the pictures."""
    figures = {
        "reparametrisation": moved_noise(),
        "gradients": estimates_of_the_gradient(),
        "bound": bound(),
    }
    for name, figure in figures.items():
        (HERE / f"{name}.png").write_bytes(png(figure))


if __name__ == "__main__":
    main()
