"""One question to the kernel: does ``socket()`` open this? The descriptor is closed at once, nothing is sent."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass

from sockexplorer.core.advice import errno_name
from sockexplorer.core.capability import State

ABSENT = frozenset({"EAFNOSUPPORT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT"})
DENIED = frozenset({"EPERM", "EACCES"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call did: ``errno`` is 0 for success."""

    call: str
    errno: int

    @property
    def ok(self) -> bool:
        return self.errno == 0

    @property
    def name(self) -> str:
        """``EPERM``, or "" for success."""
        return errno_name(self.errno) if self.errno else ""

    @property
    def evidence(self) -> str:
        return f"{self.call} succeeded" if self.ok else f"{self.call} failed: {self.name} {os.strerror(self.errno)}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A state with what proves it and what would change it."""

    state: State
    kernel: bool | None
    usable: bool | None
    evidence: tuple[str, ...] = ()
    fix: tuple[str, ...] = ()


def open_socket(family: int, kind: int, proto: int, call: str) -> tuple[socket.socket | None, Answer]:
    """Open a socket that the caller closes; None and the reason where the kernel says no. Raises nothing."""
    try:
        return socket.socket(family, kind, proto), Answer(call, 0)
    except OSError as error:
        # 22 is EINVAL: CPython raises a bare OSError for a few mistakes that never reach the kernel.
        return None, Answer(call, error.errno or 22)
    except (OverflowError, ValueError):
        return None, Answer(call, 22)


def ask(family: int, kind: int, proto: int, call: str) -> Answer:
    """Whether ``socket()`` succeeds. For what it lacks, the kernel may load a module."""
    opened, answer = open_socket(family, kind, proto, call)
    if opened is not None:
        opened.close()
    return answer
