import os
import shutil

import pytest
from playwright.sync_api import sync_playwright

from benchmarks.page import FLAGS, kernel, visit
from tests.browser.conftest import Serve


def test_page_is_measured(serve: Serve) -> None:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not found:
        pytest.skip("no Chromium: `apt-get install chromium`")
    with serve() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        visited, measured = visit(browser, address), kernel(browser, address)
        browser.close()
    assert visited["first_number_ms"] > 0
    assert 500_000 < visited["bytes"] < 1_500_000
    assert measured["digit_ms"] > 0
    assert 0 <= measured["mean_difference_from_service_grey_levels"] < 0.01
    assert measured["largest_difference_from_service_grey_levels"] <= 3
