"""Times of frames as people read them: local, with as many digits as there is room for."""

from __future__ import annotations

import time
from functools import lru_cache

from sockexplorer.capture.moments import UNTIMED


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(seconds))


def clock(nanoseconds: int, digits: int) -> str:
    """``21:04:11.120394`` of a time in ns since the epoch, with so many digits after the point; ``-`` for no time."""
    if nanoseconds == UNTIMED:
        return "-".ljust(9 + digits)
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{_second(seconds)}.{rest // 10 ** (9 - digits):0{digits}d}"


def date(nanoseconds: int) -> str:
    """``2026-03-01`` of a time in ns since the epoch, local."""
    return time.strftime("%Y-%m-%d", time.localtime(nanoseconds // 1_000_000_000))


def amount(value: float) -> str:
    """``1.2k``: a number in at most five cells."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            short = f"{value / size:.1f}"
            return f"{short if len(short) <= 4 else f'{value / size:.0f}'}{unit}"
    return f"{value:.0f}"


def rate(value: float) -> str:
    """``1.2k/s``: a number a second in at most seven cells."""
    return f"{amount(value)}/s"


def count(value: int) -> str:
    """A number with its thousands apart."""
    return f"{value:,}"


def frames(value: int) -> str:
    """``1 frame``, ``2,000 frames``."""
    return f"{count(value)} frame{'s' * (value != 1)}"


def size(value: int) -> str:
    """Bytes in KiB, MiB or GiB where that is shorter."""
    number = float(value)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024 or unit == "GiB":
            return f"{number:.0f} {unit}" if unit == "B" or number >= 10 else f"{number:.1f} {unit}"
        number /= 1024
    return ""
