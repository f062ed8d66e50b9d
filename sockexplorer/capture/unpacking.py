"""Captures that gzip compressed, unpacked as their bytes come and as they are asked for: memory holds one piece.

Source: RFC 1952; a file may be several members one after the other, and zeros behind them, as gzip(1) reads it.
"""

from __future__ import annotations

import zlib
from pathlib import Path

from sockexplorer.capture.reading import CaptureError, Torn, Window, kind_of

MAGIC = b"\x1f\x8b"
PIECE = 65536
GZIP_WINDOW = 31
"""The ``wbits`` of zlib for a member with its header and trailer."""


def is_packed(path: Path) -> bool:
    """Whether a regular file begins as gzip does. Raises OSError."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


class Unpacking:
    """Takes the bytes of a file, of any, with `feed`; gives what they hold with `take`.

    What does not begin as gzip does is given as it is.
    """

    def __init__(self) -> None:
        self.packed: bool | None = None
        """Whether it is compressed, None where too little came to tell."""
        self.fault: CaptureError | None = None
        """Why not all could be unpacked, at which byte of what was fed: `Torn` where the rest is missing."""
        self._fed = b""
        """What was not unpacked yet."""
        self._offset = 0
        """How much was fed before it."""
        self._over = False
        self._more = False
        """Whether the member may have more to give although nothing is fed."""
        self._member = zlib.decompressobj(GZIP_WINDOW)

    def feed(self, data: bytes) -> None:
        """Hand over what comes next, nothing at the end; once `take` gave nothing."""
        self._fed += data
        self._over = not data
        if self.packed is None and (self._over or len(self._fed) >= len(MAGIC)):
            self.packed = self._fed.startswith(MAGIC)

    def take(self, size: int) -> bytes:
        """The next bytes, at most so many; none where more has to be fed, or nothing more will come."""
        if not self.packed:
            part = b"" if self.packed is None else self._fed[:size]
            self._go_on_with(self._fed[len(part) :])
            return part
        while self.fault is None and (self._fed or self._more):
            if self._member.eof and not self._begin():
                break
            part = self._inflate(size)
            if part:
                return part
        if self._over and self.fault is None and not self._member.eof:
            self.fault = Torn(self._end, "the gzip data are not whole")
        return b""

    @property
    def done(self) -> int:
        """How many of the bytes that were fed were unpacked."""
        return self._offset

    @property
    def _end(self) -> int:
        return self._offset + len(self._fed)

    def _go_on_with(self, rest: bytes) -> None:
        self._offset, self._fed = self._end - len(rest), rest

    def _begin(self) -> bool:
        """Begin another member; False where none is there so far."""
        self._go_on_with(self._fed.lstrip(b"\0"))
        if self._fed.startswith(MAGIC):
            self._member = zlib.decompressobj(GZIP_WINDOW)
            return True
        if self._fed and (self._over or not MAGIC.startswith(self._fed)):
            self.fault = CaptureError(self._offset, "what follows the gzip data is something else")
        return False

    def _inflate(self, size: int) -> bytes:
        length, part = len(self._fed), None
        while part is None:
            before = self._member.copy()
            try:
                part = self._member.decompress(self._fed[:length], size)
            except zlib.error as error:
                # What comes ahead of the damage is lost with it: less is given, until nothing is left ahead of it.
                self._member = before
                if length <= 1:
                    reason = str(error).rpartition(": ")[2]
                    self.fault = CaptureError(self._offset, f"the gzip data are damaged: {reason}")
                    return b""
                length //= 2
        self._more = len(part) == size and not self._member.eof
        rest = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        self._go_on_with(rest + self._fed[length:])
        return part


def packed_kind(path: Path) -> str | None:
    """What kind of capture a compressed file holds, None for a file that is not compressed.

    Raises OSError, and `CaptureError` where it holds none.
    """
    if not is_packed(path):
        return None
    unpacking = Unpacking()
    with path.open("rb") as file:

        def read(size: int) -> bytes:
            while not (part := unpacking.take(size)) and unpacking.fault is None:
                unpacking.feed(data := file.read(PIECE))
                if not data:
                    return unpacking.take(size)
            return part

        try:
            return kind_of(Window(read))
        except CaptureError as error:
            raise unpacking.fault or error from None
