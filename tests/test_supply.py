"""The service reads no pickle, no request changes it, and CI runs only pinned code."""

import re
import subprocess
import sys

import yaml
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.conftest import ROOT

# Reading a pickle looks up its classes, and Python reports that to an audit hook.
SERVE = """
import sys

def hook(event, arguments):
    if event == "pickle.find_class":
        raise SystemExit(f"a pickle was read: {arguments}")

sys.addaudithook(hook)
sys.modules["dill"] = sys.modules["cloudpickle"] = sys.modules["joblib"] = None
from starlette.testclient import TestClient
from app.main import create_app
from app.settings import Settings

with TestClient(create_app(Settings())) as client:
    picture = client.get("/generate?digits=7&scale=4")
    for path in (
        "/generate?digits=1&rows=2", "/generate?digits=1&format=npy", "/dataset?count=2",
        "/morph?from=1&to=2&frames=2", "/latent-map?digit=1&cells=2", "/model",
    ):
        assert client.get(path).status_code == 200, path
    answer = client.post("/restyle?digits=1", content=picture.content)
    assert answer.status_code == 200, answer.text
print("served")
"""


def test_serving_reads_no_pickle() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SERVE],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("served\n")


def test_no_array_is_read_or_written_as_pickle() -> None:
    for package in ("app", "model"):
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text()
            assert "allow_pickle=True" not in text
            assert (
                text.count("np.load(") == text.count("allow_pickle=False") or "np.load(" not in text
            )


def test_every_endpoint_only_reads(client: TestClient) -> None:
    """All answer GET, except the one that reads an upload and does not keep it."""
    contexts = iter_route_contexts(create_app(Settings()).routes)
    found = {str(route.path): set(route.methods) for route in contexts if route.methods}
    assert found.pop("/restyle") == {"POST"}
    assert set().union(*found.values()) <= {"GET", "HEAD"}
    for path in found:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert client.request(method, path).status_code == 405


def test_workflows_pin_actions_by_hash_and_may_only_read() -> None:
    workflows = list((ROOT / ".github" / "workflows").glob("*.yml"))
    assert workflows
    for path in workflows:
        text = path.read_text()
        assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
        for action in re.findall(r"uses: *(\S+)", text):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action
