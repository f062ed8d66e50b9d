"""rtnetlink: what stands behind the header of a message about links, addresses, routes, neighbours and rules.

Source: rtnetlink(7), <linux/rtnetlink.h>, <linux/if_link.h>, <linux/if_addr.h>, <linux/neighbour.h>,
<linux/fib_rules.h>, <linux/if.h>, <linux/if_arp.h>. Fields are called as the kernel calls them, without the prefix
that all of a structure share unless the name means something else elsewhere in the message.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Mapping
from typing import NamedTuple

from sockexplorer.core.canframes import flag_names
from sockexplorer.decoders.attributes import attributes, text
from sockexplorer.decoders.rtnames import (
    ATTRIBUTES,
    FAMILIES,
    FRA_ACTIONS,
    HARDWARE,
    IFA_FLAGS,
    IFF,
    INFO,
    METRICS,
    NTF,
    NUD,
    OPERSTATES,
    PROPERTIES,
    PROTOCOLS,
    RTM_FLAGS,
    RTN,
    RTNH_FLAGS,
    SCOPES,
    TABLES,
    XDP,
)  # fmt: skip
from sockexplorer.decoders.tree import Node

Names = Mapping[int, str]


class Part(NamedTuple):
    """A field of a structure: its name, its format, and what its numbers, or the bits of its flags, are called."""

    name: str
    form: str
    names: Names | None = None
    flags: Mapping[str, int] | None = None


BODIES: dict[str, tuple[Part, ...]] = {
    "LINK": (Part("family", "B", FAMILIES), Part("", "x"), Part("ifi_type", "H", HARDWARE), Part("index", "i"),
             Part("ifi_flags", "I", flags=IFF), Part("change", "I", flags=IFF)),
    "ADDR": (Part("family", "B", FAMILIES), Part("prefixlen", "B"), Part("ifa_flags", "B", flags=IFA_FLAGS),
             Part("scope", "B", SCOPES), Part("index", "I")),
    "ROUTE": (Part("family", "B", FAMILIES), Part("dst_len", "B"), Part("src_len", "B"), Part("tos", "B"),
              Part("table", "B", TABLES), Part("protocol", "B", PROTOCOLS), Part("scope", "B", SCOPES),
              Part("rtm_type", "B", RTN), Part("rtm_flags", "I", flags=RTM_FLAGS)),
    "NEIGH": (Part("family", "B", FAMILIES), Part("", "3x"), Part("index", "i"), Part("state", "H", flags=NUD),
              Part("ndm_flags", "B", flags=NTF), Part("ndm_type", "B", RTN)),
    "RULE": (Part("family", "B", FAMILIES), Part("dst_len", "B"), Part("src_len", "B"), Part("tos", "B"),
             Part("table", "B", TABLES), Part("", "2x"), Part("action", "B", FRA_ACTIONS), Part("rule_flags", "I")),
}  # fmt: skip
"""``struct ifinfomsg``, ``ifaddrmsg``, ``rtmsg``, ``ndmsg`` and ``fib_rule_hdr``, none of which the compiler pads."""
NEXT_HOP = struct.Struct("=HBBi")
"""``struct rtnexthop``: its length with its attributes, flags, hops, and the interface's index."""
_NESTED: dict[tuple[str, str], Names] = {
    ("LINK", "LINKINFO"): INFO, ("LINK", "XDP"): XDP, ("LINK", "PROP_LIST"): PROPERTIES, ("ROUTE", "METRICS"): METRICS,
}  # fmt: skip
_COUNTERS = (
    "rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "rx_errors", "tx_errors", "rx_dropped", "tx_dropped",
    "multicast", "collisions", "rx_length_errors", "rx_over_errors", "rx_crc_errors", "rx_frame_errors",
    "rx_fifo_errors", "rx_missed_errors", "tx_aborted_errors", "tx_carrier_errors", "tx_fifo_errors",
    "tx_heartbeat_errors", "tx_window_errors", "rx_compressed", "tx_compressed", "rx_nohandler",
    "rx_otherhost_dropped",
)  # fmt: skip
STRUCTURES = {
    ("LINK", "STATS"): ("I", _COUNTERS), ("LINK", "STATS64"): ("Q", _COUNTERS),
    ("ADDR", "CACHEINFO"): ("I", ("preferred", "valid", "cstamp", "tstamp")),
}  # fmt: skip
"""Attributes of numbers one after the other: ``struct rtnl_link_stats``, older kernels leave the last ones out, and
``ifa_cacheinfo``, lifetimes in seconds and stamps in hundredths."""
FOREVER = 0xFFFFFFFF
MOST_SHOWN = 16
"""Bytes that a value has itself; where there are more, the dump has them."""
_TEXTS = {
    "IFNAME", "LABEL", "QDISC", "IFALIAS", "ALT_IFNAME", "KIND", "SLAVE_KIND", "IIFNAME", "OIFNAME", "PHYS_PORT_NAME",
    "PARENT_DEV_NAME", "PARENT_DEV_BUS_NAME", "CC_ALGO",
}  # fmt: skip
_CONTAINERS = {
    "PROTINFO", "VFINFO_LIST", "VF_PORTS", "PORT_SELF", "AF_SPEC", "DATA", "SLAVE_DATA", "PROTO_DOWN_REASON",
    "DEVLINK_PORT", "DPLL_PIN", "ENCAP", "FDB_EXT_ATTRS", "PHYS_PORT_ID", "PHYS_SWITCH_ID", "XSTATS",
}  # fmt: skip
"""Attributes that have others in them, or bytes, however many there are."""
_ADDRESSES = {
    "ADDRESS", "LOCAL", "BROADCAST", "ANYCAST", "MULTICAST", "DST", "SRC", "GATEWAY", "PREFSRC", "NEWDST", "LLADDR",
    "PERM_ADDRESS",
}  # fmt: skip
_FLAG_ATTRIBUTES: dict[tuple[str, str], Mapping[str, int]] = {("ADDR", "FLAGS"): IFA_FLAGS}
_NAMED: dict[tuple[str, str], Names] = {
    ("LINK", "OPERSTATE"): OPERSTATES, ("ROUTE", "TABLE"): TABLES, ("RULE", "TABLE"): TABLES,
    ("RULE", "SUPPRESS_PREFIXLEN"): {0xFFFFFFFF: "none"}, ("RULE", "SUPPRESS_IFGROUP"): {0xFFFFFFFF: "none"},
    ("NEIGH", "PROTOCOL"): PROTOCOLS, ("RULE", "PROTOCOL"): PROTOCOLS, ("ADDR", "PROTO"): {1: "lo", 2: "ra", 3: "ll"},
}  # fmt: skip
_NETWORK_ORDER = {("ROUTE", "SPORT"), ("ROUTE", "DPORT"), ("NEIGH", "PORT"), ("RULE", "TUN_ID")}


def body(message: Node, kind: str, payload: bytes, at: int, end: int) -> str:
    """Add what follows the header of a message about a ``kind``, such as LINK, and sum it up. Never raises."""
    parts = BODIES.get(kind)
    if parts is None:
        return ""
    numbers: dict[str, int] = {}
    for part in parts:
        size = struct.calcsize("=" + part.form)
        if at + size > end:
            return ""
        if part.name:
            (number,) = struct.unpack_from("=" + part.form, payload, at)
            numbers[part.name] = number
            message.add(part.name, _said(number, part.names, part.flags), at, at + size, number)
        at += size
    found = _attributes(message, kind, ATTRIBUTES[kind], payload, at, end, numbers["family"])
    return _summary(kind, numbers, found)


def _said(number: int, names: Names | None, flags: Mapping[str, int] | None = None) -> str:
    if flags is not None:
        return flag_names(number, flags)
    return str(number) if names is None else names.get(number, str(number))


def _attributes(
    parent: Node, kind: str, names: Names, payload: bytes, at: int, end: int, family: int
) -> dict[str, str]:
    """Add each attribute, those without a name by their number; the values of those with one."""
    found: dict[str, str] = {}
    for number, start, stop in attributes(payload, at, end):
        name = names.get(number, f"attribute {number}")
        node = parent.add(name, "", start, stop)
        within = _NESTED.get((kind, name))
        if within is not None:
            inner = _attributes(node, "", within, payload, start + 4, stop, family)
            node.value = " ".join(f"{each.lower()} {value}" for each, value in inner.items())
        elif (kind, name) == ("ROUTE", "MULTIPATH"):
            node.value = _next_hops(node, payload, start + 4, stop, family)
        elif (kind, name) in STRUCTURES:
            node.value = _numbers(node, *STRUCTURES[kind, name], payload, start + 4, stop)
        else:
            _value(node, kind, name, payload[start + 4 : stop], family)
        found.setdefault(name, node.value)
    return found


def _next_hops(node: Node, payload: bytes, at: int, end: int, family: int) -> str:
    said = []
    while at + NEXT_HOP.size <= end:
        length, flags, hops, index = NEXT_HOP.unpack_from(payload, at)
        if length < NEXT_HOP.size or at + length > end:
            break
        hop = node.add("next hop", "", at, at + length)
        hop.add("length", length, at, at + 2)
        hop.add("rtnh_flags", flag_names(flags, RTNH_FLAGS), at + 2, at + 3, flags)
        hop.add("weight", hops + 1, at + 3, at + 4)
        hop.add("index", index, at + 4, at + 8)
        found = _attributes(hop, "ROUTE", ATTRIBUTES["ROUTE"], payload, at + NEXT_HOP.size, at + length, family)
        via = f"via {found['GATEWAY']} " if "GATEWAY" in found else ""
        hop.value = f"{via}dev index {index} weight {hops + 1}"
        said.append(hop.value)
        at += (length + 3) & ~3
    return ", ".join(said)


def _numbers(node: Node, form: str, names: tuple[str, ...], payload: bytes, at: int, end: int) -> str:
    """Add each number; the line has those that are not zero."""
    size = struct.calcsize("=" + form)
    said = []
    for name in names:
        if at + size > end:
            break
        (number,) = struct.unpack_from("=" + form, payload, at)
        lifetime = name in ("preferred", "valid")
        value = "forever" if lifetime and number == FOREVER else f"{number} s" if lifetime else str(number)
        node.add(name, value, at, at + size, number)
        if number:
            said.append(f"{name} {value}")
        at += size
    return " ".join(said) or "0"


def _value(node: Node, kind: str, name: str, data: bytes, family: int) -> None:
    if name in _TEXTS:
        node.value = text(data)
    elif name in _ADDRESSES and (kind != "LINK" or name == "GATEWAY"):
        node.value = _address(data, family)
    elif len(data) in (1, 2, 4, 8) and name not in _ADDRESSES | _CONTAINERS and not name.startswith("attribute"):
        node.number = int.from_bytes(data, "big" if (kind, name) in _NETWORK_ORDER else sys.byteorder)
        node.value = _said(node.number, _NAMED.get((kind, name)), _FLAG_ATTRIBUTES.get((kind, name)))
    elif name in _ADDRESSES or 0 < len(data) <= MOST_SHOWN:
        node.value = data.hex(":")
    else:
        node.value = f"{len(data)} bytes" if data else "empty"


def _address(data: bytes, family: int) -> str:
    for each, size in ((socket.AF_INET, 4), (socket.AF_INET6, 16)):
        if family == each and len(data) == size:
            return socket.inet_ntop(each, data)
    return data.hex(":")


def _table(numbers: dict[str, int], found: dict[str, str]) -> str:
    """The routing table: the attribute, which has more bits, before the header's."""
    return found.get("TABLE", _said(numbers["table"], TABLES))


def _summary(kind: str, numbers: dict[str, int], found: dict[str, str]) -> str:
    # A message about an IPv6 address or a neighbour has no name, and which had it then nobody can tell later.
    interface = f"interface index {numbers.get('index')}"
    if kind == "LINK":
        flags = "|".join(name.removeprefix("IFF_") for name, bit in IFF.items() if numbers["ifi_flags"] & bit)
        parts = [found.get("IFNAME", interface), f"<{flags}>"]
        parts += [f"{name.lower()} {found[name]}" for name in ("OPERSTATE", "MTU") if name in found]
        return " ".join(parts)
    if kind == "ADDR":
        address = found.get("LOCAL") or found.get("ADDRESS", "")
        return f"{address}/{numbers['prefixlen']} on {found.get('LABEL', interface)}"
    if kind == "ROUTE":
        target = f"{found['DST']}/{numbers['dst_len']}" if "DST" in found else "default"
        via = f" via {found['GATEWAY']}" if "GATEWAY" in found else ""
        table = _table(numbers, found)
        return (
            f"{target}{via}"
            + (f" dev index {found['OIF']}" if "OIF" in found else "")
            + (f" {found['MULTIPATH']}" if found.get("MULTIPATH") else "")
            + (f" table {table}" if table not in ("main", "unspec") else "")
        )
    if kind == "RULE":
        source = f"{found['SRC']}/{numbers['src_len']}" if "SRC" in found else "all"
        to = f" to {found['DST']}/{numbers['dst_len']}" if "DST" in found else ""
        action = FRA_ACTIONS.get(numbers["action"], str(numbers["action"])).removeprefix("FR_ACT_").lower()
        where = f"lookup {_table(numbers, found)}" if action == "to_tbl" else action
        return f"{found.get('PRIORITY', '0')}: from {source}{to} {where}"
    state = flag_names(numbers["state"], NUD).replace("NUD_", "") if numbers["state"] else ""
    return " ".join(filter(None, (found.get("DST"), found.get("LLADDR"), f"on {interface}", state)))
