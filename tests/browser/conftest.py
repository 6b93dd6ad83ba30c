"""Pages in a real headless Chromium, which fail their test on any error."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from harness.launcher import running

OpenPage = Callable[..., AbstractContextManager[Page]]

expect.set_options(timeout=30_000)  # ms; the machine may be busy


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """The address of a service."""
    with running() as service:
        yield service.address


@pytest.fixture
def open_page(browser: Browser) -> OpenPage:
    """`with open_page(address) as page`: a page in a new browser context.

    The end of the block fails after an exception in the page, a request to any other address, or
    a console error, which includes violations of the Content-Security-Policy. Console errors that
    contain the text `expected` are ignored.
    """

    @contextmanager
    def open_page(address: str, expected: str = "", **options: object) -> Iterator[Page]:
        context = browser.new_context(**options)  # type: ignore[arg-type]
        page, errors = context.new_page(), []

        def check_console(entry: ConsoleMessage) -> None:
            if entry.type == "error" and not (expected and expected in entry.text):
                errors.append(entry.text)

        def check_request(request: Request) -> None:
            if not request.url.startswith((address, "data:", "blob:")):
                errors.append(request.url)

        page.on("console", check_console)
        page.on("pageerror", lambda error: errors.append(str(error)))
        context.on("request", check_request)
        yield page
        context.close()
        assert errors == []

    return open_page


@pytest.fixture
def page(open_page: OpenPage, address: str) -> Iterator[Page]:
    """A page that may send requests to the service at `address`."""
    with open_page(address) as page:
        yield page
