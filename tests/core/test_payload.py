"""Payloads as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.core.payload import PayloadError, from_hex, from_text, hex_lines


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", b""),
        ("hello", b"hello"),
        (r"\x00\n", b"\x00\n"),
        (r"\0\r\t\e\\", b"\0\r\t\x1b\\"),
        (r"é\xe9\u00e9", b"\xc3\xa9\xe9\xc3\xa9"),
        (r"\U0001F600", "\U0001f600".encode()),
        ("\udcff", b"\xff"),
        (r"\012", b"\x0012"),
    ],
)
def test_text(text: str, data: bytes) -> None:
    assert from_text(text) == data


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ab\\", "a backslash ends the text"),
        (r"\q", "no escape"),
        (r"\x4", "2 hexadecimal digits"),
        (r"\xg0", "2 hexadecimal digits"),
        (r"\u12", "4 hexadecimal digits"),
        (r"\ud800", "no character of Unicode"),
        (r"\U00110000", "no character of Unicode"),
        ("\ud800", "lone surrogate"),
        ("\\x４１", "2 hexadecimal digits"),
    ],
)
def test_text_that_is_wrong(text: str, says: str) -> None:
    with pytest.raises(PayloadError, match=says):
        from_text(text)


@pytest.mark.parametrize(
    "text", ["de ad be ef", "deadbeef", "de:ad:be:ef", "0xde, 0xad, 0xbe, 0xef", r"\xde\xad\xbe\xef", "DE-AD|BE_EF"]
)
def test_hex_in_any_dress(text: str) -> None:
    assert from_hex(text) == b"\xde\xad\xbe\xef"


@pytest.mark.parametrize(("text", "says"), [("xyz", "no hexadecimal digit"), ("abc", "odd number"), ("ａａ", "no hex")])
def test_hex_that_is_wrong(text: str, says: str) -> None:
    with pytest.raises(PayloadError, match=says):
        from_hex(text)


@given(st.binary(), st.sampled_from(["", " ", ":"]))
def test_hex_round_trip(data: bytes, separator: str) -> None:
    assert from_hex(data.hex(separator) if separator else data.hex()) == data


@given(st.text() | st.text(alphabet="\\xuU0dfn8 ,:", max_size=20) | st.text(st.characters(categories=["Cs", "Ll"])))
def test_no_other_error(text: str) -> None:
    for read in (from_text, from_hex):
        try:
            assert isinstance(read(text), bytes)
        except PayloadError as error:
            assert str(error).isprintable()  # noqa: PT017 - either outcome is right, no other is


@given(st.binary(max_size=100), st.integers(0, 2**40))
def test_hex_lines_hold_every_byte_once(data: bytes, start: int) -> None:
    lines = hex_lines(data, start)
    assert b"".join(from_hex(digits) for _, digits, _ in lines) == data
    assert [offset for offset, _, _ in lines] == list(range(start, start + len(data), 16))
    assert "".join(column for _, _, column in lines).isprintable()
    assert len({len(digits) for _, digits, _ in lines}) <= 1
