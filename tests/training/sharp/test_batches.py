import pytest
import torch

from tests.training.conftest import CPU, Mnist
from training.sharp.batches import Batches


def make(mnist: Mnist, batch_size: int = 300) -> Batches:
    rng = torch.Generator().manual_seed(0)
    return Batches(mnist[0], batch_size, 10, 4, rng, CPU)


def test_digits_come_with_their_labels(mnist: Mnist) -> None:
    images, one_hot = make(mnist).digits()
    assert images.shape == (300, 28, 28)
    assert 0 <= images.min() <= images.max() <= 1
    indices = make(mnist).indices()  # with the same seed
    assert torch.equal(one_hot.argmax(dim=1), mnist[0].labels[indices])


def test_indices_repeat_no_digit_within_an_epoch(mnist: Mnist) -> None:
    order = make(mnist)
    taken = torch.cat([order.indices() for _ in range(3)])  # 900 of 1,000; the rest is skipped
    assert len(set(taken.tolist())) == 900
    assert not torch.equal(taken[:300], order.indices())


def test_noise_labels_and_numbers_have_their_dimensions_and_ranges(mnist: Mnist) -> None:
    batches = make(mnist)
    assert batches.noise().shape == (300, 4)
    labels, numbers = batches.labels(), batches.uniform(6)
    assert labels.shape == (300, 10)
    assert (labels.sum(dim=1) == 1).all()
    assert (labels.sum(dim=0) > 10).all()  # 30 expected; fewer than 11 is 1 in 10^5
    assert numbers.shape == (300, 6)
    assert -1 <= numbers.min() < -0.9  # of 1,800
    assert 0.9 < numbers.max() <= 1


@pytest.mark.parametrize(("share", "least", "most"), [(0, 0, 0), (0.25, 37, 120), (1, 300, 300)])
def test_chosen_share_of_a_batch(mnist: Mnist, share: float, least: int, most: int) -> None:
    chosen = make(mnist).chosen(share)
    assert chosen.shape == (300, 1)
    assert set(chosen.flatten().tolist()) <= {0, 1}
    assert least <= chosen.sum() <= most  # 75 of 300 expected, with a standard deviation of 7.5


def test_batch_is_never_larger_than_the_data(mnist: Mnist) -> None:
    assert make(mnist, batch_size=5000).noise().shape == (1000, 4)
