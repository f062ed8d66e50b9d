"""A family that nobody declared, by its number: addresses are bytes, which go to libc as they are.

The form of the address is the one that CPython itself gives for a family that it does not know: ``(sa_family,
sa_data)``, the last case of ``makesockaddr()`` in socketmodule.c. Source of the structure: <linux/socket.h>.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from sockexplorer.core.constants import LINUX
from sockexplorer.core.family import Family
from sockexplorer.core.faults import FieldError, Notice, Raises
from sockexplorer.core.fields import Field, Integer
from sockexplorer.core.octets import Octets
from sockexplorer.core.protocol import Protocol, Role
from sockexplorer.core.sockaddr import Layout, Part

LAST = 255
"""The highest number that is taken for a family's: Linux has fewer than 50."""
DATA_MAX = 126
"""Bytes of ``struct sockaddr_storage`` after ``sa_family``."""
BAD_FAMILY = Raises("OSError", "{call}(): bad family")
"""What every socket of Python's raises for an address of such a family."""


class Numbered(Family):
    """The family with a number, whichever it is; one that is declared too is ``2`` here and ``AF_INET`` there."""

    title = "by number"
    summary = "any family, by its number: (sa_family, sa_data)"
    availability = "Linux, where the kernel has it"
    systems = ()
    by_bytes = True
    shape = BAD_FAMILY.message
    help = (
        "The address is (sa_family, sa_data): the family's number, and the bytes that follow it in the sockaddr. "
        "Python can't build it, so bind, connect and sendto go to libc; whether it is right only the kernel knows."
    )
    pitfalls = (
        "Ports and the like are in network order, most numbers in that of this machine: the family's header tells.",
        "A sockaddr of another length than the family's is mostly refused with EINVAL.",
        "A family's protocol number may be needed: AF_KEY opens with 2 (PF_KEY_V2) only.",
    )

    def __init__(self, constant: str) -> None:
        super().__init__()
        self.constant = constant
        own = {"family": str(self.number), "data": ""}
        self.protocols = tuple(
            Protocol(
                name, f"SOCK_{name.upper()}", "0", summary,
                ("listen", "connect") if connections else ("bind", "connect", "open"),
                messages=name != "stream", connections=connections, sends_bound=not connections,
                local=own, remote=own, proto_choices={"0": 0}, has_name=False, has_senders=False,
                help="What it is for is up to the family; the protocol number is the third argument of socket().",
            )
            for name, connections, summary in (
                ("dgram", False, "datagrams"), ("stream", True, "byte streams"), ("seqpacket", True, "packets"),
                ("raw", False, "raw packets"), ("rdm", False, "messages"),
            )
        )  # fmt: skip

    @property
    def name(self) -> str:
        return super().name or self.constant

    def fields(self, protocol: Protocol) -> tuple[Field, ...]:
        return (
            Field("family", Integer(0, 0xFFFF), str(self.number), "sa_family; another is rarely right",
                  pitfall="0 (AF_UNSPEC) undoes a connect, where the family knows that."),
            Field("data", Octets(0, DATA_MAX), "", "sa_data: what follows the family in the sockaddr",
                  pitfall="The family's own two bytes are not part of it."),
        )  # fmt: skip

    def check(self, protocol: Protocol, address: object) -> None:
        try:
            super().check(protocol, address)
        except FieldError as error:
            error.raises = BAD_FAMILY
            raise

    def no_tuple(self, protocol: Protocol, address: object) -> Raises:
        return BAD_FAMILY

    def notices(self, protocol: Protocol, address: object, role: Role) -> Iterator[Notice]:
        assert isinstance(address, tuple)
        number, data = address
        if number != self.number:
            yield Notice("family", f"the socket is of the family {self.number}")
        if bytes(data[:2]) == struct.pack("=H", self.number):
            yield Notice("data", "begins with the family's number, which stands before it already")

    def text(self, address: object) -> str:
        if not isinstance(address, tuple) or len(address) != 2 or not isinstance(address[1], bytes):
            return repr(address)
        number, data = address
        shown = data.hex(" ") or "(no bytes)"
        return shown if number == self.number else f"{number!r}: {shown}"

    def plain(self, protocol: Protocol, text: str) -> object:
        """The bytes after the family, in hexadecimal digits."""
        return (self.number, self.fields(protocol)[1].parse(text))

    def pack(self, protocol: Protocol, address: object) -> bytes:
        assert isinstance(address, tuple)
        number, data = address
        return struct.pack("=H", number) + bytes(data)

    def unpack(self, protocol: Protocol, sockaddr: bytes) -> object:
        if len(sockaddr) < 2:
            return None
        return (int(struct.unpack_from("=H", sockaddr)[0]), sockaddr[2:])

    def layout(self, protocol: Protocol, sockaddr: bytes) -> Layout:
        data = Part("sa_data", f"{max(0, len(sockaddr) - 2)}s", "what the family's header says")
        return Layout("sockaddr", Part("sa_family", "H", "address family"), data)


def constant_of(name: str, declared: frozenset[str]) -> str | None:
    """The constant of an undeclared family by name or number: ``AF_KEY`` for ``key``, ``pf_key`` and ``15``.

    ``declared`` are the constants of families that have a file; their numbers stand for themselves. None for what is
    neither a number from 1 to `LAST` nor a family that Linux knows.
    """
    bare = name.strip().upper()
    if bare.isascii() and bare.isdecimal():
        if not (len(bare) < 4 and 0 < int(bare) <= LAST):
            return None
        names = (each for each, value in LINUX.items() if each.startswith("AF_") and value == int(bare))
        return next((each for each in names if each not in declared), str(int(bare)))
    constant = "AF_" + bare.removeprefix("AF_").removeprefix("PF_")
    return constant if constant in LINUX and constant not in declared else None
