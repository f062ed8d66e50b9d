"""FAKES: sockets of systems that the tests don't run on (macOS, Windows, FreeBSD).

What is real: the descriptor, and the bytes that go through it; a socket pair of this kernel stands behind each fake,
and the test holds the other end. What is fake: that the family exists, what ``socket()``, ``bind()``, ``connect()``,
``listen()`` and ``accept()`` do, which is only noted, and the names, which are those that the test gave. A test with
these shows what the engine asks of such a system; that the system answers so, nobody has seen.
"""

from __future__ import annotations

import os
import socket
from typing import Any

from sockexplorer.core.family import Family
from sockexplorer.core.faults import FieldError
from sockexplorer.core.protocol import Protocol


class FakeSocket(socket.socket):
    """A FAKE socket of a family that this system lacks. The declaration's rules judge its addresses.

    ``calls`` has each method that was called, with the Python address; `other_end` is where the test sends and
    receives. ``fails`` maps a method to the errno that it answers with.
    """

    def __init__(self, system: FakeSystem, family: Family, protocol: Protocol, *, listens: bool = False) -> None:
        kind = socket.SOCK_DGRAM if protocol.messages else socket.SOCK_STREAM
        ours, self.other_end = socket.socketpair(socket.AF_UNIX, kind)
        super().__init__(socket.AF_UNIX, kind, 0, ours.detach())
        self.other_end.settimeout(20)
        self.system = system
        self.declared, self.protocol = family, protocol
        self.name: Any = None
        self.peer: Any = None
        self.waiting: list[FakeSocket] = []

    def _note(self, method: str, *arguments: Any) -> None:
        self.system.calls.append((method, *arguments))
        if method in self.system.fails:
            code = self.system.fails[method]
            raise OSError(code, os.strerror(code))

    def _judge(self, address: Any) -> None:
        """Raise where the declaration refuses an address: the parser that would do it is not in this Python."""
        try:
            self.declared.check(self.protocol, address)
        except FieldError as error:
            raise OSError(f"refused: {error}") from None

    def bind(self, address: Any, /) -> None:
        self._judge(address)
        self._note("bind", address)
        self.name = address

    def connect(self, address: Any, /) -> None:
        self._judge(address)
        self._note("connect", address)
        self.peer = address

    def listen(self, backlog: int = 0, /) -> None:
        self._note("listen")

    def accept(self) -> tuple[socket.socket, Any]:
        self._note("accept")
        if not self.waiting:
            raise BlockingIOError
        self.recv(1)
        accepted = self.waiting.pop(0)
        return accepted, accepted.peer

    def visit(self, address: Any) -> FakeSocket:
        """Connect to this listener from ``address``, as a peer on the other system would; the accepted end."""
        accepted = FakeSocket(self.system, self.declared, self.protocol)
        accepted.name, accepted.peer = self.name, address
        self.waiting.append(accepted)
        self.other_end.send(b"!")  # makes the listener ready
        return accepted

    def _known(self, address: Any, call: str) -> Any:
        if not self.protocol.has_name:
            raise OSError(f"{call}: bad family")
        return address

    def getsockname(self) -> Any:
        return self._known(self.name, "getsockname")

    def getpeername(self) -> Any:
        return self._known(self.peer, "getpeername")

    def sendto(self, data: Any, address: Any) -> int:  # type: ignore[override]
        self._judge(address)
        self._note("sendto", bytes(data), address)
        return self.send(data)

    def recvmsg_into(self, buffers: Any, ancbufsize: int = 0, flags: int = 0, /) -> Any:
        if not self.protocol.has_senders:
            raise OSError("getsockaddrlen: bad family")
        length, messages, raw_flags, _ = super().recvmsg_into(buffers, ancbufsize, flags)
        return length, messages, raw_flags, self.peer

    def close(self) -> None:
        if self.fileno() >= 0:
            self.system.calls.append(("close",))
        super().close()


class FakeSystem:
    """A FAKE system that has the family. It is called to make a socket, as `opening.make_socket` is."""

    def __init__(self, **fails: int) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.fails = fails
        self.sockets: list[FakeSocket] = []

    def __call__(self, family: Family, protocol: Protocol, proto: int) -> socket.socket:
        self.calls.append(("socket", family.number, protocol.type_number, proto))
        if "socket" in self.fails:
            raise OSError(self.fails["socket"], os.strerror(self.fails["socket"]))
        self.sockets.append(FakeSocket(self, family, protocol))
        return self.sockets[-1]

    def clear(self) -> None:
        """Close the test's ends."""
        for each in self.sockets:
            each.other_end.close()
