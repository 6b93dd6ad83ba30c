"""The page in WebKit and in Firefox, where they are installed.

In Debian they are in `webkit2gtk-driver`, `xvfb` and `firefox-esr`.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.picture import MAX_INK_DIFFERENCE, differences, fetched
from tests.browser.webdriver import DriverError, Tab, firefox, missing_for, webkit
from tests.conftest import ROOT

START: dict[str, Callable[..., AbstractContextManager[Tab]]] = {
    "webkit": webkit,
    "firefox": firefox,
}
QUERY = "digits=2018&seed=14&scale=4&ink=24407a&paper=fffdf8&render=ink"
READY = "document.querySelector('#picture').dataset.state === 'ready'"
PICTURE = "return document.querySelector('#picture').toDataURL()"
MAX_CHANGES = 100  # of the address in 10 s, in Safari and WebKit
CHANGE_ADDRESS = f"""
for (let n = 0; n <= {MAX_CHANGES}; n++) history.replaceState(history.state, "", location.href);
"""
# More changes than the address may have, in as many frames as a pull of a slider takes.
MOVE_SLIDER = """
const slider = document.querySelector("#variation");
for (let step = 0; step < 120; step++) {
    slider.value = String((step % 20) / 20);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    if (step % 10 === 0) await new Promise(requestAnimationFrame);
}
"""
KEPT = """
try { return Boolean(localStorage); } catch (error) { return false; }
"""


def start(name: str, folder: Path, storage: bool = True) -> AbstractContextManager[Tab]:
    """A browser, or a test that is skipped."""
    missing = missing_for(name)
    if missing is not None:
        pytest.skip(f"{missing} is not installed")
    return START[name](folder, storage)


@pytest.fixture(scope="module", params=START)
def tab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with start(request.param, tmp_path_factory.mktemp(request.param)) as tab:
        yield tab


def open_picture(tab: Tab, address: str) -> None:
    """Open the page and wait until its picture is complete."""
    tab.open(address)
    tab.wait(READY)


def shown(tab: Tab) -> dict[str, Any]:
    """The parameters in the address bar."""
    search = urlsplit(tab.run("return location.href")).query
    return {name: values[0] for name, values in parse_qs(search).items()}


def test_picture_is_that_of_the_service_and_another_hand_changes_it(tab: Tab, address: str) -> None:
    open_picture(tab, f"{address}/?{QUERY}")
    first = tab.run(PICTURE)
    width = tab.run("return document.querySelector('#picture').width")
    scale = width // (28 * 4)
    file = fetched(f"{address}/generate?{QUERY}".replace("scale=4", f"scale={scale}"))
    assert differences(first, file).max() <= MAX_INK_DIFFERENCE
    tab.click("#new-seed")
    tab.wait(f"{READY} && !location.search.includes('seed=14&')")
    assert differences(first, tab.run(PICTURE)).mean() > 1


def test_typing_and_sliders_never_use_up_the_changes_of_the_address(tab: Tab, address: str) -> None:
    open_picture(tab, f"{address}/?{QUERY}")
    tab.run("document.querySelector('#digits').select()")
    tab.type("#digits", "314159")
    tab.run(MOVE_SLIDER)
    tab.wait(f"{READY} && location.search.includes('variation=0.95')")
    assert shown(tab)["digits"] == "314159"
    tab.run("history.replaceState(history.state, '', location.href)")
    if "Firefox" not in tab.run("return navigator.userAgent"):
        with pytest.raises(DriverError, match="SecurityError"):
            tab.run(CHANGE_ADDRESS)


def test_downloaded_picture_is_the_file_of_the_api(tab: Tab, address: str) -> None:
    open_picture(tab, f"{address}/?{QUERY}")
    tab.click("[data-format=png]")
    assert tab.downloaded(".png") == fetched(f"{address}/generate?{QUERY}&format=png")


def test_digit_of_a_photo_is_read(tab: Tab, address: str) -> None:
    open_picture(tab, f"{address}/?{QUERY}")
    tab.type("#photo", str(ROOT / "docs" / "seven.png"))
    status = "document.querySelector('#own-digit-status').textContent"
    tab.wait(f"{status}.startsWith('Recognised as 7.')")
    tab.wait(f"{READY} && location.search.includes('style=')")


@pytest.mark.parametrize("name", START)
def test_page_works_where_nothing_can_be_stored(name: str, address: str, tmp_path: Path) -> None:
    with start(name, tmp_path, storage=False) as tab:
        open_picture(tab, f"{address}/?{QUERY}")
        assert not tab.run(KEPT)
        tab.run("document.querySelector('#digits').select()")
        tab.type("#digits", "77")
        tab.wait(f"{READY} && location.search.includes('digits=77&')")
        tab.wait("document.querySelector('#history button')?.title === '77'")
