"""Item 3: the explorer with its traffic in view, under a flood: nothing lost, and keys are answered."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable

from speed.place import Place
from speed.processes import Failed
from speed.screen import Screen
from speed.sender import Flow, Sender
from speed.table import Goal, Table

LENGTH = 64
KEYS = (
    (b"p", b"paused", b"p"),
    (b"w", b"every call waits", b"\x1b"),
    (b"/", b"time>=14:05", b"\x1b"),
    (b"S", b"share", b"\x1b"),
    (b"F", "⇄".encode(), b"\x1b"),
)
"""Keys, what each brings that is not on the screen before, and the key that takes it away again."""
BETWEEN = 0.4
MARGIN = 2.0
"""Seconds ahead of the flood's end without keys: the status line is read when it has changed since the last of them."""
SETTLE = 2.5
"""Seconds after which the rate that is shown is nothing."""


def under_a_flood(there: Place, lost: Table, keys: Table, rate: int, seconds: float) -> None:
    """One round at a steady rate: what was lost, and how long keys took."""
    taken: list[float] = []

    def press(screen: Screen) -> None:
        screen.read(0.5)
        until = time.monotonic() + seconds - MARGIN
        for key, shows, back in itertools.cycle(KEYS):
            if time.monotonic() > until:
                return
            taken.append(screen.press(key, shows))
            screen.read(BETWEEN)
            screen.press(back, b"")
            screen.read(BETWEEN)

    flow = Flow(int(rate * seconds), rate, 10, int(seconds * 2) + 5)
    counted = _in_view(there, lost, flow, press)
    if counted is None:
        return
    sent, received, _ = counted
    lost.add("lost", sent - received)
    ordered = sorted(taken)
    keys.add("99 of 100", 1000 * ordered[max(0, math.ceil(0.99 * len(ordered)) - 1)])
    keys.add("half of them", 1000 * ordered[len(ordered) // 2])
    keys.note(f"{len(ordered)} key presses in the last round")


def at_full_rate(there: Place, table: Table, count: int) -> None:
    """One round as fast as the sender can: what was received and what the kernel dropped is what was sent."""
    counted = _in_view(there, table, Flow(count), lambda screen: screen.read(0.2))
    if counted is not None:
        sent, _, dropped = counted
        table.add("dropped, % of what was sent", 100 * dropped / sent)


def _in_view(
    there: Place, table: Table, flow: Flow, meanwhile: Callable[[Screen], None]
) -> tuple[int, int, int] | None:
    """Send to the explorer, do something with it meanwhile; frames sent, received, dropped. None where it failed."""
    port = there.port()
    try:
        with Screen(port, str(there.directory)) as screen, Sender(there.control, "udp", port, LENGTH) as sender:
            sender.start(flow)
            meanwhile(screen)
            sent = sender.sent()
            received, dropped = screen.counts(SETTLE)
    except Failed as error:
        table.note(str(error))
        return None
    table.add("sent a second, thousands", sent.count / sent.seconds / 1000)
    table.add("unaccounted for", sent.count - received - dropped)
    return sent.count, received, dropped


def goals() -> tuple[list[Goal], list[Goal], list[Goal]]:
    """Of the steady rate: loss and keys; of the full rate."""
    return (
        [Goal("3", "lost", "", 0), Goal("3", "unaccounted for", "", 0)],
        [Goal("3", "99 of 100", "", 100)],
        [Goal("3", "unaccounted for", "", 0)],
    )
