"""What the argument formats of CPython's ``PyArg_ParseTuple`` take, and what they raise for the rest.

Each function returns the converted value, or raises `Invalid` with the exception of ``Python/getargs.c`` (3.11 to
3.15). Formats: ``i`` ``I`` ``H`` ``B`` (`index`), ``k`` ``K`` (`integer`), ``s`` (`utf8`), ``O&`` with
``PyUnicode_FSConverter`` (`file_name`), ``y*`` (`buffer`).
"""

from __future__ import annotations

import operator
import os

from sockexplorer.core.faults import Invalid, Raises, typed

INT_MIN, INT_MAX = -(2**31), 2**31 - 1


def index(value: object) -> int:
    """An int or anything with ``__index__``, of any size."""
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        name = type(value).__name__
        raise Invalid(
            f"{typed(value)} is not an integer",
            "write the number without quotes" if isinstance(value, str | bytes) else "write a whole number",
            Raises("TypeError", f"'{name}' object cannot be interpreted as an integer"),
        ) from None


def integer(value: object, *, takes_index: bool) -> int:
    """An int; ``k`` and ``K`` take anything with ``__index__`` only since Python 3.14."""
    if isinstance(value, int) or (takes_index and hasattr(type(value), "__index__")):
        return operator.index(value)  # type: ignore[arg-type]
    name = "None" if value is None else type(value).__name__
    raise Invalid(
        f"{typed(value)} is not an int",
        "write a whole number",
        Raises("TypeError", f"argument {{n}} must be int, not {name}"),
    )


def utf8(value: object, otherwise: Raises) -> bytes:
    """A str without NUL that UTF-8 can carry; ``otherwise`` is raised for what is no str."""
    if not isinstance(value, str):
        raise Invalid(f"{typed(value)} is not a str", "write it in quotes, without b", otherwise)
    try:
        raw = value.encode()
    except UnicodeEncodeError as error:
        raise Invalid("can't be encoded as UTF-8", "take the lone surrogate out", encode_error(error)) from None
    if b"\0" in raw:
        raise Invalid(
            "has an embedded null character", "take the NUL out", Raises("ValueError", "embedded null character")
        )
    return raw


def file_name(value: object) -> bytes:
    """A str, bytes or path without NUL, in the file system's encoding."""
    try:
        raw = os.fsencode(value)  # type: ignore[arg-type]
    except TypeError as error:
        raise Invalid(f"{typed(value)} is not a name", "write a str", Raises("TypeError", str(error))) from None
    except UnicodeEncodeError as error:
        raise Invalid("can't be encoded", "take the lone surrogate out of the name", encode_error(error)) from None
    if b"\0" in raw:
        raise Invalid(
            "has an embedded null byte", "take the NUL out of the name", Raises("ValueError", "embedded null byte")
        )
    return raw


def buffer(value: object) -> bytes:
    """Any C-contiguous buffer."""
    name = type(value).__name__
    try:
        view = memoryview(value)  # type: ignore[arg-type]
    except TypeError:
        raise Invalid(
            f"{typed(value)} is not bytes",
            r"write b'\x02\x00…'",
            Raises("TypeError", f"a bytes-like object is required, not '{name}'"),
        ) from None
    if not view.c_contiguous:
        raise Invalid(
            "is a buffer with gaps",
            "write bytes",
            Raises("BufferError", f"{name}: underlying buffer is not C-contiguous"),
        )
    return view.tobytes()


def encode_error(error: UnicodeEncodeError) -> Raises:
    """As CPython's own, which is the same codec's."""
    return Raises("UnicodeEncodeError", str(error))
