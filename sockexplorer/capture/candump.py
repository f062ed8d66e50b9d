"""Reading logs of ``candump -L``: ``(1436509052.249713) vcan0 123#DEADBEEF``, a line a frame.

With ``-x`` a line ends with T or R; with ``-d`` there are lines that say how many frames a socket has dropped. Editors
put a byte order mark at the beginning, and leave out the end of the last line; people add empty lines, and comments
that begin with ``#``. Source: candump.c, and snprintf_canframe() in lib.c, of can-utils.
"""

from __future__ import annotations

import re
import struct
import sys
from collections.abc import Iterator

from sockexplorer.capture.link_types import SOCKETCAN
from sockexplorer.capture.reading import Drops, Interface, Record, Torn, Window, sane
from sockexplorer.core import canframes
from sockexplorer.core.payload import PayloadError

LONGEST_LINE = 8192
MARK = b"\xef\xbb\xbf"
"""The byte order mark in UTF-8. Files that were joined may have it at the beginning of any line."""
STARTS = (b"(", b"#", b"\n", b"\r", b" ", b"\t", b"D")
"""What a log may begin with: a frame, a comment, an empty line, a count of drops."""
ENDLESS = "the line has no end: the frame may have been longer"
"""The comment on a frame whose line may have been cut where what is left still reads as a frame."""
MOST_INTERFACES = 4096
LINE = re.compile(r"\((\d{1,12})\.(\d{6}|\d{9})\)\s+(\S{1,15})\s+([0-9A-Fa-f]+#[0-9A-Fa-fRr.:#_]*)(?:\s+([TR]))?\s*")
DROPPED = re.compile(
    r"DROPCOUNT: dropped -?\d{1,10} CAN frames? on '([^']{1,100})' socket \(total drops (-?\d{1,10})\)\s*"
)
"""The name is that of an interface, in older versions with its filters; the total is one of 32 bits."""
_CLASSIC = re.compile(r"([0-7][0-9A-Fa-f]{2}|[01][0-9A-Fa-f]{7})#((?:[0-9A-Fa-f]{2}){0,8})")
"""What nearly every line has; all else is told apart with more care."""
_ERROR = re.compile(r"([23][0-9A-Fa-f]{7})#([0-9A-Fa-f.]*)")
_XL = re.compile(
    r"([0-9A-Fa-f]{2})?([0-7][0-9A-Fa-f]{2})#([0-9A-Fa-f]{2}):([0-9A-Fa-f]{2}):([0-9A-Fa-f]{8})#([0-9A-Fa-f.]*)"
)
"""``45123#81:00:12345678#11223344``: virtual network and priority, flags, type of the data, acceptance field, data."""
LONGEST_XL = 2048


def may_begin(magic: bytes) -> bool:
    """Whether a capture whose first four bytes are these may be such a log: then `first_line` tells."""
    return magic.removeprefix(MARK)[:1] in STARTS


def first_line(window: Window) -> bytes:
    """The first line that is neither empty nor a comment, without taking it; b"" where none begins soon enough.

    It has no end where the capture ends within it, or it is too long.
    """
    size = 0
    while size < LONGEST_LINE:
        line = window.peek_line(LONGEST_LINE, size)
        if not line or not (line.endswith(b"\n") and _says_nothing(line.removeprefix(MARK))):
            return line.removeprefix(MARK)
        size += len(line)
    return b""


def begins(line: bytes) -> bool:
    """Whether a capture whose first line, of those that say something, is this is such a log."""
    text = line.decode("latin-1")
    return (LINE.fullmatch(text) or DROPPED.fullmatch(text)) is not None


def records(window: Window, drops: Drops, *, final: bool = True) -> Iterator[Record]:
    """The frames. Raises `CaptureError` for a line that is none, `Torn` for a last line without its end that is none.

    Unless it is ``final``, more may come: then every last line without its end is torn.
    """
    interfaces: dict[str, Interface] = {}
    while window.more():
        line = window.line(LONGEST_LINE).removeprefix(MARK)
        endless = not line.endswith(b"\n") and not window.peek(1)
        if _says_nothing(line) and (final or not endless):
            continue
        text = line.decode("latin-1")
        found = LINE.fullmatch(text)
        if endless and not (final and (found or DROPPED.fullmatch(text))):
            raise Torn(window.record, "the last line has no end")
        if found is None and (told := DROPPED.fullmatch(text)) and len(drops) < MOST_INTERFACES:
            _count(drops, Interface(SOCKETCAN, told[1].partition(",")[0]), int(told[2]) & 0xFFFFFFFF)
            continue
        if found is None:
            reason = "a line that is no frame of candump -L"
            raise window.damaged_or_zeros(reason) if line.endswith(b"\0") else window.damaged(reason)
        seconds, fraction, name, text, direction = found.groups()
        try:
            frame = _frame(text)
        except PayloadError as error:
            if endless:
                raise Torn(window.record, "the last line has no end") from None
            raise window.damaged(str(error)) from None
        if name not in interfaces and len(interfaces) >= MOST_INTERFACES:
            raise window.damaged(f"more than {MOST_INTERFACES} interfaces")
        interface = interfaces.setdefault(name, Interface(SOCKETCAN, name))
        data = frame[:4][:: -1 if sys.byteorder == "little" else 1] + frame[4:]
        time = sane(int(seconds) * 1_000_000_000 + int(fraction.ljust(9, "0")))
        comments = (ENDLESS,) if endless else ()
        yield Record(interface, time, len(data), data, {"T": True, "R": False}.get(direction), comments)


def _says_nothing(line: bytes) -> bool:
    """Whether it is an empty line or a comment."""
    return line.strip()[:1] in (b"", b"#")


def _count(drops: Drops, interface: Interface, total: int) -> None:
    key = next((key for key, (each, _) in drops.items() if each == interface), (0, len(drops)))
    drops[key] = interface, total


def _frame(text: str) -> bytes:
    if classic := _CLASSIC.fullmatch(text):
        digits, data = classic[1], bytes.fromhex(classic[2])
        can_id = int(digits, 16) | (canframes.EFF if len(digits) == 8 else 0)
        return canframes.HEAD.pack(can_id, len(data), 0, 0, 0) + data.ljust(8, b"\0")
    if error := _ERROR.fullmatch(text):
        # Error frames are written with their flag in the id.
        return struct.pack("=I", int(error[1], 16)) + canframes.read_frame(f"000#{error[2]}")[4:]
    if xl := _XL.fullmatch(text):
        return _xl(*xl.groups())
    frame = canframes.read_frame(text)
    if len(frame) == canframes.FD:
        return frame[:5] + bytes((frame[5] | canframes.FDF,)) + frame[6:]
    return frame


def _xl(network: str | None, *rest: str) -> bytes:
    priority, flags, kind, acceptance, digits = rest
    try:
        data = bytes.fromhex(digits.replace(".", ""))
    except ValueError:
        raise PayloadError(f"{digits!r} are no bytes: two hexadecimal digits make one") from None
    if not int(flags, 16) & canframes.XLF or not 1 <= len(data) <= LONGEST_XL:
        raise PayloadError(f"a frame of CAN XL has the flag 80 and 1 to {LONGEST_XL} bytes")
    head = int(network or "0", 16) << 16 | int(priority, 16)
    return canframes.XL_HEAD.pack(head, int(flags, 16), int(kind, 16), len(data), int(acceptance, 16)) + data
