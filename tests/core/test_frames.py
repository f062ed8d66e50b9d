"""The layout of a batch."""

from __future__ import annotations

from array import array
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.core.frames import (
    COLUMNS,
    HEADER,
    PEERS,
    RING,
    ROW_BYTES,
    ROWS,
    Flag,
    Traffic,
    block_size,
    pack_columns,
    pack_header,
    pack_meta,
    pack_stream,
    split_meta,
    stream_head,
    unpack_columns,
    unpack_header,
)  # fmt: skip

WORD, LONG = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
TABLE = st.lists(st.tuples(LONG, WORD, WORD, WORD, WORD), max_size=20)


@given(TABLE, st.binary(max_size=20))
def test_columns_come_back(rows: list[tuple[int, ...]], more: bytes) -> None:
    columns = tuple(array(code, [row[at] for row in rows]) for at, (_, code) in enumerate(COLUMNS))
    packed = pack_columns(columns)  # type: ignore[arg-type]
    assert len(packed) == len(rows) * ROW_BYTES
    assert unpack_columns(packed + more, len(rows)) == columns


def test_layout_is_little_endian_whatever_the_machine() -> None:
    columns = tuple(array(code, [number]) for number, (_, code) in enumerate(COLUMNS, 1))
    assert pack_columns(columns).hex() == "010000000000000002000000030000000400000005000000"  # type: ignore[arg-type]
    header = pack_header(ROWS, 9, 3, Traffic(4, 5, 6, 7))
    assert header.hex(" ", -4) == (
        "01000000 09000000 03000000 00000000 10010000 00000000 04000000 05000000 06000000 00000000 07000000 00000000"
    )


@given(st.binary(max_size=100), st.integers(1, 100))
def test_a_short_body_is_refused(body: bytes, count: int) -> None:
    if len(body) < count * ROW_BYTES:
        with pytest.raises(ValueError, match="a block of"):
            unpack_columns(body, count)


@given(st.sampled_from([ROWS, RING, PEERS]), st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 200))
def test_a_header_comes_back_where_there_is_room_for_its_block(kind: int, rows: int, payload: int, less: int) -> None:
    size = block_size(kind, rows, payload)
    assert size % 8 == 0
    packed = pack_header(kind, rows, payload, Traffic(rows // 2, rows - rows // 2, 5, 6))
    header = unpack_header(packed, size + less)
    assert (header.kind, header.frames, header.payload, header.size) == (kind, rows, payload, size)
    assert header.begin + payload <= size
    with pytest.raises(ValueError, match="no block"):
        unpack_header(packed, size - 1 - less)


@given(st.binary(max_size=60))
def test_other_bytes_are_no_header(data: bytes) -> None:
    try:
        header = unpack_header(data, 2**20)
    except ValueError:
        return
    assert block_size(header.kind, header.frames, header.payload) <= header.size <= 2**20
    assert header.size % 8 == 0
    assert len(data) >= HEADER.size


@given(st.integers(0, 1000), st.integers(0, 5000))
def test_a_block_may_be_padded_so_that_the_next_begins_where_it_is_to(length: int, more: int) -> None:
    least = block_size(ROWS, 1, length)
    for size in (least + more, max(0, least - more - 1)):
        packed = pack_stream(length, 1000, 1, 2, size)
        if size % 8 or size < least:
            with pytest.raises(ValueError, match="no block"):
                unpack_header(packed[: HEADER.size], 2**20)
        else:
            assert unpack_header(packed[: HEADER.size], 2**20).size == size


@given(st.integers(1, 10_000), st.integers(1, 3000))
def test_the_bytes_of_a_stream_are_cut_into_rows(length: int, most: int) -> None:
    size = (stream_head(length, most) + length + 7) & ~7
    packed = pack_stream(length, most, 7, 8, size)
    header = unpack_header(packed[: HEADER.size], size)
    assert header.begin == len(packed) == stream_head(length, most)
    assert (header.payload, header.traffic) == (length, Traffic(header.frames, 0, length, 0))
    times, ends, lengths, peers, flags = unpack_columns(packed[HEADER.size :], header.frames)
    assert [end - begin for begin, end in pairwise([0, *ends])] == list(lengths)
    assert sum(lengths) == length
    assert max(lengths) <= most
    assert set(lengths[:-1]) <= {most}
    assert (set(times), set(peers), set(flags)) == ({7}, {8}, {0})


@given(st.binary(max_size=50), st.dictionaries(st.text(), st.text() | st.integers() | st.none(), max_size=4))
def test_metadata_stands_behind_the_payload(payload: bytes, meta: dict[str, object]) -> None:
    assert split_meta(payload + pack_meta(meta)) == (payload, meta)
    assert split_meta(memoryview(payload + pack_meta(meta))) == (payload, meta)


def test_flags_are_bits_of_their_own() -> None:
    assert sum(Flag) == (1 << len(Flag)) - 1
