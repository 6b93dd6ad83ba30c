"""Phone, keyboard, screen reader, no connection, strict policy, small transfers."""

from collections.abc import Iterator
from contextlib import suppress
from urllib.request import Request, urlopen

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Response, expect

from tests.browser.conftest import OpenPage
from tests.browser.sheet import opened, picture, stands

MAX_TRANSFER = 1_500_000  # bytes of the whole page with its weights
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(360, 740), (1280, 900)], ids=["phone", "desktop"])
def test_axe_finds_nothing(
    open_page: OpenPage, address: str, scheme: str, size: tuple[int, int]
) -> None:
    viewport = {"width": size[0], "height": size[1]}
    with open_page(address, color_scheme=scheme, viewport=viewport) as page:
        opened(page, address)
        page.get_by_role("slider", name="Explore").press("ArrowRight")
        expect(page.locator("#past li")).not_to_have_count(0)
        page.locator("#flow").scroll_into_view_if_needed()
        expect(page.locator("#flow-said")).to_contain_text("pixels")
        stands(page)
        found = Axe().run(page)
        assert [violation["id"] for violation in found.response["violations"]] == []


def test_phone_never_scrolls_sideways(open_page: OpenPage, address: str) -> None:
    with open_page(address, **PHONE) as page:
        opened(page, f"{address}/?digits={'0123456789' * 6}&seed=1&rows=3")
        for selector in ("#digits", "#past", "#pad", "#flow", "#quality", "footer"):
            page.locator(selector).scroll_into_view_if_needed()
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert page.evaluate("document.body.scrollWidth") == 360


def test_phone_has_keys_for_digits_and_targets_for_fingers(
    open_page: OpenPage, address: str
) -> None:
    with open_page(address, **PHONE) as page:
        opened(page, address)
        field = page.locator("#digits")
        expect(field).to_have_attribute("inputmode", "numeric")
        size = field.evaluate("field => parseFloat(getComputedStyle(field).fontSize)")
        assert size >= 16  # below that a phone zooms into the field
        for press in page.get_by_role("button").all():
            box = press.bounding_box() if press.is_visible() else None
            assert box is None or min(box["width"], box["height"]) >= 40, press


def test_phone_keeps_the_picture_in_sight_while_choosing(open_page: OpenPage, address: str) -> None:
    with open_page(address, **PHONE) as page:
        opened(page, address)
        for selector in ("#variation", "#scale", "#ink", "#pad"):
            page.locator(selector).scroll_into_view_if_needed()
            expect(page.locator("#sheet")).to_be_in_viewport(ratio=0.9)


def test_keyboard_reaches_everything_in_order(page: Page, address: str) -> None:
    opened(page, address)
    reached = []
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.name"))
    order = ["digits", "roll", "seed", "lock", "variation", "temperature", "rows", "spacing"]
    places = [reached.index(name) for name in [*order, "gap", "scale", "ink", "paper", "local"]]
    assert places == sorted(places)


@pytest.fixture
def visited(open_page: OpenPage, address: str) -> Iterator[Page]:
    """A page that was visited once and whose connection is then gone."""
    with open_page(address, expected="ERR_INTERNET_DISCONNECTED") as page:
        opened(page, f"{address}/?digits=2018&seed=14")
        page.evaluate(
            """async () => {
                const { serviceWorker } = navigator;
                const taken = new Promise((done) => {
                    serviceWorker.addEventListener("controllerchange", done);
                });
                if (!serviceWorker.controller) await taken;
            }"""
        )
        page.context.set_offline(True)
        yield page


def test_page_opens_and_draws_without_a_connection(visited: Page, address: str) -> None:
    before = picture(visited)
    visited.reload()
    assert picture(visited) == before
    visited.locator("#digits").fill("1234567890")
    stands(visited, "1234567890")
    visited.goto(f"{address}/?digits=99&seed=3")
    stands(visited, "99")
    expect(visited.locator("#quality")).to_be_visible()


def test_without_a_connection_the_service_is_missed_in_words(visited: Page) -> None:
    visited.get_by_role("button", name="SVG").click()
    expect(visited.get_by_role("alert")).to_contain_text("The service cannot be reached")


def test_inline_script_and_other_hosts_are_barred(address: str) -> None:
    with urlopen(f"{address}/") as answer:
        policy, text = answer.headers["Content-Security-Policy"], answer.read().decode()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "<style" not in text
    assert " style=" not in text
    assert "<script>" not in text
    assert "//" not in text.replace("<!doctype", "")  # no address of anybody else


def test_whole_page_is_small(open_page: OpenPage, address: str) -> None:
    sizes: dict[str, int] = {}

    def weigh(response: Response) -> None:
        with suppress(Exception):  # a request of the service worker may outlive the page
            sizes[response.url] = response.request.sizes()["responseBodySize"]

    with open_page(address, service_workers="block") as page:
        page.on("response", weigh)
        opened(page, address)
        page.wait_for_load_state("networkidle")
    assert len(sizes) > 20
    assert 500_000 < sum(sizes.values()) < MAX_TRANSFER


def test_weights_are_sent_packed_and_for_ever(address: str, open_page: OpenPage) -> None:
    with open_page(address) as page:
        page.goto(address)
        weights = str(page.evaluate("document.querySelector('#weights').href"))
    request = Request(weights, headers={"Accept-Encoding": "gzip"})
    with urlopen(request) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert "immutable" in answer.headers["Cache-Control"]
