"""Every constant that some Python's ``socket`` has: first version, platforms, value on Linux x86-64.

The table is ``constants.tsv``. Sources: ``socketmodule.c`` of 2.7 to 3.14 and typeshed for names, versions and
platforms; CPython 3.13, else the C headers of Linux and BlueZ, for values.
"""

from __future__ import annotations

import pkgutil
import re
import socket
from dataclasses import dataclass
from functools import cache

OTHER = "Other"


@dataclass(frozen=True, slots=True)
class Constant:
    """A row of the table. ``value`` is decimal or text, "" where Linux has none."""

    name: str
    group: str
    first: tuple[int, int]
    """The first Python whose source has it; (2, 7) stands for that or older."""
    last: tuple[int, int] | None
    """The last Python whose source has it; None while it stays."""
    platforms: tuple[str, ...]
    """Of Linux, macOS, Windows and BSD; empty for what no current system's headers define, and what is not listed."""
    value: str
    listed: bool = True
    """Whether the table has it; False for what only the running ``socket`` shows."""


def _version(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    return int(major), int(minor)


@cache
def table() -> tuple[Constant, ...]:
    """The rows of ``constants.tsv``, in its order: by group, then by name."""
    # pkgutil reads it from a directory and from a zip alike; importing importlib.resources takes 20 ms.
    data = pkgutil.get_data("sockexplorer.core", "constants.tsv")
    assert data is not None
    rows = []
    for line in data.decode().splitlines()[1:]:
        name, group, versions, platforms, value = line.split("\t")
        first, _, last = versions.partition("-")
        rows.append(
            Constant(
                name,
                group,
                _version(first),
                _version(last) if last else None,
                tuple(platforms.split(", ")) if platforms else (),
                value,
            )
        )
    return tuple(rows)


@cache
def by_name() -> dict[str, Constant]:
    """The table's rows by name."""
    return {row.name: row for row in table()}


@cache
def _group_of_prefix() -> dict[str, str]:
    """``IPV6_`` → its group, for the groups whose title names the prefix."""
    groups = dict.fromkeys(row.group for row in table())
    return {prefix: group for group in groups for prefix in re.findall(r"\b([A-Z0-9_]+_)\*", group)}


def value_here(name: str) -> str:
    """The value that this Python gives the name, as decimal or text; "" where it has none."""
    value = getattr(socket, name, "")
    return str(int(value)) if isinstance(value, int) else str(value)


def is_constant(name: str) -> bool:
    """Whether this Python's ``socket`` has an upper-case int or str of that name."""
    value = getattr(socket, name, None)
    return name.isupper() and name[0] != "_" and isinstance(value, int | str) and not isinstance(value, bool)


@cache
def everything() -> tuple[Constant, ...]:
    """The table, and after it what the running ``socket`` has besides, grouped by prefix, else "Other"."""
    known = by_name()
    prefixes = _group_of_prefix()
    more = []
    for name in sorted(vars(socket)):
        if name not in known and is_constant(name):
            group = prefixes.get(name.partition("_")[0] + "_", OTHER)
            more.append(Constant(name, group, (2, 7), None, (), value_here(name), listed=False))
    return table() + tuple(more)
