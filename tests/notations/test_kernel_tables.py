"""Lines of /proc/net and of ss about sockets that the test holds are read as what getsockname() says."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from rare import cases
from support import PATIENCE, needs, wait

from sockexplorer.families import find
from sockexplorer.notations import Reading, read

BOUND = [
    ("inet/udp", ("127.0.0.1", 0)), ("inet/udp", ("", 0)), ("inet6/udp", ("::1", 0)), ("inet6/udp", ("::", 0)),
    ("inet/udplite", ("127.0.0.1", 0)), ("inet6/udplite", ("::1", 0)),
    ("inet/raw", ("127.0.0.1", 0)), ("inet6/raw", ("::1", 0)),
    ("unix/dgram", "file"), ("unix/dgram", b"\0sockexplorer tables %d" % os.getpid()), ("unix/dgram", ""),
    ("netlink/route", (0, 0x11)), ("netlink/kobject-uevent", (0, 1)), ("netlink/generic", (0, 0)),
    ("packet/raw", ("lo", 3)), ("packet/raw", ("lo", 0x88CC)), ("packet/dgram", ("lo", 0x0800)),
    ("packet/dgram", ("lo", 0x88B5)),
]  # fmt: skip
LISTENING = [
    ("inet/tcp", ("127.0.0.1", 0)), ("inet/tcp", ("", 0)), ("inet6/tcp", ("::1", 0)), ("inet6/tcp", ("::", 0)),
    ("inet/mptcp", ("127.0.0.1", 0)), ("unix/stream", "a file: with, odd (characters)"), ("unix/stream", "s\u00f6ck"),
    ("unix/stream", b"\0sockexplorer %d\0in\0zeros\0" % os.getpid()),
    ("unix/seqpacket", b"\0sockexplorer seqpacket %d\0\0\0" % os.getpid()),
]  # fmt: skip


Hold = Callable[..., socket.socket]


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Hold]:
    """Opens sockets that are closed at the end."""
    with ExitStack() as stack:

        def opened(path: str, local: object, remote: object = None) -> socket.socket:
            needs(path)
            family, protocol = find(path)
            sock = stack.enter_context(socket.socket(family.number, protocol.type_number, protocol.proto_number))
            if isinstance(local, str) and local:
                local = str(tmp_path / local)
            if local is not None:
                sock.bind(local)  # type: ignore[arg-type]
            if protocol.connections and remote is None:
                sock.listen()
            if remote is not None:
                sock.connect(remote)  # type: ignore[arg-type]
            return sock

        yield opened


def table(path: str) -> str:
    """The file of /proc/net for ``inet6/udp`` or the like."""
    family, protocol = path.split("/")
    if family in ("unix", "netlink", "packet"):
        return family
    return {"mptcp": "tcp"}.get(protocol, protocol) + ("6" if family == "inet6" else "")


def line_of(path: str, sock: socket.socket) -> str:
    """The socket's line in its file, found by the inode."""
    inode = str(os.fstat(sock.fileno()).st_ino)
    # The kernel goes through its sockets page by page: where others come and go meanwhile, one may be left out.
    return str(wait(lambda: next((line for line in lines_of(table(path)) if inode in line.split()), ""), "its line"))


def lines_of(name: str) -> list[str]:
    """The lines of a file in /proc/net. A name may hold any bytes, so that only the line feed ends a line."""
    return Path(f"/proc/net/{name}").read_bytes().decode("utf-8", "surrogateescape").split("\n")


def is_the_socket(found: Reading, path: str, sock: socket.socket) -> bool:
    family, protocol = find(path)
    address = sock.getsockname()
    if protocol.proto_choices:
        address = (address[0], 0, *address[2:])
        if found.proto != sock.proto:
            return False
    if family.constant == "AF_PACKET":
        address = address[:2]
    return (found.family, found.protocol, found.local) == (family, protocol, address)


@pytest.mark.parametrize(("path", "local"), cases(BOUND))
def test_a_bound_socket_in_proc(hold: Hold, path: str, local: object) -> None:
    sock = hold(path, local)
    line = line_of(path, sock)
    found = read(line)
    assert any(is_the_socket(each, path, sock) and each.operation == "bind" for each in found)
    if path.endswith(("udp", "raw")) or "/proc" not in found[0].notation or len(found) == 1:
        assert is_the_socket(found[0], path, sock)
    # With the file's name before it, as grep writes it, nothing is ambiguous but what a name leaves open.
    named = read(f"/proc/net/{table(path)}:{line}")
    assert is_the_socket(named[0], path, sock)
    assert all((each.family, each.protocol) == find(path) for each in named)
    assert named[0].notation == f"line of /proc/net/{table(path)}"


@pytest.mark.parametrize(("path", "local"), cases(LISTENING))
def test_a_listening_socket_in_proc(hold: Hold, path: str, local: object) -> None:
    sock = hold(path, local)
    found = read(line_of(path, sock))
    assert all(each.operation == "listen" for each in found)
    matching = [each for each in found if is_the_socket(each, path, sock)]
    assert matching
    if path != "inet/mptcp":
        assert found[0] is matching[0]


@pytest.mark.parametrize("path", ["inet/tcp", "inet6/tcp", "inet/udp", "inet6/udp"])
def test_a_connected_socket_in_proc(hold: Hold, path: str) -> None:
    server = hold(path, ("::1" if "6" in path else "127.0.0.1", 0))
    client = hold(path, None, server.getsockname())
    first = read(line_of(path, client))[0]
    assert is_the_socket(first, path, client)
    assert (first.operation, first.remote) == ("connect", client.getpeername())


def test_an_unnamed_unix_socket_tells_its_kind() -> None:
    one, two = socket.socketpair()
    with one, two:
        found = read(line_of("unix/stream", one))
    assert [(each.family.name, each.protocol.name, each.operation, each.local) for each in found] == [
        ("unix", "stream", None, None)
    ]


def test_headers_and_whole_files_are_passed_over(hold: Hold) -> None:
    sock = hold("inet/tcp", ("127.0.0.1", 0))
    for name in ("tcp", "udp", "unix", "netlink", "packet"):
        header = lines_of(name)[0]
        assert read(header) == []
    text = f"{header}\n{line_of('inet/tcp', sock)}\n"
    assert read(text)[0].local == sock.getsockname()


def test_frozen_lines() -> None:
    """What other kernels print: an older one without the trailing columns, a longer pointer, TIME_WAIT."""
    waiting = "  7: 0100007F:1F90 0200007F:0050 06 00000000:00000000 03:00000D05 00000000  0  0 0 3 0000000000000000"
    assert read(waiting)[0].remote == ("127.0.0.2", 80)
    domain = "  1: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 5 2 ffff 0"
    assert read(domain)[0].local == ("0.0.0.0", 53)
    assert read("0: B80D01200000000067452301EFCDAB89:0016 " + "0" * 32 + ":0000 0A")[0].local == (
        "2001:db8::123:4567:89ab:cdef", 22, 0, 0,
    )  # fmt: skip
    assert (
        read("ffff8800: 00000002 00000000 00010000 0001 01 123 @/tmp/.X11-unix/X0")[0].local == b"\0/tmp/.X11-unix/X0"
    )
    assert read("ffff8800: 00000002 00000000 00010000 0001 01 123 @x@@@")[0].local == b"\0x\0\0\0"
    assert read("ffff880035d1b800 15  -4143  00000001 0 0 0 2 0 9123")[0].local == (4294963153, 1)
    assert read("f6b8a000 3      3    0003   99999     1 0      0      4711")[0].local == ("", 3)


# --- ss ------------------------------------------------------------------------------------------------------------


def ss(*options: str) -> list[str]:
    if shutil.which("ss") is None:
        pytest.skip("no ss on this host")
    return subprocess.run(
        ["ss", *options], check=True, capture_output=True, text=True, errors="surrogateescape", timeout=PATIENCE
    ).stdout.splitlines()[1:]


SHOWS = {
    "inet/udp": ("-uaO", "-4uanO"), "inet6/udp": ("-uaO", "-6uanO"),
    "inet/tcp": ("-taO", "-tlnO"), "inet6/tcp": ("-taO", "-tlnO"),
    "inet/raw": ("-waO", "-wanO"), "inet6/raw": ("-waO", "-wanO"), "inet/mptcp": ("-MaO",),
    "unix/stream": ("-xaO", "-xlO"), "unix/dgram": ("-xaO",), "unix/seqpacket": ("-xaO",),
    "netlink": ("-f", "netlink", "-aO"), "packet/raw": ("-0aO", "-0anO"), "packet/dgram": ("-0aO", "-0anO"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "local", "everything"),
    cases([
        (path, local, everything)
        for path, local in [*BOUND, *LISTENING]
        for everything in (True, False)
        if "udplite" not in path and not path.startswith("netlink") and not (everything and path == "inet/mptcp")
    ]),
)  # fmt: skip
def test_a_line_of_ss(hold: Hold, path: str, local: object, everything: bool) -> None:
    sock = hold(path, local)
    inode = os.fstat(sock.fileno()).st_ino
    marks = [f"ino:{inode} ", f" {inode} "]
    if path.endswith("/raw") and "inet" in path:  # ss shows no more of these
        marks = ["127.0.0.1:icmp ", "127.0.0.1:1 "] if path == "inet/raw" else ["[::1]:ipv6-icmp ", "[::1]:58 "]
    for options in ("-aOe", "-anOe") if everything else [f"{each}e" for each in SHOWS[path]]:
        line = wait(
            lambda o=options: next((line for line in ss(o) if any(mark in line for mark in marks)), ""), "its line"
        )
        found = read(line)
        matching = [each for each in found if is_the_socket(each, path, sock)]
        assert matching, line
        assert matching[0].operation in ("bind", "listen")
        assert matching[0].notation == "line of ss"
        if path != "inet/mptcp":
            assert found[0] is matching[0], line


@pytest.mark.parametrize("options", [("-aO",), ("-anO",), ("-f", "netlink", "-aO"), ("-f", "netlink", "-anO")])
def test_a_netlink_line_of_ss(hold: Hold, options: tuple[str, ...]) -> None:
    sock = hold("netlink/kobject-uevent", (2**22 + os.getpid(), 0))
    pid = sock.getsockname()[0]
    line = wait(lambda: next((line for line in ss(*options) if str(pid) in line), ""), "its line")
    found = read(line)
    assert (found[0].family.name, found[0].protocol.name, found[0].local) == ("netlink", "kobject-uevent", (pid, 0))


def test_a_connection_in_ss(hold: Hold) -> None:
    for path, host in (("inet/tcp", "127.0.0.1"), ("inet6/tcp", "::1")):
        server = hold(path, (host, 0))
        client = hold(path, None, server.getsockname())
        ends = rf":{client.getsockname()[1]}\s+\S+:{server.getsockname()[1]}\s"
        for options in ("-tnO", "-anO"):
            line = wait(lambda o=options, e=ends: next((line for line in ss(o) if re.search(e, line)), ""), "its line")
            first = read(line)[0]
            assert (first.operation, first.local, first.remote) == (
                "connect", client.getsockname(), client.getpeername(),
            )  # fmt: skip


def test_every_line_of_this_host_is_read() -> None:
    for line in ss("-aO"):
        if line.split()[0] in ("xdp", "???"):
            continue
        assert read(line), line
        assert read(line)[0].notation == "line of ss"


@pytest.mark.parametrize(
    ("line", "path", "operation", "local", "remote"),
    [
        ("udp UNCONN 0 0 127.0.0.1%lo:domain 0.0.0.0:*", "inet/udp", "bind", ("127.0.0.1", 53), None),
        ("udp UNCONN 0 0 [fe80::1]%lo:546 [::]:*", "inet6/udp", "bind", ("fe80::1", 546, 0, 1), None),
        ("udp UNCONN 0 0 fe80::1%lo:546 :::*", "inet6/udp", "bind", ("fe80::1", 546, 0, 1), None),
        ("udp UNCONN 0 0 [fe80::1%nosuch0]:546 [::]:*", "inet6/udp", "bind", ("fe80::1", 546, 0, 0), None),
        ("tcp LISTEN 0 128 *:ssh *:*", "inet6/tcp", "listen", ("::", 22, 0, 0), None),
        ("tcp LISTEN 0 128 :::22 :::*", "inet6/tcp", "listen", ("::", 22, 0, 0), None),
        ("LISTEN 0 4096 127.0.0.53%lo:53 0.0.0.0:*", "inet/tcp", "listen", ("127.0.0.53", 53), None),
        ("ESTAB 0 0 10.0.0.1:22 10.0.0.2:50000 timer:(keepalive,1min,0)", "inet/tcp", "connect", ("10.0.0.1", 22),
         ("10.0.0.2", 50000)),
        ("0 0 10.0.0.1:22 10.0.0.2:50000", "inet/tcp", "connect", ("10.0.0.1", 22), ("10.0.0.2", 50000)),
        ("UNCONN 0 0 0.0.0.0:68 0.0.0.0:*", "inet/udp", "bind", ("0.0.0.0", 68), None),
        ("icmp6 UNCONN 0 0 *%lo:ipv6-icmp *:*", "inet6/raw", "bind", ("::", 0, 0, 0), None),
        ("sctp LISTEN 0 5 127.0.0.1:9 0.0.0.0:*", "inet/sctp", "listen", ("127.0.0.1", 9), None),
        ("dccp LISTEN 0 5 127.0.0.1:9 0.0.0.0:*", "inet/dccp", "listen", ("127.0.0.1", 9), None),
        ("u_str ESTAB 0 0 @/tmp/.X11-unix/X0 35186 * 37147", "unix/stream", "listen", b"\0/tmp/.X11-unix/X0", None),
        ("u_str LISTEN 0 128 /run/user/1000/bus 18 * 0 users:((\"systemd\",pid=1,fd=2))", "unix/stream", "listen",
         "/run/user/1000/bus", None),
        ("LISTEN 0 128 /run/docker.sock 18 * 0", "unix/stream", "listen", "/run/docker.sock", None),
        ("nl UNCONN 0 0 rtnl:NetworkManager/1234 *", "netlink/route", "bind", (1234, 0), None),
        ("nl UNCONN 0 0 genl:kernel *", "netlink/generic", "bind", (0, 0), None),
        ("UNCONN 0 0 nft:-4143 *", "netlink/netfilter", "bind", (4294963153, 0), None),
        ("p_raw UNCONN 0 0 LLDP:lo *", "packet/raw", "bind", ("lo", 0x88CC), None),
        ("p_dgr UNCONN 0 0 [35020]:lo *", "packet/dgram", "bind", ("lo", 0x88CC), None),
        ("v_str LISTEN 0 0 *:1234 *:*", "vsock/stream", "listen", (0xFFFFFFFF, 1234), None),
        ("v_str ESTAB 0 0 3:1710464830 2:1234", "vsock/stream", "connect", (3, 1710464830), (2, 1234)),
        ("??? LISTEN 0 0 1:1235 *:*", "vsock/seqpacket", "listen", (1, 1235), None),
        ("ti_sq LISTEN 0 0 0:2338418306 -", "tipc/seqpacket", "listen", (3, 0, 2338418306, 0), None),
        ("LISTEN 0 0 0:2338418306 -", "tipc/stream", "listen", (3, 0, 2338418306, 0), None),
    ],
)  # fmt: skip
def test_lines_of_other_hosts(line: str, path: str, operation: str, local: object, remote: object) -> None:
    first = read(line)[0]
    assert (first.family, first.protocol) == find(path)
    assert (first.operation, first.local, first.remote) == (operation, local, remote)


def test_what_ss_prints_besides() -> None:
    assert read("Netid State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process") == []
    assert read("\t bbr wscale:10,10 rto:200 rtt:0.018/0.009 mss:32768") == []
    assert read("xdp UNCONN 0 0 eth0:q0 *") == []
    listing = (
        "State Recv-Q Send-Q Local Address:Port Peer Address:Port\nLISTEN 0 7 [::1]:5 [::]:*\nLISTEN 0 7 [::1]:6 [::]:*"
    )
    assert [each.local for each in read(listing)][:1] == [("::1", 5, 0, 0)]
