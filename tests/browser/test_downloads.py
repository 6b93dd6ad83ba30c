"""Downloads and copied lines give what the API gives."""

import io
import re
import shlex
import subprocess
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from harness.launcher import running
from tests.browser.conftest import OpenPage
from tests.browser.picture import (
    choose_size,
    differences,
    downloaded,
    fetched,
    open_picture,
    wait_for_picture,
)
from tests.conftest import ROOT

QUERY = "digits=2018&seed=14&spacing=tight&gap=2&scale=3&ink=1a237e&paper=fff8e1&render=ink&pen=0.8"
LARGEST_SCALE = """async (search) => {
    const { largestScale } = await import("./page/picture-size.js");
    const { DEFAULTS, readQuery } = await import("./page/query.js");
    return largestScale(readQuery(search, DEFAULTS).query);
}"""
READ_CLIPBOARD = """async () => {
    const [item] = await navigator.clipboard.read();
    const reader = new FileReader();
    reader.readAsDataURL(await item.getType("image/png"));
    await new Promise((done) => (reader.onload = done));
    return reader.result;
}"""
SHARE = """
    navigator.canShare = ({ files }) => files.length > 0;
    navigator.share = async ({ files: [file], title, url }) => {
        window.shared = { name: file.name, type: file.type, title, url };
    };
"""


def status_of(address: str) -> int:
    """The status of an answer."""
    try:
        with urlopen(address) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


@pytest.mark.parametrize("name", ["PNG", "SVG", "WebP"])
def test_download_is_the_file_of_the_api(page: Page, address: str, name: str) -> None:
    open_picture(page, f"{address}/?{QUERY}")
    expected = fetched(f"{address}/generate?{QUERY}&format={name.lower()}")
    assert downloaded(page, name) == expected


def test_size_changes_the_download_and_too_large_ones_cannot_be_chosen(
    page: Page, address: str
) -> None:
    open_picture(page, f"{address}/?digits={'8' * 64}&rows=2&scale=16")
    size, save = page.get_by_label("Size", exact=True), page.get_by_role("button", name="PNG")
    expect(size.locator("option:checked")).to_have_text(re.compile("^28672 . 896, too large$"))
    expect(page.locator("#size")).to_contain_text("at most 16.7 million pixels")
    for name in ("PNG", "SVG", "WebP", "Copy picture"):
        expect(page.get_by_role("button", name=name)).to_be_disabled()
    expect(size.locator("option:not([disabled])")).to_have_count(9)
    choose_size(page, 9)
    expect(save).to_be_enabled()
    image = Image.open(io.BytesIO(downloaded(page, "PNG")))
    assert image.size == (16128, 504)
    page.locator("#digits").fill("8")
    expect(page.locator("#size")).to_be_empty()
    expect(size.locator("option:checked")).to_have_text(re.compile("^252 . 504$"))


@pytest.mark.parametrize("query", ["spacing=cell&gap=28", "spacing=tight&gap=-12", "rows=16"])
@pytest.mark.parametrize("count", [1, 17, 64])
def test_page_offers_exactly_the_sizes_that_the_service_accepts(
    page: Page, address: str, query: str, count: int
) -> None:
    page.goto(address)
    search = f"digits={'8' * count}&seed=1&{query}"
    largest = page.evaluate(LARGEST_SCALE, search)
    for scale in range(1, 17):
        accepted = status_of(f"{address}/generate?{search}&scale={scale}&format=svg") == 200
        assert accepted == (scale <= largest), scale


def test_picture_is_copied_as_the_downloaded_png(page: Page, address: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_picture(page, f"{address}/?{QUERY}")
    page.get_by_role("button", name="Copy picture").click()
    expect(page.locator("#save-status")).to_have_text("The picture was copied.")
    copied = page.evaluate(READ_CLIPBOARD)
    assert (differences(copied, downloaded(page, "PNG")) == 0).all()


def test_picture_is_shared_where_the_browser_can_share_files(page: Page, address: str) -> None:
    page.add_init_script(SHARE)  # Chromium for Linux has no sheet for sharing
    open_picture(page, f"{address}/?{QUERY}")
    page.get_by_role("button", name="Share").click()
    page.wait_for_function("() => window.shared")
    shared = page.evaluate("window.shared")
    assert (shared["name"], shared["type"]) == ("2018-14.png", "image/png")
    assert (shared["title"], shared["url"]) == ("2018, handwritten", page.url)


def test_button_to_share_is_hidden_where_the_browser_cannot_share(page: Page, address: str) -> None:
    open_picture(page, address)
    assert not page.evaluate("Boolean(navigator.canShare)")
    expect(page.locator("#share-picture")).to_be_hidden()


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


def test_api_key_is_requested_at_the_button_and_not_stored_permanently(
    open_page: OpenPage,
) -> None:
    key = "a-key-of-many-letters"
    with (
        running(CVAE_API_KEYS=key) as service,
        open_page(service.address, expected="401") as page,
    ):
        open_picture(page, f"{service.address}/?{QUERY}")
        box, message = page.locator("#api-key"), page.get_by_role("alert")
        expect(box).to_be_hidden()
        page.get_by_role("button", name="PNG").click()
        expect(message).to_have_text("The service requires an API key.")
        expect(page.locator("#save + #api-key")).to_be_visible()
        page.locator("#digits").fill("20")  # the browser needs no key to draw
        wait_for_picture(page, "20")
        field = page.get_by_label("API key for this service")
        field.fill("another-key-of-many")
        page.get_by_role("button", name="Use this key").click()
        expect(message).to_have_text("The service does not accept this API key.")
        field.fill(key)
        with page.expect_download() as download:
            field.press("Enter")
        assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
        expect(box).to_be_hidden()
        assert key not in page.url
        assert key not in page.evaluate("JSON.stringify(localStorage)")


def test_api_key_is_requested_below_the_digit_pad(open_page: OpenPage) -> None:
    with (
        running(CVAE_API_KEYS="a-key-of-many-letters") as service,
        open_page(service.address, expected="401") as page,
    ):
        open_picture(page, f"{service.address}/?{QUERY}")
        page.locator("#photo").set_input_files(ROOT / "docs" / "seven.png")
        expect(page.locator("#own-digit-status + #api-key")).to_be_visible()
        page.get_by_label("API key for this service").fill("a-key-of-many-letters")
        page.get_by_role("button", name="Use this key").click()
        expect(page.locator("#own-digit-status")).to_contain_text("Recognised as 7.")
