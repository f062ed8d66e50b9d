"""The address families, one file each, found by discovery.

A file of this package declares a ``FAMILY``; that is all it takes to appear in the form, the doctor, the command
line and the tests. Families don't import each other: what several share is in `sockexplorer.core`.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from sockexplorer.core.family import Family
from sockexplorer.core.numbered import LAST, Numbered, constant_of
from sockexplorer.core.protocol import Protocol


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
    """The family called ``inet``, ``AF_INET`` or ``PF_INET``, in any case; a `Numbered` one for any other of Linux.

    Those are by number (``15``) or name (``key``). Raises KeyError naming the declared families.
    """
    wanted = name.upper()
    for each in all_families():
        bare = each.name.upper()
        if wanted in (bare, f"AF_{bare}", f"PF_{bare}"):
            return each
    constant = constant_of(name, frozenset(each.constant for each in all_families()))
    if constant is not None:
        return _numbered(constant)
    known = ", ".join(each.name for each in all_families())
    raise KeyError(f"there is no family {name!r}; there are {known}, and any other by its number, such as 15")


@cache
def _numbered(constant: str) -> Numbered:
    return Numbered(constant)


def numbered(domain: int) -> list[Family]:
    """The families that ``socket()``'s first argument means on this system: declared ones, else the one by number."""
    declared = [each for each in all_families() if not each.foreign and each.number == domain]
    return declared or ([family(str(domain))] if 0 < domain <= LAST else [])


def find(text: str) -> tuple[Family, Protocol]:
    """``inet/udp`` → the family and its protocol; the first protocol when none is given. Raises KeyError."""
    head, slash, tail = text.partition("/")
    found = family(head)
    return found, found.protocol(tail) if slash else found.protocols[0]
