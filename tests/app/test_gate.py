import pytest
from starlette.testclient import TestClient

from app import gate as gates
from app.errors import Problem
from app.gate import CROWD, STANDING, WINDOW_S, Gate

TURN_S = 0.001


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(gates, "time", clock)
    return clock


def turn(gate: Gate, requests: int) -> int:
    """How many of the requests are taken that are read in one turn of the event loop."""
    gate.open()
    taken = 0
    for number in range(requests):
        if number % 2 and gate.waiting >= gate.limit:
            gate.refuse()  # as a plain request, which is not even parsed
        else:
            taken += gate.admit()
    gate.begin()
    return taken


def turns(gate: Gate, clock: Clock, requests: int, number: int) -> list[int]:
    """How many are taken in each of a number of turns, where each brings so many."""
    taken = []
    for _ in range(number):
        clock.now += TURN_S
        taken.append(turn(gate, requests))
    return taken


WINDOW = round(WINDOW_S / TURN_S) + 1  # turns


def test_gate_takes_a_burst_up_to_the_backlog() -> None:
    gate = Gate(backlog=20)
    assert [turn(gate, 20) for _ in range(5)] == [20] * 5
    assert gate.refused == 0
    assert turn(gate, 25) == 20
    assert gate.refused == 5


def test_gate_many_steady_clients_are_no_overload(clock: Clock) -> None:
    gate = Gate(backlog=64)
    assert set(turns(gate, clock, 64, number=1000)) == {64}
    assert gate.refused == 0


@pytest.mark.parametrize("backlog", [3, STANDING, 64])
def test_gate_overload_leaves_a_short_queue_from_the_next_turn_on(
    clock: Clock, backlog: int
) -> None:
    gate = Gate(backlog)
    assert turn(gate, backlog + 1) == backlog
    few = min(STANDING, backlog)
    assert set(turns(gate, clock, CROWD - 1, number=5 * WINDOW)) == {few}
    assert gate.refused == 1 + 5 * WINDOW * (CROWD - 1 - few)


def test_gate_lets_twice_as_many_wait_after_each_calm_window(clock: Clock) -> None:
    gate = Gate(backlog=64)
    turn(gate, 65)
    limits = []
    for _ in range(6 * WINDOW):
        turns(gate, clock, 1, number=1)
        limits.append(gate.limit)
    assert sorted(set(limits)) == limits[::WINDOW][: len(set(limits))]
    assert sorted(set(limits)) == [STANDING, 2 * STANDING, 4 * STANDING, 8 * STANDING, 64]


def test_gate_few_refusals_are_a_calm_window_many_are_none(clock: Clock) -> None:
    for requests, grows in ((STANDING + 1, True), (2 * STANDING, False)):
        gate = Gate(backlog=64)
        turn(gate, 65)
        turns(gate, clock, requests, number=WINDOW)
        assert (gate.limit > STANDING) == grows


def test_gate_takes_a_burst_again_after_a_pause(clock: Clock) -> None:
    gate = Gate(backlog=64)
    for pause_s in (6 * WINDOW_S, 1, 1e6):
        turn(gate, 65)
        turns(gate, clock, CROWD - 1, number=WINDOW)
        clock.now += pause_s
        assert turn(gate, 64) == 64


def test_gate_under_a_crowd_admits_once_it_has_caught_up(clock: Clock) -> None:
    gate = Gate(backlog=64)
    assert turn(gate, 1000) == 64
    assert turns(gate, clock, CROWD, number=4) == [STANDING, 0, 0, 0]
    assert turns(gate, clock, CROWD - 1, number=3) == [0, STANDING, STANDING]


def test_gate_under_a_crowd_without_end_still_admits_some(clock: Clock) -> None:
    gate = Gate(backlog=64)
    turn(gate, 1000)
    taken = turns(gate, clock, 1000, number=10 * WINDOW)
    assert 9 * STANDING <= sum(taken) <= 11 * STANDING
    assert set(taken) == {0, STANDING}


def test_gate_without_overload_takes_every_crowd(clock: Clock) -> None:
    assert set(turns(Gate(backlog=64), clock, 2 * CROWD, number=100)) == {2 * CROWD}


def test_gate_says_how_many_were_refused_unseen() -> None:
    unseen: list[int] = []
    gate = Gate(backlog=1, unseen=unseen.append)
    gate.open()
    assert [gate.admit(), gate.admit()] == [True, False]
    gate.refuse()
    gate.refuse()
    gate.begin()
    assert unseen == [2]
    assert gate.refused == 3
    assert gate.turn == 1
    turn(gate, 1)
    assert unseen == [2]


def test_refusal_is_the_one_error_body() -> None:
    gate = Gate(backlog=1)
    answer = gate.refuse()
    head, body = answer.split(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    problem = Problem.model_validate_json(body)
    assert status == "HTTP/1.1 503 Service Unavailable"
    assert int(headers["content-length"]) == len(body)
    assert headers["retry-after"] == "1"
    assert headers["x-request-id"] == problem.request_id
    assert len(problem.request_id) == 16
    assert headers["content-security-policy"]
    assert gate.refuse() != answer
    assert Gate(backlog=1).refuse() not in (answer, gate.refuse())


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
