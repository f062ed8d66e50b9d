"""Python literals as people and programs write them."""

from __future__ import annotations

import ast
import re
import warnings

_SIMPLE = re.compile(
    r"\(('[\w.:%@/+?-]*'|0|[1-9]\d{0,17})((?:, (?:0|[1-9]\d{0,17}))+)"
    r"(?:, b'((?:[ -&(-\[\]-~]|\\(?:x[0-9a-f]{2}|[nrt\\]))*)')?\)",
    re.ASCII,
)
"""An address of most families: a name or a number, numbers, and perhaps bytes. Large files have thousands of them."""


def read_literal(text: str) -> object:
    """The value of a literal: str, bytes, numbers, tuples and their like. Raises ValueError for anything else."""
    if simple := _SIMPLE.fullmatch(text):
        first, rest, octets = simple.groups()
        numbers = first[1:-1] if first[0] == "'" else int(first), *map(int, rest.split(", ")[1:])
        return numbers if octets is None else (*numbers, octets.encode().decode("unicode_escape").encode("latin-1"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" warns on stderr, which is somebody's screen
            value: object = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise ValueError("is not a Python literal") from None
    return value


def travelling_literal(text: str) -> object:
    """As `read_literal`, for a value that is written again to travel: ``1e999`` and endless numbers can't be."""
    value = read_literal(text)
    try:
        read_literal(repr(value))
    except ValueError:
        raise ValueError("can't be written as a Python literal again") from None
    return value
