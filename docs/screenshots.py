"""The second half of `make pictures`: screenshots of the page for the README, in Chromium.

Also the picture that other sites show beside a link to the page.
"""

import base64
import io
import os
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from app.site.build import PREVIEW, WEB
from harness.launcher import running

FOLDER = Path(__file__).parent
QUERY = "digits=2018&seed=19&variation=0.3&temperature=0.8&spacing=tight&gap=3&scale=8"
COLOURS = {
    "light": "render=ink&ink=24407a&paper=fffdf8",
    "dark": "render=ink&ink=ebe6da&paper=1c1f26",
}
SIZES = {"desktop": (1120, 940), "phone": (390, 844)}  # width and height in pixels
FLAGS = ["--no-sandbox", "--disable-gpu"]
READY = "#picture[data-state=ready]"
STEP_OF_THE_TOUR = 6  # the map
AFTER_THE_WALK_MS = 2000
PREVIEW_COLOURS = 16
DRAW_PREVIEW = """(picture) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 1200, height: 630 });
    const context = canvas.getContext("2d");
    context.fillStyle = "#fffdf8";
    context.fillRect(0, 0, 1200, 630);
    const height = (1000 / picture.width) * picture.height;
    context.drawImage(picture, 100, (630 - height) / 2, 1000, height);
    return canvas.toDataURL();
}"""


def main() -> None:
    """Write the preview, and docs/page-SIZE-SCHEME.png for each size and colour scheme."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with running() as service, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        preview(browser, service.address)
        for size in SIZES:
            for scheme in COLOURS:
                take(browser, service.address, size, scheme)
        explain(browser, service.address)
        browser.close()


def take(browser: Browser, address: str, size: str, scheme: str) -> None:
    """Write the screenshot of one size and colour scheme."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(f"{address}/?{QUERY}&{COLOURS[scheme]}")
    page.locator(READY).wait_for()
    # The time differs between machines, and the screenshot should not.
    page.locator("#draw-time").evaluate("time => time.remove()")
    page.screenshot(path=FOLDER / f"page-{size}-{scheme}.png")
    context.close()


def explain(browser: Browser, address: str) -> None:
    """Write docs/page-photo.png, a photo that was read, and docs/page-tour.png."""
    page = browser.new_page(reduced_motion="reduce", viewport={"width": 1120, "height": 760})
    page.goto(f"{address}/?{QUERY}&{COLOURS['light']}")
    page.locator(READY).wait_for()
    page.locator("#photo").set_input_files(FOLDER / "seven.png")
    page.locator("#reading").wait_for()
    page.locator(".picture").evaluate("picture => { picture.style.position = 'static'; }")
    page.locator("#own-digit").screenshot(path=FOLDER / "page-photo.png")
    page.locator("#start-tour").click()
    for _ in range(STEP_OF_THE_TOUR - 1):
        page.locator("#tour-next").click()
    page.locator("#latent-space[data-state=ready]").wait_for()
    page.wait_for_timeout(AFTER_THE_WALK_MS)
    page.screenshot(path=FOLDER / "page-tour.png")
    page.close()


def preview(browser: Browser, address: str) -> None:
    """Write the picture of 1,200 x 630 pixels to which the head of the page points."""
    page = browser.new_page(device_scale_factor=2, reduced_motion="reduce")
    page.goto(f"{address}/?{QUERY}&{COLOURS['light']}")
    page.locator(READY).wait_for()
    drawn = page.locator("#picture").evaluate(DRAW_PREVIEW)
    image = Image.open(io.BytesIO(base64.b64decode(drawn.partition(",")[2]))).convert("RGB")
    image.quantize(PREVIEW_COLOURS).save(WEB / PREVIEW, optimize=True)
    page.close()


if __name__ == "__main__":
    main()
