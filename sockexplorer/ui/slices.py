"""How long a tick of the screen may look through rows, for a filter, statistics or a conversation."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from textual.widget import Widget

from sockexplorer.client.session import Session

if TYPE_CHECKING:
    from sockexplorer.ui.app import ExplorerApp

BUSY_SECONDS = 0.012
"""So that keys are answered meanwhile, and traffic is taken in."""
REST_SECONDS = 0.035
"""When nobody has pressed anything for a while and nothing comes: what is left of a tick is for the screen."""
STILL_NS = 1_000_000_000
"""After so long without a row nothing comes, for the time being."""


def slice_seconds(widget: Widget, session: Session | None) -> float:
    """How long the tick of a widget may look through the rows of a session."""
    explorer: ExplorerApp = widget.app  # type: ignore[assignment]
    return REST_SECONDS if explorer.collector.rests and _is_still(session) else BUSY_SECONDS


def _is_still(session: Session | None) -> bool:
    """Whether nothing comes, as far as its last row tells."""
    if session is None or not session.live:
        return session is not None
    with contextlib.suppress(IndexError):
        return time.time_ns() - session.log.time(session.log.end - 1) > STILL_NS
    return False
