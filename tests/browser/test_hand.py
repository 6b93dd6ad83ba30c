"""Choosing a hand: on the pad, or by writing a digit."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.sheet import link, opened, picture, stands
from tests.conftest import ROOT

SEVEN = [(0.25, 0.2), (0.75, 0.2), (0.65, 0.45), (0.5, 0.85)]


def write_seven(page: Page) -> None:
    """Write a 7 on the slate with the mouse."""
    slate = page.locator("#slate")
    slate.scroll_into_view_if_needed()
    box = slate.bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in SEVEN]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()


def test_arrow_keys_on_the_pad_choose_a_hand_and_the_link_keeps_it(
    open_page: OpenPage, address: str
) -> None:
    with open_page(address) as page:
        opened(page, f"{address}/?digits=2018&seed=14")
        pad = page.get_by_role("slider", name="Explore")
        pad.focus()
        before = picture(page)
        page.keyboard.press("ArrowRight")
        expect(page).to_have_url(re.compile("style="))
        expect(pad).to_have_attribute("aria-valuetext", "across 0.25, down 0.00")
        for _ in range(4):
            page.keyboard.press("ArrowDown")
        expect(pad).to_have_attribute("aria-valuetext", "across 0.25, down 1.00")
        page.wait_for_timeout(100)
        chosen, address_bar = picture(page), page.url
        assert chosen != before
        expect(page.locator("#style-said")).to_contain_text("in the chosen hand")
    with open_page(address) as page:
        opened(page, address_bar)
        assert picture(page) == chosen
        page.get_by_role("button", name="Let it go").click()
        page.wait_for_timeout(50)
        assert picture(page) == before
        assert "style" not in link(page)


def test_pad_follows_the_mouse(page: Page, address: str) -> None:
    opened(page, address)
    pad = page.locator("#pad")
    pad.scroll_into_view_if_needed()
    expect(pad).to_have_attribute("data-state", "ready")  # its map is drawn
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] * 0.3, steps=4)
    page.mouse.up()
    expect(pad).to_have_attribute("aria-valuetext", "across 2.00, down -1.00")
    assert link(page)["style"]


def test_written_digit_gives_its_hand_to_the_number(page: Page, address: str) -> None:
    opened(page, f"{address}/?digits=2018&seed=14")
    before = picture(page)
    write_seven(page)
    expect(page.locator("#own-said")).to_contain_text("Taken for a 7")
    assert link(page)["style"]
    page.wait_for_timeout(50)
    first = picture(page)
    assert first != before
    page.get_by_label("It is a", exact=True).select_option("1")
    expect(page.locator("#own-said")).to_contain_text("Taken for a 1")
    page.wait_for_timeout(50)
    assert picture(page) != first
    page.get_by_role("button", name="Wipe").click()
    page.get_by_role("button", name="Write my number so").click()
    expect(page.locator("#own-said")).to_have_text("Write a digit first.")


def test_photo_gives_its_hand_to_the_number(page: Page, address: str) -> None:
    opened(page, address)
    page.locator("#photo").set_input_files(ROOT / "docs" / "seven.png")
    expect(page.locator("#own-said")).to_contain_text("Taken for a 7")
    stands(page)
    assert link(page)["style"]


def test_picture_that_is_none_is_refused_in_words(open_page: OpenPage, address: str) -> None:
    with open_page(address, expected="415") as page:
        opened(page, address)
        page.locator("#photo").set_input_files(
            files={"name": "a.png", "mimeType": "image/png", "buffer": b"no picture"}
        )
        expect(page.locator("#own-said")).to_contain_text("The upload is no whole picture")
