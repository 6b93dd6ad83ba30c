"""A real headless Chromium, and pages that fail their test on any fault."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
)

Serve = Callable[..., AbstractContextManager[str]]
OpenPage = Callable[..., AbstractContextManager[Page]]


@pytest.fixture(scope="session")
def address(serve: Serve) -> Iterator[str]:
    with serve() as address:
        yield address


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
