"""`make pictures`, second half: screenshots of the page in a real Chromium."""

import os
import shutil

from playwright.sync_api import Browser, sync_playwright

from harness.launcher import ROOT, running

ORDER = "digits=2018&seed=4&variation=0.3&temperature=0.8&spacing=tight&gap=3&scale=8"
PAPERS = {"light": "ink=24407a&paper=fffdf8", "dark": "ink=ebe6da&paper=1c1f26"}
SIZES = {"desktop": (1120, 940), "phone": (390, 844)}
FLAGS = ["--no-sandbox", "--disable-gpu"]


def main() -> None:
    """Write docs/page-<size>-<scheme>.png."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with running() as service, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        for size in SIZES:
            for scheme in PAPERS:
                take(browser, service.address, size, scheme)
        browser.close()


def take(browser: Browser, address: str, size: str, scheme: str) -> None:
    """Take a screenshot of the page after it has opened."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(f"{address}/?{ORDER}&{PAPERS[scheme]}")
    page.locator("#sheet[data-state=still]").wait_for()
    # The time of a digit differs between machines; the picture should not.
    page.locator("#cost").evaluate("cost => cost.remove()")
    page.screenshot(path=ROOT / "docs" / f"page-{size}-{scheme}.png")
    context.close()


if __name__ == "__main__":
    main()
