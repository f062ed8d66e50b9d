"""A C structure that is declared once packs, unpacks and explains its bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.core.sockaddr import Layout, Part, c_string, hexadecimal, named

LAYOUT = Layout(
    "sockaddr_test",
    Part("family", "H", "address family", show=named({"AF_TEST": 7})),
    Part("port", "H", "port", "network"),
    Part("flags", "B", "flags", show=hexadecimal),
    Part("name", "3s", "name", show=c_string),
    least=4,
)
BYTES = bytes.fromhex("0700 0050 0f 616200")


def test_the_bytes_of_each_order() -> None:
    assert LAYOUT.size == 8
    assert LAYOUT.pack(family=7, port=80, flags=15, name=b"ab") == BYTES
    assert LAYOUT.pack(family=7) == b"\x07\0" + bytes(6)
    with pytest.raises(KeyError, match="sockaddr_test has no prot"):
        LAYOUT.pack(prot=1)


def test_what_a_kernel_cut_short_is_zero() -> None:
    assert LAYOUT.unpack(BYTES) == {"family": 7, "port": 80, "flags": 15, "name": b"ab\0"}
    assert LAYOUT.unpack(BYTES[:4]) == {"family": 7, "port": 80, "flags": 0, "name": bytes(3)}
    assert LAYOUT.unpack(BYTES[:3]) is None


def test_each_member_is_explained() -> None:
    rows = LAYOUT.rows(BYTES + b"\xff")
    assert [(row.name, row.offset, row.size, row.order, row.value) for row in rows] == [
        ("family", 0, 2, "host", "7 AF_TEST"),
        ("port", 2, 2, "network", "80"),
        ("flags", 4, 1, "", "0xf"),
        ("name", 5, 3, "", "'ab'"),
        ("", 8, 1, "", "ff"),
    ]
    cut = LAYOUT.rows(BYTES[:3])
    assert [(row.name, row.meaning) for row in cut] == [("family", "address family"), ("port", "cut short")]
    assert LAYOUT.rows(b"") == []


@given(st.binary(max_size=20))
def test_rows_hold_every_byte_once(data: bytes) -> None:
    rows = LAYOUT.rows(data)
    assert b"".join(row.raw for row in rows) == data
    assert [row.offset for row in rows] == [sum(len(row.raw) for row in rows[:at]) for at in range(len(rows))]


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.integers(0, 255), st.binary(min_size=3, max_size=3))
def test_what_is_packed_comes_back(family: int, port: int, flags: int, name: bytes) -> None:
    values = {"family": family, "port": port, "flags": flags, "name": name}
    assert LAYOUT.unpack(LAYOUT.pack(**values)) == values
