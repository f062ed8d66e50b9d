"""AF_INET6: IPv6. Source: ipv6(7), RFC 4291, RFC 4007; socketmodule.c, ``case AF_INET6``."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sockexplorer.core.advice import Advice
from sockexplorer.core.cformats import index
from sockexplorer.core.faults import RANGE, FieldError, Invalid, Notice, Raises, shown
from sockexplorer.core.fields import Field, Integer
from sockexplorer.core.internet import (
    HOST_PITFALL,
    PORT,
    PORT_PITFALL,
    InternetFamily,
    transports,
)
from sockexplorer.core.internet_advice import BY_PROTOCOL, INTERNET
from sockexplorer.core.internet_demos import demos
from sockexplorer.core.ip import Host, as_text, numeric
from sockexplorer.core.protocol import Option, Protocol, Role
from sockexplorer.core.sockaddr import Layout, Part, hexadecimal, named

ORDER = 20
LOOPBACK = ("::1", 0)
ANY = {"host": "::", "port": "0"}
SOCKADDR = Layout(
    "sockaddr_in6",
    Part("sin6_family", "H", "address family", show=named({"AF_INET6": socket.AF_INET6})),
    Part("sin6_port", "H", "port", "network"),
    Part("sin6_flowinfo", "I", "flow label", "network", hexadecimal),
    Part(
        "sin6_addr", "16s", "IPv6 address, most significant byte first", "network",
        lambda raw: socket.inet_ntop(socket.AF_INET6, raw),
    ),
    Part("sin6_scope_id", "I", "interface of a link-local address: its index"),
)  # fmt: skip
"""``<netinet/in.h>``, ipv6(7)."""
V6ONLY = Option("SOL_IPV6", "IPV6_V6ONLY", "no IPv4 peers as ::ffff:a.b.c.d")
RAW_PROTOCOLS = {
    "IPPROTO_ICMPV6": 58, "IPPROTO_TCP": 6, "IPPROTO_UDP": 17, "IPPROTO_GRE": 47, "IPPROTO_ESP": 50,
    "IPPROTO_AH": 51, "IPPROTO_SCTP": 132, "IPPROTO_UDPLITE": 136, "IPPROTO_RAW": 255,
}  # fmt: skip
NEEDS_SCOPE = Advice(
    "A link-local or multicast address says nothing without the interface it is on; an IPv4 address (::ffff:…) does "
    "not go "
    "with IPV6_V6ONLY; or the socket is bound already.",
    ("choose scope_id, the interface's index, from the list", "switch IPV6_V6ONLY off to bind an IPv4 address"),
)
STREAM_NEEDS_SCOPE = Advice(
    NEEDS_SCOPE.what.removesuffix(".") + "; and a stream is never bound to a multicast address.",
    (*NEEDS_SCOPE.fixes, "use udp for multicast"),
)
NO_SCOPE_FOR_PEER = Advice(
    "A link-local peer, or a multicast group of the link, says nothing without the interface it is on; or the route to "
    "the address says blackhole.",
    ("choose scope_id, the interface's index, from the list", "look at: ip -6 route get ADDRESS"),
)
PROHIBITED = Advice(
    "A firewall on the way, or the route itself, prohibits it (ICMPv6 administratively prohibited).",
    (
        "look at: ip -6 route get ADDRESS",
        "see this host's firewall: sudo nft list ruleset",
        "ask who runs the other end",
    ),
)
NO_SOURCE = Advice(
    "No IPv6 address of this host can be the sender: IPv6 is switched off on the interface, or its only address is "
    "still being checked (tentative).",
    (
        "look at: ip -6 address",
        "switch it on: sudo sysctl net.ipv6.conf.all.disable_ipv6=0",
        "bind one of this host's addresses first",
    ),
)
NO_PORT_ZERO = Advice("Nothing can be sent to port 0.", ("give the peer's port",))
STREAM_BIND = {("bind", "EINVAL"): STREAM_NEEDS_SCOPE}


@dataclass(frozen=True)
class ScopeId(Integer):
    """The interface of a link-local address: an index, or in the form its name."""

    def _one(self, text: str) -> int:
        try:
            return socket.if_nametoindex(text)
        except (OSError, UnicodeError, ValueError):
            pass
        try:
            return super()._one(text)
        except Invalid:
            raise Invalid("is neither an index nor an interface of this host", "choose one from the list") from None


@dataclass(frozen=True)
class FlowInfo(Integer):
    """``I``, masked to 32 bits, then 0 to 0xfffff enforced."""

    def check(self, value: object) -> None:
        number = self.convert(value)
        if number & 0xFFFFFFFF > self.high:
            raise self.outside(number, Raises("OverflowError", "{call}(): flowinfo must be 0-1048575.", RANGE))

    def notices(self, value: object) -> Iterator[str]:
        number = self.convert(value)
        if not 0 <= number <= 0xFFFFFFFF:
            yield f"{shown(number)} does not fit 32 bits: CPython passes {number & 0xFFFFFFFF} silently (3.15 warns)"


def needs_scope(host: str) -> bool:
    """Whether the address is link-local, or multicast on an interface or a link (RFC 4007, RFC 4291)."""
    try:
        packed = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    except (OSError, ValueError):
        return False
    return (packed[0] == 0xFE and packed[1] & 0xC0 == 0x80) or (packed[0] == 0xFF and packed[1] & 0x0F in (1, 2))


def _index(zone: str) -> int:
    """The index of an interface by name, 0 for none."""
    try:
        return socket.if_nametoindex(zone)
    except (OSError, ValueError, UnicodeError):
        return 0


class Inet6(InternetFamily):
    constant = "AF_INET6"
    version = 6
    title = "IPv6"
    summary = "Internet Protocol version 6: (host, port[, flowinfo[, scope_id]])"
    availability = "every platform"
    shape = "AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])"
    help = (
        "The address is (host, port, flowinfo, scope_id). A link-local address (fe80::…) needs scope_id, the index of "
        "its interface: a zone written after % in the host is lost."
    )
    pitfalls = (
        "A zone in the host, fe80::1%eth0, is accepted and then lost: its index belongs in scope_id.",
        "An IPv4 address is refused; ::ffff:192.0.2.1 reaches it unless IPV6_V6ONLY is set.",
        "'<broadcast>' is IPv4's; all nodes of a link are ff02::1.",
    )
    advice = INTERNET | {
        ("socket", "EAFNOSUPPORT"): Advice(
            "IPv6 is not in this kernel, or switched off (ipv6.disable=1).",
            ("look at /proc/net/if_inet6", "boot without ipv6.disable=1"),
        ),
        ("connect", "EAFNOSUPPORT"): Advice("The address is not IPv6.", ("write IPv4 addresses as ::ffff:192.0.2.1",)),
        ("send", "EAFNOSUPPORT"): Advice("The address is not IPv6.", ("write IPv4 addresses as ::ffff:192.0.2.1",)),
        ("bind", "EINVAL"): NEEDS_SCOPE,
        ("bind", "ENODEV"): Advice(
            "No interface of this host has the index in scope_id.",
            ("choose scope_id from the list", "see the indexes: ip -br link; cat /sys/class/net/INTERFACE/ifindex"),
        ),
        ("bind", "EADDRNOTAVAIL"): Advice(
            "No interface of this host has that IPv6 address, or not the one of scope_id; or IPv6 is switched off on "
            "it.",
            (
                "choose one of: ip -br -6 address",
                "write :: for all of them",
                "look at: sysctl net.ipv6.conf.all.disable_ipv6",
            ),
        ),
        ("connect", "EINVAL"): NO_SCOPE_FOR_PEER,
        ("send", "EINVAL"): NO_SCOPE_FOR_PEER,
        ("connect", "EADDRNOTAVAIL"): NO_SOURCE,
        ("send", "EADDRNOTAVAIL"): NO_SOURCE,
        ("connect", "EACCES"): PROHIBITED,
        ("send", "EACCES"): PROHIBITED,
        ("read", "EACCES"): PROHIBITED,
        ("connect", "ENETUNREACH"): Advice(
            "No route leads there: the routing table has none, no interface has the index in scope_id, or it is an "
            "IPv4 "
            "address (::ffff:…) while IPV6_V6ONLY is set. A stream does not go to a multicast address.",
            ("look at: ip -6 route get ADDRESS", "choose scope_id from the list", "switch IPV6_V6ONLY off"),
        ),
        ("send", "ENETUNREACH"): Advice(
            "No route leads there: the routing table has none, no interface has the index in scope_id, or it is an "
            "IPv4 "
            "address (::ffff:…) while IPV6_V6ONLY is set.",
            ("look at: ip -6 route get ADDRESS", "choose scope_id from the list", "switch IPV6_V6ONLY off"),
        ),
        ("setsockopt", "EINVAL"): Advice(
            "The option takes no such value, or not at this point: IPV6_V6ONLY is for before bind.",
            ("set it before bind", "leave the option out"),
        ),
    }
    protocol_advice = BY_PROTOCOL | {
        "udp": BY_PROTOCOL["udp"] | {("send", "EINVAL"): NO_PORT_ZERO, ("connect", "EADDRNOTAVAIL"): NO_SOURCE},
        "udplite": BY_PROTOCOL["udplite"] | {("send", "EINVAL"): NO_PORT_ZERO, ("connect", "EADDRNOTAVAIL"): NO_SOURCE},
        "tcp": BY_PROTOCOL["tcp"] | STREAM_BIND,
        "mptcp": BY_PROTOCOL["mptcp"] | STREAM_BIND,
        "sctp": BY_PROTOCOL["sctp"] | STREAM_BIND,
        "dccp": BY_PROTOCOL["dccp"] | STREAM_BIND,
        "icmp": BY_PROTOCOL["icmp"]
        | {
            ("send", "EINVAL"): Advice(
                "A ping socket sends echo requests only (8 bytes or more, type 128 and code 0 first), and to a "
                "link-local "
                "address with scope_id only.",
                (r"begin with \x80\0\0\0\0\0 and a number of two bytes", "choose scope_id from the list"),
            ),
            ("connect", "EADDRNOTAVAIL"): NO_SOURCE,
        },
        "raw": BY_PROTOCOL["raw"]
        | {
            ("bind", "EADDRNOTAVAIL"): Advice(
                "No interface of this host has that IPv6 address; and a raw socket of IPv6 takes no IPv4 address "
                "(::ffff:…).",
                ("choose one of: ip -br -6 address", "open inet/raw for IPv4"),
            ),
            ("bind", "EINVAL"): Advice(
                "A link-local or multicast address of the link says nothing without the interface it is on.",
                ("choose scope_id, the interface's index, from the list",),
            ),
            ("send", "EINVAL"): Advice(
                "Here the port is the protocol's number: it must be 0, or that of the socket; or the packet is shorter "
                "than the checksum's place in it.",
                ("write port 0",),
            ),
            ("connect", "EADDRNOTAVAIL"): NO_SOURCE,
        },
    }
    protocols = (
        *transports(6, V6ONLY),
        Protocol(
            "icmp", "SOCK_DGRAM", "IPPROTO_ICMPV6", "ping, no root",
            local=ANY, remote={"host": "::1", "port": "0"},
            sample=r"\x80\0\0\0\0\0\0\x01ping",
            help="Send an echo request (type 128); the kernel fills in identifier and checksum. For the groups in "
            "net.ipv4.ping_group_range.", rights="This process's group must be in net.ipv4.ping_group_range.",
            availability="Linux 3.11, macOS",
        ),
        Protocol(
            "raw", "SOCK_RAW", "IPPROTO_ICMPV6", "IPv6 payloads",
            local=ANY, remote={"host": "::1", "port": "0"},
            proto_choices=RAW_PROTOCOLS, privilege="CAP_NET_RAW",
            sample=r"\x80\0\0\0\0\0\0\x01",
            help="Receives every packet of one protocol, without the IPv6 header; sends what follows the header.",
        ),
    )  # fmt: skip

    demos = demos(LOOPBACK, ping=b"\x80\0\0\0\0\0\0\x01ping", raw=b"\x80\0\0\0\0\0\0\x01")

    def fields(self, protocol: Protocol) -> tuple[Field, ...]:
        return (
            Field("host", Host(6), "::1", "an IPv6 address, '' for all, or a name", pitfall=HOST_PITFALL),
            Field("port", PORT, "0", "0 to 65535; 0 lets the kernel choose when binding", pitfall=PORT_PITFALL),
            Field(
                "flowinfo", FlowInfo(0, 0xFFFFF, wraps=True), "0", "flow label; 0 for none", optional=True,
                pitfall="It reads back as 0 unless IPV6_FLOWINFO_SEND is set.",
            ),
            Field(
                "scope_id", ScopeId(0, 2**32 - 1, wraps=True, choices="scopes"), "0",
                "interface of a link-local address: its index or name", optional=True,
                pitfall="Python wants the index, socket.if_nametoindex(name); a str is a TypeError.",
            ),
        )  # fmt: skip

    def notices(self, protocol: Protocol, address: object, role: Role) -> Iterator[Notice]:
        yield from super().notices(protocol, address, role)
        if not isinstance(address, tuple) or not address:
            return
        host = as_text(address[0])
        scope = index(address[3]) if len(address) > 3 else 0
        if not scope and needs_scope(numeric(host, 6) or host):
            what = "multicast address of a link" if host.lower().startswith("ff") else "link-local address"
            yield Notice("scope_id", f"a {what} needs the interface's index; without it the kernel refuses")
        zone = host.partition("%")[2]
        if zone and not scope:
            yield Notice("host", "CPython drops the zone after '%': put it in scope_id")
        elif zone and zone != str(scope) and _index(zone) != scope:
            yield Notice("host", f"CPython drops the zone after '%': scope_id {scope} wins")

    def text(self, address: object) -> str:
        # A flow label has no plain form.
        return (
            repr(address) if isinstance(address, tuple) and len(address) > 2 and address[2] else super().text(address)
        )

    def with_host(self, address: object, host: str) -> object:
        """A zone of the host, as resolvers give it, becomes the scope_id."""
        assert isinstance(address, tuple)
        host, _, zone = host.partition("%")
        if not zone.isdecimal():
            return (host, *address[1:])
        return (host, address[1], address[2] if len(address) > 2 else 0, int(zone))

    def with_zone(self, host: str, port: int) -> object:
        name, percent, zone = host.partition("%")
        if not percent:
            return (host, port)
        try:
            return (name, port, 0, int(zone) if zone.isdecimal() else socket.if_nametoindex(zone))
        except (OSError, ValueError):
            raise FieldError(
                "scope_id", zone, "is no interface of this host", "write its name or index after %"
            ) from None

    def pack(self, protocol: Protocol, address: object) -> bytes:
        assert isinstance(address, tuple)
        given: tuple[Any, ...] = address
        host, port, flowinfo, scope_id = given + (0, 0)[len(given) - 2 :]
        text = as_text(host)
        numbers = (numeric(text, 6) or text).partition("%")[0] or "::"
        return SOCKADDR.pack(
            sin6_family=self.number,
            sin6_port=index(port),
            sin6_flowinfo=index(flowinfo) & 0xFFFFFFFF,
            sin6_addr=socket.inet_pton(socket.AF_INET6, numbers),
            sin6_scope_id=index(scope_id) & 0xFFFFFFFF,
        )

    def unpack(self, protocol: Protocol, sockaddr: bytes) -> object:
        found = SOCKADDR.unpack(sockaddr)
        if found is None:
            return None
        host = socket.inet_ntop(socket.AF_INET6, found["sin6_addr"])
        return (host, found["sin6_port"], found["sin6_flowinfo"], found["sin6_scope_id"])

    def layout(self, protocol: Protocol, sockaddr: bytes) -> Layout:
        return SOCKADDR


FAMILY = Inet6()
