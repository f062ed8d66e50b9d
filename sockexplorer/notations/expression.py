"""Values of Python expressions as they stand in code: literals, constants by name, a few harmless calls.

Nothing is evaluated by Python: the tree is walked, and what is not known here is no value.
"""

from __future__ import annotations

import ast
import socket
import warnings
from functools import cache

from sockexplorer.core.constants import number
from sockexplorer.core.fields import Integer
from sockexplorer.families import all_families

_SWAPS = {"htons": socket.htons, "ntohs": socket.ntohs}
_WIDEST_SHIFT = 64


class Unknown(Exception):
    """An expression whose value is not to be had without running it."""


def parse(text: str) -> ast.Module:
    """The tree of a text that may be Python. Raises `Unknown`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" warns on stderr, which is somebody's screen
            return ast.parse(text)
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        raise Unknown(text[:60]) from None


def literal(text: str) -> object:
    """The value of a text that is one expression. Raises `Unknown`."""
    body = parse(text).body
    if len(body) != 1 or not isinstance(body[0], ast.Expr):
        raise Unknown(text[:60])
    return value(body[0].value)


def value(node: ast.expr) -> object:
    """The value of an expression: a literal, a tuple, a constant by name, sums and ors of them. Raises `Unknown`."""
    try:
        found = _value(node)
        # Addresses travel as literals: a number too long to be written in decimal ends here.
        repr(found)
    except (RecursionError, ValueError):
        raise Unknown("nested too deeply, or too long") from None
    return found


def _value(node: ast.expr) -> object:
    match node:
        case ast.Constant(value=str() | bytes() | int() | float() | None as constant):
            return constant
        case ast.Tuple(elts=elements):
            return tuple(map(_value, elements))
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return named(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_integer(operand)
        case ast.BinOp(left=left, op=operator, right=right):
            return _combined(_value(left), operator, _value(right))
        case ast.Call(func=function, args=[argument], keywords=[]):
            return _called(function, argument)
    raise Unknown(type(node).__name__)


def _integer(node: ast.expr) -> int:
    found = _value(node)
    if isinstance(found, int):
        return found
    raise Unknown("no integer")


def _combined(left: object, operator: ast.operator, right: object) -> object:
    match left, operator, right:
        case int(), ast.BitOr(), int():
            return left | right
        case int(), ast.Add(), int():
            return left + right
        case int(), ast.LShift(), int() if 0 <= right <= _WIDEST_SHIFT:
            return left << right
        case bytes(), ast.Add(), bytes():
            return left + right
        case str(), ast.Add(), str():
            return left + right
    raise Unknown(type(operator).__name__)


def _called(function: ast.expr, argument: ast.expr) -> object:
    name = called(function)
    found = _value(argument)
    if name in _SWAPS and isinstance(found, int) and 0 <= found <= 0xFFFF:
        return _SWAPS[name](found)
    if name in ("bytearray", "bytes", "memoryview") and isinstance(found, bytes):
        return found
    raise Unknown(name)


def called(function: ast.expr) -> str:
    """The last name of what is called: ``bind`` of ``self.sock.bind``; "" for anything else."""
    match function:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def named(name: str) -> int:
    """The number of a constant of `socket`, of the kernel's headers, or of a field of a family. Raises `Unknown`."""
    if name.isidentifier() and name.isupper():
        try:
            return number(name)
        except KeyError:
            if name in _field_names():
                return _field_names()[name]
    raise Unknown(name)


@cache
def _field_names() -> dict[str, int]:
    """The constants that the families' fields take instead of numbers."""
    found: dict[str, int] = {}
    for family in all_families():
        for protocol in family.protocols:
            for field in family.fields(protocol):
                if isinstance(field.kind, Integer):
                    found |= field.kind.names
    return found
