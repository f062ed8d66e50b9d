"""Payloads as people type them: text with escapes, or hexadecimal digits."""

from __future__ import annotations

import re

_SIMPLE = {
    "n": b"\n", "r": b"\r", "t": b"\t", "0": b"\0", "a": b"\a", "b": b"\b",
    "e": b"\x1b", "f": b"\f", "v": b"\v", "\\": b"\\", '"': b'"', "'": b"'",
}  # fmt: skip
_HEX_LENGTH = {"x": 2, "u": 4, "U": 8}
_HEX_SEPARATORS = re.compile(r"[\s,;:|_-]+|0[xX]|\\x")


class PayloadError(ValueError):
    """A payload that can't be read; the message names the place and what would be right."""


def from_text(text: str) -> bytes:
    r"""Encode ``text`` as UTF-8, with ``\n \r \t \0 \e \xNN \uNNNN \UNNNNNNNN \\`` replaced.

    ``\xNN`` is one byte, whatever stands around it. Raises `PayloadError` for any other escape.
    """
    out = bytearray()
    at = 0
    while at < len(text):
        if text[at] == "\\":
            piece, length = _escape(text, at)
        else:
            piece, length = _plain(text[at], at), 1
        out += piece
        at += length
    return bytes(out)


def _plain(char: str, at: int) -> bytes:
    try:
        return char.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise PayloadError(f"character {at + 1} is a lone surrogate, which UTF-8 can't carry") from None


def _escape(text: str, at: int) -> tuple[bytes, int]:
    """What the escape at a place stands for, and how many characters it has. Raises `PayloadError`."""
    letter = text[at + 1 : at + 2]
    if not letter:
        raise PayloadError("a backslash ends the text; write \\\\ for a backslash")
    if letter in _SIMPLE:
        return _SIMPLE[letter], 2
    if letter not in _HEX_LENGTH:
        raise PayloadError(f"\\{letter} at character {at + 1} is no escape; write \\\\ for a backslash")
    length = _HEX_LENGTH[letter]
    digits = text[at + 2 : at + 2 + length]
    if len(digits) < length or not re.fullmatch(r"[0-9a-fA-F]+", digits):
        raise PayloadError(f"\\{letter} at character {at + 1} wants {length} hexadecimal digits")
    code = int(digits, 16)
    if letter == "x":
        return bytes((code,)), 2 + length
    if code > 0x10FFFF or 0xD800 <= code < 0xE000:
        raise PayloadError(f"\\{letter}{digits} at character {at + 1} is no character of Unicode")
    return chr(code).encode(), 2 + length


def from_hex(text: str) -> bytes:
    r"""Read hexadecimal digits in any of the usual dress: ``dead beef``, ``de:ad``, ``0xde, 0xad``, ``\xde\xad``.

    Raises `PayloadError` for another character, or for half a byte.
    """
    out = bytearray()
    for group in _HEX_SEPARATORS.split(text):
        if not group:
            continue
        if wrong := re.search(r"[^0-9a-fA-F]", group):
            raise PayloadError(f"{wrong[0]!r} is no hexadecimal digit; bytes look like 'de ad be ef'")
        if len(group) == 1:
            group = "0" + group
        if len(group) % 2:
            raise PayloadError(f"{group!r} has an odd number of digits; two make a byte")
        out += bytes.fromhex(group)
    return bytes(out)


def hex_lines(data: bytes | memoryview, start: int = 0, width: int = 16) -> list[tuple[int, str, str]]:
    """Rows of a hex dump: (offset, ``de ad …`` in two halves, the ASCII column with ``.`` for the rest)."""
    rows = []
    half = width // 2
    for at in range(0, len(data), width):
        part = bytes(data[at : at + width])
        cells = [f"{byte:02x}" for byte in part]
        left, right = " ".join(cells[:half]), " ".join(cells[half:])
        digits = f"{left:<{half * 3 - 1}}  {right:<{(width - half) * 3 - 1}}"
        ascii_column = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in part)
        rows.append((start + at, digits, ascii_column))
    return rows
