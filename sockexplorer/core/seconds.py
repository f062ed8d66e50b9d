"""A kind of field for how long a call may wait."""

from __future__ import annotations

from dataclasses import dataclass

from sockexplorer.core.faults import Invalid
from sockexplorer.core.fields import Kind

LONGEST = 1e9


@dataclass(frozen=True)
class Seconds(Kind):
    """A timeout as ``settimeout()`` takes it: nothing or ``none`` for a socket that blocks, 0 for one that does not."""

    def read(self, text: str) -> float | None:
        text = text.strip().lower()
        if text in ("", "none", "blocking"):
            return None
        try:
            value = float(text)
        except ValueError:
            raise Invalid("is no number of seconds", self.remedy()) from None
        if not 0 <= value <= LONGEST:
            raise Invalid("is out of range", self.remedy())
        return value

    def remedy(self) -> str:
        """What would be right, in a few words."""
        return "write seconds such as 2.5, 0 for a socket that does not block, or nothing for one that does"

    def takes(self) -> str:
        return "seconds; 0 does not block, nothing blocks"

    def show(self, value: object) -> str:
        return f"{value:g}" if isinstance(value, int | float) else ""


def mode(timeout: float | None) -> str:
    """How a socket with this timeout waits, in a word or two."""
    if timeout is None:
        return "blocking"
    return "non-blocking" if timeout == 0 else f"timeout {timeout:g} s"
