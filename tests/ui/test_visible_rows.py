"""Rows and lines of the traffic: what a filter leaves in sight, what a pause holds back, what the log drops."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from sockexplorer.capture.filter import compile_filter
from sockexplorer.capture.log import Log
from sockexplorer.client.session import Session
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.engine.spool import Spool
from sockexplorer.families import find
from sockexplorer.ui.visible_rows import VisibleRows

ROWS = 30


@pytest.fixture
def session() -> Iterator[Session]:
    """Thirty rows, of which every third has ``yes``."""
    spool = Spool()
    session = Session(1, Endpoint("AF_INET", "udp", "bind"), *find("inet/udp"), Log())
    for number in range(ROWS):
        spool.add(b"no" if number % 3 else b"yes")
    session.log.append(spool.take())
    yield session
    session.log.close()
    spool.close()


def sifted(session: Session, expression: str = "yes", *, hiding: bool = True) -> VisibleRows:
    rows = VisibleRows()
    rows.hiding = hiding
    rows.begin(session, compile_filter(expression, session.peer_name))
    while rows.behind:
        rows.sift(time.monotonic() + 1)
    return rows


def test_every_line_leads_to_its_row_and_back(session: Session) -> None:
    for rows, count in ((sifted(session), 10), (sifted(session, hiding=False), ROWS), (sifted(session, ""), ROWS)):
        numbers = [rows.number_at(line) for line in range(rows.line_count())]
        assert len(numbers) == count
        assert [rows.line_of(each) for each in numbers if each is not None] == list(range(count))
        assert rows.number_at(count) is rows.number_at(-1) is None


def test_the_line_of_a_hidden_row_is_that_of_the_next_in_sight(session: Session) -> None:
    rows = sifted(session)
    first, second = rows.matching[:2]
    assert rows.line_of(first + 1) == rows.line_of(second) == 1


def test_the_line_of_a_row_is_known_once_the_next_in_sight_is(session: Session) -> None:
    rows, first = VisibleRows(), session.log.first
    rows.begin(session, compile_filter("yes", session.peer_name))
    assert not rows.knows_line_of(first)
    # As if the time had been up there: rows 11 and 12 were looked at, and do not pass.
    rows.paused_at = first + 12
    rows.sift(time.monotonic() + 1)
    assert rows.knows_line_of(first + 10)
    rows.paused_at = None
    assert rows.knows_line_of(first + 9)
    assert not rows.knows_line_of(first + 10)
    rows.hiding = False
    assert rows.knows_line_of(first + 20)


def test_matches_are_found_both_ways_and_end(session: Session) -> None:
    rows = sifted(session, hiding=False)
    first, second, last = rows.matching[0], rows.matching[1], rows.matching[-1]
    assert rows.match_beside(first, 1) == rows.match_beside(first + 1, 1) == second
    assert rows.match_beside(second, -1) == rows.match_beside(first + 1, -1) == first
    assert rows.match_beside(first, -1) is rows.match_beside(last, 1) is None


def test_a_pause_holds_rows_back_from_the_filter_as_well(session: Session) -> None:
    rows = VisibleRows()
    rows.begin(session, compile_filter("yes", session.peer_name))
    rows.paused_at = session.log.first + 10
    while rows.behind:
        rows.sift(time.monotonic() + 1)
    assert rows.matches() == (4, 10)
    rows.paused_at = None
    assert rows.behind == ROWS - 10


@pytest.mark.parametrize(("hiding", "gone"), [(True, 4), (False, 10)])
def test_as_many_lines_go_as_rows_in_sight_were_dropped(session: Session, hiding: bool, gone: int) -> None:
    rows = sifted(session, hiding=hiding)
    lines, kept = rows.line_count(), rows.number_at(gone)
    assert rows.forget(session.log.first + 10) == gone
    assert rows.line_count() == lines - gone
    assert rows.number_at(0) == kept
    assert rows.forget(session.log.first + 10) == 0


def test_without_a_session_nothing_is_in_sight() -> None:
    rows = VisibleRows()
    rows.begin(None, compile_filter("yes", str))
    assert (rows.line_count(), rows.matches(), rows.behind, rows.number_at(0)) == (0, (0, 0), 0, None)
