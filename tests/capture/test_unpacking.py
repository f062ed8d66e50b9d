"""What gzip compressed: unpacked as it comes, in any pieces; what is torn, damaged or has no end."""

from __future__ import annotations

import bz2
import errno
import gzip
import os
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.capture import pcapng, piped
from sockexplorer.capture.piped import MOST_AT_ONCE, Piped
from sockexplorer.capture.reading import CaptureError, Torn
from sockexplorer.capture.unpacking import Unpacking, packed_kind

TEXTS = st.binary(max_size=200) | st.integers(0, 9000).map(bytes)
PIECES = st.integers(1, 60) | st.just(10**6)
HEAD = pcapng.section("x", "") + pcapng.interface(1)


def unpacked(data: bytes, piece: int = 7, size: int = 100) -> tuple[bytes, CaptureError | None]:
    """What data hold, fed and taken so many bytes at once."""
    unpacking, found, at = Unpacking(), list[bytes](), 0
    while at <= len(data) + piece:
        while part := unpacking.take(size):
            assert len(part) <= size
            found.append(part)
        unpacking.feed(data[at : at + piece])
        at += piece
    return b"".join(found) + unpacking.take(size), unpacking.fault


@given(st.lists(TEXTS, min_size=1, max_size=3), st.integers(0, 5), PIECES, PIECES)
def test_members_one_after_the_other(texts: list[bytes], zeros: int, piece: int, size: int) -> None:
    data = b"".join(gzip.compress(each) for each in texts) + bytes(zeros)
    assert unpacked(data, piece, size) == (b"".join(texts), None)


@given(st.binary(max_size=50), PIECES)
def test_what_is_not_compressed_is_given_as_it_is(data: bytes, piece: int) -> None:
    if not data.startswith(b"\x1f\x8b"):
        assert unpacked(data, piece) == (data, None)


@given(TEXTS, PIECES, st.data())
def test_of_a_torn_one_everything_up_to_there(text: bytes, piece: int, data: st.DataObject) -> None:
    packed = gzip.compress(text)
    kept = data.draw(st.integers(2, len(packed) - 1))
    found, fault = unpacked(packed[:kept], piece)
    assert text.startswith(found)
    assert len(found) == len(text) or kept < len(packed) - 8
    assert isinstance(fault, Torn)
    assert fault.offset == kept


@given(st.binary(max_size=300).map(lambda each: b"\x1f\x8b" + each), PIECES)
def test_no_bytes_break_it(data: bytes, piece: int) -> None:
    assert isinstance(unpacked(data, piece)[1], CaptureError | None)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (
            lambda data: data[:-6] + bytes([data[-6] ^ 1]) + data[-5:],
            f"at byte {len(gzip.compress(b'text')) - 5}: the gzip data are damaged: incorrect data check",
        ),
        (
            lambda data: data + b"more",
            f"at byte {len(gzip.compress(b'text'))}: what follows the gzip data is something",
        ),
        (lambda data: data[:2] + b"\xff" + data[3:], "at byte 3: the gzip data are damaged"),
    ],
)
def test_damage_is_told_with_its_place(damage: object, says: str) -> None:
    fault = unpacked(damage(gzip.compress(b"text")), 10**6)[1]  # type: ignore[operator]
    assert says in str(fault)
    assert not isinstance(fault, Torn)


@given(st.integers(1, 9000), st.integers(1, 3000), PIECES)
def test_what_is_ahead_of_damage_is_given(length: int, size: int, piece: int) -> None:
    text = bytes(each * each % 251 for each in range(length))
    packed = gzip.compress(text)
    found, fault = unpacked(packed[:-5] + bytes([packed[-5] ^ 1]) + packed[-4:], piece, size)
    assert found == text
    assert "incorrect data check" in str(fault)


def test_what_a_compressed_file_holds(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for data, kind in (
        (gzip.compress(HEAD), "pcapng"),
        (gzip.compress(b"(1.000000) vcan0 123#00\n"), "candump"),
        (HEAD, None),
    ):
        path.write_bytes(data)
        assert packed_kind(path) == kind
    for data, says in (
        (gzip.compress(b"text"), "at byte 0: it begins with 74 65 78 74"), (gzip.compress(b""), "nothing in it"),
        (gzip.compress(gzip.compress(HEAD)), "it is compressed: gzip -d"),
        (gzip.compress(bz2.compress(HEAD)), "it is compressed: bzip2 -d"), (b"\x1f\x8b\x08", "data are not whole"),
        (gzip.compress(HEAD)[:1] + b"\x8b" + bytes(9), "damaged"),
    ):  # fmt: skip
        path.write_bytes(data)
        with pytest.raises(CaptureError, match=says):
            packed_kind(path)


@contextmanager
def from_file(path: Path, data: bytes) -> Iterator[Piped]:
    path.write_bytes(data)
    made = Piped(os.open(path, os.O_RDONLY), path.parent)
    try:
        yield made
    finally:
        made.close()


def test_a_compressed_file_is_kept_unpacked_and_says_how_far_it_is(tmp_path: Path) -> None:
    text = os.urandom(3 * 2**20)
    with from_file(tmp_path / "x.gz", gzip.compress(text, 1)) as made:
        assert (made.is_file, made.progress) == (True, 0)
        told = []
        while not made.ended:
            made.pump(0.001)
            told.append(made.progress)
        assert told == sorted(told)
        assert told[-1] == 1
        assert made.path.read_bytes() == text
        assert made.fault is None


def test_a_pipe_may_be_compressed(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    made = Piped(reading, tmp_path)
    try:
        for part in (b"\x1f", gzip.compress(b"text")[1:9], gzip.compress(b"text")[9:]):
            os.write(writing, part)
            made.pump(0.01)
        os.close(writing)
        while not made.ended:
            made.pump(1)
        assert not made.is_file
        assert made.path.read_bytes() == b"text"
    finally:
        made.close()


def bomb(megabytes: int) -> bytes:
    """So many MiB of zeros behind the head of a capture; each is a thousandth of that."""
    return gzip.compress(HEAD) + gzip.compress(bytes(2**20)) * megabytes


def test_what_has_no_end_comes_a_little_at_a_time(tmp_path: Path) -> None:
    with from_file(tmp_path / "x.gz", bomb(200)) as made:
        tracemalloc.start()
        try:
            made.pump(60)
            assert tracemalloc.get_traced_memory()[1] < 8 * 2**20, "memory holds a piece of it"
        finally:
            tracemalloc.stop()
        assert not made.ended
        assert made.path.stat().st_size <= MOST_AT_ONCE + 2**20
        assert 0.05 < made.progress < 0.1, "16 of 200, though all that is compressed was read"


def test_the_disk_is_not_filled_by_what_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(piped, "LEFT_FREE", 2**80)
    monkeypatch.setattr(piped, "PART_LEFT_FREE", 1)
    with from_file(tmp_path / "x.gz", bomb(200)) as made:
        made.pump(60)
        with pytest.raises(OSError, match="nearly full") as told:
            made.pump(60)
        assert told.value.errno == errno.ENOSPC
    with from_file(tmp_path / "plain", bytes(40 * 2**20)) as made:
        made.pump(60)
        made.pump(60)
