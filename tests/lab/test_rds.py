"""AF_RDS over the loopback transport."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from support import PATIENCE, Desk, rows

from sockexplorer.client.client import Refused

HOST = "127.0.0.1"


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    """An RDS socket of the test."""
    with socket.socket(socket.AF_RDS, socket.SOCK_SEQPACKET, 0) as sock:
        sock.settimeout(PATIENCE)
        sock.bind((HOST, 0))
        yield sock


def test_datagrams_both_ways(desk: Desk, peer: socket.socket) -> None:
    session = desk.open("rds/seqpacket", local=(HOST, 0))
    assert isinstance(session.local, tuple)
    assert session.local[0] == HOST
    assert session.local[1]
    for payload in (b"reliable", b"", bytes(range(256)) * 40):
        peer.sendto(payload, session.local)
    frames = desk.incoming(session, 3)
    assert [(each.payload, each.length) for each in frames] == [
        (b"reliable", 8), (b"", 0), (bytes(range(256)) * 40, 10240),
    ]  # fmt: skip
    assert {session.peers[each.peer].address for each in frames} == {peer.getsockname()}
    assert desk.send(session, b"answer", to=peer.getsockname()) == 6
    assert peer.recvfrom(100) == (b"answer", session.local)
    desk.until(lambda: session.log.sent, "the row of what was sent")
    sent = rows(session)[-1]
    assert (sent.outgoing, sent.payload, sent.peer) == (True, b"answer", frames[0].peer)


def test_a_fixed_peer(desk: Desk, peer: socket.socket) -> None:
    session = desk.open("rds/seqpacket", "connect", (HOST, 0), peer.getsockname())
    assert session.remote == peer.getsockname()
    desk.send(session, b"to whom it is connected")
    assert peer.recvfrom(100) == (b"to whom it is connected", session.local)
    peer.sendto(b"back", session.local)
    assert desk.incoming(session, 1)[0].payload == b"back"


@pytest.mark.parametrize(
    ("address", "name"), [(("0.0.0.0", 0), "EINVAL"), (("192.0.2.1", 0), "EADDRNOTAVAIL")], ids=["all", "not ours"]
)
def test_addresses_that_no_transport_serves(desk: Desk, address: tuple[str, int], name: str) -> None:
    with pytest.raises(Refused) as caught:
        desk.open("rds/seqpacket", local=address)
    assert caught.value.problem.name == name
    assert caught.value.problem.fixes


def test_sending_before_binding_is_explained(desk: Desk, peer: socket.socket) -> None:
    session = desk.open("rds/seqpacket", "open")
    with pytest.raises(Refused) as caught:
        desk.send(session, b"from nowhere", to=peer.getsockname())
    assert caught.value.problem.name == "ENOTCONN"
    assert caught.value.problem.fixes[0].startswith("bind it")
