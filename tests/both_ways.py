"""The same calls on Python's own socket and on a `LibcSocket`, whose answers have to be the same."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path
from typing import Any

from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol
from sockexplorer.engine.libc_socket import LibcSocket
from sockexplorer.families import find

Call = tuple[Any, ...]


def by_number(family: Family, protocol: Protocol, proto: int) -> socket.socket:
    """What to put in the place of `opening.make_socket`: every family goes to libc."""
    return LibcSocket(family, protocol, proto)


def pythons(path: str) -> socket.socket:
    """Python's own socket of ``family/protocol``."""
    family, protocol = find(path)
    return socket.socket(family.number, protocol.type_number, protocol.proto_number)


def libcs(path: str) -> LibcSocket:
    """A `LibcSocket` of ``family/protocol``."""
    family, protocol = find(path)
    return LibcSocket(family, protocol, protocol.proto_number)


def answers(sock: socket.socket, calls: tuple[Call, ...]) -> list[object]:
    """What each ``(method, arguments…)`` returned, or the exception's type, errno and message; closes the socket."""
    found: list[object] = []
    with sock:
        for name, *arguments in calls:
            try:
                found.append(getattr(sock, name)(*arguments))
            except Exception as error:
                found.append((type(error), getattr(error, "errno", None), str(error)))
            if name == "bind" and isinstance(arguments[0], str) and arguments[0].startswith("/"):
                with contextlib.suppress(FileNotFoundError):
                    Path(arguments[0]).unlink()
    return found


def compare(path: str, *calls: Call) -> list[object]:
    """Do the calls both ways, one after the other; the answers, which are the same."""
    expected = answers(pythons(path), calls)
    assert answers(libcs(path), calls) == expected
    return expected
