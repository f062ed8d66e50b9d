"""Blocking, a timeout, or neither: what each call of a session does when it can't be done at once."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import Desk, rows, wait

from sockexplorer.client.client import Problem, Refused
from sockexplorer.client.session import Session
from sockexplorer.core.endpoint import Endpoint

SHORT = 0.05


@pytest.fixture
def full(tmp_path: Path) -> Iterator[socket.socket]:
    """A UNIX datagram socket whose queue has no room left."""
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler,
    ):
        peer.bind(str(tmp_path / "peer"))
        filler.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                filler.sendto(b"filler", peer.getsockname())
        yield peer


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[socket.socket]:
    """A UNIX stream listener whose queue of connections has no room left."""
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server,
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as first,
    ):
        server.bind(str(tmp_path / "server"))
        server.listen(0)
        first.connect(server.getsockname())
        yield server


def begin(desk: Desk, ask: Callable[[Callable[..., None]], Any]) -> list[Any]:
    """Ask for something; the list gets the outcome when there is one."""
    outcome: list[Any] = []
    ask(lambda result, problem: outcome.append(problem or result))
    return outcome


def connecting(desk: Desk, server: socket.socket, timeout: float | None) -> Session:
    endpoint = Endpoint("AF_UNIX", "stream", "connect", remote=server.getsockname(), timeout=timeout)
    session = desk.hub.open(endpoint)
    desk.until(lambda: session.state != "opening", "an answer")
    return session


def send_until_refused(desk: Desk, session: Session, data: bytes) -> None:
    """A thousand times is more than any buffer holds."""
    for _ in range(1000):
        desk.send(session, data)


def texts(session: Session, name: str) -> list[str]:
    return [each.meta["text"] for each in rows(session) if each.event == name]


def test_a_message_waits_for_room_in_the_peers_queue(desk: Desk, full: socket.socket) -> None:
    session = desk.open("unix/dgram", "open")
    first, second = (
        begin(desk, lambda done, data=data: desk.hub.send(session, data, to=full.getsockname(), done=done))
        for data in (b"first", b"second")
    )
    desk.until(lambda: "2 messages" in session.waits, "both to wait")
    assert session.waits.startswith("send() waits for room in the peer's queue")
    assert not first
    assert not rows(session), "nothing is shown as sent before it is"
    received = {full.recv(100)}
    while b"second" not in received:
        desk.hub.poll(0.01)
        full.setblocking(False)
        try:
            received.add(full.recv(100))
        except BlockingIOError:
            continue
    desk.until(lambda: second, "the second to be sent")
    assert [first[0]["sent"], second[0]["sent"]] == [5, 6]
    assert [each.payload for each in rows(session)] == [b"first", b"second"]
    desk.until(lambda: not session.waits, "the end of the wait")


def test_a_message_gives_up_after_its_timeout(desk: Desk, full: socket.socket) -> None:
    session = desk.open("unix/dgram", "open", timeout=SHORT)
    with pytest.raises(Refused) as caught:
        desk.send(session, b"late", to=full.getsockname())
    assert (caught.value.problem.stage, caught.value.problem.name) == ("send", "TimeoutError")
    assert "0.05 s" in caught.value.problem.message
    assert session.state == "open"


def test_a_socket_that_does_not_block_says_so(desk: Desk, full: socket.socket) -> None:
    session = desk.open("unix/dgram", "open", timeout=0)
    with pytest.raises(Refused) as caught:
        desk.send(session, b"now or never", to=full.getsockname())
    assert (caught.value.problem.stage, caught.value.problem.name) == ("send", "EAGAIN")
    assert "EAGAIN" in desk.event(session, "timeout").meta["text"]


def test_closing_ends_the_wait_of_a_message(desk: Desk, full: socket.socket) -> None:
    session = desk.open("unix/dgram", "open")
    outcome = begin(desk, lambda done: desk.hub.send(session, b"x", to=full.getsockname(), done=done))
    desk.until(lambda: session.waits, "it to wait")
    desk.close(session)
    assert isinstance(outcome[0], Problem)
    assert "closed" in outcome[0].message


def test_connect_waits_for_a_place_in_the_queue(desk: Desk, busy: socket.socket) -> None:
    session = connecting(desk, busy, None)
    assert (session.state, session.waits) == ("connecting", "connect() waits for the peer's answer")
    busy.accept()[0].close()
    desk.until(lambda: session.state == "connected", "the connection")
    desk.send(session, b"here at last")
    with busy.accept()[0] as peer:
        assert peer.recv(100) == b"here at last"


def test_connect_that_waits_can_be_closed(desk: Desk, busy: socket.socket) -> None:
    session = connecting(desk, busy, None)
    desk.close(session)
    assert session.state == "closed"


def test_connect_gives_up_after_its_timeout(desk: Desk, busy: socket.socket) -> None:
    session = connecting(desk, busy, SHORT)
    desk.until(lambda: session.state == "failed", "the end")
    failure = desk.event(session, "error").meta["failure"]
    assert (failure["stage"], failure["name"]) == ("connect", "TimeoutError")
    assert "waiting for the peer's answer" in failure["message"]


def test_connect_that_does_not_block_fails_at_once(desk: Desk, busy: socket.socket) -> None:
    session = connecting(desk, busy, 0)
    assert session.state == "failed"
    assert session.problem is not None
    assert (session.problem.stage, session.problem.name) == ("connect", "EAGAIN")


def test_a_tcp_connect_that_does_not_block_goes_on_by_itself(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        session = desk.open("inet/tcp", "connect", remote=server.getsockname(), timeout=0)
        desk.until(lambda: session.state == "connected", "the connection")


@pytest.mark.parametrize(
    ("path", "operation", "call"), [("inet/udp", "bind", "recv"), ("inet/tcp", "listen", "accept")]
)
@pytest.mark.parametrize(("timeout", "says"), [(SHORT, "timed out after 0.05 s: TimeoutError"), (0, "EAGAIN")])
def test_reading_and_accepting_give_up_once_a_silence(
    desk: Desk, path: str, operation: str, call: str, timeout: float, says: str
) -> None:
    session = desk.open(path, operation, local=("127.0.0.1", 0), timeout=timeout)
    assert session.timeout == timeout
    assert says in desk.event(session, "timeout").meta["text"]
    assert desk.event(session, "timeout").meta["text"].startswith(f"{call}()")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if call == "recv" else socket.SOCK_STREAM) as peer:
        peer.connect(session.local)  # type: ignore[arg-type]
        if call == "recv":
            peer.send(b"something")
        desk.event(session, "timeout", 2)
    assert len(texts(session, "timeout")) == 2, "silence is told once, not at every try"


def test_a_stream_that_the_peer_does_not_read(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        session = desk.open("inet/tcp", "connect", remote=server.getsockname())
        with server.accept()[0] as peer:
            desk.event(session, "connected")
            data = bytes(16 * 2**20)
            assert desk.send(session, data) == len(data)
            desk.until(lambda: session.waits.startswith("send() waits until the peer reads"), "it to wait")
            desk.ask(lambda done: desk.hub.set_timeout(session, SHORT, done))
            assert "send() timed out" in desk.event(session, "timeout").meta["text"]
            assert desk.event(session, "unsent").meta["count"] > 0
            assert session.state == "connected"
            peer.settimeout(20)
            left = session.log.bytes_out
            while left:
                left -= len(peer.recv(2**20))
            desk.ask(lambda done: desk.hub.set_timeout(session, 0, done))
            sent = desk.send(session, data)
            assert 0 < sent < len(data), "a socket that does not block takes what there is room for"
            with pytest.raises(Refused) as caught:
                send_until_refused(desk, session, data)
            assert caught.value.problem.name == "EAGAIN"


@pytest.mark.parametrize("timeout", [-1, "soon", True, float("nan"), 1e300])
def test_no_timeout(desk: Desk, timeout: Any) -> None:
    session = desk.open("inet/udp", local=("127.0.0.1", 0))
    with pytest.raises(Refused) as caught:
        desk.ask(lambda done: desk.hub.set_timeout(session, timeout, done))
    assert caught.value.problem.stage == "settimeout"
    assert session.timeout is None


def test_the_engine_sleeps_while_everything_waits(process_desk: Desk) -> None:
    """No wait is a busy loop: the processor time of an idle engine stays near nothing."""
    from support import cpu_seconds

    process_desk.open("inet/tcp", "listen", local=("127.0.0.1", 0), timeout=0)
    session = process_desk.open("inet/udp", local=("127.0.0.1", 0), timeout=0)
    process_desk.event(session, "timeout")
    before = cpu_seconds(process_desk.pid)
    turns = iter(range(10))
    wait(lambda: next(turns) == 9 or process_desk.hub.poll(0.05) < 0, "half a second")
    assert cpu_seconds(process_desk.pid) - before < 0.25
