"""How the C library allocates memory in this process."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of mallopt(3)
# Bytes: more than the table of 1 MB that libwebp requests for every picture.
LARGE = 2**20 + 2**18
KEPT = 2**21  # bytes


def return_freed_memory() -> None:
    """Return large blocks to the system when they are freed, and keep little beside them.

    By itself, glibc learns from a large block that is freed to keep the next ones: up to 64 MB for
    each thread. Measured: after the most expensive pictures a worker kept 58 MB, now 14 MB; a
    progressive JPEG took up to 136 MB, now 100 MB; after four crowds of uploads 34 MB were kept
    with 16 MB beside the blocks, with 2 MB 25 MB. A WebP of four digits took 1.2 ms where its table
    was returned each time, and takes 0.3 ms. Other C libraries are left as they are.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    mallopt(M_MMAP_THRESHOLD, LARGE)
    mallopt(M_TRIM_THRESHOLD, KEPT)
