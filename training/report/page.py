"""The report as one HTML file that needs nothing else, with its pictures beside it as PNG files."""

import base64
import html
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from model.checkpoint import Checkpoint
from model.cvae import CVAE
from model.torch_engine import load_cvae
from training.boxes import as_network_sees
from training.checkpoint.sheet import sample_sheet
from training.data import DataSet
from training.report import figure, sheet
from training.report.latent import PLANE, Floats, Posteriors, leading_directions, posteriors, t_sne

PAGE = "report.html"
IMAGES = 5000  # test images that are encoded
POINTS = 1500  # of these, as points of a plane
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
img { max-width: 100%; image-rendering: pixelated; } img.plot { image-rendering: auto; }
td { padding: 0 1rem 0 0; } p { max-width: 44rem; }
@media (prefers-color-scheme: dark) { body { background: #181818; color: #ddd; }
  img.plot { filter: invert(0.9) hue-rotate(180deg); } }
"""


@dataclass(frozen=True)
class Panel:
    """A part of the report."""

    file: str  # of its picture, without the ending
    title: str
    text: str
    png: bytes
    plot: bool = False


def write_report(
    checkpoint: Checkpoint, data: DataSet, folder: Path, seed: int, device: torch.device
) -> Path:
    """Write the report of a checkpoint into `folder`; returns the page.

    Raises:
        OSError: writing failed.
    """
    cvae = load_cvae(checkpoint).to(device).eval()
    data = replace(data, test=as_network_sees(data.test, cvae.config))
    folder.mkdir(parents=True, exist_ok=True)
    panels = list(_panels(checkpoint, cvae, data, seed, device))
    for panel in panels:
        (folder / f"{panel.file}.png").write_bytes(panel.png)
    page = folder / PAGE
    page.write_text(_page(checkpoint, data, panels), encoding="utf-8")
    return page


def _panels(
    checkpoint: Checkpoint, cvae: CVAE, data: DataSet, seed: int, device: torch.device
) -> Iterator[Panel]:
    if history := checkpoint.metrics.get("history"):
        yield Panel(
            "loss",
            "Loss",
            "The negative ELBO and its two terms. A KL near 0 means that the noise is ignored; a "
            "test loss that rises while the training loss falls means that images are memorised.",
            figure.loss_curves(history),
            plot=True,
        )
    yield Panel(
        "reconstructions",
        "Reconstructions",
        "Test images; below each, what the decoder makes of the mean of its posterior.",
        sheet.reconstructions(cvae, data.test, device),
    )
    columns = (
        "A column for each label, every picture with its own noise. " * cvae.config.conditional
    )
    yield Panel(
        "samples",
        "Samples",
        f"{columns}The noise is drawn from N(0, I); no sample was chosen.",
        sample_sheet(cvae, seed, device),
    )
    yield Panel(
        "interpolations",
        "Interpolations",
        "Each row goes from one noise to another"
        + (", with one label." if cvae.config.conditional else "."),
        sheet.interpolations(cvae, seed, device),
    )
    yield from _latent_panels(cvae, data, seed, device)


def _latent_panels(cvae: CVAE, data: DataSet, seed: int, device: torch.device) -> Iterator[Panel]:
    found = posteriors(cvae, data.test, seed, device, IMAGES)
    if cvae.config.latent == PLANE:
        yield Panel(
            "plane",
            "The plane",
            "The decoder over the whole plane of z: equal steps of the prior's probability, so "
            "that each picture stands for an equal share of what is drawn.",
            sheet.plane(cvae, device),
        )
    yield Panel(
        "latent",
        "Latent space",
        "The posteriors of test images, coloured by label. "
        + (
            "With labels as an input, the latent need not tell them apart: well-mixed colours mean "
            "that it holds the style alone."
            if cvae.config.conditional
            else "Without labels as an input, equal labels gather."
        ),
        figure.latent_planes(_planes(found, seed), found.labels[:POINTS], data.label_names),
        plot=True,
    )
    yield Panel(
        "kl",
        "What each latent dimension carries",
        "The KL of each dimension, whose sum is the KL of the loss. One is active if the mean "
        "of its posterior varies by more than 0.01 over the images; the others are noise that the "
        "decoder ignores.",
        figure.kl_of_numbers(found),
        plot=True,
    )
    yield Panel(
        "prior",
        "Posterior against prior",
        "New pictures are drawn from the prior, N(0, I). Where the posteriors of all images "
        "together leave it empty, or put more weight than it, the decoder draws what it was never "
        "trained on.",
        figure.posterior_against_prior(found),
        plot=True,
    )


def _planes(found: Posteriors, seed: int) -> dict[str, Floats]:
    means = found.mean[:POINTS]
    if means.shape[1] <= PLANE:
        return {"a sample of each posterior": leading_directions(found.latent[:POINTS])[0]}
    projected, share = leading_directions(means)
    planes = {f"posterior means: two leading directions, {share:.0%} of the variance": projected}
    if (neighbours := t_sne(means, seed)) is not None:
        planes["posterior means: t-SNE"] = neighbours
    return planes


def _page(checkpoint: Checkpoint, data: DataSet, panels: list[Panel]) -> str:
    config, provenance = checkpoint.config, checkpoint.manifest.provenance
    bound = checkpoint.metrics["test"]["bound"]
    facts = {
        "data": f"{data.name}: {len(data.train):,} training and {len(data.test):,} test images, "
        f"{data.classes} labels, {data.size} x {data.size} pixels",
        "network": f"encoder {'-'.join(map(str, config.encoder_sizes))}, {config.latent} numbers "
        f"of z, decoder {'-'.join(map(str, config.decoder_sizes))}",
        "training": f"{provenance.optimizer}, {provenance.epochs} epochs, seed {provenance.seed}",
        "test loss": f"{bound['negative_elbo']:.2f} nats = reconstruction "
        f"{bound['reconstruction_nll']:.2f} + KL {bound['kl']:.2f}",
        "checkpoint": str(checkpoint.folder),
    }
    rows = "".join(
        f"<tr><td>{name}</td><td>{html.escape(text)}</td></tr>\n" for name, text in facts.items()
    )
    kind = "CVAE" if config.conditional else "VAE"
    title = html.escape(f"{kind} of {provenance.data_subject or data.name}")
    parts = "".join(_section(panel) for panel in panels)
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n<style>{STYLE}</style></head>\n'
        f"<body>\n<h1>{title}</h1>\n<table>\n{rows}</table>\n{parts}</body>\n</html>\n"
    )


def _section(panel: Panel) -> str:
    source = f"data:image/png;base64,{base64.b64encode(panel.png).decode()}"
    kind = ' class="plot"' if panel.plot else ""
    return (
        f"<h2>{html.escape(panel.title)}</h2>\n<p>{html.escape(panel.text)}</p>\n"
        f'<img{kind} alt="{html.escape(panel.title)}" src="{source}">\n'
    )
