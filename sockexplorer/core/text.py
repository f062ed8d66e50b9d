"""The door: everything that came from outside passes here before it is displayed.

A terminal acts on control characters wherever they come from, and a reader is misled by characters that
have no width or that reorder the line. What leaves these functions is printable, on one line, and takes
exactly the cells that it seems to take.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

PREVIEW_BYTES = 512
"""How much of a frame a row ever looks at: longer text costs time and is cut by the screen anyway."""

_SAFE_ASCII = re.compile(r"[\x20-\x7e]*\Z")
# Hangul jamo that join the syllable before them, fillers, and skin tones that join the emoji before them: printable
# for Python, no cell of their own on a terminal.
_ZERO_WIDTH_LETTERS = frozenset(
    [0x115F, 0x3164, 0xFFA0, *range(0x1160, 0x1200), *range(0xD7B0, 0xD800), *range(0x1F3FB, 0x1F400)],
)


def _shown(char: str) -> bool:
    """Whether a terminal shows the character as itself, in a cell of its own."""
    return (
        char.isprintable()
        and unicodedata.category(char) not in ("Mn", "Me", "Mc")
        and ord(char) not in _ZERO_WIDTH_LETTERS
    )


@lru_cache(maxsize=4096)
def _escaped(char: str) -> str:
    if _shown(char):
        return char
    code = ord(char)
    if code < 0x100:
        return {9: r"\t", 10: r"\n", 13: r"\r"}.get(code) or f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _typed(char: str) -> str:
    """As `_escaped`, but never ``\\xNN`` for a character of two bytes: that stands for one byte when typed back."""
    if "\x80" <= char <= "\xff" and not _shown(char):
        return f"\\u{ord(char):04x}"
    return _escaped(char)


def escape(text: str, limit: int | None = None) -> str:
    """Return ``text`` with every character that a terminal could act on written as a Python escape.

    A backslash stays as it is: use it for names and messages; `preview` is for payloads. With ``limit``
    the result is cut to so many characters, the last being ``…``.
    """
    cut = limit is not None and len(text) > limit
    if cut:
        text = text[:limit]
    if not _SAFE_ASCII.match(text):
        text = "".join(map(_escaped, text))
    if limit is not None and (cut or len(text) > limit):
        return text[: max(limit - 1, 0)] + "…"[:limit]
    return text


def preview(data: bytes | memoryview, limit: int = PREVIEW_BYTES) -> str:
    r"""One safe line for a payload: text as text, anything else as ``\xNN``, a backslash doubled.

    The line is what stands between the quotes of a Python literal, so it can be typed back. Bytes are
    read as UTF-8 where they are UTF-8; at most ``limit`` bytes are looked at, and ``…`` says that there was more.
    """
    head = bytes(data[:limit])
    text = head.decode("utf-8", "surrogateescape").replace("\\", "\\\\")
    if not _SAFE_ASCII.match(text):
        text = "".join(
            f"\\x{ord(char) - 0xDC00:02x}" if "\udc80" <= char <= "\udcff" else _typed(char) for char in text
        )
    return text + "…" if len(data) > limit else text
