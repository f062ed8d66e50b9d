"""Pane 3: the live traffic of the open sessions."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from sockexplorer.capture.predicate import Predicate
from sockexplorer.client.hub import Hub
from sockexplorer.client.session import OVER, Session
from sockexplorer.core.about import Section
from sockexplorer.core.lifecycle import allowed
from sockexplorer.ui.panes.session_duties import SessionDuties
from sockexplorer.ui.panes.traffic_help import about_traffic
from sockexplorer.ui.status import is_over
from sockexplorer.ui.widgets.composer import Composer
from sockexplorer.ui.widgets.details import Details
from sockexplorer.ui.widgets.filter_bar import FilterBar
from sockexplorer.ui.widgets.go_to_line import GoToLine
from sockexplorer.ui.widgets.lines import LineView
from sockexplorer.ui.widgets.option_line import OptionLine
from sockexplorer.ui.widgets.rates import Histories, RatesLine
from sockexplorer.ui.widgets.session_bar import SessionBar
from sockexplorer.ui.widgets.session_texts import EmptyText, NoticeLine, StatusLine
from sockexplorer.ui.widgets.timeout_line import TimeoutLine
from sockexplorer.ui.widgets.traffic_view import TrafficView

SESSION_ACTIONS = frozenset(
    ("compose", "details", "filter", "pause", "resume", "follow", "copy_row", "copy_payload", "copy_as", "switch",
     "close", "forget", "disconnect", "hide", "match", "time", "columns", "rules", "bookmark", "to_bookmark",
     "conversation", "statistics", "repair", "go_to")
)  # fmt: skip
"""What letters do while a session is shown and nobody types."""
ROW_ACTIONS = frozenset(
    ("details", "copy_row", "copy_payload", "copy_as", "disconnect", "bookmark", "conversation", "go_to")
)
"""What needs a row under the cursor."""


class TrafficPane(SessionDuties):
    """Sessions, their rows, a filter, the details of a row, and a composer."""

    NUMBER, TITLE = 3, "Traffic"
    KEYS_AFTER = 1
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "details", "Details", id="details"),
        Binding("s", "compose", "Send", id="send"),
        Binding("s", "compose_to_nobody", show=False, id="send"),
        Binding("/", "filter", "Filter", id="filter"),
        Binding("h", "hide", "Hide or only mark what the filter leaves out", show=False, id="hide"),
        Binding("n", "match(1)", "Match", id="next-match", tooltip="Next row that passes the filter"),
        Binding("N", "match(-1)", "Row before that passes the filter", show=False, id="previous-match"),
        Binding("h", "unfiltered", show=False, id="hide"),
        Binding("n", "unfiltered", show=False, id="next-match"),
        Binding("N", "unfiltered", show=False, id="previous-match"),
        Binding("colon", "go_to", "Go to a row or a time", show=False, id="go-to", key_display=":"),
        Binding("F", "conversation", "What was said both ways, as text or hex", show=False, id="conversation"),
        Binding("S", "statistics", "Statistics by peer, length and protocol", show=False, id="statistics"),
        Binding("T", "time", "Time of day, since the first row, since the row before", show=False, id="time"),
        Binding("c", "columns", "Choose columns", show=False, id="columns"),
        Binding("C", "rules", "Colour rules", show=False, id="colours"),
        Binding("m", "bookmark", "Bookmark the row", show=False, id="bookmark"),
        Binding("apostrophe", "to_bookmark(1)", "Next bookmark", show=False, id="next-bookmark", key_display="'"),
        Binding(
            "quotation_mark", "to_bookmark(-1)", "Bookmark before", show=False, id="previous-bookmark", key_display='"'
        ),
        Binding("p", "pause", "Pause", id="pause"),
        Binding("p", "resume", "Go on", id="pause"),
        Binding("f", "follow", "Follow", show=False, id="follow"),
        Binding("y", "copy_row", "Copy", id="copy-row"),
        Binding("Y", "copy_payload", "Copy payload", show=False, id="copy-payload"),
        Binding("e", "copy_as", "Copy as Python, C, hex, text or JSON", show=False, id="copy-as"),
        Binding("right_square_bracket", "switch(1)", "Next", id="next-session", key_display="]"),
        Binding("left_square_bracket", "switch(-1)", "Before", show=False, id="previous-session", key_display="["),
        Binding("x", "close", "Close", id="close"),
        Binding("x", "forget", "Forget", id="close", tooltip="Forget the closed session and all that it kept"),
        Binding("w", "timeout", "Wait", show=False, id="timeout", tooltip="How long a call may wait: settimeout()"),
        Binding("o", "option", "Option", show=False, id="option", tooltip="Change a socket option: setsockopt()"),
        Binding("d", "disconnect", "Disconnect the row's peer", show=False, id="disconnect"),
        Binding("r", "repair", "Repair", id="repair", tooltip="Cut the file at its last whole frame"),
        Binding("escape", "back", "Back", show=False),
    ]

    def __init__(self, hub: Hub) -> None:
        super().__init__(id="traffic")
        self.hub = hub
        self.session: Session | None = None
        self._rates = Histories()
        self._shown_bar: object = None
        self._details_chosen = False
        self._described: tuple[int, int | None, int] | None = None

    def compose(self) -> ComposeResult:
        yield SessionBar()
        with Horizontal(id="status-line"):
            yield StatusLine()
            yield RatesLine()
        yield NoticeLine()
        yield FilterBar(self._filtered)
        yield GoToLine(self.row_of, self.says_row)
        yield TimeoutLine()
        yield OptionLine()
        yield EmptyText()
        yield TrafficView()
        yield Details()
        yield Composer()

    def on_mount(self) -> None:
        super().on_mount()
        for each in ("#details", "#composer", "#rates"):
            self.query_one(each).display = False
        self.adopt_settings()
        self.update()

    @property
    def expression(self) -> str:
        """The filter that holds, "" for none."""
        return self.query_one(FilterBar).holding

    def home(self) -> Widget:
        return self.view

    # --- twenty times a second -----------------------------------------------------------------------------

    def update(self) -> None:
        """Bring everything in line with the sessions and their logs."""
        self._end_pause()
        self.view.catch_up()
        if self._rates.sample(self.hub.sessions):
            self._show_rates()
        sessions = list(self.hub.sessions.values())
        names = [(each.number, each.state, each.title) for each in sessions]
        shown = names, self.session, self.size.width, self.view.line_count() > 0
        if shown != self._shown_bar:
            self._shown_bar = shown
            self.query_one(SessionBar).show(sessions, self.session)
            self.refresh_bindings()
        bar = self.query_one(FilterBar)
        self.query_one(EmptyText).show(self.view, filtered=bool(bar.line.value))
        self._describe()
        bar.found(*self.view.rows.matches(), hiding=self.view.rows.hiding)
        rates = self._rates.of(self.session)
        self.query_one(StatusLine).show(self.view, rates.now if rates else 0, typing=bar.line.has_focus)
        if self.query_one(NoticeLine).show(self.session):
            self.refresh_bindings()

    def _show_rates(self) -> None:
        self.query_one(RatesLine).show(self._rates.of(self.session), self.size.width)

    def _end_pause(self) -> None:
        """End a pause that holds nothing back and never will."""
        session, paused_at = self.session, self.view.rows.paused_at
        if session is not None and paused_at is not None and is_over(session) and session.log.end <= paused_at:
            self.view.pause(False)

    # --- sessions ------------------------------------------------------------------------------------------

    def show(self, session: Session | None) -> None:
        """Show another session."""
        self.session = session
        self.view.show(session)
        self.query_one(Composer).display = False
        self.query_one(GoToLine).close()
        self.query_one(FilterBar).show(session)
        details = self.query_one(Details)
        details.show(None, None)
        self._described = None
        if not self._details_chosen:
            details.display = session is not None and self.screen.has_class("-wide") and self.screen.has_class("-tall")
        self.update()
        self._show_rates()
        self._describe()

    # --- rows ----------------------------------------------------------------------------------------------

    @on(LineView.Moved)
    def _moved(self, event: LineView.Moved) -> None:
        event.stop()
        if event.view is self.view:
            self._describe()

    @on(LineView.Chosen)
    def _chosen(self, event: LineView.Chosen) -> None:
        event.stop()
        if event.view is self.view:
            self.action_details()

    def _describe(self) -> None:
        """Have the details speak of the row under the cursor, which may change without a move of the cursor."""
        details = self.query_one(Details)
        if self.session is not None and self.session.state == "failed" and not self._details_chosen:
            details.display = self.view.line_count() > 0
        session, reread = (self.session.number, len(self.session.log.reread)) if self.session else (0, 0)
        row = session, self.view.number_at(self.view.cursor), reread
        if details.display and row != self._described:
            self._described = row
            details.show(self.view.current(), self.session)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        # Who goes through the fields of a row means that row, whatever comes meanwhile.
        if self.query_one(Details) in event.widget.ancestors:
            self.view.stay()

    def action_details(self) -> None:
        details = self.query_one(Details)
        details.display = not details.display
        self._details_chosen = True
        if details.display:
            self.view.stay()
        self._describe()
        self.view.call_after_refresh(self.view.show_cursor_line)

    def action_pause(self) -> None:
        self._pause(True)

    def action_resume(self) -> None:
        self._pause(False)

    def _pause(self, pause: bool) -> None:
        self.view.pause(pause)
        self.update()
        self.refresh_bindings()

    def action_follow(self) -> None:
        self.view.set_following(not self.view.following or self.view.rows.paused_at is not None)
        self.update()

    def action_back(self) -> None:
        details = self.query_one(Details)
        if details.display:
            details.display = False
            self._details_chosen = True
        else:
            self.query_one(FilterBar).clear()
        self.view.focus()

    # --- the filter ----------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        self.query_one(FilterBar).open()

    @on(FilterBar.Left)
    def _filter_left(self) -> None:
        self.view.focus()

    def _filtered(self, predicate: Predicate | None) -> None:
        self.view.set_filter(predicate)
        self.refresh_bindings()

    @on(TrafficView.TooSlow)
    def _filter_too_slow(self, event: TrafficView.TooSlow) -> None:
        self.query_one(FilterBar).refuse(event.error)

    def action_hide(self) -> None:
        self.view.set_hiding(not self.view.rows.hiding)
        self.update()

    def action_match(self, step: int) -> None:
        self.view.go_to_match(step)

    def action_unfiltered(self) -> None:
        """Answer a key that is of use while there is a filter."""
        self.notify("There is no filter; / sets one.", timeout=2, markup=False)

    @on(TrafficView.NoMatch)
    def _no_match(self) -> None:
        self.notify("No further row passes the filter.", timeout=2, markup=False)

    # --- what is possible ----------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if self.typing and action in SESSION_ACTIONS:
            return False
        session = self.session
        if action == "compose":
            if session is None or not allowed(session.state, "send"):
                return False
            return True if session.connections or not session.protocol.connections else None
        if action == "compose_to_nobody":
            return not self.typing and self.check_action("compose", ()) is None
        if action == "switch":
            return len(self.hub.sessions) > 1
        if action in ("hide", "match") and not self.view.filtered:
            return False
        if action == "unfiltered":
            return session is not None and not self.typing and not self.view.filtered
        if action == "resume" and self.view.rows.paused_at is None:
            return False
        if action == "pause" and session is not None and (self.view.rows.paused_at is not None or is_over(session)):
            return False  # of a session that is over all rows are there
        if (
            action in ("close", "forget")
            and session is not None
            and (action == "forget") != (session.state == "closed")
        ):
            return False
        if action == "follow" and session is not None and not session.live:
            return False
        if action in ("timeout", "option") and (session is None or session.state in OVER):
            return False  # there is no socket any more, or never was
        if action == "disconnect" and (session is None or not session.connections):
            return False
        if action == "repair" and (session is None or not session.torn):
            return False
        if action in ROW_ACTIONS and session is not None:
            return True if self.view.line_count() else None
        if action in SESSION_ACTIONS:
            return session is not None
        return super().check_action(action, parameters)

    def subject(self) -> tuple[str, list[Section]]:
        return about_traffic(self.session, self.view.current(), filtering=self.query_one(FilterBar).line.has_focus)
