"""Which row a person means by a number, a share of all, or a time."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.capture.log import Log
from sockexplorer.capture.places import row_of
from sockexplorer.engine.spool import Spool

SECOND = 1_000_000_000
NOON = int(time.mktime((2026, 7, 28, 12, 0, 0, 0, 0, -1))) * SECOND
LATER = int(time.mktime((2026, 7, 29, 9, 30, 0, 0, 0, -1))) * SECOND
TIMES = [NOON, NOON + 1, NOON + SECOND * 3 // 2, NOON + 61 * SECOND, LATER, LATER + 250_000_000]


def a_log(times: list[int]) -> Log:
    log, spool = Log(), Spool()
    for each in times:
        spool.add(b"x", stamp=each)
    log.append(spool.take())
    return log


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("1", 1), ("6", 6), (" 4 ", 4), ("0%", 1), ("50 %", 3), ("100%", 6), ("+0", 1), ("+1.5", 3),
        ("+1,500000001", 4), ("12:00", 1), ("12:00:01", 3), ("12:00:01.5", 3), ("12:01", 4), ("13:00", 5),
        ("2026-07-29", 5), ("00:00", 1), ("2026-07-29T09:30:00.1", 6), (str(LATER // SECOND) + ".0", 5),
    ],
)  # fmt: skip
def test_places(text: str, row: int) -> None:
    assert row_of(text, a_log(TIMES), 1, NOON) == row


def test_a_time_of_day_is_of_the_day_of_the_row_that_is_looked_at() -> None:
    log = a_log(TIMES)
    assert row_of("09:30:00.1", log, 5, NOON) == 6
    assert row_of("09:30:00.1", log, 1, NOON) == row_of("09:30:00.1", log, None, NOON) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0", "there is no row 0: they go from 1 to 6"), ("1,000", "no row 1,000"), ("101%", "more than all"),
        ("", "a row or a time: 1234, 50%"), ("soon", "soon is neither a row nor a time"), ("25:00", "neither"),
        ("\x1b[2J", "x1b"), ("2030-01-01", "no row is as late"), ("+99999999", "no row is as late"), ("-1", "neither"),
        ("1__000", "neither"), ("٣", "neither"),
    ],
)  # fmt: skip
def test_what_is_no_place_is_said(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says.replace("+", "[+]")) as raised:
        row_of(text, a_log(TIMES), 1, NOON)
    assert "\x1b" not in str(raised.value)


@given(st.text(max_size=12) | st.from_regex(r"[+]?[0-9:.,%T-]{1,14}", fullmatch=True))
def test_nothing_that_is_typed_breaks_it(text: str) -> None:
    log = a_log(TIMES)
    with suppress(ValueError):
        assert log.first <= row_of(text, log, 3, NOON) < log.end


def test_without_rows_there_is_no_place() -> None:
    with pytest.raises(ValueError, match="there is no row"):
        row_of("1", Log(), None, 0)
