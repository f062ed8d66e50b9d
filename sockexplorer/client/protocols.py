"""The protocol of a frame by the name that rows show: the ethertype that a packet socket tells, else the socket's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sockexplorer.client.opened import protocol_of
from sockexplorer.decoders.packet import ETHERTYPES, ethertype

if TYPE_CHECKING:
    from sockexplorer.capture.log import Frame
    from sockexplorer.client.opened import Opened
    from sockexplorer.client.session import Peer, Session
    from sockexplorer.core.family import Family
    from sockexplorer.core.protocol import Protocol


def protocol_name(session: Session | Opened, frame: Frame) -> str:
    """The name of a frame's protocol; of an event, which has none, that of the socket's."""
    spoken = session.spoken(frame)
    if spoken is None:
        return str(frame.meta.get("socket", ""))
    return name_by_address(spoken, _address(session.peers.get(frame.peer)))


def protocol_name_of_peer(session: Session, number: int) -> str:
    """As `protocol_name`, of the frames of a peer's number; of a live session, in which they all have one."""
    return name_by_address((session.family, session.protocol), _address(session.peers.get(number)))


def _address(peer: Peer | None) -> object:
    return None if peer is None else peer.address


def name_by_address(spoken: tuple[Family, Protocol], address: object) -> str:
    """The name for what is spoken with a peer of an address, None for one without."""
    if spoken[0].constant == "AF_PACKET" and isinstance(address, tuple) and len(address) > 1:
        return ethertype(address[1]) if isinstance(address[1], int) else ""
    return spoken[1].name


def protocol_names(session: Session) -> list[str]:
    """The names that rows may have, as far as they were read; of ethertypes those that have a name. In order."""
    return sorted({name for socket in session.sockets for name in _names(socket)})


def _names(socket: str) -> Iterator[str]:
    known = protocol_of(socket)
    if known is not None and known[0].constant == "AF_PACKET":
        yield from ETHERTYPES.values()
    else:
        yield socket if known is None else known[1].name
