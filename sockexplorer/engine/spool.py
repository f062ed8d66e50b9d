"""What a session has recorded: blocks in a file that the client shares, or that it is sent. See `core.frames`.

Small things wait as columns and parts until `flush` makes a block of them; whole batches, splices and ring blocks go
to the file at once. What the file has no room for is counted, not raised: reading goes on.
"""

from __future__ import annotations

import ctypes
import errno
import json
import math
import mmap
import os
import time
from typing import Any

from sockexplorer.core.frames import (
    COMMITTED,
    PAGE,
    PEERS,
    RING,
    ROWS,
    SEEN,
    UNKEPT,
    Flag,
    Traffic,
    empty_columns,
    pack_columns,
    pack_header,
    pack_meta,
)  # fmt: skip
from sockexplorer.engine.peers import Peers
from sockexplorer.engine.places import Places
from sockexplorer.engine.scratch import put, pwritev, scratch_file

MOST_ROWS = 4096
MOST_BYTES = 2**20
"""Rows and bytes that wait for company at most."""
LEAST_ROOM = 16 * 2**20
"""Bytes that a client may always be behind."""


class Spool:
    """Records the frames of one session. ``descriptor`` is that of the client's file, which is closed at the end.

    Raises OSError or ValueError where that can't be mapped, with the descriptor closed.
    """

    def __init__(self, descriptor: int | None = None, room: int | None = None) -> None:
        """``room`` is how many bytes the client may be behind, None for any number."""
        self._closed = True
        self._most_behind = room
        self.shared = descriptor is not None
        self.file = scratch_file() if descriptor is None else descriptor
        self._blocks: list[bytes | memoryview] = []
        """What goes to the client in messages, where there is no file."""
        try:
            self._page = mmap.mmap(-1 if descriptor is None else descriptor, PAGE)
        except (OSError, ValueError):  # such as EMFILE, as a mapping has a descriptor of its own
            if self.file is not None:
                os.close(self.file)
            raise
        self._closed = False
        self._counters = memoryview(self._page).cast("Q")
        self._places = None if descriptor is None else Places(descriptor, self._counters)
        self.peers = Peers()
        self.columns = empty_columns()
        self._times, self._ends, self._lengths, self._numbers, self._flags = self.columns
        self.parts: list[bytes] = []
        self._held = 0
        """Bytes of ``parts``."""
        self._traffic = [0, 0, 0, 0]
        self.end = self.told = PAGE
        """The bytes of all blocks and of the counters' page, and how many there were when the client was told last."""
        self._reserved = 0
        self._refused = 0
        self._why = ""

    @property
    def whole(self) -> bool:
        """Whether there is a file for what does not pass through this process."""
        return self.file is not None

    @property
    def waiting(self) -> int:
        """Bytes that the client has not been handed."""
        return self._held + (0 if self.shared else self.end - PAGE)

    @property
    def room(self) -> float:
        """Bytes that the client may be behind; 0 where it has no part in the file."""
        if not self.shared:
            return 0
        return math.inf if self._most_behind is None else self._most_behind

    @property
    def full(self) -> bool:
        """Whether the client is so far behind that nothing more should be read for it."""
        if not self.shared or self._most_behind is None:
            return False
        return self.end - max(PAGE, self._counters[SEEN]) > max(self._most_behind, LEAST_ROOM)

    @property
    def pending(self) -> bool:
        """Whether the client has to be handed more than word of what is in its file already."""
        return bool(self._times) or (self.end > PAGE and not self.shared)

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be made a block of."""
        return not self._times and not self.peers.untold

    @property
    def recorded(self) -> tuple[int, int]:
        """A token that differs after each frame that was recorded."""
        return self.end, len(self._times)

    # --- small things ----------------------------------------------------------------------------------------

    def add(
        self,
        payload: bytes,
        flags: int = 0,
        peer: int = 0,
        length: int | None = None,
        stamp: int | None = None,
        meta: dict[str, Any] | None = None,
    ) -> None:
        """Record one frame. ``length`` is its size on the wire, ``stamp`` ns since the epoch (now when None)."""
        if len(self._times) >= MOST_ROWS or self._held >= MOST_BYTES:
            self.flush()
        length = min(len(payload) if length is None else length, 0xFFFFFFFF)
        self._times.append(time.time_ns() if stamp is None else stamp)
        self._lengths.append(length)
        self._numbers.append(peer)
        self.parts.append(payload)
        self._held += len(payload)
        if meta:
            tail = pack_meta(meta)
            self.parts.append(tail)
            self._held += len(tail)
            flags |= Flag.META
        self._ends.append(self._held)
        self._flags.append(int(flags))
        if not flags & Flag.EVENT:
            way = 1 if flags & Flag.OUT else 0
            self._traffic[way] += 1
            self._traffic[way + 2] += length

    def event(self, name: str, text: str, peer: int = 0, **more: Any) -> None:
        """Record something that happened to the socket, as a row among the frames."""
        self.add(b"", Flag.EVENT, peer, meta={"event": name, "text": text, **more})

    def flush(self) -> None:
        """Make a block of what waits, with the peers that nobody was told of ahead of it."""
        if untold := self.peers.tell():
            body = json.dumps(untold, separators=(",", ":")).encode()
            if not self.block(0, pack_header(PEERS, 0, len(body), Traffic()), body):
                self.peers.take_back(untold)
        count = len(self._times)
        if count:
            traffic = Traffic(*self._traffic)
            head = pack_header(ROWS, count, self._held, traffic)
            columns, parts = pack_columns(self.columns), self.parts
            self.columns = empty_columns()
            self._times, self._ends, self._lengths, self._numbers, self._flags = self.columns
            self.parts, self._held, self._traffic = [], 0, [0, 0, 0, 0]
            # Events are no frames: those that there is no room for are not missed among them.
            self.block(traffic.received + traffic.sent, head, columns, *parts)

    # --- whole blocks ----------------------------------------------------------------------------------------

    def vector(self, count: int, size: int, address: int, entries: int) -> None:
        """Record a block of ``count`` rows and ``size`` bytes, which an array of ``struct iovec`` tells."""
        assert self.file is not None
        self.flush()
        try:
            written = pwritev(self.file, address, entries, self.find(size))
            if written < size:
                number = ctypes.get_errno() if written < 0 else errno.ENOSPC
                raise OSError(number, os.strerror(number))
        except OSError as error:
            self.unkept(count, error)
            return
        self.commit(size)

    def reserve(self, size: int) -> int | None:
        """The address of room for a block of so many bytes at most, None where none is at hand. It is for `fill`, until
        anything else is recorded."""
        self.flush()
        if self._places is None or not self.idle:
            return None
        try:
            self.find(size)
        except OSError:
            return None
        address = self._places.address(size)
        self._reserved = address or 0
        return address

    def fill(self, head: bytes, at: int, size: int) -> None:
        """Record a block in what was reserved last: its head, and ``size`` bytes that stand ``at`` bytes behind the
        beginning."""
        if len(head) != at:
            ctypes.memmove(self._reserved + len(head), self._reserved + at, size)
        ctypes.memmove(self._reserved, head, len(head))
        self.commit(len(head) + size)

    @property
    def in_memory(self) -> bool:
        """Whether what is recorded may go to memory at hand, which a file on a disk never gives."""
        return self._places is not None and self._places.mappable

    @property
    def ready(self) -> int:
        """Bytes of room that were prepared, or filled once and let go of, and that are free."""
        return 0 if self._places is None else self._places.free

    def prepare(self, wanted: int) -> bool:
        """Find room ahead of a flood, for a millisecond or two; whether there is more to do until ``wanted`` bytes are
        free and at hand. Not where the file has no more room.

        To find and clear pages takes as long as to fill them.
        """
        try:
            return self._places is not None and self._places.prepare(wanted)
        except OSError:
            return False

    def hurry(self) -> None:
        """Have room at hand soon, in the midst of a flood: another processor finds it."""
        if self._places is not None:
            self._places.hurry()

    def ring_block(self, count: int, block: memoryview) -> None:
        """Record a block of a packet ring, with ``count`` packets; its rows are made when they are looked at."""
        self.flush()
        # How many went which way is only known when the rows are made: they count as received till then.
        self.block(count, pack_header(RING, count, len(block), Traffic(count, 0, len(block), 0)), block)

    # --- the file --------------------------------------------------------------------------------------------

    def block(self, frames: int, *parts: bytes | memoryview) -> bool:
        """Make a block of the parts, with so many frames; whether there was room for it."""
        size = sum(map(len, parts))
        if self.file is None:
            self._blocks += [*map(bytes, parts), bytes(-size % 8)]
            self.commit(size)
            return True
        try:
            offset = self.find(size)
            memory = self.memory(size)
            if memory is None:
                put(self.file, parts, size, offset)
            else:
                at = 0
                for part in parts:
                    memory[at : at + len(part)] = part
                    at += len(part)
        except OSError as error:
            self.unkept(frames, error)
            return False
        self.commit(size)
        return True

    def find(self, size: int) -> int:
        """Where in the file the next block goes, which has so many bytes at most. Raises OSError."""
        if self._places is None:
            return self.end
        self._places.find(size)
        return self._places.offset

    @property
    def left(self) -> int:
        """Bytes that the next blocks may take where `memory` is at hand now."""
        return 0 if self._places is None else self._places.left

    @property
    def at_hand(self) -> bool:
        """Whether `memory` is likely to give some for the next block, for which `find` has still to be asked."""
        return self._places is not None and self._places.at_hand

    def memory(self, size: int) -> memoryview | None:
        """The memory at the place that was found, where it is at hand: what is written to it is in the file."""
        return None if self._places is None else self._places.memory(size)

    def commit(self, size: int) -> None:
        """A block of so many bytes is at the place that was found."""
        size = (size + 7) & ~7
        if self._places is None:
            self.end += size
        else:
            self._places.took(size)
            self.end = self._places.position
        if self._refused:
            count, self._refused = self._refused, 0
            self.event("unkept", f"{count} frames were not kept: {self._why}", count=count)
        # The counter says that everything before it is in the file.
        if self._places is not None:
            self._places.fence()
        self._counters[COMMITTED] = self.end

    def unkept(self, frames: int, error: OSError) -> None:
        """The file had no room for a block of so many frames."""
        self._refused += frames
        self._why = error.strerror or str(error)
        self._counters[UNKEPT] += frames

    def take(self) -> bytes:
        """The blocks that were not taken, for a client that has no part in the file; it is empty afterwards."""
        self.flush()
        size, self.end = self.end - PAGE, PAGE
        if self.file is None:
            data, self._blocks = b"".join(self._blocks), []
        elif size:
            data = os.pread(self.file, size, PAGE)
            os.ftruncate(self.file, 0)
        else:
            data = b""
        return data + bytes(size - len(data))

    def news(self) -> bool:
        """Whether the client is to be told that there is more in the shared file: it has read what it knew of."""
        if self.end == self.told or self._counters[SEEN] < self.told:
            return False
        self.told = self.end
        return True

    def close(self) -> None:
        """Let go of the file, twice if need be."""
        if self._closed:
            return
        self._closed = True
        if self._places is not None:
            self._places.close()
        self._counters.release()
        self._page.close()
        if self.file is not None:
            os.close(self.file)
            self.file = None

    def __del__(self) -> None:
        self.close()
