"""A file whose end a machine did not write before it lost its power: zeros, which are a torn tail, not damage."""

from __future__ import annotations

from pathlib import Path

import pytest

from sockexplorer.capture import pcapng
from sockexplorer.capture.index import Index
from sockexplorer.capture.reading import CaptureError, Torn, Window, records

FRAME = pcapng.packet(0, 5, (b"0123456789ab",), 12, None)
CAPTURE = pcapng.section("other", "") + pcapng.interface(147) + FRAME * 3
LOG = b"(1.000000) can0 123#0011\n" * 3
ZEROS = [1, 4, 7, 8, 12, 4096, 300_000]
FILES = [pytest.param(CAPTURE, FRAME, id="pcapng"), pytest.param(LOG, LOG[:25], id="candump")]


def read(data: bytes, *, live: bool = False) -> tuple[int, CaptureError | None]:
    """How many frames are ahead of what error."""
    at, count = 0, 0

    def some(size: int) -> bytes:
        nonlocal at
        at += size
        return data[at - size : at]

    try:
        for _ in records(some, live=live):
            count += 1
    except CaptureError as error:
        return count, error
    return count, None


@pytest.mark.parametrize(("data", "record"), FILES)
@pytest.mark.parametrize("zeros", ZEROS)
def test_they_are_torn(tmp_path: Path, data: bytes, record: bytes, zeros: int) -> None:
    for written in (0, 1, len(record) // 2, len(record) - 5):
        made = data + record[:written] + bytes(zeros)
        count, error = read(made)
        assert (count, type(error)) == (3, Torn), written
        assert error is not None
        assert error.offset == len(data)
        (path := tmp_path / "a").write_bytes(made)
        for vectorised_from in (0, 1 << 60):
            index = Index(path, vectorised_from)
            for _ in index.steps():
                pass
            assert (index.count, type(index.error)) == (3, Torn)
            assert index.error is not None
            assert index.error.offset == len(data)
            index.close()


@pytest.mark.parametrize(("data", "record"), FILES)
def test_what_has_something_behind_them_is_damaged(data: bytes, record: bytes) -> None:
    for made in (data + bytes(4096) + record, data + record[:9] + bytes(300_000) + b"x"):
        count, error = read(made)
        assert (count, type(error)) == (3, CaptureError)


@pytest.mark.parametrize(("data", "record"), FILES)
def test_of_a_live_stream_no_end_is_waited_for(data: bytes, record: bytes) -> None:
    count, error = read(data + bytes(16384), live=True)
    assert (count, type(error)) == (3, CaptureError)


def test_a_window_that_is_live_takes_nothing() -> None:
    window = Window(lambda size: b"", live=True)
    assert type(window.damaged_or_zeros("what")) is CaptureError
