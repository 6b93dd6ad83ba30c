"""Downloads and copied lines give what the API gives."""

import shlex
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from harness.launcher import running
from tests.browser.conftest import OpenPage
from tests.browser.picture import downloaded, fetched, open_picture, set_slider, wait_for_picture

QUERY = "digits=2018&seed=14&spacing=tight&gap=2&scale=3&ink=1a237e&paper=fff8e1"


@pytest.mark.parametrize("name", ["PNG", "SVG", "WebP"])
def test_download_is_the_file_of_the_api(page: Page, address: str, name: str) -> None:
    open_picture(page, f"{address}/?{QUERY}")
    expected = fetched(f"{address}/generate?{QUERY}&format={name.lower()}")
    assert downloaded(page, name) == expected


def test_refusal_by_the_service_is_shown(open_page: OpenPage, address: str) -> None:
    with open_page(address, expected="422") as page:
        open_picture(page, f"{address}/?digits={'8' * 64}&rows=2&scale=16")
        expect(page.locator("#size")).to_contain_text("too many, choose a smaller size")
        page.get_by_role("button", name="PNG").click()
        error = page.get_by_role("alert")
        expect(error).to_contain_text("The service refused the request: scale ")
        set_slider(page, "scale", "1")
        expect(error).to_be_hidden()


def test_copied_lines_give_the_picture(page: Page, address: str, tmp_path: Path) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_picture(page, f"{address}/?{QUERY}")
    copied: dict[str, str] = {}
    for name in ("Page link", "Image URL", "curl", "HTML"):
        page.get_by_role("button", name=f"Copy: {name}").click()
        copied[name] = page.evaluate("navigator.clipboard.readText()")
    assert copied["Page link"] == page.url
    picture = fetched(copied["Image URL"])
    assert picture.startswith(b"\x89PNG")
    subprocess.run([*shlex.split(copied["curl"]), "--silent"], cwd=tmp_path, check=True)
    assert (tmp_path / "2018.png").read_bytes() == picture
    page.evaluate("html => document.body.insertAdjacentHTML('beforeend', html)", copied["HTML"])
    image = page.get_by_role("img", name="2018").last
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100


def test_api_key_is_requested_and_not_stored_permanently(open_page: OpenPage) -> None:
    key = "a-key-of-many-letters"
    with (
        running(CVAE_API_KEYS=key) as service,
        open_page(service.address, expected="401") as page,
    ):
        open_picture(page, f"{service.address}/?{QUERY}")
        error = page.get_by_role("alert")
        page.get_by_role("button", name="PNG").click()
        expect(error).to_have_text("The service requires an API key.")
        page.locator("#digits").fill("20")  # the browser needs no key to draw
        wait_for_picture(page, "20")
        for typed in ("another-key-of-many", key):
            page.get_by_label("API key for this service").fill(typed)
            page.get_by_role("button", name="Use this key").click()
            if typed != key:
                page.get_by_role("button", name="PNG").click()
                expect(error).to_have_text("The service does not accept this API key.")
        assert downloaded(page, "PNG").startswith(b"\x89PNG")
        assert key not in page.url
        assert key not in page.evaluate("JSON.stringify(localStorage)")
