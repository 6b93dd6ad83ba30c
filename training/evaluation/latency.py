"""The time that a decoder takes for one call."""

import statistics
import time
from collections.abc import Mapping

import numpy as np

from model.generator import Generator

DIGITS = 4  # per call, as in a year
ROUNDS = 200
CALLS = 10  # per round


def decode_seconds(generators: Mapping[str, Generator]) -> dict[str, float]:
    """Seconds per call of 4 digits for the decoder of each generator: the median over rounds.

    The generators take turns in each round, so that other load affects all of them alike.
    """
    rng = np.random.default_rng(0)
    seconds: dict[str, list[float]] = {name: [] for name in generators}
    for _ in range(ROUNDS):
        for name, generator in generators.items():
            noise = rng.standard_normal((DIGITS, generator.config.latent), dtype=np.float32)
            one_hot = generator.one_hot(np.arange(DIGITS) % generator.config.classes)
            started = time.perf_counter()
            for _ in range(CALLS):
                generator.engine.draw(noise, one_hot)
            seconds[name].append((time.perf_counter() - started) / CALLS)
    return {name: statistics.median(times) for name, times in seconds.items()}
