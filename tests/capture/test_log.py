"""The log of a session: bounded, its rows numbered for life, nothing lost uncounted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.capture import log as module
from sockexplorer.capture.log import Frame, Log
from sockexplorer.core.frames import Flag
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
    log.append(*spool.take())
    return expected


@given(BATCHES, st.integers(0, 2000), st.integers(30, 700))
def test_bounded_counted_and_read_back(batches: list[list], limit: int, chunk: int) -> None:  # type: ignore[type-arg]
    before, module.CHUNK_BYTES = module.CHUNK_BYTES, chunk
    try:
        log, spool, expected = Log(limit), Spool(), list[Frame]()
        for batch in batches:
            expected += fill(log, spool, batch)
            newest = log._chunks[-1].size if log._chunks else 0
            assert log.size <= max(limit, newest)
            assert log.size == sum(each.size for each in log._chunks)
            kept = expected[log.first :]
            assert len(log) == len(kept)
            assert [log.frame(number) for number in range(log.first, log.end)] == kept
            traffic = [each for each in expected if not each.flags & Flag.EVENT]
            still = [each for each in kept if not each.flags & Flag.EVENT]
            assert log.received == sum(not each.outgoing for each in traffic)
            assert log.sent == sum(each.outgoing for each in traffic)
            assert log.received + log.sent == len(still) + log.dropped
            assert log.bytes_in == sum(each.length for each in traffic if not each.outgoing)
            assert log.bytes_out == sum(each.length for each in traffic if each.outgoing)
    finally:
        module.CHUNK_BYTES = before


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


@given(st.lists(ROWS, min_size=1, max_size=10), st.integers(0, 70))
def test_the_head_is_the_beginning_of_the_frame(batch: list, limit: int) -> None:  # type: ignore[type-arg]
    log = Log()
    for frame in fill(log, Spool(), batch):
        head = log.head(frame.number, limit)
        assert head._replace(payload=b"") == frame._replace(payload=b"")
        assert frame.payload.startswith(head.payload)
        assert len(head.payload) >= min(limit, len(frame.payload))
        assert log.time(frame.number) == frame.time


@pytest.mark.parametrize("number", [-1, 0, 4, 8, 2**40])
def test_a_row_that_is_not_kept_is_an_index_error(number: int) -> None:
    log, spool = Log(), Spool()
    fill(log, spool, [(b"x", 0, 0, 1, 1, None)] * 5)
    log.clear()
    fill(log, spool, [(b"y", 0, 0, 1, 1, None)] * 3)
    for read in (log.frame, log.time, lambda each: log.head(each, 5)):
        with pytest.raises(IndexError):
            read(number)
    assert log.frame(5).payload == b"y"


def test_a_batch_that_lies_is_refused_and_leaves_the_log_alone() -> None:
    log, spool = Log(), Spool()
    spool.add(b"abc")
    count, start, body = spool.take()
    for bad in ((2, start, body), (1, start + 1, body), (1, start, body + b"x"), (1, start, body[:-1])):
        with pytest.raises(ValueError, match="batch"):
            log.append(*bad)
    assert (len(log), log.received, log.size) == (0, 0, 0)
    log.append(count, start, body)
    assert log.frame(0).payload == b"abc"
    log.append(0, 3, b"")
    assert len(log) == 1


def test_events_have_a_name_and_are_no_traffic() -> None:
    log, spool = Log(), Spool()
    spool.event("accepted", "accepted from …", 3, connection=True)
    log.append(*spool.take())
    frame = log.frame(0)
    assert (frame.event, frame.peer, frame.payload) == ("accepted", 3, b"")
    assert frame.meta["text"] == "accepted from …"
    assert (log.received, log.sent) == (0, 0)
