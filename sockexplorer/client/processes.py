"""The names of this machine's processes, for the peers that the kernel tells by process id."""

from __future__ import annotations

from functools import lru_cache

from sockexplorer.core.text import escape


@lru_cache(maxsize=1024)
def program(pid: int) -> str:
    """The name of the program that a process runs, escaped; "" where that can't be told (it has ended, say)."""
    # Imported when a peer is met: the first paint need not wait for it.
    import psutil

    try:
        return escape(psutil.Process(pid).name(), 32)
    except (psutil.Error, ValueError, OverflowError):
        return ""
