"""Memory for a stream in bulk is found on another processor, ahead of the bytes."""

from __future__ import annotations

import mmap
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sockexplorer.capture.log import Log
from sockexplorer.core.units import UNIT
from sockexplorer.engine import ahead, streams
from sockexplorer.engine.ahead import Ahead
from sockexplorer.engine.places import HURRIED
from sockexplorer.engine.spool import Spool
from sockexplorer.engine.stream_rows import StreamRows

MIB = 2**20
PATIENCE = 30.0


def wait(until: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.fixture
def log() -> Iterator[Log]:
    made = Log(None)
    yield made
    made.close()


@pytest.fixture
def spool(log: Log, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spool]:
    """The spool that an engine would have of the log, on a machine of two processors or more."""
    monkeypatch.setattr(ahead, "AVAILABLE", True)
    assert log.store.descriptor is not None
    made = Spool(os.dup(log.store.descriptor))
    yield made
    made.close()


def taken(log: Log) -> int:
    """Bytes that the file takes."""
    assert log.store.descriptor is not None
    return os.fstat(log.store.descriptor).st_blocks * 512


def mappings(descriptor: int | None) -> int:
    """How often this process has a file mapped."""
    assert descriptor is not None
    inode = os.fstat(descriptor).st_ino
    return sum(line.split()[4] == str(inode) for line in Path("/proc/self/maps").read_text().splitlines())


def test_the_answers_say_which_pages_are_there() -> None:
    with mmap.mmap(-1, 2 * UNIT) as memory:
        found = Ahead()
        found.order(memory, UNIT, UNIT)
        wait(lambda: found.waiting == 0 or list(found.answers()) == [(UNIT, True)])
        assert found.waiting == 0
        found.close()


def test_the_next_bytes_go_where_memory_was_found(log: Log, spool: Spool) -> None:
    rows = StreamRows(spool)
    rows.add(bytes(MIB), 0)
    assert rows.window(MIB) is None, "nothing is at hand yet"
    spool.hurry()
    wait(lambda: taken(log) >= MIB + HURRIED * UNIT)
    for _ in range(UNIT // MIB):
        rows.add(bytes(MIB), 0)
    assert rows.window(MIB) is not None
    before = taken(log)
    for _ in range((HURRIED - 1) * UNIT // (2 * MIB)):
        rows.add(b"x" * MIB, 0)
        spool.hurry()
    log.catch_up()
    assert log.frame(log.end - 1).payload.strip(b"x") == b""
    wait(lambda: taken(log) > before)
    assert taken(log) < log.bytes_in + (HURRIED + 3) * UNIT, "no more than is filled soon"


def test_a_unix_stream_that_comes_as_fast_as_it_is_read_has_memory_found_ahead(
    log: Log, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "TURN_SECONDS", 0)
    monkeypatch.setattr(streams, "WAIT_SECONDS", 0.5)
    here, there = socket.socketpair()
    with here, there:
        here.setblocking(False)
        reader = streams.StreamReader(here, spool, StreamRows(spool), 0, ancillary_data=True, bulk=True)
        sender = threading.Thread(target=there.sendall, args=(bytes(MIB),), daemon=True)
        sender.start()
        wait(lambda: reader.read() and taken(log) >= HURRIED * UNIT)
        sender.join(PATIENCE)


def test_a_session_that_ends_meanwhile_leaves_no_thread_and_no_mapping(log: Log) -> None:
    assert log.store.descriptor is not None
    # A thread of the test before may be about to end: only what is new counts.
    threads, before = set(threading.enumerate()), mappings(log.store.descriptor)
    for _ in range(20):
        spool = Spool(os.dup(log.store.descriptor))
        spool.hurry()
        spool.close()
    wait(lambda: set(threading.enumerate()) <= threads and mappings(log.store.descriptor) == before)
