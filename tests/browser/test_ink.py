"""Ink is the same picture on the canvas, in files of the browser and in those of the service."""

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.browser.picture import MAX_INK_DIFFERENCE, data_url, differences, fetched, open_picture

DRAW = """async ([width, height, levels, scale, pen]) => {
    const { coverage } = await import("./page/ink.js");
    const sheet = { width, height, levels: Uint8Array.from(levels) };
    return Array.from(coverage(sheet, scale, pen).levels);
}"""
RASTER = """async ([address, width, height]) => {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    canvas.getContext("2d").drawImage(image, 0, 0, width, height);
    return canvas.toDataURL();
}"""
QUERY = "digits=20184&seed=14&spacing=tight&ink=24407a&paper=fffdf8&render=ink"
MAX_DIFFERENCE = 2  # grey levels of 255, of the same digits as ink by the browser and the service
MAX_SVG_DIFFERENCE = (
    1.5  # grey levels on average: the edges of Chromium and ours are smoothed alike
)


@pytest.mark.parametrize("pen", [1, 0.4, 1.6])
@pytest.mark.parametrize("scale", [1, 7])
def test_browser_draws_the_ink_of_the_service(
    page: Page, address: str, scale: int, pen: float
) -> None:
    page.goto(address)
    query = f"{address}/generate?digits=0123456789&seed=3&temperature=1.2"
    sheet = np.load(io.BytesIO(fetched(f"{query}&format=npy")))
    height, width = sheet.shape
    drawn = page.evaluate(DRAW, [width, height, sheet.ravel().tolist(), scale, pen])
    file = fetched(f"{query}&render=ink&scale={scale}&pen={pen}")
    expected = np.asarray(Image.open(io.BytesIO(file))).astype(int)
    assert abs(np.reshape(drawn, expected.shape) - expected).max() <= MAX_DIFFERENCE


def test_canvas_shows_the_downloaded_picture(page: Page, address: str) -> None:
    open_picture(page, f"{address}/?{QUERY}")
    width = page.locator("#picture").evaluate("canvas => canvas.width")
    sheet = np.load(
        io.BytesIO(fetched(f"{address}/generate?digits=20184&seed=14&spacing=tight&format=npy"))
    )
    scale = width // sheet.shape[1]
    file = fetched(f"{address}/generate?{QUERY}&scale={scale}")
    found = differences(data_url(page, "#picture"), file)
    # The browser's decoder may differ by a level in few pixels of the sheet.
    assert found.mean() < 0.05
    assert found.max() <= MAX_INK_DIFFERENCE


@pytest.mark.parametrize("pen", ["1", "0.5"])
def test_svg_is_the_same_curve_as_png(page: Page, address: str, pen: str) -> None:
    page.goto(address)
    png = fetched(f"{address}/generate?{QUERY}&scale=8&pen={pen}")
    width, height = Image.open(io.BytesIO(png)).size
    svg = page.evaluate(RASTER, [f"generate?{QUERY}&scale=8&format=svg&pen={pen}", width, height])
    assert differences(svg, png).mean() < MAX_SVG_DIFFERENCE
