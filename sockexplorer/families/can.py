"""AF_CAN: controller area networks. Source: Linux' can.rst, <linux/can.h>, <linux/can/j1939.h>; ``case AF_CAN``."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from sockexplorer.core import canoptions, cformats, links
from sockexplorer.core.advice import Advice, rights
from sockexplorer.core.canframes import read_bcm, read_frame
from sockexplorer.core.demo import Act, Demo, End
from sockexplorer.core.family import Family, Protocol, Role
from sockexplorer.core.faults import LOOK_UP, FieldError, Invalid, Notice, Raises
from sockexplorer.core.fields import Field, Integer, Kind, Masked
from sockexplorer.core.sockaddr import Layout, Part, hexadecimal, named

ORDER = 65
EFF_FLAG = 0x80000000
MASK = 0xFFFFFFFF
NO_NAME, NO_PGN, NO_ADDR = 0, 0x40000, 0xFF
NO_INTERFACE = Advice(
    "There is no such CAN interface: the name is none of this host's, or one of another kind, such as lo or eth0.",
    (
        "make a virtual one: sudo ip link add dev vcan0 type vcan; sudo ip link set vcan0 up",
        "choose one of: ip link show type vcan; ip link show type can",
    ),
)
NOT_HERE = Advice(
    "This kernel has no CAN sockets.",
    ("sudo modprobe can, if this system has that module", "see what this host has: sockexplorer doctor can"),
)
CYCLIC = struct.pack("=IIIxxxxqqqqIIIB3x8s", 1, 1 | 2 | 8, 3, 0, 100_000, 0, 0, 0x42, 1, 0x42, 3, b"bcm")
"""``struct bcm_msg_head`` of ``<linux/can/bcm.h>``: TX_SETUP, SETTIMER | STARTTIMER | TX_COUNTEVT, three times."""
DOWN = Advice(
    "The interface is down, or went down: no frame comes or goes.",
    (
        "for a virtual one: sudo ip link set vcan0 up",
        "for a real one: sudo ip link set can0 up type can bitrate 500000",
        "after a bus-off: sudo ip link set can0 type can restart",
    ),
)
UNCLEAN_PGN = Advice(
    "A PGN below 0xf000 ends in 00, since its last byte is the destination; and a socket keeps to one interface.",
    ("write the PGN without the destination, 0xea00 for a request", "open another socket for another interface"),
)
J1939_BROADCAST = Advice(
    "Address 0xff without a NAME is everybody, which wants SO_BROADCAST.",
    ("switch SO_BROADCAST on", "give a destination address below 0xfe"),
)
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
    advice = {
        ("*", "ENODEV"): NO_INTERFACE,
        ("socket", "EAFNOSUPPORT"): NOT_HERE,
        ("socket", "EPROTOTYPE"): Advice(
            "CAN_RAW is for SOCK_RAW; CAN_BCM, CAN_ISOTP and CAN_J1939 are for SOCK_DGRAM.",
            ("choose the type that the protocol is for",),
        ),
        ("socket", "EINVAL"): Advice("CAN has the protocols 1 to 7.", ("choose raw, bcm, isotp or j1939",)),
        ("bind", "ENETDOWN"): DOWN,
        ("connect", "ENETDOWN"): DOWN,
        ("send", "ENETDOWN"): DOWN,
        ("read", "ENETDOWN"): DOWN,
        ("read", "ENODEV"): Advice(
            "The interface that the socket is bound to is gone.", ("make it again, and bind again: ip link",)
        ),
        ("listen", "EOPNOTSUPP"): Advice("CAN has no connections to listen for.", ("bind instead",)),
        ("send", "ENOBUFS"): Advice(
            "The interface's queue of frames (txqueuelen, 10 by default) is full: nobody on the bus acknowledges, or "
            "this "
            "sends faster than the bus.",
            (
                "check wiring, termination and bit rate: ip -details -statistics link show can0",
                "make the queue longer: sudo ip link set can0 txqueuelen 1000",
                "send more slowly",
            ),
        ),
        ("send", "EPERM"): Advice("The interface is none of CAN.", ("choose one of: ip link show type vcan",)),
    }
    protocol_advice = {
        "raw": {
            ("bind", "ENODEV"): NO_INTERFACE,
            ("connect", "EOPNOTSUPP"): Advice(
                "A raw CAN socket can't be connected: every node of the bus hears every frame.", ("bind it instead",)
            ),
            ("send", "ENXIO"): Advice(
                "No interface to send on: the socket is bound to all of them, or its interface is gone.",
                ("name the interface in the peer's address", "bind to one"),
            ),
            ("send", "EINVAL"): Advice(
                "A raw frame is a struct can_frame of 16 bytes with a length up to 8, or, with CAN_RAW_FD_FRAMES and "
                "an "
                "interface of MTU 72, a canfd_frame of 72.",
                (
                    "pack it: struct.pack('=IB3x8s', id, length, data)",
                    "for FD: set CAN_RAW_FD_FRAMES, and sudo ip link set vcan0 mtu 72 while it is down",
                ),
            ),
            ("send", "EMSGSIZE"): Advice(
                "The frame is longer than the interface's MTU: 16 is classic CAN, 72 is FD.",
                ("send a classic frame", "sudo ip link set can0 mtu 72 while it is down"),
            ),
            ("setsockopt", "EINVAL"): Advice(
                "The option takes another length: CAN_RAW_FILTER pairs of id and mask (8 bytes each, 512 pairs at "
                "most), "
                "the others an int.",
                ("pack a filter: struct.pack('=II', id, mask)",),
            ),
        },
        "bcm": {
            ("bind", "EOPNOTSUPP"): Advice("The broadcast manager is connected, not bound.", ("connect instead",)),
            ("connect", "EISCONN"): Advice("It is connected to an interface already.", ("open another socket",)),
            ("send", "ENOTCONN"): Advice("The broadcast manager is not connected.", ("connect it to an interface",)),
            ("send", "ENODEV"): Advice(
                "The socket is connected to all interfaces, or to one that is gone: to send, it wants one.",
                ("connect to one interface", "choose one of: ip link show type can"),
            ),
            ("send", "EINVAL"): Advice(
                "A message is a struct bcm_msg_head (56 bytes on 64 bits) and as many frames as its nframes says; it "
                "names "
                "a known opcode, and deletes or reads only what was set up.",
                (
                    "pack the head: struct.pack('@IIIllllII0q', opcode, flags, count, 0, 0, 0, 0, id, nframes)",
                    "set CAN_FD_FRAME in flags for frames of 72 bytes",
                ),
            ),
            ("send", "E2BIG"): Advice(
                "An update of a job may not have more frames than the job began with.",
                ("delete it (TX_DELETE, RX_DELETE), then set it up again",),
            ),
        },
        "isotp": {
            ("connect", "EOPNOTSUPP"): Advice(
                "An ISO-TP socket is not connected: its peer is in the ids that it is bound to.", ("bind it instead",)
            ),
            ("bind", "EADDRNOTAVAIL"): Advice(
                "The ids to receive and to send are the same: the socket would answer itself.",
                ("give two different ids: an ECU that answers at 0x7e8 is asked at 0x7e0",),
            ),
            ("bind", "EINVAL"): Advice(
                "An id has bits that no id has: 11 bits go up to 0x7ff, and 29 bits want CAN_EFF_FLAG; or the socket "
                "is "
                "bound already; or its frames are longer than the interface's MTU.",
                ("add 0x80000000 to 29-bit ids", "write 11-bit ids up to 0x7ff"),
            ),
            ("bind", "ENODEV"): Advice(
                "ISO-TP wants one CAN interface: an empty name, or one of another kind, is none.", NO_INTERFACE.fixes
            ),
            ("bind", "EAGAIN"): Advice("A message is under way.", ("wait for it to end",)),
            ("setsockopt", "EISCONN"): Advice(
                "Options of ISO-TP are for before bind.", ("set it before the socket is bound",)
            ),
            ("setsockopt", "EINVAL"): Advice(
                "The option takes a structure of another length (CAN_ISOTP_OPTS 12 bytes, CAN_ISOTP_RECV_FC 3, "
                "CAN_ISOTP_LL_OPTS 3), or flags that exclude each other.",
                ("see linux/can/isotp.h",),
            ),
            ("send", "EADDRNOTAVAIL"): Advice("The socket is not bound: it has no ids.", ("bind it first",)),
            ("send", "EINVAL"): Advice(
                "A message has 1 to 8300 bytes (the module's max_pdu_size), and without flow control as many as one "
                "frame.",
                (
                    "send less at once",
                    "allow more: sudo modprobe -r can-isotp; sudo modprobe can-isotp max_pdu_size=65536",
                ),
            ),
            ("send", "EAGAIN"): Advice(
                "The last message is still under way, frame by frame.", ("wait until it is sent, then send again",)
            ),
            ("send", "ENXIO"): Advice("The interface is gone.", ("make it again, and bind again: ip link",)),
            ("*", "ECOMM"): Advice(
                "The message was not sent: no flow control came within a second, so nobody takes it at these ids, or "
                "the "
                "bus does not carry frames.",
                (
                    "check that the ids are the right way round: rx is what is received here",
                    "see what is on the bus: candump vcan0",
                    "start a receiver: isotprecv -s RX -d TX vcan0",
                ),
            ),
            ("read", "ETIMEDOUT"): Advice(
                "A long message began and stopped: the next of its frames did not come within a second.",
                ("see what is on the bus: candump vcan0", "let the sender send it again"),
            ),
            ("read", "EILSEQ"): Advice(
                "A frame of a long message was lost, or came out of turn: its sequence number was not the next.",
                (
                    "let the sender send it again",
                    "slow it down: a longer STmin or a smaller block size in CAN_ISOTP_RECV_FC",
                ),
            ),
            ("*", "EBADMSG"): Advice(
                "A frame was not what ISO 15765-2 says: a flow control with an unknown status, or wrong padding where "
                "the "
                "options ask for padding to be checked.",
                ("give both ends the same padding", "leave CAN_ISOTP_CHK_PAD_LEN and CAN_ISOTP_CHK_PAD_DATA out"),
            ),
            ("read", "EMSGSIZE"): Advice(
                "The receiver answered that the message is too long for it (flow control: overflow).",
                ("send less at once",),
            ),
        },
        "j1939": {
            ("bind", "ENODEV"): Advice(
                "J1939 wants one CAN interface: an empty name, or one of another kind, is none.", NO_INTERFACE.fixes
            ),
            ("bind", "EINVAL"): UNCLEAN_PGN,
            ("connect", "EDESTADDRREQ"): Advice("No destination was given.", ("give a peer",)),
            ("connect", "EACCES"): J1939_BROADCAST,
            ("send", "EACCES"): J1939_BROADCAST,
            ("connect", "EINVAL"): Advice(
                "J1939 binds before it connects, on the same interface; and a PGN below 0xf000 ends in 00.",
                ("give a local address, too", "write the PGN without the destination"),
            ),
            ("send", "EBADFD"): Advice(
                "The socket has no address to send from (it is not bound, or to 0xff without a NAME), or the peer is "
                "on "
                "another interface.",
                ("bind an address up to 0xfd", "name the interface that is bound"),
            ),
            ("send", "EINVAL"): UNCLEAN_PGN,
            ("send", "EADDRNOTAVAIL"): Advice(
                "A NAME has no address yet: the sender's, or the receiver's, was not claimed on this bus.",
                (
                    "claim it first: send the NAME, 8 bytes, to PGN 0xee00 with SO_BROADCAST on",
                    "let a daemon do it: j1939acd",
                    "use addresses instead of a NAME (0)",
                ),
            ),
            ("send", "EPROTO"): Advice(
                "A claim of an address (PGN 0xee00) is the bound NAME, 8 bytes, least significant first, from an "
                "address, "
                "to all.",
                ("send struct.pack('<Q', NAME) to address 0xff",),
            ),
            ("send", "EDESTADDRREQ"): Advice(
                "More than 1785 bytes go to one receiver only, not to all.", ("give a destination address", "send less")
            ),
            ("send", "EMSGSIZE"): Advice(
                "J1939 carries 8 bytes in a frame, 1785 by its transport and 117440505 by the extended one.",
                ("send less at once",),
            ),
            ("send", "EDOM"): Advice(
                "The PGNs of the transport protocol itself (0xeb00, 0xec00, 0xc700, 0xc800) are the kernel's.",
                ("choose another PGN",),
            ),
            ("send", "EBUSY"): Advice(
                "A message to the same destination is under way.", ("wait until it is sent, then send again",)
            ),
            ("send", "EAGAIN"): Advice(
                "The socket's queue of messages is full.", ("wait until they are sent, then send again",)
            ),
            ("*", "EHOSTUNREACH"): Advice(
                "A long message was given up (abort: timeout): the receiver did not answer the request to send, or "
                "fell "
                "silent in the middle.",
                ("check the destination address", "see what is on the bus: candump vcan0"),
            ),
            ("*", "ETIME"): Advice(
                "A message of one frame did not leave the controller in time: nobody on the bus acknowledges.",
                ("check wiring and bit rate", "see the controller's state: ip -details link show can0"),
            ),
            ("*", "ENETUNREACH"): Advice(
                "A long message was given up: the interface's queue stayed full.",
                ("check wiring and bit rate", "make the queue longer: sudo ip link set can0 txqueuelen 1000"),
            ),
            ("*", "EALREADY"): Advice(
                "The receiver has a session with this sender already (abort: busy).", ("send it again later",)
            ),
            ("read", "EMSGSIZE"): Advice(
                "The receiver has no room for the message (abort: resources).", ("send less at once",)
            ),
            ("*", "EBADMSG"): Advice(
                "The other end aborted a long message without a reason that says more.", ("send it again",)
            ),
            ("*", "ENOTRECOVERABLE"): Advice(
                "The other end aborted a long message: too many requests to send a part again.", ("send it again",)
            ),
            ("*", "EILSEQ"): Advice(
                "The other end aborted a long message: a part came out of turn.", ("send it again, slower",)
            ),
            ("read", "EPROTO"): Advice(
                "The other end aborted a long message: it, or this end, broke the transport protocol.",
                ("see what is on the bus: candump vcan0",),
            ),
            ("read", "ENOTCONN"): Advice(
                "The other end aborted a long message: it came without a request to send.", ("send it again",)
            ),
            ("*", "ESHUTDOWN"): Advice(
                "A long message was given up, since its socket was closed or its address lost.", ("send it again",)
            ),
            ("setsockopt", "EDOM"): Advice("A priority is 0 (highest) to 7.", ("write 6, the default",)),
            ("setsockopt", "EPERM"): Advice(
                "The priorities 0 and 1 need CAP_NET_ADMIN.",
                ("write 2 or more", *rights("CAP_NET_ADMIN", namespace=False)),
            ),
        },
    }
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
