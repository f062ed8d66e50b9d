"""What tshark reads in payloads: every field with its name, its place and its value, from its PDML.

The payloads are written by the project's own recording; places are in the payload, header of the link type aside.
"""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from support import PATIENCE

from sockexplorer.capture.link_types import Origin
from sockexplorer.capture.log import Frame
from sockexplorer.capture.recording import Recording
from sockexplorer.capture.sink import FileSink
from sockexplorer.core.frames import Flag


class Seen(NamedTuple):
    """A field as tshark shows it; ``start`` up to ``end`` are its bytes, ``said`` the line that a person reads."""

    name: str
    start: int
    end: int
    show: str
    children: tuple[Seen, ...]
    said: str

    def walk(self) -> Iterator[Seen]:
        """It, and all beneath it."""
        yield self
        for each in self.children:
            yield from each.walk()

    @property
    def number(self) -> int | None:
        """The number that it shows, None where it is none."""
        if self.show in ("True", "False"):
            return int(self.show == "True")
        try:
            return int(self.show, 0)
        except ValueError:
            return None


class Sent(NamedTuple):
    """A payload to be read by both."""

    origin: Origin
    peer: object
    payload: bytes
    outgoing: bool = False


def read(path: Path, frames: Sequence[Sent], header: int, *options: str) -> list[list[Seen]]:
    """The fields of each frame. ``header`` is how many bytes the link type has ahead of the payload."""
    sink = FileSink(path)
    recording = Recording(sink)
    for number, each in enumerate(frames):
        flags = int(Flag.OUT) if each.outgoing else 0
        frame = Frame(number, 1_700_000_000_000_000_000, len(each.payload), 1, flags, each.payload, {})
        recording.add(each.origin.path, each.origin, frame, each.peer, repr(each.peer))
    recording.flush()
    sink.close()
    command = ["tshark", "-r", str(path), "-T", "pdml", *options]
    done = subprocess.run(command, capture_output=True, timeout=3 * PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    packets = ElementTree.fromstring(done.stdout).findall("packet")
    assert len(packets) == len(frames)
    return [
        [
            field
            for proto in packet
            if proto.get("name") not in ("geninfo", "frame")
            for field in _seen(proto, header).walk()
        ]
        for packet in packets
    ]


def _seen(element: ElementTree.Element, header: int) -> Seen:
    start = int(element.get("pos") or 0) - header
    end = start + int(element.get("size") or 0)
    children = tuple(_seen(each, header) for each in element)
    show, said = element.get("show") or "", element.get("showname") or ""
    return Seen(element.get("name") or "", start, end, show, children, said)
