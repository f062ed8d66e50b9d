"""Blocks of a ring: what `walk` finds is what a plain reading finds, and nothing is ever outside the block."""

from __future__ import annotations

import contextlib
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ring_blocks import HOST, OUTGOING, Sent, ring_block

from sockexplorer.core.tpacket import BLOCK, Names, directions, vlan, walk

WORD = st.integers(0, 2**32 - 1)

HARDWARE = st.one_of(st.sampled_from([bytes(6), b"\x02\0\0\0\0\x01", b""]), st.binary(max_size=20))
FRAMES = st.builds(
    Sent, kept=st.binary(max_size=200), length=WORD, seconds=WORD, nanoseconds=st.integers(0, 999_999_999),
    status=WORD, mac=st.sampled_from([82, 96, 104]), pkttype=st.sampled_from([HOST, OUTGOING]), hardware=HARDWARE,
    left_over=st.binary(min_size=8, max_size=8),
)  # fmt: skip
MIXED = st.lists(FRAMES, max_size=12)
ALIKE = st.builds(
    lambda first, times: [replace(first, nanoseconds=each) for each in times],
    FRAMES, st.lists(st.integers(0, 999_999_999), min_size=1, max_size=12),
)  # fmt: skip
SOME_ALIKE = st.builds(
    lambda size, frames: [replace(each, kept=each.kept[:8].ljust(size, b"\1"), mac=82) for each in frames],
    st.integers(8, 1500), st.lists(FRAMES, min_size=1, max_size=12),
)  # fmt: skip


@given(MIXED | ALIKE | SOME_ALIKE, st.sampled_from([0, 8, 64]), st.binary(max_size=20))
def test_every_frame_is_found(frames: list[Sent], private: int, behind: bytes) -> None:
    names = Names()
    whole = ring_block([replace(each) for each in frames], private)
    found = walk(memoryview(whole + behind), names)
    assert found.times.tolist() == [each.seconds * 10**9 + each.nanoseconds for each in frames]
    assert [whole[a:b] for a, b in zip(found.begins, found.ends, strict=True)] == [each.kept for each in frames]
    assert found.lengths.tolist() == [each.length for each in frames]
    assert found.statuses.tolist() == [each.status for each in frames]
    assert [names[each] for each in found.names] == [each.name for each in frames]
    assert len(set(names.known)) == len(names.known)
    assert [each.typecode for each in found] == list("QIIIIII")
    sent = [each.length for each in frames if each.pkttype == OUTGOING]
    assert directions(memoryview(whole + behind)) == (len(sent), sum(sent), sum(found.lengths))


@given(st.lists(st.builds(Sent, kept=st.binary(min_size=1100, max_size=3000)), min_size=2, max_size=4))
def test_long_frames_are_found(frames: list[Sent]) -> None:
    whole = ring_block([replace(each) for each in frames])
    found = walk(memoryview(whole), Names())
    assert [whole[a:b] for a, b in zip(found.begins, found.ends, strict=True)] == [each.kept for each in frames]


@pytest.mark.parametrize(
    ("status", "said"), [(1, None), (1 | 0x10, (5, 0x8100)), (1 | 0x10 | 0x40, (5, 0x88A8)), (1 | 0x40, None)]
)
def test_the_tag_that_was_taken_off(status: int, said: tuple[int, int] | None) -> None:
    whole = memoryview(ring_block([Sent(b"x"), Sent(b"yy", status=status, tci=5, tpid=0x88A8)]))
    assert vlan(whole, walk(whole, Names()).heads[1]) == said


# --- names -------------------------------------------------------------------------------------------------


def test_a_name_has_one_number_in_all_blocks() -> None:
    names = Names()
    one, other = Sent(hardware=b"\1" * 6), Sent(hardware=b"\2" * 6)
    assert walk(memoryview(ring_block([one, replace(other), replace(one)])), names).names.tolist() == [1, 2, 1]
    assert walk(memoryview(ring_block([other, Sent(hardware=b"\3" * 6)])), names).names.tolist() == [2, 3]
    assert names.number(other.name) == 2
    for number in (0, -1, 4):
        with pytest.raises(IndexError, match="no name"):
            names[number]


@pytest.mark.parametrize("hardware", [b"", b"\1\2\3\4", b"\1" * 6])
def test_what_was_there_before_is_no_part_of_a_name(hardware: bytes) -> None:
    names = Names()
    frames = [Sent(hardware=hardware, left_over=bytes([each]) * 8) for each in range(50)]
    assert set(walk(memoryview(ring_block(frames)), names).names) == {1}
    assert names.known == [frames[0].name]


def test_there_is_an_end_of_names() -> None:
    names = Names(limit=3)
    frames = [Sent(hardware=bytes([each]) * size) for each in range(20) for size in (4, 6)]
    assert walk(memoryview(ring_block(frames)), names).names.tolist() == [1, 2, 3, *[0] * 37]
    assert walk(memoryview(ring_block([Sent(hardware=b"too many")])), names).names.tolist() == [0]
    assert walk(memoryview(ring_block([replace(frames[1])])), names).names.tolist() == [2]
    assert len(names.known) == 3
    assert len(names.by_start) <= 2 * names.limit


# --- what is no block --------------------------------------------------------------------------------------


def changed(whole: bytes, at: int, code: str, value: int) -> memoryview:
    """The block with one number of a header changed."""
    data = bytearray(whole)
    struct.pack_into("<" + code, data, at, value)
    return memoryview(data)


TWO = ring_block([Sent(b"x" * 60), Sent(b"y" * 70)])
ALSO_TWO = ring_block([Sent(b"x" * 60), Sent(b"y" * 60)])
FIRST, SECOND = 48, 48 + 144


@pytest.mark.parametrize("whole", [TWO, ALSO_TWO])
@pytest.mark.parametrize(
    ("at", "code", "value"),
    [
        (0, "I", 1), (0, "I", 2 << 24),
        (12, "I", 2**32 - 1), (12, "I", 5),
        (16, "I", 0), (16, "I", 47), (16, "I", 49), (16, "I", 2**32 - 8), (16, "I", 336),
        (20, "I", 0), (20, "I", 100), (20, "I", 2**32 - 1), (20, "I", 2**24),
        (FIRST, "I", 0), (FIRST, "I", 8), (FIRST, "I", 2**32 - 8), (FIRST, "I", 145), (FIRST, "I", 240),
        (FIRST + 12, "I", 2**32 - 1), (FIRST + 12, "I", 2**24 - 1), (FIRST + 12, "I", 300), (SECOND + 12, "I", 2**31),
        (SECOND + 12, "I", 71), (FIRST + 24, "H", 65535), (SECOND + 24, "H", 100),
    ],
)  # fmt: skip
def test_a_lie_is_refused(whole: bytes, at: int, code: str, value: int) -> None:
    with pytest.raises(ValueError, match="block"):
        walk(changed(whole, at, code, value), Names())


@pytest.mark.parametrize("length", [0, 1, 47, 48, 100, len(TWO) - 8, len(TWO) - 1])
def test_a_torn_block_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="block"):
        walk(memoryview(TWO)[:length], Names())
    with pytest.raises(ValueError, match="block"):
        directions(memoryview(TWO)[:length])


@given(
    MIXED | ALIKE,
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=8),
    st.lists(st.tuples(st.integers(0, 700), st.sampled_from([0, 1, 7, 8, 68, 72, 2**24 - 1, 2**31, 2**32 - 1]))),
    st.integers(0, 4000),
)  # fmt: skip
def test_nothing_is_outside_a_spoilt_block(
    frames: list[Sent], bytes_: list[tuple[int, int]], words: list[tuple[int, int]], length: int
) -> None:
    data = bytearray(ring_block([replace(each) for each in frames]))
    for at, value in bytes_:
        data[at % len(data)] = value
    for at, value in words:
        struct.pack_into("<I", data, at * 4 % (len(data) - 3), value)
    data = data[: max(length, 48)]
    names = Names()
    with contextlib.suppress(ValueError):
        assert directions(memoryview(data))[0] <= BLOCK.unpack_from(data)[3]
    try:
        found = walk(memoryview(data), names)
    except ValueError:
        return
    count = BLOCK.unpack_from(data)[3]
    assert [len(each) for each in found] == [count] * 7
    for head, begin, end, name in zip(found.heads, found.begins, found.ends, found.names, strict=True):
        assert head <= begin <= end <= len(data)
        assert head + 72 <= len(data)
        assert len(names[name]) <= 44
        vlan(memoryview(data), head)


@given(st.binary(max_size=400))
def test_garbage_is_no_block(garbage: bytes) -> None:
    try:
        found = walk(memoryview(b"\2\0\0\0" + garbage), Names())
    except ValueError:
        return
    assert all(end <= len(garbage) + 4 for end in found.ends)
