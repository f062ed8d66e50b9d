"""The rates of the last seconds as sparklines: received, sent, dropped."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from textual.content import Content
from textual.widgets import Static

from sockexplorer.client.session import Session

SAMPLE_SECONDS = 0.5
BLOCKS = "▁▂▃▄▅▆▇█"
SAMPLES = 24
CELLS = ((118, 12), (100, 8), (0, 5))
"""From which width of the pane on each sparkline has how many cells."""
WIDE = 100
"""Cells from which on drops have their place though there are none."""


class Totals(NamedTuple):
    """Frames since the session began."""

    received: int
    sent: int
    dropped: int


class Rate(NamedTuple):
    """Frames a second."""

    received: float
    sent: float
    dropped: float


class History:
    """The rates of one session, sampled when `sample` is called."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._last = self._totals()
        self.rates: deque[Rate] = deque([Rate(0.0, 0.0, 0.0)] * SAMPLES, maxlen=SAMPLES)

    def _totals(self) -> Totals:
        log = self._session.log
        return Totals(log.received, log.sent, log.dropped + self._session.drops)

    def sample(self, seconds: float) -> None:
        """Take the rate of the last so many seconds."""
        now, last = self._totals(), self._last
        received, sent, dropped = (new - old for new, old in zip(now, last, strict=True))
        # Of packets it may be told long after they came that they were sent: nothing comes or goes then.
        came = max(0, received + sent)
        sent = min(max(0, sent), came)
        self.rates.append(Rate((came - sent) / seconds, sent / seconds, max(0, dropped) / seconds))
        self._last = now

    @property
    def now(self) -> float:
        """Frames a second in both directions."""
        return self.rates[-1].received + self.rates[-1].sent

    @property
    def lossy(self) -> bool:
        """Whether anything was dropped since the session began."""
        return self._last.dropped > 0


class Histories:
    """The rates of all sessions, by their numbers."""

    def __init__(self) -> None:
        self._of: dict[int, History] = {}
        self._sampled = time.monotonic()

    def sample(self, sessions: Mapping[int, Session]) -> bool:
        """Take the rates, unless that was a moment ago; whether they were taken."""
        now = time.monotonic()
        passed = now - self._sampled
        if passed < SAMPLE_SECONDS:
            return False
        self._sampled = now
        for number, session in sessions.items():
            if number in self._of:
                self._of[number].sample(passed)
            else:
                self._of[number] = History(session)
        return True

    def of(self, session: Session | None) -> History | None:
        """Those of a session that lives."""
        return self._of.get(session.number) if session is not None and session.live else None


class RatesLine(Static):
    """``← ▁▂▅ → ▁▁▂ ⚠ ▁▁▁``; received and sent share a scale. Where there is little room drops stand only if any."""

    def __init__(self) -> None:
        super().__init__(id="rates")

    def show(self, history: History | None, width: int) -> None:
        """Show the rates of a session in a pane of so many cells."""
        self.display = history is not None
        if history is None:
            return
        cells = next(cells for least, cells in CELLS if width >= least)
        rates = list(history.rates)[-cells:]
        top = max(max(each.received, each.sent) for each in rates)
        parts: list[tuple[str, str]] = [
            (f"←{bars([each.received for each in rates], top)} ", "$text-primary"),
            (f"→{bars([each.sent for each in rates], top)}", "$text-accent"),
        ]
        if width >= WIDE or history.lossy:
            style = "$text-error" if history.lossy else "$foreground-muted"
            parts.append((f" ⚠{bars([each.dropped for each in rates])}", style))
        content = Content.assemble(*parts)
        if content != self.content:
            self.styles.width = content.cell_length
            self.update(content, layout=False)


def bars(values: Iterable[float], top: float = 0.0) -> str:
    """A block for each value, the lowest for 0 only; ``top`` is full height, by default the highest value."""
    known: Sequence[float] = list(values)
    top = top or max(known, default=0.0)
    return "".join(
        BLOCKS[0] if value <= 0 or top <= 0 else BLOCKS[1 + round(min(1.0, value / top) * (len(BLOCKS) - 2))]
        for value in known
    )
