"""Names of interfaces by index and back, as the network namespace of one socket has them.

Source: netdevice(7), SIOCGIFNAME and SIOCGIFINDEX; an ``ioctl()`` speaks of the socket's namespace, if_indextoname(3)
of the process's.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
from collections.abc import Iterator, Mapping
from contextvars import ContextVar

SIOCGIFNAME, SIOCGIFINDEX = 0x8910, 0x8933
_IFREQ = struct.Struct("=16si20x")

_names: ContextVar[Mapping[int, str] | None] = ContextVar("names", default=None)
_seen_from: ContextVar[int | None] = ContextVar("seen_from", default=None)


@contextlib.contextmanager
def seen_from(sock: socket.socket) -> Iterator[None]:
    """Within the block, indexes and names are those of the namespace of this socket."""
    token = _seen_from.set(sock.fileno())
    try:
        yield
    finally:
        _seen_from.reset(token)


@contextlib.contextmanager
def named(names: Mapping[int, str]) -> Iterator[None]:
    """Within the block, indexes have these names, those of a namespace elsewhere."""
    token = _names.set(names)
    try:
        yield
    finally:
        _names.reset(token)


def name_of(index: int) -> str:
    """The interface's name. Raises OSError where there is none."""
    names = _names.get()
    if names is not None:
        if index not in names:
            raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
        return names[index]
    descriptor = _seen_from.get()
    if descriptor is None:
        return socket.if_indextoname(index)
    answer = _ask(descriptor, SIOCGIFNAME, _IFREQ.pack(b"", index))
    return os.fsdecode(answer[:16].partition(b"\0")[0])


def index_of(name: str) -> int:
    """The interface's index. Raises OSError where there is none."""
    descriptor = _seen_from.get()
    if descriptor is None:
        return socket.if_nametoindex(name)
    answer = _ask(descriptor, SIOCGIFINDEX, _IFREQ.pack(os.fsencode(name)[:15], 0))
    return int(_IFREQ.unpack(answer)[1])


def _ask(descriptor: int, request: int, argument: bytes) -> bytes:
    import fcntl

    return fcntl.ioctl(descriptor, request, argument)
