"""Random generators keyed by purpose, so that a resumed run needs no stored random state."""

from enum import IntEnum

import numpy as np
import torch


class Purpose(IntEnum):
    """What random numbers are for; each purpose has its own stream."""

    WEIGHTS = 0
    ORDER = 1
    TRAINING_NOISE = 2
    EVALUATION_NOISE = 3
    STAGE = 4
    JUDGE = 5
    METRIC = 6
    ALIGNMENT = 7
    FINDER = 8
    CLASSIFIER = 9


def keyed_rng(seed: int, purpose: Purpose, *keys: int) -> torch.Generator:
    """A CPU generator that depends only on the arguments.

    Args:
        seed: the seed of the run.
        purpose: the stream.
        keys: what distinguishes generators of the same purpose, such as epoch and step.
    """
    words = np.random.SeedSequence((seed, purpose, *keys)).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(words[0]))
