"""What some sockets do differently in a script, beside what their declarations say."""

from __future__ import annotations

from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol


def sends_bound(family: Family, protocol: Protocol) -> bool:
    """Whether a bound socket sends without a destination: netlink to the kernel, packets to their interface."""
    return protocol.sends_bound or family.constant in ("AF_NETLINK", "AF_PACKET")


def hears_itself(protocol: Protocol) -> bool:
    """Whether an answer may come in again, to be answered for ever: raw sockets see all that arrives on loopback."""
    return protocol.type == "SOCK_RAW"


def on_windows(family: Family) -> bool:
    """Whether the family is one of Windows' that its default event loop does not know: it takes (host, port) only."""
    return "win32" in family.systems
