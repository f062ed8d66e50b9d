"""AF_TIPC on one node: names, ranges and ids; datagrams, streams and sequences of packets; the topology service."""

from __future__ import annotations

import os
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest
from support import PATIENCE, Desk, rows

from sockexplorer.client.client import Refused
from sockexplorer.core.endpoint import SetOption
from sockexplorer.core.payload import from_text
from sockexplorer.families import family

NAMESEQ, NAME, ID = 1, 2, 3
CLUSTER, NODE_SCOPE = 2, 3
SERVICE = 18888
TOPOLOGY = (NAME, 1, 1, 0)
SUBSCRIPTION = struct.Struct("=5I8s")
EVENT = struct.Struct("=5I")
PUBLISHED, WITHDRAWN, TIMEOUT = 1, 2, 3

Peer = Callable[..., socket.socket]


@pytest.fixture
def peer() -> Iterator[Peer]:
    """Makes TIPC sockets of the test, bound where one is given a name."""
    made = []

    def make(kind: int = socket.SOCK_RDM, name: tuple[int, ...] | None = None) -> socket.socket:
        sock = socket.socket(socket.AF_TIPC, kind)
        sock.settimeout(PATIENCE)
        made.append(sock)
        if name is not None:
            sock.bind(name)
        return sock

    yield make
    for each in made:
        each.close()


@pytest.mark.parametrize("kind", ["rdm", "dgram"])
def test_a_message_to_a_name_tells_which_one(desk: Desk, peer: Peer, kind: str) -> None:
    session = desk.open(f"tipc/{kind}", local=(NAMESEQ, SERVICE, 0, 10, NODE_SCOPE))
    assert isinstance(session.local, tuple)
    assert session.local[0] == ID
    sender = peer(socket.SOCK_RDM if kind == "rdm" else socket.SOCK_DGRAM)
    sender.sendto(b"to a name", (NAME, SERVICE, 5, 0))
    sender.sendto(b"by id", session.local)
    by_name, by_id = desk.incoming(session, 2)
    assert (by_name.payload, by_name.length) == (b"to a name", 9)
    assert by_name.meta == {"name": {"type": SERVICE, "lower": 5, "upper": 5}}
    assert (by_id.payload, by_id.meta) == (b"by id", {})
    known = session.peers[by_name.peer]
    assert known.address[:3] == sender.getsockname()[:3]  # type: ignore[index]
    assert known.name == f"node 0 ref {sender.getsockname()[2]}"
    assert desk.send(session, b"back", to=known.address) == 4
    data, source = sender.recvfrom(100)
    assert (data, source[:3]) == (b"back", session.local[:3])


def test_a_range_reaches_every_socket_in_it(desk: Desk, peer: Peer) -> None:
    session = desk.open("tipc/rdm", local=(NAMESEQ, SERVICE, 0, 10, NODE_SCOPE))
    other = desk.open("tipc/rdm", local=(NAMESEQ, SERVICE, 8, 20, NODE_SCOPE))
    peer().sendto(b"to all of them", (NAMESEQ, SERVICE, 3, 12))
    for each in (session, other):
        frame = desk.incoming(each, 1)[0]
        assert frame.payload == b"to all of them"
        assert frame.meta == {"name": {"type": SERVICE, "lower": 3, "upper": 12}}


def test_what_the_product_sends_to_names_and_ranges(desk: Desk, peer: Peer) -> None:
    first = peer(name=(NAMESEQ, SERVICE, 0, 4, NODE_SCOPE))
    second = peer(name=(NAMESEQ, SERVICE, 5, 9, NODE_SCOPE))
    session = desk.open("tipc/rdm", "open")
    desk.send(session, b"one of them", to=(NAME, SERVICE, 7, 0))
    assert second.recv(100) == b"one of them"
    desk.send(session, b"both", to=(NAMESEQ, SERVICE, 0, 9))
    assert (first.recv(100), second.recv(100)) == (b"both", b"both")
    desk.until(lambda: session.log.sent == 2, "the rows of what was sent")
    assert [session.peers[each.peer].name for each in rows(session)] == [f"{SERVICE}:7", f"{SERVICE}:0-9"]


def test_a_message_that_nobody_took_comes_back(desk: Desk, peer: Peer) -> None:
    gone = peer()
    address = gone.getsockname()
    gone.close()
    returned = SetOption("SOL_TIPC", "TIPC_DEST_DROPPABLE", 0)
    session = desk.open("tipc/rdm", local=(NAMESEQ, SERVICE, 0, 0, NODE_SCOPE), options=(returned,))
    desk.send(session, b"is anybody there?", to=address)
    frame = desk.incoming(session, 1)[0]
    assert (frame.payload, frame.length) == (b"", 0)
    assert frame.meta == {
        "returned": {"error": "TIPC_ERR_NO_PORT", "length": 17, "data": b"is anybody there?".hex()},
    }
    with pytest.raises(Refused) as caught:
        desk.send(session, b"x", to=(NAME, SERVICE + 1, 0, 0))
    assert caught.value.problem.name == "EHOSTUNREACH"
    assert "Nobody has bound that name" in caught.value.problem.what


@pytest.mark.parametrize("kind", ["stream", "seqpacket"])
def test_the_product_at_both_ends_of_a_connection(desk: Desk, kind: str) -> None:
    server = desk.open(f"tipc/{kind}", "listen", (NAMESEQ, SERVICE, 7, 7, NODE_SCOPE))
    client = desk.open(f"tipc/{kind}", "connect", remote=(NAME, SERVICE, 7, 0))
    accepted = desk.event(server, "accepted").peer
    desk.until(lambda: client.state == "connected", "the connection")
    assert server.peers[accepted].address[:3] == client.local[:3]  # type: ignore[index]
    desk.send(client, b"over a ")
    desk.send(client, b"connection")
    if kind == "stream":
        assert desk.stream(server, 17, accepted) == b"over a connection"
    else:
        assert [each.payload for each in desk.incoming(server, 2)] == [b"over a ", b"connection"]
    desk.send(server, b"answer", peer=accepted)
    assert desk.stream(client, 6) == b"answer"
    desk.close(client)
    desk.until(lambda: not server.connections, "the end of the connection")
    ended = [each for each in rows(server) if each.event in ("closed", "reset", "error")]
    assert [(each.event, each.peer) for each in ended] == [("closed", accepted)]
    assert [each.payload for each in rows(server) if not each.event and not each.outgoing and not each.payload] == []


@pytest.mark.parametrize(("kind", "number"), [("stream", socket.SOCK_STREAM), ("seqpacket", socket.SOCK_SEQPACKET)])
def test_the_product_accepts_a_peer_of_its_own_kind(desk: Desk, peer: Peer, kind: str, number: int) -> None:
    server = desk.open(f"tipc/{kind}", "listen", (NAMESEQ, SERVICE, 7, 7, NODE_SCOPE))
    client = peer(number)
    # connect() returns only when the engine has accepted, which it does on its own.
    connecting = threading.Thread(target=client.connect, args=((NAME, SERVICE, 7, 0),))
    connecting.start()
    accepted = desk.event(server, "accepted").peer
    connecting.join(PATIENCE)
    assert server.peers[accepted].address[:3] == client.getsockname()[:3]  # type: ignore[index]
    client.sendall(b"hello")
    assert desk.stream(server, 5, accepted) == b"hello"
    desk.send(server, b"hello yourself", peer=accepted)
    assert client.recv(100) == b"hello yourself"
    client.close()
    desk.until(lambda: not server.connections, "the end of the connection")


@pytest.mark.parametrize(("kind", "number"), [("stream", socket.SOCK_STREAM), ("seqpacket", socket.SOCK_SEQPACKET)])
def test_a_peer_that_closes_first_is_no_failure(desk: Desk, peer: Peer, kind: str, number: int) -> None:
    """Its end and ours arrive at the engine together."""
    server = peer(number, (NAMESEQ, SERVICE, 7, 7, NODE_SCOPE))
    server.listen()
    client = desk.open(f"tipc/{kind}", "connect", remote=(NAME, SERVICE, 7, 0))
    accepted, _ = server.accept()
    desk.until(lambda: client.state == "connected", "the connection")
    desk.send(client, b"all of it")
    assert accepted.recv(100) == b"all of it"
    engine = desk.pid
    os.kill(engine, signal.SIGSTOP)
    try:
        accepted.close()
        closed: list[object] = []
        desk.hub.close(client, lambda result, problem: closed.append(problem))
    finally:
        os.kill(engine, signal.SIGCONT)
    desk.until(lambda: closed, "the reply")
    assert closed == [None]
    assert [each.event for each in rows(client) if each.event in ("error", "reset")] == []


def test_the_topology_service_tells_of_names_as_they_come_and_go(desk: Desk, peer: Peer) -> None:
    session = desk.open("tipc/seqpacket", "connect", remote=TOPOLOGY)
    desk.until(lambda: session.state == "connected", "the connection")
    request = SUBSCRIPTION.pack(SERVICE, 0, 100, 0xFFFFFFFF, 1, b"a handle")
    desk.send(session, request)
    desk.until(lambda: session.log.sent == 1, "the row of what was sent")
    assert session.summary(rows(session)[-1]) == f"subscription to {SERVICE}:0-100"
    server = peer(name=(NAMESEQ, SERVICE, 3, 4, NODE_SCOPE))
    ref = server.getsockname()[2]
    told = desk.incoming(session, 1)[0]
    assert EVENT.unpack_from(told.payload) == (PUBLISHED, 3, 4, ref, 0)
    assert told.payload[20:] == request
    assert session.summary(told) == f"PUBLISHED {SERVICE}:3-4 by node 0 ref {ref}"
    server.close()
    told = desk.incoming(session, 2)[1]
    assert EVENT.unpack_from(told.payload) == (WITHDRAWN, 3, 4, ref, 0)
    assert session.summary(told) == f"WITHDRAWN {SERVICE}:3-4 by node 0 ref {ref}"
    desk.send(session, SUBSCRIPTION.pack(SERVICE, 0, 100, 1, 1, b"short"))
    told = desk.incoming(session, 3)[2]
    assert session.summary(told) == f"SUBSCR_TIMEOUT {SERVICE}:0-100"


def test_the_sample_subscribes_to_the_example(desk: Desk, peer: Peer) -> None:
    """The composer's first payload, sent to the topology service, is answered when the form's default name is bound."""
    protocol = family("tipc").protocol("seqpacket")
    kind, v1, lower, upper = (int(protocol.local[each], 0) for each in ("v1", "v1", "v2", "v3"))
    sample = from_text(protocol.sample)
    session = desk.open("tipc/seqpacket", "connect", remote=TOPOLOGY)
    desk.until(lambda: session.state == "connected", "the connection")
    assert desk.send(session, sample) == SUBSCRIPTION.size
    peer(name=(NAMESEQ, v1, lower, upper, CLUSTER))
    told = desk.incoming(session, 1)[0]
    assert EVENT.unpack_from(told.payload)[:3] == (PUBLISHED, lower, upper)
    assert SUBSCRIPTION.unpack_from(told.payload, 20)[0] == kind


def test_a_name_may_be_bound_twice_and_an_id_never(desk: Desk) -> None:
    for _ in range(2):
        desk.open("tipc/rdm", local=(NAMESEQ, SERVICE, 0, 0, NODE_SCOPE))
    with pytest.raises(Refused) as caught:
        desk.open("tipc/rdm", local=(ID, 0, 5, 0))
    assert caught.value.problem.name == "EAFNOSUPPORT"
    assert "NAMESEQ" in caught.value.problem.fixes[0]


def test_nobody_has_the_name(desk: Desk) -> None:
    with pytest.raises(Refused) as caught:
        desk.open("tipc/stream", "connect", remote=(NAME, SERVICE + 9, 0, 0))
    assert caught.value.problem.name == "EHOSTUNREACH"
