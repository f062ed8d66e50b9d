"""What a person does with the sessions of the traffic pane: switch, close, wait, set an option, repair, send."""

from __future__ import annotations

import time

from textual import on

from sockexplorer.client.client import Problem
from sockexplorer.client.hub import Hub
from sockexplorer.client.offers import Offer
from sockexplorer.client.session import OVER, Session
from sockexplorer.core.payload import PayloadError
from sockexplorer.core.text import escape
from sockexplorer.ui.clock import clock, count
from sockexplorer.ui.panes.row_duties import RowDuties
from sockexplorer.ui.screens.choose import ChooseScreen
from sockexplorer.ui.widgets.composer import Composer
from sockexplorer.ui.widgets.option_line import OptionLine
from sockexplorer.ui.widgets.session_bar import SessionBar
from sockexplorer.ui.widgets.timeout_line import TimeoutLine


class SessionDuties(RowDuties):
    """A pane with sessions and the rows of one; who derives from it has the keys for these actions."""

    hub: Hub

    def show(self, session: Session | None) -> None:
        """Show another session."""
        raise NotImplementedError

    def update(self) -> None:
        """Bring everything in line with the sessions and their logs."""
        raise NotImplementedError

    # --- which one -----------------------------------------------------------------------------------------

    @on(SessionBar.Picked)
    def _picked(self, event: SessionBar.Picked) -> None:
        self.show(self.hub.sessions.get(event.number))

    def action_switch(self, by: int) -> None:
        sessions = list(self.hub.sessions.values())
        if sessions:
            at = sessions.index(self.session) if self.session in sessions else 0
            self.show(sessions[(at + by) % len(sessions)])

    def action_close(self) -> None:
        session = self.session
        if session is None:
            return
        if session.state in ("failed", "file"):
            self.action_forget()
        else:
            self.hub.close(session, lambda result, problem: self.update())

    def action_forget(self) -> None:
        session = self.session
        if session is None:
            return
        sessions = list(self.hub.sessions.values())
        at = sessions.index(session)
        self.hub.forget(session)
        rest = list(self.hub.sessions.values())
        self.show(rest[min(at, len(rest) - 1)] if rest else None)

    def action_disconnect(self) -> None:
        frame = self.view.current()
        if self.session is None or frame is None:
            return
        if frame.peer in self.session.connections:
            self.hub.client.request("close", session=self.session.number, peer=frame.peer)
        else:
            self.notify("No peer of this row is connected.", timeout=3, markup=False)

    # --- waiting, options ----------------------------------------------------------------------------------

    def action_timeout(self) -> None:
        if self.session is not None and self.session.state not in OVER:
            self.query_one(TimeoutLine).open(self.session.timeout)

    @on(TimeoutLine.Given)
    def _timeout_given(self, event: TimeoutLine.Given) -> None:
        if self.session is not None:
            self.hub.set_timeout(self.session, event.timeout)
        self.view.focus()

    def action_option(self) -> None:
        if self.session is not None and self.session.state not in OVER:
            self.query_one(OptionLine).open(self.session)

    @on(OptionLine.Given)
    def _option_given(self, event: OptionLine.Given) -> None:
        line = self.query_one(OptionLine)

        def changed(result: object, problem: Problem | None) -> None:
            if problem is not None:
                line.refused(problem)
            else:
                line.display = False
                self.view.focus()

        if self.session is not None:
            self.hub.set_option(self.session, event.option, changed)

    def action_repair(self) -> None:
        session = self.session
        if session is None or not session.torn:
            return
        offers = [
            Offer("leave", "leave the file as it is"),
            Offer("cut", f"cut off its last {count(session.torn)} bytes, which are no whole frame"),
        ]

        def chosen(offer: Offer | None) -> None:
            if offer is None or offer.value != "cut":
                return
            from sockexplorer.client.files import repair

            done = repair(self.hub, session)
            if isinstance(done, Problem):
                self.notify(escape(done.message, 400), title="Not repaired", severity="error", markup=False)
            else:
                self.show(done[0])
                self.notify(f"{count(done[1])} bytes were cut off.", title="Repaired", markup=False)

        self.app.push_screen(ChooseScreen(f"Repair {session.title}", offers, "leave"), chosen)

    # --- sending -------------------------------------------------------------------------------------------

    def action_compose(self) -> None:
        if self.session is None:
            return
        frame = self.view.current()
        self.query_one(Composer).open(self.session, frame.peer if frame else None)

    def action_compose_to_nobody(self) -> None:
        """Answer the key that is grey: what a person goes on to type would else be keys without a warning."""
        self.notify("No peer is connected: there is nobody to send to.", timeout=3, markup=False)

    @on(Composer.Send)
    def _send(self, event: Composer.Send) -> None:
        composer, session = self.query_one(Composer), self.session
        if session is None:
            return

        def sent(result: dict[str, object] | None, problem: Problem | None) -> None:
            if problem is not None:
                fix = f" ▸ {problem.fixes[0]}" if problem.fixes else ""
                composer.say(f"✗ {escape(problem.headline())}: {escape(problem.what)}{escape(fix)}", "$text-error")
            elif result is not None:
                composer.say(f"✓ sent {result['sent']} bytes at {clock(time.time_ns(), 3)}", "$text-success")
                composer.select_payload()

        try:
            self.hub.send(session, event.data, peer=event.peer, to=event.to, fields=event.values, done=sent)
        except PayloadError as error:
            composer.say(f"✗ {escape(str(error))}", "$text-error")

    @on(TimeoutLine.Left)
    @on(OptionLine.Left)
    @on(Composer.Closed)
    def _left(self) -> None:
        self.view.focus()
