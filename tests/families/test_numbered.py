"""Families that nobody declared, by number: found, judged, packed, read from other notations."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.core.constants import LINUX
from sockexplorer.core.family import Family
from sockexplorer.core.numbered import LAST, Numbered
from sockexplorer.engine.verdict import judge
from sockexplorer.families import all_families, family, find, numbered
from sockexplorer.notations import read


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


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ((15,), ""), ((15, "x"), "data"), ((15, b"x" * 127), "data"), ((-1, b""), "family"), (b"x", ""),
        ((65536, b""), "family"),
    ],
)  # fmt: skip
def test_what_is_refused_is_said_to_be(address: object, field: str) -> None:
    verdict = judge(*find("15/raw"), address, "local")
    assert (verdict.accepted, verdict.decided_by, verdict.field) == (False, "model", field)
    # What every socket of Python's says to any address of this family.
    assert (verdict.exception, verdict.message) == ("OSError", "bind(): bad family")


def test_that_is_what_python_says() -> None:
    here, there = socket.socketpair()
    with here, there, socket.socket(15, socket.SOCK_RAW, 0, fileno=here.detach()) as claimed:
        raises = pytest.raises(OSError, match=r"^bind\(\): bad family$")
        with raises:
            claimed.bind((15, b""))


def test_what_is_rarely_meant() -> None:
    found, protocol = find("15/raw")
    told = [str(each) for each in found.notices(protocol, (2, b"\x0f\0rest"), "local")]
    assert told == [
        "family: the socket is of the family 15",
        "data: begins with the family's number, which stands before it already",
    ]


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
