"""The second half of `make pictures`: screenshots of the page for the README, in Chromium."""

import os
import shutil
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from harness.launcher import running

FOLDER = Path(__file__).parent
QUERY = "digits=2018&seed=4&variation=0.3&temperature=0.8&spacing=tight&gap=3&scale=8"
COLOURS = {"light": "ink=24407a&paper=fffdf8", "dark": "ink=ebe6da&paper=1c1f26"}
SIZES = {"desktop": (1120, 940), "phone": (390, 844)}  # width and height in pixels
FLAGS = ["--no-sandbox", "--disable-gpu"]


def main() -> None:
    """Write docs/page-SIZE-SCHEME.png for each size and colour scheme."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with running() as service, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for size in SIZES:
            for scheme in COLOURS:
                take(browser, service.address, size, scheme)
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
    page.locator("#picture[data-state=ready]").wait_for()
    # The time differs between machines, and the screenshot should not.
    page.locator("#draw-time").evaluate("time => time.remove()")
    page.screenshot(path=FOLDER / f"page-{size}-{scheme}.png")
    context.close()


if __name__ == "__main__":
    main()
