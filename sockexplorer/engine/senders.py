"""Who sent a message: the number of a peer, from its ``sockaddr`` or from the address that Python made of it."""

from __future__ import annotations

import socket

from sockexplorer.core import links
from sockexplorer.core.family import Family
from sockexplorer.core.frames import Flag
from sockexplorer.core.protocol import Protocol
from sockexplorer.engine.peers import Peers

Sender = tuple[int, int]
"""The number of a peer, and the flags that its frames have; 0 is no peer."""


class Senders:
    """Numbers the senders of one socket's messages."""

    def __init__(self, sock: socket.socket, family: Family, protocol: Protocol, peers: Peers) -> None:
        self.sock = sock
        self.family = family
        self.protocol = protocol
        self.peers = peers
        self.fixed: int | None = None
        """The peer of a connected socket whose messages carry no name (SOCK_SEQPACKET)."""
        # An unnamed UNIX socket is a peer as well; elsewhere no address means that the kernel names none.
        self._unnamed = family.constant == "AF_UNIX"

    def of_name(self, name: bytes) -> Sender | None:
        """The sender that a ``sockaddr`` names; None where no more numbers are given."""
        if self.fixed is not None:
            return self.fixed, 0
        if not name and not self._unnamed:
            return 0, 0
        known = self.peers.known(name)
        if known is not None or self.peers.full():
            return known
        flags = int(Flag.OUT) if self.family.outgoing(name) else 0
        with links.seen_from(self.sock):
            return self.peers.add(name, self.family.unpack(self.protocol, name), flags), flags

    def of_address(self, address: object) -> Sender | None:
        """The sender at an address of Python's; None where no more numbers are given."""
        if self.fixed is not None:
            return self.fixed, 0
        if address is None and not self._unnamed:
            return 0, 0
        known = self.peers.known(repr(address))
        if known is not None or self.peers.full():
            return known
        outgoing = isinstance(address, tuple) and len(address) == 5 and address[2] == 4
        flags = int(Flag.OUT) if outgoing and self.family.constant == "AF_PACKET" else 0
        return self.peers.add(repr(address), address, flags), flags

    def address(self, name: bytes) -> object:
        """What a ``sockaddr`` says, as Python shows it."""
        return self.family.unpack(self.protocol, name)
