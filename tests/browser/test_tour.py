"""The guided tour: by keyboard, with what each step does, and without a violation for axe."""

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.picture import data_url, open_picture, picture


def test_tour_does_something_at_each_step_and_ends(open_page: OpenPage, address: str) -> None:
    with open_page(address, reduced_motion="reduce") as page:
        open_picture(page, f"{address}/?digits=2018&seed=14")
        before, start = picture(page), page.get_by_role("button", name="See how it thinks")
        start.focus()
        page.keyboard.press("Enter")
        title = page.locator("#tour-title")
        expect(title).to_have_text("1 of 7: A number becomes a picture")
        expect(page.get_by_role("button", name="Back")).to_be_disabled()
        assert picture(page) != before
        page.keyboard.press("Enter")  # on Next, which has the focus
        expect(title).to_contain_text("2 of 7")
        expect(page.locator("#network-noise")).to_have_class("toured")
        expect(page.locator("#network-noise")).to_be_in_viewport()
        page.keyboard.press("Enter")
        expect(page.get_by_role("radio", name="3", exact=True)).to_be_checked()
        page.keyboard.press("Enter")
        page.keyboard.press("Enter")
        expect(title).to_contain_text("5 of 7")
        expect(page.locator("#encode")).to_have_attribute("data-state", "ready")
        page.keyboard.press("Enter")
        expect(page.locator("#latent-text")).to_contain_text("slant 1.6")
        assert Axe().run(page).response["violations"] == []
        page.keyboard.press("Enter")
        expect(page.locator("#hand")).to_be_in_viewport()
        page.keyboard.press("Enter")  # now Finish
        expect(page.locator("#tour")).to_be_hidden()
        expect(start).to_be_focused()
        assert page.locator(".toured").count() == 0


def test_tour_draws_a_sample_and_can_be_left(open_page: OpenPage, address: str) -> None:
    with open_page(address, reduced_motion="reduce") as page:
        open_picture(page, f"{address}/?digits=7&seed=14")
        page.locator("#encode").scroll_into_view_if_needed()
        expect(page.locator("#encode")).to_have_attribute("data-state", "ready")
        mean = data_url(page, "#encode-redrawn")
        page.get_by_role("button", name="See how it thinks").click()
        for _ in range(4):
            page.get_by_role("button", name="Next").click()
        expect(page.locator("#tour-code")).to_contain_text("epsilon * torch.exp")
        expect(page.locator("#encode .reading")).to_have_class(re.compile("toured"))
        assert data_url(page, "#encode-redrawn") != mean
        page.keyboard.press("Escape")
        expect(page.locator("#tour")).to_be_hidden()
