"""The page at its first visit: while it loads, without storage, below a path of a proxy."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.browser.picture import downloaded, open_picture, set_slider, wait_for_picture
from tests.conftest import CHROMIUM_FLAGS, ROOT

PREFIX = "/tools/digits/"
PASSED_ON = ("accept", "content-type", "if-none-match")
COPIED = ("content-type", "content-security-policy", "etag", "cache-control", "x-style", "x-label")


@contextmanager
def proxy_below_a_prefix(address: str) -> Iterator[str]:
    """A reverse proxy that removes a prefix from the path; the address of the page there."""

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not self.path.startswith(PREFIX):
                return self.send_error(404)
            length = int(self.headers.get("content-length") or 0)
            headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
            url = f"{address}/{self.path.removeprefix(PREFIX)}"
            body = self.rfile.read(length) or None
            request = Request(url, body, headers, method=self.command)
            try:
                with urlopen(request) as answer:
                    status, found, content = answer.status, answer.headers, answer.read()
            except HTTPError as error:
                status, found, content = error.code, error.headers, error.read()
            self.send_response(status)
            for name in COPIED:
                if name in found:
                    self.send_header(name, found[name])
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_page_works_below_a_prefix_of_a_proxy(open_page: OpenPage, address: str) -> None:
    with proxy_below_a_prefix(address) as proxy, open_page(proxy) as page:
        open_picture(page, f"{proxy}{PREFIX}?digits=2018&seed=14")
        assert downloaded(page, "SVG").startswith(b"<svg")
        page.locator("#photo").set_input_files(ROOT / "docs" / "seven.png")
        expect(page.locator("#own-digit-status")).to_contain_text("Recognised as 7.")
        link = page.locator("[data-copy=image]").input_value()
        assert link.startswith(f"{proxy}{PREFIX}generate?digits=2018&seed=14")
        page.get_by_role("link", name="API").click()
        expect(page).to_have_url(f"{proxy}{PREFIX}docs")
        page.locator("#operations-drawing-generate").wait_for()
        page.get_by_role("link", name="The page").click()
        expect(page).to_have_url(re.compile(re.escape(f"{proxy}{PREFIX}?digits=2018")))
        wait_for_picture(page)


def test_hint_says_that_the_model_loads_until_the_first_picture(page: Page, address: str) -> None:
    held: list[Route] = []
    page.route("**/*.safetensors", lambda route: held.append(route))  # noqa: PLW0108
    page.goto(address)
    hint = page.get_by_text("Loading the model")
    expect(hint).to_be_visible()
    while not held:
        page.wait_for_timeout(50)
    for route in held:
        route.continue_()
    wait_for_picture(page)
    expect(hint).to_be_hidden()


def test_first_visit_shows_a_chosen_picture_and_a_link_without_a_seed_any(
    page: Page, address: str
) -> None:
    open_picture(page, address)
    expect(page.locator("#seed")).to_have_value("19")
    seeds = set()
    for _ in range(3):
        open_picture(page, f"{address}/?digits=2018")
        seeds.add(page.locator("#seed").input_value())
    assert len(seeds) == 3


def test_title_shows_the_number(page: Page, address: str) -> None:
    open_picture(page, f"{address}/?digits=31415&seed=1")
    expect(page).to_have_title("31415, handwritten")
    page.locator("#digits").fill("27")
    expect(page).to_have_title("27, handwritten")
    page.locator("#digits").fill("")
    expect(page).to_have_title("Type a number, get it handwritten")


def test_page_works_where_cookies_and_storage_are_blocked(
    browser: Browser, address: str, tmp_path: Path
) -> None:
    preferences = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (tmp_path / "Default").mkdir()
    (tmp_path / "Default" / "Preferences").write_text(json.dumps(preferences))
    chromium = browser.browser_type
    context = chromium.launch_persistent_context(
        tmp_path,
        executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"),
        args=CHROMIUM_FLAGS,
    )
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{address}/?digits=2018&seed=14")
    denied = "() => { try { return !localStorage; } catch (error) { return error.name; } }"
    assert page.evaluate(denied) == "SecurityError"
    wait_for_picture(page)
    set_slider(page, "gap", "9")
    wait_for_picture(page)
    expect(page.get_by_role("button", name="Draw 2018 with seed 14 again").first).to_be_visible()
    context.close()
    assert errors == []
