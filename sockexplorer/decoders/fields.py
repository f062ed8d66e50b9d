"""The fields of decoded payloads by name, ``nl.type`` or ``can.id``, for those who look for a value.

A name is the decoder's, a point, and the field's in lower case; a number counts as one whatever its notation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from sockexplorer.decoders import decode
from sockexplorer.decoders.tree import Node

PREFIXES = {"netlink": "nl"}
"""Short names of decoders, where they have one."""
_NUMBER = re.compile(r"(?:0x[0-9a-f]+|0|[1-9][0-9]*)\Z", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]{1,8}\Z", re.IGNORECASE)
_NO_PGN = 0x40000
"""J1939_NO_PGN of <linux/can/j1939.h>."""
_EXTENDED_DIGITS = 8
"""can-utils write an extended identifier with so many digits."""


class Value(NamedTuple):
    """What a field says: its text, and the number that it is, if it is one."""

    text: str
    number: int | None = None


Values = Mapping[str, list[Value]]


def field_values(family: str, protocol: str, payload: bytes, peer: object = None) -> dict[str, list[Value]]:
    """Every field of a payload by its name; several values where a payload has several messages. Never raises."""
    found: dict[str, list[Value]] = {}
    root = decode(family, protocol, payload, peer)
    prefix = PREFIXES.get(root.name, root.name)
    if root.children:
        for _, node in root.walk():
            _add(found, prefix, node)
    if root.name == "netlink":
        found["nl.type"] = [Value(each.name) for each in root.children if each.name != "malformed"]
    if family == "AF_CAN" and protocol == "j1939" and isinstance(peer, tuple):
        _group(found, peer)
    return found


def _add(found: dict[str, list[Value]], prefix: str, node: Node) -> None:
    if " " in node.name:
        return
    if node.name == "can_id":
        number = int(node.value, 16) if _HEX.match(node.value) else None
        found.setdefault(f"{prefix}.id", []).append(Value(node.value, number))
        if number is not None and len(node.value) == _EXTENDED_DIGITS:
            _identifier(found, number)
        return
    number = int(node.value, 0) if len(node.value) < 25 and _NUMBER.match(node.value) else None
    found.setdefault(f"{prefix}.{node.name.lower()}", []).append(Value(node.value, number))


def _identifier(found: dict[str, list[Value]], number: int) -> None:
    """What SAE J1939-21 reads in an extended identifier: priority, parameter group, destination, source."""
    page, form, specific = number >> 24 & 3, number >> 16 & 0xFF, number >> 8 & 0xFF
    pgn = page << 16 | form << 8 | (specific if form >= 240 else 0)
    for name, value in (("prio", number >> 26), ("pgn", pgn), ("src", number & 0xFF)):
        found.setdefault(f"can.{name}", []).append(Value(str(value), value))
    if form < 240:
        found.setdefault("can.dst", []).append(Value(str(specific), specific))


def _group(found: dict[str, list[Value]], peer: tuple[object, ...]) -> None:
    """The parameter group and the source address of an address of CAN_J1939: (interface, name, pgn, address)."""
    for name, at, none in (("pgn", 2, _NO_PGN), ("src", 3, None)):
        value = peer[at] if len(peer) > at else None
        if isinstance(value, int) and value != none:
            found.setdefault(f"can.{name}", []).append(Value(str(value), value))


def field_names() -> tuple[str, ...]:
    """The names of all fields that decoders give, in order; those of ``uevent`` are the kernel's own, without end."""
    from sockexplorer.decoders import can, genetlink, netlink

    messages = ["type", "length", "flags", "seq", "pid", "error", "request", "cmd", "version", "group"]
    for _, names, attributes in netlink._BODIES.values():
        messages += [*names, *attributes.values()]
    messages += [*netlink._EXT_ACK.values(), *genetlink._ATTRIBUTES.values()]
    topology = (
        "event", "found_lower", "found_upper", "port.ref", "port.node", "subscription", "type", "lower", "upper",
        "timeout", "filter", "usr_handle",
    )  # fmt: skip
    known: dict[str, tuple[str, ...] | list[str]] = {
        "nl": messages,
        "can": ("id", "id_flags", "len", "flags", "data", "error", "pgn", "prio", "src", "dst"),
        "bcm": ("opcode", "flags", "count", "ival1", "ival2", "id", "nframes", "id_flags", "len", "data", "error"),
        "j1939": ("name", *(name for name, _, _ in can._NAME_PARTS)),
        "uevent": ("action", "devpath", "subsystem", "seqnum", "devname", "interface"),
        "qrtr": ("cmd", "service", "instance", "node", "port"),
        "tipc": topology,
    }
    return tuple(sorted({f"{prefix}.{name.lower()}" for prefix, names in known.items() for name in names}))


OPEN_PREFIXES = ("uevent",)
"""Decoders whose names come from what they read."""


def message_types() -> tuple[str, ...]:
    """What ``nl.type`` may be: the names of rtnetlink's messages, and of those that every protocol has."""
    from sockexplorer.decoders import netlink

    every = [netlink.type_name("route", kind) for kind in range(128)]
    return tuple(dict.fromkeys(each for each in every if not each.startswith("type ")))
