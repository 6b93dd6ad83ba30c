"""Pictures and documentation as a browser shows them."""

from playwright.sync_api import Page, expect


def test_picture_shows_in_a_page(page: Page, address: str) -> None:
    page.set_content(f'<img src="{address}/generate?digits=2018" alt="2018">')
    page.wait_for_function("document.images[0].complete")
    size = page.evaluate("[document.images[0].naturalWidth, document.images[0].naturalHeight]")
    assert size == [112, 28]


def test_docs_draw_a_number(page: Page, address: str) -> None:
    page.goto(f"{address}/docs")
    page.get_by_text("Write a number by hand").click()
    operation = page.locator("#operations-drawing-generate")
    operation.get_by_placeholder("digits").fill("2018")
    operation.get_by_role("button", name="Execute").click()
    picture = operation.locator(".response img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 112  # drawn by the examples
