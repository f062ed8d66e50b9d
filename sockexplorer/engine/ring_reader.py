"""Reading an AF_PACKET socket through its ring: blocks of packets go to the spool as the kernel left them."""

from __future__ import annotations

import contextlib
import socket

from sockexplorer.core import links
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.family import Family
from sockexplorer.engine.ring import BLOCK_BYTES, BLOCKS, LEAST_BLOCKS, Ring
from sockexplorer.engine.spool import Spool

ROUNDS = 16
"""Blocks of one read at most, so that a busy link never keeps other sockets waiting."""
INDEXES = 32
"""Interfaces that are asked for by index, besides those of the process's own network namespace."""


WITHOUT = {
    "PACKET_VERSION", "PACKET_RX_RING", "PACKET_TX_RING", "PACKET_VNET_HDR", "PACKET_VNET_HDR_SZ", "PACKET_COPY_THRESH",
}  # fmt: skip
"""Options of a person who wants a socket that is read without a ring."""
SIZES = ("SO_RCVBUF", "SO_RCVBUFFORCE")
"""Options that say how much a ring is to hold; so little that none is made of it means a socket without one."""
LEAST_BYTES, MOST_BYTES = LEAST_BLOCKS * BLOCK_BYTES, 2**30
FILTERS = {"SO_ATTACH_FILTER", "SO_ATTACH_BPF"}


class RingReader:
    """Reads one AF_PACKET socket, which must not be bound yet. Raises OSError where it can't have a ring."""

    filled = 1.0
    """A ring is as good as a batch: nothing is gained by waiting for more."""

    def __init__(self, sock: socket.socket, spool: Spool, snaplen: int | None, size: int) -> None:
        """``snaplen`` is the most that is kept of a frame, ``size`` what the ring holds at most, in bytes."""
        self.spool = spool
        self.ring = Ring(sock, snaplen=snaplen, blocks=min(size, MOST_BYTES) // BLOCK_BYTES)

    def read(self) -> bool:
        """Take the blocks that are ready, within bounds. Raises OSError for what the socket has to tell."""
        for block in self.ring.ready(ROUNDS):
            self.spool.ring_block(block.frames, block.data)
        return True

    def read_last(self) -> None:
        """Take what came until this moment, for which the kernel may need some hundredths of a second."""
        with contextlib.suppress(OSError):
            for block in self.ring.last():
                self.spool.ring_block(block.frames, block.data)

    def close(self) -> None:
        """Give the ring's memory back, before the socket is closed."""
        self.ring.close()


def ring_reader(sock: socket.socket, family: Family, endpoint: Endpoint, spool: Spool) -> RingReader | None:
    """A reader by a ring; None for a socket that has none, and where the kernel or the spool has no room for one."""
    chosen = {option.name for option in endpoint.options}
    if family.constant != "AF_PACKET" or not spool.whole or chosen & WITHOUT:
        return None
    if endpoint.snaplen is not None and chosen & FILTERS:
        return None  # the ring cuts by a filter, and there is one for a socket
    sizes = [each.value for each in endpoint.options if each.name in SIZES and isinstance(each.value, int)]
    size = max(sizes, default=BLOCKS * BLOCK_BYTES)
    if size < LEAST_BYTES:
        return None
    with contextlib.suppress(OSError):
        return RingReader(sock, spool, endpoint.snaplen, size)
    return None


def interface_names(sock: socket.socket) -> dict[int, str]:
    """The names of the interfaces that a socket of AF_PACKET may see, by index, in its network namespace.

    A frame in a ring tells an index only, and the client may be where that means another interface.
    """
    names = {}
    with contextlib.suppress(OSError), links.seen_from(sock):
        for index in sorted({index for index, _ in socket.if_nameindex()} | set(range(1, INDEXES))):
            with contextlib.suppress(OSError):
                names[index] = links.name_of(index)
    return names
