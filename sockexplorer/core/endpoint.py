"""An endpoint: what a person asks for. Family, type, protocol, addresses, options and what to do with them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any, cast, get_args

from sockexplorer.core.protocol import Operation


@dataclass(frozen=True, slots=True)
class SetOption:
    """A socket option with its value: ``setsockopt(level, name, value)``, an int or the bytes of a structure."""

    level: str
    name: str
    value: int | bytes

    def to_json(self) -> list[Any]:
        """``[level, name, value]``; bytes as a str of hexadecimal digits."""
        return [self.level, self.name, self.value if isinstance(self.value, int) else self.value.hex()]

    @classmethod
    def from_json(cls, value: list[Any]) -> SetOption:
        """The reverse of `to_json`. Raises ValueError or TypeError for anything else."""
        level, name, given = value
        return cls(str(level), str(name), bytes.fromhex(given) if isinstance(given, str) else int(given))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Everything the engine needs to open a socket, as plain values.

    ``family`` and ``protocol`` are names of a declaration (``AF_INET``, ``udp``); ``proto`` overrides the protocol
    number for raw sockets. ``local`` and ``remote`` are Python addresses, or None where they are not used. ``snaplen``
    is the longest message kept, in bytes; None takes the protocol's. ``timeout`` is as for ``settimeout()``: None for
    a socket that blocks, 0 for one that does not, or seconds. A ``private`` socket is in a network namespace of the
    engine's own.
    """

    family: str
    protocol: str
    operation: Operation
    local: object = None
    remote: object = None
    options: tuple[SetOption, ...] = ()
    proto: int | None = None
    snaplen: int | None = None
    timeout: float | None = None
    private: bool = False

    def to_json(self) -> dict[str, Any]:
        """A JSON object; addresses as Python literals, which keep tuples and bytes apart."""
        return {
            "family": self.family,
            "protocol": self.protocol,
            "operation": self.operation,
            "local": repr(self.local),
            "remote": repr(self.remote),
            "options": [each.to_json() for each in self.options],
            "proto": self.proto,
            "snaplen": self.snaplen,
            "timeout": self.timeout,
            "private": self.private,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Endpoint:
        """The reverse of `to_json`. Raises KeyError, ValueError or TypeError for anything else."""
        if value["operation"] not in get_args(Operation):
            raise ValueError(f"there is no operation {value['operation']!r}")
        return cls(
            family=str(value["family"]),
            protocol=str(value["protocol"]),
            operation=cast(Operation, value["operation"]),
            local=ast.literal_eval(value["local"]),
            remote=ast.literal_eval(value["remote"]),
            options=tuple(map(SetOption.from_json, value["options"])),
            proto=None if value["proto"] is None else int(value["proto"]),
            snaplen=None if value["snaplen"] is None else int(value["snaplen"]),
            timeout=None if value["timeout"] is None else float(value["timeout"]),
            private=bool(value["private"]),
        )
