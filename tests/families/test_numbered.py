"""Families that nobody declared, by number: found, judged, packed, read from other notations."""

from __future__ import annotations

import socket

import pytest
from family_tables import OK, accepts_silently, decides, explains, misreads, packs, reads, refuses, shows, warns
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.core.constants import LINUX
from sockexplorer.core.family import Family
from sockexplorer.core.numbered import LAST, Numbered
from sockexplorer.families import all_families, family, find, numbered
from sockexplorer.notations import read

KEY = family("key")

test_plain_forms = reads(
    KEY,
    ("raw", "00 01", (15, b"\0\1")),
    ("raw", "0x0001", (15, b"\0\1")),
    ("raw", "", (15, b"")),
    ("raw", "(0, b'')", (0, b"")),
)
test_wrong_plain_forms = misreads(KEY, ("raw", "xyz", "data", "hexadecimal"), ("raw", "00 " * 127, "data", "126 bytes"))
test_rows = shows(KEY, ((15, b"\0\1"), "00 01"), ((15, b""), "(no bytes)"), ((2, b"\1"), "2: 01"), ("x", "'x'"))
# What every socket of Python's says to any address of such a family.
test_the_declaration = decides(
    KEY,
    ("raw", (15, b"\0"), OK),
    ("raw", (0, bytearray(126)), OK),
    ("raw", (15,), "OSError: bind(): bad family"),
    ("raw", b"\0", "OSError: bind(): bad family"),
    ("raw", (15, "x"), "OSError: bind(): bad family"),
)
test_refusals = refuses(
    KEY,
    ("raw", (15,), "", "write (family, data)"),
    ("raw", (15, "x"), "data", "hexadecimal"),
    ("raw", (15, bytes(127)), "data", "126 bytes"),
    ("raw", (-1, b""), "family", "0 to 65535"),
    ("raw", (65536, b""), "family", "0 to 65535"),
)
test_warnings = warns(
    KEY,
    ("raw", (2, b""), "local", "family", "the socket is of the family 15"),
    ("raw", (15, b"\x0f\0rest"), "remote", "data", "stands before it already"),
)
test_nothing_odd = accepts_silently(KEY, ("raw", (15, b""), "local"), ("raw", (15, b"\0\1"), "remote"))
test_bytes = packs(KEY, ("raw", (15, b"\1\2"), "0f00 0102", (15, b"\1\2")), ("raw", (0, b""), "0000", (0, b"")))
test_advice = explains(KEY, ("raw", "socket", "EAFNOSUPPORT", "no AF_KEY", "doctor key"))


@pytest.mark.parametrize("name", ["15", "key", "AF_KEY", "pf_key", "015"])
def test_a_family_is_found_by_number_and_by_name(name: str) -> None:
    found = family(name)
    assert (found.number, found.constant, found.name) == (15, "AF_KEY", "key")
    assert found is family("15"), "one object, whichever way it was named"
    assert found not in all_families()


@pytest.mark.parametrize("each", [each for each in all_families() if not each.foreign], ids=lambda each: each.name)
def test_a_declared_family_can_be_had_by_number_as_well(each: Family) -> None:
    by_number = family(str(each.number))
    assert isinstance(by_number, Numbered)
    assert (by_number.number, by_number.name) == (each.number, str(each.number))
    assert family(by_number.constant) is by_number
    assert family(each.constant) is each
    assert numbered(each.number) == [each], "a socket call means the declared one"


@pytest.mark.parametrize("name", ["0", "256", "99999999999", "-1", "1.5", "٣", "AF_", "", "SOCK_RAW", "AF_UNSPEC"])
def test_what_is_no_family(name: str) -> None:
    with pytest.raises(KeyError, match="any other by its number"):
        family(name)


def test_every_family_that_linux_names_is_found() -> None:
    for name, value in LINUX.items():
        if name.startswith("AF_"):
            assert family(name).number == value
    assert [each.number for each in numbered(LAST)] == [LAST]
    assert numbered(LAST + 1) == numbered(0) == []


@given(number=st.integers(0, 0xFFFF), data=st.binary(max_size=126))
def test_addresses_are_the_bytes(number: int, data: bytes) -> None:
    found, protocol = find("15/raw")
    address = (number, data)
    found.check(protocol, address)
    packed = found.pack(protocol, address)
    assert packed == number.to_bytes(2, "little") + data
    assert found.unpack(protocol, packed) == address
    assert found.read(protocol, found.written(protocol, address)) == address


def test_that_is_what_python_says() -> None:
    here, there = socket.socketpair()
    with here, there, socket.socket(15, socket.SOCK_RAW, 0, fileno=here.detach()) as claimed:
        raises = pytest.raises(OSError, match=r"^bind\(\): bad family$")
        with raises:
            claimed.bind((15, b""))


@pytest.mark.parametrize(
    ("text", "name", "proto", "remote"),
    [
        ("socket.socket(15, socket.SOCK_RAW, 2)", "key/raw", 2, None),
        ("socket.socket(44, 3, 0)", "xdp/raw", 0, None),
        ("<socket.socket fd=3, family=45, type=2, proto=0>", "mctp/dgram", 0, None),
        ("SOCKET-SENDTO:15:3:2:x0102", "key/raw", 2, (15, b"\x01\x02")),
    ],
)
def test_other_notations_name_it_by_number(text: str, name: str, proto: int, remote: object) -> None:
    found = read(text)[0]
    assert f"{found.family.name}/{found.protocol.name}" == name
    assert (found.proto, found.remote) == (proto, remote)
