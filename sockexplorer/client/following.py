"""Whose conversation a row is part of: that of a socket's peer, or of two ends whose packets somebody looked at."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from sockexplorer.capture.conversation import Follow, Part
from sockexplorer.capture.log import Log
from sockexplorer.capture.predicate import Compiled, Test
from sockexplorer.capture.sifting import PeerSift, Sift
from sockexplorer.client.heading import heading_of
from sockexplorer.decoders import has_decoder
from sockexplorer.decoders.packet import OUTGOING, Heading

if TYPE_CHECKING:
    from sockexplorer.capture.log import Frame
    from sockexplorer.client.opened import Opened
    from sockexplorer.client.session import Session

ARPHRD_LOOPBACK = 772


class Ends(NamedTuple):
    """Two ends that speak over a protocol. What the first says is shown as outgoing."""

    over: str
    first: str
    second: str


def ends_of(session: Session | Opened, frame: Frame) -> Ends | None:
    """Between whom the packet of IP in a frame is; None where there is none, and where the frame's peer is one end.

    The first is the one with the higher port, mostly a client: it is the same whichever row is asked about.
    """
    told, spoken = heading_of(session, frame), session.spoken(frame)
    of_link = spoken is not None and spoken[0].constant == "AF_PACKET"
    if not told.over or (frame.peer and not of_link):
        return None
    second, first = sorted((told.source, told.destination), key=_rank)
    return Ends(told.over, first, second)


def between(session: Session | Opened, ends: Ends) -> Follow:
    """What two ends say to each other; what a connection needs beside that, such as acknowledgements, is left out.

    It is in the order of the rows: what was sent again is there again. On the loopback interface a packet socket has
    every packet twice: that which is sent is left out.
    """
    ways = {(ends.second, ends.first): False, (ends.first, ends.second): True}

    def part(frame: Frame) -> Part | None:
        if _is_copy(session, frame):
            return None
        told = heading_of(session, frame)
        outgoing = ways.get((told.source, told.destination))
        if outgoing is None or told.over != ends.over or not _is_said(told):
            return None
        return Part(outgoing, told.start, told.end)

    return part


def with_row(session: Session | Opened, frame: Frame) -> Callable[[Frame], bool]:
    """Whether another frame is of the conversation that a frame is part of: between its two ends, or with its peer."""
    if (ends := ends_of(session, frame)) is not None:
        part = between(session, ends)
        return lambda other: part(other) is not None
    whose = _whose(frame)
    return lambda other: _whose(other) == whose


def _whose(frame: Frame) -> tuple[object, ...]:
    """The socket and the peer of a frame, which has no number where a file has too many of them."""
    return frame.peer, frame.meta.get("peer"), frame.meta.get("socket")


def rows_between(session: Session, ends: Ends) -> Sift:
    """Finds the rows that may be between two ends: a header of IP has both addresses side by side."""
    one, other = map(_packed, (ends.first, ends.second))
    there, back = one + other, other + one
    test = Test("any", parts=tuple(Test("bytes", way) for way in {there, back}))
    if isinstance(session.log, Log) and (session.family.constant, session.protocol.name) == ("AF_PACKET", "raw"):
        # Of all frames whose headers tell the same, one is asked.
        test = Test("heading", lambda frame: _is_between(session, frame, ends))
    return session.sift(Compiled(lambda frame: there in frame.payload or back in frame.payload, test))


def rows_with(session: Session, peer: int) -> Sift | None:
    """Finds the rows with a peer while frames come; None where all are there, and each is looked at."""
    return PeerSift(session.log, peer) if isinstance(session.log, Log) else None


def summary_of(session: Session) -> Callable[[Frame], str] | None:
    """What says more of a payload than its bytes do; None where nothing can."""
    if isinstance(session.log, Log) and not has_decoder(session.family.constant):
        return None
    return session.summary


def _packed(end: str) -> bytes:
    """The address of an end, without its port, as a header has it."""
    if end.count(":") < 2:
        return socket.inet_pton(socket.AF_INET, end.partition(":")[0])
    return socket.inet_pton(socket.AF_INET6, end[1:].partition("]")[0] if end.startswith("[") else end)


def _is_between(session: Session, frame: Frame, ends: Ends) -> bool:
    """Whether a frame is of two ends, as far as the header of a link tells with those of IP."""
    told = heading_of(session, frame)
    both = told.source, told.destination
    return told.over == ends.over and both in (ends[1:], ends[:0:-1]) and not _is_copy(session, frame)


def _is_said(told: Heading) -> bool:
    return told.over != "tcp" or told.end > told.start


def _is_copy(session: Session | Opened, frame: Frame) -> bool:
    peer = session.peers.get(frame.peer)
    address = None if peer is None else peer.address
    if not isinstance(address, tuple) or len(address) < 4:
        return False
    return bool(address[2] == OUTGOING and address[3] == ARPHRD_LOOPBACK)


def _rank(end: str) -> tuple[int, str]:
    """By the port; ends without one by their texts."""
    _, colon, port = end.rpartition("]:" if end.startswith("[") else ":")
    return (int(port) if colon and port.isdecimal() else 0, end)
