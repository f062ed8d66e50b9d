"""What is wrong with an address, or only odd: for people in words, and as the exception that CPython raises.

Every refusal carries both. `Raises` is exact to the letter, since it decides alone where the running interpreter was
built without a family; `Invalid` and `FieldError` say which element it was, why, and what would be right.
"""

from __future__ import annotations

from dataclasses import dataclass

from sockexplorer.core.text import escape

CONVERT, LOOK_UP, RANGE, LAST = range(4)
"""When ``getsockaddrarg()`` notices: it converts all elements from left to right, then asks for interfaces and hosts,
then looks at ranges (and at some of them last). The first fault in this order is the one that is raised."""


@dataclass(frozen=True, slots=True)
class Raises:
    """An exception of CPython's parser. In ``message`` ``{call}`` is the method, ``{n}`` an element's place from 1."""

    exception: str
    message: str
    phase: int = CONVERT

    def text(self, call: str) -> str:
        """The message as ``str(exception)`` gives it when the method ``call`` was used."""
        return self.message.replace("{call}", call)

    def at(self, number: int) -> Raises:
        """The same of the element with that number."""
        return Raises(self.exception, self.message.replace("{n}", str(number)), self.phase)


class Invalid(ValueError):
    """A value that a kind refuses: ``reason`` says why, ``remedy`` what would be right, ``raises`` what CPython does.

    ``raises`` is None for a text that can't be read, since CPython never sees it.
    """

    def __init__(self, reason: str, remedy: str = "", raises: Raises | None = None) -> None:
        super().__init__(f"{reason}; {remedy}" if remedy else reason)
        self.reason = reason
        self.remedy = remedy
        self.raises = raises


class FieldError(ValueError):
    """An `Invalid` that knows its field. ``field`` is "" when the address as a whole is wrong."""

    def __init__(self, field: str, value: object, reason: str, remedy: str = "", raises: Raises | None = None) -> None:
        self.field = field
        self.value = value
        self.reason = reason
        self.remedy = remedy
        self.raises = raises
        written, quoted = _quoted(value)
        # A reason that already quotes the value reads badly when the value stands before it again.
        if not written or written in reason:
            subject = field
        else:
            subject = f"{field} {quoted}" if field else quoted
            if not reason.startswith(_PREDICATES):
                subject += ":"
        super().__init__(f"{subject} {reason}".strip() + (f"; {remedy}" if remedy else ""))

    @property
    def told(self) -> str:
        """The reason with the value, for a sentence that names the field already."""
        written, quoted = _quoted(self.value)
        if not self.field or not written or written in self.reason or not self.reason.startswith(_PREDICATES):
            return self.reason
        return f"{quoted} {self.reason}"


_PREDICATES = ("is ", "has ", "can't ")


def _quoted(value: object) -> tuple[str, str]:
    """The value as text, short and printable, and the same in quotes where it is a str."""
    written = escape(value if isinstance(value, str) else shown(value), 60)
    return written, repr(written) if isinstance(value, str) else written


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that CPython or the kernel accepts but a person rarely means."""

    field: str
    text: str

    def __str__(self) -> str:
        return f"{self.field}: {self.text}" if self.field else self.text


def shown(value: object) -> str:
    """``repr(value)``, or the size of an integer that Python refuses to write out (``sys.set_int_max_str_digits``)."""
    try:
        return repr(value)
    except ValueError:
        return f"an int of {value.bit_length()} bits" if isinstance(value, int) else f"a {type(value).__name__}"


def typed(value: object) -> str:
    """``a str``, ``an int``: what a value is, for a sentence."""
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
