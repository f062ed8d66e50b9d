"""Opening a socket: create, set up, bind, connect, listen. A step that fails says which it was and what it means."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import sys
from collections.abc import Callable
from typing import Any, Literal

from sockexplorer.core.constants import in_python, number
from sockexplorer.core.endpoint import Endpoint, SetOption
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol
from sockexplorer.engine.failure import explain, simple
from sockexplorer.engine.libc_socket import LibcSocket
from sockexplorer.engine.stage import Stage
from sockexplorer.engine.unixfile import SocketFile, make_private
from sockexplorer.engine.verdict import parses

RECEIVE_BUFFER = 4 * 2**20
"""Bytes asked for: at a high rate the size of the buffer matters before the speed of the reader."""
BACKLOG = 128


def system_socket(family: Family, protocol: Protocol, proto: int) -> socket.socket:
    """A socket of this system: Python's own where its parser knows the family, else a `LibcSocket`.

    Raises OSError, OverflowError, ValueError, and `Failure` for a family of another system.
    """
    _refuse_foreign(family)
    return _socket(family, protocol, proto)


def _refuse_foreign(family: Family) -> None:
    if family.foreign:
        # Its number is another family's here.
        where = f"it is for {family.availability}; what the form and the script say of it is from the declaration"
        raise simple("socket", f"this system has no {family.constant}", where)


def _socket(family: Family, protocol: Protocol, proto: int, descriptor: int | None = None) -> socket.socket:
    if parses(family, protocol):
        return socket.socket(family.number, protocol.type_number, proto, descriptor)
    return LibcSocket(family, protocol, proto, descriptor)


make_socket: Callable[[Family, Protocol, int], socket.socket] = system_socket
"""What `create` makes every socket with. Tests put another in its place, to see what it is asked for."""


def by_number(sock: socket.socket, family: Family, protocol: Protocol) -> str:
    """That the socket was opened by number, its addresses through libc, and why; "" for one of Python's own."""
    if not isinstance(sock, LibcSocket):
        return ""
    if family.by_bytes:
        return "opened by number: its addresses are bytes"
    lacking = family.constant
    if in_python(lacking) and not in_python(protocol.proto) and protocol.proto != "0":
        lacking = protocol.proto
    return f"opened by number: this Python has no {lacking}"


def private_socket(family: Family, protocol: Protocol, proto: int, stage: Stage) -> socket.socket:
    """A socket of a namespace of the engine's own. Raises as `system_socket`."""
    _refuse_foreign(family)
    descriptor = stage.descriptor(family.number, protocol.type_number, proto)
    try:
        return _socket(family, protocol, proto, descriptor)
    except BaseException:
        os.close(descriptor)
        raise


def create(family: Family, protocol: Protocol, endpoint: Endpoint, stage: Stage | None = None) -> socket.socket:
    """``socket()`` with the endpoint's numbers, non-blocking; in ``stage`` if it is private. Raises `Failure`."""
    proto = protocol.proto_number if endpoint.proto is None else endpoint.proto
    try:
        if endpoint.private and stage is not None:
            sock = private_socket(family, protocol, proto, stage)
        else:
            sock = make_socket(family, protocol, proto)
    except (OSError, OverflowError, ValueError) as error:
        raise explain(family, protocol, "socket", error) from None
    sock.setblocking(False)
    return sock


def set_up(sock: socket.socket, family: Family, protocol: Protocol, endpoint: Endpoint) -> dict[str, Any]:
    """Options: those that the person asked for must succeed, ours may fail. Returns what was granted.

    Raises `Failure` for an option of the endpoint.
    """
    set_options(sock, family, protocol, endpoint, after_bind=False)
    if protocol.gate is not None and protocol.gate[1] not in {option.name for option in endpoint.options}:
        with contextlib.suppress(OSError):
            sock.setsockopt(number(protocol.gate[0]), number(protocol.gate[1]), protocol.gate[2])
    level = socket.SOL_SOCKET
    stamp(sock)
    if family.constant == "AF_UNIX" and protocol.type == "SOCK_DGRAM":
        with contextlib.suppress(OSError):
            sock.setsockopt(level, number("SO_PASSCRED"), 1)
    if family.constant == "AF_PACKET":
        with contextlib.suppress(OSError):
            sock.setsockopt(number("SOL_PACKET"), number("PACKET_AUXDATA"), 1)
    chosen = {option.name for option in endpoint.options}
    if protocol.messages and not chosen & {"SO_RCVBUF", "SO_RCVBUFFORCE"}:
        try:
            sock.setsockopt(level, number("SO_RCVBUFFORCE"), RECEIVE_BUFFER)
        except OSError:
            with contextlib.suppress(OSError):
                sock.setsockopt(level, socket.SO_RCVBUF, RECEIVE_BUFFER)
    return granted(sock)


def granted(sock: socket.socket) -> dict[str, Any]:
    """What the kernel grants of what was asked for: ``receive_buffer``, in bytes of its own accounting."""
    found: dict[str, Any] = {}
    with contextlib.suppress(OSError):
        found["receive_buffer"] = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    return found


def set_options(
    sock: socket.socket, family: Family, protocol: Protocol, endpoint: Endpoint, *, after_bind: bool
) -> None:
    """Set the endpoint's options that come before the socket is bound, or those that come after. Raises `Failure`."""
    declared = {each.name: each for each in protocol.options}
    for option in endpoint.options:
        known = declared.get(option.name)
        if (known is not None and known.after_bind) is not after_bind:
            continue
        try:
            set_option(sock, protocol, option)
        except (OSError, OverflowError, TypeError, KeyError) as error:
            raise explain(family, protocol, "setsockopt", error) from None


def set_option(sock: socket.socket, protocol: Protocol, option: SetOption) -> None:
    """``setsockopt()``. Raises OSError, OverflowError and TypeError as that does, KeyError for an unknown name."""
    known = next((each for each in protocol.options if each.name == option.name), None)
    level, name = number(option.level), number(option.name)
    if known is not None and known.by_length and isinstance(option.value, int):
        sock.setsockopt(level, name, None, option.value)
    else:
        sock.setsockopt(level, name, option.value)


def stamp(sock: socket.socket) -> None:
    """Ask the kernel for the time of each message and for its counter of drops; accepted sockets don't inherit it."""
    for name in ("SO_TIMESTAMPNS", "SO_RXQ_OVFL"):
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, number(name), 1)


def packets_seen(sock: socket.socket) -> int:
    """How many frames reached an AF_PACKET socket since this was asked last, dropped ones included (packet(7))."""
    try:
        data = sock.getsockopt(number("SOL_PACKET"), number("PACKET_STATISTICS"), 8)
    except OSError:
        return 0
    return int.from_bytes(data[:4], sys.byteorder)


def bind(sock: socket.socket, family: Family, protocol: Protocol, address: object) -> SocketFile | None:
    """``bind()``. Returns the socket file that it made, if any. Raises `Failure`."""
    if family.constant == "AF_UNIX":
        with contextlib.suppress(OSError):
            make_private(sock)
    _call(family, protocol, "bind", lambda: sock.bind(address))  # type: ignore[arg-type]
    # The kernel's word for it: a path may be given as bytes, or go on after a NUL.
    return SocketFile.made_by(name_of(sock)) if family.constant == "AF_UNIX" else None


def connect(
    sock: socket.socket, family: Family, protocol: Protocol, address: object
) -> Literal["done", "under way", "full"]:
    """``connect()``: done, under way, or (AF_UNIX) the peer's queue of connections is full. Raises `Failure`."""
    try:
        sock.connect(address)  # type: ignore[arg-type]
    except BlockingIOError as error:
        return "under way" if error.errno == errno.EINPROGRESS else "full"
    except (OSError, TypeError, ValueError, OverflowError) as error:
        raise explain(family, protocol, "connect", error) from None
    return "done"


def listen(sock: socket.socket, family: Family, protocol: Protocol) -> None:
    """``listen()``. Raises `Failure`."""
    if not protocol.connections:
        raise simple("listen", f"{family.constant} {protocol.type} sockets have no connections to listen for", "bind")
    _call(family, protocol, "listen", lambda: sock.listen(BACKLOG))


def _call(family: Family, protocol: Protocol, stage: str, call: Callable[[], None]) -> None:
    try:
        call()
    except (OSError, TypeError, ValueError, OverflowError) as error:
        raise explain(family, protocol, stage, error) from None


def name_of(sock: socket.socket) -> object:
    """``getsockname()``, or None where the family has none or Python can't decode it (an interface's name)."""
    try:
        return sock.getsockname()
    except (OSError, ValueError):
        return None


def peer_of(sock: socket.socket) -> object:
    """``getpeername()``, or None."""
    try:
        return sock.getpeername()
    except (OSError, ValueError):
        return None


def credentials(sock: socket.socket) -> dict[str, int] | None:
    """Who is at the other end of a UNIX stream: pid, uid, gid (SO_PEERCRED, unix(7))."""
    try:
        data = sock.getsockopt(socket.SOL_SOCKET, number("SO_PEERCRED"), 12)
    except OSError:
        return None
    pid, uid, gid = (int.from_bytes(data[at : at + 4], sys.byteorder, signed=at == 0) for at in (0, 4, 8))
    return {"pid": pid, "uid": uid, "gid": gid} if pid else None
