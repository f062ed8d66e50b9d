"""A payload in lines: as many characters in each as fit, whatever the bytes are, and however much is looked at once."""

from __future__ import annotations

from unittest.mock import patch

from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from sockexplorer.capture import line_cuts
from sockexplorer.capture.line_cuts import hex_columns, hex_cuts, text_cuts, without_end
from sockexplorer.core.text import preview

SOME = st.sampled_from(
    (b"a", b"\\", b"\0", b"\r", b"\n", b"\r\n", b"\xff", b"\x80", "€".encode(), "😀".encode(), b"\xc3")
)
PAYLOADS = st.lists(SOME, max_size=200).map(b"".join) | st.binary(max_size=300)


def one_by_one(payload: bytes, width: int) -> list[tuple[int, int]]:
    """The same, character by character."""
    found, start = [], 0
    for line in _lines(payload):
        cut = start
        end = start + len(line)
        stop = start + len(without_end(line))
        for char in without_end(line).decode("utf-8", "surrogateescape"):
            size = len(char.encode("utf-8", "surrogateescape"))
            part = payload[start : cut + size]
            if cut > start and (len(part) > width or cell_len(preview(part)) > width):
                found.append((start, cut))
                start = cut
            cut += size
        assert cut == stop
        found.append((start, end))
        start = end
    return found or [(0, 0)]


def _lines(payload: bytes) -> list[bytes]:
    lines = payload.split(b"\n")
    return [*(line + b"\n" for line in lines[:-1]), *filter(None, lines[-1:])]


@given(PAYLOADS, st.integers(8, 80), st.sampled_from((1, 16, 100, 4096)))
@example(b"x" * 20 + b"\r\n", 20, 4096)
@example("€".encode() * 50, 20, 16)
def test_as_many_characters_as_fit(payload: bytes, width: int, window: int) -> None:
    with patch.object(line_cuts, "WINDOW", 4 + window):
        assert list(text_cuts(payload, width)) == one_by_one(payload, width)


@given(st.integers(0, 5000), st.sampled_from((8, 16)))
def test_a_dump_has_so_many_bytes_a_line(size: int, per_line: int) -> None:
    cuts = list(hex_cuts(size, per_line))
    assert list(zip(*hex_columns(size, per_line), strict=True)) == cuts
    assert [start for start, _ in cuts] == list(range(0, max(1, size), per_line))
    assert [end for _, end in cuts] == [*(start for start, _ in cuts[1:]), size]
