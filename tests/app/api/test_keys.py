import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.testclient import TestClient

from app.api.keys import AccessError, KeyRing, read_keys
from app.api.problem import Problem
from app.main import create_app
from app.settings import Settings

FIRST, SECOND = "first-key-of-sixteen", "second-key-of-sixteen"
DRAWINGS = {
    "/generate?digits=1&seed=7": "GET",
    "/generate?seed=7&digits=1": "GET",
    "/generate": "HEAD",
    "/restyle?digits=1": "POST",
    "/morph?from=1&to=2": "GET",
    "/latent-map?digit=1": "GET",
    "/dataset?count=1": "GET",
}
OPEN = ("/", "/livez", "/readyz", "/model", "/docs", "/openapi.json", "/favicon.ico")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    file = tmp_path_factory.mktemp("keys") / "keys"
    file.write_text(f"\n  {SECOND}  \n\n")
    return create_app(Settings(api_keys=SecretStr(FIRST), api_keys_file=file))


@pytest.fixture(scope="module")
def locked(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize("url", DRAWINGS)
def test_drawing_without_a_key_is_401(locked: TestClient, url: str) -> None:
    answer = locked.request(DRAWINGS[url], url)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="cvae-digits"'
    if DRAWINGS[url] != "HEAD":
        assert "X-API-Key" in Problem.model_validate_json(answer.content).detail


@pytest.mark.parametrize("key", [FIRST, SECOND])
@pytest.mark.parametrize("name", ["X-API-Key", "Authorization"])
def test_drawing_with_any_key_is_drawn(locked: TestClient, name: str, key: str) -> None:
    headers = {name: key if name == "X-API-Key" else f"bearer {key}"}
    for query in ("digits=1&seed=7", "seed=7&digits=1"):
        assert locked.get(f"/generate?{query}", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": ""},
        {"X-API-Key": FIRST[:-1]},
        {"X-API-Key": FIRST + "x"},
        {"X-API-Key": f"{FIRST},{SECOND}"},
        {"Authorization": FIRST},
        {"Authorization": f"Basic {FIRST}"},
        {"Cookie": f"X-API-Key={FIRST}"},
    ],
)
def test_drawing_with_a_wrong_key_is_401(locked: TestClient, headers: dict[str, str]) -> None:
    assert locked.get("/generate?digits=1", headers=headers).status_code == 401


def test_key_in_the_query_opens_nothing(locked: TestClient) -> None:
    assert locked.get(f"/generate?digits=1&api_key={FIRST}").status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        *("//generate", "/generate/", "/./generate", "/x/../generate", "/%67enerate"),
        *("/generate%0A", "/generate%00", "/GENERATE", "/generate;x", "/livez/../generate"),
        *("/docs-assets/../generate", "/docs-assets/%2e%2e/generate", "/generate%2f"),
    ],
)
def test_no_spelling_of_the_path_draws_without_a_key(locked: TestClient, path: str) -> None:
    assert locked.get(f"http://testserver{path}?digits=1").status_code in (401, 404)


@pytest.mark.parametrize("path", OPEN)
def test_probes_documents_and_card_stay_open(locked: TestClient, path: str) -> None:
    assert locked.get(path).status_code == 200


def test_every_endpoint_tagged_as_drawing_is_tested_here(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    drawing = {
        path for path, methods in paths.items() for m in methods.values() if "drawing" in m["tags"]
    }
    assert drawing == {url.split("?")[0] for url in DRAWINGS}


def test_answers_are_for_who_has_the_key_alone(locked: TestClient) -> None:
    for query in ("digits=1&seed=7", "seed=7&digits=1"):
        answer = locked.get(f"/generate?{query}", headers={"X-API-Key": FIRST})
        assert answer.headers["cache-control"] == "private, max-age=86400, must-revalidate"


def test_openapi_requires_a_key_only_where_keys_are_set(
    client: TestClient, locked: TestClient
) -> None:
    without, schema = (one.get("/openapi.json").json() for one in (client, locked))
    assert "securitySchemes" not in without["components"]
    assert set(schema["components"]["securitySchemes"]) == {"apiKey", "bearer"}
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            drawing = path in {url.split("?")[0] for url in DRAWINGS}
            expected: list[Any] | None = [{"apiKey": []}, {"bearer": []}] if drawing else None
            assert operation.get("security") == expected


def test_keys_are_nowhere_to_be_seen(
    app: FastAPI, locked: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    service = app.state.service
    locked.get("/generate?digits=x", headers={"X-API-Key": FIRST})
    answers = [locked.get(path).text for path in OPEN]
    for text in (*answers, repr(service), repr(service.settings), caplog.text):
        assert FIRST not in text
        assert SECOND not in text


def test_key_ring_compares_with_every_key(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []

    def compare(first: bytes, second: bytes) -> bool:
        compared.append(len(first) + len(second))
        return first == second

    monkeypatch.setattr("hmac.compare_digest", compare)
    ring = KeyRing([FIRST, SECOND, "x" * 40])
    for key in (FIRST, SECOND, "other"):
        assert ring.admits([(b"x-api-key", key.encode())]) == (key != "other")
        assert compared == [64, 64, 64]  # hashes, all of them
        compared.clear()


def test_key_ring_empty_admits_everyone() -> None:
    assert KeyRing().admits([])
    assert KeyRing().admits([(b"x-api-key", b"any")])


Make = Callable[[Path], Settings]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, r"^The API key file .*keys cannot be read \(No such file or directory\); write"),
        (
            b"\n \n",
            r"^The API key file .*keys holds no key, so that every drawing would be refused; write",
        ),
        (b"\xff" * 20, r"^The API key file .*keys cannot be read \(it is not ASCII\); write"),
        (b"secret-but-short", None),
        (b"secret-short", "^API key 1 of 1 cannot be used: expected at least 16 printable ASCII"),
        (b"secret with some spaces", "^API key 1 of 1 cannot be used: expected at least 16"),
    ],
)
def test_unfit_key_file_raises_without_showing_it(
    tmp_path: Path, content: bytes | None, sentence: str | None
) -> None:
    file = tmp_path / "keys"
    if content is not None:
        file.write_bytes(content)
    settings = Settings(api_keys_file=file)
    if sentence is None:
        assert read_keys(settings)
        return
    with pytest.raises(AccessError, match=sentence) as caught:
        read_keys(settings)
    assert "secret" not in re.sub("import secrets; print.secrets", "", str(caught.value))


@pytest.mark.parametrize("text", [",", " , "])
def test_keys_without_a_key_raises(text: str) -> None:
    with pytest.raises(AccessError, match="CVAE_API_KEYS holds no key"):
        read_keys(Settings(api_keys=SecretStr(text)))


def test_keys_empty_variable_is_none() -> None:
    assert not read_keys(Settings(api_keys=SecretStr("")))
