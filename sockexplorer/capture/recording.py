"""Frames of sessions, recorded as pcapng: what a session says of a frame becomes blocks, and those go out by batch.

What a frame's header has no place for is in its comments, one each, which Wireshark shows and `said` reads back:

    peer: '/tmp/x.sock'             the peer's address as a Python literal
    ancillary: {"IP_TTL": 64}       what came beside the payload, as JSON
    flags: CONTROL_TRUNCATED OWN    members of `Flag`
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from sockexplorer import __version__
from sockexplorer.capture import bulk, pcapng
from sockexplorer.capture.block import Block
from sockexplorer.capture.bulk import Made, Template, Whole
from sockexplorer.capture.link_types import ETHERNET, ETHERNET_HEADER, Origin, told_by, unwrap, wrap
from sockexplorer.capture.log import Frame
from sockexplorer.capture.sink import Full, Sink, size
from sockexplorer.core.frames import Flag

PEER, ANCILLARY, FLAGS = "peer: ", "ancillary: ", "flags: "
ELSEWHERE = ("peer", "event", "text", "failure", "socket")
"""Metadata that has a place of its own."""
# Plain numbers: combining members of an IntFlag costs more than all the rest of a frame.
TOLD = int(Flag.CONTROL_TRUNCATED | Flag.END | Flag.LOCAL | Flag.OWN)
TRUNCATED = int(Flag.TRUNCATED)
PLAIN = {0, int(Flag.OUT)}
"""Flags of frames that a header and a direction tell all of."""
MOST_TEMPLATES = 4096
MOST_OF_PACKET = 262_144
"""Bytes of one packet: Wireshark reads no further in a file that has one with more (WTAP_MAX_PACKET_SIZE_STANDARD)."""
MOST_AHEAD = 4096
"""Bytes ahead of a payload, which name addresses and a protocol, at most."""
HELD_BYTES = 2**20
"""Bytes of blocks after which `Recording.add` writes them out, flushed or not."""


class Said(NamedTuple):
    """What the comments of a frame say: the peer's literal, metadata, flags, and comments of other people's."""

    peer: str | None
    meta: dict[str, Any]
    flags: int
    rest: tuple[str, ...]


def comments(frame: Frame, peer: str | None, evident: str | None) -> list[str]:
    """The comments that a frame needs. ``evident`` is the peer that its header tells already."""
    said = [] if peer in (None, "None") or peer == evident else [PEER + str(peer)]
    if frame.meta and (meta := {key: value for key, value in frame.meta.items() if key not in ELSEWHERE}):
        said.append(ANCILLARY + json.dumps(meta))
    flags = frame.flags & TOLD
    if frame.flags & TRUNCATED and frame.length <= len(frame.payload):
        flags |= TRUNCATED
    if flags:
        said.append(FLAGS + " ".join(str(each.name) for each in Flag(flags)))
    return said


def said(told: Iterable[str]) -> Said:
    """The reverse of `comments`. Never raises: what was not written so is somebody's own comment."""
    peer, meta, flags, rest = None, dict[str, Any](), 0, []
    for each in told:
        if each.startswith(PEER):
            peer = each[len(PEER) :]
        elif each.startswith(ANCILLARY) and (found := _object(each[len(ANCILLARY) :])):
            meta |= found
        elif each.startswith(FLAGS) and all(name in Flag.__members__ for name in each[len(FLAGS) :].split()):
            for name in each[len(FLAGS) :].split():
                flags |= Flag[name]
        else:
            rest.append(each)
    return Said(peer, meta, flags, tuple(rest))


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


@lru_cache(maxsize=256)
def _evident(link_type: int, header: bytes, outgoing: bool, path: str, interface: str) -> str | None:
    """The peer that a frame with this header tells already."""
    return unwrap(link_type, header + bytes(64), outgoing=outgoing, path=path, interface=interface).peer


class Recording:
    """Frames of any number of sessions on their way to one ``sink``, which takes whole blocks and may raise `Full`.

    The section's first block is written at once.
    """

    def __init__(self, sink: Sink, comments: Iterable[str] = ()) -> None:
        """``comments`` are about the whole recording."""
        self._sink = sink
        self._blocks: list[Whole] = []
        self._frames: list[int] = []
        """How many frames each of the blocks that wait has."""
        self._templates: dict[object, Template] = {}
        self._made = Made(self.flush)
        self._held = 0
        self._interfaces: dict[tuple[object, int, str], int] = {}
        self._counted: dict[object, int] = {}
        """The dropped frames that were told of, by session."""
        self._received: dict[object, int] = {}
        self.written = 0
        """Frames that the sink has taken."""
        self._time = 0
        application = f"{pcapng.APPLICATION} {__version__}"
        self._put(pcapng.section(application, f"{platform.system()} {platform.release()}", comments))
        self.flush()

    @property
    def waiting(self) -> int:
        """Frames that were added and not yet written."""
        return sum(self._frames)

    def add(
        self, key: object, origin: Origin, frame: Frame, peer: object, literal: str | None, description: str = ""
    ) -> None:
        """Record a frame. ``key`` tells sessions apart; ``peer`` is the address that it came from or goes to.

        Raises `Full` when it has to write what was held and can't.
        """
        outgoing = frame.outgoing
        number, header, replaced, evident = self._wrap(key, origin, peer, frame.payload, outgoing, description)
        payload = frame.payload[replaced:] if replaced else frame.payload
        length = frame.length + len(header) - replaced
        told = comments(frame, literal, evident)
        room = MOST_OF_PACKET - len(header)
        if len(payload) > room:
            told.append(f"{len(payload) - room} bytes more than a packet may have were left out")
            payload = payload[:room]
        parts = (header, payload)
        self._put(pcapng.packet(number, frame.time, parts, length, outgoing, told), frames=1)
        self._count(key, 1, frame.time)

    def add_block(
        self, key: object, origin: Origin, block: Block, who: Callable[[int], tuple[object, str | None]],
        description: str = "",
    ) -> bool:  # fmt: skip
        """Record all rows of a block at once; False where they have to be added one by one, and nothing was recorded.

        ``who`` gives the address and the literal of a peer's number. The payloads of a ``long`` block are where the
        log has them until the next `flush`, which has to come before the log lets go of them. Raises as `add`.
        """
        start, frames = told_by(origin), block.last - block.first
        if start is None or not set(block.flags) <= PLAIN or ((block.long or block.even is None) and block.cut):
            return False
        if max(block.lengths) > MOST_OF_PACKET - MOST_AHEAD:
            return False

        def template(peer: int, flags: int, start: bytes) -> Template:
            return self._template(key, origin, who, peer, flags, start, description)

        runs = self._made.runs(block, template, start)
        if runs is None:
            self._put(bulk.mixed(block, template, start), frames=frames)
        else:
            for run, count in runs:
                self._put(run, frames=count)
        self._count(key, frames, block.times[frames - 1])
        return True

    def _template(
        self, key: object, origin: Origin, who: Callable[[int], tuple[object, str | None]], peer: int, flags: int,
        start: bytes, description: str,
    ) -> Template:  # fmt: skip
        known = self._templates.get((key, origin, peer, flags, start))
        if known is not None:
            return known
        address, literal = who(peer)
        outgoing = bool(flags & Flag.OUT)
        number, header, _, evident = self._wrap(key, origin, address, start, outgoing, description)
        told = comments(Frame(0, 0, 0, peer, flags, b"", {}), literal, evident)
        if len(self._templates) >= MOST_TEMPLATES:
            self._templates.clear()
        template = Template(number, header, pcapng.packet_options(outgoing, told))
        self._templates[key, origin, peer, flags, start] = template
        return template

    def _wrap(
        self, key: object, origin: Origin, peer: object, payload: bytes, outgoing: bool, description: str
    ) -> tuple[int, bytes, int, str | None]:
        """The number of a frame's interface, its header, what that replaces, and the peer that it tells."""
        link_type, header, replaced = wrap(origin, peer, payload, outgoing=outgoing)
        interface = ""
        if origin.family in ("packet", "can") and isinstance(peer, tuple) and peer and isinstance(peer[0], str):
            interface = peer[0]
        number = self._interfaces.get((key, link_type, interface))
        if number is None:
            number = self._interfaces[key, link_type, interface] = len(self._interfaces)
            self._put(pcapng.interface(link_type, origin.path, interface or description))
        # A CAN frame's header is its id, of which there are many, and tells nothing of the peer.
        shown = b"" if replaced else payload[:ETHERNET_HEADER] if link_type == ETHERNET else header
        return number, header, replaced, _evident(link_type, shown, outgoing, origin.path, interface)

    def _count(self, key: object, frames: int, time: int) -> None:
        self._received[key] = self._received.get(key, 0) + frames
        self._time = max(self._time, time)
        if self._held >= HELD_BYTES:
            self.flush()

    def dropped(self, key: object, count: int, *, last: bool = False) -> None:
        """Record how many frames of a session the kernel dropped so far; written when it has changed, or at last."""
        number = min((number for (each, *_), number in self._interfaces.items() if each == key), default=None)
        if number is not None and (last or count != self._counted.get(key, 0)):
            self._counted[key] = count
            self._put(pcapng.statistics(number, self._time, self._received.get(key, 0), count))

    def flush(self) -> None:
        """Write what is held, as one batch. Raises `Full`, or what the sink raises; then nothing is held any more."""
        blocks, frames = self._blocks, self._frames
        self._blocks, self._frames, self._held = [], [], 0
        if not blocks:
            return
        try:
            self._sink(blocks)
        except Full as full:
            self.written += sum(frames[: full.kept]) + full.more
            full.frames = self.written
            raise
        finally:
            self._made.reset()
        self.written += sum(frames)

    def _put(self, block: Whole, *, frames: int = 0) -> None:
        self._blocks.append(block)
        self._frames.append(frames)
        self._held += size(block)
