"""AF_PACKET: frames of a network interface. Source: packet(7), <linux/if_packet.h>; ``case AF_PACKET``."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

from sockexplorer.core import links
from sockexplorer.core.advice import Advice
from sockexplorer.core.cformats import index
from sockexplorer.core.demo import LEFT, RIGHT, Act, Demo, End
from sockexplorer.core.family import Family
from sockexplorer.core.faults import LAST, FieldError, Notice, Raises
from sockexplorer.core.fields import CInt, Field, HexBytes, InterfaceName
from sockexplorer.core.protocol import Protocol, Role
from sockexplorer.core.sockaddr import Layout, Part, hexadecimal, named

ORDER = 50
ETH_P = {
    "ETH_P_ALL": 0x0003, "ETH_P_IP": 0x0800, "ETH_P_ARP": 0x0806, "ETH_P_IPV6": 0x86DD, "ETH_P_8021Q": 0x8100,
    "ETH_P_LLDP": 0x88CC, "ETH_P_PAE": 0x888E, "ETH_P_CAN": 0x000C,
}  # fmt: skip
NAMES = {value: name.removeprefix("ETH_P_") for name, value in ETH_P.items()}
PKTTYPE = {
    "PACKET_HOST": 0, "PACKET_BROADCAST": 1, "PACKET_MULTICAST": 2, "PACKET_OTHERHOST": 3, "PACKET_OUTGOING": 4,
}  # fmt: skip
WORDS = {value: name.partition("_")[2].lower() for name, value in PKTTYPE.items() if value}
"""What a row says of who a frame was for; nothing where it was for this host."""
LOCAL = {"ifname": "lo", "proto": "ETH_P_ALL"}
# Broadcast, from 02:00:00:00:00:01, ETH_P_802_EX1 (local experiments), so that nobody acts on it.
ETH_P_ALL, EXPERIMENTAL = 0x0003, 0x88B5
FRAME = b"\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x01\x88\xb5" + b"hello".ljust(46, b"\0")
"""A broadcast as long as the shortest frame of Ethernet."""
SAMPLE = r"\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x01\x88\xb5hello"


OVERFLOW = Raises("OverflowError", "{call}(): address argument out of range")
PROTO = CInt(
    0, 0xFFFF, names=ETH_P, base=16, overflow=OVERFLOW,
    range_=Raises("OverflowError", "{call}(): proto must be 0-65535.", LAST),
)  # fmt: skip
SOCKADDR = Layout(
    "sockaddr_ll",
    Part("sll_family", "H", "address family", show=named({"AF_PACKET": 17})),
    Part("sll_protocol", "H", "ethertype", "network", named(ETH_P, hexadecimal)),
    Part("sll_ifindex", "i", "index of the interface"),
    Part("sll_hatype", "H", "ARP hardware type"),
    Part("sll_pkttype", "B", "who a frame is for", show=named(PKTTYPE)),
    Part("sll_halen", "B", "length of the hardware address"),
    Part("sll_addr", "8s", "hardware address"),
    least=12,
)
"""``<linux/if_packet.h>``, packet(7)."""


class Packet(Family):
    constant = "AF_PACKET"
    title = "Packet"
    availability = "Linux 2.2"
    summary = "frames of an interface: (ifname, proto[, pkttype[, hatype[, addr]]])"
    shape = "AF_PACKET address must be a tuple of two to five elements"
    help = (
        "The address is (ifname, proto, pkttype, hatype, addr). For bind only the first two count; proto is an "
        "ethertype in host order here, though socket() wants it in network order. Opening it needs CAP_NET_RAW."
    )
    pitfalls = (
        "Without CAP_NET_RAW socket() itself fails.",
        "Without a protocol, of socket() or of bind(), nothing is received: ETH_P_ALL receives both directions.",
        "On the loopback every frame is seen twice, as it leaves and as it comes.",
        "The kernel takes a VLAN's tag off the frame: it comes beside it, as PACKET_AUXDATA.",
    )
    advice = {
        ("socket", "ESOCKTNOSUPPORT"): Advice(
            "Packet sockets are raw or datagrams.", ("choose raw for whole frames, dgram to leave the header out",)
        ),
        ("bind", "ENODEV"): Advice(
            "There is no such interface: it went between its look-up and the bind.",
            ("choose one from the list: ip link",),
        ),
        ("bind", "EINVAL"): Advice(
            "The socket belongs to a fanout group, which has one interface.", ("open another socket",)
        ),
        ("connect", "EOPNOTSUPP"): Advice(
            "A packet socket can't be connected: a frame names its own receiver.", ("bind it to an interface",)
        ),
        ("*", "ENETDOWN"): Advice(
            "The interface is down, or went down: frames neither come nor go.",
            ("sudo ip link set INTERFACE up", "see its state: ip -br link"),
        ),
        ("read", "ENODEV"): Advice("The interface that the socket is bound to is gone.", ("bind to another: ip link",)),
        ("send", "ENXIO"): Advice(
            "No interface to send on: the socket is not bound, or its interface is gone.",
            ("bind to one, or name it in the peer's address",),
        ),
        ("send", "EMSGSIZE"): Advice(
            "The frame is longer than the interface's MTU and link-layer header (1514 bytes on Ethernet).",
            ("send less at once", "see the MTU: ip link show INTERFACE"),
        ),
        ("send", "ENOBUFS"): Advice(
            "The queue of the interface is full: it can't send as fast.",
            ("send more slowly", "sudo ip link set INTERFACE txqueuelen 1000"),
        ),
        ("send", "EAGAIN"): Advice("The send buffer is full.", ("wait a moment, then send again",)),
        ("setsockopt", "ENODEV"): Advice("The option names no interface of this host.", ("choose one: ip link",)),
        ("setsockopt", "EALREADY"): Advice("The socket is in a fanout group already.", ("leave the option out",)),
        ("setsockopt", "ENOSPC"): Advice("The fanout group is full.", ("choose another group",)),
    }
    protocol_advice = {
        "raw": {
            ("send", "EINVAL"): Advice(
                "The frame is too short for a link-layer header, which a raw socket sends as it is given.",
                ("give at least 14 bytes: receiver, sender, ethertype", "use dgram: the kernel writes the header"),
            ),
        },
        "dgram": {
            ("send", "EINVAL"): Advice(
                "The message is empty, or the kernel can't write its link-layer header: the receiver's hardware "
                "address "
                "is missing.",
                ("give addr, the hardware address, with the peer",),
            ),
        },
    }
    protocols = (
        Protocol(
            "raw", "SOCK_RAW", "0", "whole frames", ("bind",), local=LOCAL, privilege="CAP_NET_RAW",
            sends_bound=True,
            sample=SAMPLE, help="Frames with their link-layer header, in and out. What you send must have one too.",
            try_it="ping -c 1 127.0.0.1",
        ),
        Protocol(
            "dgram", "SOCK_DGRAM", "0", "frames without header", ("bind",), local=LOCAL, privilege="CAP_NET_RAW",
            sample="hello", help="The kernel takes the link-layer header off, and adds one when sending.",
            try_it="ping -c 1 127.0.0.1",
        ),
    )  # fmt: skip

    demos = {
        "raw": Demo(
            "One end of a veth pair sends a frame with a header of its own; the other sees it come.",
            (End("bind", (LEFT, ETH_P_ALL)), End("bind", (RIGHT, EXPERIMENTAL))),
            (Act(1, FRAME), Act(1, FRAME)), private=True,
        ),
        "dgram": Demo(
            "The kernel puts the link-layer header on and takes it off.",
            (End("bind", (LEFT, ETH_P_ALL)), End("bind", (RIGHT, EXPERIMENTAL))),
            (Act(1, b"hello", (RIGHT, EXPERIMENTAL, 0, 0, b"\xff" * 6)),), private=True,
        ),
    }  # fmt: skip

    def fields(self, protocol: Protocol) -> tuple[Field, ...]:
        return (
            Field(
                "ifname", InterfaceName(Raises("TypeError", self.shape)), "lo", "the interface's name",
                pitfall="There is no name for all interfaces, and bytes are refused.",
            ),
            Field(
                "proto", PROTO, "ETH_P_ALL", "ethertype, host order",
                pitfall="socket() wants the same number in network order: socket.htons(ETH_P_ALL).",
            ),
            Field(
                "pkttype", CInt(0, 255, names=PKTTYPE, overflow=OVERFLOW), "PACKET_HOST",
                "who a frame is for; ignored by bind", optional=True,
                pitfall="It tells about frames that were received; set it for nothing else.",
            ),
            Field(
                "hatype", CInt(0, 65535, overflow=OVERFLOW), "0", "ARP hardware type; ignored by bind", optional=True,
                pitfall="It tells about frames that were received; the kernel ignores it otherwise.",
            ),
            Field(
                "addr", HexBytes(8), "", "hardware address to send to; ignored by bind", optional=True,
                pitfall="Eight bytes are the most that Python takes: no InfiniBand address fits.",
            ),
        )  # fmt: skip

    def notices(self, protocol: Protocol, address: object, role: Role) -> Iterator[Notice]:
        yield from super().notices(protocol, address, role)
        if isinstance(address, tuple) and role == "local" and len(address) > 1 and address[1] == 0:
            yield Notice("proto", "0 keeps the protocol of socket(), without which nothing is received")

    def text(self, address: object) -> str:
        if not isinstance(address, tuple) or len(address) < 2 or not isinstance(address[1], int):
            return repr(address)
        interface, proto = address[0], address[1]
        ethertype = NAMES.get(proto) or f"0x{proto:04x}"
        hardware = address[4] if len(address) > 4 and isinstance(address[4], bytes | bytearray) else b""
        mac = f" {bytes(hardware).hex(':')}" if hardware and any(hardware) else ""
        pkttype = WORDS.get(address[2], "") if len(address) > 2 else ""
        return " ".join(filter(None, (f"{interface or '(gone)'} {ethertype}{mac}", pkttype)))

    def row_text(self, address: object) -> str:
        return self.text(address).removesuffix(f" {WORDS[PKTTYPE['PACKET_OUTGOING']]}")

    def plain(self, protocol: Protocol, text: str) -> object:
        """``eth0``, ``eth0:ETH_P_IP``; ``eth0 IP 02:00:00:00:00:01 broadcast``, as a row has it."""
        fields = self.fields(protocol)
        row_form = rf"(\S+) ([0-9A-Za-z_]+)(?: ([0-9a-f:]+))?(?: ({'|'.join(WORDS.values())}))?"
        if row := re.fullmatch(row_form, text.strip()):
            address = (row[1], fields[1].read(f"ETH_P_{row[2]}" if f"ETH_P_{row[2]}" in ETH_P else row[2]))
            pkttype = next((value for value, word in WORDS.items() if word == row[4]), 0)
            if not row[3]:
                return (*address, pkttype) if pkttype else address
            return (*address, pkttype, 0, fields[4].read(row[3]))
        name, _, proto = text.strip().partition(":")
        if not name:
            raise FieldError("ifname", text, "is empty", "write an interface such as lo")
        return (name, fields[1].read(proto or "ETH_P_ALL"))

    def pack(self, protocol: Protocol, address: object) -> bytes:
        assert isinstance(address, tuple)
        given: tuple[Any, ...] = address
        ifname, proto, pkttype, hatype, hardware = given + (0, 0, b"")[len(given) - 2 :]
        # SIOCGIFINDEX looks at the name before a colon: the rest is an alias of old.
        name = os.fsdecode(ifname.encode()[:15]).partition(":")[0]
        return SOCKADDR.pack(
            sll_family=self.number,
            sll_protocol=index(proto),
            sll_ifindex=links.index_of(name),
            sll_hatype=index(hatype) & 0xFFFF,
            sll_pkttype=index(pkttype) & 0xFF,
            sll_halen=len(bytes(hardware)),
            sll_addr=bytes(hardware),
        )

    def unpack(self, protocol: Protocol, sockaddr: bytes) -> object:
        found = SOCKADDR.unpack(sockaddr)
        if found is None:
            return None
        try:
            ifname = links.name_of(found["sll_ifindex"]) if found["sll_ifindex"] > 0 else ""
        except OSError:
            ifname = ""
        hardware = found["sll_addr"][: found["sll_halen"]]
        return (ifname, found["sll_protocol"], found["sll_pkttype"], found["sll_hatype"], hardware)

    def layout(self, protocol: Protocol, sockaddr: bytes) -> Layout:
        return SOCKADDR

    def outgoing(self, sockaddr: bytes) -> bool:
        return len(sockaddr) > 10 and sockaddr[10] == PKTTYPE["PACKET_OUTGOING"]


FAMILY = Packet()
