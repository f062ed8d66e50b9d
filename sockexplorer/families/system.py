"""PF_SYSTEM: controls of macOS' kernel. Source: <sys/kern_control.h>, <sys/sys_domain.h>; ``case PF_SYSTEM``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sockexplorer.core import cformats
from sockexplorer.core.advice import Advice
from sockexplorer.core.family import Family
from sockexplorer.core.faults import LAST, LOOK_UP, FieldError, Invalid, Notice, Raises, typed
from sockexplorer.core.fields import Field, Integer, Kind
from sockexplorer.core.protocol import Protocol, Role
from sockexplorer.core.sockaddr import Layout, Part, named

ORDER = 110
NAME_MAX = 96
"""MAX_KCTL_NAME; the parser lets a name of exactly so many bytes pass, though no control can have it."""
CONTROLS = (
    "com.apple.net.utun_control", "com.apple.net.ipsec_control", "com.apple.network.statistics", "com.apple.netsrc",
    "com.apple.flow-divert", "com.apple.content-filter", "com.apple.network.advisory", "com.apple.packet-mangler",
    "com.apple.userspace_ethernet", "com.apple.nke.webcontentfilter", "com.apple.network.tcp_ccdebug",
)  # fmt: skip
"""Controls that macOS itself registers."""
WORD = Integer(0, 2**32 - 1, wraps=True)
SHAPE = Raises("TypeError", "{call}(): PF_SYSTEM address must be a str or a pair (id, unit)")
SOCKADDR = Layout(
    "sockaddr_ctl",
    Part("sc_len", "B", "length; Python leaves it 0"),
    Part("sc_family", "B", "address family", show=named({"AF_SYSTEM": 32})),
    Part("ss_sysaddr", "H", "kind of system address", show=named({"AF_SYS_CONTROL": 2})),
    Part("sc_id", "I", "id of the control"),
    Part("sc_unit", "I", "unit; 0 lets the control choose"),
    Part("sc_reserved", "20s", "must be zero"),
)


@dataclass(frozen=True)
class ControlName(Kind):
    """The name of a kernel control, looked up with ``ioctl(CTLIOCGINFO)``; empty to give id and unit."""

    offers: str = "kernel-controls"
    known: tuple[str, ...] = CONTROLS
    wide: bool = True

    def read(self, text: str) -> str:
        return text.strip()

    def parse(self, text: str) -> str:
        name = self.read(text)
        if name:
            self.check(name)
        return name

    def takes(self) -> str:
        return f"at most {NAME_MAX - 1} bytes, or nothing to give id and unit"

    def check(self, value: object) -> None:
        raw = cformats.file_name(value)
        if len(raw) > NAME_MAX:
            too_long = Raises("ValueError", "provided string is too long", LOOK_UP)
            raise Invalid(f"has {len(raw)} bytes", f"a name has at most {NAME_MAX - 1}", too_long)
        if value not in CONTROLS:
            unknown = Raises("OSError", "cannot find kernel control with provided name", LAST)
            raise Invalid("is no control that macOS itself registers", f"choose one such as {CONTROLS[0]}", unknown)


CONTROL_RIGHT = Advice("That control is for root.", ("sockexplorer --via sudo",))


class System(Family):
    constant = "PF_SYSTEM"
    title = "macOS kernel"
    summary = "controls of macOS' kernel: a name, or (id, unit)"
    availability = "macOS"
    systems = ("darwin",)
    help = (
        "The address is a control's name, such as com.apple.net.utun_control, or its numbers (id, unit). utun, for "
        "one, makes a network interface when it is connected; that needs root."
    )
    pitfalls = (
        "A name is looked up on the socket while the address is parsed, and gives unit 0.",
        "The id of a control changes from boot to boot: only its name lasts.",
    )
    advice = {
        ("socket", "EPROTONOSUPPORT"): Advice("The kernel has the protocol SYSPROTO_CONTROL here.", ("write 2",)),
        ("socket", "EPROTOTYPE"): Advice("Controls are SOCK_DGRAM or SOCK_STREAM.", ("choose SOCK_DGRAM",)),
        ("connect", "EPERM"): CONTROL_RIGHT,
        ("connect", "EACCES"): CONTROL_RIGHT,
        ("connect", "EBUSY"): Advice(
            "The unit is taken: another socket has that utun interface, say.",
            ("write unit 0: the control chooses", "see the interfaces: ifconfig -l"),
        ),
        ("connect", "ENOENT"): Advice(
            "There is no control of that id: ids differ from boot to boot.",
            ("give its name: it is looked up", "see what is registered: netstat -an -f systm"),
        ),
        ("connect", "EPROTOTYPE"): Advice("The control is for the other type of socket.", ("choose the other one",)),
        ("connect", "EINVAL"): Advice("The control has no such unit.", ("write unit 0: the control chooses",)),
        ("connect", "EISCONN"): Advice("The socket is connected already.", ("close it and open another",)),
        ("connect", "ENOBUFS"): Advice("The control has no room for another client.", ("close one",)),
        ("bind", "EOPNOTSUPP"): Advice("A control is connected, not bound.", ("connect instead",)),
        ("bind", "EINVAL"): Advice("Few controls can be bound.", ("connect instead",)),
        ("send", "ENOTCONN"): Advice("The control is not connected.", ("connect it",)),
        ("send", "ENOBUFS"): Advice("The control takes nothing more now.", ("wait a moment, then send again",)),
        ("send", "EMSGSIZE"): Advice("The message is longer than the control's send buffer.", ("send less at once",)),
        ("send", "EINVAL"): Advice(
            "The control does not take that message: utun wants four bytes with the family (AF_INET 2, AF_INET6 30) "
            "before each packet.",
            (r"begin with \0\0\0\x02 for IPv4",),
        ),
        ("read", "ENOTCONN"): Advice("The control is not connected, or was taken away.", ("connect it",)),
    }
    protocols = (
        Protocol(
            "control", "SOCK_DGRAM", "SYSPROTO_CONTROL", "kernel controls", ("connect",), has_name=False,
            rights="Some controls, utun for one, are for root.",
            remote={"name": CONTROLS[0], "id": "0", "unit": "0"},
            help="Speaks to a part of macOS' kernel, such as utun: what is sent and received is up to it.",
        ),
    )  # fmt: skip

    def fields(self, protocol: Protocol) -> tuple[Field, ...]:
        return (
            Field("name", ControlName(), CONTROLS[0], "the control's name; empty to give id and unit",
                  pitfall="A misspelt name is an OSError without an errno."),
            Field("id", WORD, "0", "the control's number, without a name", pitfall="It differs from boot to boot."),
            Field("unit", WORD, "0", "which one of the control's; 0 lets it choose", pitfall="With a name it is 0."),
        )  # fmt: skip

    def unsupported(self, proto: int) -> Raises | None:
        if proto == self.protocols[0].proto_number:
            return None
        return Raises("OSError", "{call}(): unsupported PF_SYSTEM protocol")

    def build(self, protocol: Protocol, values: Mapping[str, object]) -> object:
        return values["name"] or (values["id"], values["unit"])

    def texts(self, protocol: Protocol, address: object) -> dict[str, str]:
        self.check(protocol, address)
        if isinstance(address, tuple):
            return {"name": "", "id": WORD.show(address[0]), "unit": WORD.show(address[1])}
        return {"name": str(address), "id": "0", "unit": "0"}

    def check(self, protocol: Protocol, address: object) -> None:
        name, *numbers = self.fields(protocol)
        if isinstance(address, str):
            name.check(address)
            return
        if not isinstance(address, tuple):
            raise FieldError("", address, f"{typed(address)} is no address here", "write a name or (id, unit)", SHAPE)
        if len(address) != 2:
            raise FieldError("", address, f"has {len(address)} elements, not 2", "write (id, unit)", SHAPE)
        for each, value in zip(numbers, address, strict=True):
            try:
                each.check(value)
            except FieldError as error:
                error.raises = SHAPE
                raise

    def notices(self, protocol: Protocol, address: object, role: Role) -> Iterator[Notice]:
        if isinstance(address, tuple):
            for each, value in zip(self.fields(protocol)[1:], address, strict=True):
                yield from each.notices(value)

    def text(self, address: object) -> str:
        if isinstance(address, tuple) and len(address) == 2:
            return f"control {address[0]} unit {address[1]}"
        return address if isinstance(address, str) else repr(address)

    def plain(self, protocol: Protocol, text: str) -> object:
        """A control's name, or ``control ID unit UNIT``."""
        if row := re.fullmatch(r"control (\d+) unit (\d+)", text.strip()):
            return (int(row[1]), int(row[2]))
        if not text.strip():
            raise FieldError("name", text, "is empty", f"write {CONTROLS[0]}")
        return self.fields(protocol)[0].read(text)

    def pack(self, protocol: Protocol, address: object) -> bytes:
        if not isinstance(address, tuple):
            raise ValueError("only macOS' kernel knows the id of a control's name")
        number, unit = (WORD.kept(each) for each in address)
        return SOCKADDR.pack(sc_family=self.number, ss_sysaddr=2, sc_id=number, sc_unit=unit)

    def unpack(self, protocol: Protocol, sockaddr: bytes) -> object:
        found = SOCKADDR.unpack(sockaddr)
        return None if found is None else (found["sc_id"], found["sc_unit"])

    def layout(self, protocol: Protocol, sockaddr: bytes) -> Layout:
        return SOCKADDR


FAMILY = System()
