"""Netlink messages: headers, of rtnetlink what changed, of errors what was wrong and where.

Source: netlink(7), rtnetlink(7), <linux/netlink.h>, <linux/rtnetlink.h>; generic netlink is `genetlink`'s.
"""

from __future__ import annotations

import os
import socket
import struct

from sockexplorer.core.advice import errno_name
from sockexplorer.decoders import genetlink
from sockexplorer.decoders.attributes import TYPE, attributes, text
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
_FLAGS_OF_GET = {0x100: "ROOT", 0x200: "MATCH", 0x400: "ATOMIC"}
_FLAGS_OF_NEW = {0x100: "REPLACE", 0x200: "EXCL", 0x400: "CREATE", 0x800: "APPEND"}
_FLAGS_OF_ANSWERS = {0x100: "CAPPED", 0x200: "ACK_TLVS"}
_CAPPED, _ACK_TLVS = 0x100, 0x200
_EXT_ACK = {1: "MSG", 2: "OFFS", 3: "COOKIE", 4: "POLICY", 5: "MISS_TYPE", 6: "MISS_NEST"}
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
        message.add("flags", _flag_names(name, flags) or "0", at + 6, at + 8)
        message.add("seq", seq, at + 8, at + 12)
        message.add("pid", pid, at + 12, at + 16)
        if kind in (2, 3):
            message.value = _outcome(message, protocol, flags, payload, at + _HEADER.size, end)
        elif protocol == "generic":
            message.value = genetlink.body(message, kind, payload, at + _HEADER.size, end)
        else:
            message.value = _body(message, name, payload, at + _HEADER.size, end)
        summaries.append(f"{name} {message.value}".rstrip())
        at += (length + 3) & ~3
    shown, hidden = summaries[:3], summaries[3:]
    failed = [each for each in hidden if each.startswith(("NLMSG_ERROR E", "NLMSG_DONE E"))]
    more = [f"and {len(hidden)} more"] if hidden else []
    root.value = "; ".join([*shown, *more, *failed[:1]])
    return root


def type_name(protocol: str, kind: int) -> str:
    """``RTM_NEWLINK`` for 16 on NETLINK_ROUTE, ``NLMSG_ERROR`` for 2 anywhere, else ``type N``."""
    if kind in _CONTROL:
        return _CONTROL[kind]
    if protocol == "route" and kind >= 16 and (kind & ~3) in _OBJECTS:
        return f"RTM_{_VERBS[kind & 3]}{_OBJECTS[kind & ~3]}"
    if protocol == "generic" and kind == genetlink.GENL_ID_CTRL:
        return "nlctrl"
    return f"type {kind}"


def _names(value: int, names: dict[int, str]) -> str:
    return "|".join(name for bit, name in names.items() if value & bit)


def _flag_names(name: str, flags: int) -> str:
    """The flags of a header; what the upper byte means depends on the message."""
    more: dict[int, str] = {}
    if name in ("NLMSG_ERROR", "NLMSG_DONE"):
        more = _FLAGS_OF_ANSWERS
    elif flags & 1:
        more = _FLAGS_OF_NEW if name.startswith("RTM_NEW") else _FLAGS_OF_GET
    return _names(flags, _FLAGS | more)


def _outcome(message: Node, protocol: str, flags: int, payload: bytes, at: int, end: int) -> str:
    """NLMSG_ERROR or the end of a dump: the error, and with NETLINK_EXT_ACK what the kernel says about it."""
    done = message.name == "NLMSG_DONE"
    if end - at < 4:
        return ""
    (code,) = struct.unpack_from("=i", payload, at)
    outcome = f"{errno_name(-code)} {os.strerror(-code)}" if -4096 < code < 0 else f"code {code}"
    outcome = outcome if code else ("" if done else "acknowledged")
    message.add("error", outcome or "0", at, at + 4)
    at += 4
    request = b""
    if not done and end - at >= _HEADER.size:
        length, kind, _, _, _ = _HEADER.unpack_from(payload, at)
        whole = _HEADER.size if flags & _CAPPED or code == 0 else max(_HEADER.size, min(length, end - at))
        request = payload[at : at + whole]
        message.add("request", type_name(protocol, kind), at, at + whole)
        at += (whole + 3) & ~3
    if not flags & _ACK_TLVS:
        return outcome
    said = ""
    for kind, start, stop in attributes(payload, at, end):
        data = payload[start + 4 : stop]
        name = _EXT_ACK.get(kind, f"attribute {kind}")
        value = data.hex(" ")
        if name == "MSG":
            value = text(data)
            said = f"{said}: {value}"
        elif name in ("OFFS", "MISS_TYPE", "MISS_NEST") and len(data) == 4:
            (number,) = struct.unpack("=I", data)
            value = str(number)
            if name == "OFFS":
                value = _offender(protocol, request, number)
                said = f"{said} (at {value})"
            elif name == "MISS_TYPE":
                said = f"{said} (attribute {number} is missing)"
        message.add(name, value, start, stop)
    return f"{outcome}{said}"


def _offender(protocol: str, request: bytes, offset: int) -> str:
    """``byte 32, IFLA_MTU``: what stands at an offset of the request, as far as that came back."""
    where = f"byte {offset}"
    if offset + 4 > len(request) or len(request) < _HEADER.size:
        return where
    name = type_name(protocol, _HEADER.unpack_from(request)[1])
    kind = struct.unpack_from("=H", request, offset + 2)[0] & TYPE
    body = _BODIES.get(name[7:]) if name.startswith("RTM_") else None
    names = {} if body is None else body[2]
    return f"{where}, attribute {kind}" + (f" {names[kind]}" if kind in names else "")


def _body(message: Node, name: str, payload: bytes, at: int, end: int) -> str:
    known = _BODIES.get(name[7:]) if name.startswith("RTM_") else None
    if known is None or end - at < known[0].size:
        return ""
    layout, names, attribute_names = known
    values = dict(zip(names, layout.unpack_from(payload, at), strict=True))
    for each, value in values.items():
        message.add(each, value, at, at + layout.size)
    found = _attributes(message, payload, at + layout.size, end, attribute_names, values.get("family", 0))
    return _summary(name[7:], values, found)


def _attributes(message: Node, payload: bytes, at: int, end: int, names: dict[int, str], family: int) -> dict[str, str]:
    found: dict[str, str] = {}
    for kind, start, stop in attributes(payload, at, end):
        name = names.get(kind)
        if name is not None:
            found[name] = _value(name, payload[start + 4 : stop], family)
            message.add(name, found[name], start, stop)
    return found


def _value(name: str, data: bytes, family: int) -> str:
    if name in ("IFNAME", "LABEL"):
        return text(data)
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
