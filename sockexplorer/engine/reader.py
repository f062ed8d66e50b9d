"""Reading messages: from a socket that is ready into a session's spool, many frames a call.

A reader never blocks and never raises for what a peer sends. Messages go through `recvmmsg.Arena`, or through
``recvmsg_into`` where that is missing. Streams are `sockexplorer.engine.streams`'.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from functools import lru_cache, partial
from itertools import starmap

from sockexplorer.core.family import Family
from sockexplorer.core.frames import Flag
from sockexplorer.core.protocol import Protocol
from sockexplorer.engine import ancillary, recvmmsg
from sockexplorer.engine.gather import Gatherer
from sockexplorer.engine.senders import Senders
from sockexplorer.engine.spool import Spool

BATCHES = 4
"""Batches at most that are taken at a time, each as soon as the one before was full."""
_AUXDATA = struct.Struct("=QiiI")
_AUXDATA_KEY = (36, ancillary.SOL_PACKET, ancillary.PACKET_AUXDATA)
_AUXDATA_SPACE = 40
_FLAG_OF = {
    recvmmsg.MSG_TRUNC: int(Flag.TRUNCATED),
    recvmmsg.MSG_CTRUNC: int(Flag.CONTROL_TRUNCATED),
}
_FLAG_OF_CAN = {
    **_FLAG_OF,
    recvmmsg.MSG_DONTROUTE: int(Flag.LOCAL),
    # It comes as received, but its way was out.
    recvmmsg.MSG_CONFIRM: int(Flag.OWN | Flag.OUT),
}


@lru_cache(maxsize=256)
def _flags(flags: int, *, can: bool = False) -> int:
    """Our flags for those of ``recvmsg``. Few combinations occur; on a virtual bus every frame has some."""
    return sum(ours for theirs, ours in (_FLAG_OF_CAN if can else _FLAG_OF).items() if flags & theirs)


@lru_cache(maxsize=8)
def arena(slot: int, name_bytes: int) -> recvmmsg.Arena:
    """One arena for each size of its parts: the engine reads one socket at a time."""
    return recvmmsg.Arena(slot, 2048 if slot > 65536 else 512, name_bytes)


class MessageReader:
    """Reads datagrams and packets of one socket.

    ``on_drops`` is called with the kernel's counter of frames lost, when a frame carries it. ``snaplen`` bounds what is
    kept of a message, in bytes; its full length is recorded all the same.
    """

    def __init__(
        self,
        sock: socket.socket,
        family: Family,
        protocol: Protocol,
        spool: Spool,
        snaplen: int,
        on_drops: Callable[[int], None],
        *,
        batched: bool | None = None,
    ) -> None:
        self.sock = sock
        self.protocol = protocol
        self.spool = spool
        self.senders = Senders(sock, family, protocol, spool.peers)
        self.snaplen = snaplen
        self.on_drops = on_drops
        self.ends_at_zero = False
        """Whether a message of no bytes is the end of the connection."""
        # TIPC delivers no empty message of a peer, but tells the end as one, with TIPC_ERRINFO beside it.
        self._nothing_is_the_end = protocol.ends_in_reset
        self.filled = 0.0
        """How much of a batch the last read filled, up to 1: then more waits."""
        self.batched = batched = recvmmsg.AVAILABLE if batched is None else batched
        # Only UNIX sockets pass descriptors; AF_PACKET answers EINVAL to a flag that it does not know.
        self._message_flags = recvmmsg.MSG_CMSG_CLOEXEC if family.constant == "AF_UNIX" else 0
        self._message_flags |= recvmmsg.MSG_TRUNC if protocol.msg_trunc else 0
        ip = family.constant in ("AF_INET", "AF_INET6")
        self._name_bytes = recvmmsg.IP_NAME_BYTES if ip else recvmmsg.NAME_BYTES
        self._can = family.constant == "AF_CAN"
        self._told = sum(_FLAG_OF_CAN if self._can else _FLAG_OF)
        self._buffer = bytearray() if batched else bytearray(snaplen)
        self._gatherer = Gatherer(spool, snaplen, self.senders.of_name, partial(_flags, can=self._can), on_drops)

    def read(self) -> bool:
        """Take what waits, within bounds. False at the end of a connection. Raises OSError."""
        return self._read_batch() if self.batched else self._read_each()

    def _read_batch(self) -> bool:
        buffers = arena(max(2048, (self.snaplen + 4095) & ~4095), self._name_bytes)
        for _ in range(BATCHES):
            count = buffers.receive(self.sock.fileno(), self._message_flags, self._gatherer.aim())
            self.filled = count / recvmmsg.SLOTS
            if not count:
                return True
            if not (self.spool.whole and self._gatherer.take(buffers, count, empty=not self.ends_at_zero)):
                return all(self._record(buffers, index) for index in range(count))
            if self.filled < 1 or self.spool.full:
                return True
        return True

    def _record(self, buffers: recvmmsg.Arena, index: int) -> bool:
        """Record one message of a batch. False for the end of the connection."""
        word = index * recvmmsg.WORDS
        words, spool = buffers.words, self.spool
        length, raw_flags = words[word + recvmmsg.LENGTH], words[word + recvmmsg.FLAGS]
        control_length, name_length = words[word + recvmmsg.CONTROL_LENGTH], words[word + recvmmsg.NAME_LENGTH]
        # An empty message of a peer has the kernel's timestamp with it, the end of the connection nothing.
        if not length and self.ends_at_zero and (not control_length or self._nothing_is_the_end):
            return False
        at = index * buffers.name_bytes
        name = bytes(buffers.names[at : at + min(name_length, buffers.name_bytes)])
        sender = self.senders.of_name(name)
        peer, flags = sender or (0, 0)
        if raw_flags & self._told:
            flags |= _flags(raw_flags, can=self._can)
        payload = buffers.message(index, min(length, self.snaplen))
        if length > len(payload):
            flags |= int(Flag.TRUNCATED)
        at = index * buffers.control_bytes
        # Of PACKET_AUXDATA only a VLAN's tag is told, and few frames have one.
        if control_length in (72, 96):
            beside = _AUXDATA.unpack_from(buffers.control, at + control_length - _AUXDATA_SPACE)
            if beside[:3] == _AUXDATA_KEY and not beside[3] & ancillary.TP_STATUS_VLAN_VALID:
                control_length -= _AUXDATA_SPACE
        said = ancillary.read(ancillary.walk(buffers.control[at : at + control_length]))
        if said.drops is not None:
            self.on_drops(said.drops)
        meta = said.meta
        if sender is None:
            meta = {**meta, "peer": repr(self.senders.address(name))}
        spool.add(payload, flags, peer, length, said.time, meta)
        return True

    def _read_each(self) -> bool:
        self.filled = 0.0
        for _ in range(64):
            try:
                length, messages, raw_flags, address = self._take()
            except (BlockingIOError, InterruptedError):
                return True
            said = ancillary.read(starmap(_control, messages))
            if not length and self.ends_at_zero and (not messages or self._nothing_is_the_end):
                return False
            sender = self.senders.of_address(address)
            peer, flags = sender or (0, 0)
            payload = bytes(memoryview(self._buffer)[: min(length, len(self._buffer))])
            flags |= _flags(raw_flags, can=self._can) | (int(Flag.TRUNCATED) if length > len(payload) else 0)
            if said.drops is not None:
                self.on_drops(said.drops)
            meta = said.meta if sender is not None else {**said.meta, "peer": repr(address)}
            self.spool.add(payload, flags, peer, length, said.time, meta)
        self.filled = 1.0
        return True

    def _take(self) -> tuple[int, list[ancillary.Control], int, object]:
        """One message's length, ancillary data, flags and sender. Raises OSError."""
        if self.protocol.has_senders:
            return self.sock.recvmsg_into([self._buffer], 4096, self._message_flags)
        # recvmsg() asks for the sender, and fails where Python has no form of its address.
        return self.sock.recv_into(self._buffer), [], 0, None


def _control(level: int, kind: int, data: bytes) -> ancillary.Control:
    return level, kind, data
