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
        for each in descriptors:
            with contextlib.suppress(OSError, ValueError, StopIteration):
                if os.readlink(each.path) == target:  # noqa: PTH115
                    lines = Path(process, "fdinfo", each.name).read_text().splitlines()
                    flags = next(line for line in lines if line.startswith("flags:"))
                    if int(flags.split()[1], 8) & os.O_ACCMODE != os.O_RDONLY:
                        return True
    return False
