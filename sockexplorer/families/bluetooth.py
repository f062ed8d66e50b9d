"""AF_BLUETOOTH: short-range radio. Source: BlueZ' <bluetooth/*.h>, net/bluetooth; ``case AF_BLUETOOTH``.

What the parser takes changed with Python 3.14: L2CAP's cid and address type, HCI's channel, SCO's str.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sockexplorer.core import cformats
from sockexplorer.core.bdaddr import ANY, WRONG_FORMAT, BluetoothAddress, from_text, to_text
from sockexplorer.core.bluetooth_advice import BLUETOOTH, BY_PROTOCOL
from sockexplorer.core.family import Family
from sockexplorer.core.faults import CONVERT, FieldError, Notice, Raises
from sockexplorer.core.fields import CInt, Field, Integer
from sockexplorer.core.octets import Octets
from sockexplorer.core.protocol import Option, Protocol, Role
from sockexplorer.core.sockaddr import Layout, Part, hexadecimal, named

ORDER = 75
LOCAL = "00:00:00:FF:FF:FF"
CHANNELS = {
    "HCI_CHANNEL_RAW": 0, "HCI_CHANNEL_USER": 1, "HCI_CHANNEL_MONITOR": 2, "HCI_CHANNEL_CONTROL": 3,
    "HCI_CHANNEL_LOGGING": 4,
}  # fmt: skip
DEVICES = {"HCI_DEV_NONE": 0xFFFF}
TYPES = {"BDADDR_BREDR": 0, "BDADDR_LE_PUBLIC": 1, "BDADDR_LE_RANDOM": 2}
EVERYTHING = b"\xff" * 12 + bytes(4)
"""``struct hci_filter``: every type of packet, every event, any opcode."""
FILTER = Option(
    "SOL_HCI", "HCI_FILTER", "types, events and opcode to let through; all of them if empty", flag=False,
    kind=Octets(14, 16),
)  # fmt: skip
_BDADDR = Part("bdaddr", "6s", "Bluetooth address, last byte first", show=to_text)
_FAMILY = Part("family", "H", "address family", show=named({"AF_BLUETOOTH": 31}))
SOCKADDRS = {
    "l2cap": Layout(
        "sockaddr_l2",
        _FAMILY,
        Part("psm", "H", "protocol/service multiplexer, little-endian", show=hexadecimal),
        _BDADDR,
        Part("cid", "H", "channel id, little-endian", show=hexadecimal),
        Part("bdaddr_type", "B", "kind of address", show=named(TYPES)),
        Part("padding", "1s", "unused"),
        least=10,
    ),
    "rfcomm": Layout(
        "sockaddr_rc",
        _FAMILY,
        _BDADDR,
        Part("channel", "B", "RFCOMM channel"),
        Part("padding", "1s", "unused"),
        least=9,
    ),
    "hci": Layout(
        "sockaddr_hci",
        _FAMILY,
        Part("dev", "H", "adapter: 0 is hci0", show=named(DEVICES)),
        Part("channel", "H", "which view of the adapter", show=named(CHANNELS)),
        least=4,
    ),
    "sco": Layout("sockaddr_sco", _FAMILY, _BDADDR),
}
"""The structures of BlueZ' headers, by protocol; their members without the prefix (``l2_``, ``rc_`` …)."""


class Bluetooth(Family):
    constant = "AF_BLUETOOTH"
    title = "Bluetooth"
    summary = "by Bluetooth address: (bdaddr, psm), (bdaddr, channel), (device,) or bdaddr"
    availability = "Linux, FreeBSD and NetBSD where Python was built with <bluetooth/bluetooth.h>; RFCOMM on Windows"
    systems = ("linux", "freebsd", "netbsd", "win32")
    modules = ("bluetooth",)
    help = (
        "L2CAP takes (bdaddr, psm), RFCOMM (bdaddr, channel), HCI the number of an adapter, SCO an address alone. "
        f"{ANY} is any adapter of this host. Many builds of Python lack the family; Debian's has it."
    )
    pitfalls = (
        "Python lacks AF_BLUETOOTH where bluetooth.h was missing when it was built, as with pyenv and uv.",
        "Before Python 3.14 HCI wants a tuple of one number and SCO wants bytes, and getsockname() gives back neither.",
        "Bluetooth sockets open in the host's own network namespace only, not in a container's.",
    )
    advice = BLUETOOTH
    protocol_advice = BY_PROTOCOL
    protocols = (
        Protocol(
            "l2cap", "SOCK_SEQPACKET", "BTPROTO_L2CAP", "packets", ("listen", "connect"), connections=True,
            ends_in_reset=True, local={"bdaddr": ANY, "psm": "0x1001"}, remote={"bdaddr": "", "psm": "0x1001"},
            modules=("bluetooth",),
            help="Packets over a link, to a service that a PSM names.",
        ),
        Protocol(
            "rfcomm", "SOCK_STREAM", "BTPROTO_RFCOMM", "serial streams", ("listen", "connect"),
            messages=False, connections=True, ends_in_reset=True, local={"bdaddr": ANY, "channel": "1"},
            remote={"bdaddr": "", "channel": "1"}, modules=("rfcomm",),
            help="A serial line over the air, in channels 1 to 30.",
        ),
        Protocol(
            "hci", "SOCK_RAW", "BTPROTO_HCI", "the adapter itself", ("bind",), local={"device": "0"},
            sends_bound=True,
            gate=("SOL_HCI", "HCI_FILTER", EVERYTHING), options=(FILTER,), sample=r"\x01\x01\x10\x00",
            modules=("bluetooth",),
            help="Commands to an adapter and its events. The filter of a new socket lets nothing by: it is opened.",
        ),
        Protocol(
            "sco", "SOCK_SEQPACKET", "BTPROTO_SCO", "voice", ("listen", "connect"), connections=True,
            ends_in_reset=True,
            local={"bdaddr": ANY}, remote={"bdaddr": ""}, modules=("bluetooth",),
            help="Voice to and from a headset, in packets of a fixed size.",
        ),
    )  # fmt: skip

    @property
    def later(self) -> bool:
        """Whether this Python's parser is that of 3.14 and later."""
        return self.python.version >= (3, 14)

    def fields(self, protocol: Protocol) -> tuple[Field, ...]:
        if protocol.name == "sco":
            kind = BluetoothAddress(as_bytes=not self.later, either=self.later)
            pitfall = "Before Python 3.14 it is bytes, and getsockname() gives a str."
            return (Field("bdaddr", kind, ANY, "the headset, or any adapter of this host", pitfall=pitfall),)
        if protocol.name == "hci":
            device = Field(
                "device", self._number(0xFFFF, names=DEVICES, choices="bluetooth-devices"), "0",
                "the adapter: 0 is hci0",
                pitfall="HCI_DEV_NONE (0xffff) is for the monitor, control and logging channels.",
            )  # fmt: skip
            channel = Field(
                "channel", Integer(0, 0xFFFF, wraps=True, names=CHANNELS), "HCI_CHANNEL_RAW",
                "raw for commands and events, user to own the adapter", optional=True,
                pitfall="The user channel wants the adapter down and CAP_NET_ADMIN.",
            )  # fmt: skip
            return (device, channel) if self.later else (device,)
        bdaddr = Field(
            "bdaddr", BluetoothAddress(), ANY, "the device, or any adapter of this host",
            pitfall="It is written most significant byte first, though the kernel keeps it the other way round.",
        )  # fmt: skip
        if protocol.name == "rfcomm":
            channel = Field("channel", self._number(0xFF), "1", "1 to 30", pitfall="Only the low 8 bits count.")
            return (bdaddr, channel)
        psm = Field(
            "psm", self._number(0xFFFF, base=16), "0x1001", "odd, from 0x1001 up without a right",
            pitfall="An even PSM is refused by the kernel, and one below 0x1001 needs CAP_NET_BIND_SERVICE.",
        )  # fmt: skip
        if not self.later:
            return (bdaddr, psm)
        return (
            bdaddr, psm,
            Field("cid", Integer(0, 0xFFFF, wraps=True, base=16), "0x0", "a fixed channel instead of a psm",
                  optional=True, pitfall="With a psm it must be 0."),
            Field("bdaddr_type", Integer(0, 0xFF, wraps=True, names=TYPES), "BDADDR_BREDR", "classic or low energy",
                  optional=True, pitfall="A low energy device is not found under its address as a classic one."),
        )  # fmt: skip

    def _number(self, high: int, **more: Any) -> Integer:
        """A number of the parser: masked since 3.14, before that a C int whose low bits count."""
        if self.later:
            return Integer(0, high, wraps=True, **more)
        return CInt(0, high, overflow=WRONG_FORMAT, **more)

    # --- the address ---------------------------------------------------------------------------------------

    def unsupported(self, proto: int) -> Raises | None:
        if proto in (each.proto_number for each in self.protocols):
            return None
        return Raises("OSError", "{call}(): unknown Bluetooth protocol")

    def build(self, protocol: Protocol, values: Mapping[str, object]) -> object:
        if protocol.name == "sco":
            return values["bdaddr"]
        address = super().build(protocol, values)
        alone = isinstance(address, tuple) and len(address) == 1 and self.later
        return address[0] if alone and isinstance(address, tuple) else address

    def texts(self, protocol: Protocol, address: object) -> dict[str, str]:
        bare = protocol.name == "sco" or (protocol.name == "hci" and not isinstance(address, tuple))
        if not bare:
            return super().texts(protocol, address)
        self.check(protocol, address)
        first, *rest = self.fields(protocol)
        return {first.name: first.kind.show(address)} | {each.name: each.default for each in rest}

    def check(self, protocol: Protocol, address: object) -> None:
        if protocol.name == "sco":
            self.fields(protocol)[0].check(address)
            return
        if protocol.name == "hci" and self.later and hasattr(type(address), "__index__"):
            operator.index(address)  # type: ignore[arg-type]
            return
        try:
            super().check(protocol, address)
        except FieldError as error:
            if error.raises is None or error.raises.phase == CONVERT:
                error.raises = WRONG_FORMAT  # whatever it was
            raise

    def notices(self, protocol: Protocol, address: object, role: Role) -> Iterator[Notice]:
        yield from super().notices(protocol, address, role)
        if protocol.name == "sco":
            for text in BluetoothAddress().notices(address):
                yield Notice("bdaddr", text)
            return
        if protocol.name == "hci":
            yield from self._hci_notices(protocol, address)
            return
        if not isinstance(address, tuple):
            return
        number = cformats.index(address[1])
        if protocol.name == "rfcomm" and not 1 <= number <= 30 and not (number == 0 and role == "local"):
            yield Notice("channel", "RFCOMM has the channels 1 to 30")
        if protocol.name == "l2cap":
            yield from self._l2cap_notices(number & 0xFFFF, [cformats.index(each) for each in address[2:]], role)

    def _hci_notices(self, protocol: Protocol, address: object) -> Iterator[Notice]:
        """Channels: ``hci_sock_bind()`` of net/bluetooth/hci_sock.c."""
        given = address if isinstance(address, tuple) else (address,)
        if not isinstance(address, tuple):
            yield from self.fields(protocol)[0].notices(address)
        number = cformats.index(given[0])
        channel = cformats.index(given[1]) & 0xFFFF if len(given) > 1 else 0
        if not self.later and (channel := number >> 16 & 0xFFFF):
            yield Notice("device", f"this Python writes the high bits over the channel: it becomes {channel}")
        if channel not in CHANNELS.values():
            yield Notice("channel" if self.later else "device", "the kernel knows the channels 0 to 4 only")
        elif channel > CHANNELS["HCI_CHANNEL_USER"] and number & 0xFFFF != 0xFFFF:
            yield Notice("device", "the monitor, control and logging channels want HCI_DEV_NONE")
        elif channel == CHANNELS["HCI_CHANNEL_USER"] and number & 0xFFFF == 0xFFFF:
            yield Notice("device", "the user channel owns one adapter: HCI_DEV_NONE is refused")

    def _l2cap_notices(self, psm: int, rest: list[int], role: Role) -> Iterator[Notice]:
        """PSMs, channel ids and kinds of address: ``l2cap_sock_bind()`` of net/bluetooth/l2cap_sock.c."""
        cid, kind = (*rest, 0, 0)[:2]
        classic = kind & 0xFF == TYPES["BDADDR_BREDR"]
        if kind & 0xFF not in TYPES.values():
            yield Notice("bdaddr_type", "the kernel knows the types 0 to 2 only")
        if psm and cid & 0xFFFF:
            yield Notice("cid", "the kernel takes a psm or a cid, not both")
        if classic and psm and psm & 0x0101 != 0x0001:
            yield Notice("psm", "the kernel refuses a PSM that is even, or whose second byte is odd")
        if not classic and psm > 0xFF:
            yield Notice("psm", "low energy has PSMs up to 0xff")
        if not classic and cid & 0xFFFF not in (0, 4):
            yield Notice("cid", "low energy has the fixed channel 4 (ATT) only")
        if role == "local" and 0 < psm < (0x1001 if classic else 0x80):
            yield Notice("psm", f"a PSM below {'0x1001' if classic else '0x80'} needs CAP_NET_BIND_SERVICE")

    # --- text ----------------------------------------------------------------------------------------------

    def text(self, address: object) -> str:
        if isinstance(address, bool) or address is None:
            return repr(address)
        if isinstance(address, int):
            return f"hci{address}"
        if isinstance(address, bytes | str):
            return BluetoothAddress().show(address)
        if not isinstance(address, tuple) or not address or not all(isinstance(each, int) for each in address[1:]):
            return repr(address)
        if isinstance(address[0], int):
            return f"hci{address[0]}" + (f" channel {address[1]}" if len(address) > 1 else "")
        return " ".join([str(address[0]), *(f"0x{each:x}" if each > 255 else str(each) for each in address[1:])])

    def plain(self, protocol: Protocol, text: str) -> object:
        """``hci0``; ``AA:BB:CC:DD:EE:FF`` for SCO; ``AA:BB:CC:DD:EE:FF 0x1001`` for the others; and what rows have."""
        fields = self.fields(protocol)
        if protocol.name == "hci":
            found = re.fullmatch(r"(?:hci)?(\d+)(?: channel (\d+))?", text.strip().lower())
            if found is None or (found[2] and not self.later):
                raise FieldError("device", text, "is no adapter", "write hci0")
            number = fields[0].read(found[1])
            if found[2]:
                return (number, fields[1].read(found[2]))
            return number if self.later else (number,)
        parts = text.replace("/", " ").split()
        least = sum(not each.optional for each in fields)
        if not least <= len(parts) <= len(fields) or parts[0].count(":") != 5:
            raise FieldError("", text, "is not of this form", f"write {self.example(protocol)}")
        values = tuple(each.read(part) for each, part in zip(fields, parts, strict=False))
        return values[0] if protocol.name == "sco" else values

    # --- the kernel's bytes --------------------------------------------------------------------------------

    def pack(self, protocol: Protocol, address: object) -> bytes:
        values: dict[str, Any] = {"family": self.number}
        if protocol.name == "hci":
            given = address if isinstance(address, tuple) else (address,)
            number = cformats.index(given[0])
            channel = cformats.index(given[1]) if len(given) > 1 else 0 if self.later else number >> 16
            values |= {"dev": number & 0xFFFF, "channel": channel & 0xFFFF}
            return SOCKADDRS["hci"].pack(**values)
        bdaddr = address[0] if isinstance(address, tuple) else address
        raw = from_text(bdaddr.partition(b"\0")[0] if isinstance(bdaddr, bytes) else str(bdaddr).encode())
        if raw is None:
            raise ValueError(f"{bdaddr!r} is no Bluetooth address")
        values["bdaddr"] = raw
        if isinstance(address, tuple):
            names = {"rfcomm": ("channel",), "l2cap": ("psm", "cid", "bdaddr_type")}[protocol.name]
            for name, value in zip(names, address[1:], strict=False):
                values[name] = cformats.index(value) & (0xFF if name in ("channel", "bdaddr_type") else 0xFFFF)
        return SOCKADDRS[protocol.name].pack(**values)

    def unpack(self, protocol: Protocol, sockaddr: bytes) -> object:
        found = SOCKADDRS[protocol.name].unpack(sockaddr)
        if found is None:
            return None
        if protocol.name == "hci":
            return (found["dev"], found["channel"]) if self.later and found["channel"] else found["dev"]
        bdaddr = to_text(found["bdaddr"])
        if protocol.name == "sco":
            return bdaddr
        if protocol.name == "rfcomm":
            return (bdaddr, found["channel"])
        if self.later and found["bdaddr_type"]:
            return (bdaddr, found["psm"], found["cid"], found["bdaddr_type"])
        return (bdaddr, found["psm"], found["cid"]) if self.later and found["cid"] else (bdaddr, found["psm"])

    def layout(self, protocol: Protocol, sockaddr: bytes) -> Layout:
        return SOCKADDRS[protocol.name]


FAMILY = Bluetooth()
