"""The engine's loop: what it watches, and how long it sleeps."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import termios
import time
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import pytest
from support import PATIENCE, deliver, needs, udp, wait

from sockexplorer.capture.log import Log
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.frames import SEEN
from sockexplorer.core.units import UNIT
from sockexplorer.engine import reader, reading, streams
from sockexplorer.engine.places import FOUND_AT_ONCE
from sockexplorer.engine.reading import MOST_AHEAD
from sockexplorer.engine.server import FLUSH_SECONDS, LARGE_BUFFER, Engine, _prepare
from sockexplorer.engine.session import Session
from sockexplorer.engine.spool import Spool
from sockexplorer.engine.streams import LARGE
from sockexplorer.families import find


def test_an_engine_that_waits_for_its_client_looks_again() -> None:
    """The client may catch up between two looks: the engine must not sleep with a socket that it does not watch."""
    incoming, outgoing = os.pipe()
    engine, log = Engine(incoming, outgoing), Log()
    assert log.store.descriptor is not None
    spool = Spool(os.dup(log.store.descriptor), room=0)
    endpoint = Endpoint("AF_INET", "tcp", "listen", ("127.0.0.1", 0))
    session = engine.sessions[1] = Session(1, endpoint, *find("inet/tcp"), None, spool)
    try:
        session.open(endpoint.local, None)
        while not spool.full:
            spool.add(bytes(2**20))
            spool.flush()
        spool.told = spool.end
        engine._watch()
        assert not engine._watched
        log.store.counters[SEEN] = spool.end
        assert engine._timeout([]) is not None
        engine._watch()
        assert engine._watched
        assert engine._timeout([]) is None, "with nothing held up it sleeps until something happens"
    finally:
        session.close()
        engine.stop()
        engine.run()
        log.close()
        os.close(incoming)
        os.close(outgoing)


def queued(stream: socket.socket) -> int:
    """Bytes that can be read."""
    return struct.unpack("i", fcntl.ioctl(stream, termios.FIONREAD, bytes(4)))[0]


def listening(log: Log) -> Session:
    """A session of TCP that listens, and nobody called yet."""
    assert log.store.descriptor is not None
    endpoint = Endpoint("AF_INET", "tcp", "listen", ("127.0.0.1", 0))
    session = Session(1, endpoint, *find("inet/tcp"), None, Spool(os.dup(log.store.descriptor)))
    session.open(endpoint.local, None)
    return session


def test_streams_that_are_ready_together_do_not_wait_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one waits for in vain all others would wait for, and so would who closes them."""
    monkeypatch.setattr(streams, "WAIT_SECONDS", PATIENCE)
    incoming, outgoing = os.pipe()
    engine, log = Engine(incoming, outgoing), Log()
    session = engine.sessions[1] = listening(log)
    assert session.sock is not None
    peers = [socket.create_connection(session.sock.getsockname()) for _ in range(2)]
    came = 0

    def speak() -> None:
        nonlocal came
        for peer in peers:
            peer.sendall(bytes(LARGE))
            came += LARGE
        for each in session.connections.values():
            wait(lambda sock=each.sock: queued(sock) == LARGE, "all of it")

    try:
        while len(session.connections) < len(peers):
            engine._turn()
        engine._watch()
        before = time.monotonic()
        for _ in range(3):
            speak()
            while log.bytes_in < came:
                engine._turn()
                log.catch_up()
        speak()
        session.close()
        session.spool.flush()
        log.catch_up()
        assert time.monotonic() < before + PATIENCE
        assert log.bytes_in == came
    finally:
        for peer in peers:
            peer.close()
        engine.stop()
        engine.run()
        log.close()
        os.close(incoming)
        os.close(outgoing)


@pytest.mark.parametrize("seconds", [0.0, PATIENCE])
def test_what_had_arrived_is_kept_at_the_end_as_far_as_there_is_time(
    seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LAST_SECONDS", seconds)
    monkeypatch.setattr(reader, "BATCHES", 1)
    log = Log()
    assert log.store.descriptor is not None
    endpoint = Endpoint("AF_INET", "udp", "bind", ("127.0.0.1", 0))
    session = Session(1, endpoint, *find("inet/udp"), None, Spool(os.dup(log.store.descriptor)))
    session.open(endpoint.local, None)
    assert session.sock is not None
    with udp() as peer:
        for _ in range(600):
            deliver(peer, b"x", session.sock)
    session.close()
    session.spool.flush()
    log.catch_up()
    assert (0 < log.received < 600) if not seconds else log.received == 600
    session.spool.close()
    log.close()


@pytest.mark.parametrize("name", ["inet/udp", "inet6/udp", "unix/dgram", "unix/seqpacket"])
def test_messages_gather_where_no_sender_waits_for_the_reader(name: str, tmp_path: Path) -> None:
    family, protocol = find(name)
    host = {"inet": ("127.0.0.1", 0), "inet6": ("::1", 0), "unix": str(tmp_path / "here")}[family.name]
    kind = family.number, protocol.type_number
    with socket.socket(*kind) as here, socket.socket(*kind) as there:
        here.bind(host)
        if protocol.connections:
            here.listen()
        there.connect(here.getsockname())
        there.setblocking(False)
        waits = False
        try:
            for _ in range(5000):
                there.send(bytes(1000))
        except BlockingIOError:
            waits = True
    assert protocol.gathers != waits


@pytest.mark.parametrize(
    ("name", "part", "room", "came", "steps"),
    [
        ("inet/udp", 1, None, False, 32),
        ("inet/udp", 1, 64 * 2**20, False, 8),
        ("inet/udp", 2**60, None, False, 0),
        ("inet/udp", 1, 2**20, False, 0),
        ("inet/udp", 1, None, True, 0),
        ("inet/tcp", 1, 2**30, False, 128),
    ],
    ids=["plenty", "a log of 64 MiB", "little memory", "a small log", "something comes", "a stream"],
)
def test_memory_for_a_flood_is_had_at_hand(name: str, part: int, room: int | None, came: bool, steps: int) -> None:
    """Step by step: the engine has other things to do in between."""
    needs(name)
    log = Log()
    assert log.store.descriptor is not None
    spool = Spool(os.dup(log.store.descriptor), room)
    family, protocol = find(name)
    operation = "listen" if protocol.connections else "bind"
    endpoint = Endpoint("AF_INET", protocol.name, operation, ("127.0.0.1", 0))
    session = Session(1, endpoint, family, protocol, None, spool)
    with patch.object(reading, "OF_SPARE", part):
        session.open(session.endpoint.local, None)
        if came:
            spool.add(b"x")
            spool.flush()
        session.reading.prepare()
        assert spool.ready == 0
        ready = [spool.ready]
        while session.reading.preparing:
            session.reading.prepare()
            ready.append(spool.ready)
    # Pages are found first, in a few steps: they are worth something to what comes before all are cleared.
    assert all(after - before <= FOUND_AT_ONCE * UNIT for before, after in pairwise(ready))
    assert len(ready) > steps
    assert spool.ready == steps * UNIT
    assert spool.at_hand is (steps > 0)
    session.close()
    spool.close()
    log.close()


def test_a_stream_to_a_disk_takes_no_room_ahead(tmp_path: Path) -> None:
    log = Log(directory=tmp_path)
    assert log.store.descriptor is not None
    spool = Spool(os.dup(log.store.descriptor))
    session = Session(1, Endpoint("AF_INET", "tcp", "listen", ("127.0.0.1", 0)), *find("inet/tcp"), None, spool)
    with patch.object(reading, "OF_SPARE", 1):
        session.open(session.endpoint.local, None)
        session.reading.prepare()
    # Temporary files may be in memory themselves.
    assert bool(session.reading.preparing) is spool.in_memory
    session.close()
    spool.close()
    log.close()


def test_a_ring_has_room_for_a_flood_at_hand_and_no_more_as_time_passes() -> None:
    needs("packet/raw")
    log = Log()
    assert log.store.descriptor is not None
    spool = Spool(os.dup(log.store.descriptor))
    # ETH_P_802_EX1, which nobody sends.
    session = Session(1, Endpoint("AF_PACKET", "raw", "bind", ("lo", 0x88B5)), *find("packet/raw"), None, spool)
    with patch.object(reading, "OF_SPARE", 1):
        session.open(session.endpoint.local, None)
        assert session.reading.ring is not None
        _prepare(session)
        while session.reading.preparing:
            _prepare(session)
        for _ in range(8):
            session.drops.ask()
            _prepare(session)
    assert spool.ready == MOST_AHEAD
    session.close()
    spool.close()
    log.close()


def test_room_is_no_longer_looked_for_when_a_buffer_was_made_too_small_for_a_flood() -> None:
    """An engine that has room to find does not sleep, and would never have found it."""
    log = Log()
    assert log.store.descriptor is not None
    spool = Spool(os.dup(log.store.descriptor))
    session = Session(1, Endpoint("AF_INET", "udp", "bind", ("127.0.0.1", 0)), *find("inet/udp"), None, spool)
    session.open(session.endpoint.local, None)
    session.granted["receive_buffer"] = LARGE_BUFFER
    with patch.object(reading, "OF_SPARE", 1):
        _prepare(session)
    assert session.reading.preparing
    session.granted["receive_buffer"] = LARGE_BUFFER - 1
    _prepare(session)
    assert not session.reading.preparing
    session.close()
    spool.close()
    log.close()


def test_rows_of_a_quiet_session_do_not_wait_for_the_end_of_a_flood() -> None:
    """A flood's session is handed over at every turn, whatever is due."""
    incoming, outgoing = os.pipe()
    engine, log = Engine(incoming, outgoing), Log()
    assert log.store.descriptor is not None
    endpoint = Endpoint("AF_INET", "udp", "bind", ("127.0.0.1", 0))
    flooded, quiet = (
        Session(number, endpoint, *find("inet/udp"), None, spool)
        for number, spool in enumerate((Spool(os.dup(log.store.descriptor)), Spool()), 1)
    )
    engine.sessions |= {1: flooded, 2: quiet}
    flooded.changed = quiet.changed = False
    clock = engine._last_flush = engine._last_status = 1000.0
    try:
        quiet.spool.add(b"a line")
        with patch("sockexplorer.engine.server.time.monotonic", lambda: clock):
            while quiet.spool.pending:
                clock += FLUSH_SECONDS / 4
                assert clock < 1000 + 2 * FLUSH_SECONDS
                flooded.spool.add(bytes(100))
                flooded.spool.flush()
                engine._flush()
    finally:
        engine.stop()
        engine.run()
        log.close()
        os.close(incoming)
        os.close(outgoing)
