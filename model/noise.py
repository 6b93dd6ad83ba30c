"""Seeded noise: (seed, row, position) -> N(0, I), reproducible in any process and language.

The rule, complete enough to be implemented elsewhere:

1. Random bits are Philox4x64-10 (Salmon et al., SC 2011, "Parallel random numbers: as easy as
   1, 2, 3"): a key of two 64-bit words and a counter of four give one block of four 64-bit words.
   Key = (seed, row). Counter = (c, 0, 0, stream).
2. Stream 0 has the noise of each position. The noise of one position is Z numbers and takes
   B = ceil(Z / 8) blocks; position p takes the blocks c = p * B + 1 to p * B + B, so a digit does
   not depend on the number of digits. Stream 1 has the hand of the row, as its position 0.
3. Each 64-bit word gives two uniforms in (0, 1): u = (low 32 bits + 1/2) / 2^32, v = (high
   32 bits + 1/2) / 2^32.
4. Box-Muller: sqrt(-2 ln u) cos(2 pi v) and sqrt(-2 ln u) sin(2 pi v), in this order, in double
   precision, rounded to float32. The rest of the last block is dropped.
5. Two noises a and b are mixed as cos(m pi / 2) a + sin(m pi / 2) b, so that the mixture of two
   samples of N(0, I) is from N(0, I).

The bits of rules 1 to 3 are the same everywhere. ln, cos and sin may differ in the last bit of a
double between processors, which rounding to float32 hides for all but about one number in 10^9.
tests/model/test_noise.py has test vectors.
"""

import math
import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

NORMALS_PER_BLOCK = 8  # four words of 64 bits, two normals each
MAX_SEED = 2**32 - 1
POSITIONS, HANDS = 0, 1  # the streams

Noise = NDArray[np.float32]
_of_thread = threading.local()


def line_noise(seed: int, row: int, count: int, size: int) -> Noise:
    """The noise of the positions 0 .. count - 1 of one row.

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
    return _normals([(seed, row, count)], POSITIONS, size)


def noise_of_lines(lines: Sequence[tuple[int, int, int]], size: int) -> Noise:
    """The noise of several lines at once, in little more time than one line takes.

    Args:
        lines: (seed, row, count) of each line, see `line_noise`.
        size: Z, number of latent dimensions.
    Returns:
        (sum of counts, Z) float32: `line_noise` of each line, one after the other.
    Raises:
        ValueError: a seed is out of range.
    """
    return _normals(lines, POSITIONS, size)


def hand(seed: int, row: int, size: int) -> Noise:
    """The noise (Z,) float32 that all digits of a row share if they have one handwriting.

    Raises:
        ValueError: the seed is out of range.
    """
    shared: Noise = _normals([(seed, row, 1)], HANDS, size)[0]
    return shared


def mix(first: Noise, second: Noise, share: float) -> Noise:
    """The noise at `share` of the way from `first` to `second`, along an arc.

    Args:
        first: (N, Z) float32 from N(0, I).
        second: (N, Z) float32 from N(0, I), independent of the first.
        share: in [0, 1]; 0 is the first and 1 the second, exactly.
    Returns:
        (N, Z) float32, from N(0, I).
    """
    if share in (0, 1):
        return second if share else first
    angle = share * math.pi / 2
    mixed: Noise = np.float32(math.cos(angle)) * first + np.float32(math.sin(angle)) * second
    return mixed


def _normals(lines: Sequence[tuple[int, int, int]], stream: int, size: int) -> Noise:
    blocks = -(-size // NORMALS_PER_BLOCK)
    # numpy increments the counter before each block, hence the "+ 1" of rule 2.
    words = [_bits(seed, row, stream).random_raw(count * blocks * 4) for seed, row, count in lines]
    bits = words[0] if len(words) == 1 else np.concatenate(words)
    halves = np.asarray(bits, dtype="<u8").view("<u4").reshape(-1, 2)  # low, high
    uniforms = halves.astype(np.float64)  # in place from here on: it runs for every request
    uniforms += 0.5
    uniforms *= 2.0**-32
    radius, angle = np.log(uniforms[:, 0]), uniforms[:, 1]
    radius *= -2.0
    np.sqrt(radius, out=radius)
    angle *= 2.0 * np.pi
    normals = np.empty(halves.shape, dtype=np.float32)
    normals[:, 0] = radius * np.cos(angle)
    normals[:, 1] = radius * np.sin(angle)
    return normals.reshape(-1, blocks * NORMALS_PER_BLOCK)[:, :size]


def _bits(seed: int, row: int, stream: int) -> np.random.Philox:
    """The bit generator at the start of a stream.

    Each thread keeps one and resets it, which takes a tenth of the time of making one.

    Raises:
        ValueError: the seed is out of range.
    """
    if not 0 <= seed <= MAX_SEED:
        raise ValueError(f"A seed must be an integer from 0 to {MAX_SEED}, found {seed}.")
    kept = _of_thread.__dict__
    if not kept:
        kept["generator"] = np.random.Philox(key=0)
        kept["state"] = kept["generator"].state
    state = kept["state"]
    state["state"]["key"][:] = seed, row
    state["state"]["counter"][:] = 0, 0, 0, stream
    kept["generator"].state = state  # as made, its buffer is empty
    generator: np.random.Philox = kept["generator"]
    return generator
