"""How long a tick of the screen may look through rows, for a filter, statistics or a conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widget import Widget

from sockexplorer.client.session import Session

if TYPE_CHECKING:
    from sockexplorer.ui.app import ExplorerApp

BUSY_SECONDS = 0.012
"""So that keys are answered meanwhile, and traffic is taken in."""
REST_SECONDS = 0.035
"""When nobody has pressed anything for a while and nothing comes: what is left of a tick is for the screen."""


def slice_seconds(widget: Widget, session: Session | None) -> float:
    """How long the tick of a widget may look through the rows of a session."""
    explorer: ExplorerApp = widget.app  # type: ignore[assignment]
    still = session is not None and not session.live
    return REST_SECONDS if still and explorer.collector.rests else BUSY_SECONDS
