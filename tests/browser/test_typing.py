"""Type and see: the number, its seed, its looks, its link."""

import re

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import OpenPage
from tests.browser.sheet import link, opened, picture, slide, stands


def test_typing_draws_without_a_button_and_without_a_request(page: Page, address: str) -> None:
    opened(page, address)
    assert link(page)["digits"] == "2018"
    asked: list[str] = []

    def watch(request: Request) -> None:
        asked.append(request.url)

    page.on("request", watch)
    before = picture(page)
    page.locator("#digits").press("End")
    page.locator("#digits").press_sequentially("7")
    stands(page, "20187")
    assert link(page)["digits"] == "20187"
    assert picture(page) != before
    assert not [url for url in asked if not url.startswith(f"{address}/page/")], asked


def test_typing_leaves_out_what_is_no_digit_and_says_so(page: Page, address: str) -> None:
    opened(page, address)
    page.locator("#digits").fill("00-7 a")
    stands(page, "007")
    expect(page.locator("#digits")).to_have_value("007")
    expect(page.locator("#hint")).to_contain_text("The digits 0 to 9")


def test_no_number_is_an_empty_sheet(page: Page, address: str) -> None:
    opened(page, address)
    page.locator("#digits").fill("")
    expect(page.locator("#sheet")).to_have_attribute("data-state", "empty")
    expect(page.locator("#hint")).to_have_text("Type a number.")
    page.locator("#digits").fill("5")
    stands(page, "5")


def test_another_hand_changes_the_seed_until_it_is_kept(page: Page, address: str) -> None:
    opened(page, address)
    first, before = link(page)["seed"], picture(page)
    page.get_by_role("button", name="Another hand").click()
    expect(page).not_to_have_url(re.compile(f"seed={first}&"))
    second = link(page)["seed"]
    assert picture(page) != before
    expect(page.locator("#seed")).to_have_value(second)
    page.get_by_label("Keep", exact=True).check()
    expect(page.get_by_role("button", name="Another hand")).to_be_disabled()
    page.locator("#digits").press("Enter")
    page.locator("#digits").fill("99")
    stands(page, "99")
    assert link(page)["seed"] == second


def test_link_reproduces_the_picture(open_page: OpenPage, address: str) -> None:
    with open_page(address) as page:
        opened(page, address)
        page.locator("#digits").fill("31415")
        slide(page, "variation", "0.55")
        slide(page, "gap", "-2")
        slide(page, "rows", "2")
        page.get_by_role("button", name="Sepia on cream").click()
        stands(page, "31415")
        address_bar, expected = page.url, picture(page)
    with open_page(address) as page:
        opened(page, address_bar)
        assert picture(page) == expected
        assert page.url == address_bar
        expect(page.get_by_label("Keep", exact=True)).to_be_checked()
        page.reload()
        assert picture(page) == expected


def test_link_with_words_that_are_none_says_which(page: Page, address: str) -> None:
    opened(page, f"{address}/?digits=12&seed=3&gap=99&colour=red")
    expect(page.locator("#hint")).to_have_text("Not understood in this link: gap, colour.")
    assert link(page)["digits"] == "12"


@pytest.mark.parametrize(
    ("name", "value"),
    [("variation", "0"), ("temperature", "0.2"), ("rows", "3"), ("gap", "12")],
)
def test_slider_changes_picture_and_link(page: Page, address: str, name: str, value: str) -> None:
    opened(page, address)
    before = picture(page)
    slide(page, name, value)
    expect(page).to_have_url(re.compile(f"{name}={value}(&|$)"))
    page.wait_for_timeout(50)
    assert picture(page) != before


def test_colours_spacing_and_view_change_the_picture(page: Page, address: str) -> None:
    opened(page, address)
    seen = [picture(page)]

    def look() -> None:
        page.wait_for_timeout(50)
        seen.append(picture(page))

    page.locator("#ink").fill("#ff0000")
    look()
    page.get_by_text("Squares").click()
    look()
    page.get_by_text("Pixels", exact=True).click()
    look()
    page.locator("#paper").fill("#00ff00")  # on the canvas itself only as pixels
    look()
    assert len(set(seen)) == 5
    assert link(page)["ink"] == "ff0000"
    assert link(page)["paper"] == "00ff00"
    assert "spacing" not in link(page)


def test_last_pictures_are_kept_and_come_back(page: Page, address: str) -> None:
    opened(page, f"{address}/?digits=11&seed=1")
    first = picture(page)
    expect(page.get_by_role("button", name="11, seed 1, again")).to_be_visible()
    page.locator("#digits").fill("222")
    expect(page.get_by_role("button", name="222, seed 1, again")).to_be_visible()
    page.reload()
    stands(page, "222")
    page.get_by_role("button", name="11, seed 1, again").click()
    stands(page, "11")
    assert picture(page) == first
    page.get_by_role("button", name="Forget these").click()
    expect(page.locator("#past li")).to_have_count(0)


COUNT_DRAWINGS = """
    window.drawings = 0;
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (message, transfer) {
      if (message.task === "draw") window.drawings++;
      post.call(this, message, transfer);
    };
"""


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_digits_glide_unless_motion_is_to_be_reduced(
    open_page: OpenPage, address: str, motion: str
) -> None:
    with open_page(address, reduced_motion=motion) as page:
        page.add_init_script(COUNT_DRAWINGS)
        opened(page, f"{address}/?digits=2018&seed=7")
        page.evaluate("window.drawings = 0")
        page.locator("#digits").fill("2019")
        stands(page, "2019")
        drawings = page.evaluate("window.drawings")
        assert drawings == 1 if motion == "reduce" else drawings > 3


def test_title_and_headings_say_what_it_is(page: Page, address: str) -> None:
    opened(page, address)
    assert re.match("Type a number", page.title())
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
