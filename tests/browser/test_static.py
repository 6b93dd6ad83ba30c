"""The page on a host that only sends files, in a folder of it, without a service."""

import contextlib
import io
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.sheet import opened, picture, stands
from tests.browser.test_keeping import downloaded
from tests.conftest import ROOT


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the page in a folder of a plain file server."""
    root: Path = tmp_path_factory.mktemp("host")
    command = [sys.executable, "-m", "app.site.build", str(root / "some" / "where")]
    subprocess.run(command, cwd=ROOT, check=True)
    handler = partial(QuietHandler, directory=str(root))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/some/where/"
        finally:
            server.shutdown()
            thread.join()


def test_static_page_draws_what_the_service_draws(
    open_page: OpenPage, host: str, address: str
) -> None:
    order = "digits=2018&seed=14&spacing=tight&scale=3&ink=1a237e&paper=fff8e1"
    with open_page(host) as page:
        opened(page, f"{host}?{order}")
        expect(page.locator("#cost")).to_contain_text("in your browser")
        own = Image.open(io.BytesIO(downloaded(page, "PNG"))).convert("RGB")
        with urlopen(f"{address}/generate?{order}") as answer:
            served = Image.open(io.BytesIO(answer.read())).convert("RGB")
        assert own.size == served.size
        assert abs(np.asarray(own).astype(int) - np.asarray(served)).max() <= 3


def test_static_page_says_what_needs_the_service(open_page: OpenPage, host: str) -> None:
    with open_page(host) as page:
        opened(page, host)
        expect(page.get_by_role("button", name="SVG")).to_be_disabled()
        expect(page.locator("#files-help")).to_contain_text("SVG needs the service")
        expect(page.locator("#own-said")).to_contain_text("needs the service")
        expect(page.get_by_role("switch", name="Draw in the browser")).to_be_disabled()
        expect(page.locator("[data-copy=page]")).to_be_visible()
        expect(page.locator("[data-copy=curl]")).to_be_hidden()
        expect(page.get_by_role("link", name="API")).to_be_hidden()
        expect(page.locator("#quality")).to_be_visible()


def test_static_page_has_its_policy_and_keeps_it(open_page: OpenPage, host: str) -> None:
    with open_page(host) as page:
        opened(page, host)
        policy = page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
        assert policy is not None
        assert "default-src 'none'" in policy
        page.get_by_role("slider", name="Explore").press("ArrowLeft")
        expect(page).to_have_url(re.compile("style="))
        stands(page)


def test_static_page_works_without_a_connection(open_page: OpenPage, host: str) -> None:
    with open_page(host) as page:
        opened(page, f"{host}?digits=2018&seed=14")
        before = picture(page)
        page.evaluate("navigator.serviceWorker.ready")
        page.wait_for_load_state("networkidle")
        page.context.set_offline(True)
        with contextlib.suppress(Exception):
            page.goto("about:blank")
        opened(page, f"{host}?digits=2018&seed=14")
        assert picture(page) == before
