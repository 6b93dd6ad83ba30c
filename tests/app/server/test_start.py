import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.launcher import ROOT

THREADS = """
import os
from app.server.start import prepare_process
prepare_process()
import numpy
square = numpy.ones((1000, 1000), numpy.float32)
square @ square
print(len(os.listdir("/proc/self/task")))
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to count threads")
def test_numpy_multiplies_on_one_thread() -> None:
    names = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    command = [sys.executable, "-c", THREADS]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    assert done.stdout.split() == [b"1"]
