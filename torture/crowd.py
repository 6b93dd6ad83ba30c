"""Clients that do the same again and again, each on a thread, beside what a trial measures."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def crowd(clients: int, act: Callable[[], object], pause_s: float = 0) -> Iterator[None]:
    """Clients that act until the block ends; waits until each has ended.

    Args:
        clients: how many.
        act: what each does again and again.
        pause_s: mean time before each repetition; its length is random.
    """
    ended = threading.Event()

    def repeat() -> None:
        while not ended.wait(random.uniform(0, 2 * pause_s)):
            act()

    threads = [threading.Thread(target=repeat) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()
