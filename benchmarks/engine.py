"""The engine alone, without HTTP: `python -m benchmarks.engine` prints one JSON object.

Run by the benchmark in the environment of the service, on one core, with one thread.
"""

import json
import math
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from app.request.schemas import GenerateQuery
from app.settings import Settings
from app.drawing.renderer import Studio, open_studio
from benchmarks import DIGITS

SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)  # digits
DIGITS_A_LINE = 64
MATRIX = 1024  # rows and columns of the matrix product that is the yardstick
SECONDS_A_SIZE = 0.1


def main() -> None:
    """Print what was measured."""
    json.dump(measure(rounds=int(sys.argv[1])), sys.stdout)


def measure(rounds: int) -> dict[str, Any]:
    """The quietest of the alternating rounds, by its median.

    Returns:
        digits: the sizes; decode_us, picture_us: of one call for so many digits, in microseconds,
        by the decoder in float, and from the request to the PNG as the service does it;
        sgemm_gflops: of numpy's matrix product; share: of the decoder's multiplications a second
        in that speed.
    """
    studio, exact = open_studio(Settings()), open_studio(Settings(precision="float"))
    calls: dict[tuple[str, int], Callable[[], object]] = {("sgemm", MATRIX): _product()}
    for size in SIZES:
        calls["decode", size] = _decoding(exact, size)
        calls["picture", size] = _picture(studio, size)
    times: dict[tuple[str, int], list[float]] = {key: [] for key in calls}
    for _ in range(rounds):
        for key, call in calls.items():
            times[key].append(_median_us(call))
    sgemm_gflops = 2 * MATRIX**3 / min(times["sgemm", MATRIX]) / 1e3
    decode = [min(times["decode", size]) for size in SIZES]
    flops = _operations_a_digit(studio)
    return {
        "digits": SIZES,
        "decode_us": decode,
        "picture_us": [min(times["picture", size]) for size in SIZES],
        "sgemm_gflops": sgemm_gflops,
        "share": [
            size * flops / us / 1e3 / sgemm_gflops for size, us in zip(SIZES, decode, strict=True)
        ],
    }


def _decoding(studio: Studio, size: int) -> Callable[[], object]:
    generator = studio.generator
    random = np.random.default_rng(0)
    noise = random.standard_normal((size, studio.latent_size), dtype=np.float32)
    one_hot = generator.one_hot(random.integers(0, 10, size))
    return lambda: generator.engine.decode(noise, one_hot)


def _picture(studio: Studio, size: int) -> Callable[[], object]:
    digits = (DIGITS * DIGITS_A_LINE)[: min(size, DIGITS_A_LINE)]
    seeds = iter(range(2**32))  # another picture each time: the processor learns one by heart
    if size <= DIGITS_A_LINE:
        return lambda: studio.lines([(digits, next(seeds))])
    order = GenerateQuery.check({"digits": digits, "rows": str(size // DIGITS_A_LINE)})
    return lambda: studio.render(order, next(seeds))


def _product() -> Callable[[], object]:
    matrix = np.random.default_rng(0).standard_normal((MATRIX, MATRIX), dtype=np.float32)
    return lambda: matrix @ matrix


def _operations_a_digit(studio: Studio) -> int:
    """Multiplications and additions of the decoder's matrices for one digit."""
    shapes = studio.checkpoint.config.weight_shapes()
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
