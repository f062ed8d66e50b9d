"""How much memory, or room on a disk, could be taken without anybody missing it."""

from __future__ import annotations

import contextlib
import math
import os
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")


def spare(groups: Path = GROUPS, own: str | None = None) -> int:
    """Bytes that nobody uses, of the machine and of every control group that we are in, as in a container.

    ``groups`` is where cgroups are mounted, ``own`` our path there, of either version. Linux only. Source: sysconf(3),
    cgroups(7), the kernel's admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
    """
    found = [os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for mount, controller, names in (
        (groups, "", ("memory.max", "memory.current")),
        (groups / "memory", "memory", ("memory.limit_in_bytes", "memory.usage_in_bytes")),
    ):
        inside = mount / (_own(controller) if own is None else own).strip("/")
        # A group without a limit says "max"; the root of all has no such files.
        for each in (inside, *inside.parents):
            with contextlib.suppress(OSError, ValueError):
                limit, used = (int((each / name).read_text()) for name in names)
                found.append(limit - used)
    return max(0, min(found))


def spare_for(file: int) -> float:
    """Bytes that the file system of an open file has left; without end where it has no bound, as that of files in
    memory. Source: statvfs(3)."""
    told = os.fstatvfs(file)
    return told.f_bavail * told.f_frsize if told.f_blocks else math.inf


def _own(controller: str) -> str:
    """Our path among the groups of a controller of version 1; of version 2 where that is ""."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, names, path = line.split(":", 2)
            if controller in names.split(","):
                return path
    return ""
