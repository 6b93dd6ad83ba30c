"""`make pictures`, its second half: the page as the README shows it, in a real Chromium."""

import os
import shutil

from playwright.sync_api import Browser, sync_playwright

from docs.pictures import ROOT, service

ORDER = "digits=2018&seed=4&variation=0.3&temperature=0.8&spacing=tight&gap=3&scale=8"
PAPERS = {"light": "ink=24407a&paper=fffdf8", "dark": "ink=ebe6da&paper=1c1f26"}
SIZES = {"desktop": (1120, 940), "phone": (390, 844)}
FLAGS = ["--no-sandbox", "--disable-gpu"]


def main() -> None:
    """Write docs/page-<size>-<scheme>.png."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with service() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        for size in SIZES:
            for scheme in PAPERS:
                take(browser, address, size, scheme)
        browser.close()


def take(browser: Browser, address: str, size: str, scheme: str) -> None:
    """One screenshot of the page as it opens."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(f"{address}/?{ORDER}&{PAPERS[scheme]}")
    page.locator("#sheet[data-state=still]").wait_for()
    # The time of a digit is another one on each machine: the picture shall not be.
    page.locator("#cost").evaluate("cost => cost.remove()")
    page.screenshot(path=ROOT / "docs" / f"page-{size}-{scheme}.png")
    context.close()


if __name__ == "__main__":
    main()
