"""Reading in a session: which reader each socket has, what an error means for it, what had arrived before the end."""

from __future__ import annotations

import errno
import socket
import time
from typing import TYPE_CHECKING, Any

from sockexplorer.core.units import UNIT
from sockexplorer.engine import memory
from sockexplorer.engine.connection import Connection
from sockexplorer.engine.reader import MessageReader
from sockexplorer.engine.ring_reader import RingReader, interface_names, ring_reader
from sockexplorer.engine.stream_rows import StreamRows
from sockexplorer.engine.streams import StreamReader

if TYPE_CHECKING:
    from sockexplorer.engine.session import Session

LAST_READS, LAST_SECONDS = 64, 0.2
"""Reads of a socket that is being closed, at most, and how long all of a session's sockets are read more than once:
what had arrived is kept, a flood does not hold up the end."""
ANSWERS = {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.ENOBUFS}
"""Errors of reading that tell what became of a message; any number of them leaves the socket sound."""
MOST_FAILURES = 100
"""Other errors in a row after which a socket is given up."""
SNAPLEN_MAX = 2**20
"""No family's message is longer by default, and a batch reserves 256 times as much address space."""

MOST_AHEAD, MOST_OF_STREAMS = 128 * 2**20, 1280 * 2**20
"""Bytes that are had at hand for a flood, at most: a gigabit link brings as many in a second, for streams one of ten. A
stream's sender waits for as long as it takes to find room for what it sends."""
OF_SPARE, OF_ROOM = 16, 2
"""They are little beside the memory that nobody uses, or what is left of a disk, and beside what is kept: at most one
part in so many."""


class Reading:
    """What a session reads with: a reader of its own socket, or one for each connection."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._reader: MessageReader | RingReader | None = None
        self.ring: RingReader | None = None
        """What an AF_PACKET socket is read by, from before it is bound until it is closed."""
        self._rows = StreamRows(session.spool)
        self._failures = 0
        self._end = session.spool.end
        """The spool's end when `prepare` was called last: where it has moved, something came."""
        self.prepared = 0
        """The spool's end when it was last worked out how much room should be at hand; 0 before that."""
        self.preparing = 0
        """Bytes of room that should be at hand; 0 once they are."""

    # --- readers -------------------------------------------------------------------------------------------

    def open_ring(self, sock: socket.socket) -> dict[str, Any]:
        """Have a socket that is not bound yet read by a ring, if it can be; what the client is told of that."""
        self.ring = ring_reader(sock, self._session.family, self._session.endpoint, self._session.spool)
        return {} if self.ring is None else {"ring": self.ring.ring.bytes, "interfaces": interface_names(sock)}

    def begin(self, sock: socket.socket) -> None:
        """Read a socket that has no connections."""
        self._reader = self.ring or self.messages_of(sock)

    @property
    def bulk(self) -> bool:
        """Whether streams are read that may bring more than is read at once."""
        family, protocol = self._session.family, self._session.protocol
        return not protocol.messages and (family.constant == "AF_UNIX" or protocol.proto == "IPPROTO_TCP")

    def prepare(self) -> None:
        """Have room for a flood at hand, step by step, while none come.

        As long as ``preparing`` says that there is more to do, it is to be called again soon.
        """
        spool, before = self._session.spool, self._end
        self._end = spool.end
        if spool.end != before:
            return
        if self.preparing:
            if not spool.prepare(self.preparing):
                self.preparing = 0
        elif self.prepared != spool.end:
            self.prepared = spool.end
            wanted = self._room_for_a_flood()
            if spool.ready < wanted // 2:
                self.preparing = wanted

    def _room_for_a_flood(self) -> int:
        """How many bytes should be at hand."""
        spool, reader = self._session.spool, self._reader
        by_batches = isinstance(reader, RingReader) or (isinstance(reader, MessageReader) and reader.batched)
        if spool.file is None or not (by_batches or (self.bulk and spool.in_memory)):
            return 0
        most = MOST_OF_STREAMS if self.bulk else MOST_AHEAD
        spare = min(memory.spare(), memory.spare_for(spool.file))
        return int(min(most, spare // OF_SPARE, spool.room // OF_ROOM)) & -UNIT

    def messages_of(self, sock: socket.socket) -> MessageReader:
        """A reader of messages, which keeps of each what the endpoint says, within `SNAPLEN_MAX`."""
        session = self._session
        snaplen = min(max(1, session.endpoint.snaplen or session.protocol.snaplen), SNAPLEN_MAX)
        return MessageReader(sock, session.family, session.protocol, session.spool, snaplen, session.drops.see)

    def of_connection(self, sock: socket.socket, peer: int) -> MessageReader | StreamReader:
        """A reader of a connection to the peer of that number."""
        family, protocol = self._session.family, self._session.protocol
        if protocol.messages:
            reader = self.messages_of(sock)
            reader.senders.fixed = peer
            reader.ends_at_zero = protocol.connections
            return reader
        # Without room for ancillary data TIPC tells every end as ECONNRESET.
        beside = family.constant == "AF_UNIX" or protocol.ends_in_reset
        return StreamReader(sock, self._session.spool, self._rows, peer, ancillary_data=beside, bulk=self.bulk)

    @property
    def by_address(self) -> bool:
        """Whether it tells senders apart by Python's addresses, and not by the kernel's bytes."""
        return isinstance(self._reader, MessageReader) and not self._reader.batched

    @property
    def filled(self) -> float:
        """How much of a batch of messages the last read filled, from 0 to 1, which says that more waits."""
        readers = [self._reader, *(each.reader for each in self._session.connections.values())]
        return max((each.filled for each in readers if isinstance(each, MessageReader | RingReader)), default=0.0)

    # --- reading -------------------------------------------------------------------------------------------

    def read(self, connection: Connection | None, alone: bool) -> None:
        """Take what waits at a connection, or at the session's own socket; ``alone`` is as of `StreamReader.read`."""
        session = self._session
        reader = connection.reader if connection else self._reader
        if reader is None:
            return
        session.patience.something_came()
        try:
            more = reader.read(alone) if isinstance(reader, StreamReader) else reader.read()
            self._failures = 0
        except OSError as error:
            self._failed(error, connection)
            return
        if not more and connection is not None:
            session.end(connection, "closed", "closed by the peer")

    def _failed(self, error: OSError, connection: Connection | None) -> None:
        session = self._session
        failure = session.explain("read", error)
        if connection is not None and session.protocol.connections:
            if session.protocol.ends_in_reset and error.errno == errno.ECONNRESET:
                # L2CAP tells of the end before it gives what came before it.
                self._read_rest(connection.reader, time.monotonic() + LAST_SECONDS)
                session.end(connection, "closed", "closed by the peer")
            else:
                session.end(connection, "reset", str(failure), failure)
            return
        self._failures += error.errno not in ANSWERS
        session.tell(failure)
        if self._failures >= MOST_FAILURES or error.errno in (errno.EBADF, errno.ENOTSOCK):
            session.fail(failure)

    def read_last(self) -> None:
        """Take what had arrived before the end, within bounds."""
        if self.ring is not None:
            self.ring.read_last()
            return
        until = time.monotonic() + LAST_SECONDS
        if self._reader is not None and self._session.sock is not None:
            self._read_rest(self._reader, until)
        for connection in self._session.connections.values():
            self._read_rest(connection.reader, until)

    def _read_rest(self, reader: MessageReader | StreamReader | RingReader, until: float) -> None:
        """Read what is left: some tell of the end before they give what came before it, others repeat the error."""
        session = self._session
        for _ in range(LAST_READS):
            recorded = session.spool.recorded
            try:
                over = not (reader.read(alone=False) if isinstance(reader, StreamReader) else reader.read())
            except OSError as error:
                if error.errno == errno.ECONNRESET and session.protocol.ends_in_reset:
                    return
                session.tell(session.explain("read", error))
                # Nothing follows the error of a connection; those of datagrams tell of one message each.
                over = session.protocol.connections
            if over or session.spool.recorded == recorded or time.monotonic() >= until:
                return

    def close(self) -> None:
        """Give a ring's memory back, before the socket is closed."""
        self._rows.close()
        if self.ring is not None:
            self.ring.close()
            self.ring = self._reader = None
