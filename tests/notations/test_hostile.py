"""No text makes ``read`` raise or take long, whatever it is."""

from __future__ import annotations

import time

import pytest
from addresses import GOOD
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol
from sockexplorer.families import all_families, find
from sockexplorer.notations import read
from sockexplorer.notations.reading import LONGEST, accepts

FAMILIES = all_families()
PROTOCOLS = [(family, protocol) for family in FAMILIES for protocol in family.protocols]
PIECES = st.sampled_from([
    "socat ", "-", "TCP4", "UDP6-RECV", "UNIX-CONNECT", "SOCKET-RECV", "SOCKET-LISTEN", "IP4-SENDTO", "INTERFACE",
    "VSOCK-LISTEN", "ABSTRACT-RECV", ":", ",", "=", "!!", "bind", "type", "prototype", "setsockopt-int", "pf", "[::1]",
    "x00", "127.0.0.1", "80", "%lo", "/tmp/x", "\\", "'", '"', "$'", "(", ")", "[", "{", " ", "\n", "\t", "\0", "|",
    "<socket.socket ", "fd=3, ", "family=", "family=2", ", type=", ", type=1", ", proto=6", ", laddr=", ", raddr=", ">",
    "addr(ip='::1', port=80)", "<AddressFamily.AF_INET: 2>", "b'", "s.bind(", "socket.socket(", "socket.AF_INET",
    "AF_NOSUCH", "1 << 64", "tcp ", "u_str ", "nl ", "???", "LISTEN ", "ESTAB ", "0 0 ", "*:*", "* 12 ", "rtnl:x/1 ",
    "  0: ", "0100007F:0050 ", "00000000:0000 ", "0A ", "07 ", "/proc/net/udp:", "0000000000000000: ", "00010000 ",
    "@", "é", "\ud800", "\udcff", "9" * 5000, "lambda:", "0x", "\x1b[2J", "--", "...", "((((", "1,",
])  # fmt: skip


@given(st.text())
def test_any_text(text: str) -> None:
    assert isinstance(read(text), list)


@given(st.text(st.characters(categories=["Cs", "Cc", "Lo", "Nd", "Po", "Ps"])), st.sampled_from(PROTOCOLS))
def test_any_text_with_a_form_in_sight(text: str, shown: tuple[Family, Protocol]) -> None:
    for each in read(text, shown):
        assert all(end is None or accepts(each.family, each.protocol, end) for end in (each.local, each.remote))


@given(st.lists(PIECES, max_size=25).map("".join))
def test_pieces_of_notations(text: str) -> None:
    for each in read(text):
        assert each.notation
        assert each.protocol in each.family.protocols
        assert each.operation in (None, "open", *each.protocol.operations)
        assert all(end is None or accepts(each.family, each.protocol, end) for end in (each.local, each.remote))


N = LONGEST
REPEATED = [
    "(", "[", "{", "'", '"', "\\", "\0", "\ud800", "é", "-", "~", "@", "%", ":", "!!", " ", "\n", "0:", "00:", "ab:",
    "1.", "$'", "family=", "family=<", "family=2, type=1", "LINK|", "/", "1|", "a.", "not ", "lambda:", "f'{", "await ",
]  # fmt: skip
HEADS = [
    "", "(", "('", "s.bind(", "socat ", "UNIX:", "TCP4:", "SOCKET-RECV:2:2:17:", "u_str LISTEN 0 0 ",
    "tcp LISTEN 0 0 ", "family=2, type=1, proto=6, laddr=", "[::1%", "b'", "0: 0100007F:0050 00000000:0000 0A ",
]  # fmt: skip


def taken(text: str) -> float:
    """Seconds of processor time; the least of several is not some other thread's or the collector's."""
    began = time.process_time()
    read(text)
    return time.process_time() - began


@pytest.mark.parametrize("head", HEADS)
def test_long_texts_are_quick(head: str) -> None:
    read("127.0.0.1:80")
    for piece in REPEATED:
        for length in (N - 1, N + 100_000):
            text = (head + piece * length)[:length]
            assert min(taken(text) for _ in range(3)) < 0.05, text[:60]


def test_long_numbers_are_no_numbers() -> None:
    for digits in ("9" * 4400, "9" * 10**5, "0x" + "f" * 6000):
        assert read(f"('127.0.0.1', {digits})") == []
        assert read(digits) == []
        assert read(f"127.0.0.1:{digits}") == []
        assert read(f"s.bind((1, {digits}))") == []


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@given(data=st.data())
def test_a_pasted_repr_has_the_address_among_its_readings(family: Family, data: st.DataObject) -> None:
    protocol = family.protocols[0]
    address = data.draw(GOOD[family.constant])
    found = read(repr(address))
    assert any(
        each.family is family and each.protocol is protocol and address in (each.local, each.remote) for each in found
    )
    first = read(repr(address), (family, protocol))[0]
    assert (first.family, first.protocol) == (family, protocol)
    assert address in (first.local, first.remote)
    assert len({(each.family.name, each.protocol.name) for each in found}) == len(found)


def test_the_form_in_sight_takes_what_is_a_word_to_others() -> None:
    assert read("hello") == []
    assert read("hello", find("unix/dgram"))[0].local == "hello"
    assert read("5", find("netlink/route"))[0].local == (0, 5)
    assert read("(1, 2)", find("qipcrtr/dgram"))[0].family.constant == "AF_QIPCRTR"
