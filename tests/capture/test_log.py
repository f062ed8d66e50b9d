"""The log of a session: bounded, its rows numbered for life, nothing lost uncounted."""

from __future__ import annotations

import errno
import os
import resource
import signal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.capture import store as stores
from sockexplorer.capture.log import Frame, Log
from sockexplorer.capture.store import FileStore, MemoryStore, Store
from sockexplorer.core.frames import PAGE, Flag
from sockexplorer.core.units import UNIT
from sockexplorer.engine.spool import Spool

META = st.none() | st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=5), min_size=1, max_size=2)
FLAGS = st.sampled_from([0, 0, 0, Flag.OUT, Flag.TRUNCATED, Flag.EVENT, Flag.OUT | Flag.TRUNCATED])
ROWS = st.tuples(
    st.binary(max_size=60), FLAGS, st.integers(0, 9), st.integers(0, 2**32 - 1), st.integers(0, 2**63), META
)
BATCHES = st.lists(st.lists(ROWS, max_size=12), max_size=12)


def fill(log: Log, spool: Spool, batch: list[tuple]) -> list[Frame]:  # type: ignore[type-arg]
    """Record a batch as an engine does, hand it to the log; the frames as they must be read back."""
    expected = []
    for payload, flags, peer, length, time, meta in batch:
        spool.add(payload, int(flags), peer, length, time, meta)
        flag = int(flags) | (Flag.META if meta else 0)
        expected.append(Frame(log.end + len(expected), time, length, peer, flag, payload, meta or {}))
    log.append(spool.take())
    return expected


@given(BATCHES, st.integers(0, 2000))
def test_bounded_counted_and_read_back(batches: list[list], limit: int) -> None:  # type: ignore[type-arg]
    log, spool, expected = Log(limit), Spool(), list[Frame]()
    newest = 1
    for batch in batches:
        newest = len(expected) + 1 if batch else newest
        expected += fill(log, spool, batch)
        assert log.size <= limit or log.first == newest, "the newest block stays, and no other beyond the limit"
        kept = expected[log.first - 1 :]
        assert len(log) == len(kept)
        assert [log.frame(number) for number in range(log.first, log.end)] == kept
        traffic = [each for each in expected if not each.flags & Flag.EVENT]
        still = [each for each in kept if not each.flags & Flag.EVENT]
        assert log.received == sum(not each.outgoing for each in traffic)
        assert log.sent == sum(each.outgoing for each in traffic)
        assert log.received + log.sent == len(still) + log.dropped
        assert log.bytes_in == sum(each.length for each in traffic if not each.outgoing)
        assert log.bytes_out == sum(each.length for each in traffic if each.outgoing)


@given(st.lists(st.tuples(st.integers(0, 3_000_000), st.binary(min_size=1, max_size=9)), max_size=9))
def test_memory_holds_what_a_file_would(writes: list[tuple[int, bytes]]) -> None:
    both: list[Store] = [FileStore(), MemoryStore()]
    for offset, data in [(4_000_000, b"the end"), *writes]:
        for store in both:
            store.write(memoryview(data * 100_000), offset)
    for offset, size in [(0, 4_000_000), (1_048_570, 20), (2**20, 2**20), (3_999_999, 3)]:
        assert both[0].read(size, offset) == both[1].read(size, offset)
    for store in both:
        store.counters[0] = 7
        store.give_back(PAGE, 2**20)
        assert store.counters[0] == 7
        assert not any(store.read(2**20 - PAGE, PAGE))
    assert both[0].read(10**6, 3 * 2**20) == both[1].read(10**6, 3 * 2**20)


@given(BATCHES)
def test_a_shared_spool_is_read_as_one_that_was_sent(batches: list[list]) -> None:  # type: ignore[type-arg]
    sent, shared = Log(), Log()
    own, theirs = Spool(), Spool(os.dup(shared.store.descriptor or 0))
    for batch in batches:
        expected = fill(sent, own, batch)
        for payload, flags, peer, length, time, meta in batch:
            theirs.add(payload, int(flags), peer, length, time, meta)
        assert shared.catch_up() == 0
        theirs.flush()
        assert bool(shared.catch_up()) == bool(expected)
    assert [shared.frame(number) for number in range(1, shared.end)] == [
        sent.frame(number) for number in range(1, sent.end)
    ]
    counted = [(log.received, log.sent, log.bytes_in, log.bytes_out, log.dropped) for log in (sent, shared)]
    assert counted[0] == counted[1]


def test_of_a_long_payload_no_more_is_read_than_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    log, spool = Log(), Spool()
    for byte in b"ab":
        spool.add(bytes([byte]) * 300_000, peer=byte)
    log.append(spool.take())
    sizes: list[int] = []
    read = log.store.read
    monkeypatch.setattr(log.store, "read", lambda size, offset: sizes.append(size) or read(size, offset))
    assert log.head(2, 10).payload == b"b" * 10
    assert log.head(1, 20).payload == b"a" * 20
    assert sum(sizes) < 1000
    assert log.frame(2).payload == b"b" * 300_000


def test_memory_is_given_back() -> None:
    limit, piece = 2 * UNIT, b"x" * 50_000
    log, spool = Log(limit), Spool()
    for _ in range(400):
        fill(log, spool, [(piece, 0, 0, len(piece), 1, None)])
    assert log.received == 400 == len(log) + log.dropped
    blocks = os.fstat(log.store.descriptor or 0).st_blocks * 512
    assert log.size <= limit
    assert blocks <= limit + UNIT + 2 * len(piece)
    log.clear()
    assert os.fstat(log.store.descriptor or 0).st_blocks * 512 <= UNIT


def test_frames_that_the_file_has_no_room_for_are_counted_and_told(tmp_path: Path) -> None:
    told: list[dict[str, object]] = []
    log = Log(None, tmp_path, told.extend)
    spool = Spool(os.dup(log.store.descriptor or 0))
    spool.add(b"first")
    spool.flush()
    size = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (spool.end + 8, size[1]))
    try:
        spool.peers.add("key", ("127.0.0.1", 9))
        spool.add(b"second")
        spool.add(b"third")
        spool.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, size)
        signal.signal(signal.SIGXFSZ, before)
    log.catch_up()
    assert (log.received, log.dropped, log.unkept, len(log)) == (3, 2, 2, 1)
    spool.add(b"fourth")
    spool.flush()
    spool.flush()
    log.catch_up()
    assert [log.frame(number).payload for number in range(1, log.end)] == [b"first", b"fourth", b""]
    assert log.frame(3).meta["count"] == 2
    assert [each["address"] for each in told] == ["('127.0.0.1', 9)"], "whoever could not be told of is told of later"
    assert (log.received, log.dropped) == (4, 2)


def test_events_that_the_file_has_no_room_for_are_no_frames(tmp_path: Path) -> None:
    log = Log(None, tmp_path)
    spool = Spool(os.dup(log.store.descriptor or 0))
    size = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (PAGE, size[1]))
    try:
        spool.event("accepted", "accepted from …")
        spool.add(b"a frame")
        spool.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, size)
        signal.signal(signal.SIGXFSZ, before)
    log.catch_up()
    assert (log.received, log.dropped, log.unkept) == (1, 1, 1)


def test_frames_of_a_message_that_the_file_has_no_room_for_are_counted(tmp_path: Path) -> None:
    """From an engine elsewhere: each block that finds room is kept, and those who speak later are known."""
    told: list[dict[str, object]] = []
    log, spool = Log(None, tmp_path, told.extend), Spool()
    first, second = bytes(1000), bytes(5000)
    for payload in (first, second):
        spool.add(payload)
        spool.flush()
    spool.peers.add("key", ("127.0.0.1", 9))
    spool.add(second, Flag.OUT, 1)
    message = spool.take()
    size = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (PAGE + 2000, size[1]))
    try:
        log.append(message)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, size)
        signal.signal(signal.SIGXFSZ, before)
    log.catch_up()
    assert (log.received + log.sent, log.dropped, log.unkept) == (3, 2, 2)
    assert [each["address"] for each in told] == ["('127.0.0.1', 9)"]
    spool.add(b"fourth", 0, 1)
    log.append(spool.take())
    log.catch_up()
    assert [log.frame(number).payload for number in range(log.first, log.end)] == [first, b"fourth"]
    assert (log.received + log.sent, log.dropped, log.unkept) == (4, 2, 2)


def test_what_can_not_be_mapped_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mapping takes address space and a descriptor, of which a process may have none left."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOMEM, "no address space")

    log, spool = Log(None), Spool()
    fill(log, spool, [(b"x" * 50_000, 0, 0, 50_000, 1, None)] * 3)
    monkeypatch.setattr(stores.mmap, "mmap", refuse)
    assert [bytes(block.view(row)) for block in log.passing() for row in range(3)] == [b"x" * 50_000] * 3


@given(BATCHES, BATCHES)
def test_clear_keeps_numbers_and_counters(first: list[list], second: list[list]) -> None:  # type: ignore[type-arg]
    log, spool = Log(), Spool()
    for batch in first:
        fill(log, spool, batch)
    end, counters = log.end, (log.received, log.sent, log.bytes_in, log.dropped)
    log.clear()
    assert (len(log), log.size, log.first, log.end) == (0, 0, end, end)
    assert (log.received, log.sent, log.bytes_in, log.dropped) == counters
    expected: list[Frame] = []
    for batch in second:
        expected += fill(log, spool, batch)
    assert [log.frame(number) for number in range(log.first, log.end)] == expected
    assert log.first == end


def test_rows_count_from_one_as_those_of_files_do() -> None:
    log, spool = Log(), Spool()
    assert (log.first, log.end, len(log), log.since(0)) == (1, 1, 0, 1)
    fill(log, spool, [(b"x", 0, 0, 1, time, None) for time in (10, 20, 30)])
    assert (log.first, log.end, len(log)) == (1, 4, 3)
    assert [log.since(time) for time in (0, 10, 11, 30, 31)] == [1, 1, 2, 3, 4]
    assert [frame.number for frame in (log.frame(1), log.head(1, 9))] == [1, 1]


@given(st.lists(ROWS, min_size=1, max_size=10), st.integers(0, 70))
def test_the_head_is_the_beginning_of_the_frame(batch: list, limit: int) -> None:  # type: ignore[type-arg]
    log = Log()
    for frame in fill(log, Spool(), batch):
        head = log.head(frame.number, limit)
        assert head._replace(payload=b"") == frame._replace(payload=b"")
        assert frame.payload.startswith(head.payload)
        assert len(head.payload) >= min(limit, len(frame.payload))
        assert log.time(frame.number) == frame.time


@pytest.mark.parametrize("number", [-1, 0, 5, 9, 2**40])
def test_a_row_that_is_not_kept_is_an_index_error(number: int) -> None:
    log, spool = Log(), Spool()
    fill(log, spool, [(b"x", 0, 0, 1, 1, None)] * 5)
    log.clear()
    fill(log, spool, [(b"y", 0, 0, 1, 1, None)] * 3)
    for read in (log.frame, log.time, lambda each: log.head(each, 5)):
        with pytest.raises(IndexError):
            read(number)
    assert log.frame(6).payload == b"y"


def test_blocks_that_lie_are_refused_and_leave_the_log_alone() -> None:
    log, spool = Log(), Spool()
    spool.add(b"abc")
    body = spool.take()
    wrong = (body[:-1], body + b"x", b"\4" + body[1:], body[:4] + b"\2" + body[5:], body[:8] + b"\xff" + body[9:])
    for bad in (*wrong, body + body[:20], body[:24] + b"\x09" + body[25:]):
        with pytest.raises(ValueError, match="block"):
            log.append(bad)
    assert (len(log), log.received, log.size) == (0, 0, 0)
    log.append(body)
    assert log.frame(1).payload == b"abc"
    log.append(b"")
    assert len(log) == 1


def test_events_have_a_name_and_are_no_traffic() -> None:
    log, spool = Log(), Spool()
    spool.event("accepted", "accepted from …", 3, connection=True)
    log.append(spool.take())
    frame = log.frame(1)
    assert (frame.event, frame.peer, frame.payload) == ("accepted", 3, b"")
    assert frame.meta["text"] == "accepted from …"
    assert (log.received, log.sent) == (0, 0)
