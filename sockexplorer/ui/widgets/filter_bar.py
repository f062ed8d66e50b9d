"""The filter line with its verdict: green with what it finds, red with the reason, and the names that may follow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, Static

from sockexplorer.capture.comparisons import FIELDS
from sockexplorer.capture.completion import compared_last, completions
from sockexplorer.capture.predicate import FilterError, FilterTooSlow, Predicate
from sockexplorer.client.finding import filter_of, vocabulary
from sockexplorer.client.protocols import protocol_names
from sockexplorer.client.session import Session
from sockexplorer.core.text import escape
from sockexplorer.decoders.fields import message_types
from sockexplorer.decoders.packet import ETHERTYPES
from sockexplorer.ui.clock import count
from sockexplorer.ui.field_filters import narrowed
from sockexplorer.ui.widgets.search_line import SearchLine

EVENTS = (
    "accepted", "by-number", "closed", "connected", "dropped", "error", "option-changed", "reset", "timeout", "unkept",
    "unsent", "waits",
)  # fmt: skip
MOST_PEERS, MOST_NAMED = 1000, 6
EXAMPLES = {
    "AF_INET": 'peer~"127."  time>=14:05', "AF_INET6": "peer~::1  time>=14:05", "AF_UNIX": "peer~/tmp  anc.descriptors",
    "AF_NETLINK": "nl.type==RTM_NEWLINK", "AF_CAN": "can.id==0x123  can.pgn==61444",
    "AF_PACKET": "eth.type==arp  127.0.0.1:80",
}  # fmt: skip
"""What may be asked of the rows of a family, behind what may be asked of any."""


def offers(value: str, session: Session | None) -> list[str]:
    """Filters that what was typed may become, for the rows of a session."""

    return completions(value, vocabulary(), lambda field: values_of(field, session))


def values_of(field: str, session: Session | None) -> Iterable[str]:
    """What a field may be compared with, as far as that is known."""
    if field in ("dir", "direction"):
        return ("in", "out")
    if field == "event":
        return EVENTS
    if field == "nl.type":
        return message_types()
    if field == "eth.type":
        return ETHERTYPES.values()
    if field in ("protocol", "proto") and session is not None:
        return protocol_names(session)
    if field == "peer" and session is not None:
        return [each.name for each in list(session.peers.values())[:MOST_PEERS]]
    return ()


def tab_text(offered: list[str]) -> str:
    """What tab may complete, escaped."""
    return f"tab: {escape('  '.join(map(_last_word, offered[:8])), 200)}"


class FilterLine(SearchLine):
    """Tab takes what is offered, as in a shell, and once more the next of several offers."""

    GOES_ROUND: ClassVar[bool] = True
    _taken: tuple[list[str], int] = ([], 0)
    """What was offered when tab took one, and the place of that."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", id="filter-complete"),
    ]

    def _on_paste(self, event: events.Paste) -> None:
        # An input, to which the event goes on, takes the first line only: a filter of several would lose the rest.
        event.text = " ".join(event.text.splitlines())

    @property
    def completes(self) -> bool:
        """Whether there is something for tab to take."""
        return bool(self.others) or len(self._suggestion) > len(self.value)

    @property
    def others(self) -> list[str]:
        """Of several offers those that tab did not take, the next first, while the one that it took stands there."""
        offered, at = self._taken
        if not self.GOES_ROUND or len(offered) < 2 or self.value != offered[at]:
            return []
        return [*offered[at + 1 :], *offered[:at]]

    def action_complete(self) -> None:
        if not self.completes:
            self.screen.focus_next()
            return
        if self.others:
            offered, at = self._taken
            self._taken = offered, (at + 1) % len(offered)
        else:
            assert isinstance(self.suggester, Offers)
            self._taken = self.suggester.offered(self.value) or [self._suggestion], 0
        self.value = self._taken[0][self._taken[1]]
        self.cursor_position = len(self.value)


class Offers(Suggester):
    """Suggests the first of what ``offers`` says that a filter may become."""

    def __init__(self, offers: Callable[[str], list[str]]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self.offered = offers
        """What a value may become."""

    async def get_suggestion(self, value: str) -> str | None:
        return next(iter(self.offered(value)), None)


class FilterBar(Vertical):
    """Hands each filter that is right to ``apply``; a wrong one changes nothing but the verdict."""

    class Left(Message):
        """The person is done with the filter: it holds if there is one."""

    def __init__(self, apply: Callable[[Predicate | None], None]) -> None:
        super().__init__(id="filter-bar")
        self._apply = apply
        self.holding = ""
        """The filter that holds: the last that was right."""
        self._session: Session | None = None
        self._wrong = ""
        self._told: object = None
        self._lines = 0

    def compose(self) -> ComposeResult:
        yield FilterLine(
            compact=True,
            id="filter",
            suggester=Offers(self.offers),
        )
        yield Static(id="filter-note")

    def on_mount(self) -> None:
        self.line.display = self.note.display = False

    @property
    def line(self) -> FilterLine:
        return self.query_one(FilterLine)

    @property
    def note(self) -> Static:
        return self.query_one("#filter-note", Static)

    def open(self) -> None:
        """Let the person type."""
        # A file tells of which family its frames are only when it has been read so far.
        asked = EXAMPLES.get(self._session.family.constant if self._session is not None else "", "time>=14:05")
        self.line.placeholder = f"text  /regex/  hex:de ad  dir==in  len>100  {asked}"
        self.line.display = True
        self.line.focus()

    def start_with(self, expression: str) -> None:
        """Show a filter that was given beforehand, and apply it."""
        self.line.display = True
        self.line.value = expression

    def narrow(self, expression: str) -> None:
        """Have what holds, and an expression as well, in the line, for the person to see what it finds and to go on."""
        self.line.value = narrowed(self.holding, expression)
        self.line.cursor_position = len(self.line.value)
        self.open()

    def clear(self) -> None:
        """No filter."""
        self.line.value = ""
        self.line.display = self.note.display = False

    def show(self, session: Session | None) -> None:
        """Apply the filter to another session."""
        self._session = session
        self._compile()

    def refuse(self, error: FilterError) -> None:
        """Say what is wrong; a filter that was given up holds no more."""
        if isinstance(error, FilterTooSlow):
            self.holding = ""
        self._wrong = str(error)
        self._judge()
        verdict = (f"✗ {escape(self._wrong)}", "$text-error")
        self._say(Content.assemble(verdict, *self._offered()))

    def found(self, matching: int, total: int, *, hiding: bool) -> None:
        """How many rows pass; told while the person types."""
        if self._wrong or not self.line.display:
            return
        value = self.line.value
        if not self.line.has_focus or not value.strip():
            self.note.display = False
            self._told = None
            return
        told = (matching, total, hiding, value)
        if told == self._told:
            return
        self._told = told
        rest = "" if hiding else ", the others stay in sight"
        parts: list[str | tuple[str, str]] = [
            (f"✓ {count(matching)} of {count(total)} rows{rest}", "$text-success"),
        ]
        self._say(Content.assemble(*parts, *(self._offered() or self._there_is(matching))))

    def _there_is(self, matching: int) -> list[tuple[str, str]]:
        """Where nothing is found, what the last field that is compared may be in these rows, or how one is compared."""
        if matching:
            return []
        word = self.line.value.replace("(", " ").rpartition(" ")[2].lower()
        if word in FIELDS or word in vocabulary().names:
            return [(f"   the text {escape(word)}; the field is asked for by {escape(word)}==…", "$foreground-muted")]
        field = compared_last(self.line.value)
        if field not in ("peer", "protocol", "proto"):
            return []
        known = [each for each in dict.fromkeys(values_of(field, self._session)) if each]
        names = escape("  ".join([*known[:MOST_NAMED], *["…"][: len(known) > MOST_NAMED]]), 200)
        return [(f"   {field} may be {names}", "$foreground-muted")] if known else []

    def _offered(self) -> list[tuple[str, str]]:
        offers = self.line.others or self.offers(self.line.value) if self.line.has_focus else []
        return [(f"   {tab_text(offers)}", "$foreground-muted")] if offers else []

    def offers(self, value: str) -> list[str]:
        """Filters that what was typed may become."""
        return offers(value, self._session)

    def _say(self, content: Content) -> None:
        note = self.note
        lines = -(-content.cell_length // max(1, self.size.width - 2))
        # Counts change with every tick: the screen is laid out anew only where the note grows or shrinks.
        note.update(content, layout=not note.display or lines != self._lines)
        self._lines = lines
        note.display = True

    def _judge(self) -> None:
        right = bool(self.line.value.strip()) and not self._wrong
        self.line.set_class(bool(self._wrong), "-wrong")
        self.line.set_class(right, "-right")

    def _compile(self) -> None:
        try:
            predicate = filter_of(self.line.value, self._session)
        except FilterError as error:
            self.refuse(error)
            return
        self.holding = self.line.value.strip()
        self._wrong, self._told = "", None
        self._judge()
        if predicate is None:
            self.note.display = False
        self._apply(predicate)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._compile()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if not event.value:
            self.line.display = False
        self.post_message(self.Left())

    @on(SearchLine.Left)
    def _left(self, event: SearchLine.Left) -> None:
        event.stop()
        self.clear()
        self.post_message(self.Left())


def _last_word(text: str) -> str:
    word = text.replace("(", " ").rpartition(" ")[2]
    return re.split("==|!=|~", word, maxsplit=1)[-1]
