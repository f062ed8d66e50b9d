"""AF_QIPCRTR on this node: messages between ports, and the kernel's name service."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest
from support import PATIENCE, Desk, rows

from sockexplorer.client.client import Refused
from sockexplorer.core.payload import from_text
from sockexplorer.families import family

NODE, CONTROL = 1, 0xFFFFFFFE
PACKET = struct.Struct("<5I")
"""``struct qrtr_ctrl_pkt``: the command, then of a server its service, instance, node and port."""
NEW_SERVER, DEL_SERVER, NEW_LOOKUP = 4, 5, 10


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    """A socket of the test on this node."""
    with socket.socket(socket.AF_QIPCRTR, socket.SOCK_DGRAM) as sock:
        sock.settimeout(PATIENCE)
        sock.bind((NODE, 0))
        yield sock


def test_messages_from_port_to_port(desk: Desk, peer: socket.socket) -> None:
    session = desk.open("qipcrtr/dgram", local=(NODE, 0))
    assert isinstance(session.local, tuple)
    node, port = session.local
    assert (node, port >= 0x4000) == (NODE, True)
    for payload in (b"to a port", b"", bytes(3000)):
        peer.sendto(payload, session.local)
    frames = desk.incoming(session, 3)
    assert [(each.payload, each.length) for each in frames] == [(b"to a port", 9), (b"", 0), (bytes(3000), 3000)]
    assert {session.peers[each.peer].address for each in frames} == {peer.getsockname()}
    assert desk.send(session, b"back", to=peer.getsockname()) == 4
    assert peer.recvfrom(100) == (b"back", session.local)


def test_a_fixed_peer(desk: Desk, peer: socket.socket) -> None:
    session = desk.open("qipcrtr/dgram", "connect", remote=peer.getsockname())
    assert session.remote == peer.getsockname()
    desk.send(session, b"connected")
    data, source = peer.recvfrom(100)
    assert (data, source) == (b"connected", session.local)


def test_the_name_service_tells_of_servers_as_they_come_and_go(desk: Desk) -> None:
    watcher = desk.open("qipcrtr/dgram", local=(NODE, 0))
    sample = from_text(family("qipcrtr").protocol("dgram").sample)
    assert PACKET.unpack(sample)[0] == NEW_LOOKUP
    desk.send(watcher, PACKET.pack(NEW_LOOKUP, 77, 1, 0, 0), to=(NODE, CONTROL))
    nothing = desk.incoming(watcher, 1)[0]
    assert PACKET.unpack(nothing.payload) == (NEW_SERVER, 0, 0, 0, 0)
    assert watcher.peers[nothing.peer].address == (NODE, CONTROL)
    assert watcher.peers[nothing.peer].name == "1:control"
    assert watcher.summary(nothing) == "NEW_SERVER end of the list"

    server = desk.open("qipcrtr/dgram", local=(NODE, 0))
    assert isinstance(server.local, tuple)
    port = server.local[1]
    desk.send(server, PACKET.pack(NEW_SERVER, 77, 1, NODE, port), to=(NODE, CONTROL))
    told = desk.incoming(watcher, 2)[1]
    assert PACKET.unpack(told.payload) == (NEW_SERVER, 77, 1, NODE, port)
    assert watcher.summary(told) == f"NEW_SERVER service 77 instance 1 at {NODE}:{port}"
    desk.send(watcher, b"to the service", to=(NODE, port))
    frame = desk.incoming(server, 1)[0]
    assert (frame.payload, server.peers[frame.peer].address) == (b"to the service", watcher.local)

    desk.close(server)
    told = desk.incoming(watcher, 3)[2]
    assert watcher.summary(told) == f"DEL_SERVER service 77 instance 1 at {NODE}:{port}"
    assert [each.outgoing for each in rows(watcher) if not each.event].count(True) == 2


@pytest.mark.parametrize(("address", "name"), [((5, 0), "EINVAL")])
def test_another_node_cannot_be_bound(desk: Desk, address: tuple[int, int], name: str) -> None:
    with pytest.raises(Refused) as caught:
        desk.open("qipcrtr/dgram", local=address)
    assert caught.value.problem.name == name
    assert "node 1" in caught.value.problem.fixes[0]


def test_ones_own_port_is_no_destination(desk: Desk) -> None:
    session = desk.open("qipcrtr/dgram", local=(NODE, 0))
    with pytest.raises(Refused) as caught:
        desk.send(session, b"to myself", to=session.local)
    assert caught.value.problem.name == "ENODEV"
