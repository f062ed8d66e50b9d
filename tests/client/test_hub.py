"""The hub keeps sessions true to what the engine says."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest
from support import PATIENCE, Desk, descriptors, only_descriptors, udp

from sockexplorer.client.client import Problem
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.frames import COMMITTED
from sockexplorer.core.units import UNIT
from sockexplorer.core.verdict import Verdict
from sockexplorer.families import find


def test_a_closed_session_keeps_its_log_until_forgotten(desk: Desk) -> None:
    session = desk.open("inet/udp", local=("127.0.0.1", 0))
    with udp() as peer:
        peer.sendto(b"x", session.local)  # type: ignore[arg-type]
        desk.incoming(session, 1)
    desk.hub.close(session)
    desk.until(lambda: session.state == "closed", "closed")
    assert session.log.received == 1
    desk.hub.close(session)
    desk.hub.forget(session)
    assert session.number not in desk.hub.sessions


def test_forgetting_closes(desk: Desk) -> None:
    session = desk.open("inet/udp", local=("127.0.0.1", 0))
    desk.hub.forget(session)
    again = desk.open("inet/udp", local=session.local)
    assert again.local == session.local


def test_a_failed_session_closes_without_the_engine(desk: Desk) -> None:
    session = desk.hub.open(Endpoint("inet", "udp", "bind", ("192.0.2.1", 0)))
    desk.until(lambda: session.state == "failed", "the failure")
    assert session.problem is not None
    desk.hub.close(session)
    assert session.state == "closed"


@pytest.mark.parametrize("spare", range(4))
def test_a_session_that_finds_no_descriptor_left_has_failed(process_desk: Desk, spare: int) -> None:
    """A log takes two, and the engine gets a copy of one."""
    find("inet/udp")  # families are read from files when they are asked for first
    hub, before = process_desk.hub, descriptors(os.getpid())
    with only_descriptors(spare):
        session = hub.open(Endpoint("inet", "udp", "bind", ("127.0.0.1", 0)))
    process_desk.until(lambda: session.state in ("failed", "bound"), "an outcome")
    assert session.state == ("bound" if spare == 3 else "failed")
    if session.problem is not None:
        assert session.problem.name == "EMFILE"
    hub.forget(session)
    assert descriptors(os.getpid()) == before


@pytest.mark.parametrize(
    ("path", "address", "accepted"),
    [
        ("inet/udp", ("127.0.0.1", 80), True),
        ("inet/udp", ("127.0.0.1", -1), False),
        ("inet/udp", ("127.0.0.1", float("inf")), False),
        ("unix/stream", b"\0\xff", True),
        ("netlink/route", 0, False),
    ],
)
def test_every_question_gets_its_verdict(desk: Desk, path: str, address: object, accepted: bool) -> None:
    verdicts: list[Verdict] = []
    desk.hub.check(*find(path), address, "local", verdicts.append)
    desk.until(lambda: verdicts, "a verdict")
    assert verdicts[0].accepted == accepted
    assert verdicts[0].sentence()


def test_a_restart_while_the_engine_lives_fails_what_was_open(process_desk: Desk, tmp_path: Path) -> None:
    desk = process_desk
    session = desk.open("unix/stream", "listen", str(tmp_path / "x"))
    problems: list[Problem | None] = []
    desk.hub.client.request("hello", lambda result, problem: problems.append(problem))
    desk.hub.restart()
    assert session.state == "failed"
    assert not (tmp_path / "x").exists()
    assert problems[0] is not None
    assert problems[0].message == "the engine was restarted"
    assert desk.open("unix/stream", "listen", str(tmp_path / "x")).state == "listening"


def test_what_was_recorded_until_a_restart_is_kept(process_desk: Desk) -> None:
    """More than the client had looked at, in units that it knows nothing of yet."""
    desk = process_desk
    session = desk.open("inet/tcp", "listen", ("127.0.0.1", 0))
    counters, data = session.log.store.counters, bytes(range(256)) * (3 * UNIT // 256)
    with socket.create_connection(session.local) as peer:  # type: ignore[arg-type]
        peer.sendall(data)
        deadline = time.monotonic() + PATIENCE
        while counters[COMMITTED] < len(data) and time.monotonic() < deadline:
            time.sleep(0.01)
    desk.hub.restart()
    assert session.log.bytes_in == len(data)
    frames = (session.log.frame(number) for number in range(session.log.first, session.log.end))
    assert b"".join(frame.payload for frame in frames) == data
    desk.hub.poll(0.1)
    assert desk.open("inet/udp", local=("127.0.0.1", 0)).state == "bound"


def test_a_session_that_could_not_be_opened_takes_no_memory(desk: Desk) -> None:
    """Though the engine had memory ready for it, as it has for packet rings."""
    session = desk.hub.open(Endpoint("inet", "udp", "bind", ("192.0.2.1", 0)))
    file = session.log.store.descriptor
    assert file is not None
    os.posix_fallocate(file, 0, 3 * UNIT)
    desk.until(lambda: session.state == "failed", "the failure")
    assert os.fstat(file).st_blocks * 512 <= UNIT


def test_the_log_of_a_session_is_bounded(desk: Desk) -> None:
    desk.hub.log_limit = 100_000
    session = desk.open("inet/udp", local=("127.0.0.1", 0))
    with udp() as peer:
        for _ in range(60):
            for _ in range(50):
                peer.sendto(b"x" * 1000, session.local)  # type: ignore[arg-type]
            desk.hub.poll(0)
    desk.until(lambda: session.log.received + session.drops == 3000, "3000 frames")
    assert len(session.log) + session.log.dropped == session.log.received + sum(
        1 for number in range(session.log.first, session.log.end) if session.log.frame(number).event
    )
    assert session.log.dropped > 0


def test_a_poll_tells_all_that_was_taken_in(process_desk: Desk) -> None:
    """Also what was taken in ahead of a message of the engine's: who rests between polls goes by it."""
    session = process_desk.open("inet/udp", local=("127.0.0.1", 0))
    before, taken = session.log.size, 0
    with udp() as peer:
        for number in range(20):
            peer.sendto(bytes(number), session.local)  # type: ignore[arg-type]
            deadline = time.monotonic() + PATIENCE
            while session.log.received <= number and time.monotonic() < deadline:
                taken += process_desk.hub.poll(0.05)
    assert session.log.received == 20
    assert taken >= session.log.size - before > 0
