"""Calls that the kernel would hold for as long as it takes: the session shows what for, and can be closed."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from support import PATIENCE, Desk

from sockexplorer.client.session import Session
from sockexplorer.core.endpoint import Endpoint

SERVICE, NAME = (1, 4711, 0, 0), (2, 4711, 0, 0)
WAITS = "connect() waits for the peer's accept()"


@pytest.fixture(params=[socket.SOCK_STREAM, socket.SOCK_SEQPACKET], ids=["stream", "seqpacket"])
def server(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    """A TIPC service that listens, and accepts nobody by itself."""
    with socket.socket(socket.AF_TIPC, request.param) as sock:
        sock.bind(SERVICE)
        sock.listen()
        sock.settimeout(PATIENCE)
        yield sock


def connecting(desk: Desk, server: socket.socket, timeout: float | None = None) -> Session:
    protocol = "stream" if server.type == socket.SOCK_STREAM else "seqpacket"
    session = desk.hub.open(Endpoint("AF_TIPC", protocol, "connect", remote=NAME, timeout=timeout))
    desk.until(lambda: session.state != "opening", "an answer")
    return session


def test_a_tipc_connect_waits_for_accept(desk: Desk, server: socket.socket) -> None:
    session = connecting(desk, server)
    assert (session.state, session.waits) == ("connecting", WAITS)
    other = desk.open("unix/dgram", local="")
    assert other.state == "bound", "nothing else is held up"
    with server.accept()[0] as peer:
        desk.until(lambda: session.state == "connected", "the connection")
        desk.send(session, b"at last")
        assert peer.recv(100) == b"at last"


def test_it_can_be_closed_before(desk: Desk, server: socket.socket) -> None:
    session = connecting(desk, server)
    desk.close(session)
    assert session.state == "closed"


def test_it_gives_up_after_its_timeout(desk: Desk, server: socket.socket) -> None:
    session = connecting(desk, server, 0.1)
    desk.until(lambda: session.state == "failed", "the end")
    failure = desk.event(session, "error").meta["failure"]
    assert (failure["stage"], failure["name"]) == ("connect", "TimeoutError")
    assert "accept()" in failure["message"]
