import pytest
from starlette.testclient import TestClient

from app.api.caching import lasting_headers, not_modified, seeded_headers
from app.request.fields import chosen_seed
from model.noise import MAX_SEED

PUBLIC = "public, max-age=1"


@pytest.mark.parametrize("seed", [0, 7, MAX_SEED])
def test_chosen_seed_is_the_one_asked_for(seed: int) -> None:
    assert chosen_seed(seed) == seed


def test_chosen_seed_without_one_is_random() -> None:
    seeds = {chosen_seed(None) for _ in range(20)}
    assert len(seeds) > 1  # all equal once in 2^608
    assert all(0 <= seed <= MAX_SEED for seed in seeds)


def test_seeded_answer_may_be_kept_and_has_an_etag() -> None:
    headers = seeded_headers(PUBLIC, 7, 7, "model", "request")
    assert set(headers) == {"Cache-Control", "ETag", "X-Model", "X-Seed"}
    assert headers["Cache-Control"] == PUBLIC
    assert headers == seeded_headers(PUBLIC, 7, 7, "model", "request")


def test_unseeded_answer_must_not_be_kept() -> None:
    assert seeded_headers(PUBLIC, None, 7, "model") == {
        "X-Seed": "7",
        "X-Model": "model",
        "Cache-Control": "no-store",
    }


@pytest.mark.parametrize(
    "identity", [("model", "other"), ("request", "model"), ("model",), ("model", "request", "x")]
)
def test_etag_differs_where_the_bytes_may_differ(identity: tuple[str, ...]) -> None:
    tags = [lasting_headers(PUBLIC, *facts)["ETag"] for facts in (identity, ("model", "request"))]
    assert tags[0] != tags[1]


@pytest.mark.parametrize("form", ["{}", "W/{}", '"a", {}', '{} , "b"', "*", ' * ,"a"', "{},"])
def test_known_answer_is_304_with_its_headers(form: str) -> None:
    headers = lasting_headers(PUBLIC, "model")
    answer = not_modified(form.format(headers["ETag"]), headers)
    assert answer is not None
    assert (answer.status_code, answer.body) == (304, b"")
    assert answer.headers["etag"] == headers["ETag"]
    assert answer.headers["cache-control"] == PUBLIC


@pytest.mark.parametrize("value", ["", '"other"', "{0}x", "x{0}", ",", None])
def test_unknown_answer_is_sent(value: str | None) -> None:
    headers = lasting_headers(PUBLIC, "model")
    asked = None if value is None else value.format(headers["ETag"])
    assert not_modified(asked, headers) is None


def test_answer_that_does_not_last_is_sent() -> None:
    assert not_modified("*", seeded_headers(PUBLIC, None, 7, "model")) is None


@pytest.mark.parametrize(
    "path",
    [
        "/generate?digits=1&seed=1",
        "/generate?digits=1&seed=1&format=svg",
        "/morph?from=1&to=2&frames=2&seed=1",
        "/latent-map?digit=1&cells=2",
        "/dataset?count=1&seed=1",
    ],
)
def test_drawing_is_immutable_only_where_its_address_names_the_model(
    client: TestClient, path: str
) -> None:
    plain = client.get(path)
    assert plain.headers["cache-control"] == "public, max-age=86400, must-revalidate"
    model = plain.headers["x-model"]
    assert model == client.get("/model").json()["model"]
    named = client.get(f"{path}&model={model}")
    assert named.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (named.content, named.headers["etag"]) == (plain.content, plain.headers["etag"])
    for other, words in (
        ("0" * 16, f"is not the model that draws here, which is {model}"),
        ("0", "16 hex"),
    ):
        refused = client.get(f"{path}&model={other}", headers={"If-None-Match": "*"})
        (error,) = refused.json()["errors"]
        assert (refused.status_code, error["field"]) == (422, "model")
        assert words in error["message"]
        assert refused.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["generate?digits=1", "morph?from=1&to=2", "latent-map?digit=1", "dataset?count=2"]
)
def test_refused_request_is_refused_whatever_copy_the_client_holds(
    client: TestClient, path: str
) -> None:
    seed = "" if path.startswith("latent-map") else "&seed=1"
    answer = client.get(f"/{path}{seed}&style=AAAA", headers={"If-None-Match": "*"})
    assert answer.status_code == 422


def test_drawing_without_a_seed_is_never_kept_but_names_its_model(client: TestClient) -> None:
    model = client.get("/model").json()["model"]
    answer = client.get(f"/generate?digits=1&model={model}")
    assert (answer.headers["cache-control"], answer.headers["x-model"]) == ("no-store", model)
