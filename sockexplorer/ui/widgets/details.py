"""What is known of one frame: facts beside a hex dump."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from sockexplorer.capture.log import Frame
from sockexplorer.client.hub import Session
from sockexplorer.core.frames import Flag
from sockexplorer.core.text import escape
from sockexplorer.decoders import decode
from sockexplorer.ui.clock import clock
from sockexplorer.ui.widgets.hexdump import HexDump


class Details(Horizontal):
    """Facts on the left, bytes on the right."""

    def __init__(self) -> None:
        super().__init__(id="details")

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="facts-scroll"):
            yield Static(id="facts")
        yield HexDump()

    def show(self, frame: Frame | None, session: Session | None) -> None:
        """Show a frame of a session, or nothing."""
        facts, dump = self.query_one("#facts", Static), self.query_one(HexDump)
        if frame is None or session is None:
            facts.update("")
            dump.data = b""
            return
        facts.update(Content("\n").join(_facts(frame, session)))
        dump.display = not frame.event
        if dump.data != frame.payload:
            dump.data = frame.payload


def _facts(frame: Frame, session: Session) -> list[Content]:
    lines = [_fact("frame", f"{frame.number}   {_direction(frame)}"), _fact("time", clock(frame.time, 9))]
    peer = session.peers.get(frame.peer)
    if peer is not None:
        lines.append(_fact("peer", escape(peer.literal)))
    elif "peer" in frame.meta:
        lines.append(_fact("peer", escape(str(frame.meta["peer"]))))
    kept = len(frame.payload)
    lines.append(_fact("length", f"{frame.length}" + (f", {kept} kept" if kept != frame.length else "")))
    if frame.flags & Flag.TRUNCATED:
        lines.append(_warn("MSG_TRUNC: the message was longer than the buffer"))
    if frame.flags & Flag.CONTROL_TRUNCATED:
        lines.append(_warn("MSG_CTRUNC: ancillary data was lost"))
    if frame.flags & Flag.OWN:
        lines.append(_fact("MSG_CONFIRM", "this socket sent it: the frame is on the bus"))
    elif frame.flags & Flag.LOCAL:
        lines.append(_fact("MSG_DONTROUTE", "it was sent on this host"))
    for key, value in frame.meta.items():
        if key == "descriptors" and isinstance(value, list):
            lines += [_fact("received", f"{escape(str(each))} (closed)") for each in value]
        elif key == "credentials" and isinstance(value, dict):
            lines.append(_fact("sender", " ".join(f"{name} {number}" for name, number in value.items())))
        elif key == "failure" and isinstance(value, dict):
            lines.append(_fact("means", escape(str(value.get("what", "")))))
            lines += [Content.assemble(("▸ ", "$text-accent"), escape(str(fix))) for fix in value.get("fixes", ())]
        elif key not in ("event", "connection", "peer"):
            lines.append(_fact(escape(key), escape(str(value))))
    if not frame.event:
        tree = decode(session.family.constant, session.protocol.name, frame.payload, session.service(frame))
        lines += [_fact("  " * depth + escape(node.name), escape(node.value)) for depth, node in tree.walk()]
    return lines


def _direction(frame: Frame) -> str:
    if frame.event:
        return escape(frame.event)
    return "→ sent" if frame.outgoing else "← received"


def _fact(name: str, value: str) -> Content:
    return Content.assemble((f"{name:<9} ", "$foreground-muted"), value)


def _warn(text: str) -> Content:
    return Content.styled(f"⚠ {text}", "$text-warning")
