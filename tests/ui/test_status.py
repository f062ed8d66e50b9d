"""The line over the traffic: what was lost is always in sight, and where it is short no word is cut."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from person import Person
from textual.widgets import Static

from sockexplorer.capture.log import Log
from sockexplorer.client.session import Session
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.families import find
from sockexplorer.ui.clock import amount, rate
from sockexplorer.ui.explain import empty_text
from sockexplorer.ui.status import status_text

People = Callable[..., Person]
LONGEST = 56
"""Cells that the line has in a terminal of 80, beside the rates of a session that lost frames."""


class Counts(SimpleNamespace):
    """What a log counts."""

    def __len__(self) -> int:
        return int(self.end)


def session_of(
    *, received: int = 0, sent: int = 0, drops: int = 0, trimmed: int = 0, unkept: int = 0, **more: Any
) -> Session:  # fmt: skip
    """A session that has seen so much: its log only counts, as nobody sends a thousand million frames in a test."""
    kept = {"dropped": trimmed + unkept, "unkept": unkept, "size": received << 6, "end": received + sent}
    log = cast(Log, Counts(received=received, sent=sent, **kept))
    endpoint = Endpoint("AF_INET", "udp", "bind", ("127.0.0.1", 9999))
    return Session(1, endpoint, *find("inet/udp"), log, drops=drops, **{"state": "bound", **more})


def shown(session: Session, width: int, *, rate_now: float = 0.0, paused_at: int | None = None, **more: Any) -> str:
    view = {"following": True, "behind": 0, **more}
    return status_text(session, rate_now, paused_at, width=width, **view).plain


@given(
    st.integers(0, 10**10), st.integers(0, 10**10), st.integers(0, 10**10), st.integers(0, 10**10),
    st.integers(40, 120), st.floats(0, 1e8), st.booleans(), st.integers(0, 10**9), st.sampled_from((None, 0.0, 2.5)),
)  # fmt: skip
def test_it_fits_whole_and_the_loss_is_in_it(
    received: int, sent: int, drops: int, trimmed: int, width: int, rate_now: float, following: bool, behind: int,
    timeout: float | None,
) -> None:  # fmt: skip
    session = session_of(received=received, sent=sent, drops=drops, trimmed=trimmed, timeout=timeout, by_number=True)
    line = shown(session, width, rate_now=rate_now, following=following, behind=behind)
    everything = shown(session, 1000, rate_now=rate_now, following=following, behind=behind)
    assert len(line) <= width
    assert line.startswith("⚠ ") is bool(drops or trimmed)
    assert "dropped" in line
    numbers = [each for each in (drops, trimmed) if each]
    for number in numbers or [0]:
        assert f"{number:,}" in line or amount(number) in line
    assert f"← {received:,}" in line or f"← {amount(received)}" in line
    numbers = [received, sent, drops, trimmed, behind]
    known = set(everything.split()) | {"G", "follows", *map(amount, numbers)}
    assert {each.strip(",") for each in line.split()} <= {each.strip(",") for each in known}, "a word was cut"


@pytest.mark.parametrize(
    ("drops", "trimmed", "wanted"),
    [
        (12_345_678, 0, "⚠ kernel dropped 12,345,678  "),
        (0, 12_345_678, "⚠ log dropped 12,345,678  "),
        (12_345_678, 12_345_678, "⚠ 12.3M dropped, log 12.3M  "),
    ],
)
def test_at_eighty_columns_it_says_who_lost_and_how_much_there_is(drops: int, trimmed: int, wanted: str) -> None:
    session = session_of(received=99_999_999, drops=drops, trimmed=trimmed)
    line = shown(session, LONGEST, rate_now=99_999.0)
    assert line.startswith(wanted)
    assert line.endswith("← 100M  6.0 GiB  100k/s")


@pytest.mark.parametrize("drops", [0, 12_345])
def test_at_eighty_columns_a_view_that_does_not_follow_has_room_for_loss_and_counts(drops: int) -> None:
    session = session_of(received=12_345_678, sent=3, drops=drops, trimmed=1_234_567)
    line = shown(session, LONGEST, rate_now=20_000.0, following=False)
    assert line.startswith("⚠ ")
    assert "▲ G follows  ← 12.3M  → 3" in line
    assert "754 MiB" in line or drops


@pytest.mark.parametrize(("state", "follows"), [("bound", False), ("closed", True), ("ended", True)])
def test_a_session_that_is_over_has_nothing_to_follow(state: str, follows: bool) -> None:
    assert ("not following" in shown(session_of(received=100, state=state), 120, following=False)) is not follows


def test_a_full_disk_is_no_full_log() -> None:
    assert shown(session_of(received=100, unkept=40), 120).startswith("⚠ 40 could not be kept  bound")
    everything = session_of(received=999_999, drops=12_345, trimmed=23_456, unkept=34_567)
    assert shown(everything, 200).startswith(
        "⚠ 12,345 dropped by the kernel, 23,456 dropped from the log, 34,567 could not be kept"
    )
    assert shown(everything, LONGEST) == "⚠ 12,345 dropped, log 23,456, 34,567 not kept  ← 999,999"


def test_what_is_so_most_of_the_time_gives_way_first() -> None:
    session = session_of(received=2_500_000, sent=12, by_number=True)
    wide = shown(session, 120, rate_now=100_000)
    assert wide == "bound  0 dropped  ← 2,500,000  → 12  153 MiB  blocking  by number  100k/s"
    lines = list(dict.fromkeys(shown(session, width, rate_now=100_000) for width in range(120, 8, -1)))
    gone = [next(n for n, line in enumerate(lines) if word not in line) for word in ("blocking", "by number", "MiB")]
    assert gone == sorted(gone)
    assert gone[0] < next(n for n, line in enumerate(lines) if "2,500,000" not in line)
    assert lines[-1] == "0 dropped"


def test_a_pause_and_a_wait_outlast_the_counts() -> None:
    waits = "connect() waits for an answer"
    session = session_of(received=123_456_789, sent=1, drops=5, state="connecting", waits=waits)
    line = shown(session, 64, paused_at=23_456_789)
    assert "‖ paused" in line
    assert waits in line
    assert line.startswith("⚠ 5 dropped")
    assert "‖ paused, 0 more  " in shown(session_of(received=1), 120, paused_at=1)
    assert "closed  0 dropped  ‖ paused, 1 more: p" in shown(session_of(received=2, state="closed"), 120, paused_at=1)
    closed = shown(session_of(received=1, state="closed", waits=waits), 120)
    assert not {"blocking", "waits"} & set(closed.split()), "no call waits any more"


@pytest.mark.parametrize("value", [0, 999, 999.6, 1000, 99_949, 99_960, 999_999, 99.97e6, 1e9])
def test_a_rate_is_of_bounded_width(value: float) -> None:
    assert len(amount(value)) <= 5
    assert len(rate(value)) <= 7
    assert re.fullmatch(r"[\d.]+[kMG]?", amount(value))


async def test_it_fits_into_every_terminal(people: People, size: tuple[int, int], peer: socket.socket) -> None:
    async with people(size) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        for number in range(3):
            peer.sendto(b"%d" % number, session.local)  # type: ignore[arg-type]
        await person.sees("bound  0 dropped  ← 3  → 0")
        line = person.app.screen.query_one("#status", Static)
        text = person.text("#status")
        assert 0 < len(text) <= line.content_size.width
        assert "…" not in text


def test_no_row_passes_is_said_of_all_rows_when_all_were_looked_at() -> None:
    assert empty_text(session_of(received=3), filtered=True, behind=True).plain == "No row passes the filter so far."
    assert empty_text(session_of(received=3), filtered=True).plain == "No row passes the filter."


def test_how_far_the_filter_is_comes_before_what_is_counted_twice() -> None:
    """Eighty columns, a file of two hundred thousand frames: who waits for the filter sees it come nearer."""
    session = session_of(received=200_040, state="file")
    for passed in (0, 12_345):
        line = shown(session, 78, passed=passed, behind=123_456)
        assert "filtering, 123,456 to go" in line
        assert "200,040 frames" in line
