"""Generic netlink: its header, and the controller's messages about families. Source: <linux/genetlink.h>."""

from __future__ import annotations

import struct
import sys

from sockexplorer.decoders.attributes import attributes, text
from sockexplorer.decoders.tree import Node

GENL_ID_CTRL = 0x10
_HEADER = struct.Struct("=BBH")
_COMMANDS = (
    "UNSPEC", "NEWFAMILY", "DELFAMILY", "GETFAMILY", "NEWOPS", "DELOPS", "GETOPS", "NEWMCAST_GRP", "DELMCAST_GRP",
    "GETMCAST_GRP", "GETPOLICY",
)  # fmt: skip
_ATTRIBUTES = {1: "FAMILY_ID", 2: "FAMILY_NAME", 3: "VERSION", 4: "HDRSIZE", 5: "MAXATTR", 6: "OPS", 7: "MCAST_GROUPS"}
_GROUP_NAME, _GROUP_ID = 1, 2


def body(message: Node, kind: int, payload: bytes, at: int, end: int) -> str:
    """Add what follows the header of a netlink message, and sum it up. Never raises."""
    if end - at < _HEADER.size:
        return ""
    command, version, _ = _HEADER.unpack_from(payload, at)
    controller = kind == GENL_ID_CTRL
    name = f"CTRL_CMD_{_COMMANDS[command]}" if controller and command < len(_COMMANDS) else f"command {command}"
    message.add("cmd", name, at, at + 1)
    message.add("version", version, at + 1, at + 2)
    if not controller:
        return f"{name} version {version}"
    found: dict[str, str] = {}
    for attribute, start, stop in attributes(payload, at + _HEADER.size, end):
        label = _ATTRIBUTES.get(attribute)
        if label is None:
            continue
        node = message.add(label, "", start, stop)
        node.value = found[label] = _value(node, label, payload, start + 4, stop)
    said = [name, found.get("FAMILY_NAME", "")]
    said += [
        f"{word} {found[label]}" for label, word in (("FAMILY_ID", "id"), ("VERSION", "version")) if label in found
    ]
    if found.get("MCAST_GROUPS"):
        said.append(f"groups {found['MCAST_GROUPS']}")
    return " ".join(filter(None, said))


def _value(node: Node, label: str, payload: bytes, at: int, end: int) -> str:
    data = payload[at:end]
    if label == "FAMILY_NAME":
        return text(data)
    if label == "MCAST_GROUPS":
        return ", ".join(_group(node, payload, start, stop) for _, start, stop in attributes(payload, at, end))
    if label == "OPS":
        return f"{sum(1 for _ in attributes(payload, at, end))} commands"
    return str(int.from_bytes(data, sys.byteorder)) if len(data) in (2, 4) else data.hex(" ")


def _group(node: Node, payload: bytes, at: int, end: int) -> str:
    """``notify 16``: the name and the number of a multicast group."""
    found = {kind: payload[start + 4 : stop] for kind, start, stop in attributes(payload, at + 4, end)}
    number = found.get(_GROUP_ID, b"")
    said = text(found.get(_GROUP_NAME, b""))
    if len(number) == 4:
        said = f"{said} {struct.unpack('=I', number)[0]}"
    node.add("group", said, at, end)
    return said
