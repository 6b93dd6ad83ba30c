from dataclasses import dataclass

import pytest

from app.overload.congestion import CROWD, PAUSE_S, RATE, SHARE, WAIT_S, WINDOW_S, Congestion

BACKLOG = 64
FEW = round(RATE * WAIT_S)


@dataclass
class Loop:
    """An event loop that draws for `cost_s` each, and refuses for nothing."""

    congestion: Congestion
    cost_s: float = 1 / RATE
    turn_s: float = 0.0  # of each turn, besides
    now: float = 1000.0

    def turn(self, requests: int, owed: int = 0) -> int:
        """How many of the requests are taken that are read in one turn."""
        taken = max(0, min(requests, self.congestion.open(self.now, owed) - owed))
        self.congestion.close(requests, requests - taken)
        self.now += self.turn_s + taken * self.cost_s
        return taken

    def turns(self, requests: int, seconds: float) -> list[int]:
        """How many are taken in each turn, where each brings so many."""
        end, taken = self.now + seconds, []
        while self.now < end:
            taken.append(self.turn(requests))
        return taken


@pytest.fixture
def loop() -> Loop:
    return Loop(Congestion(BACKLOG))


def test_burst_is_taken_up_to_the_backlog(loop: Loop) -> None:
    assert [loop.turn(requests) for requests in (1, BACKLOG, BACKLOG + 9)] == [1, BACKLOG, BACKLOG]


def test_many_steady_clients_are_no_overload(loop: Loop) -> None:
    assert set(loop.turns(BACKLOG, seconds=1)) == {BACKLOG}


@pytest.mark.parametrize("backlog", [1, FEW, BACKLOG])
def test_overload_leaves_a_short_queue_from_the_next_turn_on(backlog: int) -> None:
    loop = Loop(Congestion(backlog))
    assert loop.turn(backlog + 1) == backlog
    assert set(loop.turns(CROWD - 1, seconds=1)) == {min(FEW, backlog)}


@pytest.mark.parametrize("times", [1.5, 2, 10])
@pytest.mark.parametrize("cost", [1 / 2, 1, 2, 10])
def test_overload_leaves_as_many_as_are_drawn_soon(loop: Loop, cost: float, times: float) -> None:
    loop.cost_s *= cost
    loop.turn_s = 0.0001
    loop.turn(BACKLOG + 1)
    taken, came = [], loop.now - 0.01
    while loop.now < 1010:
        requests = int((loop.now - came) * times / loop.cost_s)
        came += requests * loop.cost_s / times
        taken.append(loop.turn(requests))
    later = [number for number in taken[len(taken) // 2 :] if number]
    few = max(1, FEW / cost)
    assert 0.8 * few <= max(later) <= 1.3 * few


def test_turns_that_only_refuse_do_not_make_drawing_seem_slow(loop: Loop) -> None:
    loop.turn(BACKLOG + 1)
    taken: set[int] = set()
    for _ in range(1000):
        loop.turn_s = 0.001
        loop.turns(CROWD, seconds=0.004)
        loop.turn(CROWD - 1)
        loop.turn_s = 0.0
        taken.add(loop.turn(CROWD))
    assert taken == {FEW}


def test_owed_requests_wait_too(loop: Loop) -> None:
    loop.turn(BACKLOG + 1)
    assert [loop.turn(9, owed=owed) for owed in (0, 2, FEW, BACKLOG)] == [FEW, FEW - 2, 0, 0]


def test_twice_as_many_may_wait_after_each_calm_window(loop: Loop) -> None:
    loop.turn(BACKLOG + 1)
    limits = []
    for _ in range(400):
        limits.append(loop.congestion.open(loop.now, 0))
        loop.congestion.close(1, 0)
        loop.now += WINDOW_S / 20
    assert list(dict.fromkeys(limits)) == [FEW, 2 * FEW, 4 * FEW, 8 * FEW, BACKLOG]


def test_few_refusals_make_a_calm_window_and_many_do_not(loop: Loop) -> None:
    for share, grows in ((SHARE / 2, True), (2 * SHARE, False)):
        loop = Loop(Congestion(BACKLOG))
        loop.turn(BACKLOG + 1)
        loop.congestion.open(loop.now, 0)
        loop.congestion.close(100, round(100 * share))
        loop.now += 2 * WINDOW_S
        assert (loop.congestion.open(loop.now, 0) > FEW) == grows


def test_burst_is_taken_again_after_a_pause(loop: Loop) -> None:
    for _ in range(3):
        assert loop.turn(BACKLOG + 1) == BACKLOG
        loop.turns(CROWD - 1, seconds=3 * WINDOW_S)
        loop.now += PAUSE_S


def test_crowd_is_admitted_from_once_it_has_been_caught_up_with(loop: Loop) -> None:
    assert loop.turn(1000) == BACKLOG
    assert [loop.turn(CROWD) for _ in range(4)] == [FEW, 0, 0, 0]
    assert [loop.turn(CROWD - 1) for _ in range(3)] == [0, FEW, FEW]


def test_crowd_without_end_still_has_some_admitted() -> None:
    loop = Loop(Congestion(BACKLOG), turn_s=0.001)
    loop.turn(1000)
    taken = loop.turns(1000, seconds=1)
    assert 0 in taken
    assert 0.8 / WINDOW_S <= sum(1 for number in taken if number) <= 1.2 / WINDOW_S


def test_crowd_without_overload_is_taken(loop: Loop) -> None:
    assert set(loop.turns(2 * CROWD, seconds=1)) == {2 * CROWD}
