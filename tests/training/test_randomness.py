import torch

from training.randomness import Purpose, keyed_generator


def draw(seed: int, purpose: Purpose, *keys: int) -> float:
    return float(torch.randn(1, generator=keyed_generator(seed, purpose, *keys)))


def test_same_keys_give_the_same_numbers() -> None:
    assert draw(1, Purpose.ORDER, 2, 3) == draw(1, Purpose.ORDER, 2, 3)


def test_other_keys_give_other_numbers() -> None:
    draws = [
        draw(1, Purpose.ORDER, 2, 3),
        draw(2, Purpose.ORDER, 2, 3),
        draw(1, Purpose.TRAINING_NOISE, 2, 3),
        draw(1, Purpose.ORDER, 3, 2),
        draw(1, Purpose.ORDER, 2),
    ]
    assert len(set(draws)) == len(draws)


def test_keyed_generator_does_not_use_the_global_state() -> None:
    before = torch.get_rng_state()
    draw(1, Purpose.WEIGHTS)
    assert torch.equal(before, torch.get_rng_state())
