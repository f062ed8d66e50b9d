"""Frames of AF_PACKET and packets of IP: the link-layer header of Ethernet as a tree, and for a row who speaks to whom.

Source: <linux/if_ether.h>, <linux/if_arp.h>; IEEE 802.1Q for tags; RFC 791, 8200, 9293 and 768 for addresses and ports.
What follows those is left as it is.
"""

from __future__ import annotations

import re
import socket
import struct
from functools import lru_cache
from typing import NamedTuple

from sockexplorer.decoders.tree import Node

ETHERTYPES = {
    0x0800: "ipv4", 0x0806: "arp", 0x86DD: "ipv6", 0x8100: "vlan", 0x88A8: "vlan", 0x8863: "pppoe", 0x8864: "pppoe",
    0x88CC: "lldp", 0x888E: "eapol", 0x8847: "mpls", 0x000C: "can", 0x000D: "canfd",
}  # fmt: skip
TAGS = (0x8100, 0x88A8)
MOST_TAGS = 4
HEADER, TAG = 14, 4
LEAST_ETHERTYPE = 0x600
"""What is less is the length of a frame of IEEE 802.3."""
ETHERNET_HARDWARE = (1, 772)
"""ARPHRD_ETHER, ARPHRD_LOOPBACK: interfaces whose frames begin with a header of Ethernet."""
IP_PROTOCOLS = {
    1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 33: "dccp", 47: "gre", 50: "esp", 58: "icmpv6", 89: "ospf", 132: "sctp",
    136: "udplite",
}  # fmt: skip
WITH_PORTS = (6, 17, 33, 132, 136)
SYN, ACK = 2, 16
TCP_FLAGS = {SYN: "SYN", ACK: "ACK", 1: "FIN", 4: "RST"}
"""Those that begin and end a connection; all packets but the first have ACK, it is told of the answer to that."""
BROADCAST = b"\xff" * 6
OUTGOING = 4
"""PACKET_OUTGOING: the type of a packet that this host sends."""
FIELDS = ("dst", "src", "vlan", "priority", "type", "length")
"""The fields of a header, by the names that are looked for."""
_IPV4, _IPV6 = struct.Struct(">2xH2xHxB2x8s"), struct.Struct(">4xHBx32s")
"""Length, place of a fragment, protocol and both addresses; the same of a header of IPv6, without fragments."""
_WORDS = (
    "vlan", "broadcast", "length", "protocol", "→", *ETHERTYPES.values(), *IP_PROTOCOLS.values(),
    *(each.lower() for each in TCP_FLAGS.values()),
)  # fmt: skip
_ADDRESS = re.compile(r"[^0-9a-fx]*(?:[0-9a-fx]{1,6}[^0-9a-fx]+)*[0-9a-fx]{0,6}")
_LETTERS = frozenset("0123456789abcdefx.:[]/")


class Heading(NamedTuple):
    """What a row says of a frame ahead of its payload, which are the bytes from ``start`` up to ``end``.

    A packet of IP has two ends, ``10.0.0.1:53``, without a port where it has none, and what it is ``over``: ``udp``.
    """

    text: str = ""
    start: int = 0
    end: int = 0
    over: str = ""
    source: str = ""
    destination: str = ""


def ethertype(number: int) -> str:
    """``ipv4``; ``0x88b5`` for one without a name."""
    return ETHERTYPES.get(number, f"0x{number:04x}")


def decode_frame(protocol: str, payload: bytes, peer: object) -> Node | None:
    """The header of a frame of a raw socket; None where it is not one of Ethernet. Never raises."""
    if protocol != "raw" or _hardware(peer) not in ETHERNET_HARDWARE or len(payload) < HEADER:
        return None
    root = Node("eth", "", 0, len(payload))
    root.add("dst", _mac(payload[:6]), 0, 6)
    root.add("src", _mac(payload[6:12]), 6, 12)
    tags, number, at = _types(payload)
    for tag, place in tags:
        node = root.add("vlan", tag & 0xFFF, place, place + TAG, tag & 0xFFF)
        node.add("priority", tag >> 13, place + 2, place + 3, tag >> 13)
    name = "type" if number >= LEAST_ETHERTYPE else "length"
    root.add(name, ethertype(number) if name == "type" else number, at - 2, at, number)
    return root


def heading(protocol: str, payload: bytes, peer: object) -> Heading:
    """Who speaks to whom in a frame of a packet socket, and by what; without a text where that can't be told.

    ``peer`` is the address of AF_PACKET that came with it. Never raises.
    """
    if protocol == "dgram":
        told = peer[1] if isinstance(peer, tuple) and len(peer) > 1 and isinstance(peer[1], int) else 0
        return _internet(told, payload, 0) or Heading()
    if _hardware(peer) not in ETHERNET_HARDWARE or len(payload) < HEADER:
        return Heading()
    tags, number, at = _types(payload)
    before = "".join(f"vlan {tag & 0xFFF} " for tag, _ in tags)
    if internet := _internet(number, payload, at):
        return internet._replace(text=before + internet.text) if before else internet
    before += ethertype(number) if number >= LEAST_ETHERTYPE else f"length {number}"
    receiver, sender = payload[:6], payload[6:12]
    if any(receiver) or any(sender):
        before += f" {_mac(sender)} → {'broadcast' if receiver == BROADCAST else _mac(receiver)}"
    return Heading(before, at, len(payload))


def heading_of_packet(payload: bytes, length: int) -> Heading:
    """As `heading`, of a raw socket's payload: it has a text where that begins one packet with its header of IP, of
    ``length`` bytes on the wire."""
    for number, at in ((0x0800, 2), (0x86DD, 4)):
        if len(payload) >= at + 2 and (told := _internet(number, payload, 0)):
            (total,) = struct.unpack_from(">H", payload, at)
            if total + (40 if number == 0x86DD else 0) == length:
                return told
    return Heading()


def may_head(text: str) -> bool:
    """Whether a text, in any case, may stand in a heading. Of most texts that are looked for the answer is no."""
    return all(
        any(each in word for word in _WORDS) or (_LETTERS.issuperset(each) and _ADDRESS.fullmatch(each))
        for each in text.lower().split()
    )


def _hardware(peer: object) -> object:
    return peer[3] if isinstance(peer, tuple) and len(peer) > 3 else None


def _mac(address: bytes) -> str:
    return address.hex(":")


def _types(payload: bytes) -> tuple[list[tuple[int, int]], int, int]:
    """The tags of VLANs with their places, the ethertype or length, and where what it is about begins."""
    tags: list[tuple[int, int]] = []
    at = HEADER
    (number,) = struct.unpack_from(">H", payload, at - 2)
    while number in TAGS and len(payload) >= at + TAG and len(tags) < MOST_TAGS:
        tag, number = struct.unpack_from(">HH", payload, at)
        tags.append((tag, at - 2))
        at += TAG
    return tags, number, at


def _internet(number: int, payload: bytes, at: int) -> Heading | None:
    """The heading of a packet of IP, None for what is none."""
    first = payload[at] >> 4 if len(payload) > at else 0
    if number == 0x0800 and first == 4 and len(payload) >= at + 20:
        total, offset, protocol, hosts = _IPV4.unpack_from(payload, at)
        start, fragment = at + (payload[at] & 15) * 4, offset & 0x1FFF
    elif number == 0x86DD and first == 6 and len(payload) >= at + 40:
        total, protocol, hosts = _IPV6.unpack_from(payload, at)
        start, total, fragment = at + 40, total + 40, 0
    else:
        return None
    # A short frame is padded; where the kernel is to cut it into packets, it has no length yet.
    end = min(len(payload), at + total) if total >= start - at else len(payload)
    ports, flags = b"", 0
    if protocol in WITH_PORTS and not fragment and end >= start + 8:
        ports = payload[start : start + 4]
        if protocol == 6 and end >= start + 20:
            flags = payload[start + 13]
            flags &= 23 if flags & SYN else 7
            start += (payload[start + 12] >> 4) * 4
        elif protocol in (17, 136):
            start += 8
    text, over, source, destination = _ends(protocol, hosts, ports, flags)
    # Where a row is short the end of it is cut.
    return Heading(text, min(start, end), end, over, source, destination)


@lru_cache(maxsize=4096)
def _ends(protocol: int, hosts: bytes, ports: bytes, flags: int) -> tuple[str, str, str, str]:
    """The text of a packet, what it is over, its source and its destination, by both hosts and both ports as a header
    has them; ``ports`` is empty where it has none."""
    half = len(hosts) // 2
    family = socket.AF_INET if half == 4 else socket.AF_INET6
    source, destination = (socket.inet_ntop(family, each) for each in (hosts[:half], hosts[half:]))
    what = over = IP_PROTOCOLS.get(protocol, f"protocol {protocol}")
    if ports:
        names = (f"[{each}]" if ":" in each else each for each in (source, destination))
        source, destination = (f"{name}:{port}" for name, port in zip(names, struct.unpack(">HH", ports), strict=True))
        what += "".join(f" {name}" for bit, name in TCP_FLAGS.items() if flags & bit)
    return f"{what} {source} → {destination}", over, source, destination
