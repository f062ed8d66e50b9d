"""AF_DIVERT: packets that FreeBSD's firewall hands over. Source: divert(4); the ``case AF_INET`` branch."""

from __future__ import annotations

import socket

from sockexplorer.core.advice import Advice
from sockexplorer.core.cformats import index
from sockexplorer.core.fields import Field
from sockexplorer.core.internet import PORT, InternetFamily, in_addr
from sockexplorer.core.ip import Host
from sockexplorer.core.protocol import Protocol
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
ROOT = Advice("Divert sockets are for root (PRIV_NETINET_DIVERT).", ("sockexplorer --via sudo",))
NO_MODULE = Advice(
    "The kernel has no divert sockets.", ("sudo kldload ipdivert", "build the kernel with: options IPDIVERT")
)


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
        ("socket", "EPERM"): ROOT,
        ("socket", "EACCES"): ROOT,
        ("socket", "EAFNOSUPPORT"): NO_MODULE,
        ("socket", "EPROTONOSUPPORT"): NO_MODULE,
        ("socket", "ESOCKTNOSUPPORT"): Advice("Divert sockets are raw.", ("choose SOCK_RAW",)),
        ("bind", "EADDRINUSE"): Advice(
            "Another socket, natd for one, has that divert port.",
            ("choose another port, and name it in the rule", "see who has it: sockstat -P divert"),
        ),
        ("bind", "EADDRNOTAVAIL"): Advice("The host does not count: only the port does.", ("write 0.0.0.0",)),
        ("bind", "EINVAL"): Advice("The socket is bound already.", ("close it and open another",)),
        ("connect", "EOPNOTSUPP"): Advice("A divert socket is bound, not connected.", ("bind it to the rule's port",)),
        ("listen", "EOPNOTSUPP"): Advice("A divert socket is bound; it has no connections.", ("bind it instead",)),
        ("send", "EINVAL"): Advice(
            "What is written back is a whole IP packet, with a header whose lengths are right.",
            ("write back what was read, to the same address",),
        ),
        ("send", "EDESTADDRREQ"): Advice(
            "A packet is written back to the address that it was read with, which says where it goes on.",
            ("give that address as the peer",),
        ),
        ("send", "EMSGSIZE"): Advice("The packet is longer than the interface takes.", ("send at most 65535 bytes",)),
        ("send", "ENOBUFS"): Advice("The kernel has no room for the packet.", ("wait a moment, then send again",)),
        ("send", "EHOSTUNREACH"): Advice("No route leads to the packet's destination.", ("netstat -rn",)),
        ("send", "ENETUNREACH"): Advice("No route leads to the packet's destination.", ("netstat -rn",)),
        ("send", "EADDRNOTAVAIL"): Advice(
            "The address names no interface of this host that the packet could have come by.",
            ("write back to the address that recvfrom() gave",),
        ),
        ("send", "EACCES"): Advice(
            "The firewall refuses the packet that was written back.", ("look at: ipfw -a list, or pfctl -sr",)
        ),
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
