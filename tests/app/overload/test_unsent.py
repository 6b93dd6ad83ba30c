from dataclasses import dataclass

import pytest

from app.overload import Overloaded
from app.overload.unsent import EVICT_AFTER_S, UnsentBytes

LIMIT = 100


@dataclass
class Client:
    unsent: int
    stalled_s: float = 0.0

    def abort(self) -> None:
        self.unsent = 0


def unsent(*clients: Client) -> UnsentBytes:
    found = UnsentBytes(LIMIT)
    found.senders = lambda: clients
    return found


def take(held: UnsentBytes, size: int) -> bool:
    """Whether an answer of a size is let in; it is drawn and sent at once."""
    try:
        with held.expected(size):
            return True
    except Overloaded:
        return False
    finally:
        held.look()


def test_answers_in_progress_take_room_until_they_are_sent() -> None:
    held = unsent()
    with held.expected(60):
        with pytest.raises(Overloaded), held.expected(41):
            pass
        with held.expected(40):
            assert not held.full
    with pytest.raises(Overloaded), held.expected(1):
        pass
    held.look()
    assert take(held, 100)


def test_answer_that_is_never_drawn_leaves_its_room() -> None:
    held = unsent()
    with pytest.raises(Overloaded), held.expected(60):
        raise Overloaded  # by the pool
    with held.expected(100):
        pass


def test_unsent_bytes_take_room() -> None:
    held = unsent(Client(50), Client(40))
    held.look()
    assert take(held, 10)
    assert not take(held, 11)


def test_answer_larger_than_all_the_room_is_let_in_alone() -> None:
    assert take(unsent(), 10 * LIMIT)
    held = unsent(Client(1))
    held.look()
    assert not take(held, 10 * LIMIT)


def test_the_longest_stalled_is_cut_off_first_and_only_where_room_is_needed() -> None:
    first, second, third = Client(40, 9), Client(40, 5), Client(20, EVICT_AFTER_S / 2)
    held = unsent(second, third, first)
    held.look()
    assert not held.full
    assert not take(held, 30)
    assert (first.unsent, second.unsent, third.unsent) == (0, 40, 20)
    assert take(held, 30)


def test_client_that_reads_is_never_cut_off() -> None:
    reader = Client(LIMIT + 1, 0)
    held = unsent(reader)
    held.look()
    assert held.full
    assert not take(held, 1)
    assert reader.unsent
    reader.unsent = LIMIT
    held.look()
    assert not held.full
