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


FAULTS = """
import io, resource
from PIL import Image
from app.server.allocator import return_freed_memory

def draw():
    Image.new("L", (112, 28)).save(io.BytesIO(), "WEBP", lossless=True, quality=25, method=0)

return_freed_memory()
draw()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    draw()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
GLIBC = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="other C libraries are left alone"
)


def printed(code: str, *arguments: str) -> int:
    """The number that a program prints."""
    command = [sys.executable, "-c", code, *arguments]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@GLIBC
def test_return_freed_memory_returns_large_blocks_that_glibc_would_keep() -> None:
    assert printed(CODE, "returned") < 2**20 < printed(CODE, "default")


@GLIBC
def test_small_webp_requests_no_new_memory() -> None:
    """Each page that is requested again is a page fault, and libwebp's table has 256."""
    assert printed(FAULTS) < 20 * 100
