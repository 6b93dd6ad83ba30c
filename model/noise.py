"""Seeded latents: (seed, row, position) -> z ~ N(0, I), the same in every process and language.

The rule, complete enough to be repeated elsewhere:

1. Random bits are Philox4x64-10 (Salmon et al., SC 2011, "Parallel random numbers: as easy as
   1, 2, 3"): a key of two 64-bit words and a counter of four give one block of four 64-bit words.
   Key = (seed, row). Counter = (c, 0, 0, 0).
2. A latent of Z numbers takes ceil(Z / 8) blocks. The latent at position p takes the blocks
   c = p * ceil(Z / 8) + 1 and on, so no digit depends on how many others are drawn.
3. Each 64-bit word gives two uniforms in (0, 1): u = (low 32 bits + 1/2) / 2^32, v = (high
   32 bits + 1/2) / 2^32.
4. Box-Muller: sqrt(-2 ln u) cos(2 pi v) and sqrt(-2 ln u) sin(2 pi v), in this order, in double
   precision, rounded to float32. What is left of the last block is dropped.

tests/test_noise.py holds the test vectors.
"""

import numpy as np
from numpy.typing import NDArray

NORMALS_PER_BLOCK = 8  # four words of 64 bits, two normals each
MAX_SEED = 2**32 - 1


def latents(seed: int, row: int, count: int, size: int) -> NDArray[np.float32]:
    """The latents of the positions 0 .. count - 1 of one row.

    Args:
        seed: 0 .. 2^32 - 1.
        row: >= 0.
        count: number of positions, >= 0.
        size: Z, number of latent dimensions.
    Returns:
        (count, Z) float32, each entry from N(0, 1).
    Raises:
        ValueError: the seed is out of range.
    """
    if not 0 <= seed <= MAX_SEED:
        raise ValueError(f"A seed must be a whole number from 0 to {MAX_SEED}, found {seed}.")
    blocks = -(-size // NORMALS_PER_BLOCK)
    # numpy's generator steps the counter before each block, hence the "+ 1" of rule 2.
    words = np.random.Philox(key=np.array([seed, row], dtype=np.uint64)).random_raw(
        count * blocks * 4
    )
    halves = np.asarray(words, dtype="<u8").view("<u4").reshape(-1, 2)  # low, high
    uniforms = (halves + 0.5) * 2.0**-32
    radius = np.sqrt(-2.0 * np.log(uniforms[:, 0]))
    angle = 2.0 * np.pi * uniforms[:, 1]
    normals = np.empty(halves.shape, dtype=np.float32)
    normals[:, 0] = radius * np.cos(angle)
    normals[:, 1] = radius * np.sin(angle)
    return normals.reshape(count, blocks * NORMALS_PER_BLOCK)[:, :size]
