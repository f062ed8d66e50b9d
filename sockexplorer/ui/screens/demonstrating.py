"""What "show me" does on the screen: it plays a protocol's demonstration, with its ends as ordinary sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.screen import Screen

from sockexplorer.client.hub import Hub
from sockexplorer.client.session import Session
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol
from sockexplorer.core.text import escape
from sockexplorer.ui.panes.address import AddressPane
from sockexplorer.ui.panes.pane import ShowMe

if TYPE_CHECKING:
    from sockexplorer.client.demonstration import Demonstration


class Demonstrating(Screen[None]):
    """A screen that shows demonstrations; who derives from it calls `step_demonstration` twenty times a second."""

    hub: Hub
    _demonstration: Demonstration | None = None

    @property
    def address(self) -> AddressPane:
        return self.query_one(AddressPane)

    def show_session(self, session: Session) -> None:
        """Go to the traffic of a session."""
        raise NotImplementedError

    def pick(self, family: Family, protocol: Protocol) -> None:
        """Go to the form of a protocol."""
        raise NotImplementedError

    @on(ShowMe)
    def _show_me(self, event: ShowMe) -> None:
        # Imported when it is used: the first paint need not wait for it.
        from sockexplorer.client.demonstration import Demonstration

        if self._demonstration is not None or self.hub.client.dead:
            return
        demo = event.family.demos[event.protocol.name]
        self._demonstration = Demonstration(self.hub, event.family, event.protocol, demo)
        self._shown = (event.family, event.protocol)
        title = f"{event.family.constant}/{event.protocol.name}"
        self.notify(escape(demo.says), title=title, timeout=5, markup=False)
        self.step_demonstration()

    def step_demonstration(self) -> None:
        """Go on with the demonstration that is under way, if there is one."""
        run = self._demonstration
        if run is None:
            return
        run.step()
        if not run.over:
            return
        self._demonstration = None
        if run.problem is None:
            self.show_session(run.sessions[0])
            return
        for each in run.sessions:
            self.hub.forget(each)
        self.pick(*self._shown)
        self.address.failed(run.problem)
