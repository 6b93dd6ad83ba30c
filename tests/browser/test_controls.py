"""The controls change the picture and its link."""

import re

import pytest
from playwright.sync_api import Page, expect

from model.checkpoint import PRETRAINED, read_checkpoint
from tests.browser.conftest import OpenPage
from tests.browser.picture import (
    STYLE,
    link_parameters,
    open_picture,
    picture,
    set_slider,
    wait_for_picture,
)


def test_typing_draws_without_a_button_and_without_a_request(page: Page, address: str) -> None:
    open_picture(page, address)
    assert link_parameters(page)["digits"] == "2018"
    before = picture(page)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.locator("#digits").press("End")
    page.locator("#digits").press_sequentially("7")
    wait_for_picture(page, "20187")
    assert link_parameters(page)["digits"] == "20187"
    assert picture(page) != before
    assert all(url.startswith(f"{address}/page/") for url in requests), requests


@pytest.mark.parametrize(
    ("typed", "digits", "message"),
    [
        ("007", "007", ""),
        ("3.14", "3.14", "The model draws the digits; \u201c.\u201d is drawn by rule."),
        (
            "\u22121,000/2 5",
            "-1,000/2 5",
            "\u201c-\u201d, \u201c,\u201d and \u201c/\u201d are drawn by rule.",
        ),
        ("20 18", "20 18", ""),
        ("1x2", "12", "Left out \u201cx\u201d: only digits and . , : - / and spaces can be drawn."),
        ("\uff12\uff10\uff11\uff18", "2018", ""),  # full-width
        ("\uff12\uff0e\uff11\uff18", "2.18", "\u201c.\u201d is drawn by rule."),
        ("\u0663\u0661\u0664", "314", ""),  # Arabic
        ("\U0001d7d9\U0001d7ff", "19", ""),  # mathematical
        ("\u00b2", "", "Left out \u201c\u00b2\u201d"),
        ("8" * 70, "8" * 64, "Left out the last 6 characters: at most 64 can be drawn."),
    ],
)
def test_number_is_read_as_typed_and_what_is_left_out_is_named(
    page: Page, address: str, typed: str, digits: str, message: str
) -> None:
    open_picture(page, f"{address}/?digits=5&seed=1")
    page.locator("#digits").fill(typed)
    expect(page.locator("#digits")).to_have_value(digits)
    expect(page.locator("#hint")).to_contain_text(message or re.compile("^$"))
    if digits:
        wait_for_picture(page, digits)


@pytest.mark.parametrize(
    ("typed", "seed"), [("42", "42"), ("12a", "12"), ("9999999999", "4294967295")]
)
def test_seed_that_is_not_taken_as_typed_is_named(
    page: Page, address: str, typed: str, seed: str
) -> None:
    open_picture(page, f"{address}/?digits=5&seed=1")
    page.locator("#seed").fill(typed)
    expect(page.locator("#seed")).to_have_value(seed)
    said = "" if typed == seed else f"The seed is now {seed}"
    expect(page.locator("#hint")).to_contain_text(said or re.compile("^$"))


def test_character_left_out_keeps_the_caret_in_place(page: Page, address: str) -> None:
    open_picture(page, f"{address}/?digits=2018&seed=1")
    field = page.locator("#digits")
    field.press("Home")
    field.press_sequentially("1x2")
    expect(field).to_have_value("122018")
    assert field.evaluate("field => field.selectionStart") == 2


def test_number_with_marks_is_kept_in_links_and_files(page: Page, address: str) -> None:
    open_picture(page, f"{address}/?digits=5&seed=1")
    field = page.locator("#digits")
    field.fill("")
    field.press_sequentially("-2.5")
    expect(field).to_have_value("-2.5")
    wait_for_picture(page, "-2.5")
    link = link_parameters(page)
    assert link["text"] == "-2.5"
    assert "digits" not in link
    page.reload()
    expect(field).to_have_value("-2.5")
    wait_for_picture(page, "-2.5")


def test_number_may_be_empty(page: Page, address: str) -> None:
    open_picture(page, address)
    field, hint = page.locator("#digits"), page.locator("#hint")
    field.fill("")
    expect(page.locator("#picture")).to_have_attribute("data-state", "empty")
    expect(hint).to_have_text("Type a number.")
    page.get_by_role("button", name="PNG").click()
    expect(page.locator("#save-status")).to_have_text("Type a number first.")
    field.fill("5")
    wait_for_picture(page, "5")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("digits=2018&seed=14", ""),
        ("digits=2018&seed=14&variation=0", ""),
        ("digits=2018&seed=14&temperature=0", "temperature changed from 0 to 0.8"),
        ("digits=2018&seed=14&style={style}", "chosen handwriting was cleared"),
        ("digits=2018&seed=14&style={style}&temperature=0", "cleared. The temperature changed"),
    ],
)
def test_button_gives_another_picture_and_says_what_it_cleared(
    page: Page, address: str, query: str, message: str
) -> None:
    page.goto(address)
    style = page.evaluate(STYLE, read_checkpoint(PRETRAINED).config.latent)
    open_picture(page, f"{address}/?{query.format(style=style)}")
    before, button = picture(page), page.get_by_role("button", name="New handwriting")
    seen = {before}
    for _ in range(3):
        url = page.url
        button.click()
        expect(page).not_to_have_url(url)
        expect(page.locator("#seed")).to_have_value(link_parameters(page)["seed"])
        seen.add(picture(page))
        if len(seen) == 2:
            expect(page.locator("#hint")).to_contain_text(message)
    assert len(seen) == 4
    for _ in range(3):
        page.get_by_role("button", name="Undo").click()
    expect(page).to_have_url(re.compile("seed=14"))
    assert picture(page) == before


def test_back_undo_and_redo_go_through_the_pictures(page: Page, address: str) -> None:
    open_picture(page, f"{address}/?digits=2018&seed=14")
    undo, redo = (page.get_by_role("button", name=name) for name in ("Undo", "Redo"))
    expect(undo).to_be_disabled()
    pictures = [picture(page)]
    page.locator("#digits").press("End")
    page.locator("#digits").press_sequentially("99")  # one step
    wait_for_picture(page, "201899")
    pictures.append(picture(page))
    page.get_by_role("link", name="How it works").click()  # an entry without a step
    page.get_by_role("button", name="Sepia on cream").click()
    pictures.append(picture(page))
    assert len(set(pictures)) == 3
    undo.click()
    expect(page).not_to_have_url(re.compile("5a3319"))
    assert picture(page) == pictures[1]
    undo.click()
    wait_for_picture(page, "2018")
    assert picture(page) == pictures[0]
    expect(undo).to_be_disabled()
    redo.click()
    wait_for_picture(page, "201899")
    assert picture(page) == pictures[1]
    redo.click()
    expect(page).to_have_url(re.compile("5a3319"))
    assert picture(page) == pictures[2]
    expect(redo).to_be_disabled()
    page.go_back()
    expect(page).not_to_have_url(re.compile("5a3319"))
    assert picture(page) == pictures[1]
    page.reload()
    undo.click()
    wait_for_picture(page, "2018")
    page.locator("#digits").fill("7")  # a new way, so nothing is left to redo
    expect(redo).to_be_disabled()


COUNT_WRITES = """
    window.writes = 0;
    for (const name of ["pushState", "replaceState"]) {
      const write = history[name];
      history[name] = function (...values) {
        if (++window.writes > 100) throw new DOMException("", "SecurityError");
        return write.apply(this, values);
      };
    }
"""


MOVE_GAP = """async () => {
    const slider = document.querySelector("#gap");
    for (let step = 0; step < 300; step++) {
        slider.value = String((step % 40) - 12);
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        if (step % 10 === 0) await new Promise(requestAnimationFrame);
    }
}"""


def test_slider_writes_the_address_less_often_than_safari_allows(page: Page, address: str) -> None:
    page.add_init_script(COUNT_WRITES)
    open_picture(page, f"{address}/?digits=2018&seed=14")
    page.evaluate(MOVE_GAP)
    expect(page).to_have_url(re.compile("gap=7"))
    elapsed = page.evaluate("performance.now()")
    assert page.evaluate("window.writes") <= 3 + elapsed / 200
    page.get_by_role("button", name="Undo").click()
    expect(page).not_to_have_url(re.compile("gap="))


def test_link_reproduces_the_picture(open_page: OpenPage, address: str) -> None:
    with open_page(address) as page:
        open_picture(page, address)
        page.locator("#digits").fill("31415")
        set_slider(page, "variation", "0.55")
        set_slider(page, "gap", "-2")
        set_slider(page, "rows", "2")
        page.get_by_role("button", name="Sepia on cream").click()
        wait_for_picture(page, "31415")
        link, expected = page.url, picture(page)
    with open_page(address) as page:
        open_picture(page, link)
        assert picture(page) == expected
        assert page.url == link
        page.reload()
        assert picture(page) == expected


def test_invalid_parameters_of_a_link_are_ignored_and_named(page: Page, address: str) -> None:
    open_picture(page, f"{address}/?digits=12&seed=3&gap=99&colour=red")
    hint = "Ignored invalid parameters of this link: gap, colour."
    expect(page.locator("#hint")).to_have_text(hint)
    assert link_parameters(page)["digits"] == "12"


@pytest.mark.parametrize(
    ("name", "value"),
    [("variation", "0"), ("temperature", "0.2"), ("rows", "3"), ("gap", "12")],
)
def test_slider_changes_picture_and_link(page: Page, address: str, name: str, value: str) -> None:
    open_picture(page, address)
    before = picture(page)
    set_slider(page, name, value)
    assert picture(page) != before
    assert link_parameters(page)[name] == value


def test_colours_spacing_and_view_change_the_picture(page: Page, address: str) -> None:
    open_picture(page, address)
    pictures = [picture(page)]
    page.locator("#ink").fill("#ff0000")
    pictures.append(picture(page))
    page.get_by_text("Fixed width").click()
    pictures.append(picture(page))
    page.get_by_text("Pixels", exact=True).click()
    pictures.append(picture(page))
    page.locator("#paper").fill("#00ff00")  # a colour that is easy to see
    pictures.append(picture(page))
    assert len(set(pictures)) == 5
    parameters = link_parameters(page)
    assert (parameters["ink"], parameters["paper"]) == ("ff0000", "00ff00")
    assert "spacing" not in parameters


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_transparent_picture_and_its_swatch_can_be_read(
    open_page: OpenPage, address: str, scheme: str
) -> None:
    with open_page(address, color_scheme=scheme) as page:
        open_picture(page, f"{address}/?digits=2018&seed=1&paper=transparent&ink=24407a")
        frame = page.locator(".paper")
        swatch = page.get_by_role("button", name="Blue-black on transparent")
        for element in (frame, swatch):
            image = element.evaluate("element => getComputedStyle(element).backgroundImage")
            assert "rgb(255, 255, 255)" in image
        page.locator("#ink").fill("#ebe6da")
        wait_for_picture(page)
        image = frame.evaluate("frame => getComputedStyle(frame).backgroundImage")
        assert "rgb(28, 31, 38)" in image  # a pale ink needs a dark background


def test_sliders_show_their_defaults(page: Page, address: str) -> None:
    open_picture(page, address)
    for name, value in (("variation", "0.3"), ("temperature", "0.8"), ("rows", "1"), ("gap", "3")):
        expect(page.locator(f"#{name}-value")).to_have_text(f"{value} (default)")
    set_slider(page, "variation", "0.55")
    expect(page.locator("#variation-value")).to_have_text("0.55 (default 0.3)")


def test_history_restores_pictures_until_it_is_cleared(page: Page, address: str) -> None:
    open_picture(page, f"{address}/?digits=11&seed=1")
    first = picture(page)
    entry = page.get_by_role("button", name="Draw 11 with seed 1 again")
    expect(entry).to_be_visible()
    page.locator("#digits").fill("222")
    expect(page.get_by_role("button", name="Draw 222 with seed 1 again")).to_be_visible()
    page.reload()
    wait_for_picture(page, "222")
    entry.click()
    wait_for_picture(page, "11")
    assert picture(page) == first
    place = page.locator("#gap").bounding_box()
    page.get_by_role("button", name="Clear history").click()
    expect(page.locator("#history li")).to_have_count(0)
    expect(page.locator("#clear-history")).to_be_hidden()
    assert page.locator("#gap").bounding_box() == place  # nothing jumps


COUNT_DRAWINGS = """
    window.drawings = 0;
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (message, transfer) {
      if (message.task === "draw" && message.count === 4) window.drawings++; // not of other parts
      post.call(this, message, transfer);
    };
"""


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_transition_is_animated_unless_motion_is_reduced(
    open_page: OpenPage, address: str, motion: str
) -> None:
    with open_page(address, reduced_motion=motion) as page:
        page.add_init_script(COUNT_DRAWINGS)
        open_picture(page, f"{address}/?digits=2018&seed=7")
        page.evaluate("window.drawings = 0")
        page.locator("#digits").fill("2019")
        wait_for_picture(page, "2019")
        drawings = page.evaluate("window.drawings")
        assert drawings == 1 if motion == "reduce" else drawings > 3
