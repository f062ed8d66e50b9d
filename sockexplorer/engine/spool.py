"""What a session has recorded and not yet handed over: columns of the index and the bytes behind them."""

from __future__ import annotations

import time
from typing import Any

from sockexplorer.core.frames import Flag, empty_columns, pack_columns, pack_meta


class Spool:
    """Collects frames between two messages to the client. See `sockexplorer.core.frames` for the layout."""

    def __init__(self) -> None:
        self.times, self.ends, self.lengths, self.peers, self.flags = self.columns = empty_columns()
        self.parts: list[bytes] = []
        self.end = 0
        """Bytes recorded since the session began; the last frame's end."""
        self.taken = 0
        """Bytes that were handed over."""

    @property
    def waiting(self) -> int:
        """Bytes not yet handed over."""
        return self.end - self.taken

    def __len__(self) -> int:
        return len(self.times)

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
        self.times.append(time.time_ns() if stamp is None else stamp)
        self.lengths.append(min(len(payload) if length is None else length, 0xFFFFFFFF))
        self.peers.append(peer)
        self.parts.append(payload)
        self.end += len(payload)
        if meta:
            tail = pack_meta(meta)
            self.parts.append(tail)
            self.end += len(tail)
            flags |= Flag.META
        self.ends.append(self.end)
        self.flags.append(int(flags))

    def event(self, name: str, text: str, peer: int = 0, **more: Any) -> None:
        """Record something that happened to the socket, as a row among the frames."""
        self.add(b"", Flag.EVENT, peer, meta={"event": name, "text": text, **more})

    def take(self) -> tuple[int, int, bytes]:
        """Hand over: the number of frames, the spool position of the first byte, and the batch's body."""
        count, start = len(self.times), self.taken
        body = b"".join((pack_columns(self.columns), *self.parts))
        self.times, self.ends, self.lengths, self.peers, self.flags = self.columns = empty_columns()
        self.parts = []
        self.taken = self.end
        return count, start, body
