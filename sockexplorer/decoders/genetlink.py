"""Generic netlink: its header, and the controller's messages about families. Source: <linux/genetlink.h>."""

from __future__ import annotations

import struct
import sys

from sockexplorer.core.canframes import flag_names
from sockexplorer.decoders.attributes import attributes, text
from sockexplorer.decoders.tree import Node

GENL_ID_CTRL = 0x10
_HEADER = struct.Struct("=BBH")
_COMMANDS = (
    "UNSPEC", "NEWFAMILY", "DELFAMILY", "GETFAMILY", "NEWOPS", "DELOPS", "GETOPS", "NEWMCAST_GRP", "DELMCAST_GRP",
    "GETMCAST_GRP", "GETPOLICY",
)  # fmt: skip
_ATTRIBUTES = {
    1: "FAMILY_ID", 2: "FAMILY_NAME", 3: "VERSION", 4: "HDRSIZE", 5: "MAXATTR", 6: "OPS", 7: "MCAST_GROUPS",
    8: "POLICY", 9: "OP_POLICY", 10: "OP",
}  # fmt: skip
_OF_OPERATIONS = {1: "OP_ID", 2: "OP_FLAGS"}
_OF_GROUPS = {1: "MCAST_GRP_NAME", 2: "MCAST_GRP_ID"}
_CAPABILITIES = {"ADMIN_PERM": 1, "CMD_CAP_DO": 2, "CMD_CAP_DUMP": 4, "CMD_CAP_HASPOL": 8, "UNS_ADMIN_PERM": 16}


def body(message: Node, kind: int, payload: bytes, at: int, end: int) -> str:
    """Add what follows the header of a netlink message, and sum it up. Never raises."""
    if end - at < _HEADER.size:
        return ""
    command, version, _ = _HEADER.unpack_from(payload, at)
    controller = kind == GENL_ID_CTRL
    name = f"CTRL_CMD_{_COMMANDS[command]}" if controller and command < len(_COMMANDS) else f"command {command}"
    message.add("cmd", name, at, at + 1, command)
    message.add("version", version, at + 1, at + 2)
    if not controller:
        return f"{name} version {version}"
    found: dict[str, str] = {}
    for attribute, start, stop in attributes(payload, at + _HEADER.size, end):
        label = _ATTRIBUTES.get(attribute, f"attribute {attribute}")
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
        for _, start, stop in attributes(payload, at, end):
            _operation(node, payload, start, stop)
        return f"{len(node.children)} commands"
    return _number(node, data)


def _number(node: Node, data: bytes) -> str:
    """The number of a field of two or four bytes, else its bytes."""
    if len(data) not in (2, 4):
        return data.hex(" ")
    node.number = int.from_bytes(data, sys.byteorder)
    return str(node.number)


def _operation(parent: Node, payload: bytes, at: int, end: int) -> None:
    """``command 3 CMD_CAP_DO``: what may be asked for, and how."""
    operation = parent.add("operation", "", at, end)
    said = {}
    for kind, start, stop in attributes(payload, at + 4, end):
        name = _OF_OPERATIONS.get(kind, f"attribute {kind}")
        node = operation.add(name, "", start, stop)
        node.value = _number(node, payload[start + 4 : stop])
        if name == "OP_FLAGS" and node.number is not None:
            node.value = flag_names(node.number, _CAPABILITIES)
        said[name] = node.value
    operation.value = f"command {said.get('OP_ID', '')} {said.get('OP_FLAGS', '')}".strip()


def _group(parent: Node, payload: bytes, at: int, end: int) -> str:
    """``notify 16``: the name and the number of a multicast group."""
    group = parent.add("group", "", at, end)
    said = {}
    for kind, start, stop in attributes(payload, at + 4, end):
        name = _OF_GROUPS.get(kind, f"attribute {kind}")
        node = group.add(name, "", start, stop)
        data = payload[start + 4 : stop]
        node.value = text(data) if name == "MCAST_GRP_NAME" else _number(node, data)
        said[name] = node.value
    group.value = f"{said.get('MCAST_GRP_NAME', '')} {said.get('MCAST_GRP_ID', '')}".strip()
    return group.value
