from collections.abc import Callable
from contextlib import AbstractContextManager

from playwright.sync_api import Browser

from benchmarks.page import decoding, typing, visit


def test_page_is_measured(
    browser: Browser, serve: Callable[..., AbstractContextManager[str]]
) -> None:
    with serve() as address:
        visited, measured = visit(browser, address), decoding(browser, address)
        assert typing(browser, address)["key_to_picture_ms"] > 0
    assert visited["first_number_ms"] > 0
    assert 500_000 < visited["first_view_bytes"] < 850_000 < visited["bytes"] < 1_500_000
    assert measured["digit_ms"] > 0
    assert 0 <= measured["mean_difference_from_service_grey_levels"] < 0.001
    assert measured["largest_difference_from_service_grey_levels"] <= 24
