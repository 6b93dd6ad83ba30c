import platform
import subprocess
import sys

import pytest

CODE = """
import re, sys
from pathlib import Path
from app.server.allocator import return_freed_memory

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024

if sys.argv[1] == "returned":
    return_freed_memory()
block = b"1" * 2**24
del block  # from now on glibc would keep blocks of this size
before = resident()
block = b"1" * 2**23
del block
print(resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left alone")
def test_return_freed_memory_returns_large_blocks_that_glibc_would_keep() -> None:
    def kept(argument: str) -> int:
        command = [sys.executable, "-c", CODE, argument]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert kept("returned") < 2**20 < kept("default")
