import pytest

from app.api.caching import lasting_headers, not_modified, seeded_headers
from app.request.fields import chosen_seed
from model.noise import MAX_SEED

PUBLIC = "public, max-age=31536000, immutable"


@pytest.mark.parametrize("seed", [0, 7, MAX_SEED])
def test_chosen_seed_is_the_one_asked_for(seed: int) -> None:
    assert chosen_seed(seed) == seed


def test_chosen_seed_without_one_is_random() -> None:
    seeds = {chosen_seed(None) for _ in range(20)}
    assert len(seeds) > 1  # all equal once in 2^608
    assert all(0 <= seed <= MAX_SEED for seed in seeds)


def test_seeded_answer_may_be_kept_and_has_an_etag() -> None:
    headers = seeded_headers("public", 7, 7, "model", "request")
    assert set(headers) == {"Cache-Control", "ETag", "X-Seed"}
    assert headers["Cache-Control"] == PUBLIC
    assert headers == seeded_headers("public", 7, 7, "model", "request")
    private = seeded_headers("private", 7, 7, "model", "request")
    assert private["Cache-Control"] == PUBLIC.replace("public", "private")


def test_unseeded_answer_must_not_be_kept() -> None:
    assert seeded_headers("public", None, 7, "model") == {
        "X-Seed": "7",
        "Cache-Control": "no-store",
    }


@pytest.mark.parametrize(
    "identity", [("model", "other"), ("request", "model"), ("model",), ("model", "request", "x")]
)
def test_etag_differs_where_the_bytes_may_differ(identity: tuple[str, ...]) -> None:
    tags = [lasting_headers("public", *facts)["ETag"] for facts in (identity, ("model", "request"))]
    assert tags[0] != tags[1]


@pytest.mark.parametrize("form", ["{}", "W/{}", '"a", {}', '{} , "b"', "*", ' * ,"a"', "{},"])
def test_known_answer_is_304_with_its_headers(form: str) -> None:
    headers = lasting_headers("public", "model")
    answer = not_modified(form.format(headers["ETag"]), headers)
    assert answer is not None
    assert (answer.status_code, answer.body) == (304, b"")
    assert answer.headers["etag"] == headers["ETag"]
    assert answer.headers["cache-control"] == PUBLIC


@pytest.mark.parametrize("value", ["", '"other"', "{0}x", "x{0}", ",", None])
def test_unknown_answer_is_sent(value: str | None) -> None:
    headers = lasting_headers("public", "model")
    asked = None if value is None else value.format(headers["ETag"])
    assert not_modified(asked, headers) is None


def test_answer_that_does_not_last_is_sent() -> None:
    assert not_modified("*", seeded_headers("public", None, 7)) is None
