"""AF_RDS: reliable datagram sockets over IP. Source: Linux' rds.txt, net/rds; ``case AF_RDS`` (the AF_INET branch)."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

from sockexplorer.core.advice import Advice
from sockexplorer.core.family import Protocol, Role
from sockexplorer.core.fields import Field, Notice
from sockexplorer.core.internet import PORT, InternetFamily
from sockexplorer.core.ip import Host, as_text

ORDER = 95


class Rds(InternetFamily):
    constant = "AF_RDS"
    version = 4
    title = "RDS"
    summary = "reliable datagrams over IP: (host, port)"
    modules = ("rds", "rds_tcp")
    help = (
        "The address is (host, port) as with AF_INET, and IPv4 only: Python knows no IPv6 here. A socket must be bound "
        "to one of this host's addresses before it sends."
    )
    advice = {
        ("bind", "EADDRNOTAVAIL"): Advice(
            "No RDS transport serves that address.", ("sudo modprobe rds_tcp, if this system has that module",)
        ),
        ("bind", "EINVAL"): Advice("RDS binds one address of this host, not all.", ("write 127.0.0.1",)),
        ("send", "ENOTCONN"): Advice("The socket is not bound.", ("bind it first",)),
    }
    protocols = (
        Protocol(
            "seqpacket", "SOCK_SEQPACKET", "0", "datagrams",
            local={"host": "127.0.0.1", "port": "9999"}, remote={"host": "127.0.0.1", "port": ""},
            help="Datagrams that arrive once and in order, over one connection between two hosts.",
        ),
    )  # fmt: skip

    def fields(self, protocol: Protocol) -> tuple[Field, ...]:
        return (
            Field("host", Host(4), "127.0.0.1", "an IPv4 address of this host"),
            Field("port", PORT, "0", "0 to 65535; 0 lets the kernel choose when binding"),
        )

    def notices(self, protocol: Protocol, address: object, role: Role) -> Iterator[Notice]:
        yield from super().notices(protocol, address, role)
        if isinstance(address, tuple) and role == "local" and as_text(address[0]) in ("", "0.0.0.0"):
            yield Notice("host", "the kernel refuses to bind RDS to all addresses; name one")

    def pack(self, protocol: Protocol, address: object) -> bytes:
        assert isinstance(address, tuple)
        host = {"": "0.0.0.0", "<broadcast>": "255.255.255.255"}.get(as_text(address[0]), as_text(address[0]))
        # CPython stores AF_INET here: RDS tells its addresses apart by nothing else.
        head = struct.pack("=H", socket.AF_INET)
        return head + struct.pack("!H4s8x", int(address[1]), socket.inet_aton(host))

    def unpack(self, protocol: Protocol, sockaddr: bytes) -> object:
        if len(sockaddr) < 8:
            return None
        port, host = struct.unpack_from("!H4s", sockaddr, 2)
        return (socket.inet_ntoa(host), port)


FAMILY = Rds()
