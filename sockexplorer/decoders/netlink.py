"""Netlink messages: headers, of rtnetlink what changed, of errors what was wrong and where.

Source: netlink(7), rtnetlink(7), <linux/netlink.h>, <linux/rtnetlink.h>; generic netlink is `genetlink`'s.
"""

from __future__ import annotations

import os
import struct

from sockexplorer.core.advice import errno_name
from sockexplorer.core.canframes import flag_names
from sockexplorer.decoders import genetlink, rtnetlink
from sockexplorer.decoders.attributes import TYPE, attributes, text
from sockexplorer.decoders.rtnames import ATTRIBUTES
from sockexplorer.decoders.tree import Node

_HEADER = struct.Struct("=IHHII")
_CONTROL = {1: "NLMSG_NOOP", 2: "NLMSG_ERROR", 3: "NLMSG_DONE", 4: "NLMSG_OVERRUN"}
_OBJECTS = {
    16: "LINK", 20: "ADDR", 24: "ROUTE", 28: "NEIGH", 32: "RULE", 36: "QDISC", 40: "TCLASS", 44: "TFILTER",
    48: "ACTION", 52: "PREFIX", 56: "MULTICAST", 60: "ANYCAST", 64: "NEIGHTBL", 68: "NDUSEROPT", 72: "ADDRLABEL",
    76: "DCB", 80: "NETCONF", 84: "MDB", 88: "NSID", 92: "STATS", 96: "CACHEREPORT", 100: "CHAIN", 104: "NEXTHOP",
    108: "LINKPROP", 112: "VLAN", 116: "NEXTHOPBUCKET", 120: "TUNNEL",
}  # fmt: skip
_VERBS = {"NEW": 0, "DEL": 1, "GET": 2, "SET": 3}
_ONLY = {
    "LINK": "NEW DEL GET SET", "PREFIX": "NEW", "NEIGHTBL": "NEW GET SET", "NDUSEROPT": "NEW", "DCB": "GET SET",
    "STATS": "NEW GET SET", "CACHEREPORT": "NEW",
}  # fmt: skip
"""What may be done where it is not NEW, DEL and GET."""
_TYPES = {
    first + _VERBS[verb]: f"RTM_{verb}{name}"
    for first, name in _OBJECTS.items()
    for verb in _ONLY.get(name, "NEW DEL GET").split()
}
_FLAGS = {
    "NLM_F_REQUEST": 1, "NLM_F_MULTI": 2, "NLM_F_ACK": 4, "NLM_F_ECHO": 8, "NLM_F_DUMP_INTR": 16,
    "NLM_F_DUMP_FILTERED": 32,
}  # fmt: skip
_FLAGS_OF_GET = {"NLM_F_ROOT": 0x100, "NLM_F_MATCH": 0x200, "NLM_F_ATOMIC": 0x400}
_FLAGS_OF_NEW = {"NLM_F_REPLACE": 0x100, "NLM_F_EXCL": 0x200, "NLM_F_CREATE": 0x400, "NLM_F_APPEND": 0x800}
_FLAGS_OF_DEL = {"NLM_F_NONREC": 0x100, "NLM_F_BULK": 0x200}
_FLAGS_OF_ANSWERS = {"NLM_F_CAPPED": 0x100, "NLM_F_ACK_TLVS": 0x200}
_CAPPED, _ACK_TLVS = 0x100, 0x200
_EXT_ACK = {1: "MSG", 2: "OFFS", 3: "COOKIE", 4: "POLICY", 5: "MISS_TYPE", 6: "MISS_NEST"}
MOST_MESSAGES = 512
MOST_BYTES = 2**18
"""What is read of a datagram. The kernel's are shorter, but those of a capture may have any size, and an attribute of
four bytes takes two hundred here."""


def decode_netlink(protocol: str, payload: bytes) -> Node:
    """A child for each message; the root's value sums them up in a line. Never raises."""
    if len(payload) > MOST_BYTES:
        root = decode_netlink(protocol, payload[:MOST_BYTES])
        root.add("not read", f"{len(payload) - MOST_BYTES} bytes", MOST_BYTES, len(payload))
        root.end = len(payload)
        return root
    root = Node("netlink", "", 0, len(payload))
    if protocol == "kobject-uevent":
        return _uevent(payload)
    at = 0
    summaries: list[str] = []
    while at + _HEADER.size <= len(payload) and len(root.children) < MOST_MESSAGES:
        length, kind, flags, _, _ = _HEADER.unpack_from(payload, at)
        end = min(at + length, len(payload))
        if length < _HEADER.size:
            root.add("malformed", f"a message says it has {length} bytes", at, len(payload))
            break
        name = type_name(protocol, kind)
        message = root.add(name, "", at, end)
        _header(message, name, payload, at)
        if kind in (2, 3):
            message.value = _outcome(message, protocol, flags, payload, at + _HEADER.size, end)
        elif protocol == "generic":
            message.value = genetlink.body(message, kind, payload, at + _HEADER.size, end)
        elif name.startswith("RTM_"):
            message.value = rtnetlink.body(message, name[7:], payload, at + _HEADER.size, end)
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
    if protocol == "route" and kind in _TYPES:
        return _TYPES[kind]
    if protocol == "generic" and kind == genetlink.GENL_ID_CTRL:
        return "nlctrl"
    return f"type {kind}"


def _header(message: Node, name: str, payload: bytes, at: int) -> None:
    length, kind, flags, seq, pid = _HEADER.unpack_from(payload, at)
    message.add("length", length, at, at + 4)
    message.add("type", name, at + 4, at + 6, kind)
    message.add("flags", _flags(name, flags), at + 6, at + 8, flags)
    message.add("seq", seq, at + 8, at + 12)
    message.add("pid", pid, at + 12, at + 16)


def _flags(name: str, flags: int) -> str:
    """The flags of a header; what the upper byte means depends on the message."""
    more: dict[str, int] = {}
    if name in ("NLMSG_ERROR", "NLMSG_DONE"):
        more = _FLAGS_OF_ANSWERS
    elif name.startswith("RTM_NEW"):
        more = _FLAGS_OF_NEW
    elif name.startswith("RTM_DEL"):
        more = _FLAGS_OF_DEL
    elif flags & 1:
        more = _FLAGS_OF_GET
    return flag_names(flags, _FLAGS | more).replace("NLM_F_ROOT|NLM_F_MATCH", "NLM_F_DUMP")


def _outcome(message: Node, protocol: str, flags: int, payload: bytes, at: int, end: int) -> str:
    """NLMSG_ERROR or the end of a dump: the error, and with NETLINK_EXT_ACK what the kernel says about it."""
    done = message.name == "NLMSG_DONE"
    if end - at < 4:
        return ""
    (code,) = struct.unpack_from("=i", payload, at)
    outcome = f"{errno_name(-code)} {os.strerror(-code)}" if -4096 < code < 0 else f"code {code}"
    outcome = outcome if code else ("" if done else "acknowledged")
    message.add("error", outcome or "0", at, at + 4, code)
    at += 4
    request = b""
    if not done and end - at >= _HEADER.size:
        length, kind, _, _, _ = _HEADER.unpack_from(payload, at)
        whole = _HEADER.size if flags & _CAPPED or code == 0 else max(_HEADER.size, min(length, end - at))
        request = payload[at : at + whole]
        name = type_name(protocol, kind)
        _header(message.add("request", name, at, at + whole), name, payload, at)
        at += (whole + 3) & ~3
    if not flags & _ACK_TLVS:
        return outcome
    said = ""
    for kind, start, stop in attributes(payload, at, end):
        data = payload[start + 4 : stop]
        name = _EXT_ACK.get(kind, f"attribute {kind}")
        value = data.hex(" ")
        number: int | None = None
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
        message.add(name, value, start, stop, number)
    return f"{outcome}{said}"


def _offender(protocol: str, request: bytes, offset: int) -> str:
    """``byte 32, IFLA_MTU``: what stands at an offset of the request, as far as that came back."""
    where = f"byte {offset}"
    if offset + 4 > len(request) or len(request) < _HEADER.size:
        return where
    name = type_name(protocol, _HEADER.unpack_from(request)[1])
    kind = struct.unpack_from("=H", request, offset + 2)[0] & TYPE
    names = ATTRIBUTES.get(name[7:], {})
    return f"{where}, attribute {kind}" + (f" {names[kind]}" if kind in names else "")


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
