"""The engine alone, without HTTP: `python -m benchmarks.engine` prints one JSON object.

The benchmark runs it in the environment of the service, on one core, with one thread.
"""

import itertools
import json
import math
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from app.drawing.renderer import Order, Renderer, open_renderer
from app.request.schemas import Drawing
from app.settings import Settings
from benchmarks import DIGITS

SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)  # digits
DIGITS_A_LINE = 64
MATRIX = 1024  # rows and columns of the matrix product that is the yardstick
SECONDS_A_SIZE = 0.1


def main() -> None:
    """Measure and print."""
    json.dump(measure(rounds=int(sys.argv[1])), sys.stdout)


def measure(rounds: int) -> dict[str, Any]:
    """The figures of the fastest of several alternating rounds.

    Returns:
        digits: the numbers of digits in a call; decode_us: microseconds of a call of the decoder
        in float; picture_us: microseconds from the request to the PNG, as in the service;
        sgemm_gflops: speed of numpy's matrix product; share: speed of the decoder's matrix
        products, divided by that.
    """
    settings = Settings()
    renderer = open_renderer(settings.checkpoint, settings.engine, settings.precision)
    exact = open_renderer(settings.checkpoint, settings.engine, "float")
    calls: dict[tuple[str, int], Callable[[], object]] = {("sgemm", MATRIX): _product()}
    for size in SIZES:
        calls["decode", size] = _decoding(exact, size)
        calls["picture", size] = _picture(renderer, size)
    times: dict[tuple[str, int], list[float]] = {key: [] for key in calls}
    for _ in range(rounds):
        for key, call in calls.items():
            times[key].append(_median_us(call))
    sgemm_gflops = 2 * MATRIX**3 / min(times["sgemm", MATRIX]) / 1e3
    decode = [min(times["decode", size]) for size in SIZES]
    flops = _operations_per_digit(renderer)
    return {
        "digits": SIZES,
        "decode_us": decode,
        "picture_us": [min(times["picture", size]) for size in SIZES],
        "sgemm_gflops": sgemm_gflops,
        "share": [
            size * flops / us / 1e3 / sgemm_gflops for size, us in zip(SIZES, decode, strict=True)
        ],
    }


def _decoding(renderer: Renderer, size: int) -> Callable[[], object]:
    generator = renderer.generator
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((size, renderer.latent_size), dtype=np.float32)
    one_hot = generator.one_hot(rng.integers(0, 10, size))
    return lambda: generator.engine.draw(noise, one_hot)


def _picture(renderer: Renderer, size: int) -> Callable[[], object]:
    digits = (DIGITS * DIGITS_A_LINE)[: min(size, DIGITS_A_LINE)]
    values = {"digits": digits, "rows": str(max(1, size // DIGITS_A_LINE))}
    query = Drawing.model_validate(values)
    seeds = itertools.count()  # a new picture each time, which the processor cannot predict
    return lambda: renderer.render([Order(query, next(seeds))])


def _product() -> Callable[[], object]:
    matrix = np.random.default_rng(0).standard_normal((MATRIX, MATRIX), dtype=np.float32)
    return lambda: matrix @ matrix


def _operations_per_digit(renderer: Renderer) -> int:
    """Multiplications and additions of the decoder's matrices for one digit."""
    shapes = renderer.checkpoint.config.weight_shapes()
    return sum(
        2 * math.prod(shape)
        for name, shape in shapes.items()
        if name.startswith("decoder.") and len(shape) > 1
    )


def _median_us(call: Callable[[], object]) -> float:
    call()
    times: list[float] = []
    limit = time.perf_counter() + SECONDS_A_SIZE
    while len(times) < 3 or time.perf_counter() < limit:
        started = time.perf_counter()
        call()
        times.append((time.perf_counter() - started) * 1e6)
    return statistics.median(times)


if __name__ == "__main__":
    main()
