"""Errnos that this host's kernel gives, with the explanation that comes: of the family, the protocol and the call."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from errnos import Case, check, explained, failures, without_rights
from support import Desk, inside, namespace_python, needs

from sockexplorer.client.hub import Hub
from sockexplorer.client.link import start_process
from sockexplorer.core.endpoint import SetOption

LO, LO6 = "127.0.0.1", "::1"
NET = "192.0.2"
"""A network of the test's own, on one end of a pair of interfaces (RFC 5737)."""
V6ONLY = SetOption("SOL_IPV6", "IPV6_V6ONLY", 1)
ECHO, ECHO6 = b"\x08" + bytes(9), b"\x80" + bytes(9)
SETUP = (
    "ip link add sx0 type veth peer name sx1",
    "ip link add sx2 type veth peer name sx3",
    f"ip address add {NET}.1/24 broadcast + dev sx0",
    "ip -6 address add 2001:db8:7::1/64 dev sx0 nodad",
    "ip link set sx0 up",
    "ip link set sx1 up",
    "ip route add prohibit 198.51.100.0/25",
    "ip route add unreachable 198.51.100.128/26",
    "ip route add blackhole 198.51.100.192/26",
    "ip -6 route add prohibit 2001:db8:1::/48",
    "ip -6 route add unreachable 2001:db8:2::/48",
    "ip -6 route add blackhole 2001:db8:3::/48",
)

DATAGRAMS = [
    case
    for path in ("inet/udp", "inet/udplite")
    for case in (
        Case(path, "bind", "EADDRNOTAVAIL", "No interface of this host has that IPv4", ("203.0.113.9", 0)),
        Case(path, "bind", "EADDRINUSE", "SO_REUSEADDR or SO_REUSEPORT", (LO, 7001), twice=True),
        Case(path, "connect", "ENETUNREACH", "no route", remote=("203.0.113.9", 9), operation="connect"),
        Case(path, "connect", "EACCES", "SO_BROADCAST", remote=(f"{NET}.255", 9), operation="connect"),
        Case(path, "connect", "EACCES", "prohibit", remote=("198.51.100.1", 9), operation="connect"),
        Case(path, "connect", "EINVAL", "127.0.0.1", (LO, 0), (f"{NET}.9", 9), operation="connect"),
        Case(path, "connect", "EINVAL", "blackhole", remote=("198.51.100.193", 9), operation="connect"),
        Case(path, "send", "EACCES", "SO_BROADCAST", ("0.0.0.0", 0), send=(b"x",), to=(f"{NET}.255", 9)),
        Case(path, "send", "EINVAL", "port 0", (LO, 0), send=(b"x",), to=(LO, 0)),
        Case(path, "send", "EINVAL", "bound to 127.0.0.1", (LO, 0), send=(b"x",), to=(f"{NET}.9", 9)),
        Case(path, "send", "ENETUNREACH", "no route", ("0.0.0.0", 0), send=(b"x",), to=("203.0.113.9", 9)),
        Case(path, "send", "EHOSTUNREACH", "last link", ("0.0.0.0", 0), send=(b"x",), to=("198.51.100.129", 9)),
        Case(path, "send", "EDESTADDRREQ", "needs a destination", (LO, 0), send=(b"x",)),
        Case(path, "send", "EMSGSIZE", "65507", (LO, 0), send=(bytes(65508),), to=(LO, 9)),
        Case(path, "read", "ECONNREFUSED", "nobody has bound that port", remote=(LO, 9), operation="connect",
             send=(b"x",)),
    )
]  # fmt: skip
STREAMS = [
    case
    for path in ("inet/tcp", "inet/mptcp")
    for case in (
        Case(path, "bind", "EADDRNOTAVAIL", "No interface of this host", ("203.0.113.9", 0), operation="listen"),
        Case(path, "bind", "EADDRINUSE", "TIME_WAIT", (LO, 7002), operation="listen", twice=True),
        Case(path, "connect", "ECONNREFUSED", "Nobody listens there", remote=(LO, 9), operation="connect"),
        Case(path, "connect", "ECONNREFUSED", "Port 0", remote=(LO, 0), operation="connect"),
        Case(path, "connect", "ENETUNREACH", "no route", remote=("203.0.113.9", 9), operation="connect"),
        Case(path, "connect", "ENETUNREACH", "broadcast", remote=(f"{NET}.255", 9), operation="connect"),
        Case(path, "connect", "EHOSTUNREACH", "last link", remote=("198.51.100.129", 9), operation="connect"),
        Case(path, "connect", "EACCES", "prohibit", remote=("198.51.100.1", 9), operation="connect"),
        Case(path, "connect", "EINVAL", "127.0.0.1", (LO, 0), (f"{NET}.9", 9), operation="connect"),
    )
]
SIX = [
    Case("inet6/udp", "bind", "EINVAL", "the interface it is on", ("fe80::1", 0)),
    Case("inet6/udp", "bind", "EINVAL", "IPV6_V6ONLY", ("::ffff:127.0.0.1", 0), options=(V6ONLY,)),
    Case("inet6/udp", "bind", "ENODEV", "scope_id", ("fe80::1", 0, 0, 7777)),
    Case("inet6/udp", "bind", "EADDRNOTAVAIL", "not the one of scope_id", ("fe80::1", 0, 0, 1)),
    Case("inet6/udp", "bind", "EADDRNOTAVAIL", "No interface of this host has that IPv6", ("2001:db8::9", 0)),
    Case("inet6/udp", "bind", "EADDRINUSE", "Another socket", (LO6, 7003), twice=True),
    Case("inet6/tcp", "bind", "EINVAL", "multicast", ("ff02::1", 0, 0, 1), operation="listen"),
    Case("inet6/udp", "connect", "EINVAL", "without the interface", remote=("fe80::1", 9), operation="connect"),
    Case("inet6/tcp", "connect", "EINVAL", "without the interface", remote=("fe80::1", 9), operation="connect"),
    Case("inet6/tcp", "connect", "EINVAL", "blackhole", remote=("2001:db8:3::1", 9), operation="connect"),
    Case("inet6/tcp", "connect", "ENETUNREACH", "scope_id", remote=("fe80::1", 9, 0, 7777), operation="connect"),
    Case("inet6/tcp", "connect", "ENETUNREACH", "IPV6_V6ONLY", remote=("::ffff:127.0.0.1", 9), operation="connect",
         options=(V6ONLY,)),
    Case("inet6/tcp", "connect", "ENETUNREACH", "multicast", remote=("ff02::1", 9, 0, 1), operation="connect"),
    Case("inet6/tcp", "connect", "EACCES", "prohibits", remote=("2001:db8:1::1", 9), operation="connect"),
    Case("inet6/tcp", "connect", "EHOSTUNREACH", "last link", remote=("2001:db8:2::1", 9), operation="connect"),
    Case("inet6/tcp", "connect", "ECONNREFUSED", "Nobody listens there", remote=(LO6, 9), operation="connect"),
    Case("inet6/udp", "send", "EINVAL", "port 0", (LO6, 0), send=(b"x",), to=(LO6, 0)),
    Case("inet6/udp", "send", "EACCES", "prohibits", ("::", 0), send=(b"x",), to=("2001:db8:1::1", 9)),
    Case("inet6/udp", "send", "ENETUNREACH", "IPV6_V6ONLY", ("::", 0), send=(b"x",), to=("::ffff:127.0.0.1", 9),
         options=(V6ONLY,)),
    Case("inet6/udp", "send", "EMSGSIZE", "65527", (LO6, 0), send=(bytes(65528),), to=(LO6, 9)),
    Case("inet6/udp", "read", "ECONNREFUSED", "nobody has bound", remote=(LO6, 9), operation="connect", send=(b"x",)),
    Case("inet6/raw", "send", "EINVAL", "the port is the protocol's number", (LO6, 0), send=(bytes(8),), to=(LO6, 9)),
    Case("inet6/raw", "bind", "EADDRNOTAVAIL", "no IPv4 address", ("::ffff:127.0.0.1", 0)),
    Case("inet6/raw", "bind", "EINVAL", "the interface it is on", ("fe80::1", 0)),
]  # fmt: skip
RAW_AND_PING = [
    Case("inet/icmp", "send", "EINVAL", "echo requests only", (LO, 0), send=(bytes(10),), to=(LO, 0)),
    Case("inet/icmp", "send", "EINVAL", "8 bytes or more", (LO, 0), send=(b"\x08",), to=(LO, 0)),
    Case("inet/icmp", "send", "EACCES", "SO_BROADCAST", ("0.0.0.0", 0), send=(ECHO,), to=(f"{NET}.255", 0)),
    Case("inet/icmp", "send", "EDESTADDRREQ", "each echo request", (LO, 0), send=(ECHO,)),
    Case("inet/icmp", "send", "EMSGSIZE", "65507", (LO, 0), send=(ECHO + bytes(65600),), to=(LO, 0)),
    Case("inet/icmp", "bind", "EADDRNOTAVAIL", "No interface of this host", ("203.0.113.9", 0)),
    Case("inet6/icmp", "send", "EINVAL", "type 128", (LO6, 0), send=(ECHO,), to=(LO6, 0)),
    Case("inet6/icmp", "send", "EMSGSIZE", "65507", (LO6, 0), send=(ECHO6 + bytes(65600),), to=(LO6, 0)),
    Case("inet6/icmp", "bind", "EINVAL", "the interface it is on", ("fe80::1", 0)),
    Case("inet/raw", "socket", "EPROTONOSUPPORT", "0 is none", (LO, 0), proto=0),
    Case("inet/raw", "socket", "EINVAL", "262", (LO, 0), proto=300),
    Case("inet/raw", "bind", "EADDRNOTAVAIL", "No interface of this host", ("203.0.113.9", 0)),
    Case("inet/raw", "send", "EACCES", "SO_BROADCAST", ("0.0.0.0", 0), send=(ECHO,), to=(f"{NET}.255", 0)),
    Case("inet/raw", "send", "EDESTADDRREQ", "each packet", (LO, 0), send=(ECHO,)),
    Case("inet/raw", "send", "EMSGSIZE", "65535", (LO, 0), send=(bytes(65536),), to=(LO, 0)),
    Case("inet/raw", "send", "EINVAL", "IPPROTO_RAW", ("0.0.0.0", 0), send=(b"E",), to=(LO, 0), proto=255),
    Case("inet/raw", "setsockopt", "EOPNOTSUPP", "filter of ICMP", (LO, 0), proto=17,
         options=(SetOption("255", "1", 1),)),
]  # fmt: skip
OPTIONS = [
    Case("inet/udp", "setsockopt", "ENOPROTOOPT", "IPPROTO_UDPLITE", (LO, 0),
         options=(SetOption("SOL_UDPLITE", "UDPLITE_SEND_CSCOV", 8),)),
    Case("inet/udp", "setsockopt", "ENODEV", "SO_BINDTODEVICE", (LO, 0),
         options=(SetOption("SOL_SOCKET", "SO_BINDTODEVICE", b"nonesuch"),)),
    Case("packet/raw", "setsockopt", "ENOPROTOOPT", "level", ("lo", 3), general=True,
         options=(SetOption("SOL_PACKET", "999", 1),)),
]  # fmt: skip
OTHERS = [
    Case("netlink/route", "bind", "EADDRINUSE", "port id", (12345, 0), twice=True),
    Case("netlink/route", "send", "ECONNREFUSED", "that pid", (0, 0), send=(bytes(20),), to=(4242, 0)),
    Case("netlink/usersock", "send", "ECONNREFUSED", "no kernel behind", (0, 0), send=(bytes(20),), to=(0, 0)),
    Case("netlink/route", "send", "EMSGSIZE", "send buffer", (0, 0), send=(bytes(2**24),), to=(0, 0)),
    Case("netlink/iscsi", "socket", "EPROTONOSUPPORT", "nobody behind", (0, 0)),
    Case("netlink/route", "setsockopt", "EINVAL", "multicast group", (0, 0),
         options=(SetOption("SOL_NETLINK", "NETLINK_ADD_MEMBERSHIP", 999),)),
    Case("packet/raw", "send", "EINVAL", "too short", ("sx0", 3), send=(b"short",)),
    Case("packet/raw", "send", "EMSGSIZE", "1514", ("sx0", 3), send=(bytes(2000),)),
    Case("packet/raw", "send", "ENETDOWN", "interface is down", ("sx2", 3), send=(bytes(60),)),
    Case("packet/raw", "read", "ENETDOWN", "interface is down", ("sx2", 3)),
    Case("vsock/stream", "bind", "EADDRNOTAVAIL", "not this machine's", (77, 5000), operation="listen"),
]  # fmt: skip


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A hub whose engine is in a namespace with a network of its own: one for all cases, which close their sockets."""
    python = namespace_python(tmp_path_factory.mktemp("namespace"))
    desk = Desk(Hub(lambda: start_process(python)))
    for line in SETUP:
        inside(desk.pid, "sh", "-c", line)
    yield desk
    desk.hub.shut_down()


@pytest.mark.parametrize(
    "case", [*DATAGRAMS, *STREAMS, *SIX, *RAW_AND_PING, *OPTIONS, *OTHERS], ids=lambda case: case.id
)
@pytest.mark.optional_on_this_host("UDP-Lite, MPTCP and vsock are not in every kernel")
def test_an_errno_is_explained_for_its_call(network: Desk, case: Case) -> None:
    if case.stage != "socket":
        needs_in_a_namespace(case.path)
    check(network, case)


def needs_in_a_namespace(path: str) -> None:
    """Skip where the host has no such socket; those of ICMP are allowed in the namespace."""
    if not path.endswith("/icmp"):
        needs(path)


UNIX = [
    Case("unix/stream", "bind", "ENOENT", "directory of the path", "{tmp}/none/x", operation="listen"),
    Case("unix/stream", "bind", "EADDRINUSE", "makes a new file", "{tmp}/file", operation="listen"),
    Case("unix/dgram", "bind", "EADDRINUSE", "abstract name", b"\0sockexplorer-errnos", twice=True),
    Case("unix/stream", "bind", "ENOTDIR", "a file, not a directory", "{tmp}/file/x", operation="listen"),
    Case("unix/stream", "bind", "ELOOP", "in a circle", "{tmp}/loop/x", operation="listen", general=True),
    Case("unix/stream", "connect", "ENOENT", "server is not running", remote="{tmp}/none", operation="connect"),
    Case("unix/stream", "connect", "ENOTDIR", "a file, not a directory", remote="{tmp}/file/x", operation="connect"),
    Case("unix/stream", "connect", "ELOOP", "in a circle", remote="{tmp}/loop", operation="connect", general=True),
    Case("unix/stream", "connect", "ECONNREFUSED", "leftover", remote="{tmp}/file", operation="connect"),
    Case("unix/stream", "connect", "ECONNREFUSED", "abstract name", remote=b"\0none", operation="connect"),
    Case("unix/stream", "connect", "ECONNREFUSED", "does not listen", remote="{tmp}/silent", operation="connect"),
    Case("unix/stream", "connect", "EINVAL", "for bind only", remote="", operation="connect"),
    Case("unix/seqpacket", "connect", "EPROTOTYPE", "do not mix", remote="{tmp}/silent", operation="connect"),
    Case(
        "unix/stream", "connect", "EAGAIN", "queue of connections", remote="{tmp}/busy", operation="connect", timeout=0
    ),
    Case("unix/dgram", "connect", "EPERM", "somebody else", remote="{tmp}/engaged", operation="connect"),
    Case("unix/dgram", "send", "EPERM", "somebody else", "", send=(b"x",), to="{tmp}/engaged"),
    Case("unix/dgram", "send", "ENOTCONN", "needs a destination", "", send=(b"x",)),
    Case("unix/dgram", "send", "EMSGSIZE", "send buffer", "", send=(bytes(2**24),), to="{tmp}/full"),
    Case("unix/dgram", "send", "EPROTOTYPE", "do not mix", "", send=(b"x",), to="{tmp}/silent"),
    Case("unix/dgram", "send", "ENOENT", "server is not running", "", send=(b"x",), to="{tmp}/none"),
    Case("unix/dgram", "send", "ECONNREFUSED", "receiver closed", "", send=(b"x",), to="{tmp}/gone"),
    Case("unix/dgram", "send", "EINVAL", "no address to answer to", "", send=(b"x",), to=""),
    Case("unix/dgram", "send", "EAGAIN", "max_dgram_qlen", "", send=(b"x",) * 4000, to="{tmp}/full", timeout=0),
]


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Path]:
    """A directory with a file, a circle of links, and sockets: silent, busy, engaged, full and one that is gone."""
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    stream, dgram = socket.SOCK_STREAM, socket.SOCK_DGRAM
    named = {name: socket.socket(socket.AF_UNIX, kind) for name, kind in (
        ("silent", stream), ("busy", stream), ("engaged", dgram), ("full", dgram), ("gone", dgram),
    )}  # fmt: skip
    for name, each in named.items():
        each.bind(str(tmp_path / name))
    named["busy"].listen(0)
    named["engaged"].connect(str(tmp_path / "full"))
    named.pop("gone").close()
    waiting = socket.socket(socket.AF_UNIX, stream)
    waiting.connect(str(tmp_path / "busy"))
    yield tmp_path
    for each in (*named.values(), waiting):
        each.close()


@pytest.mark.parametrize("case", UNIX, ids=lambda case: case.id)
def test_an_errno_of_a_unix_socket_is_explained(desks: Callable[[], Desk], there: Path, case: Case) -> None:
    def placed(address: object) -> object:
        return address.format(tmp=there) if isinstance(address, str) else address

    case = replace(case, local=placed(case.local), remote=placed(case.remote), to=placed(case.to))
    check(desks(), case)


def test_a_reset_is_explained(desks: Callable[[], Desk], tmp_path: Path) -> None:
    """A peer that closes with data unread: the kernel tells the other end so."""
    desk = desks()
    for path, address, says in (
        ("inet/tcp", (LO, 0), "closed with data unread"),
        ("unix/stream", str(tmp_path / "x"), "data unread"),
    ):
        family = socket.AF_INET if path == "inet/tcp" else socket.AF_UNIX
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.bind(address)
            listener.listen()
            session = desk.open(path, "connect", remote=listener.getsockname())
            peer, _ = listener.accept()
            desk.until(lambda: session.state == "connected", "a connection")  # noqa: B023 - called at once
            desk.send(session, b"never read")
            peer.recv(1)
            peer.close()
            problem = desk.until(lambda: failures(session), "a reset")[0]  # noqa: B023 - called at once
        assert (problem.stage, problem.name) == ("read", "ECONNRESET")
        explained(path, problem, says)


@pytest.mark.optional_on_this_host("MPTCP is not in every kernel")
def test_what_is_switched_off_is_explained(lab: Desk) -> None:
    needs("inet/mptcp")
    inside(lab.pid, "sysctl", "-qw", "net.mptcp.enabled=0", "net.ipv6.conf.all.disable_ipv6=1")
    for case in (
        Case("inet/mptcp", "socket", "ENOPROTOOPT", "net.mptcp.enabled", (LO, 0), operation="listen"),
        Case("inet6/udp", "bind", "EADDRNOTAVAIL", "IPv6 is switched off", (LO6, 0)),
        Case("inet6/tcp", "connect", "EADDRNOTAVAIL", "IPv6 is switched off", remote=(LO6, 9), operation="connect"),
        Case("inet6/udp", "send", "EADDRNOTAVAIL", "IPv6 is switched off", ("::", 0), send=(b"x",), to=(LO6, 9)),
    ):
        check(lab, case)


RIGHTS = [
    Case("inet/tcp", "bind", "EACCES", "ip_unprivileged_port_start", (LO, 80), operation="listen"),
    Case("inet6/udp", "bind", "EACCES", "ip_unprivileged_port_start", (LO6, 53)),
    Case("inet/raw", "socket", "EPERM", "CAP_NET_RAW", (LO, 0)),
    Case("packet/raw", "socket", "EPERM", "CAP_NET_RAW", ("lo", 3), general=True),
    Case("netlink/xfrm", "bind", "EPERM", "CAP_NET_ADMIN", (0, 1)),
    Case("netlink/audit", "bind", "EPERM", "CAP_AUDIT_READ", (0, 1)),
    Case("netlink/route", "connect", "EPERM", "only the kernel", remote=(77, 0), operation="connect"),
    Case("netlink/route", "send", "EPERM", "only the kernel", (0, 0), send=(bytes(20),), to=(77, 0)),
    Case("netlink/xfrm", "setsockopt", "EPERM", "CAP_NET_ADMIN", (0, 0),
         options=(SetOption("SOL_NETLINK", "NETLINK_ADD_MEMBERSHIP", 1),)),
    Case("inet/udp", "setsockopt", "EPERM", "CAP_NET_ADMIN", (LO, 0), general=True,
         options=(SetOption("SOL_SOCKET", "SO_RCVBUFFORCE", 4096),)),
    Case("inet/udp", "setsockopt", "EACCES", "CAP_NET_ADMIN", (LO, 0), general=True,
         options=(SetOption("SOL_SOCKET", "SO_DEBUG", 1),)),
    Case("vsock/stream", "bind", "EACCES", "below 1024", (0xFFFFFFFF, 80), operation="listen"),
]  # fmt: skip


@pytest.mark.parametrize("case", RIGHTS, ids=lambda case: case.id)
@pytest.mark.optional_on_this_host(
    "a container may let nobody give up capabilities; XFRM, audit and vsock may be absent"
)
def test_a_missing_right_is_explained(desks: Callable[..., Desk], tmp_path: Path, case: Case) -> None:
    python = without_rights(tmp_path)
    if case.stage != "socket":
        needs(case.path)
    check(desks(lambda: start_process(python)), case)


def test_a_ping_socket_for_nobody_is_explained(lab: Desk) -> None:
    inside(lab.pid, "sysctl", "-qw", "net.ipv4.ping_group_range=1 0")
    check(lab, Case("inet/icmp", "socket", "EACCES", "ping_group_range", (LO, 0)))
    check(lab, Case("inet6/icmp", "socket", "EACCES", "ping_group_range", (LO6, 0)))


def test_an_interface_that_goes_down_is_explained(lab: Desk) -> None:
    inside(lab.pid, "ip", "link", "add", "sx0", "type", "veth", "peer", "name", "sx1")
    inside(lab.pid, "ip", "link", "set", "sx0", "up")
    session = lab.open("packet/raw", local=("sx0", 3))
    inside(lab.pid, "ip", "link", "set", "sx0", "down")
    problem = lab.until(lambda: failures(session), "the interface's end")[0]
    assert (problem.stage, problem.name) == ("read", "ENETDOWN")
    explained("packet/raw", problem, "went down")
