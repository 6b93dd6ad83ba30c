import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIMIT_S = 60


@pytest.mark.parametrize("workers", ["1", "2"])
def test_closed_terminal_ends_the_service(workers: str) -> None:
    terminal, line = pty.openpty()
    # The first terminal that the leader of a new session opens becomes its own.
    command = f'exec "{sys.executable}" -m app --port=0 --workers={workers}'
    command += f' < "{os.ttyname(line)}" > "{os.ttyname(line)}" 2>&1'
    with subprocess.Popen(["sh", "-c", command], cwd=ROOT, start_new_session=True) as service:
        shown, limit = b"", time.monotonic() + LIMIT_S
        while shown.count(b"Application startup complete") < int(workers):
            assert time.monotonic() < limit, shown
            if select.select([terminal], [], [], 1)[0]:
                shown += os.read(terminal, 1024)
        os.close(line)
        os.close(terminal)
        assert service.wait(LIMIT_S) in (0, 1)
