"""Where one record is from: family and protocol, peer, and which of its bytes are the payload."""

from __future__ import annotations

from typing import NamedTuple

from sockexplorer.capture import recording
from sockexplorer.capture.link_types import BLUETOOTH_MONITOR, ETHERNET, SLL, SLL2, SOCKETCAN, unwrap
from sockexplorer.capture.pcapng_read import is_path
from sockexplorer.capture.reading import Interface, Record

OF_INTERFACES = (ETHERNET, SLL, SLL2, SOCKETCAN)
"""Link types whose frames name their interface as part of an address."""
REWRITTEN = (SOCKETCAN, BLUETOOTH_MONITOR)
"""Link types whose frames are no payloads of sockets even without a header."""


class Seen(NamedTuple):
    """A record without its headers. ``path`` is "" where no family of sockets has such frames."""

    path: str
    payload: bytes
    peer: str | None
    said: recording.Said


class Provenance(NamedTuple):
    """What rows of one kind have in common. ``peer`` is a Python literal.

    The payload begins ``header`` bytes into the data and is as long as what follows, if it is ``plain``: else it is
    made of the data in some other way. A frame is ``added`` bytes longer than its record was on the wire.
    ``link_type`` is that of the interface.
    """

    path: str
    peer: str | None
    header: int
    added: int
    plain: bool
    link_type: int = -1

    @property
    def socket(self) -> str:
        """As of `socket_of`."""
        return socket_of(self.path, self.link_type)


def see(record: Record) -> Seen:
    """Take off what a recording put around a payload. Never raises: what is amiss is left as it is."""
    interface = record.interface
    said = recording.said(record.comments) if interface.ours else recording.Said(None, {}, 0, record.comments)
    device = interface.description if interface.ours else interface.name
    if interface.link_type not in OF_INTERFACES:
        device = ""
    path, payload, peer = unwrap(
        interface.link_type, record.data, outgoing=bool(record.outgoing), path=path_of(interface), interface=device,
        cut=record.length > len(record.data),
    )  # fmt: skip
    return Seen(path, payload, peer if said.peer is None else said.peer, said)


def origin(record: Record) -> Provenance:
    """Where a record is from."""
    seen, data = see(record), record.data
    header = len(data) - len(seen.payload)
    plain = record.interface.link_type not in REWRITTEN and header >= 0 and data.endswith(seen.payload)
    return Provenance(seen.path, seen.peer, max(0, header), -header, plain, record.interface.link_type)


def socket_of(path: str, link_type: int) -> str:
    """What socket gives such frames: ``inet/udp``, or ``link type 147`` where no family of sockets has them."""
    return path or f"link type {link_type}"


def path_of(interface: Interface) -> str:
    """The ``family/protocol`` that a recording of ours says it is of, "" for others."""
    return interface.name if interface.ours and is_path(interface.name) else ""
