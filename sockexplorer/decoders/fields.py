"""The fields of decoded payloads by name, ``nl.type`` or ``can.id``, for those who look for a value.

A name is the decoder's, a point, and the field's in lower case; a number counts as one whatever its notation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from sockexplorer.decoders import decode, j1939
from sockexplorer.decoders.tree import Node

PREFIXES = {"netlink": "nl"}
"""Short names of decoders, where they have one."""
_NUMBER = re.compile(r"(?:0x[0-9a-f]+|0|[1-9][0-9]*)\Z", re.IGNORECASE)
_NO_PGN = 0x40000
"""J1939_NO_PGN of <linux/can/j1939.h>."""


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
    # The messages of a datagram are no fields; their names are their types.
    for each in root.children if root.name == "netlink" else [root]:
        _collect(found, prefix, each)
    if family == "AF_CAN" and protocol == "j1939" and isinstance(peer, tuple):
        _group(found, peer)
    return found


def _collect(found: dict[str, list[Value]], prefix: str, parent: Node) -> None:
    for node in parent.children:
        _add(found, prefix, node)
        # What an error quotes of a request is not a message of its own.
        if node.name != "request":
            _collect(found, prefix, node)


def _add(found: dict[str, list[Value]], prefix: str, node: Node) -> None:
    if " " in node.name or node.name == "malformed":
        return
    name, number = node.name.lower(), node.number
    if number is None and len(node.value) < 25 and _NUMBER.match(node.value):
        number = int(node.value, 0)
    if prefix == "bcm" and name in j1939.PARTS:
        prefix = "can"
    found.setdefault(f"{prefix}.{'id' if name == 'can_id' else name}", []).append(Value(node.value, number))


def _group(found: dict[str, list[Value]], peer: tuple[object, ...]) -> None:
    """The parameter group and the source address of an address of CAN_J1939: (interface, name, pgn, address)."""
    for name, at, none in (("pgn", 2, _NO_PGN), ("src", 3, None)):
        value = peer[at] if len(peer) > at else None
        if isinstance(value, int) and value != none:
            said = j1939.group_text(value) if name == "pgn" else str(value)
            found.setdefault(f"can.{name}", []).append(Value(said, value))


def field_names() -> tuple[str, ...]:
    """The names of all fields that decoders give, in order; those of ``uevent`` are the kernel's own, without end."""
    from sockexplorer.decoders import can, genetlink, netlink, packet, rtnames, rtnetlink

    messages = ["type", "length", "flags", "seq", "pid", "error", "request", "cmd", "version", "group"]
    for parts in rtnetlink.BODIES.values():
        messages += [part.name for part in parts if part.name]
    for _, numbers in rtnetlink.STRUCTURES.values():
        messages += numbers
    for names in (*rtnames.ATTRIBUTES.values(), rtnames.INFO, rtnames.XDP, rtnames.PROPERTIES, rtnames.METRICS):
        messages += names.values()
    messages += [*netlink._EXT_ACK.values(), *genetlink._ATTRIBUTES.values(), *genetlink._OF_OPERATIONS.values()]
    messages += [*genetlink._OF_GROUPS.values(), "operation", "rtnh_flags", "weight"]
    topology = (
        "event", "found_lower", "found_upper", "port.ref", "port.node", "subscription", "type", "lower", "upper",
        "timeout", "filter", "usr_handle",
    )  # fmt: skip
    known: dict[str, tuple[str, ...] | list[str]] = {
        "nl": messages,
        "can": (*can.FIELDS, *j1939.PARTS),
        "bcm": ("opcode", "flags", "count", "ival1", "ival2", "nframes", *can.FIELDS),
        "j1939": ("name", *(name for name, _, _ in can._NAME_PARTS)),
        "eth": packet.FIELDS,
        "uevent": ("action", "devpath", "subsystem", "seqnum", "devname", "interface"),
        "qrtr": ("cmd", "service", "instance", "node", "port"),
        "tipc": topology,
    }
    return tuple(sorted({f"{prefix}.{name.lower()}" for prefix, names in known.items() for name in names}))


IN_HEADS = frozenset(
    f"can.{each}" for each in ("id", "format", "id_flags", "len", "len8_dlc", "flags", "vcid", "sdt", *j1939.PARTS)
) | {f"eth.{each}" for each in ("dst", "src", "vlan", "priority", "type", "length")}
"""Fields that a frame's size, its peer and its first bytes tell, whatever follows, where `HEADS` says how many."""
NUMBERS = frozenset(f"can.{each}" for each in j1939.PARTS)
"""Fields that say a number, and its name behind it where there is one."""
HEADS = {"can/raw": 8, "can/j1939": 0, "can/isotp": 0}
OPEN_PREFIXES = ("uevent",)
"""Decoders whose names come from what they read."""


def message_types() -> tuple[str, ...]:
    """What ``nl.type`` may be: the names of rtnetlink's messages, and of those that every protocol has."""
    from sockexplorer.decoders import netlink

    every = [netlink.type_name("route", kind) for kind in range(128)]
    return tuple(each for each in every if not each.startswith("type "))
