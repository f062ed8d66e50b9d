"""Times in a filter: what is written is the moment that datetime makes of it, to the nanosecond; clocks are of here."""

from __future__ import annotations

import operator
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.capture import pcapng
from sockexplorer.capture.captured_log import CapturedLog
from sockexplorer.capture.column_sift import ColumnSift
from sockexplorer.capture.filter import compile_filter
from sockexplorer.capture.index import Index
from sockexplorer.capture.log import Frame
from sockexplorer.capture.moments import DAY, SECOND, Moment, clock_of, offset_of, read_time

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FRACTIONS = st.one_of(st.just(""), st.text("0123456789", min_size=1, max_size=9))


@pytest.fixture(scope="module", params=ZONES)
def zone(request: pytest.FixtureRequest) -> Iterator[ZoneInfo]:
    """Clocks of somewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        offset_of.cache_clear()
        yield ZoneInfo(request.param)
    time.tzset()
    offset_of.cache_clear()


def nanoseconds(when: datetime) -> int:
    return (when - EPOCH) // timedelta(microseconds=1) * 1000


@given(
    st.datetimes(datetime(1970, 1, 3), datetime(2200, 1, 1)).map(lambda when: when.replace(microsecond=0)),
    FRACTIONS, st.integers(-14 * 60, 14 * 60), st.sampled_from("T "),
)  # fmt: skip
def test_a_moment_with_an_offset(when: datetime, fraction: str, minutes: int, between: str) -> None:
    shift = timezone(timedelta(minutes=minutes))
    offset = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    text = f"{when:%Y-%m-%d}{between}{when:%H:%M:%S}{'.' * bool(fraction)}{fraction}"
    wanted = nanoseconds(when.replace(tzinfo=shift)) + int(fraction.ljust(9, "0") or 0)
    assert read_time(text + offset) == Moment(wanted)
    assert read_time(text + "Z") == Moment(wanted + minutes * 60 * SECOND)


@given(
    st.datetimes(datetime(1970, 1, 3), datetime(2037, 1, 1)).map(lambda when: when.replace(microsecond=0)), FRACTIONS
)
def test_a_moment_without_an_offset_is_of_here(zone: ZoneInfo, when: datetime, fraction: str) -> None:
    text = f"{when:%Y-%m-%dT%H:%M:%S}{'.' * bool(fraction)}{fraction}"
    found = read_time(text)
    # Of an hour that comes twice it is the first; one that does not come is read as datetime reads it.
    assert found == Moment(nanoseconds(when.replace(tzinfo=zone)) + int(fraction.ljust(9, "0") or 0))


@given(st.integers(0, 23), st.integers(0, 59), st.none() | st.integers(0, 59), FRACTIONS)
def test_a_time_of_day(hours: int, minutes: int, seconds: int | None, fraction: str) -> None:
    text, wanted = f"{hours}:{minutes:02}", (hours * 3600 + minutes * 60) * SECOND
    if seconds is not None:
        text += f":{seconds:02}{'.' * bool(fraction)}{fraction}"
        wanted += seconds * SECOND + int(fraction.ljust(9, "0") or 0)
    assert read_time(text) == Moment(wanted, of_day=True)
    assert read_time(text.rjust(len(text) + (hours < 10), "0")) == Moment(wanted, of_day=True)


@given(st.integers(0, 10**10 - 1), FRACTIONS)
def test_seconds_since_the_epoch(seconds: int, fraction: str) -> None:
    text = f"{seconds}{'.' * bool(fraction)}{fraction}"
    assert read_time(text) == Moment(seconds * SECOND + int(fraction.ljust(9, "0") or 0))


def test_a_day_begins_at_its_midnight(zone: ZoneInfo) -> None:
    for day in (date(2026, 7, 28), date(2026, 1, 2)):
        assert read_time(day.isoformat()) == Moment(nanoseconds(datetime(day.year, day.month, day.day, tzinfo=zone)))


@pytest.mark.parametrize(
    "text",
    ["", "x", "24:00", "14:60", "14:05:60", "14:5", "14:05.5", "1.", "2026-13-01", "2026-02-30",
     "0001-01-01T00:00+23:00", "9999-12-31T23:59:59-23:00", "2026-07-28T25:00", "-1", "99999999999",
     "14:05:30.1234567890", "2026-07-28T14:05:30.0000001234", "20260728T140530.5", "2026-07-28T14:05.5",
     "2026-07-28T14:05:30+02:00:00.5", "2026-07-28T14.5"],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_time(text)


def test_a_comma_is_as_good_as_a_point() -> None:
    """ISO 8601 has both."""
    assert read_time("2026-07-28T14:05:30,25Z") == read_time("2026-07-28T14:05:30.25Z")
    assert read_time("14:05:30,25") == read_time("14:05:30.25")


@given(st.integers(0, 2**62))
def test_the_clock_is_that_of_here(zone: ZoneInfo, when: int) -> None:
    # What zoneinfo and the C library know of rules beyond 2037 may differ.
    when %= (2037 - 1970) * 365 * DAY
    local = (EPOCH + timedelta(seconds=when // SECOND)).astimezone(zone)
    wanted = (local.hour * 3600 + local.minute * 60 + local.second) * SECOND + when % SECOND
    assert clock_of(when) == wanted


@pytest.mark.parametrize("when", [0, 1, 2**63 - 1, 2**64 - 1])
def test_every_time_that_a_file_can_have_has_a_clock(zone: ZoneInfo, when: int) -> None:
    assert 0 <= clock_of(when) < DAY


def test_many_times_at_once_are_compared_as_each_by_itself(zone: ZoneInfo, tmp_path: Path) -> None:
    """Every 23 minutes around the changes of clocks in 2026, and at both ends of what a file can have."""
    begin = nanoseconds(datetime(2026, 1, 1, tzinfo=UTC))
    times = [0, 1, 2**63 - 1, *range(begin, begin + 365 * DAY, 23 * 60 * SECOND + 1)]
    path = tmp_path / "times.pcapng"
    packets = b"".join(pcapng.packet(0, each, (b"x",), 1, False) for each in times)
    path.write_bytes(pcapng.section("x", "") + pcapng.interface(147) + packets)
    log = CapturedLog(Index(path, 0), lambda number, record: Frame(number, record.time, 1, 0, 0, b"x", {}))
    try:
        for _ in log.steps():
            pass
        assert log.end == len(times) + 1
        clocks = list(map(clock_of, times))
        for text in (
            "14:05", "0:00", "2:00", "20:00", "02:30:00.000000001", "2026-03-29T02:30", "2026-10-25T02:30",
            "1774747800",
        ):  # fmt: skip
            moment = read_time(text)
            for sign, compare in (("<", operator.lt), (">=", operator.ge), ("==", operator.eq)):
                predicate = compile_filter(f"time{sign}{text}", str)
                assert predicate is not None
                sift = ColumnSift(log, predicate, predicate.test)  # type: ignore[attr-defined]
                number, found = 1, []
                while number < log.end:
                    number, passed = sift.go_on(number, log.end, time.monotonic() + 60)
                    found += passed
                values = clocks if moment.of_day else times
                wanted = [at for at, value in enumerate(values, 1) if compare(value, moment.nanoseconds)]
                assert found == wanted, (text, sign)
    finally:
        log.close()
