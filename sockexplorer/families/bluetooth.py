"""AF_BLUETOOTH: short-range radio. Source: BlueZ' <bluetooth/*.h>, net/bluetooth; ``case AF_BLUETOOTH``.

What the parser takes changed with Python 3.14: L2CAP's cid and address type, HCI's channel, SCO's str.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sockexplorer.core import cformats
from sockexplorer.core.advice import Advice, rights
from sockexplorer.core.family import Family, Option, Protocol, Role
from sockexplorer.core.faults import CONVERT, LOOK_UP, FieldError, Invalid, Notice, Raises, typed
from sockexplorer.core.fields import CInt, Field, Integer, Kind
from sockexplorer.core.octets import Octets
from sockexplorer.core.sockaddr import Layout, Part, hexadecimal, named

ORDER = 75
ANY, LOCAL = "00:00:00:00:00:00", "00:00:00:FF:FF:FF"
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
WRONG_FORMAT = Raises("OSError", "{call}(): wrong format")
BAD_ADDRESS = Raises("OSError", "bad bluetooth address", LOOK_UP)
# sscanf("%X:%X:%X:%X:%X:%X%c") of glibc: blanks, a sign and 0x before each number, as many digits as one likes.
_PART = rb"[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]*|[0-9a-fA-F]+)"
_ADDRESS = re.compile(rb":".join([_PART] * 6) + rb"\Z")
_USUAL = re.compile(r"([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}\Z")
TAKEN = Advice(
    "Another socket has that PSM or channel, or listens for voice, on that adapter.",
    (
        "choose another",
        "give 0 for a free one",
        "see who has it: sudo cat /sys/kernel/debug/bluetooth/l2cap (or rfcomm, sco)",
    ),
)


def from_text(text: bytes) -> bytes | None:
    """The six bytes as the kernel keeps them, the last one first; None where ``setbdaddr()`` refuses the text."""
    found = _ADDRESS.match(text)
    if found is None:
        return None
    numbers = []
    for sign, digits in zip(found.groups()[::2], found.groups()[1::2], strict=True):
        number = int(digits.lower().removeprefix(b"0x") or b"0", 16)
        if number >= 2**64:
            number = 2**64 - 1  # strtoul() goes no further, and forgets the sign
        elif sign == b"-":
            number = -number
        numbers.append(number & 0xFFFFFFFF)
    return bytes(reversed(numbers)) if max(numbers) < 256 else None


def to_text(raw: bytes) -> str:
    """``AA:BB:CC:DD:EE:FF`` of the kernel's six bytes."""
    return raw[::-1].hex(":").upper()


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


@dataclass(frozen=True)
class BluetoothAddress(Kind):
    """A ``bdaddr``; as ``bytes`` where the parser of this Python takes nothing else (SCO before 3.14)."""

    as_bytes: bool = False
    either: bool = False
    """Whether str and bytes are taken (SCO since 3.14)."""
    offers: str = "bluetooth-adapters"

    def read(self, text: str) -> object:
        text = text.strip()
        return text.encode("utf-8", "surrogateescape") if self.as_bytes else text

    def show(self, value: object) -> str:
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

    def takes(self) -> str:
        return f"six bytes such as 00:1A:7D:DA:71:13; {ANY} is any adapter of this host"

    def check(self, value: object) -> None:
        if from_text(self._raw(value)) is None:
            raise Invalid(
                "is no Bluetooth address",
                "write six pairs of hexadecimal digits, such as 00:1A:7D:DA:71:13",
                BAD_ADDRESS,
            )

    def _raw(self, value: object) -> bytes:
        if isinstance(value, bytes) and (self.as_bytes or self.either):
            if self.either and b"\0" in value:
                no_null = Raises("ValueError", "embedded null byte")
                raise Invalid("has an embedded null byte", "take the NUL out", no_null)
            return value.partition(b"\0")[0]
        if self.as_bytes:
            raise Invalid(f"{typed(value)} is not bytes", f"write b'{ANY}' for this Python", WRONG_FORMAT)
        return cformats.utf8(value, WRONG_FORMAT)

    def notices(self, value: object) -> Iterator[str]:
        text, nul, _ = self.show(value).partition("\0")
        if nul:
            yield f"CPython stops at the NUL: {text!r}"
        raw = from_text(text.encode("utf-8", "surrogatepass"))
        if raw is not None and not _USUAL.match(text):
            yield f"an unusual spelling, read as {to_text(raw)}"


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
    advice = {
        ("socket", "EAFNOSUPPORT"): Advice(
            "This kernel has no AF_BLUETOOTH, or this process is in a network namespace of its own, where there is "
            "none.",
            (
                "sudo modprobe bluetooth, if this system has that module",
                "start it outside of the container",
                "see what this host has: sockexplorer doctor bluetooth",
            ),
        ),
        ("socket", "ESOCKTNOSUPPORT"): Advice(
            "L2CAP has SEQPACKET, STREAM, DGRAM and RAW; RFCOMM STREAM and RAW; HCI RAW; SCO SEQPACKET.",
            ("choose the type that the protocol is for",),
        ),
        ("socket", "EINVAL"): Advice("Bluetooth has the protocols 0 to 8.", ("choose l2cap, rfcomm, hci or sco",)),
        ("socket", "EPERM"): Advice("A raw socket of L2CAP needs CAP_NET_RAW.", rights("CAP_NET_RAW", namespace=False)),
        ("*", "EBADFD"): Advice(
            "The socket is not in a state for this: it is bound, connected or closed already, or not bound yet.",
            ("close it and open another", "bind it, then listen"),
        ),
        ("bind", "EADDRINUSE"): TAKEN,
        ("listen", "EADDRINUSE"): TAKEN,
        ("bind", "EADDRNOTAVAIL"): Advice(
            "No adapter of this host has that address.",
            ("write 00:00:00:00:00:00 for any", "see the addresses: bluetoothctl list"),
        ),
        ("*", "EHOSTUNREACH"): Advice(
            "No adapter of this host is up, or none has the address that the socket is bound to.",
            ("bluetoothctl power on", "see whether one is blocked: rfkill list bluetooth", "ls /sys/class/bluetooth"),
        ),
        ("*", "EHOSTDOWN"): Advice(
            "The device does not answer: it is off, away, or does not let itself be called (page timeout).",
            ("switch it on, make it visible, come closer", "see who is there: bluetoothctl scan on"),
        ),
        ("*", "ECONNREFUSED"): Advice(
            "The device has no service there, or refuses the link.",
            ("see its services: sdptool browse ADDRESS", "pair with it: bluetoothctl pair ADDRESS"),
        ),
        ("*", "EACCES"): Advice(
            "The device wants to be paired first, or the pairing failed.",
            ("bluetoothctl pair ADDRESS", "pair again: bluetoothctl remove ADDRESS"),
        ),
        ("*", "EBADE"): Advice(
            "The device and this host have no key in common any more.",
            ("pair again: bluetoothctl remove ADDRESS, then pair ADDRESS",),
        ),
        ("*", "ETIMEDOUT"): Advice("The device was reached and then fell silent.", ("come closer", "try again")),
        ("*", "EMLINK"): Advice(
            "The adapter has as many links as it can.", ("disconnect one: bluetoothctl disconnect ADDRESS",)
        ),
        ("connect", "EBUSY"): Advice(
            "The link, or the channel on it, is in use already.", ("bluetoothctl disconnect ADDRESS", "try again")
        ),
        ("connect", "EALREADY"): Advice("The adapter is connecting to that device already.", ("wait for it to end",)),
        ("*", "ECONNRESET"): Advice(
            "The device ended the link: it was switched off, or its owner disconnected.", ("connect again",)
        ),
        ("*", "ECONNABORTED"): Advice("This host ended the link.", ("connect again",)),
        ("*", "ELOOP"): Advice(
            "The device refuses after too many attempts to pair.", ("wait a minute, then pair again",)
        ),
        ("*", "EPROTO"): Advice("The two controllers do not understand one another.", ("try another adapter",)),
        ("*", "EIO"): Advice("The adapter failed.", ("look at: sudo dmesg", "sudo hciconfig hci0 reset")),
        ("*", "ENOSYS"): Advice(
            "The controller reported an error that the kernel has no errno for.", ("see it: sudo btmon",)
        ),
        ("send", "ENOTCONN"): Advice("The connection does not stand.", ("connect it",)),
        ("read", "ENOTCONN"): Advice("The connection does not stand.", ("connect it",)),
        ("send", "EPIPE"): Advice("The connection is closed.", ("connect again",)),
    }
    protocol_advice = {
        "l2cap": {
            ("bind", "EACCES"): Advice(
                "A PSM below 0x1001 (low energy: 0x80) needs CAP_NET_BIND_SERVICE.",
                (
                    "choose an odd PSM from 0x1001 up",
                    *rights("CAP_NET_BIND_SERVICE", namespace=False),
                ),
            ),
            ("bind", "EINVAL"): Advice(
                "The kernel takes no such PSM: it is odd, and the bit 0x100 is clear; low energy has PSMs up to 0xff "
                "and "
                "the channel 4; and either a psm is given or a cid.",
                ("write 0x1001, 0x1003 …", "give either a psm or a cid"),
            ),
            ("connect", "EINVAL"): Advice(
                "There is no such PSM to connect to: it is odd, and the bit 0x100 is clear; or the address type is not "
                "that "
                "of the bound one.",
                ("see the device's services: sdptool browse ADDRESS",),
            ),
            ("send", "EMSGSIZE"): Advice(
                "The message is longer than the peer takes in one (its MTU, often 672 bytes).", ("send less at once",)
            ),
            ("listen", "EINVAL"): Advice("Datagrams and raw sockets do not listen.", ("open a SEQPACKET socket",)),
        },
        "rfcomm": {
            ("bind", "EINVAL"): Advice("A raw socket of RFCOMM is not bound.", ("open a STREAM socket",)),
            ("listen", "EINVAL"): Advice(
                "All of RFCOMM's channels, 1 to 30, are taken.",
                ("see what listens: sudo cat /sys/kernel/debug/bluetooth/rfcomm",),
            ),
            ("connect", "EINVAL"): Advice(
                "RFCOMM has the channels 1 to 30.", ("see the device's channels: sdptool browse ADDRESS",)
            ),
        },
        "hci": {
            ("bind", "ENODEV"): Advice(
                "There is no such adapter.",
                ("look at: bluetoothctl list, or ls /sys/class/bluetooth", "write HCI_DEV_NONE for all of them"),
            ),
            ("bind", "EBUSY"): Advice(
                "The adapter is up, and the user channel wants it down.",
                ("bluetoothctl power off", "sudo hciconfig hci0 down"),
            ),
            ("bind", "EUSERS"): Advice("Another socket has the adapter's user channel.", ("close that one",)),
            ("bind", "EPERM"): Advice(
                "The user and logging channels are for CAP_NET_ADMIN, the monitor channel for CAP_NET_RAW.",
                rights("CAP_NET_ADMIN", namespace=False),
            ),
            ("bind", "EALREADY"): Advice("The socket is bound already.", ("close it and open another",)),
            ("bind", "EINVAL"): Advice(
                "The user channel is of one adapter; the monitor, control and logging channels are of none "
                "(HCI_DEV_NONE, 0xffff); and there are no others.",
                ("write the adapter for raw and user", "write HCI_DEV_NONE for monitor and control"),
            ),
            ("send", "EBADFD"): Advice("The socket is bound to no adapter.", ("bind it to one: 0 is hci0",)),
            ("send", "ENETDOWN"): Advice("The adapter is down.", ("bluetoothctl power on", "sudo hciconfig hci0 up")),
            ("send", "EPERM"): Advice(
                "Without CAP_NET_RAW only harmless commands pass.", rights("CAP_NET_RAW", namespace=False)
            ),
            ("send", "EINVAL"): Advice(
                "A packet begins with its type (1 command, 2 ACL, 3 SCO, 5 ISO) and has 4 bytes at least; a management "
                "command (control channel) says its own length.",
                (r"write a command: \x01, opcode in two bytes, number of parameters, parameters",),
            ),
            ("send", "EOPNOTSUPP"): Advice("The monitor channel is for reading.", ("bind the raw channel",)),
            ("connect", "EOPNOTSUPP"): Advice("An adapter is bound, not connected.", ("bind it",)),
            ("listen", "EOPNOTSUPP"): Advice("An adapter is bound; it has no connections here.", ("bind it",)),
            ("*", "EPIPE"): Advice("The adapter was unplugged, or is being reset.", ("bind it again",)),
        },
        "sco": {
            ("connect", "EOPNOTSUPP"): Advice(
                "The adapter or the device has no such kind of voice (BT_VOICE: transparent wants eSCO).",
                ("leave BT_VOICE out",),
            ),
            ("send", "EINVAL"): Advice(
                "A voice packet is longer than the link's (its MTU, often 48 or 60 bytes).", ("send less at once",)
            ),
            ("connect", "EBUSY"): Advice("The link has a voice channel already.", ("close that one",)),
        },
    }
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
