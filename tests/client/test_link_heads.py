"""Filters by what rows of links say of their frames find what they find frame by frame, without reading each."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from filtered import found, one_by_one, opened
from hypothesis import given, settings
from hypothesis import strategies as st
from live_rows import a_session

from sockexplorer.capture import column_sift, link_sift, pcapng
from sockexplorer.capture.index import Index
from sockexplorer.capture.link_types import ETHERNET, EXPORTED_PDU, SOCKETCAN, Origin, wrap
from sockexplorer.capture.log import Log
from sockexplorer.capture.lots import Alike
from sockexplorer.client.file_session import FileSession
from sockexplorer.client.heading import heading_of
from sockexplorer.client.session import Peer
from sockexplorer.core.frames import Flag, pack_meta

TEXTS = (
    "10.0.0.7", "0.7", ":80", "7:80", "[fe80::1]:53", "fe80::1", "udp", "tcp", "syn", "ack", "fin", "icmp",
    "protocol 9",
    "arp", "broadcast", "length 5", "02:00", "vlan", "vlan 5", "0x88b5", "→", "a", "ipv4", "/10.0.*:53/", r"/0\.7 /",
    "/tcp syn/", "/syn ack/", "/payload/", "eth.type==arp", "eth.type!=ipv4", "eth.vlan==5", "eth.src~02:00",
    'eth.dst=="ff:ff:ff:ff:ff:ff"', "eth.length==5", "eth.priority>0", "can.id==5", "dir==in", "len>60",
)  # fmt: skip
filters = st.recursive(
    st.sampled_from(TEXTS),
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(("and", "or")), inner) | inner.map("not ({})".format)
    ),
    max_leaves=4,
)
hardware = st.sampled_from((b"\x02\0\0\0\0\1", b"\xff" * 6, bytes(6)))
hosts = {
    4: st.sampled_from((b"\x0a\0\0\7", b"\x0a\0\0\x4b", b"\x6e\0\0\7")),
    6: st.sampled_from((b"\xfe\x80" + bytes(13) + b"\1", bytes(16))),
}
protocols = st.sampled_from((1, 6, 9, 17, 132))
ports = st.sampled_from((53, 80, 0x3A38))
behind = st.builds(
    lambda source, destination, offset, flags, more: struct.pack(
        ">HHIIBBHHH", source, destination, 7, 7, offset << 4, flags, 0, 0, 0
    ) + more,
    ports, ports, st.integers(0, 15), st.integers(0, 255), st.sampled_from((b"", b"payload", b"udp 10.0.0.7")),
)  # fmt: skip


@st.composite
def packets(draw: st.DrawFn) -> tuple[int, bytes]:
    """An ethertype and a packet of IP, mostly with a header that is right."""
    inside, protocol = draw(behind), draw(protocols)
    identification = draw(st.integers(0, 65535))
    if draw(st.booleans()):
        begin = draw(st.sampled_from((0x45, 0x45, 0x45, 0x46, 0x60)))
        total = draw(st.sampled_from((20 + len(inside),) * 4 + (0, 19, 20, 27, 28, 39, 40)))
        fragment = draw(st.sampled_from((0, 0x4000, 0x2000, 1)))
        head = struct.pack(">BBHHHBBH", begin, 0, total, identification, fragment, 64, protocol, identification)
        return 0x0800, head + draw(hosts[4]) + draw(hosts[4]) + inside
    begin = draw(st.sampled_from((0x60, 0x6F, 0x45)))
    total = draw(st.sampled_from((len(inside),) * 4 + (0, 7, 8, 19, 20)))
    head = struct.pack(">BBHHBB", begin, 0, identification, total, protocol, 64)
    return 0x86DD, head + draw(hosts[6]) + draw(hosts[6]) + inside


@st.composite
def ethernet(draw: st.DrawFn) -> bytes:
    """A frame, which may be cut off."""
    others = st.tuples(st.sampled_from((0x0806, 0x88B5, 5, 0x0800, 0x86DD)), behind)
    ethertype, payload = draw(packets() | others)
    tags = draw(st.sampled_from((b"", b"", b"\x81\0\x20\5", b"\x88\xa8\0\6\x81\0\0\5")))
    frame = draw(hardware) + draw(hardware) + tags + struct.pack(">H", ethertype) + payload
    return frame[: draw(st.integers(0, len(frame)))] if draw(st.integers(0, 3)) == 0 else frame


@contextmanager
def recorded(frames: list[tuple[int, bytes]], path: Path) -> Iterator[FileSession]:
    """The session of a file with frames of Ethernet (0), of a raw socket (1) and of CAN (2).

    One more is behind them: nothing is told of what the end of a file may cut off.
    """
    made = pcapng.section("sockexplorer 1", "Linux") + pcapng.interface(ETHERNET, "packet/raw", "lo")
    made += pcapng.interface(EXPORTED_PDU, "inet/raw", "") + pcapng.interface(SOCKETCAN, "can/raw", "vcan0")
    for number, (which, frame) in enumerate([*frames, (2, bytes(80))]):
        head = wrap(Origin("inet/raw"), ("10.0.0.7", 0), frame, outgoing=False)[1] if which == 1 else b""
        made += pcapng.packet(which, number, (head, frame), len(head) + len(frame), False)
    path.write_bytes(made)
    with opened(path) as session:
        yield session


ROWS = st.lists(
    st.one_of(
        st.tuples(st.just(0), ethernet()),
        st.tuples(st.just(1), packets().map(lambda packet: packet[1])),
        st.tuples(st.just(2), st.just(struct.pack(">IB3x8s", 5, 8, b"10.0.0.7"))),
    ),
    min_size=1,
    max_size=12,
)  # fmt: skip


@settings(max_examples=30)
@given(ROWS, st.lists(filters, min_size=1, max_size=4))
def test_any_filter_finds_the_rows_that_it_finds_one_by_one(
    tmp_path: Path, rows: list[tuple[int, bytes]], texts: list[str]
) -> None:
    with recorded(rows, tmp_path / "any.pcapng") as session, patch.object(column_sift, "SLICE_LOTS", 7):
        for text in texts:
            assert found(session, text) == one_by_one(session, text), text


PEERS = {
    number: Peer(number, (name, 0x800, 0, hardware, b""), "", name)
    for number, (name, hardware) in enumerate((("lo", 772), ("eth0", 1), ("tun0", 65534)), 1)
}
FLAGS = st.sampled_from((0, 0, int(Flag.OUT), int(Flag.TRUNCATED), int(Flag.META), int(Flag.EVENT | Flag.META)))
LIVE = st.lists(
    st.lists(st.tuples(ethernet() | packets().map(lambda packet: packet[1]), FLAGS, st.integers(0, len(PEERS)))),
    min_size=1, max_size=3,
)  # fmt: skip


@settings(max_examples=60)
@given(LIVE, st.lists(filters, min_size=1, max_size=4))
def test_so_it_does_while_frames_come(batches: list[list[tuple[bytes, int, int]]], texts: list[str]) -> None:
    """Frames of an interface without such headers among them, whatever their bytes look like."""
    session = a_session("packet/raw", batches, PEERS)
    with patch.object(link_sift, "LEAST", 1), patch.object(link_sift, "MOST_FRESH", 3):
        for text in texts:
            assert found(session, text) == one_by_one(session, text), text
    session.log.close()


def ipv4(protocol: int, inside: bytes, number: int = 0) -> bytes:
    """A frame whose counters say this number."""
    head = (0x45, 0, 20 + len(inside), number, 0, 64, protocol, number, b"\x0a\0\0\1", b"\x0a\0\0\7")
    return b"\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\0" + struct.pack(">BBHHHBBH4s4s", *head) + inside


def ipv6(protocol: int, inside: bytes) -> bytes:
    head = struct.pack(">IHBB", 0x60000000, len(inside), protocol, 64) + b"\xfe\x80" + bytes(13) + b"\1" + bytes(16)
    return b"\x02\0\0\0\0\1\x02\0\0\0\0\2\x86\xdd" + head + inside


def tagged(frame: bytes, tags: bytes) -> bytes:
    return frame[:12] + tags + frame[12:]


FRAMES = {
    "udp": ipv4(17, struct.pack(">HHHH", 9999, 80, 28, 0) + bytes(20)),
    "tcp": ipv4(6, struct.pack(">HHIIBBHHH", 9999, 80, 0, 0, 0x50, 0x18, 0, 0, 0) + bytes(8)),
    "icmp": ipv4(1, bytes(28)),
    "udp over ipv6": ipv6(17, struct.pack(">HHHH", 9999, 80, 28, 0) + bytes(20)),
    "tcp over ipv6": ipv6(6, struct.pack(">HHIIBBHHH", 9999, 80, 0, 0, 0x50, 0x18, 0, 0, 0) + bytes(28)),
    "icmp over ipv6": ipv6(58, bytes(28)),
    "arp": b"\xff" * 6 + b"\x02\0\0\0\0\1\x08\x06" + bytes(46),
}
FRAMES |= {
    "udp in a vlan": tagged(FRAMES["udp"], b"\x81\0\x20\5"),
    "tcp over ipv6 in a vlan of a vlan": tagged(FRAMES["tcp over ipv6"], b"\x88\xa8\0\6\x81\0\0\5"),
    "arp in a vlan": tagged(FRAMES["arp"], b"\x81\0\x20\5"),
    "fragment": FRAMES["udp"][:20] + b"\0\x17" + FRAMES["udp"][22:],
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames_that_are_taken_as_alike_say_the_same(tmp_path: Path, name: str) -> None:
    """Whichever byte of theirs is another, and wherever they are cut off."""
    whole = FRAMES[name]
    frames = [
        whole[:at] + bytes((value,)) + whole[at + 1 :]
        for at in range(len(whole))
        for value in (0, 1, 6, 17, 22, 69, 255)
    ]
    frames += [whole[:at] for at in range(len(whole))]
    with recorded([(0, each) for each in frames], tmp_path / "all.pcapng") as session:
        origins, index = session.captured.origins, session.captured.index
        link = origins.table("link") > 0
        lots = Alike(index).lots(0, len(frames), link, origins.table("header"), link & False, link & False, link)
        assert lots is not None
        assert len(lots.rows) > len(frames) / 2
        assert len(lots.hashes) < len(frames) / 2
        told: dict[int, object] = {}
        for row, lot in zip(lots.rows.tolist(), lots.lots.tolist(), strict=True):
            frame = session.log.frame(row + 1)
            says = heading_of(session, frame).text, dict(session.fields(frame))
            assert told.setdefault(lot, says) == says


def test_a_fragment_has_no_ports(tmp_path: Path) -> None:
    """It has none either where those of another frame are 0."""
    first = ipv4(17, bytes(28))
    frames = [(0, each) for each in (first, first[:20] + b"\0\1" + first[22:])]
    with recorded(frames, tmp_path / "fragment.pcapng") as session:
        assert found(session, "10.0.0.7:0") == [1]


def test_what_stands_behind_a_payload_is_no_header_of_it() -> None:
    """One frame ends within its ethertype, and what came beside it follows; another has just those bytes there."""
    beside = pack_meta({"ttl": 7})
    cut = bytes(12) + b"\x08"
    whole = cut + beside[:1] + bytes(60)
    session = a_session("packet/raw", [[(each, int(Flag.META), 1) for each in (cut, whole, bytes(80))]], PEERS)
    with patch.object(link_sift, "LEAST", 1):
        assert found(session, f"eth.type==0x08{beside[0]:02x}") == [2]
    session.log.close()


@pytest.mark.parametrize("text", ["10.0.0.7", ":80", "not udp or tcp or 0.7", "eth.type==ipv4", "not eth.type==arp"])
def test_one_frame_of_a_conversation_is_read(tmp_path: Path, text: str) -> None:
    """Whatever its packets count: their lengths, identifications and checksums, and what is in them."""
    frames = [
        ipv4(17, struct.pack(">HHHH", 9999, 80, 20 + number, number) + bytes(12 + number), number)
        for number in range(200)
    ]
    reads = patch.object(Index, "record", autospec=True, side_effect=Index.record)
    with recorded([(0, each) for each in frames], tmp_path / "many.pcapng") as session, reads as read:
        assert len(found(session, text)) >= 200
        assert read.call_count < 10
    live = a_session("packet/raw", [[(each, 0, 1) for each in frames]], PEERS)
    with patch.object(Log, "frame", autospec=True, side_effect=Log.frame) as read:
        assert len(found(live, text)) == 200
        # The last frame is nearer to the end of its block than all that may count.
        assert read.call_count < 10
    live.log.close()
