"""A real headless Chromium, and pages that fail their test on any fault."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    sync_playwright,
)

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
Serve = Callable[..., AbstractContextManager[str]]
OpenPage = Callable[..., AbstractContextManager[Page]]


@pytest.fixture(scope="session")
def address(serve: Serve) -> Iterator[str]:
    with serve() as address:
        yield address


@pytest.fixture(scope="session")
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
def open_page(browser: Browser) -> OpenPage:
    """`with open_page(address) as page`: a page of a browser without a past.

    On leaving it fails on a console error, which a breach of the Content-Security-Policy is too,
    on an exception in the page, and on a request to anybody but `address`.
    """

    @contextmanager
    def open_page(address: str, expected: str = "", **options: object) -> Iterator[Page]:
        context: BrowserContext = browser.new_context(**options)  # type: ignore[arg-type]
        page, faults = context.new_page(), []

        def hear(entry: ConsoleMessage) -> None:
            if entry.type == "error" and not (expected and expected in entry.text):
                faults.append(entry.text)

        def watch(request: Request) -> None:
            if not request.url.startswith((address, "data:", "blob:")):
                faults.append(request.url)

        page.on("console", hear)
        page.on("pageerror", lambda error: faults.append(str(error)))
        context.on("request", watch)
        yield page
        context.close()
        assert faults == []

    return open_page


@pytest.fixture
def page(open_page: OpenPage, address: str) -> Iterator[Page]:
    """A page for the service."""
    with open_page(address) as page:
        yield page
