"""Hypothesis strategies of addresses: good ones of every family, and whatever a person may put in their place."""

from __future__ import annotations

import ipaddress
from typing import Any

from hypothesis import strategies as st

Strategy = st.SearchStrategy[Any]

PORTS = st.integers(0, 65535)
WORDS = st.integers(0, 2**32 - 1)
WRAPPING = WORDS | st.integers(-(2**70), 2**70) | st.booleans()
HOSTS4 = st.ip_addresses(v=4).map(str) | st.sampled_from(["", "<broadcast>", "127.1", "0x7f.1", "010.0.0.1", "0"])
HOSTS6 = st.ip_addresses(v=6).map(str) | st.sampled_from(["", "::ffff:1.2.3.4", "fe80::1%lo", "fe80::1%1"])
# Nothing here may be a well-formed name: the C parser itself is asked about some of these, and would look it up.
IMPOSSIBLE_HOSTS = st.sampled_from([
    "256.0.0.1.", "1.2.3.4.5.", "-x", "a b", "a..b", "[::1]", "::1%nosuch0", "é" * 70, "x" * 300, "١", "127.0.0.1 ",
    "a\0b", b"127.0.0.1", bytearray(b"::1"), b"\xb9", b"\xff\xfe", "１２７.0.0.1", "②", "\ud800", "/",
    "ff02::1%lo", "::1%1",
])  # fmt: skip
PATHS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.binary(max_size=110)
BDADDRS = st.binary(min_size=6, max_size=6).map(lambda raw: raw.hex(":").upper()) | st.sampled_from(
    ["1:2:3:4:5:6", "0x1: 2:+3:4:5:6"]
)


def words_of(length: int) -> Strategy:
    """Strings that fit a ``char`` array with its NUL."""
    text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=length)
    return text.filter(lambda word: len(word.encode()) <= length)


GOOD: dict[str, Strategy] = {
    "AF_INET": st.tuples(HOSTS4, PORTS),
    "AF_INET6": st.tuples(HOSTS6, PORTS)
    | st.tuples(HOSTS6, PORTS, st.integers(0, 0xFFFFF))
    | st.tuples(HOSTS6, PORTS, st.integers(0, 0xFFFFF) | st.just(2**32 + 5), WRAPPING),
    "AF_UNIX": PATHS.filter(lambda path: len(path if isinstance(path, bytes) else path.encode()) < 108),
    "AF_NETLINK": st.tuples(WRAPPING, WRAPPING),
    "AF_VSOCK": st.tuples(WRAPPING, WRAPPING),
    "AF_PACKET": st.tuples(st.sampled_from(["lo", "lo:1"]), PORTS)
    | st.tuples(st.just("lo"), PORTS, st.integers(-(2**31), 2**31 - 1))
    | st.tuples(st.just("lo"), PORTS, st.integers(0, 255), st.integers(0, 65535), st.binary(max_size=8)),
    "AF_CAN": st.tuples(st.sampled_from(["lo", ""])),
    "AF_TIPC": st.tuples(st.sampled_from([1, 2, 3, 2**32 + 1]), WRAPPING, WRAPPING, WRAPPING)
    | st.tuples(st.sampled_from([1, 2, 3]), WRAPPING, WRAPPING, WRAPPING, WRAPPING),
    "AF_QIPCRTR": st.tuples(WRAPPING, WRAPPING),
    "AF_RDS": st.tuples(HOSTS4, PORTS),
    "AF_BLUETOOTH": st.tuples(BDADDRS, st.integers(-(2**31), 2**31 - 1)),
    "AF_ALG": st.tuples(words_of(13), words_of(63))
    | st.tuples(words_of(13), words_of(63), WRAPPING)
    | st.tuples(words_of(13), words_of(63), WRAPPING, WRAPPING),
    "PF_SYSTEM": st.tuples(WRAPPING, WRAPPING),
    "AF_HYPERV": st.tuples(st.uuids().map(str), st.uuids().map(lambda each: str(each).upper())),
    "AF_DIVERT": st.tuples(HOSTS4, PORTS),
}
"""Addresses that CPython accepts, by family."""

ELEMENTS = (
    st.integers(-3, 70000)
    | st.integers(-(2**70), 2**70)
    | st.booleans()
    | st.none()
    | st.floats(allow_nan=False)
    | st.binary(max_size=10)
    | IMPOSSIBLE_HOSTS
    | HOSTS4
    | HOSTS6
    | st.sampled_from(["lo", "lo\0", "nosuch-interface-at-all", 2**31, 2**31 - 1, -(2**31), 2**32, 2**64])
)
ANYTHING: Strategy = (
    st.lists(ELEMENTS, max_size=6).map(tuple)
    | st.tuples(HOSTS4 | HOSTS6 | IMPOSSIBLE_HOSTS, ELEMENTS)
    | st.tuples(HOSTS6, PORTS, ELEMENTS, ELEMENTS)
    | st.tuples(st.just("lo"), ELEMENTS, ELEMENTS, ELEMENTS, ELEMENTS)
    | ELEMENTS
    | PATHS
    | st.binary(max_size=120)
    | st.lists(ELEMENTS, max_size=3)
)
"""Tuples, and what is no tuple, of every sort of element."""


def canonical_host(host: str) -> str:
    """A numeric host as the kernel gives it back."""
    return str(ipaddress.ip_address(host))
