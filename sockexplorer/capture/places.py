"""The row that a person means by a number, a share of all rows, or a time."""

from __future__ import annotations

import re
from typing import Protocol

from sockexplorer.capture.moments import DAY, SECOND, UNTIMED, clock_of, read_time
from sockexplorer.core.text import escape

_NUMBER = re.compile(r"\d{1,3}(?:[,_' ]\d{3})+\Z|\d+\Z", re.ASCII)
_SHARE = re.compile(r"(\d{1,3})\s*%\Z", re.ASCII)
_SECONDS = re.compile(r"\+(\d{1,9})(?:[.,](\d{1,9}))?\Z", re.ASCII)
EXAMPLES = "1234, 50%, 14:05:30, +12.5"


class Rows(Protocol):
    """A log, as far as it matters here."""

    end: int

    @property
    def first(self) -> int: ...
    def time(self, number: int) -> int: ...
    def since(self, time: int) -> int: ...


def row_of(text: str, log: Rows, beside: int | None, began: int) -> int:
    """The number of the row that is meant, or of the first that is as late as a time (see `read_time`).

    ``beside`` is the row whose day is that of a time of day, None for the first; ``began`` the time that seconds count
    from, in ns since the epoch. Raises ValueError with a sentence, for an empty log as well.
    """
    text = text.strip()
    if log.first == log.end:
        raise ValueError("there is no row")
    if _NUMBER.match(text):
        number = int(re.sub(r"\D", "", text))
        if not log.first <= number < log.end:
            raise ValueError(f"there is no row {number:,}: they go from {log.first:,} to {log.end - 1:,}")
        return number
    if found := _SHARE.match(text):
        share = int(found[1])
        if share > 100:
            raise ValueError(f"{share}% is more than all rows")
        return log.first + (log.end - 1 - log.first) * share // 100
    number = log.since(_time(text, log, beside, began))
    if number == log.end or log.time(number) == UNTIMED:
        raise ValueError("no row is as late as that")
    return number


def _time(text: str, log: Rows, beside: int | None, began: int) -> int:
    if found := _SECONDS.match(text):
        if began == UNTIMED:
            raise ValueError("the first row has no time to count from: write the date as well")
        return began + int(found[1]) * SECOND + int((found[2] or "").ljust(9, "0"))
    try:
        moment = read_time(text)
    except ValueError:
        what = f"{escape(text, 40)} is neither a row nor a time" if text else "a row or a time"
        raise ValueError(f"{what}: {EXAMPLES}") from None
    if not moment.of_day:
        return moment.nanoseconds
    here = log.time(log.first if beside is None else beside)
    if here == UNTIMED:
        raise ValueError("the row has no time: write the date as well, as in 2026-07-28T14:05:30")
    return here - clock_of(here) % DAY + moment.nanoseconds
