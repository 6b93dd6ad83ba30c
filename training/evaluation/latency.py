"""What a decoder costs: the time of one call, by ONNX Runtime on one core."""

import statistics
import time
from collections.abc import Mapping

import numpy as np

from model.config import CVAEConfig
from model.engine import Engine

DIGITS = 4  # in a call: a year
ROUNDS = 200
CALLS = 10  # in a round


def decode_seconds(engines: Mapping[str, tuple[CVAEConfig, Engine]]) -> dict[str, float]:
    """Seconds for a call of 4 digits, for each engine: the median over rounds.

    All take turns in each round, so that a busy machine disturbs them alike.
    """
    generator = np.random.default_rng(0)
    one_hot = np.eye(10, dtype=np.float32)[:DIGITS]
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(ROUNDS):
        for name, (config, engine) in engines.items():
            noise = generator.standard_normal((DIGITS, config.latent), dtype=np.float32)
            started = time.perf_counter()
            for _ in range(CALLS):
                engine.decode(noise, one_hot)
            seconds[name].append((time.perf_counter() - started) / CALLS)
    return {name: statistics.median(times) for name, times in seconds.items()}
