"""Reads many datagrams with one call: ``recvmmsg(2)`` through ctypes, into buffers that are made once.

Only for 64-bit little-endian Linux, whose ``struct mmsghdr`` this file spells out; `AVAILABLE` tells. Elsewhere
`sockexplorer.engine.reader` falls back to ``recvmsg_into``.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import sys

SLOTS = 256
NAME_BYTES = 128
"""``struct sockaddr_storage``."""
HEADER_BYTES = 64
# Offsets in struct mmsghdr, in 32-bit words.
NAME_LENGTH, CONTROL_LENGTH, FLAGS, LENGTH = 2, 10, 12, 14
WORDS = HEADER_BYTES // 4

MSG_DONTWAIT, MSG_TRUNC, MSG_CTRUNC, MSG_CMSG_CLOEXEC = 0x40, 0x20, 0x8, 0x40000000
MSG_DONTROUTE, MSG_CONFIRM = 0x4, 0x800


class Iovec(ctypes.Structure):
    """``struct iovec``."""

    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class Mmsghdr(ctypes.Structure):
    """``struct mmsghdr`` with its ``struct msghdr`` spelled out."""

    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("iov", ctypes.c_void_p),
        ("iov_length", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("padding", ctypes.c_uint32),
        ("length", ctypes.c_uint32),
    ]


def _find() -> ctypes._NamedFuncPointer | None:
    if sys.platform != "linux" or sys.byteorder != "little" or ctypes.sizeof(ctypes.c_void_p) != 8:
        return None
    if ctypes.sizeof(Mmsghdr) != HEADER_BYTES:
        return None
    try:
        function = ctypes.CDLL(None, use_errno=True).recvmmsg
    except (OSError, AttributeError):
        return None
    function.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p]
    function.restype = ctypes.c_int
    return function


_recvmmsg = _find()
AVAILABLE = _recvmmsg is not None


class Arena:
    """Buffers for one batch: ``SLOTS`` messages of at most ``slot`` bytes, with their names and ancillary data.

    After `receive`, message ``i`` has its bytes at ``data[i * slot:]``, its ``sockaddr`` at ``names[i * NAME_BYTES:]``,
    its ancillary data at ``control[i * control_bytes:]`` and its header at ``words[i * WORDS:]``. Memory is reserved
    only, and taken by pages that a message touches.
    """

    def __init__(self, slot: int, control_bytes: int = 512) -> None:
        self.slot = slot
        self.control_bytes = control_bytes
        self._map = mmap.mmap(-1, SLOTS * slot)
        self.data = memoryview(self._map)
        self._names = (ctypes.c_char * (SLOTS * NAME_BYTES))()
        self._control = (ctypes.c_uint64 * (SLOTS * control_bytes // 8))()
        self._iovecs = (Iovec * SLOTS)()
        self._headers = (Mmsghdr * SLOTS)()
        first = (ctypes.c_char * (SLOTS * slot)).from_buffer(self._map)
        data, names = ctypes.addressof(first), ctypes.addressof(self._names)
        control, iovecs = ctypes.addressof(self._control), ctypes.addressof(self._iovecs)
        for index in range(SLOTS):
            self._iovecs[index] = Iovec(data + index * slot, slot)
            self._headers[index] = Mmsghdr(
                names + index * NAME_BYTES, NAME_BYTES, iovecs + index * ctypes.sizeof(Iovec), 1,
                control + index * control_bytes, control_bytes, 0, 0,
            )  # fmt: skip
        self.names = memoryview(self._names).cast("B")
        self.control = memoryview(self._control).cast("B")
        self.words = memoryview(self._headers).cast("B").cast("I")
        self._address = ctypes.addressof(self._headers)
        # The kernel overwrites lengths and flags: what it used is put back before the next call.
        self._pristine = bytes(self._headers)
        self._used = 0

    def receive(self, fd: int, flags: int = MSG_TRUNC) -> int:
        """Take what waits in the socket, at most ``SLOTS`` messages; 0 when nothing waits. Raises OSError."""
        assert _recvmmsg is not None
        if self._used:
            ctypes.memmove(self._address, self._pristine, self._used * HEADER_BYTES)
            self._used = 0
        count = int(_recvmmsg(fd, self._address, SLOTS, MSG_DONTWAIT | flags, None))
        if count < 0:
            number = ctypes.get_errno()
            if number in (errno.EAGAIN, errno.EINTR):
                return 0
            # A failing call may have touched the first header.
            self._used = 1
            raise OSError(number, os.strerror(number))
        self._used = count
        return count
