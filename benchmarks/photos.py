"""`python -m benchmarks.photos`: how well the service reads composed photos of real test digits.

One line for each kind of picture: how many were read right, read wrong, and refused; then what
shows no single digit, which is to be refused. The networks have seen neither the digits nor the
seeds.
"""

import argparse
import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from app.drawing.handwriting import find_hand
from app.drawing.renderer import Renderer, open_renderer
from app.request.error import RequestError
from model.checkpoint import PRETRAINED
from training.console import print_table
from training.data import load_mnist
from training.photos import kinds
from training.photos.pen import Levels

NEIGHBOURS = 4  # digits that one picture may show
SEED = 20_000  # far from the seeds of training
Picture = tuple[str, int | None, bytes]  # kind, label or None where it is to be refused, file


def _png(levels: Levels) -> bytes:
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "PNG")
    return file.getvalue()


def pictures(images: Levels, labels: Levels, count: int, seed: int) -> Iterator[Picture]:
    """`count` pictures of each kind, of the digits in their order."""
    for index in range(count):
        chosen = np.roll(np.arange(len(images)), -index)[:NEIGHBOURS]
        digits, label = list(images[chosen]), int(labels[index % len(images)])
        rngs = np.random.default_rng((seed, index)).spawn(len(kinds.KINDS) + len(kinds.REFUSED) + 3)
        for name, kind in kinds.KINDS.items():
            yield name, label, kinds.photo(kind, digits, rngs.pop())
        yield "tight, dark on white", label, kinds.tight(digits[0], False, rngs.pop())
        yield "tight, white on black", label, kinds.tight(digits[0], True, rngs.pop())
        yield "8 x 8 pixels", label, _png(kinds.eight(digits[0]))
        yield "MNIST itself", label, _png(digits[0])
        for name, kind in kinds.REFUSED.items():
            yield name, None, kinds.photo(kind, digits, rngs.pop())
        yield "noise", None, kinds.noise(rngs.pop())


def read(renderer: Renderer, content: bytes) -> int | None:
    """The label that is read in a picture; None: it was refused."""
    try:
        return find_hand(renderer, [content], None).label
    except RequestError:
        return None


def measure(renderer: Renderer, made: Iterator[Picture]) -> dict[str, Counter[str]]:
    """For each kind, how many pictures were read `right`, read `wrong` or `refused`."""
    found: dict[str, Counter[str]] = {}
    for name, label, content in made:
        seen = read(renderer, content)
        outcome = "refused" if seen is None else "right" if seen == label else "wrong"
        found.setdefault(name, Counter())[outcome] += 1
    return found


def main() -> None:
    """Print the table, and write it as JSON if a file is named."""
    parser = argparse.ArgumentParser(description="Measure how well photos of digits are read.")
    parser.add_argument("--data-dir", type=Path, default=Path("data"), help="has MNIST/raw")
    parser.add_argument("--count", type=int, default=200, help="pictures of each kind")
    parser.add_argument("--seed", type=int, default=SEED, help="of the pictures")
    parser.add_argument("--output", type=Path, help="file for the same figures as JSON")
    options = parser.parse_args()
    test = load_mnist(options.data_dir, train=False)
    made = pictures(test.images.numpy(), test.labels.numpy(), options.count, options.seed)
    found = measure(open_renderer(PRETRAINED, "onnx", "int8"), made)
    columns = ["right", "wrong", "refused"]
    rows = [
        [name, *(f"{100 * counts[column] / options.count:.1f} %" for column in columns)]
        for name, counts in found.items()
    ]
    print_table("Photos of test digits", ["kind", *columns], rows)
    if options.output:
        options.output.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
