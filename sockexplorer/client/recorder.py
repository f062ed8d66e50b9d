"""Sessions recorded to a capture file: who said what, from what the hub knows of them."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterable

from sockexplorer.capture.block import Block
from sockexplorer.capture.link_types import Origin
from sockexplorer.capture.log import Frame
from sockexplorer.capture.recording import Recording
from sockexplorer.capture.sink import Sink
from sockexplorer.client.session import Session


class Recorder:
    """A `Recording` of sessions. Everything raises `capture.sink.Full` when the file takes no more."""

    def __init__(self, sink: Sink, comments: Iterable[str] = ()) -> None:
        """``comments`` are about the whole recording."""
        self.recording = Recording(sink, comments)
        self._origins: dict[int, tuple[Origin, str]] = {}
        """What a session's frames have in common, and its title, by its number."""

    def add(self, session: Session, frame: Frame) -> None:
        """Record a frame of a session, with the next `flush` at the latest. Events are left out."""
        if frame.event:
            return
        peer = session.peers.get(frame.peer)
        literal = str(frame.meta["peer"]) if "peer" in frame.meta else None
        address = session.endpoint.remote if session.endpoint.operation == "connect" else None
        if peer is not None:
            address, literal = peer.address, peer.literal
        elif literal is not None:
            with contextlib.suppress(ValueError, SyntaxError):
                address = ast.literal_eval(literal)
        origin, title = self._origin(session)
        self.recording.add(session.number, origin, frame, address, literal, title)

    def add_block(self, session: Session, block: Block) -> bool:
        """Record all rows of a block of the session's log at once; False where they have to be added one by one."""
        remote = session.endpoint.remote if session.endpoint.operation == "connect" else None

        def who(number: int) -> tuple[object, str | None]:
            peer = session.peers.get(number)
            return (remote, None) if peer is None else (peer.address, peer.literal)

        origin, title = self._origin(session)
        return self.recording.add_block(session.number, origin, block, who, title)

    def flush(self, *sessions: Session, last: bool = False) -> None:
        """Write what waits, and what the kernel has dropped of these sessions' frames."""
        for session in sessions:
            self.recording.dropped(session.number, session.drops, last=last)
        self.recording.flush()

    def _origin(self, session: Session) -> tuple[Origin, str]:
        local = session.endpoint.local if session.local is None else session.local
        known = self._origins.get(session.number)
        if known is None or known[0].local != local:
            proto = session.endpoint.proto
            number = session.protocol.proto_number if proto is None else proto
            origin = Origin(f"{session.family.name}/{session.protocol.name}", number, local)
            known = self._origins[session.number] = origin, session.title
        return known
