"""A connection over IP with what is beside it: packets, and a capture file of them, of any link type."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

from sockexplorer.capture import pcapng
from sockexplorer.capture.link_types import ETHERNET, RAW_IP, SLL

HERE, THERE, OTHER = ("10.0.0.1", 50001), ("10.0.0.2", 80), ("10.0.0.1", 50002)
MACS = bytes.fromhex("020000000002 020000000001")
SYN, ACK, FIN = 2, 16, 1


def packet(source: tuple[str, int], destination: tuple[str, int], payload: bytes, *tcp: int) -> bytes:
    """A packet of IPv4: of UDP, or of TCP with a sequence number, an acknowledgement and flags."""
    ports = struct.pack(">HH", source[1], destination[1])
    if tcp:
        sequence, acknowledged, flags = tcp
        inner = ports + struct.pack(">IIBBHHH", sequence, acknowledged, 0x50, flags, 1024, 0, 0) + payload
    else:
        inner = ports + struct.pack(">HH", 8 + len(payload), 0) + payload
    hosts = b"".join(socket.inet_aton(host) for host, _ in (source, destination))
    return struct.pack(">BxHHxxBBxx", 0x45, 20 + len(inner), 1, 64, 6 if tcp else 17) + hosts + inner


TALK = [
    packet(HERE, THERE, b"", 0, 0, SYN),
    packet(OTHER, THERE, b"", 0, 0, SYN),
    packet(THERE, HERE, b"", 0, 1, SYN | ACK),
    packet(HERE, THERE, b"", 1, 1, ACK),
    packet(HERE, THERE, b"GET / HTTP/1.0\r\n\r\n", 1, 1, ACK),
    packet(OTHER, THERE, b"not this one\n", 1, 1, ACK),
    packet(HERE, THERE, b"not over this protocol\n"),
    packet(THERE, HERE, b"", 1, 19, ACK),
    packet(THERE, HERE, b"HTTP/1.0 200 OK\r\n", 1, 19, ACK),
    packet(THERE, HERE, b"\r\nhello" + bytes(range(256)), 18, 19, ACK),
    packet(HERE, THERE, b"", 19, 281, ACK | FIN),
]


def capture(path: Path, link_type: int, *packets: bytes) -> None:
    ahead = {
        ETHERNET: MACS + b"\x08\0", RAW_IP: b"", SLL: bytes.fromhex("0000 0001 0006 020000000001 0000 0800")
    }[link_type]  # fmt: skip
    made = pcapng.section("x", "y") + pcapng.interface(link_type)
    for time, data in enumerate(packets):
        # A short frame of Ethernet is padded.
        whole = (ahead + data).ljust(60 if link_type == ETHERNET else 0, b"\0")
        made += pcapng.packet(0, time, (whole,), len(whole), None)
    path.write_bytes(made)
