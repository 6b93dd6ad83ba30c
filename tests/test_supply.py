"""Nothing on the serving path reads pickle, and no request changes the service."""

import subprocess
import sys

from starlette.testclient import TestClient

from tests.app.test_access import routes
from tests.conftest import ROOT

# Every pickle that is read asks for its classes, which Python reports to an audit hook.
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
        [sys.executable, "-c", SERVE], cwd=ROOT, capture_output=True, text=True, timeout=120
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


def test_no_endpoint_changes_anything(client: TestClient) -> None:
    """All are GET but one, which reads its body and forgets it."""
    app = client.app
    found = {route.path: route.methods or set() for route in routes(app)}
    assert found.pop("/restyle") == {"POST"}
    assert set().union(*found.values()) == {"GET"}
    for path in found:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert client.request(method, path).status_code == 405
