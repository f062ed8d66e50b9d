"""Fields of an address: what one element may be, as text in a form and as a Python value.

A `Kind` knows a sort of element (an integer of a C format, an interface name, a host); a `Field` gives it a
name, a default and a sentence of help. Kinds are as strict as CPython's ``getsockaddrarg()`` (socketmodule.c),
no stricter: what CPython takes but hardly anyone means is a `Notice`, never a refusal.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from sockexplorer.core.text import escape

INT_MIN, INT_MAX = -(2**31), 2**31 - 1
Offers = Literal["", "interfaces", "scopes", "local-hosts", "local-hosts6", "unix-sockets", "names", "flags"]


class Invalid(ValueError):
    """A value that a kind refuses: ``reason`` says why, ``remedy`` what would be right."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(f"{reason}; {remedy}" if remedy else reason)
        self.reason = reason
        self.remedy = remedy


def shown(value: object) -> str:
    """``repr(value)``, or the size of an integer that Python refuses to write out (``sys.set_int_max_str_digits``)."""
    try:
        return repr(value)
    except ValueError:
        return f"an int of {value.bit_length()} bits" if isinstance(value, int) else f"a {type(value).__name__}"


class FieldError(ValueError):
    """An `Invalid` that knows its field. ``field`` is "" when the address as a whole is wrong."""

    def __init__(self, field: str, value: object, reason: str, remedy: str = "") -> None:
        self.field = field
        self.value = value
        self.reason = reason
        self.remedy = remedy
        written = escape(value if isinstance(value, str) else shown(value), 60)
        quoted = repr(written) if isinstance(value, str) else written
        # A reason that already quotes the value reads badly when the value stands before it again.
        if not written or written in reason:
            subject = field
        else:
            subject = f"{field} {quoted}" if field else quoted
            if not reason.startswith(("is ", "has ", "can't ")):
                subject += ":"
        super().__init__(f"{subject} {reason}".strip() + (f"; {remedy}" if remedy else ""))


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that CPython or the kernel accepts but a person rarely means."""

    field: str
    text: str


class Kind:
    """What one element of an address may be. Subclasses override what differs."""

    offers: Offers = ""
    """Which of the host's choices fit here; the interface asks the client for them."""

    def parse(self, text: str) -> object:
        """Read what a person typed. Raises `Invalid`."""
        raise NotImplementedError

    def show(self, value: object) -> str:
        """Write a value so that `parse` reads it back."""
        return str(value)

    def check(self, value: object) -> None:
        """Raise `Invalid` where CPython's parser would refuse the Python value."""

    def notices(self, value: object) -> Iterator[str]:
        """Sentences about a value that is accepted but rarely meant."""
        yield from ()


def typed(value: object) -> str:
    """``a str``, ``an int``: what a value is, for a sentence."""
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def as_index(value: object) -> int:
    """The value as CPython's integer formats take it: an int or anything with ``__index__``. Raises `Invalid`."""
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise Invalid(
            f"{typed(value)} is not an integer",
            "write the number without quotes" if isinstance(value, str | bytes) else "write a whole number",
        ) from None


@dataclass(frozen=True)
class Integer(Kind):
    """An integer of one of CPython's argument formats.

    ``wraps`` tells formats that mask silently (``B H I k K``) from ``i``, where the range is enforced. ``names``
    are the constants that people write instead of the number; ``flags`` allows several of them joined by ``|``.
    """

    low: int
    high: int
    wraps: bool = False
    names: Mapping[str, int] = field(default_factory=dict)
    flags: bool = False
    base: int = 10

    @property
    def offers(self) -> Offers:  # type: ignore[override]
        if self.names:
            return "flags" if self.flags else "names"
        return ""

    def parse(self, text: str) -> int:
        text = text.strip()
        if not text:
            raise Invalid("is empty", self.remedy())
        if self.flags and "|" in text:
            value = 0
            for part in text.split("|"):
                value |= self._one(part.strip())
        else:
            value = self._one(text)
        self.check(value)
        return value

    def _one(self, text: str) -> int:
        for name, value in self.names.items():
            if text.upper() in (name.upper(), short_name(name).upper()):
                return value
        try:
            return int(text, 0)
        except ValueError:
            pass
        if re.fullmatch(r"0[0-9]+", text):
            digits = text.lstrip("0")
            octal = f" or 0o{digits}" if re.fullmatch(r"[0-7]+", digits) else ""
            raise Invalid("a number with a leading zero is ambiguous", f"write {digits}{octal}")
        raise Invalid("is not a number", self.remedy())

    def remedy(self) -> str:
        """What would be right, in a few words."""
        named = f", or a name such as {next(iter(self.names))}" if self.names else ""
        if self.base == 16:
            return f"write 0x{self.low:x} to 0x{self.high:x}{named}"
        return f"write a number from {self.low} to {self.high}{named}"

    def show(self, value: object) -> str:
        number = as_index(value)
        if self.flags:
            rest, parts = number, []
            for name, bit in self.names.items():
                if bit and rest & bit == bit:
                    parts.append(short_name(name))
                    rest &= ~bit
            if parts and not rest:
                return "|".join(parts)
        else:
            for name, named in self.names.items():
                if named == number:
                    return name
        return f"0x{number:x}" if self.base == 16 and number >= 0 else str(number)

    def check(self, value: object) -> None:
        number = as_index(value)
        if not self.wraps and not self.low <= number <= self.high:
            raise Invalid(f"{shown(number)} is out of range", self.remedy())

    def notices(self, value: object) -> Iterator[str]:
        number = as_index(value)
        if self.wraps and not self.low <= number <= self.high:
            kept = number % (self.high + 1)
            if not (number == -1 and self.high == 2**32 - 1 and self.names):
                yield f"{shown(number)} does not fit {self.high.bit_length()} bits: CPython passes {kept} silently"


def short_name(name: str) -> str:
    """A constant without its prefix, for flags in a narrow form: ``RTMGRP_LINK`` → ``LINK``."""
    return name.partition("_")[2] or name


@dataclass(frozen=True)
class InterfaceName(Kind):
    """A network interface, by name, looked up with ``ioctl(SIOCGIFINDEX)``; ``struct ifreq`` keeps 15 bytes of it."""

    offers: Offers = "interfaces"

    def parse(self, text: str) -> str:
        name = text.strip()
        if not name:
            raise Invalid("is empty", "choose an interface; AF_PACKET has no name for all of them")
        self.check(name)
        return name

    def check(self, value: object) -> None:
        if not isinstance(value, str):
            raise Invalid(f"{typed(value)} is not a name", "write the interface's name as a str")
        if "\0" in value:
            raise Invalid("has an embedded null character", "take the NUL out of the name")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Invalid("can't be encoded as UTF-8", "take the lone surrogate out of the name") from None

    def notices(self, value: object) -> Iterator[str]:
        if not isinstance(value, str):
            return
        raw = value.encode("utf-8", "surrogatepass")
        if len(raw) > 15:
            yield f"CPython cuts the name to 15 bytes: {escape(raw[:15].decode('utf-8', 'replace'))!r}"
        if ":" in value:
            yield f"the kernel cuts the name at the colon: {escape(value.partition(':')[0])!r}"


@dataclass(frozen=True)
class HexBytes(Kind):
    """A hardware address: at most ``longest`` bytes, typed as hexadecimal digits."""

    longest: int = 8

    def parse(self, text: str) -> bytes:
        from sockexplorer.core.payload import PayloadError, from_hex

        try:
            value = from_hex(text)
        except PayloadError as error:
            raise Invalid(str(error)) from None
        self.check(value)
        return value

    def show(self, value: object) -> str:
        return bytes(value).hex(":") if isinstance(value, bytes | bytearray | memoryview) else str(value)

    def check(self, value: object) -> None:
        try:
            length = memoryview(value).nbytes  # type: ignore[arg-type]
        except TypeError:
            raise Invalid(f"{typed(value)} is not bytes", r"write b'\x02\x00…'") from None
        if length > self.longest:
            raise Invalid(f"has {length} bytes", f"a hardware address has at most {self.longest} here")


@dataclass(frozen=True)
class Field:
    """One input of an address form, and one element of its tuple.

    ``optional`` fields may be left out at the end of the tuple, where CPython fills in ``default``.
    """

    name: str
    kind: Kind
    default: str = ""
    help: str = ""
    optional: bool = False

    def parse(self, text: str) -> object:
        """Read the text of the input. Raises `FieldError`."""
        try:
            return self.kind.parse(text)
        except Invalid as error:
            raise FieldError(self.name, text, error.reason, error.remedy) from None

    def check(self, value: object) -> None:
        """Raise `FieldError` where CPython's parser would refuse the value."""
        try:
            self.kind.check(value)
        except Invalid as error:
            raise FieldError(self.name, value, error.reason, error.remedy) from None

    def notices(self, value: object) -> Iterator[Notice]:
        """What is accepted but rarely meant."""
        for text in self.kind.notices(value):
            yield Notice(self.name, text)
