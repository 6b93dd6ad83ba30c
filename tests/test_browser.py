"""What a person sees, in a real headless Chromium."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
Serve = Callable[..., AbstractContextManager[str]]


@pytest.fixture(scope="module")
def address(serve: Serve) -> Iterator[str]:
    with serve() as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium if there is one, else the one that Playwright installs."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        if not found and not os.path.exists(playwright.chromium.executable_path):
            pytest.skip("no Chromium: `apt-get install chromium` or `playwright install chromium`")
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page that fails its test on a console error or a request to anybody else."""
    page = browser.new_page()
    faults: list[str] = []

    def hear(entry: ConsoleMessage) -> None:
        if entry.type == "error":
            faults.append(entry.text)

    def watch(request: Request) -> None:
        if not request.url.startswith((address, "data:", "blob:")):
            faults.append(request.url)

    page.on("console", hear)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", watch)
    yield page
    page.close()
    assert faults == []


def test_picture_shows_in_a_page(page: Page, address: str) -> None:
    page.goto(f"{address}/livez")
    page.set_content(f'<img src="{address}/generate?digits=2018" alt="2018">')
    page.wait_for_function("document.images[0].complete")
    size = page.evaluate("[document.images[0].naturalWidth, document.images[0].naturalHeight]")
    assert size == [112, 28]


def test_docs_draw_a_number(page: Page, address: str) -> None:
    page.goto(f"{address}/docs")
    page.get_by_text("Write a number by hand").click()
    operation = page.locator("#operations-drawing-generate")
    operation.get_by_placeholder("digits").fill("2018")
    operation.get_by_role("button", name="Execute").click()
    picture = operation.locator(".response img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 112  # drawn by the examples
