"""Does a network that has seen only drawn digits read real ones?

`python -m benchmarks.usefulness` trains the same small network twice, once on numbers that the
service draws and once on numbers composed of real digits of MNIST's training set, with the same
layout, and tests both on numbers composed of real digits that neither has seen. It needs the
development environment and, for the second source of digits, scikit-learn.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor, nn

from app.drawing.dataset.labels import Labels
from app.drawing.dataset.section import Section
from app.drawing.renderer import Renderer, open_renderer
from app.request.dataset import Description
from app.settings import Settings
from training.data import load_mnist

LAYOUT = {"length": "1-4", "size": "32x128", "placement": "random", "gap": "-2-4"}
BLANK = 10  # the class of CTC that is not a digit
TEST_NUMBERS = 5_000
STEP = 128  # numbers that a reader is trained on at a time
LEARNING_RATE = 2e-3
TEST_SEED, TRAIN_SEED = 1, 2  # the latter is the default
SMALL = 8  # pixels, side of scikit-learn's digits
SMALL_INK = 16  # its darkest level
BOX = 20  # pixels that a digit fills of MNIST's 28

Levels = NDArray[np.uint8]
Numbers = tuple[Levels, Labels]


@dataclass(frozen=True)
class Digits:
    """Real digits: images (N, 28, 28) and labels (N,)."""

    images: Levels
    labels: NDArray[np.intp]

    def pictures(self, wanted: NDArray[np.uint8], rng: np.random.Generator) -> Levels:
        """(M, 28, 28): for each wanted digit one of this label, at random."""
        of_label = [np.flatnonzero(self.labels == digit) for digit in range(10)]
        chosen = [rng.choice(of_label[digit]) for digit in wanted.tolist()]
        return self.images[chosen]


class Reader(nn.Module):
    """A small CRNN: convolutions, a recurrent layer along the width, CTC."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *_layer(16, nn.Conv2d(1, 16, 5, stride=2, padding=2)),
            *_layer(32, nn.Conv2d(16, 32, 3, padding=1)),
            nn.MaxPool2d(2),
            *_layer(64, nn.Conv2d(32, 64, 3, padding=1)),
            nn.MaxPool2d((2, 1)),
        )
        self.sequence = nn.GRU(4 * 64, 64, bidirectional=True, batch_first=True)
        self.classes = nn.Linear(128, 11)

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, 1, 32, W) in [0, 1] to log probabilities (W / 4, B, 11)."""
        features = self.features(images)
        columns = features.flatten(1, 2).transpose(1, 2)
        hidden, _ = self.sequence(columns)
        scores: Tensor = self.classes(hidden).log_softmax(2).transpose(0, 1)
        return scores


def drawn_numbers(renderer: Renderer, count: int, seed: int) -> Iterator[Numbers]:
    """Batches of numbers that the model draws."""
    for section in _steps(count, seed):
        for batch in section.batches(renderer):
            yield batch.sheets.images, batch.labels


def composed_numbers(digits: Digits, count: int, seed: int) -> Iterator[Numbers]:
    """Batches of numbers composed of real digits, in the same layout."""
    rng = np.random.default_rng(seed)
    for section in _steps(count, seed):
        labels = section.labels
        pictures = digits.pictures(labels.digits[labels.used], rng)
        yield section.compose(section.first, labels, pictures).images, labels


def train(batches: Iterator[Numbers], seed: int, say: Callable[[str], None]) -> Reader:
    """A reader that has seen each number once."""
    torch.manual_seed(seed)
    reader, loss_of = Reader(), nn.CTCLoss(blank=BLANK)
    optimizer = torch.optim.Adam(reader.parameters(), LEARNING_RATE)
    began = time.perf_counter()
    for step, (images, labels) in enumerate(batches):
        scores = reader(_pixels(images))
        lengths = torch.from_numpy(labels.lengths)
        targets = torch.from_numpy(labels.digits[labels.used].astype(np.int64))
        steps = torch.full((len(images),), len(scores))
        loss = loss_of(scores, targets, steps, lengths)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(reader.parameters(), 5.0)
        optimizer.step()
        if step % 50 == 0:
            say(f"step {step}, loss {loss.item():.3f}, {time.perf_counter() - began:.0f} s")
    return reader.eval()


@torch.inference_mode()
def errors(reader: Reader, batches: Iterator[Numbers]) -> dict[str, float]:
    """The shares of numbers that are read wrongly, and of digits, by edit distance."""
    wrong = edits = numbers = digits = 0
    for images, labels in batches:
        best = reader(_pixels(images)).argmax(2).T.tolist()
        for found, text in zip(map(_collapsed, best), labels.texts(), strict=True):
            numbers += 1
            digits += len(text)
            wrong += found != text
            edits += _distance(found, text)
    return {"numbers": wrong / numbers, "digits": edits / digits}


def small_digits() -> Digits:
    """The 1,797 digits of scikit-learn, 8 pixels wide, enlarged to the box of MNIST's."""
    from sklearn.datasets import load_digits

    found = load_digits()
    levels = torch.from_numpy(found.images / SMALL_INK).float()[:, None]
    box = nn.functional.interpolate(levels, (BOX, BOX), mode="bilinear")
    border = (28 - BOX) // 2
    images = nn.functional.pad(box, [border] * 4)[:, 0]
    return Digits((images * 255).round().byte().numpy(), found.target.astype(np.intp))


def measure(data_dir: Path, count: int, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    """The errors of both readers on each source of test digits.

    Args:
        data_dir: has MNIST.
        count: numbers that each reader is trained on.
        seed: of these numbers, and of the readers before their training.
        say: told what is done.
    """
    settings = Settings()
    renderer = open_renderer(settings.checkpoint, settings.engine, settings.precision)
    tests = {"MNIST, test": _mnist(data_dir, train=False)}
    if find_spec("sklearn"):
        tests["scikit-learn"] = small_digits()
    sources = {
        "drawn digits": drawn_numbers(renderer, count, seed),
        "real digits": composed_numbers(_mnist(data_dir, train=True), count, seed),
    }
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name, batches in sources.items():
        say(f"train on {name}")
        reader = train(batches, seed, say)
        found[name] = {
            test: errors(reader, composed_numbers(digits, TEST_NUMBERS, TEST_SEED))
            for test, digits in tests.items()
        }
        say(f"{name}: {found[name]}")
    return {"layout": LAYOUT, "training_numbers": count, "seed": seed, "errors": found}


def main(arguments: Sequence[str]) -> None:
    """Measure, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=Path("data"), help="has MNIST, or gets it")
    parser.add_argument("--count", type=int, default=100_000, help="numbers to train on")
    parser.add_argument("--seed", type=int, default=TRAIN_SEED, help="of what is trained")
    options = parser.parse_args(arguments)
    say = Console(stderr=True, highlight=False).print
    result = measure(options.data_dir, options.count, options.seed, say)
    json.dump(result, sys.stdout, indent=1)


def _layer(channels: int, convolution: nn.Conv2d) -> tuple[nn.Module, ...]:
    return convolution, nn.BatchNorm2d(channels), nn.ReLU()


def _steps(count: int, seed: int) -> Iterator[Section]:
    """The sections of a data set that a reader is trained on in one step, each one batch."""
    description = Description.model_validate({"count": str(count), **LAYOUT})
    for first in range(0, count, STEP):
        yield Section(description, seed, first, min(STEP, count - first))


def _mnist(data_dir: Path, train: bool) -> Digits:
    found = load_mnist(data_dir, train)
    return Digits(found.images.numpy(), found.labels.numpy().astype(np.intp))


def _pixels(images: Levels) -> Tensor:
    return torch.from_numpy(images)[:, None].float() / 255


def _collapsed(classes: list[int]) -> str:
    """The number that the classes of all columns say: repetitions and blanks dropped."""
    kept = [now for last, now in zip([BLANK, *classes], classes, strict=False) if now != last]
    return "".join(str(digit) for digit in kept if digit != BLANK)


def _distance(found: str, text: str) -> int:
    """The fewest digits to insert, drop or replace to get from one text to the other."""
    row = list(range(len(text) + 1))
    for number, digit in enumerate(found, start=1):
        last, row[0] = row[0], number
        for column, wanted in enumerate(text, start=1):
            kept = last + (digit != wanted)
            last = row[column]
            row[column] = min(kept, row[column] + 1, row[column - 1] + 1)
    return row[-1]


if __name__ == "__main__":
    main(sys.argv[1:])
