"""A kind of field whose value is bytes: a key, an IV, the structure of a socket option."""

from __future__ import annotations

from dataclasses import dataclass

from sockexplorer.core.faults import Invalid
from sockexplorer.core.fields import Kind
from sockexplorer.core.literal import read_literal
from sockexplorer.core.payload import PayloadError, from_hex


@dataclass(frozen=True)
class Octets(Kind):
    """Bytes, typed as hexadecimal digits, or as text in quotes (UTF-8); ``shortest`` to ``longest`` of them."""

    shortest: int = 0
    longest: int = 65535
    wide: bool = True

    def read(self, text: str) -> bytes:
        text = text.strip()
        if text[:1] in ("'", '"') or text[:2].lower() in ("b'", 'b"'):
            return self._quoted(text)
        try:
            return from_hex(text)
        except PayloadError as error:
            raise Invalid(str(error), self.remedy()) from None

    def _quoted(self, text: str) -> bytes:
        try:
            value = read_literal(text)
            if isinstance(value, bytes):
                return value
            if isinstance(value, str):
                return value.encode()
            raise ValueError(text)
        except ValueError:
            raise Invalid("is no text in quotes", self.remedy()) from None

    def remedy(self) -> str:
        """What would be right, in a few words."""
        return "write hexadecimal digits such as 00 11 22 ff, or text in quotes"

    def takes(self) -> str:
        if self.shortest == self.longest:
            span = f"{self.longest} bytes"
        elif self.shortest:
            span = f"{self.shortest} to {self.longest} bytes"
        else:
            span = f"at most {self.longest} bytes"
        return f"{span}: hexadecimal digits, or text in quotes"

    def show(self, value: object) -> str:
        return bytes(value).hex(" ") if isinstance(value, bytes | bytearray | memoryview) else str(value)

    def check(self, value: object) -> None:
        if not isinstance(value, bytes | bytearray | memoryview):
            raise Invalid("is not bytes", self.remedy())
        length = len(bytes(value))
        if not self.shortest <= length <= self.longest:
            raise Invalid(f"has {length} bytes", f"write {self.takes()}")
