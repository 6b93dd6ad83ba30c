"""The page in a folder of a host that only sends files."""

import re
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Request, expect

from app.site.__main__ import main
from harness.launcher import Command, is_listening, running
from tests.browser.conftest import OpenPage
from tests.browser.picture import (
    MAX_INK_DIFFERENCE,
    differences,
    disconnect,
    downloaded,
    fetched,
    link_parameters,
    open_picture,
    picture,
    wait_for_picture,
)
from tests.browser.test_handwriting import SEVEN, drag
from tests.browser.test_photo import choose, jpeg, ruled, sheet

WAIT_FOR_WORKER = """async () => {
    while (!navigator.serviceWorker.controller) await new Promise(requestAnimationFrame);
}"""
UPDATE_WORKER = "async () => (await navigator.serviceWorker.ready).update()"
READ_STYLE = """async (token) => {
    const { decodeStyle } = await import("./page/style.js");
    const card = await (await fetch(document.querySelector("link#card").href)).json();
    const { latent: latentSize } = card.architecture;
    return Array.from(decodeStyle(token, { hash: card.model, latentSize }));
}"""
READ_KEPT_STYLE = """async () => {
    const cache = await caches.open("cvae-digits-2");
    return (await cache.match("page/page.css")).text();
}"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the page on a plain file server."""
    root: Path = tmp_path_factory.mktemp("host")
    assert main([str(root / "some" / "folder")]) == 0
    server = (sys.executable, "-m", "http.server", "{port}", "--bind", "127.0.0.1")
    with running(command=Command(server, is_listening, root)) as service:
        yield f"{service.address}/some/folder/"


def test_static_page_draws_what_the_service_draws(
    open_page: OpenPage, host: str, address: str
) -> None:
    query = "digits=2018&seed=14&spacing=tight&scale=3&ink=1a237e&paper=fff8e1&render=ink"
    with open_page(host) as page:
        open_picture(page, f"{host}?{query}")
        expect(page.locator("#draw-time")).to_contain_text("in your browser")
        served = fetched(f"{address}/generate?{query}")
        assert differences(downloaded(page, "PNG"), served).max() <= MAX_INK_DIFFERENCE
        page.get_by_role("slider", name="Explore").press("ArrowLeft")
        expect(page).to_have_url(re.compile("style="))
        wait_for_picture(page)


def test_static_page_disables_what_needs_the_service(open_page: OpenPage, host: str) -> None:
    with open_page(host) as page:
        open_picture(page, host)
        expect(page.get_by_role("button", name="SVG")).to_be_disabled()
        expect(page.locator("#unavailable")).to_contain_text("SVG needs the service.")
        expect(page.get_by_role("switch", name="Draw in the browser")).to_be_disabled()
        expect(page.locator("[data-copy=page]")).to_be_visible()
        expect(page.locator("[data-copy=curl]")).to_be_hidden()
        expect(page.get_by_role("link", name="API")).to_be_hidden()
        expect(page.locator("#quality")).to_be_visible()


def test_static_page_reads_a_digit_as_the_service_does(
    open_page: OpenPage, host: str, address: str
) -> None:
    found = []
    for place in (host, f"{address}/"):
        with open_page(place) as page:
            open_picture(page, f"{place}?digits=2018&seed=14")
            drag(page, "#digit-pad", *SEVEN)
            expect(page.locator("#own-digit-status")).to_contain_text("Recognised as 7. Confidence")
            found.append(np.array(page.evaluate(READ_STYLE, link_parameters(page)["style"])))
            expect(page.get_by_role("img", name="The 7, cut out")).to_be_visible()
    assert np.corrcoef(np.stack(found))[0, 1] > 0.9  # the page's weights are rounded


def test_static_page_reads_a_photo_of_ruled_paper_and_sends_nothing(
    open_page: OpenPage, host: str
) -> None:
    requests: list[Request] = []
    with open_page(host) as page:
        page.on("request", lambda request: requests.append(request))  # noqa: PLW0108 - a builtin
        open_picture(page, host)
        assert not [request for request in requests if "reader" in request.url]
        choose(page, jpeg(ruled(sheet([7], 1200, 1600, 500))))
        status = page.locator("#own-digit-status")
        expect(status).to_contain_text("Recognised as 7. Confidence")
        expect(page.get_by_role("img", name="The 7, drawn by the decoder").first).to_be_visible()
        assert link_parameters(page)["style"]
        page.get_by_label("Digit", exact=True).select_option("1")
        expect(status).to_contain_text("Used as 1.")
    assert [request for request in requests if "reader-" in request.url]
    assert {request.method for request in requests} == {"GET"}


def test_static_page_refuses_two_digits_and_reads_one_of_them_or_the_line(
    open_page: OpenPage, host: str
) -> None:
    with open_page(host) as page:
        open_picture(page, host)
        choose(page, jpeg(sheet([7, 2], 900, 500, 300)))
        status = page.locator("#own-digit-status")
        expect(status).to_contain_text("The picture shows 2 digits, read as 7 and 2; frame one")
        expect(status).to_have_class("error")
        page.get_by_label("It shows").select_option("line")
        expect(status).to_contain_text("Recognised as 72.")
        expect(page.locator("#seen li")).to_have_count(2)


def test_static_page_refuses_a_photo_of_nothing(open_page: OpenPage, host: str) -> None:
    with open_page(host) as page:
        open_picture(page, host)
        choose(page, jpeg(Image.new("RGB", (300, 300), "white")))
        expect(page.locator("#own-digit-status")).to_contain_text("The picture holds no ink")


def test_static_page_works_offline(open_page: OpenPage, host: str) -> None:
    with open_page(host) as page:
        open_picture(page, f"{host}?digits=2018&seed=14")
        before = picture(page)
        disconnect(page)
        page.reload()
        assert picture(page) == before


class LongCache(SimpleHTTPRequestHandler):
    """A host that lets browsers keep every file for an hour."""

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "max-age=3600")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_new_version_is_kept_whole_whatever_the_http_cache_holds(
    open_page: OpenPage, tmp_path: Path
) -> None:
    assert main([str(tmp_path)]) == 0
    handler = partial(LongCache, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        host = f"http://127.0.0.1:{server.server_port}"
        with open_page(host) as page:
            open_picture(page, f"{host}/?digits=2018&seed=14")
            page.evaluate(WAIT_FOR_WORKER)
            page.reload()
            wait_for_picture(page)
            style, worker = tmp_path / "page" / "page.css", tmp_path / "service-worker.js"
            style.write_text(f"{style.read_text()}/* the new version */")
            text = worker.read_text()
            worker.write_text(
                re.sub(r'VERSION = "cvae-digits-\w+"', 'VERSION = "cvae-digits-2"', text)
            )
            page.evaluate(UPDATE_WORKER)
            expect(page.locator("#hint")).to_contain_text("A new version is available.")
            assert "the new version" in page.evaluate(READ_KEPT_STYLE)
        server.shutdown()
