"""What a generator that sets text in fonts costs: `python -m benchmarks.peers.trdg`.

Needs an environment of its own: `pip install trdg==1.8.0 'pillow<10' 'numpy<2'`. Prints numbers of
four digits a second of processor time, drawn at a height of 28 pixels on plain paper, and the same
with each as a PNG in memory.
"""

import io
import json
import random
import sys
import time

from trdg.generators import GeneratorFromStrings

COUNT = 200
PLAIN_WHITE = 1


def main() -> None:
    """Measure and print; the fastest of three rounds."""
    draw = [_seconds(encoded=False) for _ in range(3)]
    encode = [_seconds(encoded=True) for _ in range(3)]
    rates = {"numbers/s": COUNT / min(draw), "as PNG": COUNT / min(encode)}
    json.dump(rates, sys.stdout)


def _seconds(encoded: bool) -> float:
    rng = random.Random(7)
    texts = [f"{rng.randrange(10_000):04d}" for _ in range(COUNT)]
    generator = GeneratorFromStrings(texts, COUNT, size=28, background_type=PLAIN_WHITE)
    started = time.process_time()
    for image, _ in generator:
        if encoded:
            image.convert("L").save(io.BytesIO(), "PNG")
    return time.process_time() - started


if __name__ == "__main__":
    main()
