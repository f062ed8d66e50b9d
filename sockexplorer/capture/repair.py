"""The repair of a capture that ends within a record: it is cut at the last whole one."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path


def cut(path: Path, size: int, whole: int) -> int:
    """Cut a file of ``size`` bytes after ``whole``; the bytes that are gone.

    Raises BlockingIOError while another program writes it: it holds the lock (flock(2)), or the size is another;
    ValueError where nothing would be left, OSError.
    """
    if whole <= 0:
        raise ValueError("there is no whole record in it to keep")
    with contextlib.closing(os.fdopen(os.open(path, os.O_RDWR | os.O_CLOEXEC), "r+b")) as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(file.fileno()).st_size != size:
            raise BlockingIOError
        os.ftruncate(file.fileno(), whole)
    return size - whole
