"""Sockets of families that this Python was built without: their addresses go to libc as bytes, through ctypes.

``socket.socket(31, …)`` opens what the kernel has, whatever Python calls it; but every method that builds or reads an
address raises "bad family" where ``getsockaddrarg()`` and ``getsockaddrlen()`` of socketmodule.c have no case for it.
`LibcSocket` does those calls itself, with the ``sockaddr`` that the family's declaration packs and unpacks. Source:
bind(2), connect(2), accept(2), getsockname(2), sendto(2), recvmsg(2), <bits/socket.h>.
"""

from __future__ import annotations

import builtins
import ctypes
import errno
import os
import socket
import sys
from functools import cache
from typing import Any

from sockexplorer.core.family import Family
from sockexplorer.core.faults import FieldError, Raises
from sockexplorer.core.protocol import Protocol
from sockexplorer.engine import ancillary
from sockexplorer.engine.recvmmsg import NAME_BYTES, Iovec, Msghdr

SOCK_CLOEXEC = 0o2000000
_INT, _POINTER, _SIZE = ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t
_ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "bind": (_INT, _POINTER, ctypes.c_uint32),
    "connect": (_INT, _POINTER, ctypes.c_uint32),
    "accept4": (_INT, _POINTER, _POINTER, _INT),
    "getsockname": (_INT, _POINTER, _POINTER),
    "getpeername": (_INT, _POINTER, _POINTER),
    "sendto": (_INT, _POINTER, _SIZE, _INT, _POINTER, ctypes.c_uint32),
    "recvmsg": (_INT, _POINTER, _INT),
}


@cache
def _function(name: str) -> Any:
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    function.argtypes = _ARGUMENTS[name]
    function.restype = ctypes.c_ssize_t if name in ("sendto", "recvmsg") else ctypes.c_int
    return function


def _call(name: str, *arguments: Any) -> int:
    """Call libc; again where a signal came between. Raises OSError: BlockingIOError for EAGAIN and EINPROGRESS."""
    while (result := int(_function(name)(*arguments))) < 0:
        number = ctypes.get_errno()
        # An interrupted connect goes on by itself: asking again would answer EALREADY.
        if number != errno.EINTR or name == "connect":
            raise OSError(number, os.strerror(number))
    return result


class LibcSocket(socket.socket):
    """A socket of any family that the kernel has, with the addresses of a declared one.

    Takes and gives the same addresses, and raises the same exceptions, as a `socket.socket` of a Python that has the
    family. Non-blocking, or blocking without a time limit; a host has to be numeric.
    """

    def __init__(self, family: Family, protocol: Protocol, proto: int, fileno: int | None = None) -> None:
        super().__init__(family.number, protocol.type_number, proto, fileno)
        self._declared = family
        self._protocol = protocol

    # --- an address of the caller's ------------------------------------------------------------------------

    def _pack(self, call: str, address: object) -> bytes:
        """The ``sockaddr``. Raises what ``getsockaddrarg()`` would."""
        try:
            self._declared.check(self._protocol, address)
        except FieldError as error:
            raises = error.raises or Raises("ValueError", error.reason)
            raise getattr(builtins, raises.exception)(raises.text(call)) from None
        try:
            return self._declared.pack(self._protocol, address)
        except OSError as error:
            # Before Python 3.13 if_nametoindex() has no errno for an interface that is not there.
            if error.errno is None and self._declared.host_name(address) is None:
                raise OSError(errno.ENODEV, os.strerror(errno.ENODEV)) from None
            raise

    def bind(self, address: Any, /) -> None:
        sockaddr = self._pack("bind", address)
        sys.audit("socket.bind", self, address)
        _call("bind", self.fileno(), sockaddr, len(sockaddr))

    def connect(self, address: Any, /) -> None:
        self._connect(address, self._pack("connect", address))

    def connect_ex(self, address: Any, /) -> int:
        sockaddr = self._pack("connect_ex", address)
        try:
            self._connect(address, sockaddr)
        except OSError as error:
            return error.errno or 0
        return 0

    def _connect(self, address: Any, sockaddr: bytes) -> None:
        sys.audit("socket.connect", self, address)
        _call("connect", self.fileno(), sockaddr, len(sockaddr))

    def sendto(self, data: Any, *flags_and_address: Any) -> int:
        """``sendto(data, address)`` or ``sendto(data, flags, address)``."""
        *flags, address = flags_and_address
        sockaddr = self._pack("sendto", address)
        sys.audit("socket.sendto", self, address)
        payload = bytes(data)
        return _call("sendto", self.fileno(), payload, len(payload), flags[0] if flags else 0, sockaddr, len(sockaddr))

    # --- an address of the kernel's ------------------------------------------------------------------------

    def _unpack(self, storage: Any, length: int) -> Any:
        """The address of ``length`` bytes, as ``makesockaddr()`` gives it: None where there are none."""
        return self._declared.unpack(self._protocol, storage.raw[: min(length, NAME_BYTES)]) if length else None

    def _name(self, call: str) -> Any:
        storage, length = ctypes.create_string_buffer(NAME_BYTES), ctypes.c_uint32(NAME_BYTES)
        _call(call, self.fileno(), storage, ctypes.byref(length))
        return self._unpack(storage, length.value)

    def getsockname(self) -> Any:
        return self._name("getsockname")

    def getpeername(self) -> Any:
        return self._name("getpeername")

    def accept(self) -> tuple[socket.socket, Any]:
        storage, length = ctypes.create_string_buffer(NAME_BYTES), ctypes.c_uint32(NAME_BYTES)
        # Where a family can't tell names, AF_ALG for one, the kernel refuses to accept for who asks for the peer's.
        wanted = (storage, ctypes.byref(length)) if self._protocol.has_name else (None, None)
        descriptor = _call("accept4", self.fileno(), *wanted, SOCK_CLOEXEC)
        try:
            accepted = LibcSocket(self._declared, self._protocol, self.proto, descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        return accepted, self._unpack(storage, length.value) if self._protocol.has_name else None

    def recvmsg_into(
        self, buffers: Any, ancbufsize: int = 0, flags: int = 0, /
    ) -> tuple[int, list[tuple[int, int, bytes]], int, Any]:
        arrays = [(ctypes.c_char * len(view)).from_buffer(view) for each in buffers if (view := _bytes_of(each))]
        iovecs = (Iovec * len(arrays))(*(Iovec(ctypes.addressof(each), len(each)) for each in arrays))
        storage, control = ctypes.create_string_buffer(NAME_BYTES), ctypes.create_string_buffer(ancbufsize + 1)
        header = Msghdr(
            ctypes.addressof(storage), NAME_BYTES, ctypes.addressof(iovecs), len(arrays),
            ctypes.addressof(control) if ancbufsize else None, ancbufsize, 0,
        )  # fmt: skip
        count = _call("recvmsg", self.fileno(), ctypes.byref(header), flags)
        messages = list(ancillary.walk(memoryview(control.raw)[: header.control_length]))
        return count, messages, header.flags, self._unpack(storage, header.name_length)

    def recvfrom(self, bufsize: int, flags: int = 0, /) -> tuple[bytes, Any]:
        buffer = bytearray(bufsize)
        count, _, _, address = self.recvmsg_into([buffer], 0, flags)
        return bytes(buffer[:count]), address

    def dup(self) -> LibcSocket:
        return LibcSocket(self._declared, self._protocol, self.proto, os.dup(self.fileno()))


def _bytes_of(buffer: Any) -> memoryview:
    return memoryview(buffer).cast("B")
