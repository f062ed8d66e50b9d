"""The file of a spool: one in memory for those who are given none, and how blocks are written to any."""

from __future__ import annotations

import ctypes
import os
from typing import Any

MOST_PARTS = 16


def scratch_file() -> int | None:
    """A descriptor of a file in memory (memfd_create(2)); None where there can be none, or none that grows."""
    import resource

    limited = resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY
    return None if limited or not hasattr(os, "memfd_create") else os.memfd_create("sockexplorer engine")


def put(file: int, parts: tuple[bytes | memoryview, ...], size: int, offset: int) -> None:
    """Write all of the parts, of ``size`` bytes, at an offset. Raises OSError."""
    if len(parts) > MOST_PARTS:
        parts = (b"".join(parts),)
    done = os.pwritev(file, parts, offset)
    if done < size:
        rest = memoryview(b"".join(parts))
        while done < size:
            done += os.pwrite(file, rest[done:], offset + done)


def _find_pwritev() -> Any:
    function = ctypes.CDLL(None, use_errno=True).pwritev
    function.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_long]
    function.restype = ctypes.c_ssize_t
    return function


try:
    pwritev = _find_pwritev()
except (OSError, AttributeError):  # then there is no recvmmsg either, whose batches it writes
    pwritev = None
