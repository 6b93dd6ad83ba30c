"""The page on a phone: it scrolls everywhere, and a long line can be read."""

import pytest
from playwright.sync_api import FloatRect, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.picture import link_parameters, open_picture, wait_for_picture

PHONE = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}
SWIPE = 200  # pixels


def swipe_up(page: Page, x: float, y: float) -> float:
    """Swipe with one finger from a position; the pixels by which the page scrolled."""
    before = page.evaluate("scrollY")
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: dict[str, float]) -> None:
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    touch("touchStart", {"x": x, "y": y})
    for distance in range(10, SWIPE + 1, 10):
        touch("touchMove", {"x": x, "y": y - distance})
    touch("touchEnd")
    page.evaluate("new Promise((done) => setTimeout(done, 200))")  # until the scrolling has ended
    return float(page.evaluate("scrollY") - before)


def bring_into_view(page: Page, selector: str) -> FloatRect:
    """Scroll an element to the middle of the screen; its box."""
    page.locator(selector).evaluate(
        "element => element.scrollIntoView({ block: 'center', behavior: 'instant' })"
    )
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box


def test_swipe_over_the_style_pad_scrolls_and_chooses_nothing(
    open_page: OpenPage, address: str
) -> None:
    with open_page(address, **PHONE) as page:
        open_picture(page, address)
        box = bring_into_view(page, "#style-pad")
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        assert swipe_up(page, *middle) > SWIPE / 2
        assert "style" not in link_parameters(page)
        box = bring_into_view(page, "#style-pad")
        page.touchscreen.tap(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
        pad = page.get_by_role("slider", name="Explore")
        expect(pad).not_to_have_attribute("aria-valuetext", "not in use")
        assert link_parameters(page)["style"]


def test_slate_takes_strokes_and_leaves_room_for_scrolling(
    open_page: OpenPage, address: str
) -> None:
    with open_page(address, **PHONE) as page:
        open_picture(page, address)
        box = bring_into_view(page, "#digit-pad")
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        assert swipe_up(page, *middle) == 0
        expect(page.locator("#own-digit-status")).to_contain_text("Recognised as 1.")
        box = bring_into_view(page, "#digit-pad")
        assert 320 - (box["x"] + box["width"]) >= 44  # pixels, the width of a finger
        assert swipe_up(page, 298, box["y"] + box["height"] / 2) > SWIPE / 2


def test_long_line_scrolls_at_a_size_that_can_be_read(open_page: OpenPage, address: str) -> None:
    with open_page(address, **PHONE) as page:
        open_picture(page, f"{address}/?digits=2018&seed=1")
        frame, canvas = page.locator(".paper"), page.locator("#picture")
        assert frame.evaluate("frame => frame.scrollWidth === frame.clientWidth")
        expect(frame).not_to_have_attribute("tabindex", "0")
        page.locator("#digits").fill("0123456789" * 6 + "2018")
        wait_for_picture(page, "0123456789" * 6 + "2018")
        box = canvas.bounding_box()
        assert box is not None
        assert box["height"] >= 40
        assert frame.evaluate("frame => frame.scrollWidth > 3 * frame.clientWidth")
        frame.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function("() => document.querySelector('.paper').scrollLeft > 0")
        assert page.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize("selector", ["#digits", "#new-seed", "#gap", "#digit-label"])
def test_focused_control_is_not_hidden_under_the_picture(
    open_page: OpenPage, address: str, selector: str
) -> None:
    with open_page(address, **PHONE) as page:
        open_picture(page, address)
        page.evaluate("scrollTo({ top: document.body.scrollHeight, behavior: 'instant' })")
        page.locator(selector).focus()
        page.wait_for_function(
            """(selector) => {
                const box = document.querySelector(selector).getBoundingClientRect();
                const picture = document.querySelector(".picture").getBoundingClientRect();
                return box.top >= picture.bottom && box.bottom <= innerHeight;
            }""",
            arg=selector,
        )
