"""Families by number, whose addresses are bytes: real traffic with the sockets of families that Python does know."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from scripts import Script, write
from support import PATIENCE, Desk, udp

from sockexplorer.client.client import Refused
from sockexplorer.core.script import Style

RTM_GETLINK = struct.pack("=IHHIIB3x", 20, 18, 0x301, 7, 0, 0)


def sockaddr_in(address: tuple[str, int]) -> tuple[int, bytes]:
    """An IPv4 address by number: sa_family, and the rest of struct sockaddr_in (ip(7))."""
    host, port = address
    return (2, struct.pack("!H4s8x", port, socket.inet_aton(host)))


def test_datagrams(desk: Desk) -> None:
    session = desk.open("2/dgram", local=sockaddr_in(("127.0.0.1", 0)))
    assert desk.event(session, "by-number").meta["text"] == "opened by number: its addresses are bytes"
    family, data = session.local  # type: ignore[misc]
    port = int.from_bytes(data[:2], "big")  # type: ignore[has-type]
    assert (family, data[2:6]) == (2, b"\x7f\0\0\1")  # type: ignore[has-type]
    with udp() as peer:
        peer.sendto(b"question", ("127.0.0.1", port))
        frame = desk.incoming(session, 1)[0]
        assert (frame.payload, session.peers[frame.peer].address) == (b"question", sockaddr_in(peer.getsockname()))
        desk.send(session, b"answer", to=sockaddr_in(peer.getsockname()))
        assert peer.recvfrom(100) == (b"answer", ("127.0.0.1", port))


def test_streams(desk: Desk) -> None:
    server = desk.open("2/stream", "listen", local=sockaddr_in(("127.0.0.1", 0)))
    client = desk.open("2/stream", "connect", remote=server.local)
    desk.event(client, "connected")
    desk.event(server, "accepted")
    assert client.remote == server.local
    assert server.peers[server.connections[0]].address == client.local
    desk.send(client, b"there")
    assert desk.stream(server, 5) == b"there"
    desk.send(server, b"and back")
    assert desk.stream(client, 8) == b"and back"


def test_only_opened(desk: Desk) -> None:
    """A family such as netlink answers without bind, and its peer is the kernel."""
    session = desk.open("16/raw", "open")
    assert session.state == "open"
    desk.send(session, RTM_GETLINK, to=(16, bytes(10)))
    frame = desk.incoming(session, 1)[0]
    assert b"lo\0" in frame.payload
    assert session.peers[frame.peer].address == (16, bytes(10))


def test_the_kernel_judges_the_bytes(desk: Desk) -> None:
    with pytest.raises(Refused) as caught:
        desk.open("2/dgram", local=(2, b"\0"))
    assert (caught.value.problem.stage, caught.value.problem.name) == ("bind", "EINVAL")
    with pytest.raises(Refused) as caught:
        desk.open("2/dgram", local=(16, bytes(14)))
    assert caught.value.problem.name == "EAFNOSUPPORT"
    with pytest.raises(Refused) as caught:
        desk.open("255/raw", "open")
    assert (caught.value.problem.stage, caught.value.problem.name) == ("socket", "EAFNOSUPPORT")


def test_an_address_of_another_form_is_refused_before(desk: Desk) -> None:
    with pytest.raises(Refused) as caught:
        desk.open("2/dgram", local=("127.0.0.1", 9999))
    assert "bad family" in caught.value.problem.message


# --- scripts -------------------------------------------------------------------------------------------------


@pytest.fixture(params=["blocking", "asyncio"])
def script(request: pytest.FixtureRequest) -> Iterator[Callable[..., Script]]:
    """Writes a script in one style, and runs it."""
    style: Style = request.param
    running: list[Script] = []

    def run(*arguments: object, **more: object) -> Script:
        running.append(Script(write(*arguments, style=style, **more)))  # type: ignore[arg-type]
        return running[-1]

    yield run
    for each in running:
        each.discard()


def test_a_script_binds(script: Callable[..., Script]) -> None:
    with udp() as free:
        address = free.getsockname()
    run = script("2/dgram", "bind", sockaddr_in(address))
    assert run.line() == "bound"
    with udp() as peer:
        peer.sendto(b"hello", address)
        assert run.line() == "b'hello'"
    run.stop()


def test_a_script_connects_and_sends(script: Callable[..., Script]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        run = script("2/stream", "connect", None, sockaddr_in(listener.getsockname()), payload=b"hello")
        peer, _ = listener.accept()
        with peer:
            peer.settimeout(PATIENCE)
            assert peer.recv(100) == b"hello"
            peer.sendall(b"answer")
            assert run.line() == "connected"
            assert "b'answer'" in run.line()
    assert run.ended() == 0


def test_a_script_listens(script: Callable[..., Script]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = free.getsockname()
    run = script("2/stream", "listen", sockaddr_in(address))
    assert run.line() == "listening"
    with socket.create_connection(address, PATIENCE) as peer:
        peer.sendall(b"hello")
        assert "connected" in run.line()
        assert "b'hello'" in run.line()
    assert "closed" in run.line()
    run.stop()


def test_a_script_sends(script: Callable[..., Script]) -> None:
    with udp() as peer:
        run = script("2/dgram", "open", None, sockaddr_in(peer.getsockname()), payload=b"hello")
        data, sender = peer.recvfrom(100)
        assert data == b"hello"
        peer.sendto(b"answer", sender)
        assert [run.line(), run.line()] == ["open", "b'answer'"]
        run.stop()


# --- without the screen --------------------------------------------------------------------------------------


def test_watch_and_send() -> None:
    with udp() as free:
        port = free.getsockname()[1]
    where = struct.pack("!H4s8x", port, b"\x7f\0\0\1").hex()
    base = [sys.executable, "-m", "sockexplorer"]
    watch = [*base, "watch", "2/dgram", "--bind", where, "--count", "1", "--json"]
    with subprocess.Popen(watch, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
        assert watching.stderr is not None
        said = watching.stderr.readline() + watching.stderr.readline()
        assert "bound to (2, b" in said
        assert "opened by number" in said
        sent = subprocess.run(
            [*base, "send", "2/dgram", "--to", where, "--text", "by number"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert sent.returncode == 0, sent.stderr
        out, err = watching.communicate(timeout=PATIENCE)
        assert watching.returncode == 0, err
    assert json.loads(out)["payload"] == b"by number".hex()


def test_watch_opens_without_an_address() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sockexplorer", "watch", "16/raw", "--for", "0.2"], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "open as (16, " in done.stderr
    assert "opened by number: its addresses are bytes" in done.stderr


def test_send_needs_no_address_where_the_kernel_is_the_peer() -> None:
    command = [sys.executable, "-m", "sockexplorer", "send", "16/raw", "--hex", RTM_GETLINK.hex(), "--wait", "30"]
    with subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as sending:
        assert sending.stdout is not None
        said = map(json.loads, sending.stdout)
        try:
            report = next(said)
            assert report == {"sent": 20, "to": None, "local": None}
            assert any(b"lo\0" in bytes.fromhex(each["payload"]) for each in said)
        finally:
            sending.terminate()


def test_doctor_asks_for_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sockexplorer", "doctor", "16/raw", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    (row,) = json.loads(done.stdout)
    assert (row["family"], row["protocol"], row["state"], done.returncode) == ("16", "raw", "available", 0)
