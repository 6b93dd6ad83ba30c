import pytest
from fastapi import Request

from app.api.caching import IMMUTABLE, caching_headers, chosen_seed, not_modified
from model.noise import MAX_SEED


def request(*if_none_match: str) -> Request:
    headers = [(b"if-none-match", value.encode()) for value in if_none_match]
    return Request({"type": "http", "method": "GET", "headers": headers})


@pytest.mark.parametrize("seed", [0, 7, MAX_SEED])
def test_chosen_seed_asked_for_is_kept(seed: int) -> None:
    assert chosen_seed(seed) == seed


def test_chosen_seed_left_out_is_another_each_time() -> None:
    seeds = {chosen_seed(None) for _ in range(20)}
    assert len(seeds) > 1  # all equal once in 2^608
    assert all(0 <= seed <= MAX_SEED for seed in seeds)


def test_caching_headers_lasting_are_for_ever() -> None:
    headers = caching_headers(True, "model", "request")
    assert set(headers) == {"Cache-Control", "ETag"}
    assert headers["Cache-Control"] == IMMUTABLE
    assert headers["ETag"] == caching_headers(True, "model", "request")["ETag"]


def test_caching_headers_else_forbid_to_keep() -> None:
    assert caching_headers(False, "model") == {"Cache-Control": "no-store"}


@pytest.mark.parametrize(
    "identity", [("model", "other"), ("request", "model"), ("model",), ("model", "request", "x")]
)
def test_caching_headers_of_other_bytes_have_another_etag(identity: tuple[str, ...]) -> None:
    etags = [caching_headers(True, *facts)["ETag"] for facts in (identity, ("model", "request"))]
    assert etags[0] != etags[1]


@pytest.mark.parametrize("form", ["{}", "W/{}", '"a", {}', '{} , "b"', "*", ' * ,"a"', "{},"])
def test_not_modified_held_is_304_with_its_headers(form: str) -> None:
    headers = caching_headers(True, "model")
    answer = not_modified(request(form.format(headers["ETag"])), headers)
    assert answer is not None
    assert (answer.status_code, answer.body) == (304, b"")
    assert answer.headers["etag"] == headers["ETag"]
    assert answer.headers["cache-control"] == IMMUTABLE


@pytest.mark.parametrize("value", ["", '"other"', "{0}x", "x{0}", ","])
def test_not_modified_other_is_none(value: str) -> None:
    headers = caching_headers(True, "model")
    assert not_modified(request(value.format(headers["ETag"])), headers) is None


def test_not_modified_without_question_is_none() -> None:
    assert not_modified(request(), caching_headers(True, "model")) is None


def test_not_modified_of_what_does_not_last_is_none() -> None:
    assert not_modified(request("*"), caching_headers(False, "model")) is None
