"""What was said with a peer, or between the two ends of a packet, in both directions, as text or as hex."""

from __future__ import annotations

import contextlib
from typing import ClassVar

from rich.style import Style
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Label, Static

from sockexplorer.capture.conversation import Conversation, Mode, Place
from sockexplorer.capture.log import Frame
from sockexplorer.client.following import between, ends_of, rows_between, rows_with, summary_of
from sockexplorer.client.session import Session
from sockexplorer.core.text import escape
from sockexplorer.ui.clock import clock, count
from sockexplorer.ui.field_filters import equals
from sockexplorer.ui.screens.dialog import Dialog
from sockexplorer.ui.slices import slice_seconds
from sockexplorer.ui.widgets.bar import Bar
from sockexplorer.ui.widgets.key_line import KeyLine
from sockexplorer.ui.widgets.lines import LineView

MOST_COPIED = 20_000
GUTTER = 2


class ConversationView(LineView):
    """Its lines, those of each frame after a sign of its direction."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"traffic--in", "traffic--out"}
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "choose", "To its row")]

    def __init__(self) -> None:
        super().__init__(id="conversation")
        self.conversation: Conversation | None = None

    def line_count(self) -> int:
        return 0 if self.conversation is None else len(self.conversation)

    def line(self, index: int, width: int) -> list[tuple[str, Style]]:
        assert self.conversation is not None
        line = self.conversation.line(index)
        style = self.tone(f"traffic--{'out' if line.outgoing else 'in'}")
        glyph = ("→ " if line.outgoing else "← ") if line.first else " " * GUTTER
        return [(glyph, style), (line.text, style)]


class ConversationScreen(Dialog[str | int]):
    """Follows on while frames come. Returns the filter for its rows, or the number of one, that the person asks for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,right,l,left,h,shift+tab", "mode", "Text or hex", key_display="tab"),
        Binding("y", "copy", "Copy"),
        Binding("slash", "rows", "Only its rows", key_display="/"),
        Binding("escape,F", "dismiss(None)", "Back"),
        Binding("q", "app.quit", "Quit"),
    ]

    def __init__(self, session: Session, frame: Frame, *, from_start: bool) -> None:
        """``frame`` is one of those that are followed; it is in sight at first, unless ``from_start``."""
        super().__init__()
        self._session, self._peer = session, frame.peer
        self._between = ends_of(session, frame)
        self._mode: Mode = "text"
        self._place = None if from_start else Place(frame.number)
        """Where the person is, until the cursor is there."""
        self._above: int | None = None
        """How many lines are in sight before that one; None for as many as behind it."""
        self._to_end = False
        """Whether it is the end that the person is at."""
        self._said = ""
        """How much there is of it."""
        self._reread = 0

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog full"):
            yield Label(self._ends(), classes="dialog-title", markup=False)
            yield Bar(["text", "hex"], id="conversation-modes")
            yield ConversationView()
            yield Static(id="conversation-note")
        yield KeyLine()

    def _ends(self) -> str:
        session = self._session
        if self._between is not None:
            over, first, second = self._between
            return f"{session.title}  {over} {first} ⇄ {second}"
        here, name = session.title, session.peer_name(self._peer) or "no peer"
        if session.endpoint.operation == "connect" and session.local is not None:
            # The title of such a session is the other end.
            path = f"{session.family.name}/{session.protocol.name}"
            here = f"{path} {escape(session.family.text(session.local), 60)}"
        return f"{here} ⇄ {name}"

    def on_mount(self) -> None:
        self.query_one(ConversationView).focus()
        self.call_after_refresh(self._start)
        self.set_interval(1 / 20, self._tick)

    def on_resize(self) -> None:
        self.call_after_refresh(self._start)

    def _start(self) -> None:
        view = self.query_one(ConversationView)
        width, before = view.scrollable_content_region.width - GUTTER, view.conversation
        session, peer = self._session, self._peer
        self._reread = len(session.log.reread)
        if self._between is not None:
            follow, sift = between(session, self._between), rows_between(session, self._between)
            view.conversation = Conversation(session.log, follow, self._mode, width, sift=sift)
        else:
            view.conversation = Conversation(
                session.log, peer, self._mode, width, session.numbers_of(peer), summary_of(session),
                rows_with(session, peer),
            )  # fmt: skip
        if before is not None and len(before):
            self._stay(view, before)
        view.set_reactive(LineView.cursor, 0)
        view.scroll_to(y=0, animate=False, immediate=True)
        self.query_one(Bar).mark(self._mode)
        view.lines_changed()
        self._tick()

    def _stay(self, view: ConversationView, before: Conversation) -> None:
        """Go on with other lines where the person is, unless they are on the way to a place."""
        if self._place is not None or self._to_end:
            return
        self._to_end = 0 < view.cursor == len(before) - 1
        if self._to_end:
            return
        top = view.scroll_offset.y
        # Who scrolled away from the cursor reads what is in sight.
        at = view.cursor if top <= view.cursor < top + view.scrollable_content_region.height else top
        self._place, self._above = before.place_at(at), at - top

    def _tick(self) -> None:
        view = self.query_one(ConversationView)
        conversation = view.conversation
        if conversation is None:
            return
        if len(self._session.log.reread) != self._reread:
            self._start()
            return
        last = len(conversation) - 1
        if not conversation.go_on(slice_seconds(self, self._session)):
            return
        view.lines_changed()
        if view.cursor:
            # Who moves is where they moved to.
            self._place = None
        if self._place is not None and (line := conversation.line_of(self._place)) is not None:
            self._arrive(view, line, conversation)
        elif self._to_end or 0 < last == view.cursor:
            # Who went to the end follows it.
            view.move_to(len(conversation) - 1)
            self._to_end = view.cursor == 0
        said = _lines(len(conversation))
        if conversation.full:
            said += ", and more that are not shown"
        elif conversation.behind:
            said += f", {count(conversation.behind)} rows to go"
        self._said = said
        self._note()

    def _arrive(self, view: ConversationView, line: int, conversation: Conversation) -> None:
        """Put the cursor on a line, with as many before it in sight as there were."""
        height = view.scrollable_content_region.height
        if self._above is None:
            view.jump_to(line)
        else:
            top = max(0, line - min(self._above, height - 1))
            if conversation.behind and len(conversation) < top + height:
                return  # there are not enough lines yet to scroll so far
            view.move_to(line)
            view.scroll_to(y=top, animate=False, immediate=True, force=True)
        self._place = None

    def _note(self) -> None:
        """Say when the line under the cursor was said, and how much there is."""
        told, number = self._said, self._row()
        with contextlib.suppress(IndexError):
            if number is not None:
                told = f"row {count(number)}, {clock(self._session.log.time(number), 6)}   {told}"
        note = Content.styled(told, "$foreground-muted")
        self.query_one("#conversation-note", Static).update(note, layout=False)

    def _row(self) -> int | None:
        """The row of the line under the cursor."""
        view = self.query_one(ConversationView)
        return view.conversation.place_at(view.cursor).frame if view.conversation and view.line_count() else None

    @on(LineView.Moved)
    def _moved(self, event: LineView.Moved) -> None:
        event.stop()
        self._note()

    @on(LineView.Chosen)
    def _chosen(self, event: LineView.Chosen) -> None:
        event.stop()
        if (number := self._row()) is not None:
            self.dismiss(number)

    def action_mode(self) -> None:
        self._mode = "hex" if self._mode == "text" else "text"
        self._start()

    @on(Bar.Picked)
    def _picked(self, event: Bar.Picked) -> None:
        if event.name != self._mode:
            self.action_mode()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "rows":
            # Of two ends of a packet there is no filter.
            return self._between is None and bool(self._session.peer_name(self._peer))
        return super().check_action(action, parameters)

    def action_rows(self) -> None:
        self.dismiss(equals("peer", self._session.peer_name(self._peer)))

    def action_copy(self) -> None:
        conversation = self.query_one(ConversationView).conversation
        if conversation is not None and not len(conversation):
            self.notify("There is nothing to copy so far.", timeout=2, markup=False)
        elif conversation is not None:
            self.app.copy_to_clipboard(conversation.text(MOST_COPIED))
            # Beside the note, which goes on counting.
            copied = min(len(conversation), MOST_COPIED)
            said = _lines(copied)
            if copied < len(conversation) or conversation.full or conversation.behind:
                said = f"the first {said}; there are more"
            self.notify(said, title="Copied the conversation", timeout=2, markup=False)


def _lines(number: int) -> str:
    return f"{count(number)} line{'s' * (number != 1)}"
