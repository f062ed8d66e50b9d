"""One question to the kernel: does ``socket()`` open this? The descriptor is closed at once, nothing is sent."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, replace
from typing import Any

from sockexplorer.core.advice import errno_name
from sockexplorer.core.capability import Capability, State, Step

ABSENT = frozenset({"EAFNOSUPPORT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT"})
DENIED = frozenset({"EPERM", "EACCES"})
ALLOWED = "that call was allowed"
"""The evidence of the third step where the second one's call succeeded."""


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
    """A state with what proves it, step by step, and what would change it."""

    state: State
    kernel: bool | None
    usable: bool | None
    evidence: tuple[str, ...] = ()
    """Of the kernel's step."""
    fix: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    """Evidence that the process may use it, or may not."""
    device: bool | None = None
    devices: tuple[str, ...] = ()
    """Evidence of devices."""

    @classmethod
    def of(cls, known: Capability, **changes: Any) -> Finding:
        """The finding that a capability was made from, for another that hangs on it."""
        _, kernel, allowed, device = known.steps
        finding = cls(
            known.state, kernel.ok, allowed.ok, kernel.evidence, known.fix, allowed.evidence, device.ok, device.evidence
        )
        return replace(finding, **changes)

    def steps(self, python: bool, evidence: tuple[str, ...]) -> tuple[Step, Step, Step, Step]:
        """The chain, after what was found of this Python."""
        return (
            Step(python, tuple(dict.fromkeys(evidence))),
            Step(self.kernel, tuple(dict.fromkeys(self.evidence))),
            Step(self.usable, tuple(dict.fromkeys(self.allowed))),
            Step(self.device, tuple(dict.fromkeys(self.devices))),
        )


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
    """Whether ``socket()`` succeeds. For what it lacks, the kernel may load a module: see `probe_modules`."""
    opened, answer = open_socket(family, kind, proto, call)
    if opened is not None:
        opened.close()
    return answer
