"""The part that shows how it works: real values, real measurements."""

import json
from urllib.request import urlopen

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.sheet import opened


def pixels(page: Page) -> str:
    return str(page.evaluate("document.querySelector('#flow-pixels').toDataURL()"))


def test_another_digit_keeps_the_noise_and_changes_the_pixels(
    open_page: OpenPage, address: str
) -> None:
    with open_page(address, reduced_motion="reduce") as page:
        opened(page, f"{address}/?digits=2018&seed=14")
        page.locator("#flow").scroll_into_view_if_needed()
        expect(page.get_by_role("radio", name="2")).to_be_checked()
        expect(page.locator("#flow-layers canvas")).to_have_count(layers(address))
        page.wait_for_timeout(100)
        noise = page.evaluate("document.querySelector('#flow-noise').toDataURL()")
        two = pixels(page)
        page.get_by_role("radio", name="7").check()
        expect(page.get_by_role("img", name="A handwritten 7")).to_be_visible()
        page.wait_for_timeout(100)
        assert pixels(page) != two
        assert page.evaluate("document.querySelector('#flow-noise').toDataURL()") == noise
        page.get_by_role("button", name="Other noise").click()
        page.wait_for_timeout(100)
        assert page.evaluate("document.querySelector('#flow-noise').toDataURL()") != noise
        page.locator("#digits").fill("4")
        expect(page.get_by_role("radio", name="4")).to_be_checked()


def layers(address: str) -> int:
    with urlopen(f"{address}/model") as answer:
        return len(json.load(answer)["architecture"]["hidden"])


def test_drawn_pixels_are_those_of_the_service(open_page: OpenPage, address: str) -> None:
    """With variation 1 and one digit, what flows is exactly the picture of the API."""
    with open_page(address, reduced_motion="reduce") as page:
        opened(page, f"{address}/?digits=7&seed=9")
        page.locator("#flow").scroll_into_view_if_needed()
        expect(page.get_by_role("img", name="A handwritten 7")).to_be_visible()
        page.wait_for_timeout(100)
        difference = page.evaluate(
            """async () => {
                const image = new Image();
                image.src = "generate?digits=7&seed=9";
                await image.decode();
                const canvas = new OffscreenCanvas(28, 28);
                const pen = canvas.getContext("2d");
                pen.drawImage(image, 0, 0);
                const drawn = document.querySelector("#flow-pixels").getContext("2d");
                const [served, shown] = [pen, drawn].map((p) => p.getImageData(0, 0, 28, 28).data);
                return Math.max(...served.map((value, at) => Math.abs(value - shown[at])));
            }"""
        )
        assert difference <= 3


def test_dragging_a_bar_of_the_noise_changes_the_pixels(open_page: OpenPage, address: str) -> None:
    with open_page(address) as page:
        opened(page, address)
        bars = page.locator("#flow-noise")
        bars.scroll_into_view_if_needed()
        expect(page.locator("#flow-said")).to_contain_text("pixels")
        page.wait_for_timeout(1200)
        before, box = pixels(page), bars.bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] * 0.02, box["y"] + 2)
        page.wait_for_timeout(200)
        assert pixels(page) != before


def test_measurements_are_those_of_the_card(page: Page, address: str) -> None:
    with urlopen(f"{address}/model") as answer:
        card = json.load(answer)
    measured = card["metrics"]["evaluation"]
    opened(page, address)
    row = page.get_by_role("row", name="A judge reads the digit")
    for place, column in enumerate(("samples", "baseline", "real")):
        expected = f"{100 * measured[column]['label_agreement']:.1f} %"
        expect(row.locator("td").nth(place)).to_have_text(expected)
    expect(page.locator("footer")).to_contain_text(card["model"])


def test_formulas_are_typeset(page: Page, address: str) -> None:
    opened(page, address)
    fraction = page.locator("math mfrac").first
    heights = fraction.evaluate("f => [...f.children].map(c => c.getBoundingClientRect().top)")
    assert heights[0] < heights[1]  # one over the other: MathML is understood
