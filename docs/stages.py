"""`python -m docs.stages RUN`: the picture of understanding.md that shows what each stage adds.

RUN is the folder of a finished run of the preset `sharp`; the bundled model is from such a run.
"""

import io
import json
import sys
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor, nn

from model.checkpoint import read_checkpoint
from model.config import CVAEConfig
from model.cvae import CVAE
from model.engine import pictures_of
from training.boxes import as_network_sees
from training.data import LabelledImages
from training.data.named import load_mnist
from training.sharp.flow import Flow
from training.sharp.guide import Guide
from training.sharp.pipeline import aligned_teacher
from training.sharp.recipe import Recipe
from training.sharp.subpixels import FieldDecoder
from training.sharp.teacher import Teacher
from training.tensors import load_tensors

HERE = Path(__file__).parent
REAL = HERE.parent / "tests" / "data"  # digits of MNIST for the last stage
NOISES = 2  # each is drawn as every label
SEED = 0
GREYS = 16  # of the picture, to keep it small
M = TypeVar("M", bound=nn.Module)


class Stages(NamedTuple):
    """The networks of a run, as its stages left them."""

    teacher: Teacher
    distilled: FieldDecoder
    sharpened: FieldDecoder
    guide: Guide
    finished: CVAE  # refined, with its encoder


class Row(NamedTuple):
    """A row of the picture."""

    title: str
    pixels: Tensor  # (N, h, w) float32 in [0, 1], as the networks draw
    confidence: Tensor | None = None  # (N,) float32: how sure the guide is of the label


def read_stages(run: Path) -> Stages:
    """The networks in the folder of a finished run."""
    provenance = read_checkpoint(run / "checkpoint").manifest.provenance
    recipe = Recipe.model_validate_json(json.dumps(provenance.recipe))
    network, teaching = recipe.architecture, recipe.teacher_architecture
    flow = Flow(teaching.latent, teaching.classes, recipe.flow.depth, recipe.flow.width)
    cvae = _loaded(CVAE(teaching), run, "teacher")
    refined, finished = FieldDecoder(network), CVAE(network)
    _loaded(refined, run, "refine", "decoder.")
    finished.decoder.load_state_dict(refined.weights())
    _loaded(finished.encoder, run, "encoder")
    guide = Guide(network.image_height, network.classes, recipe.guide.width)
    return Stages(
        aligned_teacher(cvae, _loaded(flow, run, "flow"), provenance.seed),
        _loaded(FieldDecoder(network), run, "distil"),
        _loaded(FieldDecoder(network), run, "sharpen", "decoder."),
        _loaded(guide, run, "guide"),
        finished.eval(),
    )


def _loaded(module: M, run: Path, stage: str, prefix: str = "") -> M:
    """The module with the weights of a stage's file whose names begin with the prefix."""
    weights, _ = load_tensors(run / "stages" / f"{stage}.safetensors")
    module.load_state_dict(
        {
            name.removeprefix(prefix): weight
            for name, weight in weights.items()
            if name.startswith(prefix)
        }
    )
    return module.eval()


@torch.no_grad()
def rows(stages: Stages, real: LabelledImages) -> list[Row]:
    """What the stages draw from the same noise, and what the last finds of real digits.

    Args:
        stages: of a run on pictures like `real`.
        real: some pictures of each label, as they are in their files.
    """
    config = stages.finished.config
    labels = torch.arange(config.classes).repeat(NOISES)
    one_hot = nn.functional.one_hot(labels, config.classes).float()
    noise = torch.randn(NOISES, config.latent, generator=torch.Generator().manual_seed(SEED))
    noise = noise.repeat_interleave(config.classes, dim=0)
    teacher, guide = stages.teacher, stages.guide
    distilled, sharpened, refined = (
        decoder(noise, one_hot)
        for decoder in (stages.distilled, stages.sharpened, stages.finished.decoder)
    )
    seen = as_network_sees(_of_each_label(real, labels), config)
    images, _ = seen.batch(torch.arange(len(labels)), torch.device("cpu"))
    found, _ = stages.finished.encoder(images, one_hot)
    return [
        Row("1 teacher, z from N(0, I)", teacher.cvae.decoder(noise, one_hot)),
        Row(
            "2 flow, z from the flow",
            teacher.cvae.decoder(teacher.flow.inverse(noise, one_hot), one_hot),
        ),
        Row("3 distil, 4 guide: sure, %", distilled, _confidence(guide, distilled, labels)),
        Row("5 sharpen, 4 guide: sure, %", sharpened, _confidence(guide, sharpened, labels)),
        Row("6 refine, 4 guide: sure, %", refined, _confidence(guide, refined, labels)),
        Row("real digits", images),
        Row("7 encoder, drawn again", stages.finished.decoder(found, one_hot)),
    ]


def _of_each_label(data: LabelledImages, labels: Tensor) -> LabelledImages:
    """For each label (N,) the next picture of it."""
    queues = {label: iter((data.labels == label).nonzero()[:, 0]) for label in set(labels.tolist())}
    chosen = torch.stack([next(queues[label]) for label in labels.tolist()])
    return LabelledImages(data.images[chosen], labels)


def _confidence(guide: Guide, pixels: Tensor, labels: Tensor) -> Tensor:
    shares: Tensor = guide(pixels).softmax(dim=1)
    return shares[torch.arange(len(labels)), labels]


def picture(drawn: list[Row], config: CVAEConfig) -> bytes:
    """The rows below each other as PNG."""
    figure = Figure(figsize=(9.6, 0.62 * len(drawn)), layout="constrained")
    every = figure.subplots(len(drawn), 1)
    for axes, row in zip(every, drawn, strict=True):
        _show(axes, row, config)
    large, small = io.BytesIO(), io.BytesIO()
    figure.savefig(large, format="png", dpi=100)
    Image.open(large).convert("L").quantize(GREYS).save(small, "PNG", optimize=True)
    return small.getvalue()


def _show(axes: Axes, row: Row, config: CVAEConfig) -> None:
    whole = pictures_of(row.pixels.clone().numpy(), config.canvas)  # which uses up what it is given
    axes.imshow(np.concatenate(list(whole), axis=1), cmap="gray_r", vmin=0, vmax=255)
    side = whole.shape[2]
    axes.set_ylabel(row.title, rotation=0, ha="right", va="center")
    middles = np.arange(len(whole)) * side + side / 2
    axes.set_xticks(middles if row.confidence is not None else [])
    if row.confidence is not None:
        axes.set_xticklabels([f"{100 * share:.0f}" for share in row.confidence.tolist()])
    axes.tick_params(length=0, labelsize="small", pad=1)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def main(run: Path) -> None:
    """Write the picture."""
    stages = read_stages(run)
    drawn = rows(stages, load_mnist(REAL, train=False))
    (HERE / "stages.png").write_bytes(picture(drawn, stages.finished.config))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
