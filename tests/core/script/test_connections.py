"""Scripts that listen or connect, run as a person would run them, with real peers: their bytes are compared."""

from __future__ import annotations

import os
import signal
import socket
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scripts import Script, peer_socket
from support import PATIENCE, needs

Run = Callable[..., Script]
NAME = b"\0sockexplorer-script-%d" % os.getpid()
BYTES = bytes(range(256))


def optional(reason: str) -> pytest.MarkDecorator:
    return pytest.mark.optional_on_this_host(reason=reason)


LOCALS = [
    pytest.param("inet/tcp", ("127.0.0.1", 0), id="inet-tcp"),
    pytest.param("inet6/tcp", ("::1", 0), id="inet6-tcp"),
    pytest.param("inet/mptcp", ("127.0.0.1", 0), marks=optional("no MPTCP"), id="inet-mptcp"),
    pytest.param("inet6/mptcp", ("::1", 0), marks=optional("no MPTCP"), id="inet6-mptcp"),
    pytest.param("unix/stream", NAME, id="unix-stream"),
    pytest.param("unix/seqpacket", NAME + b"q", id="unix-seqpacket"),
    pytest.param("vsock/stream", (1, 0xFFFFFFFF), marks=optional("no vsock loopback"), id="vsock-stream"),
    pytest.param("vsock/seqpacket", (1, 0xFFFFFFFF), marks=optional("no vsock loopback"), id="vsock-seqpacket"),
    pytest.param("tipc/stream", (1, 18890, 0, 0), marks=optional("no TIPC"), id="tipc-stream"),
    pytest.param("tipc/seqpacket", (1, 18891, 0, 0), marks=optional("no TIPC"), id="tipc-seqpacket"),
]


@pytest.fixture(autouse=True)
def here(request: pytest.FixtureRequest) -> None:
    """Skip what this kernel has not."""
    path: str | None = request.node.callspec.params.get("path")
    if path is None:
        return
    needs(path)
    if path.startswith("vsock"):
        try:
            with peer_socket(path) as sock:
                sock.bind((1, 0xFFFFFFFF))
        except OSError as error:
            pytest.skip(f"no vsock loopback: {error}")


def reachable(path: str, address: Any) -> Any:
    """Where a peer connects to what says that it is at ``address``: a TIPC listener is known by its name only."""
    return (2, {"tipc/stream": 18890, "tipc/seqpacket": 18891}[path], 0, 0) if path.startswith("tipc") else address


def exactly(sock: socket.socket, length: int) -> bytes:
    """So many bytes, in however many reads they come."""
    received = b""
    while len(received) < length:
        data = sock.recv(length)
        assert data
        received += data
    return received


@pytest.mark.parametrize(("path", "local"), LOCALS)
def test_a_listener_tells_its_peers_apart(run: Run, path: str, local: Any) -> None:
    script = run(path, "listen", local, payload=b"welcome")
    address = reachable(path, script.address())
    with peer_socket(path) as one, peer_socket(path) as two:
        names = []
        for sock in (one, two):
            sock.connect(address)
            assert exactly(sock, 7) == b"welcome"
            name, word = script.line().rsplit(" ", 1)
            assert word == "connected"
            names.append(name)
        assert names[0] != names[1]
        two.sendall(b"from two")
        assert script.message() == (names[1], b"from two")
        one.sendall(b"from one")
        assert script.message() == (names[0], b"from one")
        two.close()
        assert script.line() == f"{names[1]} closed"
        script.stop()


@pytest.mark.parametrize(("path", "local"), LOCALS)
def test_a_connection_sends_and_ends(run: Run, path: str, local: Any) -> None:
    with peer_socket(path) as server:
        server.bind(local)
        server.listen()
        remote = reachable(path, server.getsockname())
        script = run(path, "connect", None, remote, payload=BYTES)
        peer, _ = server.accept()
        with peer:
            assert exactly(peer, 256) == BYTES
            script.address()
            peer.sendall(b"bye")
            assert script.message() == (ascii(remote), b"bye")
    assert script.ended() == 0


def test_what_came_before_a_connection_is_reset_is_printed_too(run: Run) -> None:
    with peer_socket("inet/tcp") as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        script = run("inet/tcp", "connect", None, server.getsockname(), payload=b"never read")
        name = ascii(server.getsockname())
        with server.accept()[0] as peer:
            peer.sendall(b"last words")
            assert peer.recv(100, socket.MSG_PEEK)
    script.address()
    assert script.message() == (name, b"last words")


@pytest.mark.parametrize(("path", "local"), [LOCALS[0], LOCALS[4]])
def test_what_came_before_a_reset_is_printed(run: Run, path: str, local: Any) -> None:
    script = run(path, "listen", local, payload=b"welcome")
    with peer_socket(path) as sock:
        sock.connect(script.address())
        name = script.line().removesuffix(" connected")
        sock.sendall(b"last words")
        # Closed with the greeting unread, a peer resets the connection.
    assert script.message() == (name, b"last words")
    assert script.line() == f"{name} closed"
    script.stop()


@pytest.mark.parametrize(("path", "local"), [LOCALS[4]])
def test_a_flood_leaves_room_for_others_and_for_ctrl_c(run: Run, path: str, local: Any) -> None:
    script = run(path, "listen", local, snaplen=10)
    address: Any = script.address()
    assert script.process.stdout
    with peer_socket(path) as flood, peer_socket(path) as other:

        def send() -> None:
            try:
                while True:
                    flood.sendall(b"x" * 100_000)
            except OSError:
                pass

        def read() -> None:
            assert script.process.stdout
            for line in script.process.stdout:
                if line.endswith("b'other'\n"):
                    heard.set()

        flood.connect(address)
        other.connect(address)
        heard = threading.Event()
        threads = [threading.Thread(target=send), threading.Thread(target=read)]
        for thread in threads:
            thread.start()
        other.sendall(b"other")
        assert heard.wait(PATIENCE)
        script.process.send_signal(signal.SIGINT)
        assert script.ended() == 0
        for thread in threads:
            thread.join(PATIENCE)


@pytest.mark.parametrize("path", ["unix/stream", "unix/seqpacket", "unix/dgram"])
def test_a_socket_file_is_private_and_goes_with_the_script(run: Run, tmp_path: Path, path: str) -> None:
    file = tmp_path / "s\u00f6ck"
    script = run(path, "bind" if path == "unix/dgram" else "listen", str(file))
    assert script.address() == str(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    script.stop()
    assert not file.exists()


def test_a_file_that_took_its_place_stays(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "sock"
    script = run("unix/stream", "listen", str(file))
    script.address()
    file.rename(tmp_path / "elsewhere")
    file.write_text("not ours")
    script.stop()
    assert file.read_text() == "not ours"


@pytest.mark.parametrize(("path", "local"), [LOCALS[0], LOCALS[2]])
def test_a_refused_connection_ends_with_the_reason(run: Run, path: str, local: Any) -> None:
    with peer_socket(path) as sock:
        sock.bind(local)
        script = run(path, "connect", None, sock.getsockname())
        assert script.process.wait(PATIENCE) == 1
        assert script.process.stderr
        assert "ConnectionRefusedError: [Errno 111]" in script.process.stderr.read().splitlines()[-1]


def test_a_host_that_is_no_number_is_looked_up(run: Run) -> None:
    for host in ("localhost", ""):
        with peer_socket("inet/tcp") as server:
            server.bind(("127.0.0.1", 0))
            server.listen()
            script = run("inet/tcp", "connect", None, (host, server.getsockname()[1]), payload=b"hi")
            with server.accept()[0] as peer:
                assert exactly(peer, 2) == b"hi"
        assert script.line().startswith("connected as ")
        assert script.ended() == 0
