from pathlib import Path

import numpy as np
import pytest

from app.drawing.dataset.labels import BLOCK, Labels, draw_numbers, uniforms
from app.drawing.dataset.texts import read_texts
from app.request.dataset_options import DatasetOptions
from app.request.error import InvalidRequest
from app.request.query import Query
from tests.app.drawing.conftest import parsed

KINDS = [
    "length=1",
    "length=3",
    "length=1-8&zeros=off",
    "length=4&frequencies=balanced",
    "length=2-5&frequencies=0,1,1,1,1,1,1,1,1,8",
]


def drawn(options: str, first: int, count: int, seed: int = 7) -> Labels:
    return draw_numbers(parsed(DatasetOptions, f"count=1&{options}"), seed, None, first, count)


def test_uniforms_can_start_anywhere() -> None:
    stream = uniforms(7, 3, 0, 1000)
    for first in (0, 1, 3, 4, 501):
        assert np.array_equal(uniforms(7, 3, first, 100), stream[first : first + 100])
    assert not np.array_equal(uniforms(7, 4, 0, 1000), stream)
    assert not np.array_equal(uniforms(8, 3, 0, 1000), stream)


@pytest.mark.parametrize("options", KINDS)
@pytest.mark.parametrize("first", [1, 999, BLOCK - 5, 3 * BLOCK + 2])
def test_part_of_a_data_set_has_the_numbers_of_the_whole(options: str, first: int) -> None:
    whole, part = drawn(options, 0, first + 1500), drawn(options, first, 1500)
    assert part.texts() == whole.texts()[first:]
    assert drawn(options, first, 1500, seed=8).texts() != part.texts()


def test_uniform_digits_are_even() -> None:
    digits = np.bincount(drawn("length=2", 0, 20000).digits.ravel(), minlength=10)
    assert abs(digits / 40000 - 0.1).max() < 0.01  # seven standard deviations


def test_balanced_digits_are_equally_frequent() -> None:
    digits = drawn("length=4&frequencies=balanced", 0, 500).digits
    assert np.bincount(digits.ravel()).tolist() == [200] * 10
    assert len({row.tobytes() for row in digits}) > 450


def test_weighted_digits_have_their_weights() -> None:
    digits = drawn("length=2&frequencies=0,1,0,0,0,0,0,0,0,3", 0, 10000).digits
    counts = np.bincount(digits.ravel(), minlength=10)
    assert counts.sum() == counts[1] + counts[9] == 20000
    assert abs(counts[9] / 20000 - 0.75) < 0.02


def test_every_length_of_a_range_is_equally_likely() -> None:
    labels = drawn("length=1-8", 0, 16000)
    counts = np.bincount(labels.lengths, minlength=9)
    assert counts[0] == 0
    assert abs(counts[1:] / 16000 - 1 / 8).max() < 0.02
    assert (labels.digits[~labels.used] == 10).all()
    assert labels.digits[labels.used].max() == 9
    assert [len(text) for text in labels.texts()] == labels.lengths.tolist()


def test_zeros_off_leaves_no_leading_zero_and_keeps_the_number_0() -> None:
    texts = drawn("length=1-3&zeros=off", 0, 5000).texts()
    assert not [text for text in texts if len(text) > 1 and text[0] == "0"]
    assert "0" in texts
    assert {text[0] for text in texts if len(text) == 2} == set("123456789")
    assert [text for text in drawn("length=3", 0, 5000).texts() if text[0] == "0"]


def test_texts_of_a_file_are_written_in_turn(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_bytes(b"007\r\n1\n20182018")
    texts = read_texts(path, Query.alphabet)
    assert (len(texts), texts.longest, texts.even) == (3, 8, False)
    labels = draw_numbers(parsed(DatasetOptions, "count=1"), 7, texts, 2, 5)
    assert labels.texts() == ["20182018", "007", "1", "20182018", "007"]
    assert labels.digits[1].tolist() == [0, 0, 7, *[10] * 5]


@pytest.mark.parametrize(
    ("content", "line", "shown"),
    [
        ("1\n2\n3a\n", 3, "3a"),
        ("1\n\n3\n", 2, ""),
        ("1\n" + "2" * 65, 2, "2" * 20 + " ..."),
        (" 1\n", 1, " 1"),
        ("12:30\n1 \n", 2, "1 "),
        ("1\n--\n", 2, "--"),
        ("1\n2\n\u0663\n", 3, "\u0663"),
    ],
)
def test_text_that_cannot_be_drawn_is_refused_with_its_line(
    tmp_path: Path, content: str, line: int, shown: str
) -> None:
    path = tmp_path / "texts.txt"
    path.write_text(content)
    sentence = (
        f"texts cannot be drawn: line {line} of {path} is '{shown}', and must be 1 to 64 of the "
        "digits 0-9 and the marks . , : - / and space, with a digit and without a space outside."
    )
    with pytest.raises(InvalidRequest) as caught:
        read_texts(path, Query.alphabet)
    assert str(caught.value) == sentence


def test_marks_of_a_text_have_labels_beyond_the_padding(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_text("-3.14\n12:30\n1,000 1/2\n7\n")
    texts = read_texts(path, Query.alphabet)
    labels = draw_numbers(parsed(DatasetOptions, "count=1"), 7, texts, 0, 4)
    assert labels.texts() == ["-3.14", "12:30", "1,000 1/2", "7"]
    assert labels.digits[:2].tolist() == [[14, 3, 11, 1, 4, *[10] * 4], [1, 2, 13, 3, 0, *[10] * 4]]
    assert labels.digits[2].tolist() == [1, 12, 0, 0, 0, 16, 1, 15, 2]
    assert labels.drawn.sum(axis=1).tolist() == [3, 4, 6, 1]
    assert labels.used.sum(axis=1).tolist() == labels.lengths.tolist() == [5, 5, 9, 1]


def test_file_without_texts_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_text("\n")
    with pytest.raises(InvalidRequest, match="has no line; expected one text a line"):
        read_texts(path, Query.alphabet)
