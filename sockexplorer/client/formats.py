"""The forms in which frames leave the program as text: each frame as lines, by the name of the format."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from sockexplorer.capture import source_text
from sockexplorer.client import rows, trees
from sockexplorer.core.text import escape

if TYPE_CHECKING:
    from sockexplorer.capture.log import Frame
    from sockexplorer.client.opened import Opened
    from sockexplorer.client.session import Session

PCAPNG = "pcapng"
TEXTS: dict[str, str] = {
    "jsonl": "a JSON object a line, with everything that is known",
    "text": "a line for people: time, peer, length, what it says",
    "hexdump": "a line for people, and a hex dump below",
    "hex": "the bytes as hex digits, for xxd -r -p",
    "python": "the bytes as a literal of Python",
    "c": "the bytes as an array of C",
}
"""What each format makes of a frame."""
SOURCES = ("python", "c")
"""Those that define a name for each frame."""
ENDINGS = {
    ".pcapng": PCAPNG, ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".txt": "text", ".log": "text",
    ".hexdump": "hexdump", ".hex": "hex", ".py": "python", ".c": "c", ".h": "c",
}  # fmt: skip
"""Of a file's name, and the format that each asks for; the first of a format is its usual one."""


def by_ending(name: str) -> str | None:
    """The format that the ending of a file's name asks for, None where it asks for none."""
    return ENDINGS.get(PurePath(name).suffix.lower())


def with_ending(name: str, kind: str) -> str:
    """The name with the usual ending of a format, instead of one that asks for another."""
    if by_ending(name) == kind:
        return name
    stem = name[: -len(PurePath(name).suffix)] if by_ending(name) else name
    return stem + next(ending for ending, each in ENDINGS.items() if each == kind)


def as_lines(
    kind: str, session: Session | Opened, frame: Frame, number: int | None = None, width: int | None = None, *,
    fields: bool = False,
) -> str:  # fmt: skip
    """The frame in one of the `TEXTS` formats, each line with its end.

    ``number`` is told instead of the frame's own; a line for people is cut to ``width`` cells; ``fields`` has
    those for people, and JSON, tell what decoders read.
    """
    if number is None:
        number = frame.number
    if kind == "jsonl":
        told = trees.as_value(trees.tree_of(session, frame)) if fields else None
        return rows.as_json(number, session, frame, told) + "\n"
    if kind in ("text", "hexdump"):
        lines = [rows.as_text(session, frame, width)]
        if fields:
            lines += trees.as_lines(trees.tree_of(session, frame))
        if kind == "hexdump":
            lines += rows.dump(frame)
        return "".join(f"{line}\n" for line in lines)
    if kind == "hex":
        return frame.payload.hex() + "\n"
    who = rows.peer_literal(session, frame) or "-"
    words = [rows.stamp(frame.time), frame.meta.get("socket", ""), "to" if frame.outgoing else "from", who]
    heading = escape(" ".join(each for each in words if each))
    return (source_text.as_python if kind == "python" else source_text.as_c)(number, frame.payload, heading)
