"""What the kernel dropped of a session's frames for want of buffer, and of AF_PACKET's how many there were at all."""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import TYPE_CHECKING

from sockexplorer.core.constants import number
from sockexplorer.engine import opening
from sockexplorer.engine.ring_reader import RingReader, interface_names

if TYPE_CHECKING:
    from sockexplorer.engine.session import Session


class Drops:
    """The kernel's counter of drops (SO_RXQ_OVFL, SO_MEMINFO), whose steps are rows; ``total`` is their sum."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.total = 0

    def see(self, counter: int) -> None:
        """Take in the counter as a frame or the socket tells it: 32 bits, which wrap."""
        delta = (counter - self.total) & 0xFFFFFFFF
        # A frame carries the counter of the moment it was queued, which may be older than what the kernel said last.
        if 0 < delta < 2**31:
            self.total += delta
            text = f"the kernel dropped {delta} for want of buffer"
            self._session.spool.event("dropped", text, count=delta, total=self.total)
            self._session.changed = True

    def ask(self) -> None:
        """Ask the kernel: the counter in a frame only tells with the next frame."""
        session = self._session
        sock, ring = session.sock, session.reading.ring
        if not session.protocol.messages or sock is None or session.state not in ("bound", "open", "connected"):
            return
        if ring is not None:
            self._ask_ring(ring, sock)
            return
        with contextlib.suppress(OSError, struct.error):
            data = sock.getsockopt(socket.SOL_SOCKET, number("SO_MEMINFO"), 36)
            self.see(struct.unpack_from("=I", data, 32)[0])
        if session.family.constant == "AF_PACKET" and (seen := opening.packets_seen(sock)):
            session.granted["packets"] = session.granted.get("packets", 0) + seen
            session.changed = True

    def _ask_ring(self, reader: RingReader, sock: socket.socket) -> None:
        session, ring = self._session, reader.ring
        with contextlib.suppress(OSError):
            ring.count()
        self.see(ring.drops)
        told = {"packets": ring.packets, "interfaces": interface_names(sock)}
        if any(session.granted.get(key) != value for key, value in told.items()):
            session.granted |= told
            session.changed = True
