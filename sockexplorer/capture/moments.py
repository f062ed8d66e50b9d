"""Times as a person writes them into a filter."""

from __future__ import annotations

import re
import time
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

SECOND = 1_000_000_000
UNTIMED = 2**64 - 1
"""The time of a frame for which its capture has none: none that can be shown is as late."""
QUARTER, DAY = 900 * SECOND, 86400 * SECOND
_OF_DAY = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\Z", re.ASCII)
_EPOCH = re.compile(r"(\d{1,10})(?:[.,](\d{1,9}))?\Z", re.ASCII)
_FRACTION = re.compile(r"([^:]*:\d{2}:\d{2})[.,](\d{1,9})(?=\D|\Z)", re.ASCII)
"""Of the seconds, ahead of an offset."""


class Moment(NamedTuple):
    """Nanoseconds since the epoch, or since midnight for a time of day."""

    nanoseconds: int
    of_day: bool = False


def read_time(text: str) -> Moment:
    """``14:05``, ``14:05:30.25``, ``2026-07-28``, ``2026-07-28T14:05:30.123456789+02:00``, seconds since the epoch.

    Without an offset it is the time of here. Raises ValueError.
    """
    if found := _OF_DAY.match(text):
        hours, minutes, seconds, fraction = found.groups()
        if int(hours) > 23 or int(minutes) > 59 or int(seconds or 0) > 59:
            raise ValueError(text)
        whole = int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0)
        return Moment(whole * SECOND + _nanoseconds(fraction), of_day=True)
    if found := _EPOCH.match(text):
        return Moment(int(found[1]) * SECOND + _nanoseconds(found[2]))
    # datetime keeps microseconds only; fractions of anything else are not understood.
    fraction = _FRACTION.match(text)
    plain = fraction[1] + text[fraction.end() :] if fraction else text
    if "." in plain or "," in plain:
        raise ValueError(text)
    try:
        when = datetime.fromisoformat(plain).astimezone()
    except (OverflowError, OSError):
        raise ValueError(text) from None
    return Moment(int(when.timestamp()) * SECOND + _nanoseconds(fraction[2] if fraction else None))


def _nanoseconds(fraction: str | None) -> int:
    return int(fraction.ljust(9, "0")) if fraction else 0


def clock_of(when: int) -> int:
    """The time of day, ns since midnight, of a time in ns since the epoch."""
    return (when + offset_of(when // QUARTER)) % DAY


@lru_cache(maxsize=4096)
def offset_of(quarter: int) -> int:
    """Nanoseconds that the clocks of here are ahead of UTC, in a quarter of an hour counted since the epoch."""
    try:
        return time.localtime(quarter * 900).tm_gmtoff * SECOND
    except (OverflowError, OSError, ValueError):
        return 0
