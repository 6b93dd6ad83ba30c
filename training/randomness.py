"""Generators keyed by what they are for, so that no random state has to be stored or restored."""

from enum import IntEnum

import numpy as np
import torch


class Purpose(IntEnum):
    """What random numbers are drawn for; each has a stream of its own."""

    WEIGHTS = 0
    ORDER = 1
    TRAINING_NOISE = 2
    EVALUATION_NOISE = 3
    STAGE = 4
    JUDGE = 5
    METRIC = 6
    ALIGNMENT = 7


def keyed_generator(seed: int, purpose: Purpose, *keys: int) -> torch.Generator:
    """A CPU generator that depends on nothing but its arguments.

    Args:
        seed: of the run.
        purpose: the stream.
        keys: what distinguishes draws within the stream, such as epoch and step.
    """
    words = np.random.SeedSequence((seed, purpose, *keys)).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(words[0]))
