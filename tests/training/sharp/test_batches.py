import torch

from training.data import LabelledImages
from training.sharp.batches import Lesson

Mnist = tuple[LabelledImages, LabelledImages]


def lesson(mnist: Mnist, seed: int = 0, batch_size: int = 300) -> Lesson:
    generator = torch.Generator().manual_seed(seed)
    return Lesson(mnist[0], batch_size, 10, 4, generator, torch.device("cpu"))


def test_digits_come_with_their_labels(mnist: Mnist) -> None:
    images, one_hot = lesson(mnist).digits()
    assert images.shape == (300, 28, 28)
    assert 0 <= images.min() <= images.max() <= 1
    indices = lesson(mnist).indices()
    assert torch.equal(one_hot.argmax(dim=1), mnist[0].labels[indices])


def test_indices_repeat_none_before_all_were_taken(mnist: Mnist) -> None:
    order = lesson(mnist)
    taken = torch.cat([order.indices() for _ in range(3)])  # 900 of 1,000; the rest is left out
    assert len(set(taken.tolist())) == 900
    assert not torch.equal(taken[:300], order.indices())


def test_noise_and_labels_have_the_shapes_of_the_network(mnist: Mnist) -> None:
    material = lesson(mnist)
    assert material.noise().shape == (300, 4)
    labels = material.labels()
    assert labels.shape == (300, 10)
    assert (labels.sum(dim=1) == 1).all()
    assert (labels.sum(dim=0) > 10).all()  # 30 expected; fewer than 11 is 1 in 10^5


def test_a_batch_is_never_larger_than_the_data(mnist: Mnist) -> None:
    assert lesson(mnist, batch_size=5000).noise().shape == (1000, 4)


def test_same_generator_same_material(mnist: Mnist) -> None:
    first, again, other = (lesson(mnist, seed).noise() for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_uniform_numbers_lie_between_minus_one_and_one(mnist: Mnist) -> None:
    numbers = lesson(mnist).uniform(6)
    assert numbers.shape == (300, 6)
    assert -1 <= numbers.min() < -0.9  # of 1,800
    assert 0.9 < numbers.max() <= 1
