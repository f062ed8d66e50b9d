"""Scripts are run as a person would run them, with real peers: the bytes are those that the endpoint would exchange."""

from __future__ import annotations

import ast
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import PATIENCE, wait

from sockexplorer.core.endpoint import Endpoint, SetOption
from sockexplorer.core.script import address_line, python_script
from sockexplorer.families import find

Start = Callable[[str], "Script"]


def write(path: str, operation: str, *addresses: object, payload: bytes | None = None, **more: object) -> str:
    """The script for ``inet/udp`` or the like with local and remote address."""
    family, protocol = find(path)
    endpoint = Endpoint(family.constant, protocol.name, operation, *addresses, **more)  # type: ignore[arg-type]
    return python_script(family, protocol, endpoint, payload)


class Script:
    """A script that runs, in the interpreter's development mode, where a forgotten socket is a warning."""

    def __init__(self, text: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-X", "dev", "-W", "error", "-c", text],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        self._alarm = threading.Timer(PATIENCE, self.process.kill)
        self._alarm.start()

    def line(self) -> str:
        """The next line that it prints."""
        assert self.process.stdout
        line = self.process.stdout.readline().rstrip("\n")
        if not line:
            assert self.process.stderr
            raise AssertionError(self.process.stderr.read())
        return line

    def address(self) -> object:
        """The address in its first line."""
        line = self.line()
        for word in ("bound to ", "listening on ", "connected as ", "open as "):
            if line.startswith(word):
                return ast.literal_eval(line.removeprefix(word))
        raise AssertionError(line)

    def stop(self) -> None:
        """Ctrl-C while it waits, after which it ends without a word."""
        wait(lambda: state(self.process.pid) == "S", "a script that waits")
        self.process.send_signal(signal.SIGINT)
        assert self.process.stderr
        assert self.process.stderr.read() == ""
        assert self.process.wait(PATIENCE) == 0

    def discard(self) -> None:
        """End it whatever it does."""
        self._alarm.cancel()
        self._alarm.join()
        with self.process:
            self.process.kill()


@pytest.fixture
def start() -> Iterator[Start]:
    """Run a script's text."""
    running: list[Script] = []

    def run(text: str) -> Script:
        running.append(Script(text))
        return running[-1]

    yield run
    for each in running:
        each.discard()


def state(pid: int) -> str:
    """``S`` for a process that waits in the kernel; a signal that comes just before that may go unseen by Python."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def peer_socket(path: str) -> socket.socket:
    """A socket of the same kind for the test."""
    family, protocol = find(path)
    sock = socket.socket(family.number, protocol.type_number, protocol.proto_number)
    sock.settimeout(PATIENCE)
    return sock


DATAGRAMS = [("inet/udp", ("127.0.0.1", 0)), ("inet6/udp", ("::1", 0)), ("unix/dgram", "")]
CONNECTIONS = [
    ("inet/tcp", ("127.0.0.1", 0)), ("inet6/tcp", ("::1", 0)), ("unix/stream", b"\0sockexplorer-test-%d" % os.getpid()),
    ("unix/seqpacket", b"\0sockexplorer-test-q%d" % os.getpid()),
]  # fmt: skip


@pytest.mark.parametrize(("path", "local"), DATAGRAMS)
def test_datagrams_come_in_and_are_answered(start: Start, path: str, local: object) -> None:
    script = start(write(path, "bind", local, payload=b"answer\0"))
    address = script.address()
    with peer_socket(path) as sock:
        sock.bind(local)  # type: ignore[arg-type]
        question = b"\x1b]0;question\xff"
        sock.sendto(question, address)  # type: ignore[call-overload]
        assert script.line() == f"{sock.getsockname()!a} {question!r}"
        assert sock.recv(100) == b"answer\0"
    script.stop()


@pytest.mark.parametrize(("path", "local"), DATAGRAMS)
def test_a_datagram_goes_out_over_a_connection(start: Start, path: str, local: object) -> None:
    with peer_socket(path) as sock:
        sock.bind(local)  # type: ignore[arg-type]
        script = start(write(path, "connect", local, sock.getsockname(), payload=b"first"))
        script.address()
        data, peer = sock.recvfrom(100)
        assert data == b"first"
        sock.sendto(b"second", peer)
        assert script.line().endswith(" b'second'")
    script.stop()


@pytest.mark.parametrize(("path", "local"), CONNECTIONS)
def test_a_listener_has_several_peers(start: Start, path: str, local: object) -> None:
    script = start(write(path, "listen", local, payload=b"welcome"))
    address = script.address()
    with peer_socket(path) as one, peer_socket(path) as two:
        names = []
        for sock in (one, two):
            sock.connect(address)  # type: ignore[arg-type]
            assert sock.recv(100) == b"welcome"
            name, word = script.line().rsplit(" ", 1)
            assert word == "connected"
            names.append(name)
        assert names[0] != names[1]
        two.sendall(b"from two")
        assert script.line() == f"{names[1]} b'from two'"
        one.sendall(b"from one")
        assert script.line() == f"{names[0]} b'from one'"
        two.close()
        assert script.line() == f"{names[1]} closed"
        script.stop()


@pytest.mark.parametrize(("path", "local"), CONNECTIONS)
def test_a_connection_sends_and_ends(start: Start, path: str, local: object) -> None:
    with peer_socket(path) as server:
        server.bind(local)  # type: ignore[arg-type]
        server.listen()
        script = start(write(path, "connect", None, server.getsockname(), payload=bytes(range(256))))
        peer, _ = server.accept()
        with peer:
            received = b""
            while len(received) < 256:
                received += peer.recv(300)
            assert received == bytes(range(256))
            script.address()
            peer.sendall(b"bye")
            assert script.line() == f"{server.getsockname()!a} b'bye'"
    assert script.process.wait(PATIENCE) == 0


@pytest.mark.parametrize("path", ["unix/stream", "unix/seqpacket", "unix/dgram"])
def test_a_socket_file_is_private_and_goes_with_the_script(start: Start, tmp_path: Path, path: str) -> None:
    file = tmp_path / "s\u00f6ck"
    script = start(write(path, "bind" if path == "unix/dgram" else "listen", str(file)))
    assert script.address() == str(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    script.stop()
    assert not file.exists()


def test_a_file_that_took_its_place_stays(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "sock"
    script = start(write("unix/stream", "listen", str(file)))
    script.address()
    file.rename(tmp_path / "elsewhere")
    file.write_text("not ours")
    script.stop()
    assert file.read_text() == "not ours"


def test_netlink(start: Start) -> None:
    getlink = b"\x14\0\0\0\x12\0\x01\x03\x01\0\0\0\0\0\0\0\0\0\0\0"
    script = start(write("netlink/route", "bind", (0, 0), payload=getlink))
    script.address()
    peer, data = script.line().split(") ", 1)
    assert peer == "(0, 0"
    assert b"lo\0" in ast.literal_eval(data)
    script.stop()


def test_packets(start: Start) -> None:
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except PermissionError:
        pytest.skip("AF_PACKET needs CAP_NET_RAW")
    script = start(write("packet/raw", "bind", ("lo", 0x88B5), payload=bytes(12) + b"\x88\xb5ours"))
    script.address()
    peer, data = script.line().split(") ", 1)
    assert peer.startswith("('lo', ")
    assert ast.literal_eval(data) == bytes(12) + b"\x88\xb5ours"
    script.stop()


def test_an_open_socket_sends_to_its_peer(start: Start) -> None:
    with peer_socket("inet/udp") as sock:
        sock.bind(("127.0.0.1", 0))
        script = start(write("inet/udp", "open", None, sock.getsockname(), payload=b"x" * 100))
        data, peer = sock.recvfrom(200)
        assert data == b"x" * 100
        assert script.address() == ("0.0.0.0", peer[1])
    script.stop()


def test_a_name_that_socket_lacks_is_defined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "IPPROTO_UDPLITE")
    options = (SetOption("SOL_UDPLITE", "UDPLITE_SEND_CSCOV", 8), SetOption("SOL_SOCKET", "36", 1))
    text = write("inet/udplite", "bind", ("127.0.0.1", 0), options=options)
    assert "\nIPPROTO_UDPLITE = 136  # " in text
    assert "socket.socket(socket.AF_INET, socket.SOCK_DGRAM, IPPROTO_UDPLITE)" in text
    assert "sock.setsockopt(socket.SOL_SOCKET, 36, 1)" in text


def test_the_essential_calls() -> None:
    def line(path: str, operation: str, *addresses: object) -> str:
        family, protocol = find(path)
        return address_line(family, protocol, Endpoint(family.constant, protocol.name, operation, *addresses))  # type: ignore[arg-type]

    assert line("inet/udp", "bind", ("127.0.0.1", 9999)) == "sock.bind(('127.0.0.1', 9999))"
    assert line("inet/tcp", "listen", ("", 80)) == "sock.bind(('', 80)); sock.listen()"
    assert line("unix/dgram", "connect", "/a", "/b\x1b") == r"sock.bind('/a'); sock.connect('/b\x1b')"
    assert line("inet/udp", "open", None, ("::", 1)) == "sock.sendto(data, ('::', 1))"
    assert line("inet/udp", "open") == "sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_UDP)"


@given(st.text(), st.binary(max_size=200), st.sampled_from(["bind", "connect", "open"]))
def test_no_literal_acts_on_a_terminal(name: str, payload: bytes, operation: str) -> None:
    text = write("unix/dgram", operation, name, name, payload=payload)
    compile(text, "script", "exec")
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    values = [each.value for each in ast.walk(ast.parse(text)) if isinstance(each, ast.Constant)]
    assert payload in values
