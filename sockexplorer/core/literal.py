"""Python literals as people and programs write them."""

from __future__ import annotations

import ast
import warnings


def read_literal(text: str) -> object:
    """The value of a literal: str, bytes, numbers, tuples and their like. Raises ValueError for anything else.

    What can't be written back (``1e999``, an endless number) is refused as well, since addresses travel as literals.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" warns on stderr, which is somebody's screen
            value: object = ast.literal_eval(text.strip())
            ast.literal_eval(repr(value))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise ValueError("is not a Python literal") from None
    return value
