"""Reading in the browser: the networks of the page against those of the service."""

import base64
import io
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from app.drawing.picture import open_pictures
from app.drawing.sight import Sight, see_digit, see_line
from app.request.error import InvalidRequest
from model.checkpoint import PRETRAINED, read_checkpoint
from model.reading.networks import open_reader
from model.reading.reader import Reader
from tests.mnist import read_mnist
from training.photos.kinds import KINDS, REFUSED, photo

EVERY = 23  # values of a small picture are compared
OPEN = """const { smallPicture } = await import("./page/small-picture.js");
    const image = new Image();
    image.src = `data:image/png;base64,${file}`;
    await image.decode();
    const { naturalWidth: width, naturalHeight: height } = image;
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    const picture = smallPicture(data, width, height);"""
SMALL = f"""async (file) => {{
    {OPEN}
    const some = picture.values.filter((_, at) => at % {EVERY} === 0); // all of them take seconds
    return {{ ...picture, values: Array.from(some) }};
}}"""
READ = f"""async ([file, line]) => {{
    {OPEN}
    const [{{ ReaderNetworks }}, {{ seeDigit, seeLine }}] = await Promise.all(
        ["reader-networks", "sight"].map((name) => import(`./page/${{name}}.js`)));
    const address = document.querySelector("#reader").href;
    window.networks ??= new ReaderNetworks(await (await fetch(address)).arrayBuffer());
    try {{
        const sights = (line ? seeLine : seeDigit)(window.networks, picture, null);
        return sights.map((sight) => ({{ ...sight, digit: Array.from(sight.digit) }}));
    }} catch (error) {{
        return `${{error.fault}} ${{error.message}}`;
    }}
}}"""
DIGITS = list(read_mnist(train=False)[0])
PHOTOS = (
    "plain",
    "ruled",
    "squared",
    "hand shadow",
    "yellow on cream",
    "chalk board",
    "lines, shadow",
)
NOT_ONE = "two digits", "four digits", "scribble", "bare paper"
SIDE = 512  # pixels of the service's pictures, at most
MAX_LEVELS = {"RGB": 1, "RGBA": 3}  # browsers keep colours premultiplied, in 8 bits
MAX_DIFFERENCE = 2  # grey levels of a cut-out on average, where 8-bit weights move its edge


@pytest.fixture(scope="module")
def reader() -> Reader:
    found = open_reader(read_checkpoint(PRETRAINED))
    assert found is not None
    return found


def composed(name: str, seed: int) -> Image.Image:
    """A picture of a kind, of test digits, as the service looks at it."""
    rng = np.random.default_rng((31, seed))
    content = photo({**KINDS, **REFUSED}[name], DIGITS[4 * seed : 4 * seed + 4], rng)
    return Image.open(io.BytesIO(content)).convert("RGB")


def read(page: Page, picture: Image.Image, line: bool = False) -> Any:
    """What the page sees in a picture: its digits, or a refusal."""
    return page.evaluate(READ, [base64.b64encode(png(picture)).decode(), line])


def png(picture: Image.Image) -> bytes:
    """The file of a picture."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def without_shares(sentence: str) -> str:
    """A refusal without its probabilities, which 8-bit weights change by a hundredth."""
    return re.sub(r"\d+%", "", sentence)


def seen_by(reader: Reader, picture: Image.Image) -> Sight | str:
    """What the service sees in a picture: its digit, or a refusal without its probabilities."""
    try:
        return see_digit(reader, picture, None)
    except InvalidRequest as refused:
        (error,) = refused.errors
        return without_shares(f"{error.code} {error.message}")


def test_page_sees_what_the_service_sees(page: Page, address: str, reader: Reader) -> None:
    page.goto(address)
    same, differences = [], []
    for seed, name in enumerate((*PHOTOS, *NOT_ONE)):
        picture = composed(name, seed)
        expected, found = seen_by(reader, picture), read(page, picture)
        if isinstance(expected, str):
            same.append(isinstance(found, str) and without_shares(found) == expected)
        else:
            same.append(isinstance(found, list) and found[0]["label"] == expected.label)
        if isinstance(expected, Sight) and same[-1]:
            digit = np.array(found[0]["digit"]).reshape(28, 28)
            differences.append(255 * abs(digit - expected.digit).mean())
            assert abs(found[0]["confidence"] - (expected.confidence or 0)) < 0.15, name
    # Of 100 pictures, 99 are seen alike: 8-bit weights decide what lies on an edge.
    assert same.count(False) <= 1, same
    assert len(differences) >= len(PHOTOS) - 2
    assert np.median(differences) < MAX_DIFFERENCE, differences


def test_page_reads_a_line_as_the_service_does(page: Page, address: str, reader: Reader) -> None:
    line = Image.new("RGB", (SIDE, 160), (236, 230, 214))
    for index, digit in enumerate(DIGITS[:5]):
        ink = Image.fromarray(digit).resize((84, 84), Image.Resampling.BICUBIC)
        line.paste((30, 34, 60), (12 + 100 * index, 30 + 4 * index), ink)
    page.goto(address)
    expected, found = see_line(reader, line), read(page, line, line=True)
    assert [sight["label"] for sight in found] == [sight.label for sight in expected]
    assert [sight["unused"] for sight in found] == [None] * 5


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_page_makes_a_picture_small_as_the_service_does(
    page: Page, address: str, mode: str
) -> None:
    rng = np.random.default_rng(5)
    coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 4), np.uint8)).convert(mode)
    picture = coarse.resize((1200, 900), Image.Resampling.BICUBIC)
    (expected,) = open_pictures([png(picture)])
    page.goto(address)
    small = page.evaluate(SMALL, base64.b64encode(png(picture)).decode())
    assert (small["width"], small["height"]) == expected.size
    levels = np.asarray(expected, int).ravel()[::EVERY]
    assert abs(np.array(small["values"]) - levels).max() <= MAX_LEVELS[mode]
