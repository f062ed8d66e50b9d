"""How much of a session's traffic is kept, and where: options of the explorer."""

from __future__ import annotations

import re
from pathlib import Path

import click

UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}
LEAST = 2**20
ALL = "all"


class SizeType(click.ParamType):  # type: ignore[type-arg]  # generic for type checkers only
    """``256M``: bytes with K, M or G for their powers of 1024; ``all`` is None."""

    name = "size"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | str:  # fmt: skip
        if isinstance(value, int) or value == ALL:
            return ALL if value == ALL else int(str(value))
        text = str(value)
        found = re.fullmatch(r"(\d{1,12})([KMG]?)(i?B)?", text, re.ASCII | re.IGNORECASE)
        if found is None:
            self.fail(f"{text!r} is no size; write 256M, 4G, or all", param, ctx)
        size = int(found[1]) * UNITS[found[2].upper()]
        if size < LEAST:
            self.fail(f"{text} is less than 1M, which a burst fills", param, ctx)
        return size


def limit(keep: int | str | None, keep_in: Path | None, usual: int) -> int | None:
    """The bytes that a log keeps, None for all: what was asked for, else all in files, ``usual`` in memory."""
    if keep == ALL:
        return None
    if isinstance(keep, int):
        return keep
    return usual if keep_in is None else None
