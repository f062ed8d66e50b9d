"""A frame as source code: bytes of Python, or an array of C."""

from __future__ import annotations


def as_python(number: int, payload: bytes, heading: str) -> str:
    """An assignment of a bytes literal; ``heading``, one line, is a comment above it."""
    return f"# {heading}\nframe_{number} = {payload!r}\n"


def as_c(number: int, payload: bytes, heading: str) -> str:
    """An array and its length (C has no empty array); ``heading`` is a comment above it."""
    # Neither begins nor ends a comment within it.
    comment = heading.replace("/*", "/ *").replace("*/", "* /")
    rows = [", ".join(f"0x{byte:02x}" for byte in payload[at : at + 12]) for at in range(0, len(payload), 12)]
    body = ",\n    ".join(rows or ["0"])
    return (
        f"/* {comment} */\nenum {{ frame_{number}_length = {len(payload)} }};\n"
        f"static const unsigned char frame_{number}[] = {{\n    {body}\n}};\n"
    )
