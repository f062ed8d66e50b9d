"""What there is to choose from where the engine runs: interfaces, names of sockets, algorithms, devices.

Answered with the standard library, as the engine may be anywhere. Everything comes as JSON, not escaped.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from sockexplorer.engine.adapters import adapters, local_cid
from sockexplorer.engine.algorithms import COMMON, algorithms
from sockexplorer.engine.interfaces import interfaces

PROC_UNIX = Path("/proc/net/unix")
_TYPES = {1: "stream", 2: "dgram", 5: "seqpacket"}


def inventory(what: str) -> object:
    """What there is of a kind: a key of `KINDS`. Raises KeyError for another, OSError when the system tells nothing."""
    return KINDS[what]()


def unix_sockets(path: Path = PROC_UNIX) -> list[tuple[str, str]]:
    """Paths and abstract names (with ``@``) of the named UNIX sockets, with their types (proc(5), /proc/net/unix)."""
    found = set()
    for line in path.read_bytes().splitlines()[1:]:
        # Num, RefCount, Protocol, Flags, Type, St, Inode, Path: a path with a newline leaves a line that is none.
        columns = line.split(None, 7)
        if len(columns) == 8 and columns[0].endswith(b":"):
            number = int(columns[4], 16)
            found.add((os.fsdecode(columns[7]), _TYPES.get(number, str(number))))
    return sorted(found)


KINDS: dict[str, Callable[[], object]] = {
    "interfaces": lambda: [asdict(each) for each in interfaces()],
    "unix-sockets": unix_sockets,
    "algorithms": lambda: {kind: algorithms(kind) for kind in COMMON},
    "adapters": lambda: [asdict(each) for each in adapters()],
    "cid": local_cid,
}
