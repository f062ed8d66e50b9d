"""An address with nothing around it: a Python literal, or the plain form that people type.

No family is named, so every protocol whose declaration takes the address is a reading, the likeliest first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol
from sockexplorer.families import all_families
from sockexplorer.notations.expression import Unknown, literal
from sockexplorer.notations.plausible import UNLIKELY, implausible
from sockexplorer.notations.reading import LONGEST_ELEMENT, Reading, accepts

_MOST_COLONS = 16
"""An IPv6 address with a port has at most 8 in its plain form, a Bluetooth address 5."""
PYTHON, PLAIN = "Python literal", "address as typed"
_LITERAL = re.compile(r"""\(|[bBrRuU]{0,2}['"]|bytearray\(|-?\d+\s*\Z""")


def read(text: str, preferred: tuple[Family, Protocol] | None = None) -> Iterator[Reading]:
    """The readings of an address alone. ``preferred`` is asked first, and about any text."""
    text = text.strip()
    literal_ = _LITERAL.match(text) is not None
    short = len(text) <= LONGEST_ELEMENT and text.count(":") <= _MOST_COLONS and "\n" not in text
    if preferred is not None and (literal_ or short):
        yield from _as_typed(*preferred, text)
    if literal_:
        yield from _python(text)
    elif short and not re.fullmatch(r"\d*", text):
        yield from _plain(text)


def _as_typed(family: Family, protocol: Protocol, text: str) -> Iterator[Reading]:
    try:
        address = family.read(protocol, text)
    except (ValueError, TypeError, OverflowError):
        return
    if accepts(family, protocol, address):
        yield _reading(family, protocol, address, PYTHON if text[:1] in ("(", "'", '"', "b") else PLAIN)


def _python(text: str) -> Iterator[Reading]:
    try:
        address = literal(text)
    except Unknown:
        return
    found = []
    for family in all_families():
        for protocol in family.protocols:
            if accepts(family, protocol, address):
                found.append((implausible(family, protocol, address), family, protocol))
    for _, family, protocol in sorted(found, key=lambda each: each[0]):
        yield _reading(family, protocol, address, PYTHON)


def _plain(text: str) -> Iterator[Reading]:
    found = []
    for family in all_families():
        for protocol in family.protocols:
            try:
                address = family.plain(protocol, text)
            except (ValueError, TypeError, OverflowError):
                continue
            if accepts(family, protocol, address):
                found.append((implausible(family, protocol, address), family, protocol, address))
    # Any word is a host name, and any number a loose form of a host.
    limit = UNLIKELY if ":" in text else UNLIKELY - 1
    for doubt, family, protocol, address in sorted(found, key=lambda each: each[0]):
        if doubt < limit:
            yield _reading(family, protocol, address, PLAIN)


def _reading(family: Family, protocol: Protocol, address: object, notation: str) -> Reading:
    if {"bind", "listen"} & set(protocol.operations):
        return Reading(family, protocol, None, local=address, notation=notation)
    return Reading(family, protocol, None, remote=address, notation=notation)
