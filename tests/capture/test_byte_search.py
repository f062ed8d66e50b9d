"""Rows that have some bytes in their payload: the same that are found by looking at one payload after another."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.capture import byte_search
from sockexplorer.capture.byte_search import rows_with

Array = numpy.ndarray[Any, numpy.dtype[Any]]
Row = tuple[bytes, int, int]
"""The bytes of a row, and how far from its beginning and from its end its payload begins and ends."""
FEW = st.sampled_from(b"aA\0")
ROWS = st.lists(st.tuples(st.lists(FEW, min_size=1, max_size=30).map(bytes), st.integers(-3, 12), st.integers(-3, 5)))


@st.composite
def searches(draw: st.DrawFn) -> tuple[list[Row], bytes]:
    """Rows, and what is searched for: mostly some bytes of theirs."""
    rows = draw(ROWS)
    data = b"".join(row for row, _, _ in rows)
    at = draw(st.integers(0, len(data)))
    wanted = data[at : at + draw(st.integers(1, 7))] or draw(st.lists(FEW, min_size=1, max_size=6).map(bytes))
    return rows, wanted


@contextmanager
def pieces(size: int, dense: int) -> Iterator[None]:
    """Pieces of few bytes, of which some have many hits."""
    with (
        patch.object(byte_search, "PIECE", size),
        patch.object(byte_search, "DENSE", dense),
        patch.object(byte_search, "AT_ONCE", 2),
    ):
        yield


def search(rows: list[Row], wanted: bytes, *, any_case: bool = False, ahead: bytes = b"", behind: bytes = b"") -> Any:
    """Which rows have it, with other bytes around all of them."""
    data = ahead + b"".join(row for row, _, _ in rows) + behind
    sizes = numpy.array([len(row) for row, _, _ in rows], "i8")
    offsets = len(ahead) + numpy.cumsum(sizes) - sizes
    heads, tails = (numpy.array([row[which] for row in rows], "i8") for which in (1, 2))

    def payloads(chosen: Array) -> tuple[Array, Array]:
        return offsets[chosen] + heads[chosen], offsets[chosen] + sizes[chosen] - tails[chosen]

    end = len(data) - len(behind)
    return rows_with(numpy.frombuffer(data, "u1"), offsets, end, wanted, payloads, any_case=any_case).tolist()


def slowly(rows: list[Row], wanted: bytes, *, any_case: bool = False) -> list[bool]:
    parts = [row[max(0, head) : max(0, min(len(row), len(row) - tail))] for row, head, tail in rows]
    return [wanted in (part.lower() if any_case else part) for part in parts]


@given(searches(), st.integers(1, 40), st.integers(1, 5), st.binary(max_size=5), st.binary(max_size=5))
def test_rows_are_those_that_are_found_one_by_one(
    search_for: tuple[list[Row], bytes], size: int, dense: int, ahead: bytes, behind: bytes
) -> None:
    rows, wanted = search_for
    with pieces(size, dense):
        assert search(rows, wanted, ahead=ahead, behind=behind) == slowly(rows, wanted)


@given(searches(), st.integers(1, 40), st.integers(1, 5))
def test_letters_of_ascii_in_either_case(search_for: tuple[list[Row], bytes], size: int, dense: int) -> None:
    rows, wanted = search_for
    with pieces(size, dense):
        assert search(rows, wanted.lower(), any_case=True) == slowly(rows, wanted.lower(), any_case=True)


def test_what_overlaps_itself_across_the_beginning_of_a_payload() -> None:
    assert search([(b"xaaab", 2, 0), (b"aaa", 2, 0)], b"aa") == [True, False]


@pytest.mark.parametrize("byte", range(256))
def test_only_letters_of_ascii_have_a_case(byte: int) -> None:
    rows, wanted = [(bytes([each]), 0, 0) for each in range(256)], bytes([byte]).lower()
    assert search(rows, wanted, any_case=True) == [bytes([each]).lower() == wanted for each in range(256)]


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=20), st.integers(0, 19), st.integers(0, 40))
def test_a_part_of_any_payload_is_found_in_it(payloads: list[bytes], which: int, at: int) -> None:
    rows = [(each, 0, 0) for each in payloads]
    chosen = payloads[which % len(payloads)] if payloads else b""
    wanted = chosen[at : at + 10]
    if wanted:
        found = search(rows, wanted)
        assert found == slowly(rows, wanted)
        assert found[payloads.index(chosen)]


def test_with_pieces_and_hits_as_they_are() -> None:
    needle = b"needle"
    rows = [(bytes(8) + bytes([number & 0xFF]) * 1500 + bytes(4), 8, 4) for number in range(3000)]
    for number in (0, 700, 701, 2999):
        row, head, tail = rows[number]
        rows[number] = (row[:700] + needle + row[706:], head, tail)
    # Across the end of a payload, and in a header.
    rows[5] = (needle + rows[5][0][6:], 8, 4)
    rows[6] = (rows[6][0][:-7] + needle + b"\0", 8, 4)
    assert [at for at, found in enumerate(search(rows, needle)) if found] == [0, 700, 701, 2999]
    assert search(rows, b"\x07") == slowly(rows, b"\x07")


@pytest.mark.parametrize("wanted", [b"\0", b"\0\0", bytes(9), bytes(8) + b"\1"])
def test_what_is_everywhere_takes_no_more_memory_than_what_is_nowhere(wanted: bytes) -> None:
    """Eight bytes for each place where it is, which is what a list of places takes, are more than this."""
    size, count = 1400, 6000
    data = numpy.zeros(size * count, "u1")
    offsets = numpy.arange(count, dtype="i8") * size
    tracemalloc.start()
    try:
        found = rows_with(data, offsets, len(data), wanted, lambda rows: (offsets[rows], offsets[rows] + size))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.all() == (wanted[-1] == 0)
    assert found.any() == (wanted[-1] == 0)
    assert peak < 4 * 2**20
