import pytest
import torch

from training.evaluation.neighbour import coverage, nearest, precision_and_recall


def cloud(count: int, seed: int, centre: float = 0.0) -> torch.Tensor:
    return centre + torch.randn(count, 2, generator=torch.Generator().manual_seed(seed))


def test_same_points_have_precision_and_recall_one() -> None:
    points = cloud(50, 0)
    assert precision_and_recall(points, points, 3) == (1, 1)


def test_far_points_have_precision_and_recall_zero() -> None:
    assert precision_and_recall(cloud(50, 0), cloud(50, 1, centre=100), 3) == (0, 0)


def test_missing_mode_lowers_recall_only() -> None:
    real = torch.cat([cloud(100, 0), cloud(100, 1, centre=100)])
    precision, recall = precision_and_recall(real, cloud(100, 2), 3)
    assert precision > 0.8
    assert recall < 0.5


def test_invented_mode_lowers_precision_only() -> None:
    drawn = torch.cat([cloud(100, 0), cloud(100, 1, centre=100)])
    precision, recall = precision_and_recall(cloud(100, 2), drawn, 3)
    assert precision < 0.5
    assert recall > 0.8


def test_radius_is_the_distance_to_the_kth_other_point() -> None:
    real = torch.tensor([[0.0], [1.0], [3.0], [7.0]])  # radii for k = 1: 1, 1, 2, 4
    for place, inside in ((-0.9, True), (-1.1, False), (10.9, True), (11.1, False)):
        assert precision_and_recall(real, torch.tensor([[place], [place]]), 1)[0] == inside


@pytest.mark.parametrize("count", [20, 300])  # torch.cdist rounds differently from 26 on
def test_nearest_finds_near_copies_and_their_exact_distance(count: int) -> None:
    points = torch.rand(count, 784, generator=torch.Generator().manual_seed(0))
    queries = points.flip(0).clone()
    queries[:, 5] += torch.linspace(0, 1e-3, count)
    distance, index = nearest(queries, points)
    assert index.tolist() == list(range(count))[::-1]
    expected = (queries[:, 5] - points.flip(0)[:, 5]).tolist()
    assert distance.tolist() == pytest.approx(expected, rel=1e-6, abs=0)


def test_nearest_prefers_a_copy_to_an_image_that_differs_by_one_grey_level() -> None:
    image = torch.full((784,), 1 / 3)
    points = image.repeat(785, 1)
    points[:784] += torch.eye(784) / 255
    distance, index = nearest(image[None], points)
    assert (distance.item(), index.item()) == (0, 784)


def test_coverage_is_that_of_equal_clouds_and_sees_a_missing_mode() -> None:
    real = torch.cat([cloud(200, 0), cloud(200, 1, centre=100)])
    same = torch.cat([cloud(200, 2), cloud(200, 3, centre=100)])
    assert coverage(real, real, 5) == 1
    assert coverage(real, same, 5) == pytest.approx(1 - 2**-5, abs=0.03)
    assert coverage(real, cloud(400, 2), 5) == pytest.approx(0.5, abs=0.02)


def test_coverage_counts_the_balls_of_the_real_digits() -> None:
    real = torch.tensor([[0.0], [1.0], [3.0], [7.0]])  # radii for k = 1: 1, 1, 2, 4
    assert coverage(real, torch.tensor([[0.5]]), 1) == 0.5
    assert coverage(real, torch.tensor([[10.9]]), 1) == 0.25
