"""The address families, one file each, found by discovery.

A file of this package declares a ``FAMILY``; that is all it takes to appear in the form, the doctor, the command
line and the tests. Families don't import each other: what several share is in `sockexplorer.core`.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from sockexplorer.core.family import Family, Protocol


@cache
def all_families() -> tuple[Family, ...]:
    """Every declared family, in the order that they are shown: by ``ORDER`` of their file, then by name."""
    found: list[tuple[int, str, Family]] = []
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        family: Family = module.FAMILY
        found.append((getattr(module, "ORDER", 100), family.constant, family))
    return tuple(family for _, _, family in sorted(found, key=lambda each: each[:2]))


def family(name: str) -> Family:
    """The family called ``inet``, ``AF_INET`` or ``PF_INET``, in any case. Raises KeyError naming those there are."""
    wanted = name.upper()
    for each in all_families():
        bare = each.name.upper()
        if wanted in (bare, f"AF_{bare}", f"PF_{bare}"):
            return each
    raise KeyError(f"there is no family {name!r}; there are {', '.join(each.name for each in all_families())}")


def find(text: str) -> tuple[Family, Protocol]:
    """``inet/udp`` → the family and its protocol; the first protocol when none is given. Raises KeyError."""
    head, slash, tail = text.partition("/")
    found = family(head)
    return found, found.protocol(tail) if slash else found.protocols[0]
