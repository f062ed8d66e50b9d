"""AF_RDS: reliable datagram sockets over IP. Source: Linux' rds.txt, net/rds; ``case AF_RDS`` (the AF_INET branch)."""

from __future__ import annotations

from collections.abc import Iterator

from sockexplorer.core.advice import Advice
from sockexplorer.core.demo import OTHER, Act, Demo, End
from sockexplorer.core.faults import Notice
from sockexplorer.core.fields import Field
from sockexplorer.core.internet import PORT, SOCKADDR_IN, InternetFamily, pack_in, unpack_in
from sockexplorer.core.ip import Host, as_text, numeric
from sockexplorer.core.protocol import Protocol, Role
from sockexplorer.core.sockaddr import Layout

ORDER = 95


class Rds(InternetFamily):
    constant = "AF_RDS"
    version = 4
    title = "RDS"
    summary = "reliable datagrams over IP: (host, port)"
    availability = "Linux 2.6.30; Python 3.3"
    systems = ("linux",)
    modules = ("rds", "rds_tcp")
    called = "AF_INET"
    privileged_ports = False
    shape = "AF_INET address must be a pair (host, port)"
    help = (
        "The address is (host, port) as with AF_INET, and IPv4 only: Python knows no IPv6 here. A socket must be bound "
        "to one of this host's addresses before it sends."
    )
    pitfalls = (
        "The structure's family is AF_INET, and so are CPython's messages.",
        "0.0.0.0 can't be bound, and without rds_tcp or an InfiniBand transport no address can.",
    )
    advice = {
        ("socket", "ESOCKTNOSUPPORT"): Advice(
            "RDS has sequenced packets with the protocol 0 only.", ("choose SOCK_SEQPACKET and proto 0",)
        ),
        ("bind", "EADDRNOTAVAIL"): Advice(
            "No RDS transport has that address: it is no address of this host, or rds_tcp (or rds_rdma) is not loaded.",
            ("choose one of: ip -br -4 address", "sudo modprobe rds_tcp, if this system has that module"),
        ),
        ("bind", "EADDRINUSE"): Advice(
            "Another RDS socket has that address and port.",
            ("choose another port, or 0 for a free one", "see who has it: rds-info -k"),
        ),
        ("bind", "EINVAL"): Advice(
            "RDS binds one address of an interface: not all (0.0.0.0), a broadcast or multicast address, nor port 1 "
            "(the prober's); and it binds once.",
            ("write 127.0.0.1, or one of: ip -br -4 address", "close the socket and open another"),
        ),
        ("bind", "ENOPROTOOPT"): Advice(
            "The transport that SO_RDS_TRANSPORT chose does not have that address.", ("leave SO_RDS_TRANSPORT out",)
        ),
        ("connect", "EDESTADDRREQ"): Advice("0.0.0.0 is nobody's address.", ("give the peer's address",)),
        ("connect", "EINVAL"): Advice("RDS has no broadcast or multicast peers.", ("give the address of one host",)),
        ("send", "ENOTCONN"): Advice(
            "The socket is not bound, or has no destination: RDS sends from an address of this host only.",
            ("bind it first, to one of this host's addresses", "give a destination"),
        ),
        ("send", "EINVAL"): Advice(
            "0.0.0.0, broadcast and multicast addresses are no destination.", ("give the address of one host",)
        ),
        ("send", "EMSGSIZE"): Advice(
            "A message has at most 1 MiB, and fits the send buffer.", ("send less at once", "set SO_SNDBUF higher")
        ),
        ("send", "ENOBUFS"): Advice(
            "The peer's port is congested: its reader is behind.", ("wait until it reads, then send again",)
        ),
        ("send", "EAGAIN"): Advice(
            "The send buffer is full of messages that the peer has not acknowledged.",
            ("wait a moment, then send again", "see what waits: rds-info -s"),
        ),
        ("send", "ENETUNREACH"): Advice(
            "The connection below is being torn down.", ("send again", "see the connections: rds-info -n")
        ),
        ("send", "EHOSTUNREACH"): Advice(
            "No transport leads from the bound address to that one.",
            ("bind an address on the way: ip route get ADDRESS",),
        ),
        ("send", "EOPNOTSUPP"): Advice(
            "The bound address and the destination are of different versions of IP, or the flags are none of RDS.",
            ("give an IPv4 address",),
        ),
        ("*", "ETIMEDOUT"): Advice("Nothing came in the time that was set.", ("wait longer",)),
        ("setsockopt", "EOPNOTSUPP"): Advice(
            "The transport is chosen already: by bind, or by an earlier option.", ("set SO_RDS_TRANSPORT before bind",)
        ),
        ("setsockopt", "ENOPROTOOPT"): Advice(
            "RDS does not have the option, or the transport that it names is not loaded.",
            ("sudo modprobe rds_tcp, if this system has that module", "leave the option out"),
        ),
    }
    protocols = (
        Protocol(
            "seqpacket", "SOCK_SEQPACKET", "0", "datagrams",
            local={"host": "127.0.0.1", "port": "9999"}, remote={"host": "127.0.0.1", "port": ""}, sender_waits=True,
            help="Datagrams that arrive once and in order, over one connection between two hosts.",
        ),
    )  # fmt: skip

    demos = {
        "seqpacket": Demo(
            "Datagrams that arrive once and in order, on the loopback.",
            (End("bind", ("127.0.0.1", 0)), End("bind", ("127.0.0.1", 0))),
            (Act(1, b"hello", OTHER), Act(0, b"hello yourself", OTHER)),
        )
    }  # fmt: skip

    def fields(self, protocol: Protocol) -> tuple[Field, ...]:
        return (
            Field("host", Host(4), "127.0.0.1", "an IPv4 address of this host",
                  pitfall="'' and 0.0.0.0 are refused by the kernel."),
            Field("port", PORT, "0", "0 to 65535; 0 lets the kernel choose when binding",
                  pitfall="It is RDS' own, not one of TCP or UDP."),
        )  # fmt: skip

    def notices(self, protocol: Protocol, address: object, role: Role) -> Iterator[Notice]:
        yield from super().notices(protocol, address, role)
        if not isinstance(address, tuple):
            return
        text = {"": "0.0.0.0", "<broadcast>": "255.255.255.255"}.get(as_text(address[0]), as_text(address[0]))
        host = numeric(text, 4) or ""
        if host == "0.0.0.0":
            what = "refuses to bind RDS to" if role == "local" else "has no peer at"
            yield Notice("host", f"the kernel {what} all addresses; name one")
        elif host == "255.255.255.255" or (host and 224 <= int(host.partition(".")[0]) < 240):
            yield Notice("host", "the kernel refuses broadcast and multicast addresses here")

    def pack(self, protocol: Protocol, address: object) -> bytes:
        # CPython stores AF_INET here, not AF_RDS: RDS tells its versions of addresses apart by it.
        return pack_in(address)

    def unpack(self, protocol: Protocol, sockaddr: bytes) -> object:
        return unpack_in(sockaddr)

    def layout(self, protocol: Protocol, sockaddr: bytes) -> Layout:
        return SOCKADDR_IN


FAMILY = Rds()
