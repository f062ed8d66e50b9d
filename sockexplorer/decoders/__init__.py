"""Payloads read as trees of fields. One file a kind; a decoder never raises, whatever the bytes."""

from __future__ import annotations

from sockexplorer.decoders.netlink import decode_netlink
from sockexplorer.decoders.tree import Node


def decode(family: str, protocol: str, payload: bytes) -> Node:
    """What the payload of a frame of this family and protocol says; a tree without children when nothing is known."""
    if family == "AF_NETLINK":
        return decode_netlink(protocol, payload)
    return Node("payload", "", 0, len(payload))


def summary(family: str, protocol: str, payload: bytes) -> str:
    """One line for a row, "" when the payload is best shown as it is. Not escaped."""
    root = decode(family, protocol, payload) if family == "AF_NETLINK" else None
    return root.value if root else ""
