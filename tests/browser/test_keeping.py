"""Files and lines to copy: what leaves the page is what the API gives."""

import io
import shlex
import subprocess
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, Serve
from tests.browser.sheet import opened, slide, stands

ORDER = "digits=2018&seed=14&spacing=tight&gap=2&scale=3&ink=1a237e&paper=fff8e1"


def downloaded(page: Page, name: str) -> bytes:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name, exact=True).click()
    return Path(waiting.value.path()).read_bytes()


@pytest.mark.parametrize("name", ["PNG", "SVG", "WebP"])
def test_download_is_the_file_of_the_api(page: Page, address: str, name: str) -> None:
    opened(page, f"{address}/?{ORDER}")
    with urlopen(f"{address}/generate?{ORDER}&format={name.lower()}") as answer:
        assert downloaded(page, name) == answer.read()


@pytest.mark.parametrize("name", ["PNG", "WebP"])
def test_download_without_a_connection_has_the_same_pixels(
    open_page: OpenPage, address: str, name: str
) -> None:
    with open_page(address, expected="ERR_INTERNET_DISCONNECTED") as page:
        opened(page, f"{address}/?{ORDER}")
        page.context.set_offline(True)
        own = Image.open(io.BytesIO(downloaded(page, name))).convert("RGB")
        expect(page.locator("#files-help")).to_contain_text("Made by the browser")
        with urlopen(f"{address}/generate?{ORDER}") as answer:
            served = Image.open(io.BytesIO(answer.read())).convert("RGB")
        assert own.size == served.size
        assert abs(np.asarray(own).astype(int) - np.asarray(served)).max() <= 3


def test_refusal_of_the_api_is_said_in_words(open_page: OpenPage, address: str) -> None:
    with open_page(address, expected="422") as page:
        opened(page, address)
        page.locator("#digits").fill("8" * 64)
        slide(page, "rows", "16")
        slide(page, "scale", "16")
        expect(page.locator("#size")).to_contain_text("too many, choose a lower size")
        page.get_by_role("button", name="PNG").click()
        expect(page.get_by_role("alert")).to_contain_text("The service says: scale makes a picture")
        slide(page, "scale", "1")
        expect(page.get_by_role("alert")).to_be_hidden()


def test_copied_lines_work(page: Page, address: str, tmp_path: Path) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened(page, f"{address}/?{ORDER}")
    copied: dict[str, str] = {}
    for name in ("This page", "Picture", "Shell", "HTML"):
        page.get_by_role("button", name=f"Copy: {name}").click()
        copied[name] = page.evaluate("navigator.clipboard.readText()")
    assert copied["This page"] == page.url
    with urlopen(copied["Picture"]) as answer:
        picture = answer.read()
    assert picture.startswith(b"\x89PNG")
    subprocess.run([*shlex.split(copied["Shell"]), "--silent"], cwd=tmp_path, check=True)
    assert (tmp_path / "2018.png").read_bytes() == picture
    page.evaluate("html => document.body.insertAdjacentHTML('beforeend', html)", copied["HTML"])
    image = page.get_by_role("img", name="2018").last
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100


def test_key_is_asked_for_where_the_service_wants_one(open_page: OpenPage, serve: Serve) -> None:
    key = "a-key-of-many-letters"
    with serve(CVAE_API_KEYS=key) as locked, open_page(locked, expected="401") as page:
        opened(page, f"{locked}/?{ORDER}")
        page.get_by_role("button", name="PNG").click()
        expect(page.get_by_role("alert")).to_have_text("The service asks for an API key.")
        page.locator("#digits").fill("20")  # the browser draws on without one
        stands(page, "20")
        for typed in ("another-key-of-many", key):
            page.get_by_label("API key of this service").fill(typed)
            page.get_by_role("button", name="Use this key").click()
            if typed != key:
                page.get_by_role("button", name="PNG").click()
                expect(page.get_by_role("alert")).to_contain_text("does not know this API key")
        assert downloaded(page, "PNG").startswith(b"\x89PNG")
        assert key not in page.url
        assert key not in page.evaluate("JSON.stringify(localStorage)")


def test_picture_of_the_page_keeps_its_answer_for_ever(address: str) -> None:
    with urlopen(Request(f"{address}/generate?{ORDER}")) as answer:
        assert "immutable" in answer.headers["Cache-Control"]
