"""AF_CAN: controller area networks. Source: Linux' can.rst, <linux/can.h>, <linux/can/j1939.h>; ``case AF_CAN``."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from sockexplorer.core.advice import Advice
from sockexplorer.core.family import Family, Protocol, Role
from sockexplorer.core.fields import Field, FieldError, Integer, Invalid, Kind, Notice, Offers, as_index, typed

ORDER = 65
EFF_FLAG = 0x80000000
MASK = 0xFFFFFFFF
NO_NAME, NO_PGN, NO_ADDR = 0, 0x40000, 0xFF
NO_INTERFACE = Advice(
    "There is no such CAN interface.",
    ("make a virtual one: sudo ip link add dev vcan0 type vcan; sudo ip link set vcan0 up", "choose one of: ip link"),
)
NOT_HERE = Advice(
    "This kernel has no CAN sockets.",
    ("sudo modprobe can, if this system has that module", "see the capability pane for what it has"),
)
RAW_SAMPLE = r"\x23\x01\0\0\x05\0\0\0hello\0\0\0"


@dataclass(frozen=True)
class CanInterface(Kind):
    """``O&`` with FSConverter: a str, bytes or path of at most 15 bytes; '' for every CAN interface."""

    offers: Offers = "interfaces"

    def parse(self, text: str) -> str:
        name = text.strip()
        self.check(name)
        return name

    def show(self, value: object) -> str:
        return os.fsdecode(value) if isinstance(value, str | bytes | os.PathLike) else str(value)

    def check(self, value: object) -> None:
        try:
            raw = os.fsencode(value)  # type: ignore[arg-type]
        except TypeError:
            raise Invalid(f"{typed(value)} is not a name", "write the interface's name, such as 'can0'") from None
        except UnicodeEncodeError:
            raise Invalid("can't be encoded", "take the lone surrogate out of the name") from None
        if b"\0" in raw:
            raise Invalid("has an embedded null byte", "take the NUL out of the name")
        if len(raw) > 15:
            raise Invalid(f"has {len(raw)} bytes", "an interface name has at most 15")


@dataclass(frozen=True)
class Unsigned(Integer):
    """``k`` or ``K``: masked, and ints only before Python 3.14."""

    def check(self, value: object) -> None:
        if not isinstance(value, int):
            raise Invalid(f"{typed(value)} is not an int", "write a whole number")


CAN_ID = Unsigned(0, MASK, wraps=True, base=16)
NAME = Unsigned(0, 2**64 - 1, wraps=True, base=16, names={"J1939_NO_NAME": NO_NAME})
LOCAL = {"interface": "vcan0"}


class Can(Family):
    constant = "AF_CAN"
    title = "CAN bus"
    summary = "controller area network: (interface,), and ids or names by protocol"
    modules = ("can",)
    help = (
        "raw and bcm take (interface,); isotp (interface, rx_addr, tx_addr); j1939 (interface, name, pgn, addr). An id "
        "of 29 bits carries CAN_EFF_FLAG, 0x80000000. The protocol must be given: 0 is not CAN_RAW."
    )
    advice = {
        ("*", "ENODEV"): NO_INTERFACE,
        ("*", "EAFNOSUPPORT"): NOT_HERE,
        ("bind", "EADDRNOTAVAIL"): Advice(
            "The ids to receive and to send are the same, or no interface was named.", ("give two different ids",)
        ),
        ("bind", "EINVAL"): Advice(
            "An id is out of range, or has 29 bits without CAN_EFF_FLAG.", ("add 0x80000000 to 29-bit ids",)
        ),
        ("send", "ENETDOWN"): Advice("The interface is down.", ("sudo ip link set vcan0 up",)),
        ("send", "EINVAL"): Advice(
            "A raw frame has 16 bytes (classic) or 72 (FD).", ("pack it: struct.pack('=IB3x8s', id, length, data)",)
        ),
        ("send", "ENOBUFS"): Advice(
            "Nobody on the bus acknowledges, so the queue is full.", ("check wiring and bit rate",)
        ),
    }
    protocols = (
        Protocol(
            "raw", "SOCK_RAW", "CAN_RAW", "frames", ("bind",), local=LOCAL, modules=("can_raw",), sends_bound=True,
            sample=RAW_SAMPLE, snaplen=4096, help="Every frame of an interface, or of all with an empty name. A frame "
            "is 16 bytes: id, length, 3 of padding, 8 of data.",
        ),
        Protocol(
            "bcm", "SOCK_DGRAM", "CAN_BCM", "cyclic frames", ("connect",), remote=LOCAL, modules=("can_bcm",),
            sample="", snaplen=65536, help="The broadcast manager sends cyclically and filters by content.",
        ),
        Protocol(
            "isotp", "SOCK_DGRAM", "CAN_ISOTP", "long messages", ("bind",), modules=("can_isotp",), sends_bound=True,
            local={"interface": "vcan0", "rx_addr": "0x7e8", "tx_addr": "0x7e0"},
            help="ISO 15765-2: messages of up to 4095 bytes and more over frames of eight. rx is the id received.",
        ),
        Protocol(
            "j1939", "SOCK_DGRAM", "CAN_J1939", "SAE J1939", ("bind", "connect"),
            modules=("can_j1939",), msg_trunc=False,
            local={"interface": "vcan0", "name": "0x0", "pgn": "J1939_NO_PGN", "addr": "0x20"},
            remote={"interface": "vcan0", "name": "0x0", "pgn": "0x0", "addr": "0x30"},
            help="Messages of trucks and ships by parameter group (PGN), to an address or a NAME.",
        ),
    )  # fmt: skip

    def fields(self, protocol: Protocol) -> tuple[Field, ...]:
        interface = Field("interface", CanInterface(), "vcan0", "a CAN interface; nothing for all of them")
        if protocol.name == "isotp":
            return (
                interface,
                Field("rx_addr", CAN_ID, "0x7e8", "the id that is received"),
                Field("tx_addr", CAN_ID, "0x7e0", "the id that is sent"),
            )
        if protocol.name == "j1939":
            return (
                interface,
                Field("name", NAME, "0x0", "64 bits"),
                Field(
                    "pgn", Integer(0, MASK, wraps=True, base=16, names={"J1939_NO_PGN": NO_PGN}), "J1939_NO_PGN",
                    "parameter group number",
                ),
                Field(
                    "addr", Integer(0, 255, wraps=True, base=16, names={"J1939_NO_ADDR": NO_ADDR}), "0x20",
                    "8-bit address; 0xff for none",
                ),
            )  # fmt: skip
        return (interface,)

    def notices(self, protocol: Protocol, address: object, role: Role) -> Iterator[Notice]:
        yield from super().notices(protocol, address, role)
        if not isinstance(address, tuple) or not address:
            return
        if not os.fsencode(address[0]) and protocol.name in ("isotp", "j1939"):
            yield Notice("interface", f"{protocol.name} needs one interface")
        if protocol.name == "isotp":
            for field, value in zip(("rx_addr", "tx_addr"), address[1:], strict=False):
                number = as_index(value) & MASK
                if 0x7FF < number <= 0x1FFFFFFF:
                    yield Notice(field, "an id above 0x7ff has 29 bits: add CAN_EFF_FLAG 0x80000000")
            if address[1] == address[2]:
                yield Notice("tx_addr", "the kernel refuses the same id for both directions")
        if protocol.name == "j1939":
            pgn = as_index(address[2]) & MASK
            if pgn < NO_PGN and pgn & 0xFF00 < 0xF000 and pgn & 0xFF:
                yield Notice("pgn", "a PDU1 group (below 0xf000) ends in 00: its last byte is the destination")

    def text(self, address: object) -> str:
        if not isinstance(address, tuple) or not address:
            return repr(address)
        name, *numbers = address
        if not isinstance(name, str | bytes) or not all(isinstance(each, int) for each in numbers):
            return repr(address)
        shown = os.fsdecode(name) or "any"
        if len(numbers) == 2 and any(numbers):
            return f"{shown} rx {numbers[0] & MASK:x} tx {numbers[1] & MASK:x}"
        if len(numbers) == 3:
            return f"{shown} pgn {numbers[1] & MASK:05x} addr {numbers[2] & 0xFF:02x}"
        return shown if not any(numbers) else repr(address)

    def plain(self, protocol: Protocol, text: str) -> object:
        """``vcan0``, ``vcan0:7e8:7e0`` for isotp, ``vcan0:NAME:PGN:ADDR`` for j1939 (hexadecimal)."""
        parts = text.strip().split(":")
        fields = self.fields(protocol)
        if len(parts) != len(fields):
            raise FieldError("", text, f"has {len(parts)} parts, not {len(fields)}", f"write {self.example(protocol)}")
        values = [fields[0].parse(parts[0])]
        for field, part in zip(fields[1:], parts[1:], strict=True):
            values.append(field.parse(part if part.lower().startswith("0x") else f"0x{part}"))
        return tuple(values)

    def pack(self, protocol: Protocol, address: object) -> bytes:
        assert isinstance(address, tuple)
        name = os.fsdecode(address[0])
        index = socket.if_nametoindex(name) if name else 0
        head = struct.pack("=HHi", self.number, 0, index)
        if protocol.name == "isotp":
            tail = struct.pack("=II", *(as_index(value) & MASK for value in address[1:]))
        elif protocol.name == "j1939":
            name_, pgn, addr = map(as_index, address[1:])
            tail = struct.pack("=QIB", name_ & (2**64 - 1), pgn & MASK, addr & 0xFF)
        else:
            tail = b""
        return (head + tail).ljust(24, b"\0")

    def unpack(self, protocol: Protocol, sockaddr: bytes) -> object:
        if len(sockaddr) < 8:
            return None
        (index,) = struct.unpack_from("=i", sockaddr, 4)
        try:
            name = socket.if_indextoname(index) if index > 0 else ""
        except OSError:
            name = ""
        if protocol.name == "isotp" and len(sockaddr) >= 16:
            return (name, *struct.unpack_from("=II", sockaddr, 8))
        if protocol.name == "j1939" and len(sockaddr) >= 21:
            return (name, *struct.unpack_from("=QIB", sockaddr, 8))
        return (name,)


FAMILY = Can()
