"""Bluetooth addresses as text and as the kernel's bytes. Source: CPython's ``setbdaddr()``, <bluetooth/bluetooth.h>."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sockexplorer.core import cformats
from sockexplorer.core.faults import LOOK_UP, Invalid, Raises, typed
from sockexplorer.core.fields import Kind

ANY = "00:00:00:00:00:00"
"""BDADDR_ANY: any adapter of this host."""
WRONG_FORMAT = Raises("OSError", "{call}(): wrong format")
BAD_ADDRESS = Raises("OSError", "bad bluetooth address", LOOK_UP)
# sscanf("%X:%X:%X:%X:%X:%X%c") of glibc: blanks, a sign and 0x before each number, as many digits as one likes.
_PART = rb"[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]*|[0-9a-fA-F]+)"
_ADDRESS = re.compile(rb":".join([_PART] * 6) + rb"\Z")
_USUAL = re.compile(r"([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}\Z")


def from_text(text: bytes) -> bytes | None:
    """The six bytes as the kernel keeps them, the last one first; None where ``setbdaddr()`` refuses the text."""
    found = _ADDRESS.match(text)
    if found is None:
        return None
    numbers = []
    for sign, digits in zip(found.groups()[::2], found.groups()[1::2], strict=True):
        number = int(digits.lower().removeprefix(b"0x") or b"0", 16)
        if number >= 2**64:
            number = 2**64 - 1  # strtoul() goes no further, and forgets the sign
        elif sign == b"-":
            number = -number
        numbers.append(number & 0xFFFFFFFF)
    return bytes(reversed(numbers)) if max(numbers) < 256 else None


def to_text(raw: bytes) -> str:
    """``AA:BB:CC:DD:EE:FF`` of the kernel's six bytes."""
    return raw[::-1].hex(":").upper()


@dataclass(frozen=True)
class BluetoothAddress(Kind):
    """A ``bdaddr``; as ``bytes`` where the parser of this Python takes nothing else (SCO before 3.14)."""

    as_bytes: bool = False
    either: bool = False
    """Whether str and bytes are taken (SCO since 3.14)."""
    offers: str = "bluetooth-adapters"

    def read(self, text: str) -> object:
        text = text.strip()
        return text.encode("utf-8", "surrogateescape") if self.as_bytes else text

    def show(self, value: object) -> str:
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

    def takes(self) -> str:
        return f"six bytes such as 00:1A:7D:DA:71:13; {ANY} is any adapter of this host"

    def check(self, value: object) -> None:
        if from_text(self._raw(value)) is None:
            raise Invalid(
                "is no Bluetooth address",
                "write six pairs of hexadecimal digits, such as 00:1A:7D:DA:71:13",
                BAD_ADDRESS,
            )

    def _raw(self, value: object) -> bytes:
        if isinstance(value, bytes) and (self.as_bytes or self.either):
            if self.either and b"\0" in value:
                no_null = Raises("ValueError", "embedded null byte")
                raise Invalid("has an embedded null byte", "take the NUL out", no_null)
            return value.partition(b"\0")[0]
        if self.as_bytes:
            raise Invalid(f"{typed(value)} is not bytes", f"write b'{ANY}' for this Python", WRONG_FORMAT)
        return cformats.utf8(value, WRONG_FORMAT)

    def notices(self, value: object) -> Iterator[str]:
        text, nul, _ = self.show(value).partition("\0")
        if nul:
            yield f"CPython stops at the NUL: {text!r}"
        raw = from_text(text.encode("utf-8", "surrogatepass"))
        if raw is not None and not _USUAL.match(text):
            yield f"an unusual spelling, read as {to_text(raw)}"
