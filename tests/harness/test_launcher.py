"""The launcher, on a small server that needs none of the service's packages."""

import os
import sys

import pytest

from harness.core import CORES, LOAD_CORE, SERVICE_CORE, on_core
from harness.launcher import Command, StartError, free_port, is_listening, running, wait_until

ARGUMENTS = (sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "{port}")
SERVER = Command(ARGUMENTS, is_listening)
SCRIPT = """
import http.server, os
print(os.environ["NAME"], flush=True)
http.server.test(port={port}, bind="127.0.0.1")
"""


def test_running_yields_a_service_that_listens_and_ends_it() -> None:
    with running(command=SERVER) as service:
        assert service.status("/harness/") == 200
        assert b"launcher.py" in service.get("/harness/")
        assert service.status("/nowhere") == 404
    assert service.process.returncode is not None
    assert "GET /harness/" in service.log
    assert service.status("/") == 0


def test_running_that_cannot_start_raises_with_its_log() -> None:
    command = Command((sys.executable, "-c", "raise SystemExit('no luck today')"))
    sentence = r"^The service ended with code 1: .*; its log: no luck today"
    with pytest.raises(StartError, match=sentence), running(command=command):
        pass


def test_end_ends_stopped_processes_and_children() -> None:
    parent = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    command = Command((sys.executable, "-c", parent, *ARGUMENTS), is_listening)
    with running(command=command) as service:
        (child,) = service.workers()
        assert child != service.process.pid
        assert service.holding().memory_mb > 1
        service.pause()
    wait_until(lambda: service.status("/") == 0, "The child did not end.")


def test_environment_and_port_are_passed_on() -> None:
    port = free_port()
    command = Command((sys.executable, "-c", SCRIPT), is_listening)
    with running(command=command, port=port, NAME="value") as service:
        assert service.port == port
        assert service.log.startswith("value\n")


@pytest.mark.skipif(len(CORES) < 2, reason="there is one core, or no choice")
def test_load_and_service_are_on_cores_of_their_own() -> None:
    with on_core(SERVICE_CORE):
        assert os.sched_getaffinity(0) == {CORES[-1]}
        with on_core(LOAD_CORE):
            assert os.sched_getaffinity(0) == {CORES[0]}
        with on_core(None):
            assert os.sched_getaffinity(0) == {CORES[-1]}
    assert sorted(os.sched_getaffinity(0)) == CORES
