"""Blocks of a packet ring as the kernel makes them, for tests without one."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from sockexplorer.core.tpacket import BLOCK, FRAME

HOST, OUTGOING = 0, 4


@dataclass(frozen=True)
class Sent:
    """A frame to put into a block."""

    kept: bytes = b""
    length: int = 0
    seconds: int = 0
    nanoseconds: int = 0
    status: int = 1
    mac: int = 82
    tci: int = 0
    tpid: int = 0
    pkttype: int = HOST
    hardware: bytes = bytes.fromhex("020000000001")
    left_over: bytes = bytes(8)
    """What stands after the hardware address, where the kernel does not write."""

    @property
    def name(self) -> bytes:
        """As ``recvmsg`` would give it."""
        head = struct.pack("<HHiHBB", 17, 0xB588, 3, 1, self.pkttype, len(self.hardware))
        return (head + self.hardware).ljust(20, b"\0")

    def pack(self, *, last: bool) -> bytes:
        size = (self.mac + len(self.kept) + 7) & ~7
        header = FRAME.pack(
            0 if last else size, self.seconds, self.nanoseconds, len(self.kept), self.length, self.status,
            self.mac, self.mac + 14, 0, self.tci, self.tpid, 0,
        )  # fmt: skip
        sockaddr = self.name[: 12 + len(self.hardware)] + self.left_over
        return (header + sockaddr[: self.mac - 48].ljust(self.mac - 48, b"\xee") + self.kept).ljust(size, b"\xee")


def ring_block(frames: list[Sent], private: int = 0) -> bytes:
    """A block with these frames, and room before them for a private area."""
    body = b"".join(each.pack(last=each is frames[-1]) for each in frames)
    first = BLOCK.size + private
    return BLOCK.pack(2, BLOCK.size, 1, len(frames), first, first + len(body), 7, 1, 2, 3, 4) + bytes(private) + body
