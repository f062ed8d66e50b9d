"""How likely an address that a family takes was meant for it: ``('lo', 3)`` is a packet socket's, not a host's."""

from __future__ import annotations

import re
import socket

from sockexplorer.core.family import Family
from sockexplorer.core.fields import Field, Integer
from sockexplorer.core.ip import classify
from sockexplorer.core.protocol import Protocol

UNLIKELY = 4
"""From here on an address is believed only where it can mean nothing else: as a Python literal, not as plain text."""
_ABSENT, _FOREIGN = 10, 20
_HOSTS = {"any": 0, "broadcast": 0, "numeric": 0, "loose": 3, "name": 3}


def implausible(family: Family, protocol: Protocol, address: object) -> int:
    """0 for an address that looks like the family's own, more the less it does; below 0 where it names constants."""
    elements = address if isinstance(address, tuple) else (address,)
    given = zip(family.fields(protocol), elements, strict=False)
    return (_FOREIGN if family.foreign else 0) + sum(_element(protocol, field, value) for field, value in given)


def _element(protocol: Protocol, field: Field, value: object) -> int:
    offers = field.kind.offers
    if offers.endswith("interfaces"):
        return _interface(field, value)
    if offers.startswith("local-hosts"):
        return _HOSTS.get(classify(value, 6 if offers.endswith("6") else 4), _ABSENT)
    if isinstance(field.kind, Integer):
        return _integer(field.kind, value)
    if offers == "unix-sockets":
        # A relative path is rare, and a name without a slash is mostly a word of something else.
        return 0 if isinstance(value, bytes) or (isinstance(value, str) and value[:1] in ("/", ".")) else UNLIKELY
    if offers.startswith("bluetooth"):
        text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        return -2 if re.fullmatch(r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}", text) else 2
    known = (field.default, protocol.local.get(field.name), protocol.remote.get(field.name))
    return UNLIKELY if isinstance(value, str) and value not in known else 0


def _interface(field: Field, value: object) -> int:
    name = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    # Named as the family's usual interface is: can0, vcan1 and slcan0 are CAN's whether this host has them or not.
    usual, letters = (each.rstrip("0123456789") for each in (field.default, name))
    if usual and (letters == usual or (len(usual) > 3 and letters.endswith(usual[1:]))):
        return -3  # more than a named ethertype beside it weighs
    return 0 if not name or name in {each for _, each in socket.if_nameindex()} else _ABSENT


def _integer(kind: Integer, value: object) -> int:
    if not isinstance(value, int):
        return _ABSENT
    if value in kind.names.values():
        return -2 if value and not kind.flags else -1  # 0 is everybody's default
    if kind.flags and 0 < value <= sum(kind.names.values()):
        return -1
    return 0 if kind.low <= value <= kind.high else 2
