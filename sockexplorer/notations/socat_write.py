"""The socat command that does what an endpoint does.

socat's own addresses where it has one for the family (``TCP4-LISTEN:…``, ``UNIX-CONNECT:…``), for any other the
generic ones with the sockaddr in hexadecimal. Written so that socat 1.7.4 to 1.8 do the same with it; 1.7.3 lacks
VSOCK-… and setsockopt-listen, and says so. Source: socat(1); the differences were seen by running 1.7.3.4, 1.7.4.4
and 1.8.0.1.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

from sockexplorer.core.constants import number
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol
from sockexplorer.notations.reading import accepts
from sockexplorer.notations.socat import NAMED_OPTIONS
from sockexplorer.notations.socat_syntax import escaped, printf, quoted

How = Literal["listen", "connect", "recv", "recvfrom", "sendto", "datagram"]
_NOT_WITH_SOCAT = ("AF_ALG", "AF_HYPERV")
"""AF_ALG talks over what accept() gives without listen(); AF_HYPERV is Windows', whose numbers mean others here."""
_ANSWER_SECONDS = 5
"""How long socat waits for an answer when the payload is sent; half a second is its own choice."""
_PIPE = 4096
"""Bytes that one write to a pipe keeps together: more may reach socat, and its peer, in pieces."""
_LONGEST = 65536
_ETH_P_ALL = 3
_ADDRESS_MAX = 511
"""Characters of one parameter that socat keeps (xioopen.c)."""


@dataclass(frozen=True)
class _Plan:
    """What is to be written: an endpoint whose addresses have become sockaddrs."""

    family: Family
    protocol: Protocol
    endpoint: Endpoint
    how: How
    local: object
    remote: object

    @property
    def waits(self) -> bool:
        """Whether the address of socat names the local end."""
        return self.how in ("listen", "recv", "recvfrom")

    @property
    def type(self) -> int:
        return self.protocol.type_number

    @property
    def proto(self) -> int:
        return self.protocol.proto_number if self.endpoint.proto is None else self.endpoint.proto

    def packed(self, address: object) -> bytes:
        """The sockaddr. Raises ValueError where this host can't tell it."""
        try:
            return self.family.pack(self.protocol, address)
        except (OSError, OverflowError, struct.error, AssertionError) as error:
            raise ValueError(str(error)) from None

    def canonical(self, address: object) -> object:
        """The address as the kernel would give it back. Raises ValueError where this host can't tell it."""
        return self.family.unpack(self.protocol, self.packed(address))

    def sockaddr(self, address: object) -> bytes:
        """The sockaddr without the address family. Raises ValueError where this host can't tell it."""
        raw = self.packed(address)
        if raw[:2] != struct.pack("=H", self.family.number):
            raise ValueError("socat writes the socket's own family there, as RDS does not")
        return raw[2:]


def socat_command(family: Family, protocol: Protocol, endpoint: Endpoint, payload: bytes | None = None) -> str | None:
    """A line for a shell that opens the endpoint with socat, shows what it receives, and sends what is typed.

    ``payload`` is sent once: to the remote address, or to the first peer that a listening or bound socket meets.
    None where socat can't do it, or where this host does not know the address (an interface that is not there). ASCII
    without control characters, whatever the addresses are.
    """
    if payload == b"" and not protocol.messages:
        payload = None
    if payload is not None and protocol.messages and len(payload) > _LONGEST:
        return None
    try:
        plan = _planned(family, protocol, endpoint, payload)
        address = _named(plan) or _generic(plan)
        options = _options(plan, address) + _private(plan, address)
    except (ValueError, KeyError):
        return None
    if payload == b"":
        options.append(b"shut-null")  # at the end of its input socat sends nothing, then a message of no bytes
    if plan.how == "listen" and payload is None:
        options.append(b"fork")
    return _line(plan, b",".join([address, *options]), payload)


def _planned(family: Family, protocol: Protocol, endpoint: Endpoint, payload: bytes | None) -> _Plan:
    """Which of socat's ways it is. Raises ValueError where there is none."""
    local, remote = endpoint.local, endpoint.remote
    addresses = [each for each in (local, remote) if each is not None]
    if (
        family.foreign
        or family.constant in _NOT_WITH_SOCAT
        or not all(accepts(family, protocol, each) for each in addresses)
    ):
        raise ValueError(family.constant)
    how: How
    if endpoint.operation == "listen":
        how, remote = "listen", None
    elif endpoint.operation == "connect":
        how = "connect"
    elif endpoint.operation == "open":
        # Only a named destination makes socat open a socket that is neither bound nor connected.
        how, local = "sendto", None
    elif remote is not None:
        how = "datagram"
    elif payload is None:
        how = "recv"
    elif protocol.sends_bound:
        how, remote = "datagram", local
    elif family.constant == "AF_NETLINK":
        how, remote = "datagram", (0, 0)  # the kernel, which is who send() without an address reaches (netlink(7))
    else:
        how = "recvfrom"
    if (local if how in ("listen", "recv", "recvfrom") else remote) is None:
        raise ValueError("an address is missing")
    return _Plan(family, protocol, endpoint, how, local, remote)


def _line(plan: _Plan, address: bytes, payload: bytes | None) -> str:
    words = ["socat", "-u"] if plan.how == "recv" else ["socat"]
    if payload is not None:
        words.append(f"-t{_ANSWER_SECONDS}")
    if plan.protocol.messages:
        # socat reads 8192 bytes at once and cuts a message that is longer.
        words.append(f"-b{max(plan.endpoint.snaplen or plan.protocol.snaplen, len(payload or b''))}")
    words += [quoted(address), "-"] if plan.how == "recv" else ["-", quoted(address)]
    line = " ".join(words)
    if payload is None:
        return line
    # A pipe takes so much at once, and bash writes line by line: socat would make a message of each piece.
    if plan.protocol.messages and (len(payload) > _PIPE or b"\n" in payload[:-1]):
        return f"{printf(payload)} | dd bs={len(payload)} iflag=fullblock 2>/dev/null | {line}"
    return f"{printf(payload)} | {line}"


# --- addresses that socat has a name for ---------------------------------------------------------------------------


def _named(plan: _Plan) -> bytes | None:
    writers = {
        "AF_INET": _internet, "AF_INET6": _internet, "AF_UNIX": _unix, "AF_VSOCK": _vsock, "AF_PACKET": _packet,
    }  # fmt: skip
    writer = writers.get(plan.family.constant)
    return None if writer is None else writer(plan)


def _internet(plan: _Plan) -> bytes | None:
    version = "4" if plan.family.constant == "AF_INET" else "6"
    if plan.protocol.proto_choices:
        return _raw_ip(plan, version)
    keywords = {"IPPROTO_TCP": "TCP", "IPPROTO_MPTCP": "TCP", "IPPROTO_UDP": "UDP", "IPPROTO_UDPLITE": "UDP",
                "IPPROTO_SCTP": "SCTP"}  # fmt: skip
    keyword = keywords.get(plan.protocol.proto)
    ends = {each: _host_and_port(plan, each) for each in (plan.local, plan.remote) if each is not None}
    if keyword is None or None in ends.values():
        return None
    local, remote = (ends.get(each) for each in (plan.local, plan.remote))
    if plan.waits:
        assert local is not None
        parts = [f"{keyword}{version}-{plan.how.upper()}:{local[1]}"]
        parts += [] if local[0] in ("0.0.0.0", "[::]") else [f"bind={local[0]}"]
    else:
        assert remote is not None
        parts = [f"{keyword}{version}-{plan.how.upper()}:{remote[0]}:{remote[1]}"]
        parts += [] if local is None else [f"bind={local[0]}:{local[1]}"]
    if plan.protocol.proto in ("IPPROTO_MPTCP", "IPPROTO_UDPLITE"):
        parts.append(f"prototype={plan.proto}")
    return ",".join(parts).encode()


def _raw_ip(plan: _Plan, version: str) -> bytes | None:
    # IP4-RECV takes the IP header off, which a raw socket shows; connect has no name.
    if plan.how == "connect" or (version == "4" and plan.waits) or plan.proto > 0xFF:
        return None
    local, remote = (None if each is None else _host_and_port(plan, each) for each in (plan.local, plan.remote))
    if (plan.local is not None and local is None) or (plan.remote is not None and remote is None):
        return None
    if any(each is not None and each[1] for each in (local, remote)):
        return None  # a port, which means nothing to a raw socket of IPv4 and is a fault with IPv6
    target = "" if plan.waits or remote is None else f"{remote[0]}:"
    bind = "" if local is None or (plan.waits and local[0] == "[::]") else f",bind={local[0]}"
    return f"IP{version}-{plan.how.upper()}:{target}{plan.proto}{bind}".encode()


def _host_and_port(plan: _Plan, address: object) -> tuple[str, int] | None:
    """The host as socat writes it and the port; None for what only a sockaddr can say (flow label, scope)."""
    name = plan.family.host_name(address)
    if name is not None:
        if not name.replace("-", "").replace(".", "").replace("_", "").isalnum() or not name.isascii():
            raise ValueError(name)
        assert isinstance(address, tuple)
        return (name, int(address[1])) if not any(address[2:]) else None
    found = plan.canonical(address)
    assert isinstance(found, tuple)
    host, port, *rest = found
    # socat drops the scope of a bind address, and knows no flow label.
    return None if any(rest) else (f"[{host}]" if ":" in host else host, port)


def _unix(plan: _Plan) -> bytes | None:
    names = [plan.sockaddr(each) for each in (plan.local, plan.remote) if each is not None]
    abstract = names[0][:1] == b"\0"
    for name in names:
        # An empty name is the kernel's choice; a NUL can't stand in an argument.
        if not name or (name[:1] == b"\0") != abstract or (abstract and (len(name) == 1 or b"\0" in name[1:])):
            return None
    paths = [escaped(name[1:] if abstract else name.partition(b"\0")[0]) for name in names]
    stream = plan.how in ("listen", "connect")
    if plan.how == "datagram":
        return None
    keyword = f"{'ABSTRACT' if abstract else 'UNIX'}-{plan.how.upper()}:".encode()
    parts = [keyword + paths[-1]] + ([b"bind=" + paths[0]] if len(paths) == 2 else [])
    if plan.type != number("SOCK_STREAM" if stream else "SOCK_DGRAM"):
        parts.append(f"type={plan.type}".encode())
    return b",".join(parts)


def _vsock(plan: _Plan) -> bytes | None:
    # bind=CID does not work with socat 1.8.0.
    cid, port = struct.unpack_from("=II", plan.sockaddr(plan.local if plan.waits else plan.remote), 2)[::-1]
    kind = "" if plan.type == number("SOCK_STREAM") else f",type={plan.type}"
    if plan.how == "listen" and cid == 0xFFFFFFFF:
        return f"VSOCK-LISTEN:{port}{kind}".encode()
    if plan.how == "connect" and plan.local is None:
        return f"VSOCK-CONNECT:{cid}:{port}{kind}".encode()
    return None


def _packet(plan: _Plan) -> bytes | None:
    # INTERFACE is a raw socket that is bound for frames of any ethertype; it names what a sockaddr only numbers.
    address = None if plan.local is None else plan.canonical(plan.local)
    own = plan.how == "recv" or (plan.how == "datagram" and plan.remote == plan.local)
    if not own or not isinstance(address, tuple) or plan.type != number("SOCK_RAW") or address[1] != _ETH_P_ALL:
        return None
    return b"INTERFACE:" + escaped(address[0].encode("utf-8", "surrogateescape"))


# --- any other -----------------------------------------------------------------------------------------------------


def _generic(plan: _Plan) -> bytes:
    """``SOCKET-…`` with numbers. Raises ValueError for an address that would need a lookup."""
    for each in (plan.local, plan.remote):
        if each is not None and plan.family.host_name(each) is not None:
            raise ValueError("a host name has no sockaddr")
    target = f"x{plan.sockaddr(plan.local if plan.waits else plan.remote).hex()}"
    if len(target) > _ADDRESS_MAX:
        raise ValueError("the sockaddr is too long for socat")
    if plan.how in ("listen", "connect"):
        parts = [f"SOCKET-{plan.how.upper()}:{plan.family.number}:{plan.proto}:{target}"]
        parts += [] if plan.type == number("SOCK_STREAM") else [f"type={plan.type}"]
    else:
        parts = [f"SOCKET-{plan.how.upper()}:{plan.family.number}:{plan.type}:{plan.proto}:{target}"]
    if not plan.waits and plan.local is not None:
        parts.append(f"bind=x{plan.sockaddr(plan.local).hex()}")
    return ",".join(parts).encode()


def _private(plan: _Plan, address: bytes) -> list[bytes]:
    """What keeps a socket file for its owner alone; umask is not for every address, mode comes late for some."""
    if plan.family.constant != "AF_UNIX" or plan.local is None or plan.sockaddr(plan.local)[:1] in (b"", b"\0"):
        return []
    return [b"umask=177" if plan.waits and address.startswith(b"UNIX") else b"mode=600"]


def _options(plan: _Plan, address: bytes) -> list[bytes]:
    """The endpoint's socket options, under socat's names where the address takes them."""
    groups = {"ipv6only": (b"TCP6", b"UDP6", b"SCTP6", b"IP6"), "nodelay": (b"TCP",)}
    found = []
    for option in plan.endpoint.options:
        name = NAMED_OPTIONS.get((option.level, option.name), ("",))[0]
        if name and isinstance(option.value, int) and address.startswith(groups.get(name, (b"",))):
            found.append(name if option.value == 1 else f"{name}={option.value}")
            continue
        level, which = number(option.level), number(option.name)
        # setsockopt-int comes after bind and connect since socat 1.7.4; where there is neither, all versions do it.
        if isinstance(option.value, bytes):
            call = "setsockopt-bin" if plan.how == "sendto" else "setsockopt-listen"
            found.append(f"{call}={level}:{which}:x{option.value.hex()}")
        elif plan.how == "sendto":
            found.append(f"setsockopt-int={level}:{which}:{option.value}")
        else:
            found.append(f"setsockopt-listen={level}:{which}:i{option.value}")
    return [each.encode() for each in found]
