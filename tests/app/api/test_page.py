import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.api.routes import page
from app.drawing.renderer import Renderer
from app.main import create_app
from app.settings import Settings
from app.site.file import PageFile
from model.checkpoint import ROUNDED_WEIGHTS, Checkpoint


def weights_name(client: TestClient) -> str:
    (name,) = re.findall(r'id="weights".* href="(.*)"', client.get("/").text)
    return str(name)


def test_home_is_the_page(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "Type a number" in answer.text


@pytest.mark.parametrize("path", ["/", "/service-worker.js", "/page/main.js", "/page/worker.js"])
def test_page_files_have_their_policy_and_are_asked_for_anew(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    assert headers["cache-control"] == "no-cache"
    assert headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_page_file_is_not_sent_twice(client: TestClient, encoding: str) -> None:
    asked = {"Accept-Encoding": encoding}
    answer = client.get("/page/page.css", headers=asked)
    assert (answer.headers.get("content-encoding") == "gzip") == (encoding == "gzip")
    again = {**asked, "If-None-Match": answer.headers["etag"]}
    assert client.get("/page/page.css", headers=again).status_code == 304


def test_page_file_has_one_etag_for_each_encoding(client: TestClient) -> None:
    tags = {
        client.get("/", headers={"Accept-Encoding": encoding}).headers["etag"]
        for encoding in ("gzip", "identity")
    }
    assert len(tags) == 2


def test_weights_may_be_kept_for_ever(client: TestClient) -> None:
    answer = client.get(f"/{weights_name(client)}")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert len(answer.content) > 100_000


@pytest.mark.parametrize("path", ["/page/none.js", "/page/index.html", "/page/..%2findex.html"])
def test_what_is_no_page_file_is_not_found(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_page_is_no_part_of_the_api(client: TestClient) -> None:
    assert not [path for path in client.get("/openapi.json").json()["paths"] if "page" in path]


def test_weights_that_were_written_over_are_not_sent(
    tiny_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_checkpoint.folder, tmp_path / "checkpoint"))
    with TestClient(create_app(Settings(checkpoint=folder))) as client:
        (folder / ROUNDED_WEIGHTS).write_bytes(b"of another model")
        assert 'id="weights"' not in client.get("/").text


@pytest.mark.parametrize("failures", [0, 1])
def test_page_is_built_once_for_all_who_wait(
    tiny_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    build, built = page._build, []

    def counting(renderer: Renderer) -> dict[str, PageFile]:
        built.append(renderer)
        if len(built) <= failures:
            raise MemoryError
        return build(renderer)

    monkeypatch.setattr(page, "_build", counting)
    app = create_app(Settings(checkpoint=tiny_checkpoint.folder))
    with TestClient(app, raise_server_exceptions=False) as client:
        assert [client.get("/").status_code for _ in range(failures)] == [500] * failures
        with ThreadPoolExecutor(8) as clients:
            answers = list(clients.map(client.get, ["/"] * 8))
    assert {answer.status_code for answer in answers} == {200}
    assert len(built) == failures + 1


def test_closed_page_hands_out_nothing_while_the_api_answers(client: TestClient) -> None:
    index = client.get("/").text
    names = ["", "service-worker.js", *re.findall(r'(?:href|src)="(page/[^"]+)"', index)]
    assert any(name.endswith(".safetensors") for name in names)
    with TestClient(create_app(Settings(page=False, access_log=False))) as closed:
        assert {closed.get(f"/{name}").status_code for name in names} == {404}
        for path in ("/generate?digits=1", "/model", "/docs", "/readyz", "/favicon.ico"):
            assert closed.get(path).status_code == 200
