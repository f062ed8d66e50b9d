"""The log of one session: every frame of its spool, up to a number of bytes, the oldest dropped first.

Rows are numbered for life, from 1: trimming the log never renumbers a row. The spool is a file that an engine writes
and this log reads (see `sockexplorer.core.frames`); of each block two numbers are kept here, of a frame nothing.
"""

from __future__ import annotations

import json
import time
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sockexplorer.capture.block import OF_RINGS, Block
from sockexplorer.capture.freed import KEPT, Freed
from sockexplorer.capture.store import FileStore, MemoryStore, Store, files_are_limited
from sockexplorer.core.fence import Fence
from sockexplorer.core.frames import (
    COMMITTED,
    HEADER,
    NEXT,
    PAGE,
    PEERS,
    RING,
    SEEN,
    SIZE,
    UNKEPT,
    Flag,
    Header,
    header_fields,
    next_offset,
    split_meta,
    unpack_header,
)  # fmt: skip
from sockexplorer.core.tpacket import Names, directions

DEFAULT_LIMIT = 256 * 2**20
BLOCKS_AT_HAND = 8
COUNT_SECONDS = 0.002
_OUT, _EVENT, _META = int(Flag.OUT), int(Flag.EVENT), int(Flag.META)
"""As numbers: the operators of `Flag` take longer than all else that a row needs."""


class Frame(NamedTuple):
    """One row, read out. ``time`` in ns since the epoch, or `moments.UNTIMED`; ``length`` as on the wire, ``payload``
    what was kept."""

    number: int
    time: int
    length: int
    peer: int
    flags: int
    payload: bytes
    meta: dict[str, Any]

    @property
    def outgoing(self) -> bool:
        return bool(self.flags & _OUT)

    @property
    def event(self) -> str:
        """The name of the event that this row tells of, or ""."""
        return str(self.meta.get("event", "")) if self.flags & _EVENT else ""


class Log:
    """A bounded log. ``limit`` is in bytes, index included, None for as much as the disk holds; the newest block stays.

    ``directory`` says where the spool's file is, else it is in memory. ``on_peers`` is called with what a block of
    peers tells, ahead of the frames that name them; ``on_name`` with the number and the ``sockaddr_ll`` of a peer that
    a packet ring's block tells, when that is looked at. Raises OSError where there can be no file.
    """

    reread: tuple[int, ...] = ()
    """Of a `CapturedLog`: no row changes here."""

    def __init__(
        self,
        limit: int | None = DEFAULT_LIMIT,
        directory: Path | None = None,
        on_peers: Callable[[list[dict[str, Any]]], None] = lambda told: None,
        on_name: Callable[[int, bytes], None] = lambda number, name: None,
        store: Store | None = None,
    ) -> None:
        self.limit = limit
        self.on_peers = on_peers
        self.on_name = on_name
        if store is None:
            store = MemoryStore() if directory is None and files_are_limited() else FileStore(directory)
        self.store = store
        """Holds the spool. An engine that shares its file writes it; else `append` does."""
        self._closed = self._over = False
        self._firsts, self._offsets, self._positions = array("Q"), array("Q"), array("Q")
        """Of each block: its first row, its place in the store, and the bytes of all blocks ahead of it."""
        self._gone = 0
        """Blocks at the beginning of these columns that were dropped."""
        self._offset = self._position = PAGE
        """Where the next block is, and the bytes of all blocks so far, the counters' page included."""
        self._fence = Fence()
        self._freed = Freed(self.store, KEPT if limit is None else min(limit, KEPT))
        self._at_hand: OrderedDict[int, Block] = OrderedDict()
        self._latest: Block | None = None
        self._names = Names()
        self._uncounted: deque[int] = deque()
        """First rows of blocks of a ring that `tell_directions` has not looked at."""
        self.end = 1
        """One more than the number of the newest row."""
        self.received = 0
        self.sent = 0
        """Frames by direction, since the session began; events are neither."""
        self.bytes_in = 0
        self.bytes_out = 0
        self.dropped = 0
        """Frames that this log no longer has, or never had."""
        self.unkept = 0
        """Those of them that could not be written, as on a full disk."""

    # --- taking in -------------------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """Bytes kept, index included."""
        return self._position - self._needed

    @property
    def _needed(self) -> int:
        """Up to which position nothing is needed any more."""
        return self._positions[self._gone] if self._gone < len(self._positions) else self._position

    @property
    def first(self) -> int:
        """The number of the oldest row that is kept."""
        return self._firsts[self._gone] if self._gone < len(self._firsts) else self.end

    def __len__(self) -> int:
        return self.end - self.first

    def catch_up(self) -> int:
        """Take in what the engine has written into the shared spool; bytes. Raises ValueError for what is no spool."""
        if self._closed or self._over:
            return 0
        counters = self.store.counters
        began, committed = self._position, counters[COMMITTED]
        self._fence()
        while self._position < committed:
            self._take(header_fields(self.store.read(HEADER.size, self._offset), committed - self._position))
        self._count_unkept()
        if began != self._position:
            counters[SEEN] = self._position
            self._trim()
        return self._position - began

    def append(self, blocks: bytes | memoryview) -> None:
        """Take blocks that came in a message. Raises ValueError for what are none, before it takes any.

        Frames of blocks that the store has no room for are counted, as by an engine that shares it.
        """
        view, at, headers = memoryview(blocks), 0, []
        while at < len(view):
            headers.append(header_fields(view[at : at + HEADER.size], len(view) - at))
            if headers[-1][0] == NEXT:
                raise ValueError("a block that says where the next one is came in a message")
            at += headers[-1][SIZE]
        self._freed.most = 0
        try:
            self.store.write(view, self._offset)
        except OSError:
            self._append_what_fits(view, headers)
        else:
            for header in headers:
                self._take(header)
        self._trim()

    def _append_what_fits(self, view: memoryview, headers: list[tuple[int, ...]]) -> None:
        at = 0
        for header in headers:
            kind, _, payload, size, received, sent, _, _ = header
            block, at = view[at : at + size], at + size
            try:
                self.store.write(block, self._offset)
            except OSError:
                if kind == PEERS:  # frames that find room may name them
                    self.on_peers(json.loads(bytes(block[HEADER.size : HEADER.size + payload])))
                self.store.counters[UNKEPT] += received + sent
            else:
                self._take(header)
        self._count_unkept()

    def _count_unkept(self) -> None:
        more = self.store.counters[UNKEPT] - self.unkept
        self.unkept += more
        self.received += more
        self.dropped += more

    def _take(self, header: tuple[int, ...]) -> None:
        kind, count, payload, size, received, sent, bytes_in, bytes_out = header
        if kind == NEXT:
            offset = next_offset(self.store.read(payload, self._offset + HEADER.size))
            self._position += size
            self._offset = offset
            self._freed.jumped(offset, self._position)
            return
        if kind == PEERS:
            self.on_peers(json.loads(self.store.read(payload, self._offset + HEADER.size)))
        elif count:
            if kind == RING:
                self._uncounted.append(self.end)
            self._firsts.append(self.end)
            self._offsets.append(self._offset)
            self._positions.append(self._position)
            self.end += count
            self.received += received
            self.sent += sent
            self.bytes_in += bytes_in
            self.bytes_out += bytes_out
        self._offset += size
        self._position += size
        self._freed.went_on(self._offset, self._position)

    def tell_directions(self) -> None:
        """Tell sent from received in what packet rings brought, and count its bytes, for a moment.

        Until then such packets count as received, and as their blocks' headers say: whoever shows directions asks for
        them, since looking at each packet costs more than keeping it.
        """
        deadline = time.monotonic() + COUNT_SECONDS
        while self._uncounted and time.monotonic() < deadline:
            first = self._uncounted.popleft()
            offset = self._offsets[bisect_right(self._firsts, first, self._gone) - 1]
            header = self._header(offset)
            out, octets_out, octets = directions(memoryview(self.store.read(header.payload, offset + header.begin)))
            self.sent += out
            self.received -= out
            self.bytes_out += octets_out
            self.bytes_in += octets - octets_out - header.traffic.bytes_in

    def _trim(self) -> None:
        if self.limit is None:
            return
        while self.size > self.limit and self._gone + 1 < len(self._offsets):
            traffic = self._header(self._offsets[self._gone]).traffic
            self.dropped += traffic.received + traffic.sent
            self._gone += 1
        self._freed.let_go(self._needed)
        while self._uncounted and self._uncounted[0] < self.first:
            self._uncounted.popleft()
        if self._gone > 1024 and self._gone > len(self._offsets) // 2:
            del self._firsts[: self._gone], self._offsets[: self._gone], self._positions[: self._gone]
            self._gone = 0

    def clear(self) -> None:
        """Forget every row; numbers go on. What is cleared by hand is not counted as dropped."""
        del self._firsts[:], self._offsets[:], self._positions[:]
        self._gone = 0
        self._uncounted.clear()
        self._at_hand.clear()
        self._latest = None
        self._freed.let_go(self._position)

    def over(self) -> None:
        """No engine records into the spool any more: memory that it had ready is given back.

        What it wrote and was not taken in until this moment is lost.
        """
        if not (self._closed or self._over):
            self._over = True
            self._freed.over()

    def close(self) -> None:
        """Give the spool back; the log is empty and stays so."""
        if not self._closed:
            self.clear()
            self._closed = True
            self.store.close()

    # --- reading out -----------------------------------------------------------------------------------------

    def _header(self, offset: int, room: int = 2**63) -> Header:
        return unpack_header(self.store.read(HEADER.size, offset), room)

    def block(self, number: int) -> Block:
        """The block of a row. Raises IndexError for one that is not kept."""
        block = self._latest
        if block is not None and block.first <= number < block.last and number >= self.first:
            return block
        if not self.first <= number < self.end:
            raise IndexError(number)
        index = bisect_right(self._firsts, number, self._gone) - 1
        first = self._firsts[index]
        found = self._at_hand.get(first)
        if found is None:
            found = self._at_hand[first] = self._make(index)
            if len(self._at_hand) > BLOCKS_AT_HAND:
                self._at_hand.popitem(last=False)
        else:
            self._at_hand.move_to_end(first)
        self._latest = found
        return found

    def _make(self, index: int, *, lent: bool = False) -> Block:
        """Read a block, of which ``index`` says which one of those in the columns it is."""
        known, newest = len(self._names.known), index + 1 == len(self._firsts)
        end, last = (self._position, self.end) if newest else (self._positions[index + 1], self._firsts[index + 1])
        offset, size, first = self._offsets[index], end - self._positions[index], self._firsts[index]
        found = Block(self.store, offset, size, first, last, self._names, lent=lent)
        for new in range(known, len(self._names.known)):
            self.on_name(OF_RINGS + new + 1, self._names.known[new])
        return found

    def frame(self, number: int) -> Frame:
        """Read out one row. Raises IndexError for a number that is not kept."""
        block = self.block(number)
        time, length, peer, flags, part = block.row(number - block.first)
        meta: dict[str, Any] = {}
        if flags & _META:
            if block.tagged is None:
                part, meta = split_meta(part)
            else:
                meta = block.meta(number - block.first)
        return Frame(number, time, length, peer, flags, part, meta)

    def head(self, number: int, limit: int) -> Frame:
        """As `frame`, with at most ``limit`` bytes of payload: what a row on the screen needs."""
        block = self.block(number)
        index = number - block.first
        if block.flags[index] & _META:
            return self.frame(number)
        return Frame(number, *block.row(index, limit), {})

    def time(self, number: int) -> int:
        """When the row was recorded, ns since the epoch. Raises IndexError."""
        block = self.block(number)
        return block.times[number - block.first]

    def blocks(self, begin: int, end: int) -> Iterator[Block]:
        """The blocks that hold the rows of a range, oldest first, as far as they are kept."""
        number = max(begin, self.first)
        while number < min(end, self.end):
            block = self.block(number)
            yield block
            number = max(block.last, self.first)

    def passing(self) -> Iterator[Block]:
        """All blocks that are kept, each for whoever is done with it before the log lets go of it."""
        for index in range(self._gone, len(self._firsts)):
            yield self._make(index, lent=True)

    def since(self, time: int) -> int:
        """The number of the first row that is as late as a time in ns, by halving; rows are taken to be in order."""
        low = bisect_left(range(self.first, self.end), time, key=self.time)
        return self.first + low


def row_numbers() -> array[int]:
    """An empty column of row numbers, for views that show some rows only."""
    return array("Q")
