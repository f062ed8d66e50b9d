"""Hosts, sorted by what CPython would do with them, without asking anyone."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.core.faults import Invalid
from sockexplorer.core.ip import Host, as_text, classify, numeric


@pytest.mark.parametrize(
    ("host", "four", "six"),
    [
        ("", "any", "any"),
        ("<broadcast>", "broadcast", "other-family"),
        ("255.255.255.255", "broadcast", "other-family"),
        ("127.0.0.1", "numeric", "other-family"),
        (b"127.0.0.1", "numeric", "other-family"),
        ("127.1", "loose", "other-family"),
        ("010.0.0.1", "loose", "other-family"),
        ("2130706433", "loose", "other-family"),
        ("１２７.0.0.1", "numeric", "other-family"),
        ("::1", "other-family", "numeric"),
        ("::ffff:1.2.3.4", "loose", "numeric"),
        ("fe80::1%lo", "other-family", "loose"),
        ("fe80::1%nosuch0", "other-family", "impossible"),
        ("localhost", "name", "name"),
        ("a_b.example.", "name", "name"),
        ("256.0.0.1", "impossible", "name"),
        ("1.2.3.4.5", "impossible", "name"),
        ("-x", "impossible", "impossible"),
        ("a..b", "impossible", "impossible"),
        ("a" * 64, "impossible", "impossible"),
        ("x y", "impossible", "impossible"),
        (b"\xb9", "impossible", "impossible"),
        (b"\xef\xbc\x91", "impossible", "impossible"),
        ("a\0", "type", "type"),
        (None, "type", "type"),
        (127, "type", "type"),
        ("\ud800", "type", "type"),
    ],
)
def test_classes(host: object, four: str, six: str) -> None:
    assert (classify(host, 4), classify(host, 6)) == (four, six)


@given(st.text(max_size=20) | st.binary(max_size=20) | st.none() | st.integers())
def test_any_host_has_a_class_and_the_kind_agrees(host: object) -> None:
    for version in (4, 6):
        kind = classify(host, version)
        try:
            Host(version).check(host)
        except Invalid as error:
            assert kind in ("type", "impossible", "other-family")
            assert error.reason  # noqa: PT017
        else:
            assert kind in ("any", "broadcast", "numeric", "loose", "name")
            assert all(isinstance(each, str) for each in Host(version).notices(host))


@given(st.ip_addresses())
def test_numbers_are_read_as_the_system_reads_them(address: object) -> None:
    version = 6 if ":" in str(address) else 4
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    found = numeric(str(address), version)
    assert found is not None
    assert socket.inet_pton(family, found) == socket.inet_pton(family, str(address))


def test_brackets_of_a_url_are_taken_off() -> None:
    assert Host(6).parse(" [::1] ") == "::1"


def test_text_of_a_host() -> None:
    assert as_text(bytearray(b"a")) == "a"
    assert as_text("münchen.example") == "xn--mnchen-3ya.example"
