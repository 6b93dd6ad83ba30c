"""What the page shows, for the tests of it."""

from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect


def opened(page: Page, address: str) -> None:
    """Open the page and wait until its picture stands."""
    page.goto(address)
    stands(page)


def stands(page: Page, digits: str | None = None) -> None:
    """Wait until the picture stands, of `digits` if given."""
    expect(page.locator("#sheet")).to_have_attribute("data-state", "still")
    if digits is not None:
        expect(page.locator("#sheet")).to_have_attribute("aria-label", digits)


def picture(page: Page) -> str:
    """What the canvas shows, as a data URL."""
    stands(page)
    return str(page.evaluate("document.querySelector('#sheet').toDataURL()"))


def link(page: Page) -> dict[str, str]:
    """The parameters in the address bar."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def slide(page: Page, name: str, value: str) -> None:
    """Set one of the sliders."""
    page.locator(f"#{name}").fill(value)
