"""The first step of an answer: does this Python have the name, and if not, why and what then?"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterable
from platform import python_version

from sockexplorer.core.constant_table import Constant, by_name
from sockexplorer.core.constants import LINUX

_SPECIAL: dict[str, tuple[str, str]] = {
    "AF_BLUETOOTH": (
        "a build has it only where <bluetooth/bluetooth.h> was installed",
        "use a Python built with it: Debian's /usr/bin/python3 is",
    ),
    "CAN_RAW_ERR_FILTER": (
        "3.11, 3.12 and 3.13 lose it on Linux: they look for a macro, the header has an enumerator",
        "Python 3.14 has it again",
    ),
}
# What needs the same header, and so comes and goes with AF_BLUETOOTH.
_BLUETOOTH = ("BT_", "BDADDR_", "BTPROTO_", "HCI_", "L2CAP_", "SOL_HCI")


def system() -> str:
    """This system by the table's names: Linux, macOS, Windows or BSD."""
    names = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}
    return names.get(sys.platform, "BSD" if "bsd" in sys.platform else sys.platform)


def in_python(name: str) -> bool:
    """Whether ``socket`` has the name; a plain number needs none."""
    return hasattr(socket, name) or name.isdigit()


def number_here(name: str) -> int | None:
    """The number by which this system's kernel knows the name; None where nothing tells."""
    value = getattr(socket, name, None)
    if isinstance(value, int):
        return int(value)
    if name.isdigit():
        return int(name)
    if system() != "Linux":
        return None  # The other sources are Linux's.
    if name in LINUX:
        return LINUX[name]
    row = by_name().get(name)
    return int(row.value) if row is not None and row.value.lstrip("-").isdigit() else None


def has(names: Iterable[str]) -> str:
    """The evidence that this Python has names; numbers need none."""
    known = [f"{name} = {number_here(name)}" for name in names if not name.isdigit()]
    return f"Python {python_version()} has {', '.join(known)}"


def others_only(row: Constant | None) -> bool:
    """Whether the constant belongs to other systems than this one."""
    return row is not None and bool(row.platforms) and system() not in row.platforms


def lack(name: str, row: Constant | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Evidence and fixes for a name that this Python does not have."""
    evidence = [f"this Python ({python_version()}) has no socket.{name}"]
    fixes = []
    version = sys.version_info[:2]
    if row is None:
        evidence.append("CPython does not name it")
    elif row.last is not None:
        evidence.append(f"it needs C headers that are gone; CPython dropped it after {_text(row.last)}")
    elif not row.platforms:
        evidence.append("no current system's C headers have it")
    elif version < row.first:
        evidence.append(f"it came with Python {_text(row.first)}")
        fixes.append(f"Python {_text(row.first)} or later has it, when built where the C headers do")
    elif name not in _SPECIAL or name.startswith("AF_"):
        evidence.append(f"CPython has it since {_text(row.first)}: the C headers of this build lacked it")
    special = _SPECIAL.get("AF_BLUETOOTH" if name.startswith(_BLUETOOTH) and version >= _first(row) else name)
    if special is not None:
        evidence.append(special[0])
        fixes.append(special[1])
    number = number_here(name)
    if number is not None and not name.startswith(("AF_", "PF_")):
        fixes.append(f"use the number {number}")
    return tuple(evidence), tuple(fixes)


def _text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}" if version > (2, 7) else "2.7 or older"


def _first(row: Constant | None) -> tuple[int, int]:
    return row.first if row is not None else (99, 0)
