"""What must hold in a process that serves before it imports or opens anything else."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

HANGUPS = frozenset({signal.SIGHUP})
STANDARD = 3  # descriptors: input, output, errors
# NumPy's products on one thread. Those of a photo are so small that more threads only wait for
# each other: with other work on the cores, reading a line of 24 digits took 0.7 s, now 0.2 s.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "VECLIB_MAXIMUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def prepare_process() -> None:
    """Fill the standard descriptors, hold SIGHUP back, and limit the threads of NumPy to one.

    A standard descriptor that the caller has closed would become that of the first file or
    connection that is opened, and the log would be written into it. SIGHUP asks for a reload, but
    would end a process that cannot reload yet.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) < STANDARD:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    # Python has made no files of those that were closed.
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)
    signal.pthread_sigmask(signal.SIG_BLOCK, HANGUPS)
    for name, number in ONE_THREAD.items():  # NumPy reads them when it is imported
        os.environ.setdefault(name, number)


@contextmanager
def holding_hangups() -> Iterator[None]:
    """While entered, SIGHUP is held back; a process that is started meanwhile inherits that."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HANGUPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
