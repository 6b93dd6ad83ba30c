import torch

from model.config import ARTICLE
from tests.training.conftest import Mnist
from training.boxes import are_placed_boxes, as_network_sees
from training.data import LabelledImages

BOX = ARTICLE.model_copy(update={"image_height": 20, "image_width": 20, "canvas": 28})


def test_mnist_consists_of_placed_boxes(mnist: Mnist) -> None:
    for data in mnist:
        assert are_placed_boxes(data)


def test_other_pictures_do_not(mnist: Mnist) -> None:
    data = mnist[1]
    shifted = LabelledImages(data.images.roll(1, dims=2), data.labels)
    filled = LabelledImages(torch.full_like(data.images, 9), data.labels)
    cut = LabelledImages(data.images[:, 2:-2], data.labels)
    assert not any(are_placed_boxes(other) for other in (shifted, filled, cut))


def test_network_sees_boxes_or_whole_pictures(mnist: Mnist) -> None:
    data = mnist[1]
    assert as_network_sees(data, ARTICLE) is data
    boxes = as_network_sees(data, BOX)
    assert boxes.images.shape == (len(data), 20, 20)
    assert torch.equal(boxes.images.sum((1, 2)), data.images.sum((1, 2)))
