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
from array import array

SLOTS = 511
"""Messages of a batch: two parts of each and a head are as much as ``pwritev(2)`` takes (IOV_MAX, 1024)."""
FIRST = 2048
"""Bytes of a message that lie beside those of the others: an Ethernet's frames fit."""
HEAD_BYTES = 64 + 32 * SLOTS
"""Room for what is written ahead of the messages."""
NAME_BYTES, IP_NAME_BYTES = 128, 32
"""``struct sockaddr_storage``, and room for a ``struct sockaddr_in6``, which costs less to look through."""
HEADER_BYTES = 64
# Offsets in struct mmsghdr, in 32-bit words.
NAME_LENGTH, CONTROL_LENGTH, FLAGS, LENGTH = 2, 10, 12, 14
WORDS = HEADER_BYTES // 4

MSG_DONTWAIT, MSG_TRUNC, MSG_CTRUNC, MSG_CMSG_CLOEXEC = 0x40, 0x20, 0x8, 0x40000000
MSG_DONTROUTE, MSG_CONFIRM = 0x4, 0x800


_ONES = int.from_bytes((1).to_bytes(8, "little") * SLOTS, "little")


class Iovec(ctypes.Structure):
    """``struct iovec``."""

    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class Msghdr(ctypes.Structure):
    """``struct msghdr``, as glibc has it."""

    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("iov", ctypes.c_void_p),
        ("iov_length", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    ]


class Mmsghdr(ctypes.Structure):
    """``struct mmsghdr``."""

    _fields_ = [("header", Msghdr), ("length", ctypes.c_uint32)]


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


class Aim:
    """Headers that send the first bytes of each message elsewhere than to the arena; what is longer goes on there."""

    def __init__(self, headers: ctypes.Array[Mmsghdr], rest: int, stride: int) -> None:
        """``rest`` is the address for what is longer of the first message, each other one ``stride`` bytes further."""
        self._iovecs = (Iovec * (SLOTS * 2))()
        aimed = (Mmsghdr * SLOTS).from_buffer_copy(headers)
        for index in range(SLOTS):
            self._iovecs[2 * index + 1] = Iovec(rest + index * stride, stride)
            aimed[index].header.iov = ctypes.addressof(self._iovecs) + 2 * index * ctypes.sizeof(Iovec)
            aimed[index].header.iov_length = 2
        self.pristine = bytes(aimed)
        self._words = memoryview(self._iovecs).cast("B").cast("Q")
        self._lengths, self._offsets = 0, 0
        self.address = 0
        """Where the first message goes."""

    def at(self, address: int, length: int) -> None:
        """Take aim: ``length`` bytes of each message, one behind the other, from an address on."""
        if length != self._lengths:
            self._words[1::4] = memoryview(array("Q", [length]) * SLOTS)
            offsets = array("Q", range(0, length * SLOTS, length))
            self._lengths, self._offsets = length, int.from_bytes(offsets.tobytes(), "little")
        # Sums of words side by side are one sum of long numbers.
        bases = (self._offsets + address * _ONES).to_bytes(8 * SLOTS, "little")
        self._words[::4] = memoryview(bases).cast("Q")
        self.address = address


class Arena:
    """Buffers for one batch: ``SLOTS`` messages of at most ``slot`` bytes, with their names and ancillary data.

    After `receive`, message ``i`` has its `message`, its ``sockaddr`` at ``names[i * name_bytes:]``, its ancillary data
    at ``control[i * control_bytes:]`` and its header at ``words[i * WORDS:]``. The first `FIRST` bytes of each message
    lie close together, which spares the processor's caches; what is longer goes on elsewhere. Memory is reserved only,
    and taken by pages that a message touches.
    """

    def __init__(self, slot: int, control_bytes: int = 512, name_bytes: int = NAME_BYTES) -> None:
        self.slot = slot
        self.control_bytes = control_bytes
        self.name_bytes = name_bytes
        self.first = min(slot, FIRST)
        self._rest = slot - self.first
        # What is far of one message may be all that it has, but for what was aimed elsewhere.
        self._near, self._far = mmap.mmap(-1, SLOTS * self.first), mmap.mmap(-1, SLOTS * slot)
        self._near_view, self._far_view = memoryview(self._near), memoryview(self._far)
        self._names = (ctypes.c_char * (SLOTS * name_bytes))()
        self._control = (ctypes.c_uint64 * (SLOTS * control_bytes // 8))()
        self._headers = (Mmsghdr * SLOTS)()
        self._head = (ctypes.c_char * HEAD_BYTES)()
        per = 2 if self._rest else 1
        self._iovecs = (Iovec * (SLOTS * per))()
        near, far = _address(self._near), _address(self._far)
        names, control = ctypes.addressof(self._names), ctypes.addressof(self._control)
        iovecs, head = ctypes.addressof(self._iovecs), ctypes.addressof(self._head)
        # Two orders to write out: the first parts alone, and both parts of each; behind a place for a head.
        self._short, self._long = (Iovec * (SLOTS + 1))(), (Iovec * (SLOTS * per + 1))()
        self._short[0] = self._long[0] = Iovec(head, 0)
        for index in range(SLOTS):
            first = Iovec(near + index * self.first, self.first)
            self._iovecs[index * per] = self._short[index + 1] = self._long[index * per + 1] = first
            if self._rest:
                rest = Iovec(far + index * slot, self._rest)
                self._iovecs[index * per + 1] = self._long[index * per + 2] = rest
            self._headers[index].header = Msghdr(
                names + index * name_bytes, name_bytes, iovecs + index * per * ctypes.sizeof(Iovec), per,
                control + index * control_bytes, control_bytes,
            )  # fmt: skip
        self.names = memoryview(self._names).cast("B")
        self.control = memoryview(self._control).cast("B")
        self.words = memoryview(self._headers).cast("B").cast("I")
        self._head_view = memoryview(self._head).cast("B")
        self._short_words = memoryview(self._short).cast("B").cast("I")
        self._long_words = memoryview(self._long).cast("B").cast("I")
        self._short_lengths = 0, 0
        """How many of the shorter order have which length, where all are the same."""
        self._address = ctypes.addressof(self._headers)
        # The kernel overwrites lengths and flags: what it used is put back before the next call.
        self._pristine = bytes(self._headers)
        self._used = 0
        self.aimed = 0
        """The first bytes of each message that `aim` has sent elsewhere, for the last `receive`; 0 without that."""
        self._aim = Aim(self._headers, far, slot)

    def receive(self, fd: int, flags: int = MSG_TRUNC, aim: tuple[int, int] | None = None) -> int:
        """Take what waits in the socket, at most ``SLOTS`` messages; 0 when nothing waits. Raises OSError.

        ``aim`` is an address and a length: so many bytes of each message go to memory there, one message behind the
        other, and what is longer goes on here. `settle` brings them here.
        """
        assert _recvmmsg is not None
        aimed = aim[1] if aim else 0
        if bool(aimed) != bool(self.aimed):
            self._used = SLOTS
        if aim:
            self._aim.at(*aim)
        if self._used:
            ctypes.memmove(self._address, self._aim.pristine if aim else self._pristine, self._used * HEADER_BYTES)
            self._used = 0
        self.aimed = aimed
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

    def settle(self, count: int) -> None:
        """Have a batch that was aimed elsewhere here, as if it had not been."""
        aimed, self._used = self.aimed, SLOTS
        for index, length in enumerate(self.words[LENGTH : count * WORDS : WORDS]):
            whole = ctypes.string_at(self._aim.address + index * aimed, min(length, aimed))
            at = index * self.slot
            whole += self._far_view[at : at + min(length - aimed, self.slot)] if length > aimed else b""
            near, far = whole[: self.first], whole[self.first : self.slot]
            self._near_view[index * self.first : index * self.first + len(near)] = near
            self._far_view[at : at + len(far)] = far
        self.aimed = 0

    def headers(self, count: int) -> bytes:
        """The first headers, ``struct mmsghdr`` one behind the other."""
        return ctypes.string_at(self._address, count * HEADER_BYTES)

    def message(self, index: int, length: int) -> bytes:
        """The first bytes of a message, at most what there was room for."""
        at, far = index * self.first, index * self.slot
        if length <= self.first:
            return bytes(self._near_view[at : at + length])
        rest = min(length - self.first, self._rest)
        return b"".join((self._near_view[at : at + self.first], self._far_view[far : far + rest]))

    def vector(self, head: bytes, lengths: array[int], longest: int, *, same: bool) -> tuple[int, int]:
        """Where an array of ``struct iovec`` is that tells a head and the first bytes of each message; its entries.

        ``same``: all messages are as long as the longest.
        """
        self._head_view[: len(head)] = head
        if longest <= self.first:
            self._short_words[2] = len(head)
            told, length = self._short_lengths
            if not same or length != longest or told < len(lengths):
                # The upper halves of the lengths are zero, and stay so.
                self._short_words[6 : 4 * len(lengths) + 4 : 4] = memoryview(lengths)
                self._short_lengths = (len(lengths), longest) if same else (0, 0)
            return ctypes.addressof(self._short), len(lengths) + 1
        self._long_words[2] = len(head)
        firsts = array("I", [min(each, self.first) for each in lengths])
        self._long_words[6 : 8 * len(lengths) + 4 : 8] = memoryview(firsts)
        rests = array("I", [each - first for each, first in zip(lengths, firsts, strict=True)])
        self._long_words[10 : 8 * len(lengths) + 8 : 8] = memoryview(rests)
        return ctypes.addressof(self._long), 2 * len(lengths) + 1


def _address(buffer: mmap.mmap) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(buffer))
