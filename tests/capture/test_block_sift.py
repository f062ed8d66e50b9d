"""The filter and the statistics over blocks find what they find row by row."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.capture.block_sift import BlockSift
from sockexplorer.capture.filter import compile_filter
from sockexplorer.capture.log import Frame, Log
from sockexplorer.capture.predicate import OTHER, Compiled
from sockexplorer.capture.sifting import Sift
from sockexplorer.capture.statistics import BlockStatistics, Statistics
from sockexplorer.client.file_session import FileSession
from sockexplorer.core.frames import Flag
from sockexplorer.engine.spool import Spool

FOREVER = 60.0
NAMES = {0: "", 1: "127.0.0.1:53", 2: "Abba", 3: "b"}
PROTOCOLS = {0: "raw", 1: "arp", 2: "ipv4", 3: "ipv6"}
PAYLOADS = st.binary(max_size=6) | st.sampled_from([b"", b"ab", b"xabx", b"ABBA", b"a", b"b", b"\x00ab\xff"])
META = st.sampled_from([None, None, None, {"ttl": "abba"}, {"priority": 6}, {"credentials": {"pid": 6}}])
FRAMES = st.tuples(
    PAYLOADS,
    st.sampled_from([0, 0, int(Flag.OUT), int(Flag.TRUNCATED), int(Flag.LOCAL)]),
    st.integers(0, 3),
    st.integers(0, 9),
    META,
)
EVENTS = st.tuples(st.just(b""), st.just(int(Flag.EVENT)), st.integers(0, 3), st.integers(0, 9), st.just(
    {"event": "closed", "text": "abba left"}))  # fmt: skip
LOGS = st.lists(st.lists(FRAMES | EVENTS, max_size=8), max_size=4)
OF_COLUMNS = ["dir==in", "dir!=in", "len>2", "len==0", "n>=3", 'peer~"b"', 'peer=="b"', "time>1970-01-01T00:00:00Z",
              "protocol==arp", "proto!=raw", "protocol~ip", "protocol~/^ip/"]  # fmt: skip
OF_FRAMES = ["ab", "ABBA", '""', "hex:61", "hex:00 61", r"\x61", r"\x00a", r"\xff", "/a+b/", "é", "53", "event==closed",
             'event~""', "anc.priority", "anc.priority!=6", "anc.credentials.pid==6", "anc.sent_by"]  # fmt: skip
LEAVES = st.sampled_from(OF_COLUMNS) | st.sampled_from(OF_FRAMES)
PAIRS = st.sampled_from(["({} and {})", "({} or {})"])
FILTERS = st.recursive(
    LEAVES,
    lambda inner: st.builds(str.format, PAIRS, inner, inner) | st.builds("(not {})".format, inner),
    max_leaves=4,
)


def a_log(batches: list[list[tuple]]) -> Log:  # type: ignore[type-arg]
    log, spool = Log(), Spool()
    for batch in batches:
        for payload, flags, peer, moment, meta in batch:
            spool.add(payload, flags, peer, len(payload) + (flags & 2), moment, meta)
        log.append(spool.take())
    return log


def name(number: int) -> str:
    return NAMES[number]


def protocol(number: int) -> str:
    return PROTOCOLS[number]


@pytest.mark.parametrize("decoded", [False, True])
@given(LOGS, FILTERS, st.data())
def test_the_same_rows_as_by_the_predicate(
    decoded: bool, batches: list[list[tuple]], text: str, data: st.DataObject  # type: ignore[type-arg]
) -> None:  # fmt: skip
    log = a_log(batches)
    summary = (lambda frame: "ABBA" if frame.payload == b"a" else "") if decoded else (lambda frame: "")
    predicate = compile_filter(text, name, summary, protocol=lambda frame: protocol(frame.peer))
    assert predicate is not None
    sift = BlockSift(log, predicate, predicate.test, name, protocol, decoded=decoded)
    begin = data.draw(st.integers(1, log.end))
    end = data.draw(st.integers(begin, log.end))
    number, found = begin, []
    while number < end:
        after, matching = sift.go_on(number, end, time.monotonic() + data.draw(st.sampled_from([0, FOREVER])))
        assert after > number
        found += matching
        number = after
    assert found == [each for each in range(begin, end) if predicate(log.frame(each))]


@pytest.mark.parametrize("kind", ["row by row", "in blocks", "of a large file"])
def test_one_row_is_asked_at_most_when_the_time_is_over(kind: str, tmp_path: Path) -> None:
    asked = []

    def slow(frame: Frame) -> bool:
        asked.append(frame.number)
        return True

    log = a_log([[(b"ab", 0, 1, 5, None)] * 200])
    sift, first, end = Sift(log, slow), 1, 201
    if kind == "in blocks":
        sift = BlockSift(log, slow, OTHER, name, protocol, decoded=False)
    elif kind == "of a large file":
        (path := tmp_path / "a.log").write_text("(1.000000) can0 123#00\n" * 200)
        session = FileSession(1, path, keeps_index=False, vectorised_from=0)
        session.start()
        session.wait()
        sift = session.sift(Compiled(slow))
    number = first
    for turn in range(1, 4):
        number, told = sift.go_on(number, end, time.monotonic() - 1)
        assert list(told) == [first + turn - 1], "what passes is told at once, however many are still to be asked"
        assert asked == list(range(first, first + turn)), "a regular expression may take a row as long as a tick has"
    if kind == "of a large file":
        session.release()


@given(LOGS)
def test_the_same_counts_as_row_by_row(batches: list[list[tuple]]) -> None:  # type: ignore[type-arg]
    log = a_log(batches)
    by_row = Statistics(log, lambda frame: name(frame.peer))
    by_block = BlockStatistics(log, name)
    assert by_row.go_on(FOREVER) == by_block.go_on(FOREVER)
    for each in ("total", "peers", "lengths", "kinds", "behind"):
        assert getattr(by_row, each) == getattr(by_block, each), each
