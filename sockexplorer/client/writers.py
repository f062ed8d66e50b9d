"""Whether some process is writing a file. Source: proc(5), /proc/PID/fd and /proc/PID/fdinfo."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def is_written(path: Path) -> bool:
    """Whether a process has a regular file open for writing; False where that can't be told."""
    with contextlib.suppress(OSError), os.scandir("/proc") as processes:
        target = os.path.realpath(path)
        return any(each.name.isdecimal() and _writes(each.path, target) for each in processes)
    return False


def _writes(process: str, target: str) -> bool:
    """Whether a descriptor of a process is of the file, and may be written to."""
    with contextlib.suppress(OSError), os.scandir(f"{process}/fd") as descriptors:
        return any(_may_write(process, each, target) for each in descriptors)
    return False


def _may_write(process: str, descriptor: os.DirEntry[str], target: str) -> bool:
    with contextlib.suppress(OSError, ValueError, StopIteration):  # one that was closed meanwhile
        if os.readlink(descriptor.path) == target:  # noqa: PTH115
            lines = Path(process, "fdinfo", descriptor.name).read_text().splitlines()
            flags = next(line for line in lines if line.startswith("flags:"))
            return int(flags.split()[1], 8) & os.O_ACCMODE != os.O_RDONLY
    return False
