import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import State
from starlette.testclient import TestClient
from starlette.types import Message

from app.api.fast_path import FastLane, plain_request
from app.overload.gate import Gate
from app.drawing.renderer import PlainOrder, Studio
from app.overload.turnstile import Turnstile
from model.noise import MAX_SEED

CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


def scope(
    query: str, path: str = "/generate", method: str = "GET", **headers: str
) -> dict[str, object]:
    pairs = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    return {
        "type": "http",
        "path": path,
        "method": method,
        "query_string": query.encode(),
        "headers": pairs,
    }


@given(digits=st.text("0123456789", min_size=1, max_size=64), seed=st.integers(0, MAX_SEED))
def test_fast_lane_gives_the_answer_of_the_normal_way(
    client: TestClient, digits: str, seed: int
) -> None:
    short = client.get(f"/generate?digits={digits}&seed={seed}")
    normal = client.get(f"/generate?seed={seed}&digits={digits}")
    assert plain_request(scope(f"digits={digits}&seed={seed}")) == (digits, seed)
    assert plain_request(scope(f"seed={seed}&digits={digits}")) is None
    assert short.content == normal.content
    kept = [dict(answer.headers) for answer in (short, normal)]
    assert all(headers.pop("x-request-id") for headers in kept)
    assert kept[0] == kept[1]


def test_fast_lane_unseeded_gives_the_headers_of_the_normal_way(client: TestClient) -> None:
    kept = []
    for query in ("digits=2018", "digits=2018&rows=1"):
        answer = client.get(f"/generate?{query}")
        again = client.get(f"/generate?digits=2018&seed={answer.headers['x-seed']}")
        assert again.content == answer.content
        drop = {"x-seed", "x-request-id", "content-length"}
        kept.append({name: text for name, text in answer.headers.items() if name not in drop})
    assert kept[0] == kept[1]


@pytest.mark.parametrize(
    "headers", [{}, {"accept": "*/*"}, {"accept": "image/png"}, {"accept": CHROME}]
)
def test_plain_request_of_common_clients(headers: dict[str, str]) -> None:
    assert plain_request(scope("digits=2018", **headers)) == ("2018", None)


@pytest.mark.parametrize(
    ("query", "others"),
    [
        ("digits=", {}),
        ("digits=" + "1" * 65, {}),
        ("digits=1&seed=4294967296", {}),
        ("digits=1&seed=", {}),
        ("digits=1&rows=2", {}),
        ("digits=1\n", {}),
        ("digits=1", {"path": "/generate/"}),
        ("digits=1", {"method": "POST"}),
        ("digits=1", {"accept": "image/webp"}),
        ("digits=1", {"accept": "text/html"}),
        ("digits=1", {"if_none_match": "*"}),
    ],
)
def test_plain_request_none_where_judgement_is_needed(query: str, others: dict[str, str]) -> None:
    assert plain_request(scope(query, **others)) is None


def test_requests_that_had_to_wait_are_drawn_together_too(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio: Studio = client.app.state.studio  # type: ignore[attr-defined]
    together: list[int] = []
    lines = Studio.lines

    def counted(self: Studio, orders: Sequence[PlainOrder]) -> list[bytes]:
        together.append(len(orders))
        return lines(self, orders)

    monkeypatch.setattr(Studio, "lines", counted)

    async def scene() -> None:
        gate = Gate(backlog=64)
        lane = FastLane(unused, State({"studio": studio, "turnstile": Turnstile(room=8)}))
        asked = {**scope("digits=2018"), "state": {"gate": gate}}
        gate.turn = 6
        requests = [asyncio.create_task(lane(asked, unused, send)) for _ in range(6)]
        await asyncio.sleep(0)
        gate.turn = 1  # one more is read, in a turn of its own
        await asyncio.gather(*requests)

    async def send(_: Message) -> None:
        pass

    async def unused(*_: object) -> Any:
        raise AssertionError

    asyncio.run(scene())
    assert together == [2, 2, 2]
