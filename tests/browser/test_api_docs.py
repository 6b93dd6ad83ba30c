"""The API documentation in a browser."""

from playwright.sync_api import Page, expect


def test_docs_draw_a_number(page: Page, address: str) -> None:
    page.goto(f"{address}/docs")
    page.locator("#operations-drawing-generate .opblock-summary-control").click()
    operation = page.locator("#operations-drawing-generate")
    operation.get_by_placeholder("digits").fill("2018")
    operation.get_by_role("button", name="Execute").click()
    picture = operation.locator(".response img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 112  # the examples set a scale
