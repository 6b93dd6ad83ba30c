"""Cores of their own for the service and for the load, where there are two."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
LOAD_CORE, SERVICE_CORE = (CORES[0], CORES[-1]) if len(CORES) > 1 else (None, None)


@contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """Run what is started in this block on one core; None leaves the choice to the system."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
