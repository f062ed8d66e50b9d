"""AF_PACKET: frames of a network interface. Source: packet(7), <linux/if_packet.h>; ``case AF_PACKET``."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from typing import Any

from sockexplorer.core.advice import Advice
from sockexplorer.core.family import Family, Protocol, Role
from sockexplorer.core.fields import (
    INT_MAX,
    INT_MIN,
    Field,
    FieldError,
    HexBytes,
    Integer,
    InterfaceName,
    Invalid,
    Notice,
    as_index,
    shown,
)

ORDER = 50
ETH_P = {
    "ETH_P_ALL": 0x0003, "ETH_P_IP": 0x0800, "ETH_P_ARP": 0x0806, "ETH_P_IPV6": 0x86DD, "ETH_P_8021Q": 0x8100,
    "ETH_P_LLDP": 0x88CC, "ETH_P_PAE": 0x888E, "ETH_P_CAN": 0x000C,
}  # fmt: skip
PKTTYPE = {
    "PACKET_HOST": 0, "PACKET_BROADCAST": 1, "PACKET_MULTICAST": 2, "PACKET_OTHERHOST": 3, "PACKET_OUTGOING": 4,
}  # fmt: skip
LOCAL = {"interface": "lo", "proto": "ETH_P_ALL"}
# Broadcast, from 02:00:00:00:00:01, ETH_P_802_EX1 (local experiments), so that nobody acts on it.
SAMPLE = r"\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x01\x88\xb5hello"


class PacketProto(Integer):
    """``i``, with the range enforced after the interface was looked up."""

    def check(self, value: object) -> None:
        index = as_index(value)
        if not 0 <= index <= 0xFFFF:
            raise Invalid(f"{shown(index)} is out of range", self.remedy())


class Narrow(Integer):
    """``i``, any C int, stored in fewer bits without a word: only the low ones count."""

    def check(self, value: object) -> None:
        index = as_index(value)
        if not INT_MIN <= index <= INT_MAX:
            raise Invalid(f"{shown(index)} is out of range", self.remedy())

    def notices(self, value: object) -> Iterator[str]:
        index = as_index(value)
        if not self.low <= index <= self.high:
            yield f"{index} does not fit {self.high.bit_length()} bits: the kernel sees {index & self.high}"


class Packet(Family):
    constant = "AF_PACKET"
    title = "Packet"
    summary = "frames of an interface: (interface, proto[, pkttype[, hatype[, addr]]])"
    help = (
        "The address is (interface, proto, pkttype, hatype, addr). For bind only the first two count; proto is an "
        "ethertype in host order here, though socket() wants it in network order. Opening it needs CAP_NET_RAW."
    )
    advice = {
        ("bind", "ENODEV"): Advice("There is no such interface.", ("choose one from the list: ip link",)),
        ("connect", "EOPNOTSUPP"): Advice("A packet socket can't be connected.", ("bind it to an interface",)),
        ("send", "ENXIO"): Advice("No interface to send on.", ("bind to one, or name it in the peer's address",)),
        ("send", "EINVAL"): Advice("The frame is too short for a link-layer header.", ("give at least 14 bytes",)),
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

    def fields(self, protocol: Protocol) -> tuple[Field, ...]:
        return (
            Field("interface", InterfaceName(), "lo", "the interface's name; at most 15 bytes count"),
            Field("proto", PacketProto(0, 0xFFFF, names=ETH_P, base=16), "ETH_P_ALL", "ethertype, host order"),
            Field(
                "pkttype", Narrow(0, 255, names=PKTTYPE), "PACKET_HOST", "who a frame is for; ignored by bind",
                optional=True,
            ),
            Field("hatype", Narrow(0, 65535), "0", "ARP hardware type; ignored by bind", optional=True),
            Field("addr", HexBytes(8), "", "hardware address to send to; ignored by bind", optional=True),
        )  # fmt: skip

    def notices(self, protocol: Protocol, address: object, role: Role) -> Iterator[Notice]:
        yield from super().notices(protocol, address, role)
        if isinstance(address, tuple) and role == "local" and len(address) > 1 and address[1] == 0:
            yield Notice("proto", "protocol 0 receives nothing; ETH_P_ALL receives everything")

    def text(self, address: object) -> str:
        if not isinstance(address, tuple) or len(address) < 2 or not isinstance(address[1], int):
            return repr(address)
        interface, proto = address[0], address[1]
        names = {value: name for name, value in ETH_P.items()}
        ethertype = names.get(proto, f"0x{proto:04x}").removeprefix("ETH_P_")
        hardware = address[4] if len(address) > 4 and isinstance(address[4], bytes | bytearray) else b""
        mac = f" {bytes(hardware).hex(':')}" if hardware and any(hardware) else ""
        return f"{interface or '(gone)'} {ethertype}{mac}"

    def plain(self, protocol: Protocol, text: str) -> object:
        """``eth0``, or ``eth0:ETH_P_IP``."""
        name, _, proto = text.strip().partition(":")
        fields = self.fields(protocol)
        if not name:
            raise FieldError("interface", text, "is empty", "write an interface such as lo")
        return (name, fields[1].parse(proto or "ETH_P_ALL"))

    def pack(self, protocol: Protocol, address: object) -> bytes:
        assert isinstance(address, tuple)
        given: tuple[Any, ...] = address
        interface, proto, pkttype, hatype, hardware = given + (0, 0, b"")[len(given) - 2 :]
        index = socket.if_nametoindex(os.fsdecode(interface.encode()[:15]))
        head = struct.pack("=H", self.number) + struct.pack("!H", proto)
        tail = struct.pack("=iHBB", index, hatype & 0xFFFF, pkttype & 0xFF, len(hardware))
        return head + tail + bytes(hardware).ljust(8, b"\0")

    def unpack(self, protocol: Protocol, sockaddr: bytes) -> object:
        if len(sockaddr) < 12:
            return None
        (proto,) = struct.unpack_from("!H", sockaddr, 2)
        index, hatype, pkttype, length = struct.unpack_from("=IHBB", sockaddr, 4)
        try:
            interface = socket.if_indextoname(index) if index else ""
        except OSError:
            interface = ""
        return (interface, proto, pkttype, hatype, bytes(sockaddr[12 : 12 + length]))

    def outgoing(self, sockaddr: bytes) -> bool:
        return len(sockaddr) > 10 and sockaddr[10] == PKTTYPE["PACKET_OUTGOING"]


FAMILY = Packet()
