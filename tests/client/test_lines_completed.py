"""A log of candump that ends within a line: what was said of the half is said of the whole, once the rest came."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from filtered import indexed
from support import wait

from sockexplorer.capture.log import Frame
from sockexplorer.capture.statistics import Statistics
from sockexplorer.client.file_session import FileSession
from sockexplorer.client.finding import filter_of
from sockexplorer.ui.visible_rows import VisibleRows

FIRST = b"(1.000000) can0 123#0011\n"
FILTERS = ("dir==out", "len>70", "can.data~ad", "can.id==124", "124", "AD", "/#1?DE/", "peer~can", "not dir==out")


def rows_of(session: FileSession, text: str) -> VisibleRows:
    rows = VisibleRows()
    rows.begin(session, filter_of(text, session))
    return look(rows)


def look(rows: VisibleRows) -> VisibleRows:
    """Have the filter look at all rows; of a large file they wait until their origins are known."""

    def looked() -> bool:
        rows.sift(time.monotonic() + 60)
        return not rows.behind

    wait(looked, "the filter to look at all rows")
    return rows


def counted(session: FileSession) -> Statistics:
    def kind(frame: Frame) -> str:
        return session.summary(frame)[:3]

    found = session.statistics(kind, str)
    wait(lambda: not found.go_on(60) and not found.behind, "all rows to be counted")
    return found


@pytest.mark.parametrize("vectorised_from", [0, 2**20])
@pytest.mark.parametrize(
    ("half", "rest"),
    [
        (b"(2.000000) can0 124#", b"#1DEADBEEF T\n"),
        (b"(2.000000) can0 124#DE", b"AD\n(3.000000) can1 125#00"),
        (b"(2.000000) can0 124#DE", b"A"),
        (b"(2.000000) can0 124#DEAD", b" no frame\n"),
        (b"(2.000000) can0 124#DEAD", b"\n# no more\n"),
    ],
)
def test_what_was_said_of_the_beginning_is_said_of_the_whole(
    tmp_path: Path, half: bytes, rest: bytes, vectorised_from: int
) -> None:
    path = tmp_path / "bus.log"
    path.write_bytes(FIRST + half)
    session = indexed(path, vectorised_from)
    kept = [rows_of(session, each) for each in FILTERS]
    early = counted(session)
    assert session.log.end == early.total.frames + 1 == 3
    with path.open("ab") as file:
        file.write(rest)
    wait(lambda: session.log.reread, "the line to be read again")
    whole = indexed(path, vectorised_from) if rest.endswith(b"\n") else session
    wait(lambda: session.log.end == whole.log.end, "all of it")
    try:
        assert early.outgrown
        assert not counted(session).outgrown
        assert counted(session).total == counted(whole).total
        assert counted(session).kinds == counted(whole).kinds
        assert session.log.counts == whole.log.counts  # type: ignore[attr-defined]
        for text, rows in zip(FILTERS, kept, strict=True):
            assert look(rows).matching == rows_of(whole, text).matching, text
    finally:
        for each in {id(session): session, id(whole): whole}.values():
            each.release()
            each.log.close()
