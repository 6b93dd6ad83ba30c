import torch
from torch import Tensor

from model.cvae import CVAE
from tests.training.conftest import CPU, Mnist
from training.data import LabelledImages
from training.sharp.batches import Batches
from training.sharp.coverage import Coverage
from training.sharp.recipe import CoverageSettings

SETTINGS = CoverageSettings(weight=1.0, every=10, digits=1000, samples=100, share=0.5)


def plain(images: Tensor) -> Tensor:
    """A feature map that is the picture."""
    return images.unsqueeze(1)


def grey(noise: Tensor, one_hot: Tensor) -> Tensor:
    """Pictures of the label's grey level, 0.1 times the label, whatever the noise."""
    levels = one_hot.argmax(dim=1).float() / 10
    return levels[:, None, None].expand(len(noise), 28, 28)


def grey_digits(shades: dict[int, list[int]]) -> Batches:
    """Batches of pictures of one grey level each, by label."""
    pairs = [(label, level) for label, levels in shades.items() for level in levels]
    images = torch.stack([torch.full((28, 28), level, dtype=torch.uint8) for _, level in pairs])
    labels = torch.tensor([label for label, _ in pairs])
    data = LabelledImages(images, labels)
    return Batches(data, 4, 10, 6, torch.Generator().manual_seed(0), CPU)


def test_search_finds_the_digits_that_no_sample_of_their_label_resembles() -> None:
    # A 3 is drawn with the level 76.5 and a 7 with 178.5.
    batches = grey_digits({3: [77, 178, 76, 255], 7: [178, 77, 179, 190]})
    found = Coverage(grey, plain, batches, SETTINGS).search()
    assert found.digits.tolist() == [3, 5, 1, 7]  # farthest first
    assert found.noise.shape == (4, 6)


def test_search_gives_the_noise_of_the_nearest_sample() -> None:
    def by_noise(noise: Tensor, _: Tensor) -> Tensor:
        return torch.sigmoid(noise[:, :1, None]).expand(-1, 28, 28)

    batches = grey_digits({0: [26, 128, 230]})
    whole = SETTINGS.model_copy(update={"share": 1.0, "samples": 10_000})
    found = Coverage(by_noise, plain, batches, whole).search()
    drawn = by_noise(found.noise, found.noise)[:, 0, 0] * 255
    real = batches.data.images[found.digits, 0, 0].float()
    torch.testing.assert_close(drawn, real, atol=3, rtol=0)


def test_search_takes_no_more_digits_than_asked_for(mnist: Mnist) -> None:
    batches = Batches(mnist[0], 50, 10, 6, torch.Generator().manual_seed(0), CPU)
    few = SETTINGS.model_copy(update={"digits": 20, "share": 0.25})
    assert len(Coverage(grey, plain, batches, few).search().digits) == 5


def test_loss_is_zero_where_all_digits_are_drawn_and_trains_where_not(
    batches: Batches, student: CVAE
) -> None:
    covered = grey_digits({0: [0, 0], 2: [51, 51]})
    assert Coverage(grey, plain, covered, SETTINGS).loss().item() < 1e-9
    coverage = Coverage(student.decoder, plain, batches, SETTINGS)
    optimizer = torch.optim.Adam(student.decoder.parameters(), lr=1e-2)
    losses = []
    for _ in range(SETTINGS.every):
        loss = coverage.loss()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]


def test_search_is_repeated_after_as_many_steps_as_set() -> None:
    searches = 0

    def counting(noise: Tensor, one_hot: Tensor) -> Tensor:
        nonlocal searches
        searches += not torch.is_grad_enabled()  # one label, so one block of samples
        return grey(noise, one_hot)

    settings = SETTINGS.model_copy(update={"every": 2})
    coverage = Coverage(counting, plain, grey_digits({0: [0, 255]}), settings)
    for _ in range(5):
        coverage.loss()
    assert searches == 3
