import re

import pytest
from starlette.testclient import TestClient

from app.api.headers import COMMON, HEADERS, security_headers, swagger_policy


@pytest.mark.parametrize(
    "url",
    [
        *("/generate?digits=1", "/generate?rows=2&digits=1", "/generate?digits=x", "/nope"),
        *("/livez", "/readyz", "/model", "/openapi.json", "/favicon.ico", "/morph"),
        "/docs-assets/swagger-ui.css",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_every_answer_has_the_security_headers(client: TestClient, url: str, method: str) -> None:
    answer = client.request(method, url)
    for name, value in HEADERS:
        assert answer.headers.get_list(name.decode()) == [value.decode()]


def test_not_modified_has_the_security_headers(client: TestClient) -> None:
    answer = client.get("/generate?digits=1&seed=7", headers={"If-None-Match": "*"})
    assert answer.status_code == 304
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_own_policy_of_an_answer_stays() -> None:
    assert security_headers([(b"content-security-policy", b"x")]) == COMMON
    assert security_headers([(b"vary", b"x")]) == HEADERS


def test_docs_has_a_policy_that_names_its_script(client: TestClient) -> None:
    answer = client.get("/docs")
    (policy,) = answer.headers.get_list("content-security-policy")
    assert policy == swagger_policy(answer.text)
    scripts = re.findall(r"script-src ([^;]*)", policy)[0]
    assert re.fullmatch(r"'self' 'sha256-[A-Za-z0-9+/]{43}='", scripts)
