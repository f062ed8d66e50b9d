"""Fields of an address: what one element may be, as text in a form and as a Python value.

A `Kind` knows a sort of element (an integer of a C format, an interface name, a host); a `Field` gives it a
name, a default and a sentence of help. Kinds are as strict as CPython's ``getsockaddrarg()`` (socketmodule.c),
no stricter: what CPython takes but hardly anyone means is a `Notice`, never a refusal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sockexplorer.core import cformats
from sockexplorer.core.faults import RANGE, FieldError, Invalid, Notice, Raises, shown
from sockexplorer.core.text import escape


class Kind:
    """What one element of an address may be. Subclasses override what differs."""

    wide: bool = False
    """Whether it wants a line of a form to itself."""

    offers: str = ""
    """Which of the host's choices fit here, by the name that `sockexplorer.client.offers` has for them."""

    def read(self, text: str) -> object:
        """The value that a person typed, whether CPython accepts it or not. Raises `Invalid` for what is none."""
        raise NotImplementedError

    def parse(self, text: str) -> object:
        """Read, and check. Raises `Invalid`."""
        value = self.read(text)
        self.check(value)
        return value

    def show(self, value: object) -> str:
        """Write a value so that `read` gives it back."""
        return str(value)

    def check(self, value: object) -> None:
        """Raise `Invalid` where CPython's parser would refuse the Python value."""

    def notices(self, value: object) -> Iterator[str]:
        """Sentences about a value that is accepted but rarely meant."""
        yield from ()

    def takes(self) -> str:
        """What may be written, in a few words for the help; "" where the field's own help says it."""
        return ""


@dataclass(frozen=True)
class Integer(Kind):
    """An integer. ``wraps`` tells that CPython masks it silently (``B H I``): only its type can be wrong then.

    ``names`` are the constants that people write instead of the number; ``flags`` allows several joined by ``|``.
    """

    low: int
    high: int
    wraps: bool = False
    names: Mapping[str, int] = field(default_factory=dict)
    flags: bool = False
    base: int = 10
    choices: str = ""
    """What of this host's is offered instead of the names."""
    format_bits: int = 0
    """How wide the parser's format is, where that is wider than what the kernel keeps."""

    @property
    def offers(self) -> str:  # type: ignore[override]
        if self.choices:
            return self.choices
        if self.names:
            return "flags" if self.flags else "names"
        return ""

    def read(self, text: str) -> int:
        text = text.strip()
        if not text:
            raise Invalid("is empty", self.remedy())
        if self.flags and "|" in text:
            value = 0
            for part in text.split("|"):
                try:
                    value |= self._one(part.strip())
                except Invalid as error:
                    raise Invalid(f"has {escape(part.strip(), 40)!r}, which {error.reason}", error.remedy) from None
        else:
            value = self._one(text)
        return value

    def _one(self, text: str) -> int:
        wanted = text.upper()
        ends = {value for name, value in self.names.items() if f"_{name}".upper().endswith(f"_{wanted}")}
        exact = {value for name, value in self.names.items() if wanted in (name.upper(), short_name(name).upper())}
        for found in (exact, ends):
            if wanted and len(found) == 1:
                return found.pop()
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

    def takes(self) -> str:
        few = " | ".join(self.names) if len(self.names) <= 4 else "a name from the list"
        named = f"{few}, or " if self.names else ""
        span = f"0x{self.low:x} to 0x{self.high:x}" if self.base == 16 else f"{self.low} to {self.high}"
        return f"{named}{span}"

    def show(self, value: object) -> str:
        number = cformats.index(value)
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

    def convert(self, value: object) -> int:
        """The int that the argument format makes of a value, before it is masked. Raises `Invalid`."""
        return cformats.index(value)

    @property
    def enforced(self) -> bool:
        """Whether CPython refuses what is out of range."""
        return not self.wraps

    def check(self, value: object) -> None:
        number = self.convert(value)
        if self.enforced and not self.low <= number <= self.high:
            raise self.outside(number)

    def outside(self, number: int, raises: Raises | None = None) -> Invalid:
        """The refusal of a number that is too small or too large."""
        return Invalid(f"{shown(number)} is out of range", self.remedy(), raises)

    def kept(self, value: object) -> int:
        """What the kernel gets of an accepted value: its low bits."""
        return self.convert(value) & ((1 << self.high.bit_length()) - 1)

    def notices(self, value: object) -> Iterator[str]:
        number = cformats.index(value)
        if number == -1 and self.high in self.names.values():
            return  # C's way to write VMADDR_CID_ANY and its like
        if not self.enforced and not self.low <= number <= self.high:
            bits = self.high.bit_length()
            wide = self.format_bits or bits
            later = " (3.15 warns)" if self.wraps and not -(2 ** (wide - 1)) <= number < 2**wide else ""
            yield f"{shown(number)} does not fit {bits} bits: CPython passes {self.kept(number)} silently{later}"


@dataclass(frozen=True)
class CInt(Integer):
    """``i``: beyond a C int ``overflow`` is raised; outside of ``low`` to ``high`` ``range_``, where there is one.

    Without ``range_`` the low bits are stored and the rest is lost.
    """

    overflow: Raises = Raises("OverflowError", "signed integer is out of range")  # noqa: RUF009 - it is frozen
    range_: Raises | None = None

    @property
    def enforced(self) -> bool:
        return self.range_ is not None

    def check(self, value: object) -> None:
        number = self.convert(value)
        if not cformats.INT_MIN <= number <= cformats.INT_MAX:
            raise self.outside(number, self.overflow)
        if self.range_ is not None and not self.low <= number <= self.high:
            raise self.outside(number, self.range_)


@dataclass(frozen=True)
class Masked(Integer):
    """``k`` or ``K``: an int, or since Python 3.14 (``takes_index``) anything with ``__index__``; masked."""

    takes_index: bool = False

    def convert(self, value: object) -> int:
        return cformats.integer(value, takes_index=self.takes_index)


def short_name(name: str) -> str:
    """A constant without its prefix, for flags in a narrow form: ``RTMGRP_LINK`` → ``LINK``."""
    return name.partition("_")[2] or name


@dataclass(frozen=True)
class InterfaceName(Kind):
    """A network interface, by name, looked up with ``ioctl(SIOCGIFINDEX)``; ``struct ifreq`` keeps 15 bytes of it."""

    wrong_type: Raises
    offers: str = "interfaces"

    def read(self, text: str) -> str:
        name = text.strip()
        if not name:
            raise Invalid("is empty", "choose an interface")
        return name

    def takes(self) -> str:
        return "an interface's name, of which 15 bytes count"

    def check(self, value: object) -> None:
        cformats.utf8(value, self.wrong_type)

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

    def read(self, text: str) -> bytes:
        from sockexplorer.core.payload import PayloadError, from_hex

        try:
            return from_hex(text)
        except PayloadError as error:
            raise Invalid(str(error)) from None

    def takes(self) -> str:
        return f"at most {self.longest} bytes as hexadecimal digits, such as 02:00:00:00:00:01"

    def show(self, value: object) -> str:
        return bytes(value).hex(":") if isinstance(value, bytes | bytearray | memoryview) else str(value)

    def check(self, value: object) -> None:
        length = len(cformats.buffer(value))
        if length > self.longest:
            raise Invalid(
                f"has {length} bytes",
                f"a hardware address has at most {self.longest} here",
                Raises("ValueError", f"Hardware address must be {self.longest} bytes or less", RANGE),
            )


@dataclass(frozen=True)
class Field:
    """One input of an address form, and one element of its tuple.

    ``names_a_peer`` tells that a peer's address needs it, though it may be empty in one to bind. ``optional`` fields
    may be left out at the end of the tuple, where CPython fills in ``default``. ``pitfall`` is
    what usually goes wrong with it, as a sentence.
    """

    name: str
    kind: Kind
    default: str = ""
    help: str = ""
    optional: bool = False
    pitfall: str = ""
    names_a_peer: bool = False

    def read(self, text: str) -> object:
        """The value of the input's text, whether CPython accepts it or not. Raises `FieldError` for what is none."""
        try:
            return self.kind.read(text)
        except Invalid as error:
            raise FieldError(self.name, text, error.reason, error.remedy, error.raises) from None

    def parse(self, text: str) -> object:
        """Read the text of the input, and check. Raises `FieldError`."""
        try:
            return self.kind.parse(text)
        except Invalid as error:
            raise FieldError(self.name, text, error.reason, error.remedy, error.raises) from None

    def check(self, value: object) -> None:
        """Raise `FieldError` where CPython's parser would refuse the value."""
        try:
            self.kind.check(value)
        except Invalid as error:
            raise FieldError(self.name, value, error.reason, error.remedy, error.raises) from None

    def notices(self, value: object) -> Iterator[Notice]:
        """What is accepted but rarely meant."""
        for text in self.kind.notices(value):
            yield Notice(self.name, text)
