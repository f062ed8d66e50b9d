"""Statistics of a live session, by its blocks, are those that are counted frame by frame."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from live_rows import PAYLOADS, a_session, frames_of

from sockexplorer.capture.log import Frame
from sockexplorer.capture.statistics import DecodedStatistics, Statistics
from sockexplorer.ui.kinds import kind_of

FOREVER = 60.0


@pytest.mark.parametrize("name", PAYLOADS)
@given(st.data())
def test_counts_are_those_of_frames(name: str, data: st.DataObject) -> None:
    session = a_session(name, data.draw(st.lists(st.lists(frames_of(name), max_size=20), max_size=4)))
    found = session.statistics(
        lambda frame: str(kind_of(frame, session)),
        lambda peer: str(kind_of(Frame(1, 0, 0, peer, 0, b"", {}), session)),
    )
    by_frame = Statistics(session.log, lambda frame: str(kind_of(frame, session)))
    assert found.go_on(FOREVER) == by_frame.go_on(FOREVER)
    for each in ("total", "peers", "lengths", "kinds", "behind"):
        assert getattr(found, each) == getattr(by_frame, each), each


def test_one_frame_is_read_of_all_that_are_alike() -> None:
    """A bus of thousands of frames a second is counted faster than each of them could be decoded."""
    payloads = [struct.pack("=IB3xQ", 0x100 + number % 4, 8, number) for number in range(3000)]
    session = a_session("can/raw", [[(payload, 0, 1) for payload in payloads]])
    asked = []

    def kind(frame: Frame) -> str:
        asked.append(frame.number)
        return "of one kind"

    found = session.statistics(kind, lambda peer: "")
    found.go_on(FOREVER)
    assert len(asked) == 4
    assert {name: tally.frames for name, tally in found.kinds.items()} == {"of one kind": 3000}


def test_what_has_to_be_decoded_one_by_one_gives_way_within_a_block() -> None:
    payloads = [struct.pack("=IB3x8s", number, 8, b"") for number in range(1000)]
    session = a_session("can/raw", [[(payload, 0, 1) for payload in payloads]])
    found = session.statistics(lambda frame: "any", lambda peer: "")
    assert isinstance(found, DecodedStatistics)
    assert found.go_on(-1)
    assert found.behind == 1000 - found.rows_together
    while found.behind:
        assert found.go_on(-1)
    assert found.total.frames == 1000
