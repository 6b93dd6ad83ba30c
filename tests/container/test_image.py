"""The image, built and run: what it contains, and how it behaves when hardened."""

import io
import json
import re
import tarfile
import threading
import time
from pathlib import PurePosixPath

import pytest
from PIL import Image

from harness.launcher import wait_until
from model.checkpoint import PRETRAINED, read_checkpoint
from tests.container.conftest import RunService, Service, fetch
from tests.container.engine import Engine

pytestmark = pytest.mark.container
MAX_BYTES = 300_000_000
STOP_LIMIT_S = 40
Files = dict[str, tarfile.TarInfo]
# Names of programs and packages, as the last part of a path.
UNWANTED = re.compile(
    r"torch|torchvision|lightning_fabric|tensorboard|pytest|training|tests"
    r"|gcc|g\+\+|cc|c\+\+|cpp|clang|ld|ld\.(bfd|gold|lld)|as|strip|make|cmake|cargo|rustc"
    r"|pip|pip3?|pip-.*|setuptools|curl|wget|git"
)
# Of Debian or Python: not programs, or names inside the standard library.
HARMLESS = re.compile(r"usr/(share|lib/python3)/|etc/|proc/|sys/|dev/|var/lib/dpkg/")
SECRET = re.compile(
    r"(^|/)(\.env.*|\.git|\.netrc|\.pypirc|id_\w+|.*\.(key|pfx|p12)|credentials.*)$"
)


def test_image_is_small_enough(engine: Engine, image: str) -> None:
    assert engine.image(image)["Size"] <= MAX_BYTES


def test_image_describes_itself(engine: Engine, image: str) -> None:
    config = engine.image(image)["Config"]
    labels = config["Labels"]
    for name in ("title", "description", "licenses", "version"):
        assert labels[f"org.opencontainers.image.{name}"]
    assert labels["cvae-digits.model-hash"] == read_checkpoint(PRETRAINED).model_hash
    assert config["Cmd"] == ["python", "-m", "app"]
    assert config["User"] == "10001:10001"
    assert list(config["ExposedPorts"]) == ["8000/tcp"]


def test_image_contains_no_tool_to_build_or_train(files: Files) -> None:
    found = [
        name
        for name in files
        if UNWANTED.fullmatch(PurePosixPath(name).name) and not HARMLESS.match(name)
    ]
    assert found == []


def test_image_contains_no_secret_and_no_trace_of_the_build(
    engine: Engine, image: str, files: Files
) -> None:
    assert [name for name in files if SECRET.search(name)] == []
    assert not [name for name in files if re.search(r"\.cache/|^(build|tmp/.+)", name)]
    assert not files["etc/pip.conf"].size if "etc/pip.conf" in files else True
    image_text = json.dumps(engine.image(image)["Config"])
    assert not re.search(r"https?://|proxy|token|password|index", image_text, re.IGNORECASE)


def test_image_belongs_to_root_except_for_the_checkpoint(files: Files) -> None:
    """An attacker in the service cannot change it, or Python."""
    others = {name for name, file in files.items() if file.uid == 10001}
    assert others
    assert {PurePosixPath(name).parts[0] for name in others} == {"checkpoints"}
    program = re.compile(r"(srv|venv|usr/local)/")
    open_to_all = [
        name
        for name, file in files.items()
        if program.match(name) and file.mode & 0o002 and not file.issym()
    ]
    assert open_to_all == []


def test_container_draws(service: Service) -> None:
    picture = Image.open(io.BytesIO(fetch(f"{service.address}/generate?digits=2018&seed=14")))
    assert picture.size == (112, 28)
    assert picture.info["model"] == read_checkpoint(PRETRAINED).model_hash
    colours = picture.convert("L").getextrema()
    assert colours[0] == 0
    assert colours[1] > 200


def test_container_has_no_privileges(engine: Engine, service: Service) -> None:
    script = (
        "import os; print(os.getuid(), os.getgid()); print(open('/proc/1/status').read());"
        "print([line.split()[3] for line in open('/proc/mounts') if line.split()[1] == '/'])"
    )
    found = engine("exec", service.name, "python", "-c", script).stdout
    assert found.startswith("10001 10001\n")
    assert re.search(r"^CapEff:\s0+$", found, re.MULTILINE)
    assert re.search(r"^CapBnd:\s0+$", found, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s1$", found, re.MULTILINE)
    assert re.search(r"^Seccomp:\s2$", found, re.MULTILINE)
    assert "['ro," in found


def test_container_start_compiles_nothing(engine: Engine, service: Service) -> None:
    """All byte code is in the image, because a read-only file system cannot store any."""
    script = "import app.main; app.main.create_app(app.main.Settings())"
    log = engine("exec", service.name, "python", "-v", "-c", script).stderr
    assert re.search("matches /", log)
    compiled = re.findall(r"^# code object from '?(.*\.py)'?$", log, re.MULTILINE)
    assert compiled == []


def test_health_check_passes(engine: Engine, service: Service) -> None:
    if not engine.is_docker:  # podman needs systemd for the timer
        engine("healthcheck", "run", service.name)
        return

    def health() -> str:
        return str(engine.container(service.name)["State"]["Health"]["Status"])

    wait_until(lambda: health() == "healthy", "The health check did not pass.")


def test_health_check_fails_where_nothing_answers(engine: Engine, service: Service) -> None:
    config = engine.container(service.name)["Config"]
    command = config["Healthcheck"]["Test"][1:]
    other = engine("exec", "--env", "CVAE_PORT=9", service.name, *command, check=False)
    assert other.returncode == 1


def test_sigterm_finishes_the_request_in_progress_and_exits_0(
    engine: Engine, run_service: RunService
) -> None:
    with run_service() as service:
        answers: list[bytes] = []
        long = f"{service.address}/dataset?count=60000&seed=1"
        client = threading.Thread(target=lambda: answers.append(fetch(long)))
        client.start()
        time.sleep(0.3)
        engine("stop", "-t", str(STOP_LIMIT_S), service.name)
        client.join(STOP_LIMIT_S)
        state = engine.container(service.name)["State"]
        assert (state["Running"], state["ExitCode"]) == (False, 0)
        assert answers
        assert answers[0][:2] == b"PK"  # an .npz; fetch raises if it is incomplete


def test_start_without_a_checkpoint_ends_with_a_sentence(engine: Engine, image: str) -> None:
    done = engine("run", "--rm", "--env", "CVAE_CHECKPOINT=/nowhere", image, check=False)
    assert done.returncode not in (0, 137)
    assert "The checkpoint folder /nowhere does not exist" in done.stderr + done.stdout


def test_several_workers_in_one_container(run_service: RunService, engine: Engine) -> None:
    with run_service("--env", "CVAE_WORKERS=2") as service:
        assert fetch(f"{service.address}/generate?digits=7")
        top = engine("top", service.name, "args").stdout if not engine.is_docker else ""
        assert engine.is_docker or len(re.findall("python", top)) >= 3


def test_empty_volume_starts_with_the_checkpoint_of_the_image(
    engine: Engine, run_service: RunService
) -> None:
    name = f"cvae-digits-{time.monotonic_ns()}"
    engine("volume", "create", name)
    try:
        with run_service("--volume", f"{name}:/checkpoints") as service:
            script = "import os; os.mkdir('/checkpoints/mine'); print(os.listdir('/checkpoints'))"
            listed = engine("exec", service.name, "python", "-c", script).stdout
            assert "current" in listed
            assert fetch(f"{service.address}/generate?digits=7")
    finally:
        engine("volume", "rm", "--force", name)
