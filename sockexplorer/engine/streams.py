"""Reading streams: a row for each read, of as many bytes as came, up to a bound.

What comes in bulk goes from the socket to the spool without passing through this process (splice(2)). That loses
ancillary data without a word, so of a UNIX stream only those bytes go this way that certainly have none.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import socket
import struct
import termios
import time
from array import array
from itertools import starmap
from types import TracebackType

from sockexplorer.core.constants import number
from sockexplorer.core.frames import Flag
from sockexplorer.engine import ancillary, recvmmsg
from sockexplorer.engine.spool import Spool
from sockexplorer.engine.stream_rows import MOST, MOST_OF_ROW, MOST_OF_WINDOW, StreamRows

LARGE = 32 * 1024
"""Bytes of a read that get a block of their own."""
WAIT_SECONDS = 0.002
TURN_SECONDS = 0.01
"""How long one stream may keep the others waiting."""
ENOUGH = 512 * 1024
"""Bytes of a TCP stream that are worth a wake-up in the midst of much. To wake is the work of a sender on this host:
who has to do it for each segment sends at half the rate."""
REFUSED = {errno.ENOSYS, errno.EPERM, errno.EINVAL}
"""How splice(2) fails where a kernel has none, or a sandbox allows none."""
_NO_DESCRIPTORS = b"\nscm_fds: 0\n"
_TIMEVALS = {8: struct.Struct("=ii"), 16: struct.Struct("=qq")}
"""By their size: where ``long`` has 32 bits it depends on the C library which of the two SO_RCVTIMEO stands for."""
_CREDENTIALS = "SO_PASSCRED", "SO_PASSPIDFD", "SO_PASSSEC"


class Unaccompanied:
    """Tells how many bytes of a UNIX stream have no ancillary data with them. A context manager, for one turn.

    The kernel tells how many descriptors a queue holds (``scm_fds`` in proc_pid_fdinfo(5), Linux 5.7). It counts those
    of a write before its bytes can be read: bytes that waited before it said none have none.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._told = -1
        self._number = sock.fileno()
        self._count = array("i", [0])

    def __enter__(self) -> Unaccompanied:
        with contextlib.suppress(OSError):
            if not any(map(self._has, _CREDENTIALS)):
                self._told = os.open(f"/proc/self/fdinfo/{self._number}", os.O_RDONLY | os.O_CLOEXEC)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._told >= 0:
            os.close(self._told)

    def waiting(self) -> int:
        """Bytes that wait and have nothing with them; 0 where that can't be known."""
        if self._told < 0:
            return 0
        try:
            fcntl.ioctl(self._number, termios.FIONREAD, self._count)
            return self._count[0] if _NO_DESCRIPTORS in os.pread(self._told, 512, 0) else 0
        except OSError:
            return 0

    def _has(self, option: str) -> bool:
        try:
            return bool(self._sock.getsockopt(socket.SOL_SOCKET, number(option)))
        except OSError:  # an older kernel, which has no such option
            return False


class Gathering:
    """Has the kernel gather what a TCP socket gets, for one turn: a read of it waits for `ENOUGH` bytes at a time
    (SO_RCVLOWAT), and for `WAIT_SECONDS` (SO_RCVTIMEO), see socket(7). A context manager.

    The kernel counts that time in ticks, of 1 to 10 ms: where nothing comes it is up to two more.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._least = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT)
        self._timeout = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, max(_TIMEVALS))

    def __enter__(self) -> None:
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, max(self._least, ENOUGH))
        wait = _TIMEVALS[len(self._timeout)].pack(0, int(WAIT_SECONDS * 1e6))
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, wait)
        # Of the descriptor, where Python goes on to ask once.
        os.set_blocking(self._sock.fileno(), True)

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        os.set_blocking(self._sock.fileno(), False)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, self._timeout)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, self._least)


class StreamReader:
    """Reads one stream, whose peer is always the same.

    ``ancillary_data`` is whether there may be some; ``bulk`` whether its bytes may be spliced where there is none.
    ``rows`` are those of its session, which closes them.
    """

    def __init__(
        self, sock: socket.socket, spool: Spool, rows: StreamRows, peer: int, *, ancillary_data: bool, bulk: bool
    ) -> None:
        self.sock = sock
        self.spool = spool
        self.rows = rows
        self.peer = peer
        self._control_bytes = 2048 if ancillary_data else 0
        self._bulk = bulk and spool.whole and hasattr(os, "splice")
        self._gathers = self._bulk and not ancillary_data
        """Whether it is a TCP stream whose bytes may come in bulk."""
        self._buffer = rows.buffer
        self._waiting = array("i", [0])
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self._much = False
        """Whether the last read was a large one: more may be on its way."""

    def read(self, alone: bool = True) -> bool:
        """Take what waits, within bounds. False at the end of the stream. Raises OSError.

        ``alone`` is whether nobody else waits meanwhile, so that there is time for more to come.
        """
        # Only what lasts longer than a turn: at the end of a short burst to gather would wait in vain.
        flood = self._much and self._gathers and alone
        if not self._much:
            try:
                length = self._receive(self._buffer)
            except (BlockingIOError, InterruptedError):
                return True
            if length < LARGE:
                return length > 0
        if self._control_bytes:
            with Unaccompanied(self.sock) as unaccompanied:
                return self._read_much(unaccompanied, alone)
        if flood:
            with Gathering(self.sock):
                return self._read_much(None, False)
        return self._read_much(None, alone)

    def _read_much(self, unaccompanied: Unaccompanied | None, wait: bool) -> bool:
        """Read on until no more comes, with ``wait`` for a moment, or others have waited long enough.

        Returns and raises as `read`.
        """
        until = time.monotonic() + TURN_SECONDS
        while True:
            try:
                length = self._take(unaccompanied)
            except (BlockingIOError, InterruptedError):
                # In the midst of much the next comes sooner than the engine has looked at everything else.
                self._much = wait and bool(self._poll.poll(WAIT_SECONDS * 1000))
                if not self._much:
                    return True
                length = LARGE
            if length < LARGE:
                return length > 0
            if time.monotonic() >= until:
                # The sender of a TCP stream does the network's work as well, and needs the other processor for that.
                if self._bulk and not self._gathers:
                    self.spool.hurry()
                return True

    def _take(self, unaccompanied: Unaccompanied | None) -> int:
        """Take much at once, in the way that costs least; its bytes. Raises OSError."""
        if self._bulk and self.spool.at_hand and (window := self._window()) is not None:
            with window:
                return self._receive(window)
        at_most = MOST if unaccompanied is None else unaccompanied.waiting()
        if not at_most or not self._bulk:
            return self._receive(self._buffer)
        try:
            length = self.rows.splice(self.sock.fileno(), self.peer, at_most)
        except OSError as error:
            if error.errno not in REFUSED:
                raise
            self._bulk = self._gathers = False
            return self._receive(self._buffer)
        self._much = length >= LARGE
        # Urgent data stops a splice as the end does, and no other call.
        return length or self._receive(self._buffer)

    def _window(self) -> memoryview | None:
        """Memory of the spool for what waits, or for as much as may come; None where none is at hand."""
        if self._gathers:
            return self.rows.window(MOST_OF_WINDOW)
        with contextlib.suppress(OSError):
            fcntl.ioctl(self.sock.fileno(), termios.FIONREAD, self._waiting)
        return self.rows.window(max(LARGE, self._waiting[0]))

    def _receive(self, into: bytearray | memoryview) -> int:
        """Read once, into the buffer or into a window of the spool. Raises OSError."""
        if self._control_bytes:
            length, messages, raw_flags, _ = self.sock.recvmsg_into(
                [into], self._control_bytes, recvmmsg.MSG_CMSG_CLOEXEC
            )
            meta = ancillary.read(starmap(_control, messages)).meta
        else:
            # While the kernel gathers, a window is filled in one call.
            flags = socket.MSG_WAITALL if into is not self._buffer else 0
            length, raw_flags, meta = self.sock.recv_into(into, 0, flags), 0, {}
        self._much = length >= LARGE
        flags = int(Flag.CONTROL_TRUNCATED) if raw_flags & recvmmsg.MSG_CTRUNC else 0
        if self._much and not meta and not flags:
            if into is self._buffer:
                self.rows.add(memoryview(into)[:length], self.peer)
            else:
                self.rows.filled(length, self.peer)
        elif length:
            data = bytes(memoryview(into)[:length])
            self.spool.add(data[:MOST_OF_ROW], flags, self.peer, meta=meta)
            if len(data) > MOST_OF_ROW:
                self.rows.add(data[MOST_OF_ROW:], self.peer)
        return length


def _control(level: int, kind: int, data: bytes) -> ancillary.Control:
    return level, kind, data
