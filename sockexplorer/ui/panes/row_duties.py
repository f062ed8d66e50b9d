"""What a person does with the rows of the traffic: how they are shown, marked, coloured, counted and copied."""

from __future__ import annotations

from dataclasses import replace

from textual import on

from sockexplorer.capture.moments import UNTIMED
from sockexplorer.client.formats import TEXTS, as_lines
from sockexplorer.client.offers import Offer
from sockexplorer.client.session import Session
from sockexplorer.core.text import escape, preview
from sockexplorer.ui.clock import clock, count, date
from sockexplorer.ui.columns import COLUMNS, TIMES, Look, row_sign
from sockexplorer.ui.field_filters import filter_by
from sockexplorer.ui.panes.pane import CopyText, Pane
from sockexplorer.ui.rules import Rule
from sockexplorer.ui.screens.choose import ChooseScreen
from sockexplorer.ui.settings import Settings
from sockexplorer.ui.widgets.field_tree import FieldTree
from sockexplorer.ui.widgets.filter_bar import FilterBar
from sockexplorer.ui.widgets.go_to_line import GoToLine
from sockexplorer.ui.widgets.traffic_view import TrafficView

COPIES = ("python", "c", "hex", "hexdump", "text", "jsonl")
"""The formats for one frame, the likeliest first."""


class RowDuties(Pane):
    """A pane with a `TrafficView`; who derives from it has the keys for these actions."""

    session: Session | None = None
    _copied_as = COPIES[0]

    @property
    def view(self) -> TrafficView:
        return self.query_one(TrafficView)

    @property
    def _settings(self) -> Settings:
        settings: Settings = self.app.settings  # type: ignore[attr-defined]
        return settings

    def _warn(self, problem: str) -> None:
        if problem:
            self.notify(escape(problem), title="Settings", severity="warning", markup=False)

    # --- how rows are shown --------------------------------------------------------------------------------

    def adopt_settings(self) -> None:
        """Show rows as the settings say."""
        self.view.look = self._settings.look
        self.view.set_rules(self._settings.rules)

    def set_look(self, look: Look) -> None:
        """Show rows so, from here on and at the next start."""
        self.view.set_look(look)
        self._warn(self._settings.keep(look))

    def action_time(self) -> None:
        modes = list(TIMES)
        look = self.view.look
        mode = modes[(modes.index(look.time) + 1) % len(modes)]
        self.set_look(replace(look, time=mode))
        self.notify(f"Time: {TIMES[mode]}", timeout=2, markup=False)

    def action_columns(self) -> None:
        look = self.view.look
        width = max(map(len, COLUMNS))
        offers = [Offer(name, f"{name:<{width}}  {what}") for name, what in COLUMNS.items()]

        def chosen(offer: Offer | None) -> None:
            names = tuple(each for each in COLUMNS if offer is not None and each in offer.value.split("|"))
            if names:
                self.set_look(replace(look, columns=names))

        self.app.push_screen(ChooseScreen("Columns", offers, "|".join(look.columns), several=True), chosen)

    def action_rules(self) -> None:
        from sockexplorer.ui.screens.rules import RulesScreen

        def left(rules: tuple[Rule, ...] | None) -> None:
            if rules is not None and rules != self.view.rules:
                self.view.set_rules(rules)
                self._warn(self._settings.keep_rules(rules))

        self.app.push_screen(RulesScreen(self.view.rules, self.session), left)

    @on(TrafficView.RuleTooSlow)
    def _rule_too_slow(self, event: TrafficView.RuleTooSlow) -> None:
        text = f"{escape(event.rule.filter, 80)}: it takes too long on these rows. C changes it."
        self.notify(text, title="A colour rule was given up", severity="warning", markup=False)

    # --- marks, and rows together --------------------------------------------------------------------------

    def action_bookmark(self) -> None:
        self.view.switch_bookmark()
        self.refresh_bindings()

    def action_to_bookmark(self, step: int) -> None:
        if not self.view.go_to_bookmark(step):
            self.notify(f"{self._why_no_bookmark()}; m sets one.", timeout=2, markup=False)

    def _why_no_bookmark(self) -> str:
        marks = self.view.bookmarks
        if not marks or self.session is None:
            return "There is no bookmark"
        if max(marks) < self.session.log.first:
            return "The log has dropped the rows with a bookmark"
        return "No row with a bookmark is in sight"

    def action_go_to(self) -> None:
        self.query_one(GoToLine).open()

    def row_of(self, text: str) -> int:
        """The row that is meant by a number or a time. Raises ValueError."""
        from sockexplorer.capture.places import row_of

        assert self.session is not None
        return row_of(text, self.session.log, self.view.number_at(self.view.cursor), self.view.began)

    def says_row(self, number: int) -> str:
        """Which row that is, of how many, and when it was."""
        assert self.session is not None
        log = self.session.log
        when = log.time(number)
        at = "" if when == UNTIMED else f", at {date(when)} {clock(when, 3)}"
        return f"row {count(number)} of {count(log.end - 1)}{at}"

    @on(GoToLine.Given)
    def _go_to(self, event: GoToLine.Given) -> None:
        self._go_to_row(event.number)

    def _go_to_row(self, number: int) -> None:
        self.view.focus()
        if not self.view.go_to(number):
            self.notify(f"Row {count(number)} is hidden; this is the nearest.", timeout=3, markup=False)

    @on(GoToLine.Left)
    def _went_nowhere(self) -> None:
        self.view.focus()

    def action_conversation(self) -> None:
        frame = self.view.current()
        if frame is not None and frame.event and not frame.peer:
            self.notify("This row has no peer: it tells of the socket alone.", timeout=3, markup=False)
        elif self.session is not None and frame is not None:
            from sockexplorer.ui.screens.conversation import ConversationScreen

            # While the end is followed, nobody chose that row.
            screen = ConversationScreen(self.session, frame, from_start=self.view.following)
            self.app.push_screen(screen, self._asked_of_conversation)

    def _asked_of_conversation(self, asked: str | int | None) -> None:
        if isinstance(asked, int):
            self._go_to_row(asked)
        else:
            self._show_only(asked)

    def _show_only(self, expression: str | None) -> None:
        if expression:
            self.view.set_hiding(True)
            self.query_one(FilterBar).start_with(expression)
            self.view.focus()

    def action_statistics(self) -> None:
        if self.session is not None:
            from sockexplorer.ui.screens.statistics import StatisticsScreen

            self.app.push_screen(StatisticsScreen(self.session), self._show_only)

    @on(FieldTree.Asked)
    def _filter_by_field(self, event: FieldTree.Asked) -> None:
        frame, facts = self.view.current(), self.query_one(FieldTree).facts
        expression = "" if frame is None or self.session is None else filter_by(facts, event.index, frame, self.session)
        if expression:
            self.query_one(FilterBar).narrow(expression)
        else:
            self.notify("There is no filter for this field.", timeout=2, markup=False)

    # --- copying -------------------------------------------------------------------------------------------

    def action_copy_row(self) -> None:
        frame = self.view.current()
        if frame is None or self.session is None:
            return
        text = frame.meta.get("text") if frame.event else preview(frame.payload, 65536)
        arrow = "•" if frame.event else row_sign(frame)
        when, peer = clock(frame.time, 9).rstrip(), self.session.peer_name(frame.peer)
        row = f"{frame.number} {when} {arrow} {peer} {frame.length} {text}"
        self.post_message(CopyText(row, f"row {frame.number}"))

    def action_copy_payload(self) -> None:
        frame = self.view.current()
        if frame is not None and not frame.event:
            self.post_message(CopyText(frame.payload.hex(), f"{len(frame.payload)} bytes as hex"))

    def action_copy_as(self) -> None:
        frame, session = self.view.current(), self.session
        if frame is None or session is None:
            return
        if frame.event:
            self.notify("An event has no bytes; y copies its row.", timeout=2, markup=False)
            return

        def chosen(offer: Offer | None) -> None:
            if offer is not None:
                self._copied_as = offer.value
                text = as_lines(offer.value, session, frame).removesuffix("\n")
                self.post_message(CopyText(text, f"row {frame.number} as {offer.value}"))

        width = max(map(len, COPIES))
        offers = [Offer(each, f"{each:<{width}}  {TEXTS[each]}") for each in COPIES]
        self.app.push_screen(ChooseScreen(f"Copy row {frame.number} as", offers, self._copied_as), chosen)
