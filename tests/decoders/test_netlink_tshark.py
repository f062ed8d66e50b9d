"""tshark agrees with the tree of netlink's messages: the same fields at the same bytes with the same values.

The messages are the kernel's own, from a network namespace with interfaces, addresses, routes, neighbours and rules in
it, and made ones of every type that rtnetlink has.
"""

from __future__ import annotations

import json
import random
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from kernel_messages import GENERIC, HEADER, NLMSG_DONE, attribute, request
from pdml import Seen, Sent, read
from support import PATIENCE, unshare

from sockexplorer.capture.link_types import Origin
from sockexplorer.decoders import decode
from sockexplorer.decoders.genetlink import _ATTRIBUTES, _OF_GROUPS, _OF_OPERATIONS
from sockexplorer.decoders.netlink import type_name
from sockexplorer.decoders.rtnames import ATTRIBUTES
from sockexplorer.decoders.tree import Node

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

SLL_HEADER = 16
"""Bytes ahead of a message in LINKTYPE_NETLINK."""
FIELDS = {
    "netlink.hdr_len": "length", "netlink.hdr_type": "type", "netlink-route.nltype": "type", "genl.family_id": "type",
    "netlink.hdr_flags": "flags", "netlink.hdr_seq": "seq", "netlink.hdr_pid": "pid", "netlink.error": "error",
    "netlink-route.ifi_family": "family", "netlink-route.ifi_type": "ifi_type", "netlink-route.ifi_index": "index",
    "netlink-route.ifi_flags": "ifi_flags", "netlink-route.ifi_change": "change",
    "netlink-route.ifa_family": "family", "netlink-route.ifa_prefixlen": "prefixlen",
    "netlink-route.ifa_flags": "ifa_flags", "netlink-route.ifa_scope": "scope", "netlink-route.ifa_index": "index",
    "netlink-route.rt_family": "family", "netlink-route.rt_dst_len": "dst_len", "netlink-route.rt_src_len": "src_len",
    "netlink-route.rt_tos": "tos", "netlink-route.rt_table": "table", "netlink-route.rt_protocol": "protocol",
    "netlink-route.rt_scope": "scope", "netlink-route.rt_type": "rtm_type", "netlink-route.rt_flags": "rtm_flags",
    "netlink-route.nd_family": "family", "netlink-route.nd_index": "index", "netlink-route.nd_state": "state",
    "netlink-route.nd_flags": "ndm_flags", "netlink-route.nd_type": "ndm_type",
    "netlink-route.ifla_linkstats.rxpackets": "rx_packets", "netlink-route.ifla_linkstats.txpackets": "tx_packets",
    "netlink-route.ifla_linkstats.rxbytes": "rx_bytes", "netlink-route.ifla_linkstats.txbytes": "tx_bytes",
    "netlink-route.ifla_linkstats.rxdropped": "rx_dropped", "netlink-route.ifla_linkstats.txdropped": "tx_dropped",
    "netlink-route.ifla_linkstats.collisions": "collisions", "genl.ctrl.cmd": "cmd", "genl.version": "version",
}  # fmt: skip
"""tshark's name of a field, and ours."""
IN_ATTRIBUTES = {
    "netlink-route.ifla_ifname": "IFNAME", "netlink-route.ifla_mtu": "MTU", "netlink-route.ifla_txqlen": "TXQLEN",
    "netlink-route.ifla_operstate": "OPERSTATE", "netlink-route.ifla_min_mtu": "MIN_MTU",
    "netlink-route.ifla_max_mtu": "MAX_MTU", "netlink-route.ifla_group": "GROUP",
    "netlink-route.ifla_promiscuity": "PROMISCUITY", "netlink-route.ifla_txqnum": "NUM_TX_QUEUES",
    "netlink-route.ifla_rxqnum": "NUM_RX_QUEUES", "netlink-route.ifla_gso_maxsegs": "GSO_MAX_SEGS",
    "netlink-route.ifla_gso_maxsize": "GSO_MAX_SIZE", "netlink-route.ifla_carrier": "CARRIER",
    "netlink-route.ifla_carrier_changes": "CARRIER_CHANGES", "netlink-route.ifla_hwaddr": "ADDRESS",
    "netlink-route.ifla_broadcast": "BROADCAST", "netlink-route.ifla_qdisc": "QDISC",
    "netlink-route.ifla_carrier_up_count": "CARRIER_UP_COUNT",
    "netlink-route.ifla_carrier_down_count": "CARRIER_DOWN_COUNT", "netlink-route.ifa_label": "LABEL",
    "netlink-route.ifa_address.ipv4": "ADDRESS LOCAL BROADCAST", "netlink-route.ifa_address.ipv6": "ADDRESS LOCAL",
    "netlink-route.ifa_flags32": "FLAGS", "netlink-route.rta_oif": "OIF", "genl.ctrl.family_name": "FAMILY_NAME",
    "genl.ctrl.family_id": "FAMILY_ID", "genl.ctrl.version": "VERSION", "genl.ctrl.hdrsize": "HDRSIZE",
    "genl.ctrl.maxattr": "MAXATTR", "genl.ctrl.op_id": "OP_ID", "genl.ctrl.op_flags": "OP_FLAGS",
    "genl.ctrl.group_id": "MCAST_GRP_ID", "genl.ctrl.group_name": "MCAST_GRP_NAME",
}  # fmt: skip
"""Those that tshark shows at an attribute's data; ours are at the whole attribute, whose header is four bytes."""
TYPES = {
    "netlink-route.ifla_attr_type": ATTRIBUTES["LINK"], "netlink-route.ifa_attr_type": ATTRIBUTES["ADDR"],
    "netlink-route.rta_attr_type": ATTRIBUTES["ROUTE"], "genl.ctrl_attr": _ATTRIBUTES,
    "genl.ctrl.ops_attr": _OF_OPERATIONS, "genl.ctrl.groups_attr": _OF_GROUPS,
}  # fmt: skip
"""The number of an attribute, and our names of those numbers."""
FLAGS = {
    "request": "REQUEST", "multi": "MULTI", "ack": "ACK", "echo": "ECHO", "dump_intr": "DUMP_INTR",
    "dump_filtered": "DUMP_FILTERED",
}  # fmt: skip
HEADER_FIELDS, NEIGHBOUR_FIELDS = 5, 5
LATER_COUNTERS = ("rx_compressed", "tx_compressed", "rx_nohandler", "rx_otherhost_dropped")
OPAQUE = ("netlink.attr_data", "data.data")
"""Bytes that tshark does not look into, where we may."""


def disagreements(payload: bytes, root: Node, seen: list[Seen]) -> list[str]:
    """What tshark and the tree tell differently, a line each."""
    ours: dict[tuple[int, int], list[Node]] = {}
    for _, node in root.walk():
        ours.setdefault((node.start, node.end), []).append(node)
    wrong = []

    def compare(each: Seen, names: str, start: int) -> None:
        found = [node for node in ours.get((start, each.end), []) if node.name in names.split()]
        if not found:
            wrong.append(f"{each.name} {each.show} at {each.start}:{each.end} is not in the tree")
        elif not any(says_the_same(node, each) for node in found):
            wrong.append(f"{each.name} {each.show} at {each.start}: the tree has {found}")

    for each in seen:
        if each.name in FIELDS:
            compare(each, FIELDS[each.name], each.start)
        elif each.name in IN_ATTRIBUTES:
            compare(each, IN_ATTRIBUTES[each.name], each.start - 4)
        elif each.name in TYPES:
            number = each.number or 0
            length = struct.unpack_from("=H", payload, each.start - 2)[0]
            name = TYPES[each.name].get(number, f"attribute {number}")
            if name not in [node.name for node in ours.get((each.start - 2, each.start - 2 + length), [])]:
                wrong.append(f"the attribute {name} at {each.start - 2} is not in the tree")
        elif each.children and each.children[0].name == "netlink.attr_len" and (each.start, each.end) not in ours:
            wrong.append(f"an attribute at {each.start}:{each.end} is not in the tree")
        elif each.name.startswith("netlink.hdr_flags.") and (name := FLAGS.get(each.name.rpartition(".")[2])):
            (node,) = (node for node in ours[each.start, each.end] if node.name == "flags")
            if (f"NLM_F_{name}" in node.value.split("|")) != bool(each.number):
                wrong.append(f"{each.name} {each.show} at {each.start}: the tree has {node}")
    places = {(each.start, each.end) for each in seen}
    opaque = [(each.start, each.end) for each in seen if each.name in OPAQUE]
    unknown = [(node.start, node.end) for message in root.children for node in not_in_tshark(message)]
    for (start, end), nodes in ours.items():
        if (start, end) not in places and not any(low <= start and end <= high for low, high in opaque + unknown):
            wrong += [f"tshark has nothing at {start}:{end}, the tree has {node.name}" for node in nodes]
    return wrong


def not_in_tshark(message: Node) -> list[Node]:
    """What tshark 4.0 does not look into, and shows no bytes of either."""
    parts = message.children[HEADER_FIELDS:]
    if message.name.endswith("RULE"):
        return parts  # Only the header of a rule's message is dissected.
    if message.name.endswith("NEIGH"):
        return parts[NEIGHBOUR_FIELDS:]  # The attributes of a neighbour are not.
    if message.name == "NLMSG_ERROR":
        # Of the request it knows the header, whole or not; what the kernel says with NETLINK_EXT_ACK it leaves out.
        return [each for each in parts if each.name != "error"]
    # The counters that struct rtnl_link_stats64 got since Linux 4.6.
    return [each for _, each in message.walk() if each.name in LATER_COUNTERS]


def says_the_same(node: Node, each: Seen) -> bool:
    number = node.number
    if number is None and node.value.isdecimal():
        number = int(node.value)
    if each.name == "netlink-route.ifa_index" and each.number is not None:
        return number == each.number & 0xFFFFFFFF  # tshark has a sign that struct ifaddrmsg has not.
    return (number is not None and each.number == number) or each.show == node.value


def sent(protocol: int, payload: bytes, *, outgoing: bool = False) -> Sent:
    path = "netlink/generic" if protocol == GENERIC else "netlink/route"
    return Sent(Origin(path, protocol, (7, 0)), (0, 0), payload, outgoing)


def agree(frames: list[Sent], path: Path) -> None:
    """Compare all; a failure has every disagreement."""
    told = []
    for frame, seen in zip(frames, read(path, frames, SLL_HEADER), strict=True):
        root = decode("AF_NETLINK", frame.origin.protocol, frame.payload)
        told += [f"{root.value[:70]}: {each}" for each in disagreements(frame.payload, root, seen)]
    assert not told, "\n".join(told)


@pytest.mark.optional_on_this_host("a private network namespace needs a right")
def test_what_the_kernel_says(tmp_path: Path) -> None:
    program = Path(__file__).parents[1] / "kernel_messages.py"
    said = subprocess.run(
        [*unshare(), sys.executable, str(program)], capture_output=True, timeout=3 * PATIENCE, check=True
    ).stdout
    frames = [
        sent(protocol, bytes.fromhex(text), outgoing=outgoing)
        for protocol, outgoing, text in map(json.loads, said.splitlines())
    ]
    types = {node.name for each in frames for node in decode("AF_NETLINK", each.origin.protocol, each.payload).children}
    assert {f"RTM_NEW{each}" for each in ("LINK", "ADDR", "ROUTE", "NEIGH", "RULE")} <= types
    assert {"NLMSG_DONE", "NLMSG_ERROR", "nlctrl"} <= types
    agree(frames, tmp_path / "real.pcapng")


def made(chance: random.Random) -> bytes:
    """A message about a link, an address, a route or a neighbour with any fields and well-formed attributes."""
    kind, size = chance.choice([(16, 16), (20, 8), (24, 12), (28, 12)])
    # An address family decides what tshark takes the attributes for, so it is one that there is.
    family = chance.choice([2, 10])
    body = bytes([family]) + chance.randbytes(size - 1)
    numbers = {16: (4, 13, 27, 30, 31, 32, 40, 41, 50, 51), 20: (8, 9), 24: (4, 6, 15), 28: (4,)}[kind]
    for _ in range(chance.randrange(6)):
        which = chance.randrange(3)
        if which == 0:
            body += attribute(chance.choice(numbers), chance.randbytes(4))
        elif which == 1:
            body += attribute(
                chance.randrange(100, 0x4000) | chance.choice([0, 0x8000]), chance.randbytes(chance.randrange(9))
            )
        elif kind in (16, 20):
            body += attribute(3, b"a name"[: chance.randrange(1, 7)] + b"\0")
    return request(kind + chance.randrange(3), body, chance.randrange(1 << 6))


def test_made_messages(tmp_path: Path) -> None:
    chance = random.Random(7)
    done = HEADER.pack(20, NLMSG_DONE, 2, 7, 0) + bytes(4)
    frames = [sent(0, b"".join(made(chance) for _ in range(chance.randrange(1, 4)))) for _ in range(150)]
    frames += [sent(0, each.payload + done) for each in frames[:20]]
    agree(frames, tmp_path / "made.pcapng")


VERBS = {"Get": "GET", "Set": "SET", "Delete": "DEL", "Remove": "DEL", "RTM_DEL": "DEL", "RTM_GET": "GET"}
"""How tshark says what a message does; what is left makes something."""


def test_every_type_that_tshark_names_has_the_name(tmp_path: Path) -> None:
    frames = [sent(0, request(kind, bytes(4), 1)) for kind in range(16, 128)]
    named = 0
    for kind, seen in enumerate(read(tmp_path / "types.pcapng", frames, SLL_HEADER), 16):
        (said,) = (each.said.removeprefix("Message type: ") for each in seen if each.name == "netlink-route.nltype")
        if said.startswith("Unknown"):
            continue
        named += 1
        verb = next((verb for word, verb in VERBS.items() if said.startswith(word)), "NEW")
        assert type_name("route", kind).startswith(f"RTM_{verb}"), said
    assert named > 60
