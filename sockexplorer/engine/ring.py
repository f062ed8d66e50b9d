"""Frames of an AF_PACKET socket by whole blocks, out of a ring that the kernel fills: TPACKET_V3.

No call and no object for a frame: a block goes where it is kept as it is, and is walked when it is looked at (see
`sockexplorer.core.tpacket`). Only on little-endian hosts, as blocks are read by others too; `AVAILABLE` tells.
Source: packet(7), Documentation/networking/packet_mmap.rst, <linux/if_packet.h>, <linux/filter.h>.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import mmap
import os
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

from sockexplorer.core import tpacket
from sockexplorer.core.constants import number
from sockexplorer.core.fence import Fence

AVAILABLE = sys.platform == "linux" and sys.byteorder == "little"
BLOCK_BYTES = 256 * 1024
BLOCKS = 64
"""16 MiB. A block is handed over no later than ``retire_ms`` after its first frame: a slow trickle takes one each time,
so that their number decides how long the reader may be held up, some two seconds; a flood needs their bytes."""
LEAST_BLOCKS = 4
RETIRE_MS = 30
TPACKET_V1, TPACKET_V3 = 0, 2
PACKET_RX_RING, PACKET_VERSION, SO_ATTACH_FILTER = 5, 10, 26
_REQUEST = struct.Struct("=7I")
"""``struct tpacket_req3``: size and number of blocks, of frames, retire time, private bytes, features."""
_FRAME_BYTES = 2048
"""What the kernel checks the request against; with TPACKET_V3 frames are as long as they are."""
_STATISTICS = struct.Struct("=3I")
_STATUS, _COUNT, _USED = 2, 3, 5
"""Words of ``struct tpacket_block_desc``."""
BPF_RET_K = 0x06


class Block(NamedTuple):
    """What the kernel handed over. ``data`` is gone when the next block is asked for."""

    data: memoryview
    """Exactly the bytes that it uses, header included."""
    frames: int


class Ring:
    """A ring for one socket, which must not be bound yet: what came before is dropped.

    The socket is readable when a block is ready, and sends as ever; receiving from it gives nothing any more. Raises
    OSError where the kernel has no such ring or no memory for it, with the socket as it was: ``blocks`` is halved
    before, down to `LEAST_BLOCKS`. The memory counts to no limit of a process but that of its address space.
    """

    def __init__(
        self,
        sock: socket.socket,
        *,
        block_bytes: int = BLOCK_BYTES,
        blocks: int = BLOCKS,
        retire_ms: int = RETIRE_MS,
        snaplen: int | None = None,
    ) -> None:
        """``snaplen`` is the most that is kept of a frame, in bytes; None for all that a block has room for."""
        self.sock = sock
        self.block_bytes = block_bytes
        self.retire_ms = retire_ms
        self.packets = self.drops = self.freezes = 0
        """As of `count`: frames that reached the socket, those of them that found no room, how often room ran out."""
        if not AVAILABLE:
            raise OSError(errno.ENOPROTOOPT, "rings are made on little-endian Linux only")
        sock.setsockopt(number("SOL_PACKET"), PACKET_VERSION, TPACKET_V3)
        try:
            self.blocks, self._map = self._make(blocks)
            if snaplen is not None:
                self._keep(snaplen)
        except OSError:
            with contextlib.suppress(OSError):
                sock.setsockopt(number("SOL_PACKET"), PACKET_VERSION, TPACKET_V1)
            raise
        self._data = memoryview(self._map)
        self._words = self._data.cast("I")
        self._next = 0
        # A block's status is written by the kernel after the block, and by us after we have read it. Words are written
        # whole: they are aligned.
        self._fence = Fence()

    @property
    def bytes(self) -> int:
        """How much it holds."""
        return self.blocks * self.block_bytes

    def _make(self, blocks: int) -> tuple[int, mmap.mmap]:
        while True:
            try:
                self._request(blocks)
                try:
                    return blocks, mmap.mmap(self.sock.fileno(), blocks * self.block_bytes)
                except OSError:
                    self._request(0)
                    raise
            except OSError as error:
                if error.errno != errno.ENOMEM or blocks // 2 < LEAST_BLOCKS:
                    raise
                blocks //= 2

    def _keep(self, snaplen: int) -> None:
        # Not before there is a ring: recvmsg() would tell the length that is left, not that on the wire.
        try:
            keep(self.sock, snaplen)
        except OSError:
            self._map.close()
            self._request(0)
            raise

    def _request(self, blocks: int) -> None:
        frames = self.block_bytes // _FRAME_BYTES * blocks
        request = _REQUEST.pack(self.block_bytes, blocks, _FRAME_BYTES, frames, self.retire_ms, 0, 0)
        self.sock.setsockopt(number("SOL_PACKET"), PACKET_RX_RING, request if blocks else bytes(_REQUEST.size))

    def ready(self, limit: int | None = None) -> Iterator[Block]:
        """The blocks that are ready, at most ``limit`` (None: as many as the ring has), oldest first.

        A block goes back to the kernel when the next is asked for. A loop that is left, by break or by an exception,
        leaves its block to be given again. Raises OSError at the end for what the socket has to tell (ENETDOWN).
        """
        for _ in range(self.blocks if limit is None else limit):
            word = self._next * self.block_bytes // 4
            if not self._words[word + _STATUS] & tpacket.TP_STATUS_USER:
                break
            self._fence()
            begin = self._next * self.block_bytes
            view = self._data[begin : begin + self._words[word + _USED]]
            with view:
                yield Block(view, self._words[word + _COUNT])
            self._fence()
            self._words[word + _COUNT] = 0
            self._words[word + _STATUS] = tpacket.TP_STATUS_KERNEL
            self._next = (self._next + 1) % self.blocks
        if code := self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(code, os.strerror(code))

    def last(self) -> Iterator[Block]:
        """The end: the kernel takes no more, and what it has is given, for which it may need ``retire_ms``.

        Raises OSError as `ready` does.
        """
        with contextlib.suppress(OSError):  # the filter may be locked
            keep(self.sock, 0)
        deadline = time.monotonic() + 4 * self.retire_ms / 1000
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        while True:
            yield from self.ready()
            # The kernel counts the frames of a block while it fills it.
            filling = self._words[self._next * self.block_bytes // 4 + _COUNT]
            if not filling or time.monotonic() >= deadline:
                return
            poll.poll(self.retire_ms)

    def count(self) -> None:
        """Ask the kernel what came and what was lost since it was asked last. Raises OSError."""
        data = self.sock.getsockopt(number("SOL_PACKET"), number("PACKET_STATISTICS"), _STATISTICS.size)
        packets, drops, freezes = _STATISTICS.unpack(data)
        self.packets += packets
        self.drops += drops
        self.freezes += freezes

    def close(self) -> None:
        """Give the memory back. To be called before the socket is closed, which the map keeps alive.

        A part of a block that somebody still has keeps both until it goes.
        """
        self._words.release()
        self._data.release()
        with contextlib.suppress(BufferError):
            self._map.close()


def keep(sock: socket.socket, length: int) -> None:
    """Let the kernel keep the first ``length`` bytes of a message; with 0 it takes none. Raises OSError.

    That is its one filter: another that it had is gone.
    """
    program = struct.pack("=HBBI", BPF_RET_K, 0, 0, length)
    buffer = ctypes.create_string_buffer(program, len(program))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", 1, ctypes.addressof(buffer)))
