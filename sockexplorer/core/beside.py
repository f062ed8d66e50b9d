"""What came beside a message, its ancillary data, in a few words: ``ttl 64 · pid 12 uid 0 · vlan 100``."""

from __future__ import annotations

import contextlib
import ipaddress
import struct
import sys
from collections.abc import Iterator, Mapping
from typing import Any

BEFORE = "dropped_before"
"""Of a frame in a capture file: how many were lost ahead of it, as far as the file says."""
ELSEWHERE = frozenset(
    ("event", "text", "failure", "connection", "peer", "socket", "descriptors", "comments", "option", BEFORE)
)  # fmt: skip
"""Metadata that is shown in a place of its own."""
_PKTINFO, _PKTINFO6 = struct.Struct("=I4s4s"), struct.Struct("=16sI")


def beside(meta: Mapping[str, Any]) -> str:
    """The words for a frame's metadata, "" where it has none that are not shown elsewhere. Not escaped."""
    return " · ".join(_words(meta))


def _words(meta: Mapping[str, Any]) -> Iterator[str]:
    for key, value in meta.items():
        if key in ELSEWHERE:
            continue
        if key == "control" and isinstance(value, list):
            yield from (control(each) for each in value if isinstance(each, dict))
        elif key == "vlan" and isinstance(value, dict):
            priority = value.get("priority")
            yield f"vlan {value.get('id')}" + (f" priority {priority}" if priority else "")
        elif key == "credentials" and isinstance(value, dict):
            yield " ".join(f"{name} {number}" for name, number in value.items())
        elif isinstance(value, dict):
            yield f"{key} " + " ".join(f"{name} {each}" for name, each in value.items())
        else:
            yield f"{key} {value}"


def control(message: Mapping[str, Any]) -> str:
    """A control message in words: one of IP by its number or its addresses, any other by its bytes."""
    name, value = str(message.get("name", "")), read_control(message)
    if isinstance(value, dict):
        return " ".join(f"{key} {each}" for key, each in value.items())
    return f"{name.partition('_')[2].lower() if isinstance(value, int) else name} {value}"


def read_control(message: Mapping[str, Any]) -> int | dict[str, Any] | str:
    """What a control message of IP says, a number or ``to`` and ``interface`` (ip(7), ipv6(7)); of any other its bytes
    in hex digits, as they are in the message."""
    name, digits = str(message.get("name", "")), str(message.get("data", ""))
    with contextlib.suppress(ValueError, struct.error):
        data = bytes.fromhex(digits)
        if name == "IP_PKTINFO":
            index, _, to = _PKTINFO.unpack(data)
            return {"to": str(ipaddress.IPv4Address(to)), "interface": index}
        if name == "IPV6_PKTINFO":
            to, index = _PKTINFO6.unpack(data)
            return {"to": str(ipaddress.IPv6Address(to)), "interface": index}
        if name.startswith(("IP_", "IPV6_")) and len(data) in (1, 4):
            return int.from_bytes(data, sys.byteorder)
    return digits
