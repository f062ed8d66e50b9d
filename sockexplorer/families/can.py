"""AF_CAN: controller area networks. Source: Linux' can.rst, <linux/can.h>, <linux/can/j1939.h>; ``case AF_CAN``."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from sockexplorer.core import canoptions, cformats, links
from sockexplorer.core.can_advice import BY_PROTOCOL, CAN
from sockexplorer.core.canframes import read_bcm, read_frame
from sockexplorer.core.demo import Act, Demo, End
from sockexplorer.core.family import Family
from sockexplorer.core.faults import LOOK_UP, FieldError, Invalid, Notice, Raises
from sockexplorer.core.fields import Field, Integer, Kind, Masked
from sockexplorer.core.protocol import Protocol, Role
from sockexplorer.core.sockaddr import Layout, Part, hexadecimal, named

ORDER = 65
EFF_FLAG = 0x80000000
MASK = 0xFFFFFFFF
NO_NAME, NO_PGN, NO_ADDR = 0, 0x40000, 0xFF
CYCLIC = struct.pack("=IIIxxxxqqqqIIIB3x8s", 1, 1 | 2 | 8, 3, 0, 100_000, 0, 0, 0x42, 1, 0x42, 3, b"bcm")
"""``struct bcm_msg_head`` of ``<linux/can/bcm.h>``: TX_SETUP, SETTIMER | STARTTIMER | TX_COUNTEVT, three times."""
BCM_SAMPLE = "".join(f"\\x{byte:02x}" for byte in read_bcm("TX_SETUP 123#68656C6C6F ival2=1s"))
RAW_SAMPLE = r"\x23\x01\0\0\x05\0\0\0hello\0\0\0"


@dataclass(frozen=True)
class CanInterface(Kind):
    """``O&`` with FSConverter: a str, bytes or path of at most 15 bytes; '' for every CAN interface."""

    offers: str = "can-interfaces"

    def read(self, text: str) -> str:
        return text.strip()

    def show(self, value: object) -> str:
        return os.fsdecode(value) if isinstance(value, str | bytes | os.PathLike) else str(value)

    def takes(self) -> str:
        return "an interface's name of at most 15 bytes, or nothing for every CAN interface"

    def check(self, value: object) -> None:
        raw = cformats.file_name(value)
        if len(raw) > 15:
            too_long = Raises("OSError", "AF_CAN interface name too long", LOOK_UP)
            raise Invalid(f"has {len(raw)} bytes", "an interface name has at most 15", too_long)


_HEAD = (
    Part("can_family", "H", "address family", show=named({"AF_CAN": 29})),
    Part("padding", "2s", "unused"),
    Part("can_ifindex", "i", "index of the interface; 0 for all"),
)
SOCKADDRS = {
    "raw": Layout("sockaddr_can", *_HEAD, Part("can_addr", "16s", "unused by this protocol"), least=8),
    "isotp": Layout(
        "sockaddr_can",
        *_HEAD,
        Part("can_addr.tp.rx_id", "I", "the id that is received", show=hexadecimal),
        Part("can_addr.tp.tx_id", "I", "the id that is sent", show=hexadecimal),
        Part("unused", "8s", "unused by this protocol"),
        least=8,
    ),
    "j1939": Layout(
        "sockaddr_can",
        *_HEAD,
        Part("can_addr.j1939.name", "Q", "NAME of 64 bits; 0 for none", show=hexadecimal),
        Part("can_addr.j1939.pgn", "I", "parameter group number", show=named({"J1939_NO_PGN": NO_PGN}, hexadecimal)),
        Part("can_addr.j1939.addr", "B", "address", show=named({"J1939_NO_ADDR": NO_ADDR}, hexadecimal)),
        Part("unused", "3s", "unused"),
        least=8,
    ),
}
"""``struct sockaddr_can`` of ``<linux/can.h>``: a union after the interface."""
LOCAL = {"interface": "vcan0"}


class Can(Family):
    constant = "AF_CAN"
    systems = ("linux", "netbsd")
    shape = "AF_CAN address must be a tuple (interface, )"
    title = "CAN bus"
    summary = "controller area network: (interface,), and ids or names by protocol"
    availability = "Linux 2.6.25; NetBSD since Python 3.11"
    modules = ("can",)
    help = (
        "raw and bcm take (interface,); isotp (interface, rx_addr, tx_addr); j1939 (interface, name, pgn, addr). An id "
        "of 29 bits carries CAN_EFF_FLAG, 0x80000000. The protocol must be given: 0 is not CAN_RAW."
    )
    pitfalls = (
        "socket(AF_CAN, SOCK_RAW) without a protocol opens CAN_RAW, but Python then refuses every address.",
        "An id above 0x7ff needs CAN_EFF_FLAG (0x80000000), and rx and tx are seen from this end.",
        "An interface that is down binds all the same, and then sends nothing.",
    )
    advice = CAN
    protocol_advice = BY_PROTOCOL
    protocols = (
        Protocol(
            "raw", "SOCK_RAW", "CAN_RAW", "frames", ("bind",), local=LOCAL, modules=("can_raw",), sends_bound=True,
            sample=RAW_SAMPLE, notation="123#DEADBEEF", snaplen=4096, options=canoptions.RAW,
            help="Every frame of an interface, or of all with an empty name. A frame is 16 bytes: id, length, 3 of "
            "padding, 8 of data; of CAN FD it is 72.",
        ),
        Protocol(
            "bcm", "SOCK_DGRAM", "CAN_BCM", "cyclic frames", ("connect",), remote=LOCAL, modules=("can_bcm",),
            has_name=False, sample=BCM_SAMPLE, notation="TX_SETUP 123#DEADBEEF ival2=100ms", snaplen=65536,
            help="The broadcast manager sends cyclically and filters by content. The sample has it send 123#68656C6C6F "
            "every second.",
        ),
        Protocol(
            "isotp", "SOCK_DGRAM", "CAN_ISOTP", "long messages", ("bind",), modules=("can_isotp",), sends_bound=True,
            availability="Linux 5.10; Python 3.7", options=canoptions.ISOTP,
            local={"interface": "vcan0", "rx_addr": "0x7e8", "tx_addr": "0x7e0"},
            help="ISO 15765-2: messages of up to 4095 bytes and more over frames of eight. rx is the id received.",
        ),
        Protocol(
            "j1939", "SOCK_DGRAM", "CAN_J1939", "SAE J1939", ("bind", "connect"),
            modules=("can_j1939",), msg_trunc=False, availability="Linux 5.4; Python 3.9", options=canoptions.J1939,
            local={"interface": "vcan0", "name": "0x0", "pgn": "J1939_NO_PGN", "addr": "0x20"},
            remote={"interface": "vcan0", "name": "0x0", "pgn": "0x0", "addr": "0x30"},
            help="Messages of trucks and ships by parameter group (PGN), to an address or a NAME.",
        ),
    )  # fmt: skip

    demos = {
        "raw": Demo(
            "Two nodes on a virtual bus: a frame of one, and the answer of the other.",
            (End("bind", ("vcan0",)), End("bind", ("vcan0",))),
            (Act(1, struct.pack("=IB3x8s", 0x123, 5, b"hello")), Act(0, struct.pack("=IB3x8s", 0x321, 2, b"ok"))),
            private=True,
        ),
        "bcm": Demo(
            "The broadcast manager sends a frame three times, every 100 ms, by itself; a raw socket watches the bus.",
            (End("bind", ("vcan0",), protocol="raw"), End("connect", remote=("vcan0",))),
            (Act(1, CYCLIC),), private=True,
        ),
        "isotp": Demo(
            "A message of 100 bytes goes over frames of eight, and an answer.",
            (End("bind", ("vcan0", 0x7E8, 0x7E0)), End("bind", ("vcan0", 0x7E0, 0x7E8))),
            (Act(1, bytes(range(100))), Act(0, b"understood")), private=True,
        ),
        "j1939": Demo(
            "Address 0x30 sends 100 bytes to 0x20: more than a frame holds.",
            (
                End("bind", ("vcan0", NO_NAME, NO_PGN, 0x20)),
                End("bind", ("vcan0", NO_NAME, NO_PGN, 0x30)),
            ),
            (Act(1, bytes(range(100)), ("vcan0", NO_NAME, 0x12300, 0x20)),), private=True,
        ),
    }  # fmt: skip

    def fields(self, protocol: Protocol) -> tuple[Field, ...]:
        later = self.python.version >= (3, 14)
        can_id = Masked(0, MASK, wraps=True, base=16, takes_index=later, format_bits=64)
        name = Masked(0, 2**64 - 1, wraps=True, base=16, names={"J1939_NO_NAME": NO_NAME}, takes_index=later)
        interface = Field("interface", CanInterface(), "vcan0", "a CAN interface; nothing for all of them",
                          pitfall="isotp and j1939 need one; an interface of another kind is ENODEV.")  # fmt: skip

        if protocol.name == "isotp":
            return (
                interface,
                Field(
                    "rx_addr",
                    can_id,
                    "0x7e8",
                    "the id that is received",
                    pitfall="29 bits without CAN_EFF_FLAG are refused by the kernel.",
                ),
                Field("tx_addr", can_id, "0x7e0", "the id that is sent", pitfall="It must differ from rx_addr."),
            )
        if protocol.name == "j1939":
            return (
                interface,
                Field("name", name, "0x0", "NAME of 64 bits; 0 for none",
                      pitfall="A NAME works only after its address was claimed (PGN 0xee00)."),
                Field(
                    "pgn", Integer(0, MASK, wraps=True, base=16, names={"J1939_NO_PGN": NO_PGN}), "J1939_NO_PGN",
                    "parameter group number", pitfall="Below 0xf000 its last byte is the destination and must be 0.",
                ),
                Field(
                    "addr", Integer(0, 255, wraps=True, base=16, names={"J1939_NO_ADDR": NO_ADDR}), "0x20",
                    "8-bit address; 0xff for none", pitfall="254 and 255 are nobody's own address.",
                ),
            )  # fmt: skip
        return (interface,)

    def notices(self, protocol: Protocol, address: object, role: Role) -> Iterator[Notice]:
        yield from super().notices(protocol, address, role)
        if not isinstance(address, tuple) or not address:
            return
        if b":" in os.fsencode(address[0]):
            yield Notice("interface", "the kernel cuts the name at the colon")
        if not os.fsencode(address[0]) and protocol.name in ("isotp", "j1939"):
            yield Notice("interface", f"{protocol.name} needs one interface")
        if protocol.name == "isotp":
            for field, value in zip(("rx_addr", "tx_addr"), address[1:], strict=False):
                number = cformats.index(value) & MASK
                if 0x7FF < number <= 0x1FFFFFFF:
                    yield Notice(field, "an id above 0x7ff has 29 bits: add CAN_EFF_FLAG 0x80000000")
                elif number & ~(0x9FFFFFFF if number & EFF_FLAG else 0x7FF):
                    yield Notice(field, f"0x{number:x} has bits that no id has: the kernel refuses it")
            if len({cformats.index(value) & MASK for value in address[1:3]}) == 1:
                yield Notice("tx_addr", "the kernel refuses the same id for both directions")
        if protocol.name == "j1939":
            pgn = cformats.index(address[2]) & MASK
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
        """``vcan0``, ``vcan0:7e8:7e0`` for isotp, ``vcan0:NAME:PGN:ADDR`` for j1939 (hexadecimal).

        ``any`` stands for every interface, and ``vcan0 rx 7e8 tx 7e0`` is read as a row has it.
        """
        fields = self.fields(protocol)
        row = re.fullmatch(r"(\S+) (?:rx ([0-9a-f]+) tx|pgn ([0-9a-f]+) addr) ([0-9a-f]+)", text.strip())
        if row is None:
            parts = text.strip().split(":")
        else:
            parts = [row[1], row[2], row[4]] if row[2] else [row[1], "0", row[3], row[4]]
        parts[0] = "" if parts[0] == "any" else parts[0]
        if len(parts) != len(fields):
            raise FieldError("", text, f"has {len(parts)} parts, not {len(fields)}", f"write {self.example(protocol)}")
        values = [fields[0].read(parts[0])]
        for field, part in zip(fields[1:], parts[1:], strict=True):
            values.append(field.read(part if part.lower().startswith("0x") else f"0x{part}"))
        return tuple(values)

    def read_payload(self, protocol: Protocol, text: str) -> bytes:
        if protocol.name in ("raw", "bcm"):
            return read_frame(text) if protocol.name == "raw" else read_bcm(text)
        return super().read_payload(protocol, text)

    def unsupported(self, proto: int) -> Raises | None:
        if proto in (each.proto_number for each in self.protocols):
            return None
        return Raises("OSError", "{call}(): unsupported CAN protocol")

    def no_tuple(self, protocol: Protocol, address: object) -> Raises:
        if protocol.name in ("isotp", "j1939"):
            return Raises("SystemError", "new style getargs format but argument is not a tuple")
        return super().no_tuple(protocol, address)

    def wrong_length(self, protocol: Protocol, address: tuple[object, ...]) -> Raises:
        if protocol.name in ("isotp", "j1939"):
            wanted = len(self.fields(protocol))
            return Raises("TypeError", f"function takes exactly {wanted} arguments ({len(address)} given)")
        return super().wrong_length(protocol, address)

    def pack(self, protocol: Protocol, address: object) -> bytes:
        assert isinstance(address, tuple)
        name = os.fsdecode(address[0])
        values = {"can_family": self.number, "can_ifindex": links.index_of(name) if name else 0}
        numbers = [cformats.index(each) for each in address[1:]]
        if protocol.name == "isotp":
            values |= {"can_addr.tp.rx_id": numbers[0] & MASK, "can_addr.tp.tx_id": numbers[1] & MASK}
        elif protocol.name == "j1939":
            values |= {
                "can_addr.j1939.name": numbers[0] & (2**64 - 1),
                "can_addr.j1939.pgn": numbers[1] & MASK,
                "can_addr.j1939.addr": numbers[2] & 0xFF,
            }
        return self.layout(protocol, b"").pack(**values)

    def unpack(self, protocol: Protocol, sockaddr: bytes) -> object:
        found = self.layout(protocol, sockaddr).unpack(sockaddr)
        if found is None:
            return None
        _, _, index, *rest = found.values()
        try:
            name = links.name_of(index) if index > 0 else ""
        except OSError:
            name = ""
        return (name, *rest[:-1])

    def layout(self, protocol: Protocol, sockaddr: bytes) -> Layout:
        return SOCKADDRS.get(protocol.name, SOCKADDRS["raw"])


FAMILY = Can()
