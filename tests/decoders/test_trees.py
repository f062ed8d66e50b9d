"""Every tree of every decoder, whatever the bytes: places in the payload, children in their parents, siblings apart."""

from __future__ import annotations

import itertools
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from kernel_messages import HEADER, attribute

from sockexplorer.decoders import decode
from sockexplorer.decoders.tree import Node

BIT_FIELDS = ("can_id", "NAME")
"""Fields whose parts share bytes, as they are of single bits."""
SOURCES = {
    "route": ("AF_NETLINK", (0, 0)), "generic": ("AF_NETLINK", (0, 0)), "kobject-uevent": ("AF_NETLINK", (0, 1)),
    "netfilter": ("AF_NETLINK", (0, 0)), "raw": ("AF_CAN", ("vcan0",)), "bcm": ("AF_CAN", ("vcan0",)),
    "j1939": ("AF_CAN", ("vcan0", 0, 0xEE00, 1)), "dgram": ("AF_QIPCRTR", (1, 0xFFFFFFFE)),
    "stream": ("AF_TIPC", (2, 1, 1, 0)), "raw of lo": ("AF_PACKET", ("lo", 0x0800, 0, 772, bytes(6))),
}  # fmt: skip


def attributes(depth: int) -> st.SearchStrategy[bytes]:
    """Attributes of any type, right or lying about their length, some with others in them."""
    data = st.binary(max_size=24) if not depth else st.binary(max_size=24) | attributes(depth - 1)
    kinds = st.integers(0, 70) | st.integers(0, 0xFFFF)
    right = st.builds(attribute, kinds, data)
    lying = st.builds(lambda length, kind: struct.pack("=HH", length, kind), st.integers(0, 80), kinds)
    return st.lists(right | right | right | lying, max_size=4).map(b"".join)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """Netlink messages with structures and attributes, or other bytes, after their headers."""
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from([2, 2, 3, 16, 17, 19, 20, 24, 28, 32]) | st.integers(0, 130))
        size = {16: 16, 17: 16, 19: 16, 20: 8, 2: 4}.get(kind, 12)
        body = draw(st.binary(min_size=size, max_size=size)) + draw(attributes(2))
        body = draw(st.just(body) | st.just(draw(st.sampled_from(b"\x02\x0a")).to_bytes(1, "little") + body[1:]))
        if kind == 2:
            quoted = HEADER.pack(draw(st.integers(0, 80)), 16, 5, 7, 0)
            body = body[:4] + quoted + body[4:]
        length = draw(st.just(16 + len(body)) | st.integers(0, 300))
        parts.append(HEADER.pack(length, kind, draw(st.integers(0, 0xFFFF)), 7, 0) + body)
    return b"".join(parts) + draw(st.binary(max_size=20))


def sound(parent: Node) -> None:
    """Nothing in a tree lies outside of what it is in, or on top of what is beside it."""
    for each in parent.children:
        assert parent.start <= each.start <= each.end <= parent.end, (parent.name, each)
        sound(each)
    if parent.name in BIT_FIELDS:
        return
    beside = sorted((each for each in parent.children if each.start < each.end), key=lambda each: each.start)
    for before, after in itertools.pairwise(beside):
        assert before.end <= after.start, (parent.name, before, after)


PAYLOADS = st.binary(max_size=200) | st.sampled_from([8, 16, 20, 28, 48, 56, 72, 128]).flatmap(
    lambda size: st.binary(min_size=size, max_size=size)
)


@pytest.mark.parametrize("protocol", SOURCES)
@given(payload=messages() | PAYLOADS)
@example(bytes(12) + b"\x88\xa8\0\5\x81\0\x60\7\x08\0")
@example(struct.pack("=IBBHI", 0x123, 0x80, 3, 4, 0) + b"1234")
@example(HEADER.pack(68, 2, 0x200, 7, 0) + struct.pack("=i", -22) + HEADER.pack(33, 19, 5, 7, 0) + bytes(32))
@example(
    HEADER.pack(60, 24, 2, 7, 0) + bytes([2]) + bytes(11) + attribute(9, struct.pack("=HBBi", 16, 0, 0, 1) + bytes(8))
)
def test_a_tree_is_sound(protocol: str, payload: bytes) -> None:
    family, peer = SOURCES[protocol]
    root = decode(family, protocol.partition(" ")[0], payload, peer)
    assert (root.start, root.end) == (0, len(payload))
    sound(root)
