"""The written commands are run by a shell, with real peers: the socket is the endpoint's, and so are the bytes."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from rare import REASONS, cases
from shell_lines import Line
from support import PATIENCE, listens, namespace_python, needs, wait

from sockexplorer.core.endpoint import Endpoint, SetOption
from sockexplorer.core.payload import from_text
from sockexplorer.families import find
from sockexplorer.notations import socat_command

Run = Callable[[str], Line]
EVERYTHING = bytes(range(256))
ODD_PATHS = [
    "plain",
    "a b",
    "sock'quote\"",
    "back\\slash",
    "c:o,m!m!a",
    "(a[b]{c",
    "s\u00f6ck",
    "new\nline",
    "\x1b]0;x\x07",
]


def command(path: str, operation: str, local: object = None, remote: object = None, **more: object) -> str:
    """The line for ``inet/udp`` or the like."""
    family, protocol = find(path)
    payload = more.pop("payload", None)
    endpoint = Endpoint(family.constant, protocol.name, operation, local, remote, **more)  # type: ignore[arg-type]
    line = socat_command(family, protocol, endpoint, payload)  # type: ignore[arg-type]
    assert line is not None
    assert line.isascii()
    assert line.isprintable()
    return line


def peer(path: str) -> socket.socket:
    """A socket of the same kind for the test."""
    needs(path)
    family, protocol = find(path)
    sock = socket.socket(family.number, protocol.type_number, protocol.proto_number)
    sock.settimeout(PATIENCE)
    return sock


def kind(path: str) -> tuple[int, int]:
    family, protocol = find(path)
    return family.number, protocol.type_number


def abstract(name: str) -> bytes:
    return b"\0sockexplorer-%d-%s" % (os.getpid(), name.encode())


def free(path: str, host: str) -> tuple[str, int]:
    """An address with a port that was free a moment ago."""
    with peer(path) as sock:
        sock.bind((host, 0))
        return (host, sock.getsockname()[1])


DATAGRAMS = [("inet/udp", "127.0.0.1"), ("inet6/udp", "::1"), ("inet/udplite", "127.0.0.1"), ("inet6/udplite", "::1")]
STREAMS = [("inet/tcp", "127.0.0.1"), ("inet6/tcp", "::1"), ("inet/mptcp", "127.0.0.1")]
UNIX = [("unix/stream", "listen"), ("unix/seqpacket", "listen"), ("unix/dgram", "bind")]


# --- internet ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "host"), cases(DATAGRAMS))
def test_a_bound_socket_receives_from_anybody(run: Run, path: str, host: str) -> None:
    address = free(path, host)
    line = run(command(path, "bind", address))
    with line.socket(*kind(path), lambda sock: sock.getsockname()[:2] == address) as sock:
        assert sock.proto == find(path)[1].proto_number
    for word in (b"one", EVERYTHING * 30):
        with peer(path) as sender:
            sender.sendto(word, address)
        assert line.output(len(word)) == word


@pytest.mark.parametrize(("path", "host"), cases(DATAGRAMS))
def test_a_bound_socket_answers_the_first(run: Run, path: str, host: str) -> None:
    address = free(path, host)
    line = run(command(path, "bind", address, payload=EVERYTHING))
    line.socket(*kind(path), lambda sock: sock.getsockname()[:2] == address).close()
    with peer(path) as sender:
        sender.sendto(b"who is there?", address)
        assert sender.recvfrom(1000)[0] == EVERYTHING
    assert line.output(13) == b"who is there?"


@pytest.mark.parametrize(("path", "host"), cases(DATAGRAMS))
@pytest.mark.parametrize("operation", ["open", "connect"])
@pytest.mark.parametrize("length", [0, 1, 256, 4097, 30000])
def test_a_payload_is_one_datagram(run: Run, path: str, host: str, operation: str, length: int) -> None:
    payload = (EVERYTHING * 300)[:length]
    with peer(path) as receiver:
        receiver.bind((host, 0))
        line = run(command(path, operation, None, receiver.getsockname()[:2], payload=payload))
        data, sender = receiver.recvfrom(70000)
        assert data == payload
        receiver.sendto(b"answer", sender)
        assert line.output(6) == b"answer"


@pytest.mark.parametrize(("path", "host"), cases([*DATAGRAMS, *STREAMS]))
def test_a_connection_from_where_it_should_be(run: Run, path: str, host: str) -> None:
    local = free(path, host)
    with peer(path) as server:
        server.bind((host, 0))
        if find(path)[1].connections:
            server.listen()
        remote = server.getsockname()[:2]
        line = run(command(path, "connect", local, remote, options=(SetOption("SOL_SOCKET", "SO_REUSEADDR", 1),)))
        with line.socket(*kind(path), lambda sock: sock.getsockname()[:2] == local and connected(sock)) as sock:
            assert sock.getpeername()[:2] == remote
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 1
        line.type(b"typed\n")
        if find(path)[1].connections:
            server, listener = server.accept()[0], server
            listener.close()
            with server:
                assert server.recv(100) == b"typed\n"
        else:
            assert server.recvfrom(100) == (b"typed\n", sock_address(local, host))


def sock_address(address: tuple[str, int], host: str) -> tuple[object, ...]:
    return (*address, 0, 0) if ":" in host else address


def connected(sock: socket.socket) -> bool:
    try:
        sock.getpeername()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(("path", "host"), cases(STREAMS))
def test_a_listener_serves_several_peers(run: Run, path: str, host: str) -> None:
    address = free(path, host)
    options = (SetOption("SOL_SOCKET", "SO_REUSEADDR", 1), SetOption("IPPROTO_TCP", "TCP_NODELAY", 1))
    line = run(command(path, "listen", address, options=options))
    with line.socket(*kind(path), lambda sock: sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)) as sock:
        assert sock.getsockname()[:2] == address
        assert sock.proto == find(path)[1].proto_number
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 1
    for word in (b"first", b"second"):
        with peer(path) as client:
            client.connect(address)
            client.sendall(word)
            assert line.output(len(word)) == word


@pytest.mark.parametrize(("path", "host"), cases(STREAMS))
def test_a_listener_greets_the_first(run: Run, path: str, host: str) -> None:
    address = free(path, host)
    line = run(command(path, "listen", address, payload=EVERYTHING))
    line.socket(*kind(path), lambda sock: sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)).close()
    with peer(path) as client:
        client.connect(address)
        received = b""
        while len(received) < 256:
            received += client.recv(300)
        assert received == EVERYTHING
        client.sendall(b"bye")
        assert line.output(3) == b"bye"


def test_everybody_and_both_versions(run: Run) -> None:
    port = free("inet6/tcp", "::")[1]
    line = run(command("inet6/tcp", "listen", ("", port), options=(SetOption("SOL_IPV6", "IPV6_V6ONLY", 0),)))
    with line.socket(*kind("inet6/tcp"), lambda s: s.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)) as sock:
        assert sock.getsockname()[:2] == ("::", port)
        assert sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 0


@pytest.mark.optional_on_this_host(reason=REASONS["inet/udplite"])
@pytest.mark.parametrize("operation", ["bind", "connect", "open"])
def test_an_option_without_a_name_is_set(run: Run, operation: str) -> None:
    here, there = free("inet/udplite", "127.0.0.1"), ("127.0.0.1", 9)
    options = (SetOption("SOL_UDPLITE", "UDPLITE_RECV_CSCOV", 12), SetOption("SOL_SOCKET", "12", 3))
    ends = (here, None) if operation == "bind" else (None, there)
    line = run(command("inet/udplite", operation, *ends, options=options))
    with line.socket(*kind("inet/udplite"), lambda sock: sock.getsockopt(136, 11) == 12) as sock:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY) == 3


def test_a_broadcast(run: Run) -> None:
    with peer("inet/udp") as receiver:
        receiver.bind(("", 0))
        remote = ("127.255.255.255", receiver.getsockname()[1])
        options = (SetOption("SOL_SOCKET", "SO_BROADCAST", 1),)
        run(command("inet/udp", "open", None, remote, options=options, payload=b"to all"))
        assert receiver.recv(100) == b"to all"


# --- UNIX ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "operation"), UNIX)
@pytest.mark.parametrize("name", ODD_PATHS)
def test_a_socket_file_is_private_and_goes_with_socat(
    run: Run, tmp_path: Path, path: str, operation: str, name: str
) -> None:
    file = tmp_path / name
    line = run(command(path, operation, str(file)))
    line.socket(*kind(path), lambda sock: sock.getsockname() == str(file) and ready(sock, operation)).close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with peer(path) as client:
        client.connect(str(file))
        client.send(EVERYTHING)
        assert line.output(256) == EVERYTHING
    line.interrupt()
    wait(lambda: not file.exists(), "the file to go")


@pytest.mark.parametrize(("path", "operation"), UNIX)
@pytest.mark.parametrize("name", ["plain", "a b,c:d!!", "s\u00f6ck", "\x1b[2J", "end\0in\0zeros\0"])
def test_an_abstract_name(run: Run, path: str, operation: str, name: str) -> None:
    address = abstract(name)
    line = run(command(path, operation, address))
    line.socket(*kind(path), lambda sock: sock.getsockname() == address and ready(sock, operation)).close()
    with peer(path) as client:
        client.connect(address)
        client.send(b"hello")
        assert line.output(5) == b"hello"


def ready(sock: socket.socket, operation: str) -> bool:
    return operation != "listen" or bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


@pytest.mark.parametrize(("path", "operation"), UNIX)
def test_the_kernel_chooses_a_name(run: Run, path: str, operation: str) -> None:
    line = run(command(path, operation, ""))
    with line.socket(*kind(path), lambda sock: sock.getsockname()) as sock:
        name = sock.getsockname()
    assert isinstance(name, bytes)
    assert len(name) == 6


@pytest.mark.parametrize("path", ["unix/stream", "unix/seqpacket"])
@pytest.mark.parametrize("name", ["plain", "s\u00f6ck (1)"])
def test_a_unix_connection(run: Run, tmp_path: Path, path: str, name: str) -> None:
    file = str(tmp_path / name)
    with peer(path) as server:
        server.bind(file)
        server.listen()
        line = run(command(path, "connect", f"{file}.mine", file, payload=EVERYTHING))
        client, address = server.accept()
        with client:
            assert address == f"{file}.mine"
            assert stat.S_IMODE(Path(address).stat().st_mode) == 0o600
            assert client.recv(300) == EVERYTHING
            client.sendall(b"bye")
            assert line.output(3) == b"bye"


@pytest.mark.parametrize("operation", ["open", "connect"])
def test_a_unix_datagram(run: Run, tmp_path: Path, operation: str) -> None:
    with peer("unix/dgram") as server:
        server.bind(str(tmp_path / "server"))
        run(command("unix/dgram", operation, None, server.getsockname(), payload=b"-n 100%\\n\n"))
        assert server.recv(100) == b"-n 100%\\n\n"


def test_a_unix_path_to_an_abstract_name(run: Run, tmp_path: Path) -> None:
    with peer("unix/dgram") as server:
        server.bind(abstract("mixed"))
        line = run(command("unix/dgram", "connect", str(tmp_path / "me"), abstract("mixed"), payload=b"ping"))
        assert server.recvfrom(100) == (b"ping", str(tmp_path / "me"))
        assert stat.S_IMODE((tmp_path / "me").stat().st_mode) == 0o600
        server.sendto(b"pong", str(tmp_path / "me"))
        assert line.output(4) == b"pong"


# --- netlink -------------------------------------------------------------------------------------------------------


def test_netlink_between_processes(run: Run) -> None:
    pid = os.getpid() + 2**22
    line = run(command("netlink/usersock", "bind", (pid, 0)))
    line.socket(*kind("netlink/usersock"), lambda sock: sock.getsockname() == (pid, 0)).close()
    with peer("netlink/usersock") as sender:
        sender.sendto(EVERYTHING, (pid, 0))
    assert line.output(256) == EVERYTHING


@pytest.mark.parametrize(
    ("operation", "local", "remote"), [("bind", (0, 1), None), ("open", None, (0, 0)), ("connect", (0, 1), (0, 0))]
)
def test_the_kernel_answers_over_netlink(run: Run, operation: str, local: object, remote: object) -> None:
    sample = from_text(find("netlink/route")[1].sample)
    line = run(command("netlink/route", operation, local, remote, payload=sample))
    answer = line.output(64)
    assert answer[4:6] == (16).to_bytes(2, sys.byteorder)  # RTM_NEWLINK
    if local:
        line.socket(*kind("netlink/route"), lambda sock: sock.getsockname()[1] == 1).close()


# --- in a namespace, where the test is root ------------------------------------------------------------------------


def inside(tmp_path: Path, body: str, setup: str = "") -> None:
    """Run the code in a network namespace of its own, with the helpers of this file."""
    head = f"""\
        import socket, sys
        sys.path[:0] = [{str(Path(__file__).parents[1])!r}, {str(Path(__file__).parent)!r}]
        import test_socat_runs as test
        from shell_lines import Line
        lines = []
        def run(text):
            lines.append(Line(text))
            return lines[-1]
    """
    code = textwrap.dedent(head) + "try:\n" + textwrap.indent(textwrap.dedent(body), "    ")
    code += "\nfinally:\n    for each in lines:\n        each.discard()\n"
    done = subprocess.run(
        [namespace_python(tmp_path, setup), "-c", code], capture_output=True, text=True, timeout=3 * PATIENCE
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", ["packet/raw", "packet/dgram"])
@pytest.mark.parametrize("proto", ["0x0003", "0x88b5"])
def test_frames_of_an_interface(tmp_path: Path, path: str, proto: str) -> None:
    inside(
        tmp_path,
        f"""
        line = run(test.command({path!r}, "bind", ("lo", {proto})))
        line.socket(*test.kind({path!r}), lambda sock: sock.getsockname()[:2] == ("lo", {proto})).close()
        with test.peer("packet/raw") as sender:
            sender.bind(("lo", 0))
            frame = b"\\xff" * 6 + b"\\x02\\0\\0\\0\\0\\x01\\x88\\xb5hello"
            sender.send(frame)
        wanted = frame if {path!r} == "packet/raw" else b"hello"
        assert line.output(len(wanted)) == wanted
        """,
    )


def test_a_frame_is_sent(tmp_path: Path) -> None:
    inside(
        tmp_path,
        """
        frame = b"\\xff" * 6 + b"\\x02\\0\\0\\0\\0\\x01\\x88\\xb5" + test.EVERYTHING
        with test.peer("packet/raw") as receiver:
            receiver.bind(("lo", 0x88B5))
            for proto in (3, 0x88B5):
                run(test.command("packet/raw", "bind", ("lo", proto), payload=frame))
                assert receiver.recv(1000) == frame
            run(test.command("packet/dgram", "open", None, ("lo", 0x88B5, 0, 0, b"\\xff" * 6), payload=b"content"))
            assert receiver.recv(1000) == b"\\xff" * 6 + bytes(6) + b"\\x88\\xb5content"
        """,
    )


@pytest.mark.parametrize(("path", "host", "header"), [("inet/raw", "127.0.0.1", 20), ("inet6/raw", "::1", 0)])
def test_raw_ip(tmp_path: Path, path: str, host: str, header: int) -> None:
    inside(
        tmp_path,
        f"""
        family, protocol = test.find({path!r})
        def raw():
            sock = socket.socket(family.number, socket.SOCK_RAW, 253)
            sock.settimeout(test.PATIENCE)
            return sock
        line = run(test.command({path!r}, "bind", ({host!r}, 0), proto=253))
        line.socket(family.number, socket.SOCK_RAW, lambda sock: sock.getsockname()[0] == {host!r}).close()
        with raw() as sender:
            sender.sendto(b"packet", ({host!r}, 0))
        assert line.output({header} + 6)[{header}:] == b"packet"
        line.discard()
        with raw() as receiver:
            receiver.bind(({host!r}, 0))
            for operation in ("open", "connect"):
                run(test.command({path!r}, operation, None, ({host!r}, 0), proto=253, payload=test.EVERYTHING))
                assert receiver.recv(1000)[{header}:] == test.EVERYTHING
        """,
    )


@pytest.mark.parametrize(("path", "host", "reply"), [("inet/icmp", "127.0.0.1", 0), ("inet6/icmp", "::1", 129)])
def test_a_ping(tmp_path: Path, path: str, host: str, reply: int) -> None:
    inside(
        tmp_path,
        f"""
        from sockexplorer.core.payload import from_text
        sample = from_text(test.find({path!r})[1].sample)
        for operation in ("open", "connect"):
            answer = run(test.command({path!r}, operation, None, ({host!r}, 0), payload=sample)).output(12)
            assert answer[0] == {reply} and answer[8:] == b"ping"
        """,
    )


def test_a_link_local_address_keeps_its_scope(tmp_path: Path) -> None:
    inside(
        tmp_path,
        """
        scope = socket.if_nametoindex("sx0")
        address = ("fe80::7", 5000, 0, scope)
        line = run(test.command("inet6/udp", "bind", address))
        line.socket(*test.kind("inet6/udp"), lambda sock: sock.getsockname() == address).close()
        with test.peer("inet6/udp") as sender:
            sender.sendto(b"here", address)
            assert line.output(4) == b"here"
        with test.peer("inet6/udp") as receiver:
            receiver.bind(("fe80::7", 0, 0, scope))
            run(test.command("inet6/udp", "open", None, receiver.getsockname(), payload=b"there"))
            assert receiver.recv(100) == b"there"
        """,
        "ip link add sx0 type veth peer name sx1; ip link set sx0 up; ip link set sx1 up; "
        "ip addr add fe80::7/64 dev sx0 nodad",
    )


# --- families that few hosts have ----------------------------------------------------------------------------------


@pytest.mark.optional_on_this_host("vsock with its loopback")
@pytest.mark.parametrize("path", ["vsock/stream", "vsock/seqpacket"])
@pytest.mark.parametrize("cid", [0xFFFFFFFF, 1])
def test_vsock(run: Run, path: str, cid: int) -> None:
    loopback()
    line = run(command(path, "listen", (cid, 5000 + cid % 2)))
    with line.socket(*kind(path), lambda s: s.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)) as sock:
        address = sock.getsockname()
    assert address == (cid, 5000 + cid % 2)
    with peer(path) as client:
        client.connect((1, address[1]))
        client.sendall(b"over vsock")
        assert line.output(10) == b"over vsock"
    with peer(path) as server:
        server.bind((1, 0xFFFFFFFF))
        server.listen()
        run(command(path, "connect", None if cid == 1 else (cid, 5555), server.getsockname(), payload=EVERYTHING))
        client, address = server.accept()
        with client:
            assert client.recv(300) == EVERYTHING
            assert cid == 1 or address == (1, 5555)


def loopback() -> None:
    with peer("vsock/stream") as server, peer("vsock/stream") as client:
        server.bind((0xFFFFFFFF, 0xFFFFFFFF))
        server.listen()
        client.settimeout(2)
        try:
            client.connect((1, server.getsockname()[1]))
        except OSError as error:
            pytest.skip(f"no vsock loopback on this host: {error}")


@pytest.mark.optional_on_this_host("TIPC")
@pytest.mark.parametrize("path", ["tipc/stream", "tipc/seqpacket", "tipc/dgram", "tipc/rdm"])
def test_tipc(run: Run, path: str) -> None:
    needs(path)
    operation = find(path)[1].operations[0]
    line = run(command(path, operation, (1, 4000, 0, 10)))
    with wait(lambda: reached(path, (2, 4000, 5, 0)), "the service") as client:
        client.send(b"to a service") if operation == "listen" else client.sendto(b"to a service", (2, 4000, 5, 0))
        assert line.output(12) == b"to a service"
    with peer(path) as server:
        server.bind((1, 4001, 0, 10))
        if operation == "listen":
            server.listen()
            run(command(path, "connect", None, (2, 4001, 3, 0), payload=EVERYTHING))
            with server.accept()[0] as client:
                assert client.recv(300) == EVERYTHING
        else:
            run(command(path, "open", None, (2, 4001, 3, 0), payload=EVERYTHING))
            assert server.recv(300) == EVERYTHING


def reached(path: str, address: object) -> socket.socket | None:
    """A socket that has reached whoever has bound the name; a new one each time, for one refused can't try again."""
    client = peer(path)
    try:
        if find(path)[1].connections:
            client.connect(address)  # type: ignore[arg-type]
        else:
            client.sendto(b"", address)  # type: ignore[arg-type]
    except OSError:
        client.close()
        return None
    return client


@pytest.mark.optional_on_this_host("CAN and vcan0")
@pytest.mark.parametrize("path", ["can/raw", "can/isotp"])
def test_can(run: Run, path: str) -> None:
    needs(path)
    if "vcan0" not in (name for _, name in socket.if_nameindex()):
        pytest.skip("no vcan0 on this host")
    ours: tuple[object, ...] = ("vcan0",)
    theirs = ours
    payload = b"\x23\x01\0\0\x05\0\0\0hello\0\0\0"
    if path == "can/isotp":
        ours, theirs, payload = ("vcan0", 0x7E8, 0x7E0), ("vcan0", 0x7E0, 0x7E8), EVERYTHING
    with peer(path) as other:
        other.bind(theirs)
        line = run(command(path, "bind", ours))
        line.socket(*kind(path), lambda sock: sock.getsockname()[0] == "vcan0").close()
        other.send(payload)
        assert line.output(len(payload)) == payload
        line.discard()
        run(command(path, "bind", ours, payload=payload))
        assert other.recv(5000) == payload


@pytest.mark.optional_on_this_host("QIPCRTR")
def test_qipcrtr(run: Run) -> None:
    with peer("qipcrtr/dgram") as server:
        server.bind((1, 0))
        run(command("qipcrtr/dgram", "open", None, server.getsockname(), payload=EVERYTHING))
        data, _ = server.recvfrom(300)
        assert data == EVERYTHING
        line = run(command("qipcrtr/dgram", "bind", (1, 0x4567)))
        line.socket(*kind("qipcrtr/dgram"), lambda sock: sock.getsockname() == (1, 0x4567)).close()
        server.sendto(b"router", (1, 0x4567))
        assert line.output(6) == b"router"


def test_a_file_that_others_listen_at_is_left_alone(run: Run, tmp_path: Path) -> None:
    with peer("unix/stream") as server:
        server.bind(str(tmp_path / "theirs"))
        server.listen()
        line = run(command("unix/stream", "listen", str(tmp_path / "theirs")))
        assert line.process.wait(PATIENCE) == 1
        assert listens(tmp_path / "theirs")
