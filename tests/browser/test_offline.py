"""The page after one visit, without a connection."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.picture import (
    MAX_INK_DIFFERENCE,
    differences,
    disconnect,
    downloaded,
    fetched,
    open_picture,
    picture,
    wait_for_picture,
)
from tests.browser.test_photo import choose, jpeg, ruled, sheet

QUERY = "digits=2018&seed=14&spacing=tight&gap=2&scale=3&ink=1a237e&paper=fff8e1&render=ink&pen=0.8"


@pytest.fixture
def offline(open_page: OpenPage, address: str) -> Iterator[Page]:
    """A page that lost its connection after its first visit."""
    with open_page(address, expected="ERR_INTERNET_DISCONNECTED") as page:
        open_picture(page, f"{address}/?{QUERY}")
        disconnect(page)
        yield page


def test_page_opens_and_draws(offline: Page, address: str) -> None:
    before = picture(offline)
    offline.reload()
    assert picture(offline) == before
    offline.locator("#digits").fill("1234567890")
    wait_for_picture(offline, "1234567890")
    offline.goto(f"{address}/?digits=99&seed=3")
    wait_for_picture(offline, "99")
    expect(offline.locator("#quality")).to_be_visible()


@pytest.mark.parametrize("name", ["PNG", "WebP"])
def test_download_has_the_pixels_of_the_service(offline: Page, address: str, name: str) -> None:
    made = downloaded(offline, name)
    expect(offline.locator("#save-status")).to_contain_text("the browser made this file")
    assert differences(made, fetched(f"{address}/generate?{QUERY}")).max() <= MAX_INK_DIFFERENCE


def test_photo_is_read_without_a_connection(offline: Page) -> None:
    choose(offline, jpeg(ruled(sheet([7], 600, 800, 250))))
    expect(offline.locator("#own-digit-status")).to_contain_text("Recognised as 7. Confidence")


def test_download_that_needs_the_service_is_an_error(offline: Page) -> None:
    offline.get_by_role("button", name="SVG").click()
    expect(offline.get_by_role("alert")).to_contain_text("The service cannot be reached")
