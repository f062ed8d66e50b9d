"""Ancillary data in filters: every name that an engine gives, numbers, texts and presence, and what is wrong."""

from __future__ import annotations

import socket
import struct
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.capture.ancillary_fields import LOWER, NAMES, is_field, values_of
from sockexplorer.capture.completion import completions
from sockexplorer.capture.filter import compile_filter
from sockexplorer.capture.log import Frame
from sockexplorer.capture.predicate import FilterError, Vocabulary
from sockexplorer.core.beside import BEFORE
from sockexplorer.core.frames import Flag
from sockexplorer.engine import ancillary

NUMBER = (64).to_bytes(4, sys.byteorder)
CONTROLS = [
    (0, 2, NUMBER), (0, 1, b"\x10"), (0, 8, struct.pack("=I4s4s", 3, bytes(4), socket.inet_aton("192.0.2.7"))),
    (41, 52, NUMBER), (41, 67, NUMBER), (41, 50, struct.pack("=16sI", socket.inet_pton(socket.AF_INET6, "fe80::1"), 2)),
    (1, 2, struct.pack("=iII", 12, 1000, 5)), (1, 3, b"some_t:label\0"), (1, 29, b"\xab\xcd"),
    (270, 3, struct.pack("=I", 33)), (263, 8, struct.pack("=IIIHHHH", 0x51, 60, 60, 0, 14, 0xB123, 0x88A8)),
    (107, 1, b"\x20"), (107, 2, bytes(7) + b"\1"), (107, 3, b"\6"),
    (271, 1, struct.pack("=II", 2, 3)), (271, 2, b"abc"), (271, 3, struct.pack("=3I", 1000, 0, 5)),
]  # fmt: skip
"""One of each control message that is read by name, and one that is not."""
SENT = {"fields": {"op": 1, "iv": "00", "assoclen": 4, "read": 9}, "descriptors": ["file /etc/hosts"]}
READ = {BEFORE: 3}
"""What a capture file tells."""
EVERYTHING = Frame(
    1, 0, 1, 1, int(Flag.META | Flag.CONTROL_TRUNCATED | Flag.LOCAL), b"x", ancillary.read(CONTROLS).meta | SENT | READ
)
NOTHING = Frame(2, 0, 1, 1, 0, b"anc.ip_ttl", {})
EVENT = Frame(3, 0, 0, 1, int(Flag.META | Flag.EVENT), b"", {"event": "closed", "text": "closed", "priority": 6})
TWICE = Frame(4, 0, 1, 1, int(Flag.META), b"x", {"descriptors": ["file /etc/hosts", "pipe:[7]"]})


def passes(text: str, frame: Frame = EVERYTHING) -> bool:
    predicate = compile_filter(text, str)
    assert predicate is not None
    return predicate(frame)


def test_the_names_are_those_that_an_engine_and_a_file_give() -> None:
    assert {*values_of(EVERYTHING)} == LOWER | {"anc.level_1_type_29"}
    assert all(map(is_field, values_of(EVERYTHING)))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_alone_asks_whether_it_is_there(name: str) -> None:
    for written in (name, name.lower(), f"({name})", f"not not {name}", f"{name}&&x"):
        assert passes(written)
    for frame in (NOTHING, EVENT):
        assert not passes(name, frame)
        assert passes(f"!{name}", frame)


@pytest.mark.parametrize(
    "text",
    [
        "anc.IP_TTL==64", "anc.ip_ttl == 0x40", "anc.IP_TTL>63 and anc.IP_TTL<65", "anc.IP_TOS!=17", "anc.IP_TTL~6",
        "anc.IP_PKTINFO.to==192.0.2.7", "anc.IP_PKTINFO.interface==3", 'anc.IP_PKTINFO=="to 192.0.2.7 interface 3"',
        "anc.IPV6_PKTINFO.to~fe80", "anc.credentials.pid==12", 'anc.credentials~"uid 1000"', "anc.security~/LABEL$/",
        "anc.vlan.id==0x123", "anc.vlan.id==291", "anc.vlan.tpid==0x88a8", "anc.vlan.drop_eligible==true",
        "anc.vlan.drop_eligible==1", "anc.destination.address==32", "anc.name.type==1000", "anc.group==33",
        "anc.returned.error==TIPC_ERR_NO_PORT", "anc.level_1_type_29==ABCD", "anc.level_1_type_29", "anc.fields.op==1",
        "anc.descriptors~/^file/", 'anc.sent_by=="this host"', "anc.truncated==true",
    ],
)  # fmt: skip
def test_numbers_and_texts_are_compared(text: str) -> None:
    assert passes(text)
    assert not passes(text, NOTHING)
    assert not passes(text, EVENT), "what an event tells is not what came beside a message"


def test_of_several_values_one_is_enough() -> None:
    assert passes("anc.descriptors~pipe", TWICE)
    assert passes("anc.descriptors~/hosts$/", TWICE)


def test_what_looks_like_a_field_may_be_searched_as_a_text() -> None:
    assert passes('"anc.ip_ttl"', NOTHING)
    assert not passes("anc.ip_ttl", NOTHING)
    assert passes("anc.", NOTHING)
    assert passes("danc.IP", NOTHING._replace(payload=b"danc.ip"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("anc.IP_TLL", "there is no field anc.ip_tll; did you mean anc.IP_TTL?"),
        ("anc.IP_TLL==64", 'did you mean anc.IP_TTL? (the text is found by "anc.ip_tll==64")'),
        ("anc.zzzzzzzzzzzz", "there are anc.IP_TTL, anc.IP_TOS, "),
        ("anc.IP_TTL>many", "'many' is not a number"),
        ("anc.IP_TTL=64", "= is written ==, as in anc.IP_TTL==64"),
        ("anc.IP_TTL==", "a value belongs after anc.IP_TTL=="),
        ("anc.IP_TTL==/6/", "a regular expression is compared with ~"),
    ],
)
def test_what_is_wrong_is_told(text: str, says: str) -> None:
    with pytest.raises(FilterError) as told:
        compile_filter(text, str)
    assert says in str(told.value)


def test_names_are_offered_while_typing() -> None:
    def offered(text: str) -> list[str]:
        return completions(text, Vocabulary(), lambda field: ())

    assert offered("anc.IP_T") == ["anc.IP_TTL", "anc.IP_TOS"]
    assert offered("len>5 and anc.ip_tt") == ["len>5 and anc.ip_ttL"]
    assert {*offered("anc.")} == {*NAMES}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=5,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["control", "vlan", "IP_TTL", "descriptors", "x y"]), JSON, max_size=4))
def test_whatever_a_file_says_of_it_nothing_raises(meta: dict[str, object]) -> None:
    frame = Frame(1, 0, 0, 0, int(Flag.META), b"", meta)
    for text in ("anc.vlan.id==1 or anc.IP_TTL>5", "anc.descriptors~x", "anc.vlan~/./", "anc.vlan!=x"):
        assert passes(text, frame) in (True, False)
