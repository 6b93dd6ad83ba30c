"""Reads and compares the pictures of the page."""

import base64
import io
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

MAX_INK_DIFFERENCE = (
    24  # grey levels of 255, where a level decides on the place of the edge of the ink
)
STYLE = """async (size) => {
    const { encodeStyle } = await import("./page/style.js");
    const { model } = await (await fetch("model")).json();
    return encodeStyle(Float32Array.from({ length: size }, (_, z) => z / 9 - 1), { hash: model });
}"""


def open_picture(page: Page, address: str) -> None:
    """Open the page and wait until its picture is complete."""
    page.goto(address)
    wait_for_picture(page)


def wait_for_picture(page: Page, digits: str | None = None) -> None:
    """Wait until the picture is complete, of `digits` if given."""
    expect(page.locator("#picture")).to_have_attribute("data-state", "ready")
    if digits is not None:
        expect(page.locator("#picture")).to_have_attribute("aria-label", digits)


def picture(page: Page) -> str:
    """The complete picture as a data URL."""
    wait_for_picture(page)
    return data_url(page, "#picture")


def data_url(page: Page, selector: str) -> str:
    """The content of a canvas."""
    return str(page.locator(selector).evaluate("canvas => canvas.toDataURL()"))


def link_parameters(page: Page) -> dict[str, str]:
    """The parameters in the address bar."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def set_slider(page: Page, name: str, value: str) -> None:
    """Move a slider."""
    page.locator(f"#{name}").fill(value)


def choose_size(page: Page, scale: int) -> None:
    """Choose the size of the picture file."""
    page.get_by_label("Size", exact=True).select_option(str(scale))


def disconnect(page: Page) -> None:
    """Set the page offline, as soon as its service worker has cached it."""
    wait = "while (!navigator.serviceWorker.controller) await new Promise(requestAnimationFrame)"
    page.evaluate(f"async () => {{ {wait} }}")
    page.context.set_offline(True)


def downloaded(page: Page, name: str) -> bytes:
    """The file behind a download button."""
    with page.expect_download() as download:
        page.get_by_role("button", name=name, exact=True).click()
    return Path(download.value.path()).read_bytes()


def fetched(address: str) -> bytes:
    """The body of an answer."""
    with urlopen(address) as answer:
        return bytes(answer.read())


def differences(first: bytes | str, second: bytes | str) -> np.ndarray:
    """Differences of all RGBA values of two images of equal size: files or data URLs."""
    one, other = (_rgba(image) for image in (first, second))
    assert one.shape == other.shape
    return abs(one - other)


def _rgba(image: bytes | str) -> np.ndarray:
    file = base64.b64decode(image.partition(",")[2]) if isinstance(image, str) else image
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGBA")).astype(int)
