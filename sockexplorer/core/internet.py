"""What AF_INET and AF_INET6 share: hosts and ports, their plain form, and what people trip over."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import replace

from sockexplorer.core import cformats
from sockexplorer.core.family import Family
from sockexplorer.core.faults import CONVERT, RANGE, FieldError, Notice, Raises
from sockexplorer.core.fields import CInt
from sockexplorer.core.ip import EXAMPLE, as_text, classify, numeric
from sockexplorer.core.protocol import Option, Protocol, Role
from sockexplorer.core.sockaddr import Layout, Part, named

_PORT_RANGE = "{call}(): port must be 0-65535."
PORT = CInt(
    0, 65535, overflow=Raises("OverflowError", _PORT_RANGE, CONVERT), range_=Raises("OverflowError", _PORT_RANGE, RANGE)
)
HOST_PITFALL = "None is no host: '' is every address of this host when binding, and this host itself as a peer."
PORT_PITFALL = "A str is refused: 80, not '80'; and ports below 1024 need a right."
PLACEHOLDER = {4: "127.0.0.1", 6: "::1"}
SOCKADDR_IN = Layout(
    "sockaddr_in",
    Part("sin_family", "H", "address family", show=named({"AF_INET": 2})),
    Part("sin_port", "H", "port", "network"),
    Part("sin_addr", "4s", "IPv4 address, most significant byte first", "network", socket.inet_ntoa),
    Part("sin_zero", "8s", "unused"),
    least=8,
)
"""``<netinet/in.h>``, ip(7)."""

REUSEADDR = Option("SOL_SOCKET", "SO_REUSEADDR", "bind although old connections linger on the port")
LISTEN_AGAIN = replace(REUSEADDR, default=1)
"""For servers: without it a port is taken for a minute after the last connection (TIME_WAIT)."""
REUSEPORT = Option("SOL_SOCKET", "SO_REUSEPORT", "share the port with other sockets that set this too")
BROADCAST = Option("SOL_SOCKET", "SO_BROADCAST", "allow sending to broadcast addresses")
NODELAY = Option("IPPROTO_TCP", "TCP_NODELAY", "send small segments at once")
SEND_COVERAGE = Option(
    "SOL_UDPLITE",
    "UDPLITE_SEND_CSCOV",
    "bytes that the checksum covers when sending; 0 is all, 1 to 7 count as 8",
    flag=False,
)
RECV_COVERAGE = Option(
    "SOL_UDPLITE",
    "UDPLITE_RECV_CSCOV",
    "least coverage that is received; 0 is only full, 1 to 7 count as 8",
    flag=False,
)


def transports(version: int, *options: Option) -> tuple[Protocol, ...]:
    """The protocols over IP that both families have: udp, tcp, udplite, mptcp. ``options`` are the family's own."""
    local, remote = {"host": EXAMPLE[version], "port": "9999"}, {"host": EXAMPLE[version], "port": ""}
    bracketed = "[{host}]" if version == 6 else "{host}"
    both = tuple(option for option in options if option is not BROADCAST)
    return (
        Protocol(
            "udp", "SOCK_DGRAM", "IPPROTO_UDP", "datagrams",
            local=local, remote=remote, options=(REUSEADDR, REUSEPORT, *options),
            help="Each datagram arrives whole or not at all. Bind to receive; connect fixes one peer.",
            try_it="echo hello | nc -u -w1 {host} {port}",
        ),
        Protocol(
            "tcp", "SOCK_STREAM", "IPPROTO_TCP", "byte streams", ("listen", "connect"),
            messages=False, connections=True, local=local, remote=remote,
            options=(LISTEN_AGAIN, REUSEPORT, *both, NODELAY),
            help="Listen accepts any number of peers; connect opens one stream. A read is whatever has arrived.",
            try_it="nc {host} {port}",
        ),
        Protocol(
            "udplite", "SOCK_DGRAM", "IPPROTO_UDPLITE", "part checksum",
            local=local, remote=remote, options=(REUSEADDR, SEND_COVERAGE, RECV_COVERAGE), modules=("udplite",),
            help="UDP whose checksum covers only the first bytes (RFC 3828). Removed from Linux 7.1 and later.",
            availability="Linux 2.6.20 to 7.0; Python 3.9",
            try_it=f"echo hello | socat - UDP{version}-SENDTO:{bracketed}:{{port}},protocol=136",
        ),
        Protocol(
            "mptcp", "SOCK_STREAM", "IPPROTO_MPTCP", "multipath TCP", ("listen", "connect"),
            messages=False, connections=True, local=local, remote=remote, options=(LISTEN_AGAIN, *both),
            help="TCP that may use several paths (RFC 8684); falls back to TCP. Switched by net.mptcp.enabled.",
            try_it="nc {host} {port}", availability="Linux 5.6; Python 3.10",
        ),
        Protocol(
            "sctp", "SOCK_STREAM", "IPPROTO_SCTP", "messages in streams", ("listen", "connect"), modules=("sctp",),
            connections=True, local=local, remote=remote, options=(LISTEN_AGAIN, *both),
            help="Connected, with message boundaries, over several streams and paths (RFC 9260).",
            try_it=f"socat - SCTP{version}-CONNECT:{bracketed}:{{port}}",
        ),
        Protocol(
            "dccp", "SOCK_DCCP", "IPPROTO_DCCP", "unreliable, paced", ("listen", "connect"), modules=("dccp",),
            connections=True, local=local, remote=remote, options=(LISTEN_AGAIN, *both),
            help="Datagrams over a connection with congestion control (RFC 4340). Removed from Linux 6.16 and later.",
            availability="Linux 2.6.14 to 6.15; Python names IPPROTO_DCCP, not SOCK_DCCP",
        ),
    )  # fmt: skip


def in_addr(host: object) -> bytes:
    """The four bytes of a host that needs no lookup. Raises OSError for a name."""
    text = as_text(host)
    return socket.inet_aton({"": "0.0.0.0", "<broadcast>": "255.255.255.255"}.get(text) or numeric(text, 4) or text)


def pack_in(address: object) -> bytes:
    """``(host, port)`` as the ``sockaddr_in`` that CPython hands over. Raises OSError for a name."""
    assert isinstance(address, tuple)
    host, port = address
    return SOCKADDR_IN.pack(sin_family=int(socket.AF_INET), sin_port=cformats.index(port), sin_addr=in_addr(host))


def unpack_in(sockaddr: bytes) -> object:
    """``(host, port)`` of a ``sockaddr_in``; None where it is too short."""
    found = SOCKADDR_IN.unpack(sockaddr)
    return None if found is None else (socket.inet_ntoa(found["sin_addr"]), found["sin_port"])


class InternetFamily(Family):
    """AF_INET or AF_INET6; ``version`` is 4 or 6."""

    version: int
    privileged_ports = True
    """Whether ports below 1024 need a right."""
    systems: tuple[str, ...] = ()

    def without_lookup(self, address: object) -> object:
        if self.host_name(address) is not None:
            return self.with_host(address, PLACEHOLDER[self.version])
        return address

    def host_name(self, address: object) -> str | None:
        if isinstance(address, tuple) and address and classify(address[0], self.version) == "name":
            host = address[0]
            return host if isinstance(host, str) else bytes(host).decode("latin-1")
        return None

    def with_host(self, address: object, host: str) -> object:
        assert isinstance(address, tuple)
        return (host, *address[1:])

    def notices(self, protocol: Protocol, address: object, role: Role) -> Iterator[Notice]:
        yield from super().notices(protocol, address, role)
        if not isinstance(address, tuple) or len(address) < 2 or not isinstance(address[1], int):
            return
        port = int(address[1])
        has_ports = protocol.type != "SOCK_RAW" and protocol.name != "icmp"
        if role == "local" and has_ports and self.privileged_ports and 0 < port < 1024:
            yield Notice("port", "ports below 1024 usually need CAP_NET_BIND_SERVICE or root")
        if role == "remote" and has_ports and port == 0:
            yield Notice("port", "nobody can be reached on port 0")

    def try_it(self, protocol: Protocol, local: object) -> str:
        if isinstance(local, tuple) and local[0] in ("", "0.0.0.0", "::"):
            local = (EXAMPLE[self.version], *local[1:])
        return super().try_it(protocol, local)

    def text(self, address: object) -> str:
        if not isinstance(address, tuple) or len(address) < 2:
            return repr(address)
        host, port = address[0], address[1]
        if isinstance(host, bytes | bytearray):
            host = bytes(host).decode("latin-1")
        if self.version == 6:
            zone = f"%{address[3]}" if len(address) > 3 and address[3] else ""
            return f"[{host}{zone}]:{port}"
        return f"{host}:{port}"

    def plain(self, protocol: Protocol, text: str) -> object:
        text = text.strip()
        if not text:
            raise FieldError("", text, "the address is empty", f"write {self.example(protocol)}")
        pattern = r"\[(?P<host>[^\]]*)\]:(?P<port>.*)" if self.version == 6 else r"(?P<host>[^:]*):(?P<port>.*)"
        example = "[::1]:9999" if self.version == 6 else "127.0.0.1:9999"
        if protocol.type == "SOCK_RAW" or protocol.name == "icmp":
            pattern, example = pattern + r"|(?P<bare>[^:]*|[0-9a-fA-F:.%\w]*)", EXAMPLE[self.version]
        found = re.fullmatch(pattern, text)
        if not found:
            raise FieldError("", text, "has no host and port", f"write {example} or {self.example(protocol)}")
        if "bare" in found.groupdict() and found["bare"] is not None:
            return self.with_zone(found["bare"], 0)
        try:
            port = int(found["port"])
        except ValueError:
            raise FieldError("port", found["port"], "is not a number", PORT.remedy()) from None
        return self.with_zone("" if found["host"] == "*" else found["host"], port)

    def with_zone(self, host: str, port: int) -> object:
        """The shortest tuple for a host and a port, as typed in the plain form."""
        return (host, port)
