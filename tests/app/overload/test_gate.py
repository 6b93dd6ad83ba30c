import pytest
from starlette.testclient import TestClient

from app.api.errors import Problem
from app.overload.gate import Gate


def test_gate_takes_up_to_the_backlog_and_counts_the_refused() -> None:
    gate = Gate(backlog=2)
    gate.open()
    assert [gate.admit() for _ in range(3)] == [True, True, False]
    gate.begin()
    assert (gate.turn, gate.refused) == (2, 1)
    gate.open()
    assert gate.admit()
    gate.begin()
    assert (gate.turn, gate.refused) == (1, 1)


def test_gate_counts_what_is_owed_as_waiting() -> None:
    owed = 3
    gate = Gate(backlog=4, owed=lambda: owed)
    gate.open()
    assert [gate.admit() for _ in range(2)] == [True, False]
    gate.begin()
    assert (gate.turn, gate.refused) == (1, 1)


def test_gate_says_which_routes_were_refused_unseen() -> None:
    unseen: list[tuple[str, int]] = []
    gate = Gate(backlog=1, unseen=lambda *told: unseen.append(told))
    gate.open()
    assert [gate.admit(), gate.admit()] == [True, False]
    for route in ("/morph", "/generate", "/morph"):
        gate.refuse(route)
    assert unseen == []
    gate.begin()
    assert unseen == [("/morph", 2), ("/generate", 1)]
    assert gate.refused == 4
    gate.open()
    gate.begin()
    assert len(unseen) == 2


def test_refusal_is_the_one_error_body() -> None:
    gate = Gate(backlog=1)
    answer = gate.refuse("/")
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
    assert len({answer, gate.refuse("/"), Gate(backlog=1).refuse("/")}) == 3


@pytest.mark.parametrize("path", ["/livez", "/generate?digits=1"])
def test_draining_is_not_ready_but_answers(client: TestClient, path: str) -> None:
    gate: Gate = client.app.state.gate  # type: ignore[attr-defined]
    assert client.get("/readyz").status_code == 200
    gate.draining = True
    try:
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert Problem.model_validate_json(answer.content).detail.startswith("The service is about")
        assert client.get(path).status_code == 200
    finally:
        gate.draining = False
