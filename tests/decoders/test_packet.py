"""Frames of AF_PACKET: the header as a tree, and the heading of a row, with tshark as the oracle."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import PATIENCE

from sockexplorer.decoders.fields import field_names, field_values
from sockexplorer.decoders.packet import Heading, decode_frame, heading, heading_of_packet, may_head

HERE, THERE = bytes.fromhex("020000000001"), bytes.fromhex("02000000000a")
ETH0 = ("eth0", 3, 0, 1, THERE)
LO = ("lo", 3, 0, 772, bytes(6))
ARP = bytes.fromhex("0001080006040001 02000000000a 0a000001 000000000000 0a000002".replace(" ", ""))


def ip4(protocol: int, data: bytes, *, options: bytes = b"", fragment: int = 0) -> bytes:
    length = 20 + len(options)
    head = struct.pack(">BBHHHBBH", 0x40 | length // 4, 0, length + len(data), 7, fragment, 64, protocol, 0)
    return head + bytes([10, 0, 0, 1, 10, 0, 0, 2]) + options + data


def ip6(protocol: int, data: bytes) -> bytes:
    return struct.pack(">IHBB", 6 << 28, len(data), protocol, 64) + bytes(15) + b"\1" + bytes(15) + b"\2" + data


def tcp(flags: int, data: bytes = b"", *, options: bytes = b"") -> bytes:
    head = struct.pack(">HHIIBBHHH", 4000, 80, 1, 2, (20 + len(options)) // 4 << 4, flags, 1000, 0, 0)
    return head + options + data


def ethernet(number: int, data: bytes, *, to: bytes = HERE, tags: bytes = b"") -> bytes:
    return to + THERE + tags + struct.pack(">H", number) + data


UDP = struct.pack(">HHHH", 5000, 53, 13, 0) + b"hello"
FRAMES: list[tuple[bytes, str, bytes]] = [
    (ethernet(0x0800, ip4(17, UDP)), "udp 10.0.0.1:5000 → 10.0.0.2:53", b"hello"),
    (ethernet(0x0800, ip4(17, UDP).ljust(46, b"\0")), "udp 10.0.0.1:5000 → 10.0.0.2:53", b"hello"),
    (ethernet(0x0800, ip4(17, UDP, options=b"\1" * 4)), "udp 10.0.0.1:5000 → 10.0.0.2:53", b"hello"),
    (ethernet(0x0800, ip4(17, UDP, fragment=5)), "udp 10.0.0.1 → 10.0.0.2", UDP),
    (ethernet(0x0800, ip4(6, tcp(0x18, b"GET", options=b"\1" * 8))), "tcp 10.0.0.1:4000 → 10.0.0.2:80", b"GET"),
    (ethernet(0x0800, ip4(6, tcp(0x12))), "tcp SYN ACK 10.0.0.1:4000 → 10.0.0.2:80", b""),
    (ethernet(0x0800, ip4(6, tcp(0x02))), "tcp SYN 10.0.0.1:4000 → 10.0.0.2:80", b""),
    (ethernet(0x0800, ip4(6, tcp(0x10))), "tcp 10.0.0.1:4000 → 10.0.0.2:80", b""),
    (ethernet(0x0800, ip4(1, b"\x08\0rest")), "icmp 10.0.0.1 → 10.0.0.2", b"\x08\0rest"),
    (ethernet(0x0800, ip4(200, b"x")), "protocol 200 10.0.0.1 → 10.0.0.2", b"x"),
    (ethernet(0x86DD, ip6(17, UDP)), "udp [::1]:5000 → [::2]:53", b"hello"),
    (ethernet(0x86DD, ip6(58, b"\x80\0")), "icmpv6 ::1 → ::2", b"\x80\0"),
    (ethernet(0x0806, ARP, to=b"\xff" * 6), "arp 02:00:00:00:00:0a → broadcast", ARP),
    (ethernet(0x88B5, b"hello"), "0x88b5 02:00:00:00:00:0a → 02:00:00:00:00:01", b"hello"),
    (ethernet(38, b"\xaa\xaa"), "length 38 02:00:00:00:00:0a → 02:00:00:00:00:01", b"\xaa\xaa"),
    (ethernet(0x0800, ip4(17, UDP), tags=b"\x81\0\x60\5"), "vlan 5 udp 10.0.0.1:5000 → 10.0.0.2:53", b"hello"),
    (ethernet(0x0806, ARP, tags=b"\x88\xa8\0\7\x81\0\0\5"),
     "vlan 7 vlan 5 arp 02:00:00:00:00:0a → 02:00:00:00:00:01", ARP),
    (bytes(12) + b"\x08\x06" + ARP, "arp", ARP),
    (ethernet(0x0800, b"\x45\0"), "ipv4 02:00:00:00:00:0a → 02:00:00:00:00:01", b"\x45\0"),
    (ethernet(0x0800, b""), "ipv4 02:00:00:00:00:0a → 02:00:00:00:00:01", b""),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "text", "rest"), FRAMES, ids=[text for _, text, _ in FRAMES])
def test_a_row_tells_who_speaks_to_whom(frame: bytes, text: str, rest: bytes) -> None:
    told = heading("raw", frame, ETH0)
    assert (told.text, frame[told.start : told.end]) == (text, rest)
    assert may_head(text), "a filter has to find what a row shows"
    assert all(map(may_head, text.upper().split()))
    assert heading("raw", frame, LO) == told
    assert heading("raw", frame, ("tun0", 0x0800, 0, 65534, b"")) == Heading(), "it has no such header"
    assert heading("raw", frame, None) == Heading()


def test_a_datagram_has_its_ethertype_in_the_address() -> None:
    packet = ip4(17, UDP)
    told = heading("dgram", packet, ("eth0", 0x0800, 0, 1, THERE))
    assert (told.text, packet[told.start : told.end]) == ("udp 10.0.0.1:5000 → 10.0.0.2:53", b"hello")
    assert heading("dgram", packet, ("eth0", 0x0806, 0, 1, THERE)) == Heading()
    assert heading("dgram", packet, ("eth0",)) == Heading()


def test_a_raw_socket_gives_whole_packets() -> None:
    for packet, text in (
        (ip4(17, UDP), "udp 10.0.0.1:5000 → 10.0.0.2:53"), (ip4(1, b"\x08\0"), "icmp 10.0.0.1 → 10.0.0.2"),
        (ip6(17, UDP), "udp [::1]:5000 → [::2]:53"),
    ):  # fmt: skip
        assert heading_of_packet(packet, len(packet)).text == text
        cut = heading_of_packet(packet[:-1], len(packet))
        assert (cut.text, cut.end) == (text, len(packet) - 1), "less of it was kept"
        for other in (packet[:-1], packet + b"x", packet[20:], b"E" + packet, b""):
            assert heading_of_packet(other, len(other)) == Heading(), "it is what the header is followed by"


@pytest.mark.parametrize("text", ["hello", "GET /", "deadbeef", "message", "Hello, 10.0.0.1!", "sensor-7", "1234567"])
def test_what_can_not_be_in_a_heading_is_searched_in_the_bytes_alone(text: str) -> None:
    assert not may_head(text)


def test_the_fields_of_a_header() -> None:
    frame = ethernet(0x0806, ARP, tags=b"\x88\xa8\0\7\x81\0\x60\5")
    values = field_values("AF_PACKET", "raw", frame, ETH0)
    assert {name: [(each.text, each.number) for each in every] for name, every in values.items()} == {
        "eth.dst": [("02:00:00:00:00:01", None)],
        "eth.src": [("02:00:00:00:00:0a", None)],
        "eth.vlan": [("7", 7), ("5", 5)],
        "eth.priority": [("0", 0), ("3", 3)],
        "eth.type": [("arp", 0x0806)],
    }
    assert {*values, *field_values("AF_PACKET", "raw", ethernet(38, b""), ETH0)} <= set(field_names())


@given(st.binary(max_size=100), st.sampled_from([0x0800, 0x86DD, 0x8100, 0x88A8, 0x0806, 5]), st.booleans())
def test_any_bytes(data: bytes, number: int, begins_right: bool) -> None:
    data = (b"\x60" if number == 0x86DD else b"\x45") + data if begins_right else data
    for protocol, payload, peer in (
        ("raw", ethernet(number, data), ETH0), ("dgram", data, ("eth0", number, 0, 1, b"")), ("raw", data, LO),
    ):  # fmt: skip
        told = heading(protocol, payload, peer)
        assert 0 <= told.start <= told.end <= len(payload)
        assert may_head(told.text)
        decode_frame(protocol, payload, peer)


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "frames.pcap"
    head = struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    path.write_bytes(head + b"".join(struct.pack("=IIII", 1, 0, len(each), len(each)) + each for each, _, _ in FRAMES))
    fields = ("eth.src", "eth.dst", "eth.type", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "udp.srcport",
              "udp.dstport", "tcp.srcport", "tcp.dstport", "vlan.id", "ieee8021ad.id")  # fmt: skip
    command = ["tshark", "-r", str(path), "-T", "fields", "-E", "occurrence=f"]
    done = subprocess.run(
        [*command, *(word for each in fields for word in ("-e", each))],
        capture_output=True, text=True, timeout=3 * PATIENCE, check=True,
    )  # fmt: skip
    rows = [dict(zip(fields, line.split("\t"), strict=True)) for line in done.stdout.splitlines()]
    assert len(rows) == len(FRAMES)
    for row, (frame, text, _) in zip(rows, FRAMES, strict=True):
        tree = decode_frame("raw", frame, ETH0)
        assert tree is not None
        values = {node.name: node for _, node in tree.walk()}
        assert (values["src"].value, values["dst"].value) == (row["eth.src"], row["eth.dst"])
        if row["eth.type"] and "vlan" not in values:
            assert values["type"].number == int(row["eth.type"], 0)
        for name in ("ip.src", "ip.dst", "ipv6.src", "ipv6.dst"):
            assert row[name] in text
        ports = [row[f"{each}.{end}port"] for each in ("udp", "tcp") for end in ("src", "dst")]
        assert all(f":{port}" in text for port in ports if port)
        assert all(f"vlan {row[name]} " in text for name in ("vlan.id", "ieee8021ad.id") if row[name])
