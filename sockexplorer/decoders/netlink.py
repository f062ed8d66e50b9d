"""Netlink messages: headers, and of rtnetlink what changed. Source: netlink(7), rtnetlink(7), <linux/rtnetlink.h>."""

from __future__ import annotations

import os
import socket
import struct

from sockexplorer.core.advice import errno_name
from sockexplorer.decoders.tree import Node

_HEADER = struct.Struct("=IHHII")
_CONTROL = {1: "NLMSG_NOOP", 2: "NLMSG_ERROR", 3: "NLMSG_DONE", 4: "NLMSG_OVERRUN"}
_OBJECTS = {
    16: "LINK", 20: "ADDR", 24: "ROUTE", 28: "NEIGH", 32: "RULE", 36: "QDISC", 40: "TCLASS", 44: "TFILTER",
    48: "ACTION", 52: "PREFIX", 56: "MULTICAST", 60: "ANYCAST", 64: "NEIGHTBL", 68: "NDUSEROPT", 72: "ADDRLABEL",
    76: "DCB", 80: "NETCONF", 84: "MDB", 88: "NSID", 92: "STATS",
}  # fmt: skip
_VERBS = ("NEW", "DEL", "GET", "SET")
_FLAGS = {1: "REQUEST", 2: "MULTI", 4: "ACK", 8: "ECHO", 16: "DUMP_INTR", 32: "DUMP_FILTERED"}
_IFF = {0x1: "UP", 0x2: "BROADCAST", 0x8: "LOOPBACK", 0x40: "RUNNING", 0x1000: "MULTICAST", 0x10000: "LOWER_UP"}
_OPERSTATE = ("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")
_IFLA = {1: "ADDRESS", 2: "BROADCAST", 3: "IFNAME", 4: "MTU", 16: "OPERSTATE"}
_IFA = {1: "ADDRESS", 2: "LOCAL", 3: "LABEL", 4: "BROADCAST"}
_RTA = {1: "DST", 2: "SRC", 4: "OIF", 5: "GATEWAY", 6: "PRIORITY", 7: "PREFSRC", 15: "TABLE"}
_NDA = {1: "DST", 2: "LLADDR"}
_BODIES: dict[str, tuple[struct.Struct, tuple[str, ...], dict[int, str]]] = {
    "LINK": (struct.Struct("=BxHiII"), ("family", "type", "index", "flags", "change"), _IFLA),
    "ADDR": (struct.Struct("=BBBBI"), ("family", "prefixlen", "flags", "scope", "index"), _IFA),
    "ROUTE": (struct.Struct("=BBBBBBBBI"),
              ("family", "dst_len", "src_len", "tos", "table", "protocol", "scope", "type", "flags"), _RTA),
    "NEIGH": (struct.Struct("=BxxxiHBB"), ("family", "index", "state", "flags", "type"), _NDA),
}  # fmt: skip
MOST_MESSAGES = 512


def decode_netlink(protocol: str, payload: bytes) -> Node:
    """A child for each message; the root's value sums them up in a line. Never raises."""
    root = Node("netlink", "", 0, len(payload))
    if protocol == "kobject-uevent":
        return _uevent(payload)
    at = 0
    summaries: list[str] = []
    while at + _HEADER.size <= len(payload) and len(root.children) < MOST_MESSAGES:
        length, kind, flags, seq, pid = _HEADER.unpack_from(payload, at)
        end = min(at + length, len(payload))
        if length < _HEADER.size:
            root.add("malformed", f"a message says it has {length} bytes", at, len(payload))
            break
        name = type_name(protocol, kind)
        message = root.add(name, "", at, end)
        message.add("length", length, at, at + 4)
        message.add("flags", _names(flags & 0xFF, _FLAGS) or "0", at + 6, at + 8)
        message.add("seq", seq, at + 8, at + 12)
        message.add("pid", pid, at + 12, at + 16)
        message.value = _body(message, name, payload, at + _HEADER.size, end)
        summaries.append(f"{name} {message.value}".rstrip())
        at += (length + 3) & ~3
    root.value = "; ".join(summaries[:3]) + (f"; and {len(summaries) - 3} more" if len(summaries) > 3 else "")
    return root


def type_name(protocol: str, kind: int) -> str:
    """``RTM_NEWLINK`` for 16 on NETLINK_ROUTE, ``NLMSG_ERROR`` for 2 anywhere, else ``type N``."""
    if kind in _CONTROL:
        return _CONTROL[kind]
    if protocol == "route" and kind >= 16 and (kind & ~3) in _OBJECTS:
        return f"RTM_{_VERBS[kind & 3]}{_OBJECTS[kind & ~3]}"
    return f"type {kind}"


def _names(value: int, names: dict[int, str]) -> str:
    return "|".join(name for bit, name in names.items() if value & bit)


def _body(message: Node, name: str, payload: bytes, at: int, end: int) -> str:
    if name == "NLMSG_ERROR" and end - at >= 4:
        (code,) = struct.unpack_from("=i", payload, at)
        text = f"{errno_name(-code)} {os.strerror(-code)}" if -4096 < code < 0 else f"code {code}"
        text = text if code else "acknowledged"
        message.add("error", text, at, at + 4)
        return text
    known = _BODIES.get(name[7:]) if name.startswith("RTM_") else None
    if known is None or end - at < known[0].size:
        return ""
    layout, names, attributes = known
    values = dict(zip(names, layout.unpack_from(payload, at), strict=True))
    for each, value in values.items():
        message.add(each, value, at, at + layout.size)
    found = _attributes(message, payload, at + layout.size, end, attributes, values.get("family", 0))
    return _summary(name[7:], values, found)


def _attributes(message: Node, payload: bytes, at: int, end: int, names: dict[int, str], family: int) -> dict[str, str]:
    found: dict[str, str] = {}
    while at + 4 <= end:
        length, kind = struct.unpack_from("=HH", payload, at)
        if length < 4 or at + length > end:
            break
        name = names.get(kind & 0x3FFF)
        if name is not None:
            found[name] = _value(name, payload[at + 4 : at + length], family)
            message.add(name, found[name], at, at + length)
        at += (length + 3) & ~3
    return found


def _value(name: str, data: bytes, family: int) -> str:
    if name in ("IFNAME", "LABEL"):
        return data.rstrip(b"\0").decode("utf-8", "backslashreplace")
    if name in ("MTU", "OIF", "PRIORITY", "TABLE") and len(data) == 4:
        return str(struct.unpack("=I", data)[0])
    if name == "OPERSTATE" and len(data) == 1:
        return _OPERSTATE[data[0]] if data[0] < len(_OPERSTATE) else str(data[0])
    try:
        if family == socket.AF_INET and len(data) == 4:
            return socket.inet_ntop(socket.AF_INET, data)
        if family == socket.AF_INET6 and len(data) == 16:
            return socket.inet_ntop(socket.AF_INET6, data)
    except (OSError, ValueError):
        pass
    return data.hex(":")


def _summary(kind: str, values: dict[str, int], found: dict[str, str]) -> str:
    if kind == "LINK":
        parts = [found.get("IFNAME", f"index {values['index']}"), f"<{_names(values['flags'], _IFF)}>"]
        parts += [f"{name.lower()} {found[name]}" for name in ("OPERSTATE", "MTU") if name in found]
        return " ".join(parts)
    if kind == "ADDR":
        address = found.get("LOCAL") or found.get("ADDRESS", "")
        return f"{address}/{values['prefixlen']} on {found.get('LABEL', 'index ' + str(values['index']))}"
    if kind == "ROUTE":
        target = f"{found['DST']}/{values['dst_len']}" if "DST" in found else "default"
        via = f" via {found['GATEWAY']}" if "GATEWAY" in found else ""
        return f"{target}{via}" + (f" dev index {found['OIF']}" if "OIF" in found else "")
    return f"{found.get('DST', '')} {found.get('LLADDR', '')} on index {values['index']}".strip()


def _uevent(payload: bytes) -> Node:
    root = Node("uevent", "", 0, len(payload))
    at = 0
    for part in payload.split(b"\0"):
        text = part.decode("utf-8", "backslashreplace")
        name, equals, value = text.partition("=")
        if part and equals:
            root.add(name, value, at, at + len(part))
        elif part and not root.value:
            root.value = text
        at += len(part) + 1
    return root
