"""Filters by fields that the first bytes of a payload tell find what they find frame by frame, without reading each."""

from __future__ import annotations

import struct
import time
from array import array
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from filtered import found, indexed, one_by_one, opened
from hypothesis import given
from hypothesis import strategies as st
from live_rows import LINES, PAYLOADS, a_session, frames_of

from sockexplorer.capture import block_sift, column_sift, pcapng
from sockexplorer.capture.link_types import SOCKETCAN
from sockexplorer.capture.predicate import Compiled
from sockexplorer.client.finding import filter_of
from sockexplorer.client.session import Session
from sockexplorer.core.canframes import BCM_HEAD, EFF
from sockexplorer.decoders.fields import HEADS, IN_HEADS, field_names

ATOMS = (
    *(f"{field}{symbol}" for field in sorted(IN_HEADS) for symbol in ('~""', "==8", "!=0", "<9")),
    "can.id==0x123", "can.id!=0x123", "can.pgn==61440", "can.pgn~/PDU|[0-9]/", 'can.id_flags=="EFF|RTR"', "can.data~00",
    "can.error~bus", "can.lost_bit>1", "j1939.name>0", "bcm.opcode==TX_SETUP", "nl.type==RTM_GETLINK", "dir==in",
    "len>9",
)  # fmt: skip
CLASSIC = struct.pack("=IB3x8s", 5, 8, b"payload!")
BCM = BCM_HEAD.pack(5, *bytes(len(BCM_HEAD.unpack(bytes(BCM_HEAD.size))) - 2), 1)
filters = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(("and", "or")), inner) | inner.map("not ({})".format)
    ),
    max_leaves=4,
)
SOCKETS = sorted({"can/raw", "can/j1939", "can/isotp", "can/bcm", "inet/udp", "netlink/route"} & set(PAYLOADS))


@pytest.mark.parametrize("name", SOCKETS)
@given(st.data())
def test_any_filter_finds_the_rows_that_it_finds_one_by_one(name: str, data: st.DataObject) -> None:
    session = a_session(name, data.draw(st.lists(st.lists(frames_of(name), max_size=20), max_size=4)))
    for text in data.draw(st.lists(filters, min_size=1, max_size=4)):
        with patch.object(block_sift, "MOST_FRESH", 2), patch.object(block_sift, "MOST_ALIKE", 5):
            passed = found(session, text)
        assert passed == one_by_one(session, text), text


@given(LINES, st.lists(filters, min_size=1, max_size=4))
def test_any_filter_finds_the_lines_that_it_finds_one_by_one(
    tmp_path: Path, lines: list[str], texts: list[str]
) -> None:
    path = tmp_path / "any.log"
    path.write_text("(1.000000) can0 123#\n" + "".join(lines))
    with opened(path) as session, patch.object(column_sift, "SLICE_LOTS", 7):
        for text in texts:
            assert found(session, text) == one_by_one(session, text), text


@pytest.mark.parametrize(
    ("name", "rows", "text", "numbers"),
    [
        ("can/j1939", [(b"same", 0, 0), (b"same", 0, 1)], "can.src==1", [2]),
        ("can/raw", [(CLASSIC, 0, 1), (CLASSIC + bytes(56), 0, 1)], 'can.flags~""', [2]),
        ("can/raw", [(CLASSIC[:9], 0, 1), (CLASSIC, 0, 1)], "can.len~captured", [1]),
        ("inet/udp", [(CLASSIC, 0, 1)], "not can.id==5", [1]),
        ("can/bcm", [(BCM + struct.pack("=I12x", EFF | each), 0, 1) for each in (1, 2)], "can.src==2", [2]),
    ],
)
def test_what_looks_alike_is_told_apart(
    name: str, rows: list[tuple[bytes, int, int]], text: str, numbers: list[int]
) -> None:
    """By the peer and the size; messages of BCM by all their bytes."""
    assert found(a_session(name, [rows]), text) == numbers


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["can0 123#1122", "can0 123#112233"], "can.len==3"),
        (["can0 123#11.22.33", "can0 123#11223344"], "can.len==4"),
        (["can0 123#1122334455667788_9", "can0 123#1122334455667788_A"], "can.len8_dlc==10"),
        (["can0 123#81:00:12345678#1122", "can0 123#81:01:12345678#1122"], "can.sdt==1"),
        (["can0 123##011", "can0 123##111"], "can.flags~BRS"),
        (["can0 123#R", "can0 123#1"[:-1] + "R3"], "can.len==3"),
        (["can0 18FEF100#11", "can0 18FEF101#11"], "can.src==1"),
        (["can#1 123#11", "can#1 124#11"], "can.id==0x124"),
        (["can0" + " " * 40 + "123#11", "can0" + " " * 40 + "124#11"], "can.id==0x124"),
        (["can0 123#11  ", "can0 123#1122"], "can.len==2"),
    ],
)
def test_lines_that_look_alike_are_told_apart(tmp_path: Path, lines: list[str], text: str) -> None:
    path = tmp_path / "any.log"
    path.write_text("".join(f"(1.{number:06}) {line}\n" for number, line in enumerate(lines)))
    session = indexed(path, 0)
    assert found(session, text) == [2]
    session.release()
    session.log.close()


def test_their_names_are_those_of_decoders() -> None:
    assert set(field_names()) >= IN_HEADS
    assert set(HEADS) <= {"can/raw", "can/j1939", "can/isotp"}


def rows(count: int) -> list[bytes]:
    return [struct.pack("=IB3xQ", 0x18FEF100 + number % 4 | EFF, 8, number) for number in range(count)]


def live(count: int, tmp_path: Path) -> Session:
    return a_session("can/raw", [[(payload, 0, 1) for payload in rows(count)]])


def file(count: int, tmp_path: Path) -> Session:
    path = tmp_path / "bus.pcapng"
    data = pcapng.section("sockexplorer 1", "Linux") + pcapng.interface(SOCKETCAN, "can/raw", "can0")
    for number, payload in enumerate(rows(count)):
        big = payload[3::-1] + payload[4:]
        data += pcapng.packet(0, number, (b"", big), len(big), False)
    path.write_bytes(data)
    return indexed(path, 0)


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[Session]:
    """Forty frames in a file."""
    with_file = file(40, tmp_path)
    yield with_file
    with_file.release()
    with_file.log.close()


@pytest.mark.parametrize("make", [live, file])
def test_one_frame_is_read_of_all_that_are_alike(make: type, tmp_path: Path) -> None:
    """A filter keeps up with a bus of thousands of frames a second, and goes through millions of a file."""
    session = make(2000, tmp_path)
    with patch.object(type(session), "fields", autospec=True, side_effect=type(session).fields) as asked:
        predicate = filter_of("can.src==2 and can.prio<7", session)
        assert isinstance(predicate, Compiled)
        number, passed = session.sift(predicate).go_on(1, 2001, time.monotonic() + 60)
    assert (number, passed.tolist()) == (2001, list(range(3, 2001, 4)))
    assert asked.call_count == 8
    session.release()
    session.log.close()


def test_what_is_learnt_of_a_file_takes_a_tick_at_a_time(bus: Session) -> None:
    """However many lots there are in a slice, keys are answered meanwhile; what is known is told."""
    predicate = filter_of("can.src>=0", bus)
    assert predicate is not None
    sift, number, passed, ticks = bus.sift(predicate), 1, [], 0
    with patch.object(column_sift, "SLICE_LOTS", 16):
        while number <= 40:
            number, more = sift.go_on(number, 41, time.monotonic() - 1)
            passed += more
            ticks += 1
            assert ticks < 100
    assert passed == list(range(1, 41))
    assert ticks > 4


def test_what_has_passed_is_told_before_a_slice_is_known(bus: Session) -> None:
    """A slice of which each row has to be read takes long; the rows that pass appear meanwhile."""
    predicate = filter_of("n<5 or can.data~00 or n>30", bus)
    assert predicate is not None
    sift = bus.sift(predicate)
    assert sift.go_on(1, 41, time.monotonic() - 1) == (6, array("Q", [1, 2, 3, 4, 5]))
    assert sift.go_on(6, 41, time.monotonic() - 1) == (7, array("Q", [6]))
    assert sift.go_on(7, 41, time.monotonic() + 60) == (41, array("Q", range(7, 41)))
