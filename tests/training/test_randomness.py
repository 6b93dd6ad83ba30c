import torch

from training.randomness import Purpose, keyed_rng


def test_keyed_rng_depends_on_its_arguments_only() -> None:
    before = torch.get_rng_state()
    order, noise = Purpose.ORDER, Purpose.TRAINING_NOISE
    arguments = [(1, order, 2), (2, order, 2), (1, noise, 2), (1, order, 3), (1, order, 0)]
    first, again = (
        [
            torch.randn(1, generator=keyed_rng(seed, purpose, key)).item()
            for seed, purpose, key in arguments
        ]
        for _ in range(2)
    )
    assert first == again
    assert len(set(first)) == len(arguments)
    assert torch.equal(before, torch.get_rng_state())
