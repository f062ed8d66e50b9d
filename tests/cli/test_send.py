"""``send``: what arrives at real peers, and what is said when it does not."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE, listens, udp, wait

Done = Callable[..., subprocess.CompletedProcess[str]]
Run = Callable[..., Any]


@pytest.mark.parametrize(
    ("arguments", "data", "sent"),
    [
        (["--text", r"a\x00\xff\n"], "", b"a\0\xff\n"),
        (["--hex", "de:ad 0xbe ef"], "", b"\xde\xad\xbe\xef"),
        ([], "one\nmessage\n", b"one\nmessage\n"),
        (["--text", ""], "not this", b""),
    ],
)
def test_a_datagram_arrives(done: Done, arguments: list[str], data: str, sent: bytes) -> None:
    with udp() as sock:
        address = sock.getsockname()
        result = done("send", "inet/udp", "--to", repr(address), "--json", *arguments, data=data)
        assert sock.recv(100) == sent
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {"sent": len(sent), "to": repr(address), "local": None}


def test_the_sender_may_be_bound(done: Done) -> None:
    with udp() as sock:
        to = "{}:{}".format(*sock.getsockname())
        result = done("send", "inet/udp", "--to", to, "--bind", "127.0.0.1:0", "--text", "x", "--json")
        assert repr(sock.recvfrom(9)[1]) == json.loads(result.stdout)["local"]


def test_a_stream_of_megabytes_arrives_whole(run: Run) -> None:
    data = os.urandom(9_000_000)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        port = server.getsockname()[1]
        send = run("send", "inet/tcp", "--connect", f"127.0.0.1:{port}", stdin=subprocess.PIPE)
        feeder = threading.Thread(target=feed, args=(send.process.stdin, data))
        feeder.start()
        peer, _ = server.accept()
        with peer:
            received = hashlib.sha256()
            while piece := peer.recv(1 << 20):
                received.update(piece)
        feeder.join(PATIENCE)
    assert send.end() == 0
    assert received.digest() == hashlib.sha256(data).digest()
    send.said(f"^sent {len(data)} bytes to ")


def feed(stream: Any, data: bytes) -> None:
    """Write everything into an unbuffered pipe, then close it."""
    with stream:
        view = memoryview(data)
        while view:
            view = view[stream.write(view) :]


def test_a_stream_goes_out_as_it_comes(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        to = "{}:{}".format(*server.getsockname())
        send = run("send", "inet/tcp", "--connect", to, stdin=subprocess.PIPE)
        peer, _ = server.accept()
        with peer:
            peer.settimeout(PATIENCE)
            for word in (b"one\n", b"two\n"):
                send.process.stdin.write(word)
                assert peer.recv(100) == word
            send.process.stdin.close()
            assert peer.recv(100) == b""
    assert send.end() == 0


def test_it_reaches_socat(run: Run, done: Done, tmp_path: Path) -> None:
    path = tmp_path / "s"
    watch = run("-u", f"UNIX-LISTEN:{path}", "-", tool="socat")
    wait(lambda: listens(path), "socat's socket")
    assert done("send", "unix/stream", "--connect", str(path), "--text", r"to socat\n").returncode == 0
    assert watch.printed(1) == ["to socat"]


def test_replies_are_printed(run: Run) -> None:
    with udp() as sock:
        to = "{}:{}".format(*sock.getsockname())
        send = run("send", "inet/udp", "--to", to, "--text", "ping", "--wait", "30", "--json")
        _, peer = sock.recvfrom(100)
        sock.sendto(b"pong", peer)
        sent, reply = (json.loads(line) for line in send.printed(2))
        assert sent["sent"] == 4
        assert (reply["n"], bytes.fromhex(reply["payload"]), reply["peer"]) == (1, b"pong", repr(sock.getsockname()))
    assert send.end(signal.SIGINT) == 0


def test_netlink_answers(run: Run) -> None:
    dump = r"\x14\0\0\0\x12\0\x01\x03\x01\0\0\0\0\0\0\0\0\0\0\0"
    send = run("send", "netlink/route", "--to", "(0, 0)", "--text", dump, "--wait", "30", "--json")
    rows = [json.loads(line) for line in send.printed(2)]
    assert send.end(signal.SIGINT) == 0
    assert rows[1]["peer"] == "(0, 0)"
    assert b"lo\0" in bytes.fromhex(rows[1]["payload"])


def test_nobody_listens(done: Done) -> None:
    with udp() as sock:
        to = "{}:{}".format(*sock.getsockname())
    for path in ("inet/udp", "inet/tcp"):
        result = done("send", path, "--connect", to, "--text", "x")
        assert result.returncode == 1
        assert "ECONNREFUSED" in result.stderr
        assert "try: " in result.stderr


def test_a_message_that_is_too_long_is_explained(done: Done) -> None:
    result = done("send", "inet/udp", "--to", "127.0.0.1:9", data="x" * 70_000)
    assert result.returncode == 1
    assert "EMSGSIZE" in result.stderr


def test_a_peer_that_hangs_up_is_a_failure(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        to = "{}:{}".format(*server.getsockname())
        send = run("send", "inet/tcp", "--connect", to, stdin=subprocess.PIPE)
        server.accept()[0].close()
        assert send.end() == 1
    send.said("the connection ended after 0 bytes were sent")


def test_control_c_before_the_end_of_stdin(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        to = "{}:{}".format(*server.getsockname())
        send = run("send", "inet/tcp", "--connect", to, stdin=subprocess.PIPE)
        send.said("^connected to")
        assert send.end(signal.SIGINT) == 130
    send.said("stopped before everything was sent")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["inet/udp", "--text", "x"], "--to and --connect"),
        (["inet/udp", "--to", "127.0.0.1:1", "--connect", "127.0.0.1:1"], "--to and --connect"),
        (["inet/tcp", "--to", "127.0.0.1:1", "--text", "x"], "use --connect"),
        (["inet/udp", "--to", "127.0.0.1:1", "--text", r"\q"], "no escape"),
        (["inet/udp", "--to", "127.0.0.1:1", "--hex", "xyz"], "no hexadecimal digit"),
        (["inet/udp", "--to", "127.0.0.1:1", "--hex", "00", "--text", "x"], "one of --text and --hex"),
        (["inet/udp", "--to", "nonsense", "--text", "x"], "has no host and port"),
    ],
)
def test_wrong_usage(done: Done, arguments: list[str], reason: str) -> None:
    result = done("send", *arguments)
    assert result.returncode == 2
    assert reason in result.stderr
