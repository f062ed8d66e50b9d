"""Fields of an address, one kind at a time."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.core.faults import FieldError, Invalid, Notice, Raises
from sockexplorer.core.fields import Field, HexBytes, Integer, InterfaceName
from sockexplorer.core.octets import Octets

FLAGS = Integer(0, 2**32 - 1, wraps=True, names={"RTMGRP_LINK": 1, "RTMGRP_TC": 8}, flags=True, base=16)
IFNAME = InterfaceName(Raises("TypeError", "not a name"))
NAMED = Integer(0, 65535, names={"ETH_P_IP": 0x800}, base=16)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Integer(0, 9), " 7 ", 7),
        (Integer(0, 99), "0x10", 16),
        (Integer(-5, 99), "-3", -3),
        (Integer(0, 99, wraps=True), "1000", 1000),
        (NAMED, "eth_p_ip", 0x800),
        (NAMED, "P_IP", 0x800),
        (FLAGS, "LINK|TC", 9),
        (FLAGS, "RTMGRP_LINK | 0x10", 0x11),
        (FLAGS, "-1", -1),
        (HexBytes(8), "02:00:00:00:00:01", b"\x02\0\0\0\0\x01"),
        (HexBytes(8), "", b""),
        (IFNAME, " eth0 ", "eth0"),
    ],
)
def test_what_is_typed_is_read(kind: Integer, text: str, value: object) -> None:
    assert kind.parse(text) == value
    assert kind.parse(kind.show(value)) == value


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        (Integer(0, 9), "", "is empty"),
        (Integer(0, 9), "10", "10 is out of range; write a number from 0 to 9"),
        (Integer(0, 9), "x", "is not a number"),
        (Integer(0, 999), "010", "write 10 or 0o10"),
        (Integer(0, 999), "089", "write 89$"),
        (Integer(0, 999), "1" * 5000, "is not a number"),
        (NAMED, "ETH_P_NO", "0x0 to 0xffff, or a name such as ETH_P_IP"),
        (FLAGS, "LINK|", "is not a number"),
        (HexBytes(8), "0123456789abcdef01", "9 bytes"),
        (HexBytes(8), "xy", "no hexadecimal digit"),
        (IFNAME, " ", "is empty"),
        (IFNAME, "a\0b", "null character"),
    ],
)
def test_what_is_wrong_is_said(kind: Integer, text: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        kind.parse(text)


@pytest.mark.parametrize(
    ("value", "says"),
    [("x", "a str is not an integer; write the number without quotes"), (1.5, "a float"), (None, "a NoneType")],
)
def test_what_is_no_integer(value: object, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        Integer(0, 9).check(value)


@given(st.integers())
def test_integers_come_back(value: int) -> None:
    for kind in (Integer(0, 1, wraps=True), FLAGS, Integer(0, 255, wraps=True, base=16)):
        assert kind.parse(kind.show(value)) == value


def test_flags_are_shown_by_name_only_when_names_say_it_all() -> None:
    assert FLAGS.show(9) == "LINK|TC"
    assert FLAGS.show(0x19) == "0x19"
    assert FLAGS.show(0) == "0x0"


def test_an_error_names_its_field_and_value_once() -> None:
    port = Field("port", Integer(0, 65535), "0")
    with pytest.raises(FieldError) as caught:
        port.check(70000)
    assert str(caught.value) == "port 70000 is out of range; write a number from 0 to 65535"
    with pytest.raises(FieldError, match=r"^port 'http' is not a number; write"):
        port.parse("http")
    with pytest.raises(FieldError) as caught:
        port.parse("\x1b[31m")
    assert str(caught.value).isprintable()


@given(st.text() | st.binary() | st.integers() | st.just(1 << 60000))
def test_an_error_is_short_and_printable_whatever_the_value(value: object) -> None:
    error = FieldError("f", value, "is wrong")
    assert str(error).isprintable()
    assert len(str(error)) < 150


def test_a_number_that_wraps_is_noticed() -> None:
    field = Field("cid", Integer(0, 2**32 - 1, wraps=True), "0")
    (notice,) = field.notices(2**32 + 7)
    assert notice == Notice("cid", notice.text)
    assert "passes 7" in notice.text
    assert not list(field.notices(7))
    assert len(next(iter(field.notices(1 << 60000))).text) < 150


@pytest.mark.parametrize(
    ("text", "value"),
    [("00 ff", b"\0\xff"), ("'é'", "é".encode()), (r"b'\x00a'", b"\0a"), (r"'\d'", rb"\d"), (r'b"\d"', rb"\d")],
)  # fmt: skip
def test_bytes_are_digits_or_a_text_and_a_backslash_warns_nobody(
    text: str, value: bytes, recwarn: pytest.WarningsRecorder
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert Octets().read(text) == value
    assert not recwarn.list


@pytest.mark.parametrize("text", ["'a", "'a', 1", "b'a', 1", r"'\ud800'", "'a' if x else 'b'", "b'é'"])
def test_what_is_no_text_in_quotes_is_told(text: str) -> None:
    with pytest.raises(Invalid, match="no text in quotes"):
        Octets().read(text)
