"""Readers: from a socket that is ready into a session's spool, many frames a call.

A reader never blocks and never raises for what a peer sends. Datagrams go through `recvmmsg.Arena`, or through
``recvmsg_into`` where that is missing; streams are read as they come, one row a read.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from functools import lru_cache
from itertools import starmap

from sockexplorer.core import links
from sockexplorer.core.family import Family, Protocol
from sockexplorer.core.frames import Flag
from sockexplorer.engine import ancillary, recvmmsg
from sockexplorer.engine.peers import Peers
from sockexplorer.engine.spool import Spool

STREAM_READ = 256 * 1024
_STAMP = struct.Struct("=QiiQQ")
_STAMP_KEY = (32, ancillary.SOL_SOCKET, ancillary.SCM_TIMESTAMPNS)
_DROPS = struct.Struct("=QiiI")
_DROPS_KEY = (20, ancillary.SOL_SOCKET, ancillary.SO_RXQ_OVFL)
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
def arena(slot: int) -> recvmmsg.Arena:
    """One arena for each slot size: the engine reads one socket at a time."""
    return recvmmsg.Arena(slot, control_bytes=2048 if slot > 65536 else 512)


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
        peers: Peers,
        snaplen: int,
        on_drops: Callable[[int], None],
        *,
        batched: bool | None = None,
    ) -> None:
        self.sock = sock
        self.family = family
        self.protocol = protocol
        self.spool = spool
        self.peers = peers
        self.snaplen = snaplen
        self.on_drops = on_drops
        self.fixed_peer: int | None = None
        """The peer of a connected socket whose messages carry no name (SOCK_SEQPACKET)."""
        self.ends_at_zero = False
        """Whether a message of no bytes is the end of the connection."""
        # TIPC delivers no empty message of a peer, but tells the end as one, with TIPC_ERRINFO beside it.
        self._nothing_is_the_end = protocol.ends_in_reset
        self.full = False
        """Whether the last read filled more than half of its batch: more may wait."""
        self.batched = batched = recvmmsg.AVAILABLE if batched is None else batched
        # An unnamed UNIX socket is a peer as well; elsewhere no address means that the kernel names none.
        self._unnamed = family.constant == "AF_UNIX"
        # Only UNIX sockets pass descriptors; AF_PACKET answers EINVAL to a flag that it does not know.
        self._message_flags = recvmmsg.MSG_CMSG_CLOEXEC if family.constant == "AF_UNIX" else 0
        self._message_flags |= recvmmsg.MSG_TRUNC if protocol.msg_trunc else 0
        self._can = family.constant == "AF_CAN"
        self._told = sum(_FLAG_OF_CAN if self._can else _FLAG_OF)
        self._buffer = bytearray() if batched else bytearray(snaplen)

    def read(self) -> bool:
        """Take what waits, within bounds. False at the end of a connection. Raises OSError."""
        return self._read_batch() if self.batched else self._read_each()

    def _peer(self, name: bytes) -> tuple[int, int]:
        if self.fixed_peer is not None:
            return self.fixed_peer, 0
        if not name and not self._unnamed:
            return 0, 0
        known = self.peers.known(name)
        if known is not None:
            return known
        if self.peers.full():
            return 0, 0
        flags = int(Flag.OUT) if self.family.outgoing(name) else 0
        with links.seen_from(self.sock):
            return self.peers.add(name, self.family.unpack(self.protocol, name), flags), flags

    def _read_batch(self) -> bool:
        buffers = arena(max(2048, (self.snaplen + 4095) & ~4095))
        count = buffers.receive(self.sock.fileno(), self._message_flags)
        self.full = count > recvmmsg.SLOTS // 2
        if not count:
            return True
        spool, peers, snaplen, slot = self.spool, self.peers, self.snaplen, buffers.slot
        words, data, names, control = buffers.words, buffers.data, buffers.names, buffers.control
        times, ends, lengths, numbers, flag_column = spool.columns
        parts, end, drops = spool.parts, spool.end, -1
        known, told, can = peers.known, self._told, self._can
        for index in range(count):
            word = index * recvmmsg.WORDS
            length = words[word + recvmmsg.LENGTH]
            raw_flags = words[word + recvmmsg.FLAGS]
            control_length = words[word + recvmmsg.CONTROL_LENGTH]
            name_length = words[word + recvmmsg.NAME_LENGTH]
            at = index * recvmmsg.NAME_BYTES
            name = bytes(names[at : at + min(name_length, recvmmsg.NAME_BYTES)])
            peer, flags = (self.fixed_peer is None and known(name)) or self._peer(name)
            if raw_flags & told:
                flags |= _flags(raw_flags, can=can)
            # An empty message of a peer has the kernel's timestamp with it, the end of the connection nothing.
            if not length and self.ends_at_zero and (not control_length or self._nothing_is_the_end):
                spool.end = end
                return False
            at = index * slot
            payload = bytes(data[at : at + min(length, snaplen, slot)])
            if length > len(payload):
                flags |= int(Flag.TRUNCATED)
            at = index * buffers.control_bytes
            meta = None
            # Of PACKET_AUXDATA only a VLAN's tag is told, and few frames have one.
            if control_length in (72, 96):
                beside = _AUXDATA.unpack_from(control, at + control_length - _AUXDATA_SPACE)
                if beside[:3] == _AUXDATA_KEY and not beside[3] & ancillary.TP_STATUS_VLAN_VALID:
                    control_length -= _AUXDATA_SPACE
            stamp = _STAMP.unpack_from(control, at) if control_length in (32, 56) else None
            lost = _DROPS.unpack_from(control, at + 32) if control_length == 56 else None
            if stamp and stamp[:3] == _STAMP_KEY and (lost is None or lost[:3] == _DROPS_KEY):
                moment = stamp[3] * 1_000_000_000 + stamp[4]
                if lost is not None:
                    drops = lost[3]
            elif control_length:
                said = ancillary.read(ancillary.walk(control[at : at + control_length]))
                moment = time.time_ns() if said.time is None else said.time
                drops = drops if said.drops is None else said.drops
                meta = said.meta
            else:
                moment = time.time_ns()
            if not peer and name and self.fixed_peer is None:
                meta = {**(meta or {}), "peer": repr(self.family.unpack(self.protocol, name))}
            if meta:
                spool.end = end
                spool.add(payload, flags, peer, length, moment, meta)
                end = spool.end
                continue
            parts.append(payload)
            end += len(payload)
            times.append(moment)
            ends.append(end)
            lengths.append(length)
            numbers.append(peer)
            flag_column.append(flags)
        spool.end = end
        if drops >= 0:
            self.on_drops(drops)
        return True

    def _read_each(self) -> bool:
        self.full = False
        for _ in range(64):
            try:
                length, messages, raw_flags, address = self._take()
            except (BlockingIOError, InterruptedError):
                return True
            said = ancillary.read(starmap(_control, messages))
            if not length and self.ends_at_zero and (not messages or self._nothing_is_the_end):
                return False
            peer, flags = self._peer_of(address)
            payload = bytes(memoryview(self._buffer)[: min(length, len(self._buffer))])
            flags |= _flags(raw_flags, can=self._can) | (int(Flag.TRUNCATED) if length > len(payload) else 0)
            if said.drops is not None:
                self.on_drops(said.drops)
            meta = said.meta if peer or address is None else {**said.meta, "peer": repr(address)}
            self.spool.add(payload, flags, peer, length, said.time, meta)
        self.full = True
        return True

    def _take(self) -> tuple[int, list[ancillary.Control], int, object]:
        """One message's length, ancillary data, flags and sender. Raises OSError."""
        if self.protocol.has_senders:
            return self.sock.recvmsg_into([self._buffer], 4096, self._message_flags)
        # recvmsg() asks for the sender, and fails where Python has no form of its address.
        return self.sock.recv_into(self._buffer), [], 0, None

    def _peer_of(self, address: object) -> tuple[int, int]:
        if self.fixed_peer is not None:
            return self.fixed_peer, 0
        if address is None and not self._unnamed:
            return 0, 0
        known = self.peers.known(repr(address))
        if known is not None:
            return known
        if self.peers.full():
            return 0, 0
        outgoing = isinstance(address, tuple) and len(address) == 5 and address[2] == 4
        flags = int(Flag.OUT) if outgoing and self.family.constant == "AF_PACKET" else 0
        return self.peers.add(repr(address), address, flags), flags


def _control(level: int, kind: int, data: bytes) -> ancillary.Control:
    return level, kind, data


class StreamReader:
    """Reads one stream: a row for each read, its peer always the same."""

    def __init__(self, sock: socket.socket, spool: Spool, peer: int, *, ancillary_data: bool) -> None:
        self.sock = sock
        self.spool = spool
        self.peer = peer
        self._control_bytes = 2048 if ancillary_data else 0
        self._buffer = bytearray(STREAM_READ)

    def read(self) -> bool:
        """Take what waits, at most four buffers. False at the end of the stream. Raises OSError."""
        for _ in range(4):
            try:
                if self._control_bytes:
                    length, messages, raw_flags, _ = self.sock.recvmsg_into(
                        [self._buffer], self._control_bytes, recvmmsg.MSG_CMSG_CLOEXEC
                    )
                    said = ancillary.read(starmap(_control, messages))
                    meta = said.meta
                else:
                    length, raw_flags, meta = self.sock.recv_into(self._buffer), 0, {}
            except (BlockingIOError, InterruptedError):
                return True
            if not length:
                return False
            payload = bytes(memoryview(self._buffer)[:length])
            self.spool.add(payload, _flags(raw_flags & 0x8), self.peer, meta=meta)
            if length < len(self._buffer):
                return True
        return True
