"""Refusals and answers for what a reader sees, with readers that see what each test says."""

import numpy as np
import pytest
from PIL import Image

from app.drawing.sight import NO_INK, see_digit, see_line
from app.request.error import InvalidRequest
from model.reading.reader import Reader, Seen

PICTURE = Image.new("RGB", (90, 90))
EMPTY = np.zeros((28, 28), np.float32)


class Given(Reader):
    """A reader that sees the same groups in every picture."""

    def __init__(self, *groups: Seen) -> None:
        super().__init__(lambda planes: planes, lambda planes: planes)
        object.__setattr__(self, "groups", list(groups))

    def read(self, picture: Image.Image) -> list[Seen]:  # noqa: ARG002
        groups: list[Seen] = self.groups  # type: ignore[attr-defined]
        return groups

    read_line = read


def group(left: int = 20, **shares: float) -> Seen:
    """A group at `left` with shares by label, such as d7=0.9; `none` is that of no digit."""
    found = np.zeros(11, np.float32)
    for name, share in shares.items():
        found[10 if name == "none" else int(name[1:])] = share
    return Seen((left, 30, left + 5, 40), EMPTY, found)


def refusal(reader: Reader, label: int | None = None) -> str:
    with pytest.raises(InvalidRequest) as caught:
        see_digit(reader, PICTURE, label)
    (error,) = caught.value.errors
    assert str(caught.value).startswith(f"The picture {error.message}")
    return str(caught.value)


def test_see_digit_gives_label_confidence_and_runners_up() -> None:
    sight = see_digit(Given(group(d7=0.9, d1=0.06, d2=0.03, d9=0.01)), PICTURE, None)
    assert (sight.label, sight.unused) == (7, None)
    assert sight.confidence == pytest.approx(0.9)
    assert [label for label, _ in sight.runners_up] == [1, 2, 9]


def test_see_digit_without_ink_is_refused() -> None:
    assert refusal(Given()) == f"The picture {NO_INK}."


def test_see_digit_ignores_what_the_border_cuts_beside_a_whole_digit() -> None:
    assert see_digit(Given(group(0, d1=0.9), group(d3=0.9)), PICTURE, None).label == 3
    assert see_digit(Given(group(0, d1=0.9)), PICTURE, None).label == 1


def test_see_digit_ignores_marks_beside_it() -> None:
    sight = see_digit(Given(group(none=0.9, d1=0.1), group(d3=0.95)), PICTURE, None)
    assert sight.label == 3


def test_see_digit_refuses_several_and_names_them_from_left_to_right() -> None:
    assert refusal(Given(group(50, d7=0.9), group(20, d4=0.8))) == (
        "The picture shows 2 digits, read as 4 and 7; crop it to one, or send shows=line to use "
        "all of them."
    )


def test_see_digit_ignores_what_is_hardly_a_digit_beside_one_that_is() -> None:
    assert see_digit(Given(group(50, d7=0.6), group(20, d4=0.8)), PICTURE, None).label == 4
    assert "2 digits" in refusal(Given(group(50, d7=0.6), group(20, d4=0.6)))


@pytest.mark.parametrize(
    ("mark", "reason"),
    [
        (group(none=0.8, d1=0.2), "it is probably not a digit (80%)"),
        (
            group(d1=0.14, d7=0.13, d2=0.12, none=0.61),
            "it could be 1, but only with a probability of 14%",
        ),
    ],
)
def test_see_digit_refuses_a_mark_and_says_what_it_is_like(mark: Seen, reason: str) -> None:
    assert refusal(Given(mark)) == (
        f"The picture shows a mark and no digit that can be read; of the largest, {reason}. "
        "Crop or rotate it to one upright digit, or name it with label."
    )


def test_see_digit_with_a_label_takes_the_group_most_like_it() -> None:
    reader = Given(group(20, d7=0.9), group(40, d4=0.3, none=0.7))
    sight = see_digit(reader, PICTURE, 4)
    assert sight.label == 4
    assert sight.confidence == pytest.approx(0.3)


def test_see_line_lists_what_it_cannot_use() -> None:
    found = see_line(Given(group(d1=0.9), group(none=0.9, d2=0.1), group(d3=0.12)), PICTURE)
    assert [sight.unused is None for sight in found] == [True, False, False]
    assert found[1].unused == "it is probably not a digit (90%)"


def test_see_line_without_a_digit_is_refused() -> None:
    with pytest.raises(InvalidRequest) as raised:
        see_line(Given(group(none=0.9)), PICTURE)
    assert str(raised.value).endswith(". Crop or rotate it to a line of upright digits.")
