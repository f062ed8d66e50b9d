"""What the screen does with files: it opens captures, and saves what the traffic pane shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual.screen import Screen

from sockexplorer.client.client import Problem
from sockexplorer.client.hub import Hub
from sockexplorer.client.session import Session
from sockexplorer.core.text import escape
from sockexplorer.ui.panes.traffic import TrafficPane
from sockexplorer.ui.widgets.filter_bar import FilterBar

if TYPE_CHECKING:
    from sockexplorer.client.file_session import Pipe


class FileDuties(Screen[None]):
    """A screen with a traffic pane, which shows capture files as sessions."""

    hub: Hub

    @property
    def traffic(self) -> TrafficPane:
        return self.query_one(TrafficPane)

    def show_session(self, session: Session) -> None:
        """Go to the traffic of a session."""
        raise NotImplementedError

    def open_first(self, source: Path | Pipe, expression: str) -> None:
        """Show the file to begin with, under a filter; why not is told beside everything else."""
        problem = self.open_file(source)
        if problem is not None:
            self.notify(escape(problem.message), title="Not opened", severity="error", timeout=15, markup=False)
        elif expression:
            self.traffic.query_one(FilterBar).start_with(expression)

    def open_file(self, source: Path | Pipe) -> Problem | None:
        """Show a capture file as a session of its own, or say why not."""
        from sockexplorer.client.files import open_file

        session = open_file(self.hub, source)
        if isinstance(session, Problem):
            return session
        self.show_session(session)
        return None

    def action_open_file(self) -> None:
        from sockexplorer.ui.screens.open import OpenScreen

        self.app.push_screen(OpenScreen(self.open_file))

    def action_save(self) -> None:
        from sockexplorer.ui.screens.save import SaveScreen

        def saved(what: str | None) -> None:
            if what is not None:
                self.notify(escape(what, 200), title="Saved", markup=False)

        traffic = self.traffic
        self.app.push_screen(SaveScreen(list(self.hub.sessions.values()), traffic.expression, traffic.session), saved)
