"""What a kernel's own services say: no bytes break a decoder, and a service is known by its address alone."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.decoders import decode, summary

CONTROL = (1, 0xFFFFFFFE)
TOPOLOGY = (2, 1, 1, 0)
SERVICES = [("AF_QIPCRTR", "dgram", CONTROL), ("AF_TIPC", "seqpacket", TOPOLOGY)]


@given(st.sampled_from(SERVICES), st.binary(max_size=64) | st.binary(min_size=20, max_size=20) | st.binary(min_size=48))
def test_any_bytes(service: tuple[str, str, tuple[int, ...]], payload: bytes) -> None:
    family, protocol, peer = service
    root = decode(family, protocol, payload, peer)
    assert (root.start, root.end) == (0, len(payload))
    for _, node in root.walk():
        assert 0 <= node.start <= node.end <= len(payload), node
    assert isinstance(summary(family, protocol, payload, peer), str)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((2, 0, 0, 0, 0), "HELLO"),
        ((4, 15, 257, 1, 16384), "NEW_SERVER service 15 instance 257 at 1:16384"),
        ((4, 0, 0, 0, 0), "NEW_SERVER end of the list"),
        ((6, 1, 16385, 0, 0), "DEL_CLIENT 1:16385"),
        ((10, 0, 0, 0, 0), "NEW_LOOKUP of every service"),
        ((10, 15, 0, 0, 0), "NEW_LOOKUP service 15 instance 0"),
        ((99, 1, 0, 0, 0), "command 99 service 1 instance 0"),
    ],
)
def test_control_packets_of_the_router(words: tuple[int, ...], said: str) -> None:
    payload = struct.pack("<5I", *words)
    assert summary("AF_QIPCRTR", "dgram", payload, CONTROL) == said
    assert summary("AF_QIPCRTR", "dgram", payload, (1, 16384)) == ""


def test_the_topology_services_words() -> None:
    asked = struct.pack("5I8s", 1000, 0, 10, 500, 2, b"mine")
    assert summary("AF_TIPC", "seqpacket", asked, TOPOLOGY) == "subscription to 1000:0-10"
    assert summary("AF_TIPC", "seqpacket", asked, (2, 1000, 1, 0)) == ""
    told = struct.pack("5I", 1, 3, 4, 77, 0x1001) + asked
    root = decode("AF_TIPC", "seqpacket", told, TOPOLOGY)
    assert root.value == "PUBLISHED 1000:3-4 by node 1001 ref 77"
    found = {node.name: node.value for _, node in root.walk()}
    assert (found["filter"], found["timeout"], found["usr_handle"]) == ("SERVICE", "500 ms", "6d 69 6e 65 00 00 00 00")
