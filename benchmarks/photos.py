"""`python -m benchmarks.photos`: how well the service reads composed photos of real test digits.

One line for each kind of picture: how many were read right, read wrong, and refused; then what
shows no single digit, which is to be refused. The networks have seen neither the digits nor the
seeds. Then how far the confidences can be trusted, and how much of a hand survives a photo.
"""

import argparse
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from app.drawing.handwriting import find_hand
from app.drawing.renderer import Renderer, open_renderer
from app.request.error import RequestError
from model.checkpoint import PRETRAINED
from model.reading.cutout import normalise
from training.console import print_table
from training.data import load_mnist
from training.evaluation.style import ink, slant
from training.photos import kinds
from training.photos.pen import Levels

NEIGHBOURS = 4  # digits that one picture may show
SEED = 20_000  # far from the seeds of training
HANDS = "lines, shadow"  # the kind of picture through which hands are followed
FAINT = 0.05  # cover under which the pen has not touched the paper
BINS = 10  # of confidences
ENLARGED = 80  # pixels, the side of scikit-learn's digits of 8
SMALL_INK = 16  # the level of full ink there
Picture = tuple[str, int | None, bytes]  # kind, label or None where it is to be refused, file


class Outcome(NamedTuple):
    """What the service made of one picture.

    Attributes:
        result: `right`, `wrong` or `refused`.
        confidence: of the label; None if there is none.
    """

    result: str
    confidence: float | None


Found = dict[str, list[Outcome]]  # by kind


def _png(levels: Levels) -> bytes:
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "PNG")
    return file.getvalue()


MAKERS: dict[str, Callable[[Sequence[Levels], np.random.Generator], bytes]] = {
    **{name: partial(kinds.photo, kind) for name, kind in kinds.KINDS.items()},
    "tight, dark on white": lambda digits, rng: kinds.tight(digits[0], False, rng),
    "tight, white on black": lambda digits, rng: kinds.tight(digits[0], True, rng),
    "8 x 8 pixels": lambda digits, _: _png(kinds.eight(digits[0])),
    **{name: partial(kinds.photo, kind) for name, kind in kinds.REFUSED.items()},
    "noise": lambda _, rng: kinds.noise(rng),
}


def pictures(images: Levels, labels: Levels, count: int, seed: int) -> Iterator[Picture]:
    """`count` pictures of each kind, each of digits of its own: one hard digit spoils one kind."""
    for index in range(count):
        rngs = np.random.default_rng((seed, index)).spawn(len(MAKERS))
        for (name, make), rng in zip(MAKERS.items(), rngs, strict=True):
            chosen = rng.choice(len(images), NEIGHBOURS, replace=False)
            label = None if name in _refusals() else int(labels[chosen[0]])
            yield name, label, make(list(images[chosen]), rng)


def plain(images: Levels, labels: Levels, count: int) -> Iterator[Picture]:
    """Digits as MNIST has them, the first `count`."""
    for image, label in zip(images[:count], labels[:count].tolist(), strict=True):
        yield "MNIST itself", label, _png(image)


def other_hands(count: int) -> Iterator[Picture]:
    """Real digits of other people: scikit-learn's, enlarged, without a margin; `count` at most."""
    from sklearn.datasets import load_digits

    found = load_digits()
    for levels, label in zip(found.images[:count], found.target[:count].tolist(), strict=True):
        small = Image.fromarray((levels * (255 / SMALL_INK)).astype(np.uint8))
        large = small.resize((ENLARGED, ENLARGED), Image.Resampling.BICUBIC)
        yield "scikit-learn's digits", label, _png(np.asarray(large))


def read(renderer: Renderer, content: bytes) -> tuple[int, float | None] | None:
    """The label that is read in a picture and its confidence; None: it was refused."""
    try:
        hand = find_hand(renderer, [content], None)
    except RequestError:
        return None
    return hand.labels[0], hand.confidence


def measure(renderer: Renderer, made: Iterable[Picture]) -> Found:
    """What was made of the pictures of each kind."""
    found: Found = {}
    for name, label, content in made:
        seen = read(renderer, content)
        if seen is None:
            outcome = Outcome("refused", None)
        else:
            outcome = Outcome("right" if seen[0] == label else "wrong", seen[1])
        found.setdefault(name, []).append(outcome)
    return found


def calibration_error(outcomes: Iterable[Outcome]) -> float:
    """The expected calibration error of labels, in [0, 1], with equal bins of confidence.

    Source: Guo et al., "On Calibration of Modern Neural Networks", arXiv:1706.04599, equation 5.
    """
    answered = [outcome for outcome in outcomes if outcome.confidence is not None]
    if not answered:
        return 0.0
    confidence = np.array([outcome.confidence for outcome in answered], dtype=np.float64)
    right = np.array([outcome.result == "right" for outcome in answered])
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    errors = [
        abs(float((right[own] - confidence[own]).sum()))
        for own in (bins == number for number in range(BINS))
    ]
    return sum(errors) / len(answered)


def kept_hand(
    renderer: Renderer, images: Levels, labels: Levels, count: int, seed: int
) -> dict[str, float]:
    """Correlation of slant and ink, each label's own mean taken away, from pen to drawn line.

    The pen writes a test digit on ruled paper in the shade; the line has all other digits.
    """
    rows = []
    for index in range(count):
        label, rng = int(labels[index]), np.random.default_rng((seed, index))
        scene = kinds.scene_of(kinds.KINDS[HANDS], list(images[index : index + 2]), rng)
        content = kinds.photo_of(scene, kinds.KINDS[HANDS])
        try:
            hand = find_hand(renderer, [content], label)
        except RequestError:
            continue
        others = "".join(digit for digit in "0123456789" if digit != str(label))
        noise = np.repeat(hand.noises, len(others), axis=0)
        levels = renderer.generator.draw(renderer.one_hot(others), noise)
        drawn = levels.astype(np.float32) / np.float32(255)
        visible = np.where(scene.digit > FAINT, scene.digit, 0)
        written = normalise(visible.astype(np.float32))[None].astype(np.float32)
        rows.append([label, *_style(written), *_style(drawn)])
    table = np.array(rows, np.float32)
    for label in set(table[:, 0]):
        own = table[:, 0] == label
        table[own, 1:] -= table[own, 1:].mean(axis=0)
    return {
        "slant": float(np.corrcoef(table[:, 1], table[:, 3])[0, 1]),
        "ink": float(np.corrcoef(table[:, 2], table[:, 4])[0, 1]),
        "pictures": len(table),
    }


def _style(digits: NDArray[np.float32]) -> tuple[float, float]:
    """The mean slant and ink of digits (N, 28, 28) in [0, 1]."""
    tensor = torch.from_numpy(np.ascontiguousarray(digits))
    return float(slant(tensor).mean()), float(ink(tensor).mean())


def report(found: Found) -> dict[str, Any]:
    """The figures as JSON: shares by kind, and the calibration over all digits."""
    shares = {
        name: {
            result: round(sum(one.result == result for one in outcomes) / len(outcomes), 4)
            for result in ("right", "wrong", "refused")
        }
        for name, outcomes in found.items()
    }
    digits = [one for name, all_ in found.items() if name not in _refusals() for one in all_]
    return {"kinds": shares, "calibration_error": round(calibration_error(digits), 4)}


def _refusals() -> set[str]:
    return {*kinds.REFUSED, "noise"}


def _show(figures: dict[str, Any]) -> None:
    columns = ["right", "wrong", "refused"]
    rows = [
        [name, *(f"{100 * shares[column]:.1f} %" for column in columns)]
        for name, shares in figures["kinds"].items()
    ]
    print_table("Photos of test digits", ["kind", *columns], rows)
    facts = [[name, f"{value}"] for name, value in figures.items() if name != "kinds"]
    print_table("All of them", ["figure", "value"], facts)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables, and write them as JSON if a file is named."""
    parser = argparse.ArgumentParser(description="Measure how well photos of digits are read.")
    parser.add_argument("--data-dir", type=Path, default=Path("data"), help="has MNIST/raw")
    parser.add_argument("--checkpoint", type=Path, default=PRETRAINED, help="what reads them")
    parser.add_argument("--count", type=int, default=200, help="pictures of each kind")
    parser.add_argument("--plain", type=int, default=10_000, help="digits as MNIST has them")
    parser.add_argument("--seed", type=int, default=SEED, help="of the pictures")
    parser.add_argument("--output", type=Path, help="file for the same figures as JSON")
    options = parser.parse_args(arguments)
    test = load_mnist(options.data_dir, train=False)
    images, labels = test.images.numpy(), test.labels.numpy()
    renderer = open_renderer(options.checkpoint, "onnx", "int8")
    found = measure(renderer, pictures(images, labels, options.count, options.seed))
    found |= measure(renderer, plain(images, labels, options.plain))
    if find_spec("sklearn"):
        found |= measure(renderer, other_hands(options.plain))
    figures = report(found)
    kept = kept_hand(renderer, images, labels, options.count, options.seed)
    figures["hand_kept"] = {name: round(value, 3) for name, value in kept.items()}
    _show(figures)
    if options.output:
        options.output.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
