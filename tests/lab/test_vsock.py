"""AF_VSOCK over the loopback transport, whose context id is 1."""

from __future__ import annotations

import socket

import pytest
from support import PATIENCE, Desk, rows

from sockexplorer.client.client import Refused

ANY, LOCAL = 0xFFFFFFFF, 1


def test_a_stream_between_two_sessions(desk: Desk) -> None:
    server = desk.open("vsock/stream", "listen", (ANY, ANY))
    assert isinstance(server.local, tuple)
    cid, port = server.local
    assert (cid, port != ANY) == (ANY, True)
    client = desk.open("vsock/stream", "connect", remote=(LOCAL, port))
    accepted = desk.event(server, "accepted").peer
    assert client.remote == (LOCAL, port)
    # A connecting socket is not bound to one context id; its peer sees the one that the transport has.
    assert isinstance(client.local, tuple)
    assert server.peers[accepted].address == (LOCAL, client.local[1])
    desk.send(client, b"there " * 1000)
    assert desk.stream(server, 6000, accepted) == b"there " * 1000
    desk.send(server, b"and back", peer=accepted)
    assert desk.stream(client, 8) == b"and back"
    desk.close(client)
    assert desk.event(server, "closed").peer == accepted


def test_messages_keep_their_boundaries(desk: Desk) -> None:
    server = desk.open("vsock/seqpacket", "listen", (LOCAL, ANY))
    client = desk.open("vsock/seqpacket", "connect", remote=server.local)
    accepted = desk.event(server, "accepted").peer
    for payload in (b"one", b"two two", bytes(5000)):
        assert desk.send(client, payload) == len(payload)
    frames = desk.incoming(server, 3)
    assert [(each.payload, each.length, each.peer) for each in frames] == [
        (b"one", 3, accepted), (b"two two", 7, accepted), (bytes(5000), 5000, accepted),
    ]  # fmt: skip
    desk.send(server, b"answer", peer=accepted)
    assert desk.incoming(client, 1)[0].payload == b"answer"
    assert [(each.payload, each.length) for each in rows(client) if each.outgoing] == [
        (b"one", 3), (b"two two", 7), (bytes(5000), 5000),
    ]  # fmt: skip


def test_a_peer_that_knows_nothing_of_us(desk: Desk) -> None:
    with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as server:
        server.settimeout(PATIENCE)
        server.bind((ANY, ANY))
        server.listen()
        client = desk.open("vsock/stream", "connect", remote=(LOCAL, server.getsockname()[1]))
        peer, name = server.accept()
        with peer:
            peer.settimeout(PATIENCE)
            desk.until(lambda: client.state == "connected", "the connection")
            assert name[0] == LOCAL
            assert name[1:] == client.local[1:]  # type: ignore[index]
            desk.send(client, b"hello")
            assert peer.recv(100) == b"hello"
            peer.sendall(b"\x00\xff")
            assert desk.stream(client, 2) == b"\x00\xff"
        desk.event(client, "closed")
        assert client.state == "ended"


@pytest.mark.parametrize("kind", ["stream", "seqpacket"])
def test_a_port_where_nobody_listens(desk: Desk, kind: str) -> None:
    session = desk.open(f"vsock/{kind}", "connect", remote=(LOCAL, 7777))
    desk.until(lambda: session.state == "failed", "the refusal")
    failure = desk.event(session, "error").meta["failure"]
    assert (failure["stage"], failure["name"]) == ("connect", "ECONNRESET")
    assert "Nobody listens" in failure["what"]


def test_a_machine_that_is_not_there(desk: Desk) -> None:
    with pytest.raises(Refused) as caught:
        desk.open("vsock/stream", "connect", remote=(99, 7777))
    assert caught.value.problem.name == "ENODEV"
    assert "modprobe" in " ".join(caught.value.problem.fixes)


def test_no_transport_here_has_datagrams(desk: Desk) -> None:
    with pytest.raises(Refused) as caught:
        desk.open("vsock/dgram", local=(ANY, ANY))
    assert (caught.value.problem.stage, caught.value.problem.name) == ("socket", "ENODEV")
    assert "carries datagrams" in caught.value.problem.what
    assert caught.value.problem.fixes == ("use stream or seqpacket",)
