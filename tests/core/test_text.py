"""The door: what leaves it is printable, on one line, of the width that it seems to have, and can be typed back."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from sockexplorer.core.payload import from_text
from sockexplorer.core.text import PREVIEW_BYTES, escape, preview


def safe(text: str) -> bool:
    return text.isprintable() and not any(
        unicodedata.category(char).startswith(("M", "C", "Z")) for char in text if char != " "
    )


def test_every_code_point_leaves_printable_and_with_a_width() -> None:
    for code in range(0x110000):
        shown = escape(chr(code))
        assert safe(shown), hex(code)
        assert cell_len(shown) >= len(shown), hex(code)


def test_every_pair_of_bytes_is_safe_and_comes_back() -> None:
    for number in range(0x10000):
        data = number.to_bytes(2, "big")
        shown = preview(data)
        assert safe(shown), data
        assert from_text(shown) == data


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("a\tb\nc\rd", r"a\tb\nc\rd"),
        ("\x1b]52;c;\x07", r"\x1b]52;c;\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("a\u202eb", r"a\u202eb"),
        ("e\u0301", r"e\u0301"),
        ("\U000e0041", r"\U000e0041"),
        ("\U0001f44d\U0001f3fd", "\U0001f44d\\U0001f3fd"),
        ("\udcff", r"\udcff"),
        ("[@click=app.quit]x", "[@click=app.quit]x"),
        ("日本", "日本"),
    ],
)
def test_escape(text: str, shown: str) -> None:
    assert escape(text) == shown


@given(st.text(), st.integers(1, 40))
def test_escape_keeps_the_limit(text: str, limit: int) -> None:
    shown = escape(text, limit)
    assert len(shown) <= limit
    assert safe(shown)
    if len(escape(text)) <= limit:
        assert shown == escape(text)
    else:
        assert shown.endswith("…")


@given(st.binary(max_size=PREVIEW_BYTES) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace")))
def test_preview_comes_back(data: bytes) -> None:
    assert from_text(preview(data)) == data
    assert preview(memoryview(data)) == preview(data)


@given(st.binary(max_size=40), st.integers(0, 30))
def test_preview_says_that_there_is_more(data: bytes, limit: int) -> None:
    shown = preview(data, limit)
    assert safe(shown)
    if len(data) > limit:
        assert shown == preview(data[:limit]) + "…"
