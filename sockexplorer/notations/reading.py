"""What a notation was read as, and what every notation needs to say so: which protocol, and whether an address fits.

The declarations of the families decide: a new family is read without a change here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sockexplorer.core.constants import number
from sockexplorer.core.endpoint import SetOption
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Operation, Protocol

LONGEST = 8192
"""Characters of a text that is looked at; no notation of an address is longer, but for a payload beside it."""
LONGEST_ELEMENT = 512
"""Characters or bytes of a part of an address. A path has 107 bytes, a host name 253; what is far longer is something
else, and reading it as a host takes seconds (the ``idna`` codec)."""
_TYPE_MASK = 0xF
"""The bits of socket()'s second argument that are the type; SOCK_NONBLOCK and SOCK_CLOEXEC are above (socket(2))."""


@dataclass(frozen=True)
class Reading:
    """One way to understand a text: the endpoint that it describes, as far as it says.

    ``operation`` is None where the text tells only an address, or only a kind of socket; an address alone stands in
    ``local`` where the protocol binds, else in ``remote``. ``proto`` is the protocol number of a raw socket, as in
    `sockexplorer.core.endpoint.Endpoint`. ``notation`` names what it was read as.
    """

    family: Family
    protocol: Protocol
    operation: Operation | None
    local: object = None
    remote: object = None
    proto: int | None = None
    options: tuple[SetOption, ...] = ()
    notation: str = ""

    @property
    def bare(self) -> bool:
        """Whether it is an address alone, which may be meant either way: to be bound, or to be reached."""
        return self.operation is None and (self.local is None) != (self.remote is None)


def numbers(protocol: Protocol) -> tuple[int, int]:
    """Type and protocol number; (-1, -1) where this Python has no number for one of them."""
    try:
        return protocol.type_number, protocol.proto_number
    except KeyError:
        return -1, -1


def fitting(family: Family, kind: int | None, proto: int) -> list[tuple[Protocol, int | None]]:
    """The protocols that ``socket(family, kind, proto)`` may open, with the number to set beside each (raw sockets).

    ``kind`` is None where the text does not tell the type. Nothing fits where the family declares no such protocol.
    """
    declared = {each.name: numbers(each) for each in family.protocols}
    same = [
        each for each in family.protocols if kind is None or declared[each.name][0] == kind & _TYPE_MASK
    ]  # fmt: skip
    exact = [each for each in same if declared[each.name][1] == proto]
    if exact:
        return [(each, proto if each.proto_choices else None) for each in exact]
    if kind is not None and (chosen := [each for each in same if each.proto_choices]):
        return [(each, proto) for each in chosen]
    # 0 is the default of the type; and a family whose protocols are all 0 takes any number (AF_PACKET's ethertype).
    if same and (proto == 0 or not any(declared[each.name][1] for each in same)):
        return [(same[0], None)]
    # Where each protocol has a number of its own, the type tells nothing (netlink(7): RAW and DGRAM are the same).
    if len({each[1] for each in declared.values()}) == len(declared):
        return [(each, None) for each in family.protocols if declared[each.name][1] == proto]
    return []


def accepts(family: Family, protocol: Protocol, address: object) -> bool:
    """Whether CPython's parser takes the address for a socket of this protocol."""
    parts = address if isinstance(address, tuple) else (address,)
    if any(isinstance(each, str | bytes) and len(each) > LONGEST_ELEMENT for each in parts):
        return False
    try:
        family.check(protocol, address)
    except (ValueError, TypeError, OverflowError):
        return False
    return True


def usable(family: Family, protocol: Protocol, address: object) -> object:
    """An address that the kernel gave back, as the parser takes it; None where it can't be one.

    Python's Bluetooth gives back a str or an int where it wants bytes or a tuple; its text is read instead.
    """
    if address is None or accepts(family, protocol, address):
        return address
    try:
        again = family.plain(protocol, family.text(address))
    except (ValueError, TypeError, OverflowError):
        return None
    return again if accepts(family, protocol, again) else None


def operation(protocol: Protocol, *wanted: Operation) -> Operation | None:
    """The first of these that the protocol offers."""
    return next((each for each in wanted if each in protocol.operations), None)


def ends(
    family: Family,
    protocol: Protocol,
    local: object,
    remote: object,
    *,
    listening: bool = False,
    proto: int | None = None,
    options: tuple[SetOption, ...] = (),
    notation: str,
) -> Iterator[Reading]:
    """The readings of a socket with these ends, as the kernel or Python shows them; None for an end that is not shown.

    A connected stream may have been accepted: it is read as connecting, then as listening at its own end.
    """
    if local is None and remote is None:
        yield Reading(family, protocol, None, proto=proto, options=options, notation=notation)
    elif remote is None:
        does = operation(protocol, "listen", "bind") if listening else operation(protocol, "bind", "listen")
        yield Reading(family, protocol, does, local, None, proto, options, notation)
    else:
        does = operation(protocol, "connect", "bind")
        yield Reading(family, protocol, does, local, remote, proto, options, notation)
        if local is not None and protocol.connections:
            yield Reading(family, protocol, operation(protocol, "listen"), local, None, proto, options, notation)


def set_option(protocol: Protocol, level: int, name: int, value: int | bytes) -> SetOption:
    """The option with these numbers: under its names where the protocol declares it, else under the numbers."""
    for each in protocol.options:
        if (number(each.level), number(each.name)) == (level, name):
            return SetOption(each.level, each.name, value)
    return SetOption(str(level), str(name), value)
