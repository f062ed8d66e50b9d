"""Streams through an engine: listen and connect, peers that come, speak, half-close, vanish."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path

import pytest
from support import PATIENCE, Desk, descriptors, needs, rows, sane_time, wait

from sockexplorer.client.client import Refused
from sockexplorer.client.session import Session

OPTIONAL = pytest.mark.optional_on_this_host(reason="kernels are built without MPTCP, or have it switched off")
PATHS = ["inet/tcp", pytest.param("inet/mptcp", marks=OPTIONAL), "inet6/tcp"]
ANY = {"inet": ("127.0.0.1", 0), "inet6": ("::1", 0)}


def dial(session: Session) -> socket.socket:
    assert isinstance(session.local, tuple)
    sock = socket.create_connection(session.local[:2], PATIENCE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def own_memory(pid: int) -> int:
    """Bytes of a process that are in memory and no file's, as those of a log are (proc(5), ``/proc/PID/statm``)."""
    _, resident, shared, *_ = map(int, Path(f"/proc/{pid}/statm").read_text().split())
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE")


def test_a_peer_takes_no_buffer_of_its_own(process_desk: Desk) -> None:
    session = process_desk.open("inet/tcp", "listen", ANY["inet"])
    before = own_memory(process_desk.pid)
    with contextlib.ExitStack() as peers:
        for _ in range(200):
            peers.enter_context(dial(session))
        process_desk.event(session, "accepted", 200)
        assert own_memory(process_desk.pid) - before < 200 * 50_000


def test_who_called_and_was_gone_at_once_is_named(process_desk: Desk) -> None:
    """As a scanner of ports does."""
    session, pid = process_desk.open("inet/tcp", "listen", ANY["inet"]), process_desk.pid
    os.kill(pid, signal.SIGSTOP)
    with dial(session) as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        address = caller.getsockname()
    os.kill(pid, signal.SIGCONT)
    accepted = process_desk.event(session, "accepted")
    assert accepted.meta["text"] == f"accepted from 127.0.0.1:{address[1]}"
    assert session.peers[accepted.peer].address == address
    process_desk.event(session, "reset")


@pytest.mark.parametrize("path", PATHS)
def test_listen_gives_each_peer_a_number(desk: Desk, path: str) -> None:
    needs(path)
    began = time.time()
    session = desk.open(path, "listen", ANY[path.partition("/")[0]])
    assert session.state == "listening"
    with dial(session) as one:
        accepted = desk.event(session, "accepted")
        with dial(session) as two:
            second = desk.event(session, "accepted", 2)
            assert (accepted.peer, second.peer) == (1, 2)
            assert session.peers[1].connection
            two.sendall(b"from two")
            assert desk.stream(session, 8, peer=2) == b"from two"
            one.sendall(b"from one")
            assert desk.stream(session, 8, peer=1) == b"from one"
            assert session.connections == (1, 2)
            assert session.peers[2].address[:2] == two.getsockname()[:2]  # type: ignore[index]
            desk.send(session, b"to two", peer=2)
            assert two.recv(100) == b"to two"
            desk.send(session, b"to one", peer=1)
            assert one.recv(100) == b"to one"
            with pytest.raises(Refused, match="several peers"):
                desk.send(session, b"to whom?")
        closed = desk.event(session, "closed")
        assert closed.peer == 2
        desk.until(lambda: session.connections == (1,), "one connection")
        desk.send(session, b"to the only one")
        assert one.recv(100) == b"to the only one"
    desk.event(session, "closed", 2)
    assert session.state == "listening"
    assert all(sane_time(each, began) for each in rows(session))
    with pytest.raises(Refused, match="no peer is connected"):
        desk.send(session, b"x")


@pytest.mark.parametrize("path", PATHS)
def test_connect_speak_and_end(desk: Desk, path: str) -> None:
    needs(path)
    host = ANY[path.partition("/")[0]]
    with socket.create_server(host, family=socket.AF_INET6 if host[0] == "::1" else socket.AF_INET) as server:
        server.settimeout(PATIENCE)
        session = desk.open(path, "connect", remote=server.getsockname()[:2])
        peer, address = server.accept()
        with peer:
            desk.event(session, "connected")
            desk.until(lambda: session.state == "connected", "connected")
            assert session.local[:2] == address[:2]  # type: ignore[index]
            desk.send(session, b"ping")
            assert peer.recv(10) == b"ping"
            peer.sendall(b"pong")
            assert desk.stream(session, 4) == b"pong"
    assert desk.event(session, "closed").peer == 1
    desk.until(lambda: session.state == "ended", "ended")
    with pytest.raises(Refused, match="nothing can be sent while the session is ended"):
        desk.send(session, b"x")
    desk.close(session)


def test_a_reset_is_told_as_such(desk: Desk) -> None:
    session = desk.open("inet/tcp", "listen", ("127.0.0.1", 0))
    peer = dial(session)
    desk.event(session, "accepted")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    reset = desk.event(session, "reset")
    assert reset.meta["failure"]["name"] == "ECONNRESET"
    assert session.state == "listening"


def test_nobody_listens(desk: Desk) -> None:
    with socket.socket() as idle:
        idle.bind(("127.0.0.1", 0))
        session = desk.hub.open(_connect(idle.getsockname()))
        desk.until(lambda: session.state == "failed", "the failure")
        desk.until(lambda: session.problem or len(session.log), "its reason")
        if session.problem is None:
            assert desk.event(session, "error").meta["failure"]["name"] == "ECONNREFUSED"


def _connect(address: object):  # type: ignore[no-untyped-def]
    from sockexplorer.core.endpoint import Endpoint

    return Endpoint("inet", "tcp", "connect", None, address)


def test_close_while_connecting(desk: Desk) -> None:
    before = descriptors(desk.pid)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = []
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
            fillers.append(filler)
        here = descriptors(desk.pid)
        session = desk.open("inet/tcp", "connect", remote=full.getsockname())
        assert session.state == "connecting", "a full backlog leaves a connect unanswered on Linux"
        with pytest.raises(Refused, match="while the session is connecting"):
            desk.ask(lambda done: desk.hub.send(session, b"x", done=done))
        desk.close(session)
        assert session.state == "closed"
        wait(lambda: descriptors(desk.pid) == here, "the descriptor's release")
        for filler in fillers:
            filler.close()
    wait(lambda: descriptors(desk.pid) == before, "every descriptor's release")


def test_a_stream_of_megabytes_both_ways(desk: Desk) -> None:
    session = desk.open("inet/tcp", "listen", ("127.0.0.1", 0))
    data = bytes(range(256)) * 16384
    with dial(session) as peer:
        desk.event(session, "accepted")
        peer.settimeout(0.01)
        assert desk.send(session, data) == len(data)
        got = bytearray()

        def drained() -> bool:
            with contextlib.suppress(TimeoutError):
                got.extend(peer.recv(1 << 20))
            return len(got) >= len(data)

        desk.until(drained, "4 MiB at the peer")
        assert bytes(got) == data
        desk.until(lambda: session.log.bytes_out == len(data), "every byte in the log")
        peer.settimeout(PATIENCE)
        peer.sendall(data[: 1 << 20])
        assert desk.stream(session, 1 << 20) == data[: 1 << 20]
        assert session.log.bytes_in == 1 << 20


def test_what_was_accepted_and_not_sent_is_told(desk: Desk) -> None:
    session = desk.open("inet/tcp", "listen", ("127.0.0.1", 0))
    with dial(session):
        desk.event(session, "accepted")
        assert desk.send(session, b"x" * (32 << 20)) == 32 << 20
        with pytest.raises(Refused, match="does not read"):
            desk.send(session, b"x" * (40 << 20))
        desk.close(session)
    lost = desk.event(session, "unsent").meta["count"]
    assert 0 < lost == (32 << 20) - session.log.bytes_out


def test_closing_one_connection_leaves_the_others(desk: Desk) -> None:
    session = desk.open("inet/tcp", "listen", ("127.0.0.1", 0))
    with dial(session) as one, dial(session) as two:
        desk.event(session, "accepted", 2)
        desk.hub.client.call("close", session=session.number, peer=1)
        ports = {each.number: each.address[1] for each in session.peers.values()}  # type: ignore[index]
        first, second = sorted((one, two), key=lambda each: each.getsockname()[1] != ports[1])
        assert first.recv(10) == b""
        second.sendall(b"still here")
        assert desk.stream(session, 10, peer=2) == b"still here"
        with pytest.raises(Refused, match="not connected"):
            desk.hub.client.call("close", session=session.number, peer=1)


@pytest.mark.parametrize("program", ["socat", "ncat", "nc"])
def test_other_programs_connect(desk: Desk, program: str) -> None:
    session = desk.open("inet/tcp", "listen", ("127.0.0.1", 0))
    port = str(session.local[1])  # type: ignore[index]
    command = {
        "socat": ["socat", "-u", "-", f"TCP4:127.0.0.1:{port}"],
        "ncat": ["ncat", "--send-only", "127.0.0.1", port],
        "nc": ["nc", "-N", "127.0.0.1", port],
    }[program]
    subprocess.run(command, input=b"over tcp\n", check=True, timeout=PATIENCE, capture_output=True)
    assert desk.stream(session, 9) == b"over tcp\n"
    desk.event(session, "closed")
