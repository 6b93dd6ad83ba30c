import pytest
from starlette.testclient import TestClient

from app import gate as gates
from app.errors import Problem
from app.gate import PAUSE_S, STANDING, WINDOW_S, Gate, refusal


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(gates, "time", clock)
    return clock


def turn(gate: Gate, requests: int) -> int:
    """How many of the requests are taken that are read in one turn of the event loop."""
    taken = sum(gate.admit() for _ in range(requests))
    gate.begin()
    return taken


def overload(gate: Gate, clock: Clock, seconds: float, share: float) -> list[int]:
    """Turns of 5 ms; in each this share of what comes is too much for the backlog."""
    taken = []
    for _ in range(round(seconds / 0.005)):
        taken.append(turn(gate, round(gate.backlog / (1 - share))))
        clock.now += 0.005
    return taken


@pytest.mark.usefixtures("clock")
def test_gate_takes_a_burst_up_to_the_backlog() -> None:
    gate = Gate(backlog=20)
    assert [turn(gate, 20) for _ in range(5)] == [20] * 5
    assert gate.refused == 0
    assert turn(gate, 25) == 20
    assert gate.refused == 5


def test_gate_many_steady_clients_are_no_overload(clock: Clock) -> None:
    gate = Gate(backlog=64)
    assert set(overload(gate, clock, 1, share=0)) == {64}
    assert gate.refused == 0


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_gate_overload_that_lasts_leaves_a_short_queue(clock: Clock, share: float) -> None:
    gate = Gate(backlog=64)
    taken = overload(gate, clock, 1, share)
    assert taken[0] == 64
    assert set(taken[round(WINDOW_S / 0.005) + 1 :]) == {STANDING}


def test_gate_light_overload_keeps_the_backlog(clock: Clock) -> None:
    assert set(overload(Gate(backlog=64), clock, 1, share=0.1)) == {64}


def test_gate_takes_bursts_again_when_the_overload_is_over(clock: Clock) -> None:
    gate = Gate(backlog=64)
    overload(gate, clock, 1, share=0.9)
    clock.now += PAUSE_S
    assert turn(gate, 64) == 64


def test_gate_falling_load_opens_it_within_a_window(clock: Clock) -> None:
    gate = Gate(backlog=64)
    overload(gate, clock, 1, share=0.9)
    for _ in range(round(3 * WINDOW_S / 0.001)):  # three requests a turn: a third is refused
        turn(gate, STANDING if clock.now % 0.002 < 0.001 else STANDING + 1)
        clock.now += 0.001
    assert turn(gate, 64) == 64


@pytest.mark.usefixtures("clock")
def test_gate_quiet_requests_never_read_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(backlog=64)
    monkeypatch.setattr(gates, "time", None)
    assert turn(gate, STANDING) == STANDING


def test_refusal_is_the_one_error_body() -> None:
    head, body = refusal().split(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    problem = Problem.model_validate_json(body)
    assert status == "HTTP/1.1 503 Service Unavailable"
    assert int(headers["content-length"]) == len(body)
    assert headers["retry-after"] == "1"
    assert headers["x-request-id"] == problem.request_id
    assert headers["content-security-policy"]
    assert refusal() != refusal()


def test_draining_is_not_ready_but_draws(client: TestClient) -> None:
    gate: Gate = client.app.state.gate  # type: ignore[attr-defined]
    assert client.get("/readyz").status_code == 200
    gate.draining = True
    try:
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert Problem.model_validate_json(answer.content).detail.startswith("The service is about")
        assert client.get("/livez").status_code == 200
        assert client.get("/generate?digits=1").status_code == 200
    finally:
        gate.draining = False
