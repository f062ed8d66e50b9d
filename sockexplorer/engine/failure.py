"""A failure, as the client gets it: which call, which errno, what it means here and what to try."""

from __future__ import annotations

import socket
from typing import Any

from sockexplorer.core.advice import Advice, errno_name
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol


class Failure(Exception):
    """An operation that failed. ``stage`` is the call: socket, setsockopt, resolve, bind, connect, send …"""

    def __init__(self, stage: str, error: BaseException, advice: Advice) -> None:
        self.stage = stage
        self.number = error.errno if isinstance(error, OSError) and not isinstance(error, socket.gaierror) else None
        self.name = errno_name(self.number) or type(error).__name__
        self.message = (error.strerror if isinstance(error, OSError) else None) or str(error)
        self.advice = advice
        super().__init__(f"{stage}: {self.name} {self.message}")

    def to_json(self) -> dict[str, Any]:
        """A JSON object; ``what`` and ``fixes`` are the explanation."""
        return {
            "stage": self.stage,
            "errno": self.number,
            "name": self.name,
            "message": self.message,
            "what": self.advice.what,
            "fixes": list(self.advice.fixes),
        }


def explain(family: Family, protocol: Protocol, stage: str, error: BaseException) -> Failure:
    """The failure of a call on an endpoint, explained by its family."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, socket.gaierror):
        return Failure(stage, error, Advice("The host name can't be resolved.", ("write a numeric address",)))
    if isinstance(error, OSError) and error.errno is not None:
        return Failure(stage, error, family.explain(protocol, stage, errno_name(error.errno)))
    if isinstance(error, TimeoutError):
        return Failure(stage, error, Advice("It took longer than the session's timeout.", ("give it more time",)))
    what = "Python refused the address before the kernel saw it." if stage in ("bind", "connect", "send") else ""
    return Failure(stage, error, Advice(what))


def simple(stage: str, message: str, *fixes: str) -> Failure:
    """A failure of our own rules, with no errno."""
    return Failure(stage, ValueError(message), Advice(message[:1].upper() + message[1:], fixes))
