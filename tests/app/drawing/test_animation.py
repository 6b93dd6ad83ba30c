import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence

from app.drawing.animation import encode_animation
from app.drawing.canvas import Levels
from app.drawing.palette import Palette
from app.drawing.encoding import IMAGE_DESCRIPTION

KINDS = ("webp", "gif", "apng")
FACTS = {"seed": "7", "request": "from=1&to=2&seed=7", "model": "0123456789abcdef"}
PALETTES = (Palette(), Palette("1a237e", "fff8e1"), Palette("808080", "808080"))


def sheets(count: int, height: int = 28, width: int = 56) -> list[Levels]:
    """Sheets that hold every grey level, each another way round."""
    levels = np.arange(height * width, dtype=np.uint32).reshape(height, width)
    return [((levels * (2 * index + 1)) % 256).astype(np.uint8) for index in range(count)]


def decoded(content: bytes) -> tuple[Any, list[np.ndarray], list[float]]:
    """The file, its frames (H, W, 4) uint8 and how long each is shown, in milliseconds."""
    picture: Any = Image.open(io.BytesIO(content))
    frames, durations = [], []
    for frame in ImageSequence.Iterator(picture):
        frames.append(np.asarray(frame.convert("RGBA")))
        durations.append(frame.info.get("duration", 0))
    return picture, frames, durations


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("palette", PALETTES[:2])
def test_encode_animation_frames_are_equal_in_every_pixel(kind: str, palette: Palette) -> None:
    made = sheets(5)
    _, frames, _ = decoded(encode_animation(made, FACTS, palette, 10, kind))
    assert len(frames) == 5
    for frame, sheet in zip(frames, made, strict=True):
        assert (frame[..., 3] == 255).all()
        assert np.array_equal(frame[..., :3], palette.paint(sheet))


@pytest.mark.parametrize("kind", KINDS)
def test_encode_animation_ink_of_the_papers_colour_is_one_colour(kind: str) -> None:
    _, frames, _ = decoded(encode_animation(sheets(3), FACTS, PALETTES[2], 10, kind))
    assert all((frame == [128, 128, 128, 255]).all() for frame in frames)


@pytest.mark.parametrize("kind", ["webp", "apng"])
def test_encode_animation_transparent_paper_is_clear(kind: str) -> None:
    made, palette = sheets(4), Palette("1a237e", "transparent")
    _, frames, _ = decoded(encode_animation(made, FACTS, palette, 10, kind))
    assert len(frames) == 4
    for frame, sheet in zip(frames, made, strict=True):
        assert np.array_equal(frame[..., 3], sheet)
        assert (frame[sheet > 0][:, :3] == [0x1A, 0x23, 0x7E]).all()


@pytest.mark.parametrize(("kind", "name"), [("webp", "WEBP"), ("gif", "GIF"), ("apng", "PNG")])
def test_encode_animation_is_of_its_kind_and_runs_for_ever(kind: str, name: str) -> None:
    picture, _, _ = decoded(encode_animation(sheets(2), FACTS, Palette(), 10, kind))
    assert (picture.format, picture.size, picture.n_frames) == (name, (56, 28), 2)
    assert picture.info["loop"] == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fps", [1, 12, 24, 50])
def test_encode_animation_lasts_as_many_seconds_as_asked_for(kind: str, fps: int) -> None:
    _, _, durations = decoded(encode_animation(sheets(6), FACTS, Palette(), fps, kind))
    step = 10 if kind == "gif" else 1  # milliseconds, in which durations are kept
    assert len(durations) == 6
    assert all(abs(duration - 1000 / fps) <= step for duration in durations)


@pytest.mark.parametrize("kind", ["gif", "apng"])
def test_encode_animation_sheets_that_stay_are_shown_as_long(kind: str) -> None:
    """These formats keep one frame for all of them; the longest way there is still fits."""
    first, second = sheets(2)
    content = encode_animation([first] * 119 + [second], FACTS, Palette(), 1, kind)
    _, frames, durations = decoded(content)
    assert len(frames) == 2
    assert durations == pytest.approx([119_000, 1000])


@pytest.mark.parametrize("kind", KINDS)
def test_encode_animation_of_one_picture_throughout_shows_it(kind: str) -> None:
    (sheet,) = sheets(1)
    _, frames, _ = decoded(encode_animation([sheet] * 4, FACTS, Palette(), 12, kind))
    assert all(np.array_equal(frame[..., 0], sheet) for frame in frames)


def test_encode_animation_facts_are_in_the_file() -> None:
    pictures = {
        kind: decoded(encode_animation(sheets(2), FACTS, Palette(), 10, kind))[0] for kind in KINDS
    }
    assert json.loads(pictures["webp"].getexif()[IMAGE_DESCRIPTION]) == FACTS
    assert json.loads(pictures["gif"].info["comment"]) == FACTS
    assert FACTS.items() <= pictures["apng"].text.items()


@pytest.mark.parametrize("kind", KINDS)
def test_encode_animation_again_gives_the_same_bytes(kind: str) -> None:
    first, second = (encode_animation(sheets(3), FACTS, Palette(), 12, kind) for _ in range(2))
    assert first == second
