"""The noise is a contract: other programs reproduce it by these test vectors."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.noise import MAX_SEED, hand, line_noise, mix, noise_of_lines

MASK = 2**64 - 1
# line_noise(seed=7, row=0, count=2, size=3), for implementations in other languages.
VECTORS_SEED_7 = [
    [1.3202364445, -1.3697047234, -0.0666954592],
    [1.0283465385, 0.5894966722, -0.6341968775],
]


def philox4x64(key: tuple[int, int], counter: tuple[int, int, int, int]) -> list[int]:
    """Ten rounds of Philox4x64 in integers, as its authors define it (SC 2011, section 3)."""
    k0, k1 = key
    c0, c1, c2, c3 = counter
    for _ in range(10):
        left, right = c0 * 0xD2E7470EE14C6C93, c2 * 0xCA5A826395121157
        c0, c1, c2, c3 = (
            (right >> 64) ^ c1 ^ k0,
            right & MASK,
            (left >> 64) ^ c3 ^ k1,
            left & MASK,
        )
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) & MASK, (k1 + 0xBB67AE8584CAA73B) & MASK
    return [c0, c1, c2, c3]


def noise_by_the_rule(
    seed: int, row: int, position: int, size: int, stream: int = 0
) -> list[float]:
    """The rule of model/noise.py, step by step, without its code."""
    blocks = math.ceil(size / 8)
    normals: list[float] = []
    for block in range(position * blocks + 1, (position + 1) * blocks + 1):
        for word in philox4x64((seed, row), (block, 0, 0, stream)):
            u, v = ((half + 0.5) / 2**32 for half in (word & 0xFFFFFFFF, word >> 32))
            radius = math.sqrt(-2 * math.log(u))
            normals += [radius * math.cos(2 * math.pi * v), radius * math.sin(2 * math.pi * v)]
    return normals[:size]


def test_philox_known_answers() -> None:
    # Published with the algorithm (Random123, kat_vectors): all zeros, and all ones.
    assert philox4x64((0, 0), (0, 0, 0, 0)) == [
        0x16554D9ECA36314C,
        0xDB20FE9D672D0FDC,
        0xD7E772CEE186176B,
        0x7E68B68AEC7BA23B,
    ]
    assert philox4x64((MASK, MASK), (MASK, MASK, MASK, MASK)) == [
        0x87B092C3013FE90B,
        0x438C3C67BE8D0224,
        0x9CC7D7C69CD777B6,
        0xA09CAEBF594F0BA0,
    ]


@given(
    seed=st.integers(0, MAX_SEED),
    row=st.integers(0, 15),
    count=st.integers(0, 3),
    size=st.integers(1, 20),
)
def test_line_noise_follow_the_rule(seed: int, row: int, count: int, size: int) -> None:
    found = line_noise(seed, row, count, size)
    assert found.shape == (count, size)
    assert found.dtype == np.float32
    expected = [noise_by_the_rule(seed, row, position, size) for position in range(count)]
    np.testing.assert_allclose(found, np.reshape(expected, (count, size)), atol=1e-6)


def test_line_noise_test_vectors() -> None:
    found = line_noise(seed=7, row=0, count=2, size=3)
    np.testing.assert_allclose(found, VECTORS_SEED_7, atol=1e-6)


@given(seed=st.integers(0, MAX_SEED), more=st.integers(2, 64))
def test_line_noise_position_does_not_depend_on_the_count(seed: int, more: int) -> None:
    assert np.array_equal(line_noise(seed, 0, 1, 10)[0], line_noise(seed, 0, more, 10)[0])


def test_line_noise_differ_by_seed_row_and_position() -> None:
    draws = [
        line_noise(seed, row, 4, 8)[position]
        for seed in (0, 1)
        for row in (0, 1)
        for position in range(4)
    ]
    assert len({draw.tobytes() for draw in draws}) == len(draws)


def test_line_noise_are_standard_normal() -> None:
    # 2^18 draws: the mean has deviation 2e-3, the variance 3e-3; false alarms are 1 in 10^9.
    draws = line_noise(seed=3, row=0, count=1024, size=256).astype(np.float64)
    assert abs(draws.mean()) < 0.012
    assert abs(draws.var() - 1) < 0.017
    assert abs((draws**4).mean() - 3) < 0.12
    assert abs(np.corrcoef(draws[:, 0], draws[:, 1])[0, 1]) < 0.2


@pytest.mark.parametrize("seed", [-1, MAX_SEED + 1])
def test_line_noise_seed_out_of_range_raises(seed: int) -> None:
    with pytest.raises(ValueError, match=f"from 0 to 4294967295, found {seed}"):
        line_noise(seed, 0, 1, 1)


@given(seed=st.integers(0, MAX_SEED), row=st.integers(0, 15), size=st.integers(1, 20))
def test_hand_follows_the_rule(seed: int, row: int, size: int) -> None:
    expected = noise_by_the_rule(seed, row, 0, size, stream=1)
    np.testing.assert_allclose(hand(seed, row, size), expected, atol=1e-6)


def test_mix_ends_are_exact_and_mixtures_are_normal() -> None:
    first, second = line_noise(1, 0, 500, 100), line_noise(2, 0, 500, 100)
    assert np.array_equal(mix(first, second, 0), first)
    assert np.array_equal(mix(first, second, 1), second)
    for share in (0.1, 0.5, 0.9):  # 50,000 normals: the deviation is known to 0.3 %
        assert mix(first, second, share).std() == pytest.approx(1, abs=0.02)
    half = mix(first, second, 0.5)
    np.testing.assert_allclose(half, (first + second) / math.sqrt(2), rtol=1e-5, atol=1e-6)


def test_noise_of_lines_equals_the_noise_of_each_line() -> None:
    lines = [(7, 0, 3), (0, 2, 1), (MAX_SEED, 1, 0), (7, 0, 2)]
    expected = np.concatenate([line_noise(*line, 5) for line in lines])
    assert np.array_equal(noise_of_lines(lines, 5), expected)
