"""The section "How it works": actual values of the network, and its measured quality."""

import json

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.picture import data_url, differences, fetched, open_picture

MAX_DIFFERENCE = 3  # grey levels of 255, of one digit by the browser and the service


def test_another_digit_changes_the_pixels_but_not_the_noise(
    open_page: OpenPage, address: str
) -> None:
    card = json.loads(fetched(f"{address}/model"))
    with open_page(address, reduced_motion="reduce") as page:
        open_picture(page, f"{address}/?digits=2018&seed=14")
        page.locator("#network").scroll_into_view_if_needed()
        expect(page.get_by_role("radio", name="2")).to_be_checked()
        layers = page.locator("#network-layers canvas")
        expect(layers).to_have_count(len(card["architecture"]["hidden"]))
        page.wait_for_timeout(100)
        noise, pixels = data_url(page, "#network-noise"), data_url(page, "#network-pixels")
        page.get_by_role("radio", name="7").check()
        expect(page.get_by_role("img", name="A handwritten 7")).to_be_visible()
        page.wait_for_timeout(100)
        assert data_url(page, "#network-pixels") != pixels
        assert data_url(page, "#network-noise") == noise
        page.get_by_role("button", name="New noise").click()
        page.wait_for_timeout(100)
        assert data_url(page, "#network-noise") != noise
        page.locator("#digits").fill("4")
        expect(page.get_by_role("radio", name="4")).to_be_checked()


def test_pixels_are_those_of_the_service(open_page: OpenPage, address: str) -> None:
    with open_page(address, reduced_motion="reduce") as page:
        open_picture(page, f"{address}/?digits=7&seed=9")
        page.locator("#network").scroll_into_view_if_needed()
        expect(page.get_by_role("img", name="A handwritten 7")).to_be_visible()
        page.wait_for_timeout(100)
        served = fetched(f"{address}/generate?digits=7&seed=9")
        assert differences(data_url(page, "#network-pixels"), served).max() <= MAX_DIFFERENCE


def test_dragging_a_noise_bar_changes_the_pixels(page: Page, address: str) -> None:
    open_picture(page, address)
    bars = page.locator("#network-noise")
    bars.scroll_into_view_if_needed()
    expect(page.locator("#network-summary")).to_contain_text("pixels")
    page.wait_for_timeout(1200)
    before, box = data_url(page, "#network-pixels"), bars.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.02, box["y"] + 2)
    page.wait_for_timeout(200)
    assert data_url(page, "#network-pixels") != before


def test_quality_is_that_of_the_model_card(page: Page, address: str) -> None:
    card = json.loads(fetched(f"{address}/model"))
    open_picture(page, address)
    for name, title in (
        ("label_agreement", "Samples that a judge reads as the requested digit"),
        ("coverage", "Real digits with a sample among their nearest neighbours"),
        ("c2st", "Accuracy of a classifier that tells samples from real digits"),
        ("speck_share", "Samples with a lone speck of ink"),
        ("frame_share", "Samples whose ink is exactly 20 pixels high or wide"),
    ):
        row = page.get_by_role("row", name=title)
        for place, column in enumerate(("samples", "baseline", "real")):
            share = card["metrics"]["evaluation"][column][name]
            expect(row.locator("td").nth(place)).to_have_text(f"{100 * share:.1f} %")
    expect(page.locator("footer")).to_contain_text(card["model"])
