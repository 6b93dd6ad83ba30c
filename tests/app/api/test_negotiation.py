from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.api.negotiation import drawing_format, takes_gzip
from app.drawing.encoding import MEDIA_TYPES

CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "png"),
        ("", "png"),
        ("*/*", "png"),
        (CHROME, "png"),  # no browser gets another picture than curl does
        (FIREFOX, "png"),
        ("image/*", "png"),
        ("image/png;q=0.001, image/webp", "png"),
        ("image/webp", "webp"),
        ("IMAGE/WEBP", "webp"),
        (" image/webp ; q=0.5 , image/svg+xml ; q=0.6 ", "svg"),
        ("image/svg+xml;q=0.5, image/webp;q=0.5", "webp"),  # as they are listed here
        ("image/svg+xml;charset=utf-8", "svg"),
        ("application/json", "json"),
        ("application/octet-stream", "npy"),
        ("application/*", "npy"),
        ("image/png;q=0, */*", "webp"),
        ("image/*;q=0, */*", "npy"),
        ("image/*;q=0, image/svg+xml;q=0.1", "svg"),
        ("*/*;q=0, image/webp", "webp"),
        ("image/png;q=nan, image/webp", "webp"),
        ("image/png;q=2, image/webp", "webp"),
        ("image/png;q=-1, image/webp;q=1.000", "webp"),
        ("image/png;q=, image/webp", "webp"),
        ("image/png;q=0.0000, image/webp", "webp"),
        (",,image/webp,", "webp"),
        ("text/html", None),
        ("image/avif", None),
        ("*/*;q=0", None),
        ("image/png;q=0", None),
        ("image", None),
        ("png", None),
        ("*", None),
        ("image/pn", None),
        ("*/png", None),
    ],
)
def test_drawing_format_is_the_first_that_is_taken_else_the_best(
    accept: str | None, chosen: str | None
) -> None:
    for _ in range(2):  # found out and remembered
        assert drawing_format(accept) == chosen


@given(accept=st.text(max_size=60) | st.text("imagepn/*,;q=.015 ", max_size=60))
def test_drawing_format_of_any_header_is_one_of_ours_or_none(accept: str) -> None:
    assert drawing_format(accept) in {*MEDIA_TYPES, None}


@pytest.mark.parametrize(
    ("accept_encoding", "taken"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("GZip ; q=0.5", True),
        ("br, gzip", True),
        ("*", True),
        ("x-gzip", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000, *", False),
        ("*;q=0", False),
        ("gzipped", False),
        ("gzip;q=x", False),
    ],
)
def test_gzip_is_sent_only_to_those_who_take_it(accept_encoding: str | None, taken: bool) -> None:
    assert takes_gzip(accept_encoding) == taken


def test_header_that_is_given_twice_is_one_list(client: TestClient) -> None:
    def ask(path: str, *headers: tuple[str, str]) -> Any:
        return client.get(path, headers=list(headers))

    url = "/generate?digits=1&seed=1"
    both = ask(url, ("Accept", "text/html"), ("Accept", "image/webp"))
    assert both.headers["content-type"] == "image/webp"
    tag = ask(url).headers["etag"]
    known = ask(url, ("If-None-Match", '"other"'), ("If-None-Match", tag))
    assert known.status_code == 304
    packed = ask("/", ("Accept-Encoding", "br"), ("Accept-Encoding", "gzip"))
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in ask("/", ("Accept-Encoding", "gzip;q=0")).headers
