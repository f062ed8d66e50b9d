"""Ancillary data in a few words: what is known is said by name, nothing is left out, nothing raises."""

from __future__ import annotations

import socket
import struct
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.core.beside import ELSEWHERE, beside

TTL = (64).to_bytes(4, sys.byteorder).hex()
PKTINFO = struct.pack("=I4s4s", 3, bytes(4), socket.inet_aton("192.0.2.7")).hex()
PKTINFO6 = struct.pack("=16sI", socket.inet_pton(socket.AF_INET6, "fe80::1"), 2).hex()
JSON = st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3) | (
    st.dictionaries(st.text(max_size=5), inner, max_size=3)), max_leaves=5)  # fmt: skip


@pytest.mark.parametrize(
    ("meta", "words"),
    [
        ({}, ""),
        ({"control": [{"name": "IP_TTL", "data": TTL}, {"name": "IP_TOS", "data": "10"}]}, "ttl 64 · tos 16"),
        ({"control": [{"name": "IPV6_HOPLIMIT", "data": TTL}]}, "hoplimit 64"),
        ({"control": [{"name": "IP_PKTINFO", "data": PKTINFO}]}, "to 192.0.2.7 interface 3"),
        ({"control": [{"name": "IPV6_PKTINFO", "data": PKTINFO6}]}, "to fe80::1 interface 2"),
        ({"control": [{"name": "level 1 type 9", "data": "abcd"}]}, "level 1 type 9 abcd"),
        ({"control": [{"name": "IP_PKTINFO", "data": "00"}]}, "IP_PKTINFO 00"),
        ({"control": [{"name": "IP_TTL", "data": "zz"}]}, "IP_TTL zz"),
        ({"credentials": {"pid": 12, "uid": 0, "gid": 5}}, "pid 12 uid 0 gid 5"),
        ({"vlan": {"id": 100, "priority": 0, "tpid": "0x8100"}}, "vlan 100"),
        ({"vlan": {"id": 100, "priority": 3, "tpid": "0x8100"}, "priority": 6}, "vlan 100 priority 3 · priority 6"),
        ({"destination": {"address": 32, "name": "0x1"}}, "destination address 32 name 0x1"),
        ({"event": "closed", "text": "closed", "descriptors": ["x"]}, ""),
    ],
)
def test_words(meta: dict[str, object], words: str) -> None:
    assert beside(meta) == words


@given(st.dictionaries(st.sampled_from(["control", "vlan", "credentials", "ttl", "x"]), JSON, max_size=4))
def test_whatever_a_peer_sent_it_is_said(meta: dict[str, object]) -> None:
    told = beside(meta)
    assert all(
        f"{key} {value}" in told for key, value in meta.items() if key in ("ttl", "x") and isinstance(value, int)
    )
    assert beside(dict.fromkeys(ELSEWHERE, 1)) == ""
