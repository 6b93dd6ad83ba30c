import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence

from app.drawing.animation import encode_animation
from app.drawing.canvas import Levels
from app.drawing.encoding import IMAGE_DESCRIPTION
from app.drawing.palette import Palette

KINDS = {"webp": "WEBP", "gif": "GIF", "apng": "PNG"}
FACTS = {"seed": "7", "request": "from=1&to=2&seed=7", "model": "0123456789abcdef"}
GREY = Palette()


def sheets(count: int) -> list[Levels]:
    """Sheets (28, 56) that hold every grey level, each in another order."""
    levels = np.arange(28 * 56, dtype=np.uint32).reshape(28, 56)
    return [((levels * (2 * index + 1)) % 256).astype(np.uint8) for index in range(count)]


def animate(made: list[Levels], kind: str, palette: Palette = GREY, fps: int = 10) -> Any:
    """The encoded animation as Pillow reads it."""
    return Image.open(io.BytesIO(encode_animation(made, FACTS, palette, fps, kind)))


def frames(picture: Any) -> list[np.ndarray]:
    """The frames (H, W, 4) uint8."""
    return [np.asarray(frame.convert("RGBA")) for frame in ImageSequence.Iterator(picture)]


def durations_ms(picture: Any) -> list[float]:
    durations = []
    for frame in ImageSequence.Iterator(picture):
        frame.load()  # WebP knows the duration of a frame only then
        durations.append(frame.info["duration"])
    return durations


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ink", ["ffffff", "1a237e", "fff8e1"])
def test_encode_animation_keeps_every_pixel(kind: str, ink: str) -> None:
    made, palette = sheets(5), Palette(ink, "fff8e1")
    drawn = frames(animate(made, kind, palette))
    # Frames of equal pixels, as with ink of the paper's colour, may be merged.
    for frame, sheet in zip(drawn, made, strict=ink != palette.paper):
        assert np.array_equal(frame[..., :3], palette.paint(sheet))
        assert (frame[..., 3] == 255).all()


@pytest.mark.parametrize("kind", ["webp", "apng"])
def test_encode_animation_transparent_paper_is_clear(kind: str) -> None:
    made = sheets(4)
    drawn = frames(animate(made, kind, Palette("1a237e", "transparent")))
    for frame, sheet in zip(drawn, made, strict=True):
        assert np.array_equal(frame[..., 3], sheet)
        assert (frame[sheet > 0][:, :3] == [0x1A, 0x23, 0x7E]).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fps", [1, 12, 24, 50])
def test_encode_animation_loops_forever_with_its_frames_per_second(kind: str, fps: int) -> None:
    picture = animate(sheets(6), kind, fps=fps)
    assert (picture.format, picture.size, picture.info["loop"]) == (KINDS[kind], (56, 28), 0)
    step = 10 if kind == "gif" else 1  # milliseconds, in which durations are stored
    assert durations_ms(picture) == pytest.approx([1000 / fps] * 6, abs=step)


@pytest.mark.parametrize("kind", ["gif", "apng"])
def test_encode_animation_merges_equal_frames_and_keeps_their_time(kind: str) -> None:
    """The longest time that these formats must store for one frame."""
    first, second = sheets(2)
    picture = animate([first] * 119 + [second], kind, fps=1)
    assert durations_ms(picture) == pytest.approx([119_000, 1000])


def test_encode_animation_carries_the_facts() -> None:
    webp, gif, apng = (animate(sheets(2), kind) for kind in KINDS)
    assert json.loads(webp.getexif()[IMAGE_DESCRIPTION]) == FACTS
    assert json.loads(gif.info["comment"]) == FACTS
    assert FACTS.items() <= apng.text.items()


@pytest.mark.parametrize("kind", KINDS)
def test_encode_animation_twice_gives_the_same_bytes(kind: str) -> None:
    first, second = (encode_animation(sheets(3), FACTS, GREY, 12, kind) for _ in range(2))
    assert first == second
