"""What a row shows of a payload: what a decoder says of it, or who speaks to whom and the bytes behind that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sockexplorer.core.text import PREVIEW_BYTES, escape, preview
from sockexplorer.decoders.packet import Heading, heading, heading_of_packet

if TYPE_CHECKING:
    from sockexplorer.capture.log import Frame
    from sockexplorer.client.opened import Opened
    from sockexplorer.client.session import Session


def said(session: Session | Opened, frame: Frame, most: int | None = None) -> str:
    """One safe line for a payload; of what a decoder says at most so many characters, of bytes so many of them."""
    if text := session.summary(frame):
        return escape(text, most)
    told = heading_of(session, frame)
    if not told.text:
        return preview(frame.payload, most or PREVIEW_BYTES)
    rest = frame.payload[told.start : told.end]
    return f"{escape(told.text)}  {preview(rest, most or PREVIEW_BYTES)}" if rest else escape(told.text)


def heading_of(session: Session | Opened, frame: Frame) -> Heading:
    """The heading of a frame of AF_PACKET or of a raw socket, without a text for any other."""
    spoken = session.spoken(frame)
    if spoken is None or spoken[1].name not in ("raw", "dgram") or frame.event:
        return Heading()
    if spoken[0].constant == "AF_PACKET":
        peer = session.peers.get(frame.peer)
        return Heading() if peer is None else heading(spoken[1].name, frame.payload, peer.address)
    if not has_headings(f"{spoken[0].name}/{spoken[1].name}"):
        return Heading()
    return heading_of_packet(frame.payload, frame.length)


def has_headings(path: str) -> bool:
    """Whether rows of a FAMILY/PROTOCOL may have a heading."""
    return path in ("packet/raw", "packet/dgram", "inet/raw", "inet6/raw", "divert/raw")
