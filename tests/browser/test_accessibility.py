"""The page with a screen reader, a keyboard and a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.picture import open_picture, wait_for_picture
from tests.conftest import ROOT

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(360, 740), (1280, 900)], ids=["phone", "desktop"])
def test_axe_finds_no_violation(
    open_page: OpenPage, address: str, scheme: str, size: tuple[int, int]
) -> None:
    viewport = {"width": size[0], "height": size[1]}
    with open_page(address, color_scheme=scheme, viewport=viewport) as page:
        open_picture(page, address)
        page.get_by_role("slider", name="Explore").press("ArrowRight")
        expect(page.locator("#history li")).not_to_have_count(0)
        page.locator("#photo").set_input_files(ROOT / "docs" / "seven.png")
        expect(page.locator("#reading")).to_be_visible()
        page.get_by_role("button", name="New handwriting").click()
        page.locator("#network").scroll_into_view_if_needed()
        expect(page.locator("#network-summary")).to_contain_text("pixels")
        for part in ("#encode", "#latent-space", "#morph", "#article-comparison"):
            page.locator(part).scroll_into_view_if_needed()
            expect(page.locator(part)).to_have_attribute("data-state", "ready")
        wait_for_picture(page)
        results = Axe().run(page)
        assert [violation["id"] for violation in results.response["violations"]] == []


def test_phone_keeps_the_picture_visible_and_never_scrolls_sideways(
    open_page: OpenPage, address: str
) -> None:
    with open_page(address, **PHONE) as page:
        open_picture(page, f"{address}/?digits={'0123456789' * 6}&seed=1&rows=3")
        for selector in ("#variation", "#gap", "#ink", "#style-pad"):
            page.locator(selector).scroll_into_view_if_needed()
            expect(page.locator(".picture")).to_be_in_viewport(ratio=0.9)
        for selector in ("#history", "#network", "#quality", "footer"):
            page.locator(selector).scroll_into_view_if_needed()
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert page.evaluate("document.body.scrollWidth") == 360


def test_phone_has_a_digit_keyboard_and_large_buttons(open_page: OpenPage, address: str) -> None:
    with open_page(address, **PHONE) as page:
        open_picture(page, address)
        field = page.locator("#digits")
        expect(field).to_have_attribute("inputmode", "decimal")
        size = field.evaluate("field => parseFloat(getComputedStyle(field).fontSize)")
        assert size >= 16  # a phone zooms in on fields with smaller text
        for button in page.get_by_role("button").all():
            box = button.bounding_box() if button.is_visible() else None
            assert box is None or min(box["width"], box["height"]) >= 40, button


def test_keyboard_reaches_the_controls_in_order(page: Page, address: str) -> None:
    open_picture(page, address)
    reached = []
    for _ in range(36):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.name"))
    names = ["digits", "new-seed", "seed", "scale", "copy-picture", "variation", "temperature"]
    names += ["spacing", "gap", "rows", "ink", "paper", "render", "pen", "local"]
    places = [reached.index(name) for name in names]
    assert places == sorted(places)
