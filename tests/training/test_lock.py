import os
import subprocess
import sys
from pathlib import Path

import pytest

from training.lock import LockedError, locked

WAIT = """
import sys, time
from pathlib import Path
from training.lock import locked
with locked(Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(600)
"""


def test_second_training_in_a_folder_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    with locked(run_dir):
        sentence = (
            rf"^Another training works in the folder {run_dir} \(process {os.getpid()}\); wait"
        )
        with pytest.raises(LockedError, match=sentence), locked(run_dir):
            pass
        with locked(tmp_path / "other"):
            pass
    with locked(run_dir):
        pass


def test_killed_training_frees_its_folder(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WAIT, str(tmp_path)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(LockedError, match=f"process {process.pid}"), locked(tmp_path):
            pass
        process.kill()
    with locked(tmp_path):
        pass
