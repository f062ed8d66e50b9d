"""The colour rules: a list that a person orders, and a line to change one, checked while it is typed."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Label, Static

from sockexplorer.client.session import Session
from sockexplorer.core.text import escape
from sockexplorer.ui.columns import KINDS
from sockexplorer.ui.rules import COLOURS, MOST, SIGNS, Rule, colour_of, fault_of
from sockexplorer.ui.screens.dialog import Dialog
from sockexplorer.ui.widgets.bar import Bar
from sockexplorer.ui.widgets.filter_bar import FilterLine, Offers, offers, tab_text
from sockexplorer.ui.widgets.key_line import KeyLine
from sockexplorer.ui.widgets.lines import LineView
from sockexplorer.ui.widgets.search_line import SearchLine

SIGN_CELLS = 12
"""Of the signs, or of a rule's sign and the name of its colour."""


class RuleLine(FilterLine):
    """The filter of a rule. It keeps the focus until it is taken or left: tab goes on to the colours below it."""

    GOES_ROUND = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Take it"),
        Binding("escape", "leave", "Leave it as it was"),
        Binding("tab", "complete_or_colour", "Complete", id="filter-complete"),
        Binding("shift+tab", "screen.colour(-1)", "Colour before", show=False),
    ]

    async def action_complete_or_colour(self) -> None:
        if self.completes:
            self.action_complete()
        else:
            await self.run_action("screen.colour(1)")


class RuleList(LineView):
    """The rules of the person, then those that every row has."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "traffic--in", "traffic--out", "traffic--event", "traffic--warning", "traffic--problem", "traffic--muted",
    }  # fmt: skip

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "choose", "Change")]

    def __init__(self, rules: list[Rule]) -> None:
        super().__init__(id="rules")
        self.rules = rules

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "choose":
            return self.cursor < len(self.rules)
        return super().check_action(action, parameters)

    def line_count(self) -> int:
        return len(self.rules) + len(KINDS)

    def line(self, index: int, width: int) -> list[tuple[str, Style]]:
        if index >= len(self.rules):
            kind, (signs, words) = list(KINDS.items())[index - len(self.rules)]
            return [(f"{signs:<{SIGN_CELLS}}", self.tone(f"traffic--{kind}")), (words, self.tone("traffic--muted"))]
        rule = self.rules[index]
        if fault := fault_of(rule):
            return [(f"✗ {escape(rule.filter, 40)}: {escape(fault, width)}", self.tone("traffic--problem"))]
        ground = self.rich_style.bgcolor
        own = ground is None or ground.triplet is None
        style = Style(color=self.readable(colour_of(rule.colour, own=own)))
        return [(f"{SIGNS[index]} {rule.colour:<{SIGN_CELLS - 2}}", style), (escape(rule.filter, width), style)]


class RulesScreen(Dialog[tuple[Rule, ...]]):
    """Returns the rules as they are when it is left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "Add"),
        Binding("d,delete", "remove", "Remove", key_display="d"),
        Binding("K,shift+up", "shift(-1)", "Up", key_display="K"),
        Binding("J,shift+down", "shift(1)", "Down", key_display="J"),
        Binding("ctrl+t", "colour(1)", "Next colour", key_display="ctrl+t"),
        Binding("escape", "back", "Back"),
    ]

    def __init__(self, rules: tuple[Rule, ...], session: Session | None) -> None:
        super().__init__()
        self._rules = list(rules)
        self._session = session
        self._at: int | None = None
        """The rule that the line changes; None while there is none to change."""
        self._colour = next(iter(COLOURS))

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide-auto"):
            yield Label("Colours of rows: the first rule that matches", classes="dialog-title", markup=False)
            yield RuleList(self._rules)
            yield RuleLine(
                placeholder='dir==in len>100   event==reset   nl.type==RTM_NEWLINK   /regex/   peer~"192."',
                compact=True, id="rule-filter", suggester=Offers(lambda value: offers(value, self._session)),
            )  # fmt: skip
            yield Bar(list(COLOURS), id="rule-colours")
            yield Static(id="rule-note")
        yield KeyLine()

    def on_mount(self) -> None:
        self._leave_line()

    @property
    def _list(self) -> RuleList:
        return self.query_one(RuleList)

    @property
    def _line(self) -> FilterLine:
        return self.query_one(FilterLine)

    @property
    def _editing(self) -> bool:
        return self._at is not None

    @property
    def _current(self) -> int | None:
        """The index of the person's rule under the cursor."""
        return self._list.cursor if self._list.cursor < len(self._rules) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "colour":
            return self._editing
        if self._editing and action in ("add", "remove", "shift"):
            return False
        if action == "remove" or (action == "shift" and len(self._rules) > 1):
            return self._current is not None
        return action != "shift" and super().check_action(action, parameters)

    # --- the list ------------------------------------------------------------------------------------------

    @on(LineView.Moved)
    def _moved(self, event: LineView.Moved) -> None:
        event.stop()
        self.refresh_bindings()

    @on(LineView.Chosen)
    def _chosen(self, event: LineView.Chosen) -> None:
        event.stop()
        if (at := self._current) is not None:
            if (colour := self._rules[at].colour) in COLOURS:
                self._colour = colour
            self._open(at, self._rules[at].filter)

    def action_add(self) -> None:
        if len(self._rules) == MOST:
            self._say(f"✗ there are {MOST} rules at most", "$text-error")
            return
        used = [each.colour for each in self._rules]
        self._colour = next((each for each in COLOURS if each not in used), next(iter(COLOURS)))
        self._open(len(self._rules), "")

    def action_remove(self) -> None:
        if (at := self._current) is not None:
            del self._rules[at]
            self._changed()

    def action_shift(self, by: int) -> None:
        at = self._current
        if at is not None and 0 <= at + by < len(self._rules):
            self._rules[at], self._rules[at + by] = self._rules[at + by], self._rules[at]
            self._changed()
            self._list.move_to(at + by)

    def action_back(self) -> None:
        if self._editing:
            self._leave_line()
        else:
            self.dismiss(tuple(self._rules))

    def _changed(self) -> None:
        self._list.lines_changed()
        self._list.cursor = self._list.cursor
        self.refresh_bindings()

    # --- the line ------------------------------------------------------------------------------------------

    def _open(self, at: int, text: str) -> None:
        self._at = at
        self._line.value = text
        self._line.cursor_position = len(text)
        self._line.display = self.query_one(Bar).display = True
        self._line.focus()
        self._judge()

    def _leave_line(self) -> None:
        self._at = None
        self._line.display = self.query_one(Bar).display = False
        self._list.focus()
        last = "The last five hold for every other row."
        self._say(last if self._rules else "a adds a rule of your own, which comes before these", "$foreground-muted")
        self.refresh_bindings()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        # A click on the rules leaves the line, as escape does: its keys are those of the list from then on.
        if self._editing and event.widget is self._list:
            self._leave_line()

    def _judge(self) -> None:
        """Say whether the rule is right, and show its colour."""
        rule = Rule(self._line.value.strip(), self._colour)
        fault = fault_of(rule) if rule.filter else ""
        self._line.set_class(bool(fault), "-wrong")
        self._line.set_class(bool(rule.filter) and not fault, "-right")
        self.query_one(Bar).mark(self._colour)
        offered = offers(self._line.value, self._session)
        if fault:
            self._say(f"✗ {escape(fault)}", "$text-error")
        elif offered:
            self._say(tab_text(offered), "$foreground-muted")
        else:
            self._say(
                "✓ enter takes it, tab goes through the colours" if rule.filter else "which rows? as in the filter",
                "$foreground-muted",
            )
        self.refresh_bindings()

    def _say(self, text: str, style: str) -> None:
        self.query_one("#rule-note", Static).update(Content.styled(text, style))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self._editing:
            self._judge()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        rule = Rule(self._line.value.strip(), self._colour)
        if self._at is None:
            return
        if fault := fault_of(rule):
            self._say(f"✗ {escape(fault)}", "$text-error")
            return
        at, self._rules[self._at : self._at + 1] = self._at, [rule]
        self._changed()
        self._list.move_to(at)
        self._leave_line()

    @on(SearchLine.Left)
    def _left(self, event: SearchLine.Left) -> None:
        event.stop()
        self._leave_line()

    def action_colour(self, step: int) -> None:
        names = list(COLOURS)
        self._colour = names[(names.index(self._colour) + step) % len(names)]
        self._judge()

    @on(Bar.Picked)
    def _picked(self, event: Bar.Picked) -> None:
        self._colour = event.name
        self._judge()
        self._line.focus()
