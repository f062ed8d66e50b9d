"""The layout of a batch."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.core.frames import COLUMNS, ROW_BYTES, Flag, pack_columns, pack_meta, split_meta, unpack_columns

WORD, LONG = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
ROWS = st.lists(st.tuples(LONG, LONG, WORD, WORD, WORD), max_size=20)


@given(ROWS, st.binary(max_size=20))
def test_columns_come_back(rows: list[tuple[int, ...]], spool: bytes) -> None:
    columns = tuple(array(code, [row[at] for row in rows]) for at, (_, code) in enumerate(COLUMNS))
    packed = pack_columns(columns)  # type: ignore[arg-type]
    assert len(packed) == len(rows) * ROW_BYTES
    found, at = unpack_columns(packed + spool, len(rows))
    assert found == columns
    assert (packed + spool)[at:] == spool


def test_layout_is_little_endian_whatever_the_machine() -> None:
    columns = tuple(array(code, [number]) for number, (_, code) in enumerate(COLUMNS, 1))
    assert pack_columns(columns).hex() == "01000000000000000200000000000000030000000400000005000000"  # type: ignore[arg-type]


@given(st.binary(max_size=100), st.integers(1, 100))
def test_a_short_body_is_refused(body: bytes, count: int) -> None:
    if len(body) < count * ROW_BYTES:
        with pytest.raises(ValueError, match="a batch of"):
            unpack_columns(body, count)


@given(st.binary(max_size=50), st.dictionaries(st.text(), st.text() | st.integers() | st.none(), max_size=4))
def test_metadata_stands_behind_the_payload(payload: bytes, meta: dict[str, object]) -> None:
    assert split_meta(payload + pack_meta(meta)) == (payload, meta)
    assert split_meta(memoryview(payload + pack_meta(meta))) == (payload, meta)


def test_flags_are_bits_of_their_own() -> None:
    assert sum(Flag) == (1 << len(Flag)) - 1
