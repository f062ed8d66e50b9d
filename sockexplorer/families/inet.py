"""AF_INET: IPv4. Source: ip(7), tcp(7), udp(7), udplite(7), icmp(7), raw(7); socketmodule.c, ``case AF_INET``."""

from __future__ import annotations

from sockexplorer.core.advice import Advice
from sockexplorer.core.fields import Field
from sockexplorer.core.internet import (
    BROADCAST,
    HOST_PITFALL,
    PORT,
    PORT_PITFALL,
    SOCKADDR_IN,
    InternetFamily,
    pack_in,
    transports,
    unpack_in,
)
from sockexplorer.core.internet_advice import BOUND, BY_PROTOCOL, INTERNET
from sockexplorer.core.internet_demos import demos
from sockexplorer.core.ip import Host
from sockexplorer.core.protocol import Protocol
from sockexplorer.core.sockaddr import Layout

ORDER = 10
LOOPBACK = ("127.0.0.1", 0)
ANY = {"host": "0.0.0.0", "port": "0"}
RAW_PROTOCOLS = {
    "IPPROTO_ICMP": 1, "IPPROTO_IGMP": 2, "IPPROTO_TCP": 6, "IPPROTO_UDP": 17, "IPPROTO_GRE": 47, "IPPROTO_ESP": 50,
    "IPPROTO_AH": 51, "IPPROTO_SCTP": 132, "IPPROTO_UDPLITE": 136, "IPPROTO_RAW": 255,
}  # fmt: skip
BROADCAST_RIGHT = Advice(
    "A broadcast address is reached only with SO_BROADCAST; or the route to the address says prohibit.",
    ("switch SO_BROADCAST on", "look at: ip route get ADDRESS"),
)
FROM_LOOPBACK = Advice(
    "A socket that is bound to 127.0.0.1 reaches this host alone; or the route to the address says blackhole.",
    ("bind 0.0.0.0, or leave the local address out", "look at: ip route get ADDRESS"),
)
NO_PORT_ZERO = Advice(
    "Nothing can be sent to port 0; nor to another host from a socket that is bound to 127.0.0.1.",
    ("give the peer's port", "bind 0.0.0.0 to reach other hosts"),
)


class Inet(InternetFamily):
    constant = "AF_INET"
    version = 4
    title = "IPv4"
    summary = "Internet Protocol version 4: (host, port)"
    availability = "every platform"
    shape = "AF_INET address must be a pair (host, port)"
    help = (
        "The address is (host, port). host '' means every interface when binding; a name is looked up, a number is "
        "not. Port 0 lets the kernel choose."
    )
    pitfalls = (
        "A number with leading zeros is octal to glibc: 010.0.0.1 is 8.0.0.1.",
        "A host name is looked up by bind and connect themselves, and only its first address is used.",
        "127.0.0.1 is reached from this machine only; bind 0.0.0.0 for others.",
    )
    advice = INTERNET | {
        ("bind", "EADDRNOTAVAIL"): Advice(
            "No interface of this host has that IPv4 address.",
            (
                "choose one of: ip -br -4 address",
                "write 0.0.0.0 for all of them",
                "to bind it all the same: sudo sysctl net.ipv4.ip_nonlocal_bind=1",
            ),
        ),
        ("bind", "EINVAL"): BOUND,
        ("connect", "EACCES"): BROADCAST_RIGHT,
        ("send", "EACCES"): BROADCAST_RIGHT,
        ("connect", "ENETUNREACH"): Advice(
            "The routing table has no route to that network, or its interface is down; and a stream has one peer, so "
            "it "
            "does not go to a broadcast or multicast address.",
            ("see the way that packets take: ip route get ADDRESS", "use udp for broadcast and multicast"),
        ),
        ("connect", "EINVAL"): FROM_LOOPBACK,
        ("send", "EINVAL"): FROM_LOOPBACK,
    }
    protocol_advice = BY_PROTOCOL | {
        "udp": BY_PROTOCOL["udp"] | {("send", "EINVAL"): NO_PORT_ZERO},
        "udplite": BY_PROTOCOL["udplite"] | {("send", "EINVAL"): NO_PORT_ZERO},
        "icmp": BY_PROTOCOL["icmp"]
        | {
            ("send", "EINVAL"): Advice(
                "A ping socket sends echo requests only: 8 bytes or more, type 8 and code 0 first.",
                (r"begin with \x08\0\0\0\0\0 and a number of two bytes", "use a raw socket for other types"),
            ),
        },
        "raw": BY_PROTOCOL["raw"]
        | {
            ("send", "EINVAL"): Advice(
                "The packet does not begin with an IP header of at least 20 bytes, which IPPROTO_RAW (255) and "
                "IP_HDRINCL "
                "ask for; or the socket is bound to 127.0.0.1 and the destination is elsewhere.",
                ("write the header, too", "choose the protocol's own number: the kernel writes the header"),
            ),
        },
    }
    protocols = (
        *transports(4, BROADCAST),
        Protocol(
            "icmp", "SOCK_DGRAM", "IPPROTO_ICMP", "ping, no root",
            local=ANY, remote={"host": "127.0.0.1", "port": "0"},
            sample=r"\x08\0\0\0\0\0\0\x01ping",
            help="Send an echo request (type 8); the kernel fills in identifier and checksum. For the groups in "
            "net.ipv4.ping_group_range.", rights="This process's group must be in net.ipv4.ping_group_range.",
            availability="Linux 3.0, macOS",
        ),
        Protocol(
            "raw", "SOCK_RAW", "IPPROTO_ICMP", "IP packets",
            local=ANY, remote={"host": "127.0.0.1", "port": "0"},
            proto_choices=RAW_PROTOCOLS, privilege="CAP_NET_RAW",
            sample=r"\x08\0\xf7\xff\0\0\0\0",
            help="Receives every packet of one IP protocol, IP header included; sends what follows the header.",
        ),
    )  # fmt: skip

    demos = demos(LOOPBACK, ping=b"\x08\0\0\0\0\0\0\x01ping", raw=b"\x08\0\xf7\xff\0\0\0\0")

    def fields(self, protocol: Protocol) -> tuple[Field, ...]:
        return (
            Field("host", Host(4), "127.0.0.1", "an IPv4 address, '' for all, or a name", pitfall=HOST_PITFALL),
            Field("port", PORT, "0", "0 to 65535; 0 lets the kernel choose when binding", pitfall=PORT_PITFALL),
        )

    def pack(self, protocol: Protocol, address: object) -> bytes:
        return pack_in(address)

    def unpack(self, protocol: Protocol, sockaddr: bytes) -> object:
        return unpack_in(sockaddr)

    def layout(self, protocol: Protocol, sockaddr: bytes) -> Layout:
        return SOCKADDR_IN


FAMILY = Inet()
