"""Scripts that exchange messages, run as a person would run them, with a real peer: its bytes are compared."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable
from typing import Any

import pytest
from scripts import Script, peer_socket
from support import needs

Run = Callable[..., Script]
NAME = b"\0sockexplorer-script-%d" % os.getpid()


def optional(reason: str) -> pytest.MarkDecorator:
    return pytest.mark.optional_on_this_host(reason=reason)


LOCALS = [
    pytest.param("inet/udp", ("127.0.0.1", 0), id="inet-udp"),
    pytest.param("inet6/udp", ("::1", 0), id="inet6-udp"),
    pytest.param("inet/udplite", ("127.0.0.1", 0), marks=optional("gone from Linux 7.1"), id="inet-udplite"),
    pytest.param("inet6/udplite", ("::1", 0), marks=optional("gone from Linux 7.1"), id="inet6-udplite"),
    pytest.param("unix/dgram", "", id="unix-autobind"),
    pytest.param("tipc/dgram", (1, 18888, 0, 0), marks=optional("no TIPC"), id="tipc-dgram"),
    pytest.param("tipc/rdm", (1, 18889, 0, 0), marks=optional("no TIPC"), id="tipc-rdm"),
    pytest.param("qipcrtr/dgram", (1, 0), marks=optional("no QIPC router"), id="qipcrtr"),
    pytest.param("rds/seqpacket", ("127.0.0.1", 0), marks=optional("no RDS"), id="rds"),
]


@pytest.fixture(autouse=True)
def here(request: pytest.FixtureRequest) -> None:
    """Skip what this kernel has not, and CAN where nobody has made a bus."""
    path: str | None = request.node.callspec.params.get("path")
    if path is not None:
        needs(path)
    if path is not None and path.startswith("can/") and "vcan0" not in [name for _, name in socket.if_nameindex()]:
        pytest.skip("no vcan0")


@pytest.mark.parametrize(("path", "local"), LOCALS)
def test_messages_come_in_and_are_answered(run: Run, path: str, local: Any) -> None:
    script = run(path, "bind", local, payload=b"answer\0")
    address: Any = script.address()
    with peer_socket(path) as sock:
        sock.bind(local)
        for question in (b"\x1b]0;question\xff", b"x" * 200):
            sock.sendto(question, address)
            assert script.message() == (ascii(sock.getsockname()), question)
            assert sock.recv(100) == b"answer\0"
    script.stop()


@pytest.mark.parametrize("local", [NAME, "{}/sock", "{}/s\u00f6ck"], ids=["abstract", "path", "path-of-other-letters"])
def test_unix_datagrams_by_name(run: Run, tmp_path_factory: pytest.TempPathFactory, local: str | bytes) -> None:
    name: Any = local if isinstance(local, bytes) else local.format(tmp_path_factory.mktemp("s"))
    script = run("unix/dgram", "bind", name, payload=b"answer")
    assert script.address() == name
    with peer_socket("unix/dgram") as sock:
        sock.bind("")
        sock.sendto(b"", name)
        assert script.message() == (ascii(sock.getsockname()), b"")
        assert sock.recv(100) == b"answer"
    script.stop()


@pytest.mark.parametrize(("path", "local"), LOCALS)
def test_a_message_goes_out_over_a_connection(run: Run, path: str, local: Any) -> None:
    with peer_socket(path) as sock:
        sock.bind(local)
        own = local if path.startswith(("unix", "rds")) else None
        script = run(path, "connect", own, sock.getsockname(), payload=b"over\n")
        address: Any = script.address()
        data, peer = sock.recvfrom(100)
        assert (data, peer) == (b"over\n", address)
        sock.sendto(b"back", peer)
        assert script.message() == (ascii(sock.getsockname()), b"back")
    script.stop()


@pytest.mark.parametrize("operation", ["connect", "open"])
def test_an_empty_message_goes_out(run: Run, operation: str) -> None:
    with peer_socket("inet/udp") as sock:
        sock.bind(("127.0.0.1", 0))
        script = run("inet/udp", operation, None, sock.getsockname(), payload=b"")
        assert sock.recv(100) == b""
        script.address()
    script.stop()


@pytest.mark.parametrize(("path", "local"), LOCALS[:2])
def test_an_open_socket_sends_to_its_peer(run: Run, path: str, local: Any) -> None:
    with peer_socket(path) as sock:
        sock.bind(local)
        script = run(path, "open", None, sock.getsockname(), payload=b"x" * 100)
        data, peer = sock.recvfrom(200)
        assert data == b"x" * 100
        assert script.address() == ("0.0.0.0" if path == "inet/udp" else "::", *peer[1:])
        sock.sendto(b"y", peer)
        assert script.message()[1] == b"y"
    script.stop()


@pytest.mark.parametrize("path", ["can/raw"])
@optional("no CAN")
def test_can_frames(run: Run, path: str) -> None:
    frame = struct.pack("=IB3x8s", 0x123, 5, b"hello")
    with peer_socket(path) as sock:
        sock.bind(("vcan0",))
        script = run(path, "bind", ("vcan0",), payload=frame)
        assert script.address() == ("vcan0",)
        assert sock.recv(16) == frame
        sock.send(frame[::-1][8:] + frame[8:])
        assert script.message() == ("('vcan0',)", frame[::-1][8:] + frame[8:])
    script.stop()


@pytest.mark.parametrize("path", ["can/isotp"])
@optional("no CAN")
def test_isotp_messages_that_take_many_frames(run: Run, path: str) -> None:
    with peer_socket(path) as sock:
        sock.bind(("vcan0", 0x7E0, 0x7E8))
        script = run(path, "bind", ("vcan0", 0x7E8, 0x7E0), payload=b"x" * 500)
        assert script.address() == ("vcan0", 0x7E8, 0x7E0)
        assert sock.recv(1000) == b"x" * 500
        sock.send(b"y" * 400)
        assert script.message()[1] == b"y" * 400
    script.stop()


@pytest.mark.parametrize("path", ["can/bcm"])
@optional("no CAN")
def test_the_broadcast_manager_has_no_name_and_takes_messages(run: Run, path: str) -> None:
    frame = struct.pack("=IB3x8s", 0x123, 5, b"hello")
    once = struct.pack("@IIIllllII0q", 4, 0, 0, 0, 0, 0, 0, 0x123, 1) + frame  # TX_SEND, one frame
    with peer_socket("can/raw") as sock:
        sock.bind(("vcan0",))
        script = run(path, "connect", None, ("vcan0",), payload=once)
        assert script.line() == "connected"
        assert sock.recv(16) == frame
    script.stop()


@pytest.mark.parametrize("path", ["can/j1939"])
@pytest.mark.parametrize("operation", ["bind", "connect"])
@optional("no CAN")
def test_j1939_messages(run: Run, path: str, operation: str) -> None:
    # The kernel leaves the interface out where a message took several frames.
    own, other, no_group = ("vcan0", 0, 0, 0x20), ("vcan0", 0, 0, 0x30), 0x40000
    with peer_socket(path) as sock:
        sock.bind(("vcan0", 0, no_group, 0x30))
        remote = other if operation == "connect" else None
        script = run(path, operation, ("vcan0", 0, no_group, 0x20), remote, payload=b"x" * 20)
        assert script.line().endswith("as ('vcan0', 0, 0, 32)" if remote else "to ('vcan0', 0, 262144, 32)")
        if operation == "connect":
            assert sock.recvfrom(100) == (b"x" * 20, ("", *own[1:]))
        sock.sendto(b"question", own)
        assert script.message() == (ascii(other), b"question")
        if operation == "bind":
            assert sock.recvfrom(100) == (b"x" * 20, ("", *own[1:]))
    script.stop()
