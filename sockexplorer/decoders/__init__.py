"""Payloads read as trees of fields. One file a kind; a decoder never raises, whatever the bytes."""

from __future__ import annotations

from sockexplorer.decoders.tree import Node

QRTR_PORT_CTRL = 0xFFFFFFFE
TIPC_ADDR_NAME, TIPC_TOP_SRV = 2, 1


_FAMILIES = ("AF_NETLINK", "AF_CAN", "AF_QIPCRTR", "AF_TIPC")


def has_decoder(family: str) -> bool:
    """Whether some payload of a family is summed up: of any other, a row shows the bytes, in whole or in part."""
    return family in _FAMILIES


def has_fields(family: str) -> bool:
    """Whether fields are read in some payload of a family."""
    return family in (*_FAMILIES, "AF_PACKET")


def _known(family: str, protocol: str, payload: bytes, peer: object) -> Node | None:
    """The tree, None where nothing is known. Decoders are imported when they are used: few sessions need any."""
    if family == "AF_PACKET":
        from sockexplorer.decoders.packet import decode_frame

        return decode_frame(protocol, payload, peer)
    if family == "AF_NETLINK":
        from sockexplorer.decoders.netlink import decode_netlink

        return decode_netlink(protocol, payload)
    if family == "AF_CAN":
        from sockexplorer.decoders.can import decode_can

        return decode_can(protocol, payload, peer)
    if family == "AF_QIPCRTR" and isinstance(peer, tuple) and peer[1:] == (QRTR_PORT_CTRL,):
        from sockexplorer.decoders.qipcrtr import decode_control

        return decode_control(payload)
    if family == "AF_TIPC" and isinstance(peer, tuple) and peer[:3] == (TIPC_ADDR_NAME, TIPC_TOP_SRV, TIPC_TOP_SRV):
        from sockexplorer.decoders.tipc import decode_topology

        return decode_topology(payload)
    return None


def decode(family: str, protocol: str, payload: bytes, peer: object = None) -> Node:
    """What the payload of a frame of this family and protocol says; a tree without children when nothing is known.

    ``peer`` is the address that the payload came from or went to, where a service is known by it.
    """
    return _known(family, protocol, payload, peer) or Node("payload", "", 0, len(payload))


def summary(family: str, protocol: str, payload: bytes, peer: object = None) -> str:
    """One line for a row, "" when the payload is best shown as it is. Not escaped."""
    root = _known(family, protocol, payload, peer) if has_decoder(family) else None
    return root.value if root else ""
