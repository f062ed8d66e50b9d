"""AF_DIVERT: packets that FreeBSD's firewall hands over. Source: divert(4); the ``case AF_INET`` branch."""

from __future__ import annotations

import socket

from sockexplorer.core.advice import Advice
from sockexplorer.core.cformats import index
from sockexplorer.core.family import Protocol
from sockexplorer.core.fields import Field
from sockexplorer.core.internet import PORT, InternetFamily, in_addr
from sockexplorer.core.ip import Host
from sockexplorer.core.sockaddr import Layout, Part, named

ORDER = 130
SOCKADDR = Layout(
    "sockaddr_in",
    Part("sin_len", "B", "length; Python leaves it 0"),
    Part("sin_family", "B", "address family", show=named({"AF_INET": 2})),
    Part("sin_port", "H", "divert port", "network"),
    Part("sin_addr", "4s", "INADDR_ANY when binding", "network", socket.inet_ntoa),
    Part("sin_zero", "8s", "unused"),
)
"""FreeBSD's, whose first byte is a length."""


class Divert(InternetFamily):
    constant = "AF_DIVERT"
    version = 4
    title = "Divert"
    summary = "packets from FreeBSD's firewall: (host, port)"
    availability = "FreeBSD 14 since Python 3.12"
    systems = ("freebsd",)
    since = (3, 12)
    called = "AF_INET"
    privileged_ports = False
    shape = "AF_INET address must be a pair (host, port)"
    help = (
        "The address is (host, port) as with AF_INET; only the port counts: it is the number of an ipfw or pf rule "
        "(divert PORT). Each read is a packet, which goes on its way when it is written back to the same address."
    )
    pitfalls = (
        "getsockname() and recvfrom() fail with 'getsockaddrlen: bad family': Python lacks that half.",
        "Without ipdivert.ko the family does not exist, and without a rule no packet comes.",
    )
    advice = {
        ("socket", "EPERM"): Advice("Divert sockets are for root.", ("sudo sockexplorer",)),
        ("socket", "EAFNOSUPPORT"): Advice("The kernel has no divert sockets.", ("sudo kldload ipdivert",)),
    }
    protocols = (
        Protocol(
            "raw", "SOCK_RAW", "0", "IP packets", ("bind",), has_name=False, has_senders=False,
            rights="Divert sockets are for root.",
            local={"host": "0.0.0.0", "port": "8668"},
            help="Packets that match a divert rule, whole, with their IP header.",
        ),
    )  # fmt: skip

    def fields(self, protocol: Protocol) -> tuple[Field, ...]:
        return (
            Field("host", Host(4), "0.0.0.0", "ignored; 0.0.0.0", pitfall="A name would be looked up all the same."),
            Field("port", PORT, "8668", "the divert port of the rule", pitfall="It is no UDP or TCP port."),
        )

    def pack(self, protocol: Protocol, address: object) -> bytes:
        assert isinstance(address, tuple)
        host, port = address
        return SOCKADDR.pack(sin_family=2, sin_port=index(port), sin_addr=in_addr(host))

    def unpack(self, protocol: Protocol, sockaddr: bytes) -> object:
        found = SOCKADDR.unpack(sockaddr)
        return None if found is None else (socket.inet_ntoa(found["sin_addr"]), found["sin_port"])

    def layout(self, protocol: Protocol, sockaddr: bytes) -> Layout:
        return SOCKADDR


FAMILY = Divert()
