"""What must hold in a process that serves before it imports or opens anything else."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

HANGUPS = frozenset({signal.SIGHUP} if hasattr(signal, "SIGHUP") else ())
STANDARD = 3  # descriptors: input, output, errors


def prepare_process() -> None:
    """Fill the standard descriptors, and hold SIGHUP back until the process can reload.

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


@contextmanager
def holding_hangups() -> Iterator[None]:
    """While entered, SIGHUP is held back; a process that is started meanwhile inherits that."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HANGUPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
