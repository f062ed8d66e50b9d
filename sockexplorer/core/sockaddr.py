"""The kernel's ``sockaddr``, field by field: declared once, it packs, unpacks and explains the bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Order = Literal["host", "network", ""]


def decimal(value: Any) -> str:
    """A number as it is; bytes in hexadecimal digits."""
    return value.hex(" ") if isinstance(value, bytes) else str(value)


def hexadecimal(value: Any) -> str:
    """A number as ``0x…``."""
    return f"0x{value:x}"


def named(names: Mapping[str, int], otherwise: Callable[[Any], str] = decimal) -> Callable[[Any], str]:
    """Shows a number with its constant's name: ``3 TIPC_ADDR_ID``."""
    known = {value: name for name, value in reversed(list(names.items()))}
    return lambda value: f"{otherwise(value)} {known[value]}" if value in known else otherwise(value)


def c_string(value: Any) -> str:
    """A ``char`` array up to its NUL, as a Python literal."""
    return repr(value.partition(b"\0")[0].decode("utf-8", "backslashreplace"))


@dataclass(frozen=True, slots=True)
class Part:
    """One member of the C structure. ``code`` is `struct`'s: a number (``H I i Q B b``) or bytes (``16s``)."""

    name: str
    code: str
    meaning: str
    order: Order = "host"
    """``network`` where the kernel wants the most significant byte first."""
    show: Callable[[Any], str] = decimal

    @property
    def size(self) -> int:
        """In bytes."""
        return struct.calcsize("=" + self.code)

    @property
    def shown_order(self) -> Order:
        """The order, where one means anything: not for one byte, nor for bytes that are no number."""
        return "" if self.size == 1 or (self.code.endswith("s") and self.order == "host") else self.order

    def pack(self, value: Any) -> bytes:
        return struct.pack(("!" if self.order == "network" else "=") + self.code, value)

    def unpack(self, data: bytes) -> Any:
        return struct.unpack(("!" if self.order == "network" else "=") + self.code, data)[0]


@dataclass(frozen=True, slots=True)
class Row:
    """What the bytes of one member say. ``value`` is for people, not escaped; ``order`` "" where it means nothing."""

    name: str
    offset: int
    size: int
    order: Order
    raw: bytes
    value: str
    meaning: str


class Layout:
    """A C structure without gaps that nobody names: its size is the sum of its parts.

    ``least`` is how many bytes are enough to make sense of it (a kernel may give fewer than the whole).
    """

    def __init__(self, name: str, *parts: Part, least: int = 0) -> None:
        self.name = name
        self.parts = parts
        self.size = sum(part.size for part in parts)
        self.least = least or self.size

    def pack(self, **values: Any) -> bytes:
        """The bytes; a member that is not given is zero. Raises KeyError for a name that the structure lacks."""
        if unknown := values.keys() - {part.name for part in self.parts}:
            raise KeyError(f"{self.name} has no {', '.join(sorted(unknown))}")
        return b"".join(
            part.pack(values[part.name]) if part.name in values else bytes(part.size) for part in self.parts
        )

    def unpack(self, data: bytes) -> dict[str, Any] | None:
        """Every member by name, those beyond the end as zero; None for fewer bytes than ``least``."""
        if len(data) < self.least:
            return None
        data = data.ljust(self.size, b"\0")
        found, at = {}, 0
        for part in self.parts:
            found[part.name] = part.unpack(data[at : at + part.size])
            at += part.size
        return found

    def rows(self, data: bytes) -> list[Row]:
        """Every member that the bytes hold, in their order; what is left over is a row without a name."""
        rows, at = [], 0
        for part in self.parts:
            raw = data[at : at + part.size]
            if len(raw) == part.size > 0:
                rows.append(
                    Row(part.name, at, part.size, part.shown_order, raw, part.show(part.unpack(raw)), part.meaning)
                )
            elif raw:
                rows.append(Row(part.name, at, len(raw), "", raw, raw.hex(" "), "cut short"))
            at += part.size
        if rest := data[at:]:
            rows.append(Row("", at, len(rest), "", rest, rest.hex(" "), "beyond the structure"))
        return rows
