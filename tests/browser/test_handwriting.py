"""Choosing a handwriting: on the style pad, by writing a digit, or with a photo."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.picture import (
    data_url,
    differences,
    fetched,
    link_parameters,
    open_picture,
    picture,
    wait_for_picture,
)
from tests.conftest import ROOT

MAX_TOKEN_DIFFERENCE = 48  # grey levels; a token has the noise in steps of 1/32
SEVEN = [(0.25, 0.2), (0.75, 0.2), (0.65, 0.45), (0.5, 0.85)]


def drag(page: Page, selector: str, *positions: tuple[float, float]) -> None:
    """Drag the mouse between positions in an element, as shares of its width and height."""
    element = page.locator(selector)
    element.scroll_into_view_if_needed()
    box = element.bounding_box()
    assert box is not None
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in positions]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=8)
    page.mouse.up()


def test_arrow_keys_choose_a_handwriting_that_the_link_includes(
    open_page: OpenPage, address: str
) -> None:
    with open_page(address) as page:
        open_picture(page, f"{address}/?digits=2018&seed=14")
        pad = page.get_by_role("slider", name="Explore")
        pad.focus()
        before = picture(page)
        page.keyboard.press("ArrowRight")
        expect(page).to_have_url(re.compile("style="))
        expect(pad).to_have_attribute("aria-valuetext", "across 0.25, down 0.00")
        for _ in range(4):
            page.keyboard.press("ArrowDown")
        expect(pad).to_have_attribute("aria-valuetext", "across 0.25, down 1.00")
        chosen, link = picture(page), page.url
        assert chosen != before
        expect(page.locator("#style-status")).to_contain_text("uses the chosen handwriting")
    with open_page(address) as page:
        open_picture(page, link)
        assert picture(page) == chosen
        page.get_by_role("button", name="Clear handwriting").click()
        assert picture(page) == before
        assert "style" not in link_parameters(page)


def test_style_pad_follows_the_mouse(page: Page, address: str) -> None:
    open_picture(page, address)
    pad = page.locator("#style-pad")
    pad.scroll_into_view_if_needed()
    expect(pad).to_have_attribute("data-state", "ready")
    drag(page, "#style-pad", (0.5, 0.5), (0.9, 0.3))
    expect(pad).to_have_attribute("aria-valuetext", "across 2.00, down -1.00")
    assert link_parameters(page)["style"]


def test_written_digit_gives_its_handwriting_to_the_number(page: Page, address: str) -> None:
    open_picture(page, f"{address}/?digits=2018&seed=14")
    before, status = picture(page), page.locator("#own-digit-status")
    drag(page, "#digit-pad", *SEVEN)
    expect(status).to_contain_text("Recognised as 7.")
    assert link_parameters(page)["style"]
    first = picture(page)
    assert first != before
    page.get_by_label("Digit", exact=True).select_option("1")
    expect(status).to_contain_text("Used as 1.")
    assert picture(page) != first
    page.get_by_role("button", name="Clear", exact=True).click()
    page.get_by_role("button", name="Use this handwriting").click()
    expect(status).to_have_text("Write a digit first.")


def test_written_digit_is_shown_beside_the_digit_drawn_again(page: Page, address: str) -> None:
    open_picture(page, f"{address}/?digits=7&seed=14&spacing=cell&temperature=1")
    expect(page.locator("#reading")).to_be_hidden()
    drag(page, "#digit-pad", *SEVEN)
    expect(page.locator("#reading-text")).to_contain_text("and the label 7, the decoder draws it")
    original = page.get_by_role("img", name="Your digit, as it was read")
    assert original.evaluate("image => image.decode().then(() => image.naturalWidth)") == 280
    assert page.get_by_role("img", name="Noise found by the encoder").is_visible()
    style = link_parameters(page)["style"]
    drawn = fetched(f"{address}/generate?digits=7&style={style}")
    apart = differences(data_url(page, "#seen canvas:nth-of-type(2)"), drawn)
    assert apart.max() <= MAX_TOKEN_DIFFERENCE
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.locator("#reading")).to_be_hidden()


def test_photo_gives_its_handwriting_to_the_number(page: Page, address: str) -> None:
    open_picture(page, address)
    page.locator("#photo").set_input_files(ROOT / "docs" / "seven.png")
    expect(page.locator("#own-digit-status")).to_contain_text("Recognised as 7.")
    wait_for_picture(page)
    assert link_parameters(page)["style"]
