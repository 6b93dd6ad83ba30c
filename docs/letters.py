"""`python -m docs.letters FOLDER FONT...`: letters of fonts as pictures to train on.

A folder for each letter from a to z, as `--images` takes them. Fonts that draw capitals in place of
small letters are left out: a label with two shapes is drawn as something between them.
"""

import random
import string
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SIDE = 64  # of a picture, in pixels
ABOVE, BELOW = 40, 17  # the most that letters reach from their baseline, in pixels
BASELINE = 44
PICTURES = 400  # of each letter
SEED = 0
TURN, SHEAR, STRETCH = 0.08, 0.12, 0.06  # standard deviations, about those of one writer
TOLD_APART = "abdeghnqrt"  # letters whose capitals have other shapes
ALIKE = 0.55  # median correlation of small letters and capitals: above it they are the same

Font = ImageFont.FreeTypeFont


def small_letters(path: str) -> Font | None:
    """The font at the size at which its letters fit, or None if it has no small letters."""
    font = ImageFont.truetype(path, SIDE)
    every = string.ascii_lowercase + string.ascii_uppercase
    ink = {letter: found for letter in every if (found := _ink(font, letter)) is not None}
    if len(ink) < len(every):
        return None
    alike = [np.corrcoef(ink[letter], ink[letter.upper()])[0, 1] for letter in TOLD_APART]
    if not np.median(alike) < ALIKE:
        return None
    _, top, _, bottom = font.getbbox(string.ascii_lowercase, anchor="ls")
    return ImageFont.truetype(path, int(SIDE * min(ABOVE / -top, BELOW / bottom)))


def _ink(font: Font, letter: str) -> NDArray[np.float32] | None:
    """The box of a letter's ink, brought to one size, in a row; None if it has none."""
    picture = Image.new("L", (4 * SIDE, 4 * SIDE))
    ImageDraw.Draw(picture).text((2 * SIDE, 2 * SIDE), letter, 255, font, anchor="mm")
    box = picture.getbbox()
    return np.asarray(picture.crop(box).resize((24, 24)), np.float32).ravel() if box else None


def draw(font: Font, letter: str, rng: random.Random) -> Image.Image:
    """A letter in black on white, turned, sheared and stretched a little."""
    picture = Image.new("L", (SIDE, SIDE), 255)
    ImageDraw.Draw(picture).text((SIDE / 2, BASELINE), letter, 0, font, anchor="ms")
    turn, shear = rng.gauss(0, TURN), rng.gauss(0, SHEAR)
    wide, high = rng.gauss(1, STRETCH), rng.gauss(1, STRETCH)
    matrix = np.array([[wide, shear + turn], [-turn, high]])
    middle = np.full(2, SIDE / 2)
    right, down = middle - matrix @ middle
    data = (*matrix[0], right, *matrix[1], down)
    return picture.transform(
        picture.size, Image.Transform.AFFINE, data, Image.Resampling.BICUBIC, fillcolor=255
    )


def main(folder: Path, paths: list[str]) -> None:
    """Write the pictures."""
    found = {path: small_letters(path) for path in paths}
    fonts = [font for font in found.values() if font]
    left_out = ", ".join(Path(path).name for path, font in found.items() if not font)
    sys.stdout.write(f"{len(fonts)} of {len(paths)} fonts; left out: {left_out or 'none'}\n")
    rng = random.Random(SEED)
    for letter in string.ascii_lowercase if fonts else "":
        (folder / letter).mkdir(parents=True, exist_ok=True)
        for number in range(PICTURES):
            picture = draw(fonts[number % len(fonts)], letter, rng)
            picture.save(folder / letter / f"{number:04d}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
