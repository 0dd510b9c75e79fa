"""Make the C library give back what Python frees: by default it keeps a heap for each thread, and large pieces in it.

A batch is a thousand pieces of memory, too large for Python's own allocator, that live for as long as Meta takes to
answer.
"""

import ctypes

# Of glibc's malloc.h. A threshold that is set stays: else it grows to the largest piece that was ever freed.
_ARENA_MAX = -8
_MMAP_THRESHOLD = -3
_TRIM_THRESHOLD = -1
_THRESHOLD_BYTES = 128 * 1024


def return_what_is_freed() -> None:
    """Set glibc's allocator for this process; best before its threads start. Other C libraries are left alone."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # musl and macOS have none, and do not need it
        return
    mallopt(_ARENA_MAX, 1)
    mallopt(_MMAP_THRESHOLD, _THRESHOLD_BYTES)
    mallopt(_TRIM_THRESHOLD, _THRESHOLD_BYTES)
