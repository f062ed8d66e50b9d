"""Datagrams through an engine, in a thread and as a process: what arrives is what peers sent, and the reverse."""

from __future__ import annotations

import socket
import subprocess
import time

import pytest
from support import PATIENCE, Desk, needs, rows, sane_time, udp

from sockexplorer.client.client import Refused
from sockexplorer.core.endpoint import Endpoint, SetOption
from sockexplorer.core.frames import Flag


def test_udp_both_ways(desk: Desk) -> None:
    began = time.time()
    session = desk.open("inet/udp", local=("127.0.0.1", 0))
    assert session.state == "bound"
    with udp() as one, udp() as two:
        one.sendto(b"first", session.local)
        desk.incoming(session, 1)
        two.sendto(b"", session.local)
        two.sendto(b"\x00\xff" * 700, session.local)
        frames = desk.incoming(session, 3)
        assert [each.payload for each in frames] == [b"first", b"", b"\x00\xff" * 700]
        assert [each.length for each in frames] == [5, 0, 1400]
        assert [each.peer for each in frames] == [1, 2, 2]
        assert [session.peers[number].address for number in (1, 2)] == [one.getsockname(), two.getsockname()]
        assert session.peer_name(2) == f"127.0.0.1:{two.getsockname()[1]}"
        assert all(sane_time(each, began) and not each.flags for each in frames)
        assert sorted(frames, key=lambda each: each.time) == frames
        assert desk.send(session, b"answer", to=one.getsockname()) == 6
        assert one.recvfrom(100) == (b"answer", session.local)
        desk.until(lambda: session.log.sent == 1, "the row of what was sent")
        out = rows(session)[-1]
        assert (out.payload, out.length, out.peer, out.outgoing) == (b"answer", 6, 1, True)
    desk.close(session)
    assert session.state == "closed"
    assert session.log.received == 3


@pytest.mark.parametrize("program", ["socat", "ncat"])
def test_udp_from_other_programs(desk: Desk, program: str) -> None:
    session = desk.open("inet/udp", local=("127.0.0.1", 0))
    port = session.local[1]  # type: ignore[index]
    command = ["socat", "-u", "-", f"UDP4:127.0.0.1:{port}"]
    if program == "ncat":
        command = ["ncat", "-u", "--send-only", "127.0.0.1", str(port)]
    subprocess.run(command, input=b"\x1b]0;title\x07\n", check=True, timeout=PATIENCE)
    assert desk.incoming(session, 1)[0].payload == b"\x1b]0;title\x07\n"


def test_connected_udp_hears_its_peer_only(desk: Desk) -> None:
    with udp() as peer, udp() as stranger:
        session = desk.open("inet/udp", "connect", remote=peer.getsockname())
        assert session.state == "connected"
        assert desk.send(session, b"hello") == 5
        data, local = peer.recvfrom(100)
        assert (data, local) == (b"hello", session.local)
        stranger.sendto(b"not for you", local)
        peer.sendto(b"for you", local)
        frame = desk.incoming(session, 1)[0]
        assert frame.payload == b"for you"
        assert session.peers[frame.peer].address == peer.getsockname()


def test_nobody_at_the_other_end_is_told_and_the_socket_goes_on(desk: Desk) -> None:
    with udp() as peer:
        address = peer.getsockname()
    session = desk.open("inet/udp", "connect", remote=address)
    for count in range(1, 131):
        try:
            desk.send(session, b"?")
        except Refused as refused:
            assert refused.problem.name == "ECONNREFUSED"  # noqa: PT017 - told by send or by read, as it comes
        else:
            desk.until(lambda: desk.hub.poll(0.001) or True, "a moment")
        assert session.state == "connected", count
    assert desk.event(session, "error").meta["failure"]["name"] == "ECONNREFUSED"
    with udp(address) as peer:
        desk.until(lambda: _sent(desk, session), "a send that is not refused")
        assert peer.recv(10) == b"again"


def _sent(desk: Desk, session: object) -> bool:
    try:
        return desk.send(session, b"again") == 5  # type: ignore[arg-type]
    except Refused:
        return False


@pytest.mark.optional_on_this_host(reason="Linux 7.1 and later have no UDP-Lite")
def test_udplite_with_coverage(desk: Desk) -> None:
    needs("inet/udplite")
    options = (SetOption("SOL_UDPLITE", "UDPLITE_RECV_CSCOV", 8),)
    session = desk.open("inet/udplite", local=("127.0.0.1", 0), options=options)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_UDPLITE) as peer:
        peer.sendto(b"lite", session.local)  # type: ignore[arg-type]
        assert desk.incoming(session, 1)[0].payload == b"lite"


def test_inet6(desk: Desk) -> None:
    session = desk.open("inet6/udp", local=("::1", 0))
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as peer:
        peer.settimeout(PATIENCE)
        peer.bind(("::1", 0))
        peer.sendto(b"six", session.local)  # type: ignore[arg-type]
        frame = desk.incoming(session, 1)[0]
        assert session.peers[frame.peer].address == peer.getsockname()
        desk.send(session, b"back", to=peer.getsockname()[:2])
        assert peer.recv(10) == b"back"
        desk.until(lambda: session.log.sent == 1, "the row of what was sent")
        assert rows(session)[-1].peer == frame.peer


def test_a_long_message_is_cut_and_its_true_length_told(desk: Desk) -> None:
    session = desk.open("inet/udp", local=("127.0.0.1", 0), snaplen=100)
    with udp() as peer:
        for size in (99, 100, 101, 3000, 60000):
            peer.sendto(bytes([size & 0xFF]) * size, session.local)
    frames = desk.incoming(session, 5)
    assert [each.length for each in frames] == [99, 100, 101, 3000, 60000]
    assert [len(each.payload) for each in frames] == [99, 100, 100, 100, 100]
    assert [bool(each.flags & Flag.TRUNCATED) for each in frames] == [False, False, True, True, True]
    assert all(set(each.payload) == {each.length & 0xFF} for each in frames)


def test_a_host_name_is_looked_up_off_the_loop(desk: Desk) -> None:
    session = desk.open("inet/udp", local=("localhost", 0))
    assert session.local[0] == "127.0.0.1"  # type: ignore[index]
    with udp() as peer:
        desk.send(session, b"by name", to=("localhost", peer.getsockname()[1]))
        assert peer.recv(10) == b"by name"


def test_a_closed_session_still_answers_its_opener(desk: Desk) -> None:
    """Closed before it is open, or when it has failed already: whichever comes first."""
    opened: list[object] = []
    closed: list[object] = []
    endpoint = Endpoint("inet", "udp", "bind", ("no-such-host.invalid", 0))
    session = desk.hub.open(endpoint, lambda result, problem: opened.append(problem))
    desk.hub.close(session, lambda result, problem: closed.append(problem))
    desk.until(lambda: opened and closed, "both outcomes")
    assert opened[0] is not None
    assert not desk.hub.client.waiting


def test_what_the_kernel_refuses_is_explained(desk: Desk) -> None:
    first = desk.open("inet/udp", local=("127.0.0.1", 0))
    with pytest.raises(Refused) as caught:
        desk.open("inet/udp", local=first.local)
    assert (caught.value.problem.stage, caught.value.problem.name) == ("bind", "EADDRINUSE")
    assert caught.value.problem.what
    assert caught.value.problem.fixes
    with pytest.raises(Refused) as caught:
        desk.open("inet/udp", local=("192.0.2.1", 0))
    assert caught.value.problem.name == "EADDRNOTAVAIL"
    with pytest.raises(Refused) as caught:
        desk.open("inet/udp", local=("127.0.0.1", 70000))
    assert (caught.value.problem.stage, caught.value.problem.name) == ("bind", "OverflowError")
    with pytest.raises(Refused) as caught:
        desk.send(first, b"x")
    assert caught.value.problem.name == "EDESTADDRREQ"
    with pytest.raises(Refused) as caught:
        desk.send(first, b"x" * 70000, to=first.local)
    assert caught.value.problem.name == "EMSGSIZE"
    assert first.state == "bound"
    failed = [each for each in desk.hub.sessions.values() if each.state == "failed"]
    assert len(failed) == 3
    assert all(each.problem for each in failed)
