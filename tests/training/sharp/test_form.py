import torch

from training.sharp.form import INK, PAPER, excess, lone_ink, missing_reach


def test_lone_ink_is_that_of_pixels_without_neighbours() -> None:
    images = torch.zeros(4, 6, 6)
    images[1, 2, 2] = 0.5  # a speck
    images[2, 2, 2:4] = 0.5  # a short stroke
    images[3, 0, 0] = images[3, 5, 5] = 1  # two specks, in corners
    assert torch.allclose(lone_ink(images), torch.tensor([0, 0.5 - PAPER, 0, 2 * (1 - PAPER)]))


def test_a_pixel_as_faint_as_paper_is_neither_speck_nor_neighbour() -> None:
    images = torch.zeros(2, 6, 6)
    images[0, 2, 2] = PAPER
    images[1, 2, 2], images[1, 2, 3] = 0.5, PAPER
    assert torch.allclose(lone_ink(images), torch.tensor([0, 0.5 - PAPER]))


def test_missing_reach_is_zero_where_ink_touches_two_opposite_sides() -> None:
    images = torch.zeros(5, 6, 6)
    images[1, :, 3] = 1  # from top to bottom
    images[2, 1, :] = 1  # from left to right
    images[3, 1:, 3] = 1  # ends before the top
    images[4, :, 3] = 1
    images[4, 0, 3] = 0.25  # touches it faintly
    assert torch.allclose(missing_reach(images), torch.tensor([INK, 0, 0, INK, INK - 0.25]))


def test_gradients_erase_the_speck_and_lengthen_the_stroke() -> None:
    images = torch.zeros(1, 6, 6)
    images[0, 3, 0], images[0, 1:, 3], images[0, 0, 3] = 0.3, 1, 0.2
    images.requires_grad_(True)
    (lone_ink(images) + missing_reach(images)).sum().backward()  # type: ignore[no-untyped-call]
    assert images.grad is not None
    assert images.grad[0, 3, 0] > 0
    assert images.grad[0, 0, 3] < 0


def test_only_what_exceeds_the_real_pictures_is_a_loss() -> None:
    drawn, real = torch.tensor([0.0, 0.4]), torch.tensor([0.1, 0.1])
    assert torch.isclose(excess(drawn, real), torch.tensor(0.1))
    assert excess(real, drawn) == 0
