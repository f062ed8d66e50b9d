"""Pane 4: every constant of ``socket`` with its value and whether this Python and this kernel have it."""

from __future__ import annotations

import re
from typing import ClassVar

from rich.style import Style
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from sockexplorer.core.about import Section
from sockexplorer.core.capability import GLYPHS, SENTENCES, STEPS, WORDS, Capability
from sockexplorer.core.text import escape
from sockexplorer.ui.panes.pane import CopyText, Pane
from sockexplorer.ui.widgets.lines import LineView
from sockexplorer.ui.widgets.search_line import SearchLine

Row = str | Capability
"""A group's title, or a constant."""


TONES: dict[bool | None, str] = {True: "$text-success", False: "$text-error", None: "$text-warning"}
"""Colours of a step."""
WIDE = 60
"""Columns from which everything that could be done is told under the list; below, the help has the rest."""
_COMMAND = re.compile(r"(?:^|: |, )((?:sudo|sockexplorer|unshare|docker|modprobe|ip) .*)")


def command_in(fix: str) -> str:
    """The shell command that a fix says to run, else all of it."""
    found = _COMMAND.search(fix)
    return found[1] if found else fix


class CapabilityList(LineView):
    """Groups and their constants."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "capability--group", "capability--yes", "capability--maybe", "capability--no", "capability--muted",
    }  # fmt: skip

    def __init__(self) -> None:
        super().__init__(id="capability-list")
        self._rows: list[Row] = []

    def show(self, rows: list[Row]) -> None:
        """Show these rows; the cursor stays on its constant where it still stands."""
        current = self.current()
        self._rows = rows
        names = {row.name: index for index, row in enumerate(rows) if isinstance(row, Capability)}
        self.lines_changed()
        self.move_to(names.get(current.name, 0) if current else 0)

    def point_at(self, name: str) -> None:
        """Put the cursor on a name, where there is one."""
        for index, row in enumerate(self._rows):
            if isinstance(row, Capability) and row.name == name:
                self.move_to(index)

    def current(self) -> Capability | None:
        """The constant under the cursor."""
        row = self._rows[self.cursor] if self.cursor < len(self._rows) else None
        return row if isinstance(row, Capability) else None

    def line_count(self) -> int:
        return len(self._rows)

    def line(self, index: int, width: int) -> list[tuple[str, Style]]:
        row = self._rows[index]
        if isinstance(row, str):
            return [(row, self.tone("capability--group"))]
        glyph = GLYPHS[row.state]
        kind = {"●": "yes", "○": "no"}.get(glyph, "maybe")
        muted = self.tone("capability--muted")
        value = _number(row.value)
        if width >= 60:
            return [
                (f" {glyph} ", self.tone(f"capability--{kind}")),
                (f"{escape(row.name, 34):<35}", Style()),
                (f"{value:<12} ", muted),
                (WORDS[row.state], self.tone(f"capability--{kind}")),
            ]
        room = max(8, width - 4 - len(value))
        name = escape(row.name, room - 1)
        return [
            (f" {glyph} ", self.tone(f"capability--{kind}")),
            (f"{name:<{room}}", Style()),
            (f"{value} ", muted),
        ]


class CapabilitiesPane(Pane):
    """A search line, the list, and what is known of the constant under the cursor."""

    NUMBER, TITLE = 4, "Capabilities"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("/", "search", "Search", id="search"),
        Binding("y", "copy", "Copy", id="copy-constant"),
        Binding("Y", "copy_fix", "Copy the fix", id="copy-fix"),
        Binding("r", "probe", "Probe again", id="probe"),
        Binding("escape", "clear", "Clear", show=False),
    ]

    class ProbeAgain(Message):
        """The person wants the host looked at again."""

    def __init__(self) -> None:
        super().__init__(id="capabilities")
        self._known: list[Capability] = []
        self._protocols: list[Capability] = []
        self._fixable = False
        """Whether there is something to do for what is under the cursor."""
        self._copied = ("", 0)
        """Whose fix was copied last, and which of its fixes."""

    def compose(self) -> ComposeResult:
        yield SearchLine(placeholder="/ search: name, value or state", compact=True, id="capability-search")
        yield CapabilityList()
        yield Static(id="capability-detail")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#capability-detail", Static).update(Content("Looking at this host …"))

    def home(self) -> Widget:
        return self.query_one(CapabilityList)

    def on_resize(self) -> None:
        if self._known:
            self._describe()

    def know(self, protocols: list[Capability], constants: list[Capability]) -> None:
        """Show what the probe found: the protocols that can be opened first, then every constant."""
        self._protocols, self._known = protocols, constants
        self._filter()

    def point_at(self, name: str) -> None:
        """Put the cursor on a protocol, unless the person is at work here or has searched for something."""
        if not self.has_focus_within and not self.query_one(Input).value:
            self.query_one(CapabilityList).point_at(name)
            self._describe()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._filter()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.home().focus()

    @on(SearchLine.Left)
    def _left(self, event: SearchLine.Left) -> None:
        event.stop()
        self.action_clear()

    def _filter(self) -> None:
        words = self.query_one(Input).value.lower().split()
        rows: list[Row] = []
        shown = 0
        for title, capabilities in self._groups():
            matching = [
                each for each in capabilities
                if all(word in f"{each.name} {each.value} {title} {WORDS[each.state]}".lower() for word in words)
            ]  # fmt: skip
            if matching:
                shown += len(matching)
                rows += [title, *matching]
        self.query_one(CapabilityList).show(rows)
        total = len(self._known) + len(self._protocols)
        self.border_subtitle = f"{shown} of {total}" if words else f"{total}" if total else ""
        view = self.query_one(CapabilityList)
        if len(rows) > 1:
            view.move_to(1 if words else max(view.cursor, 1))
        self._describe()

    def _groups(self) -> list[tuple[str, list[Capability]]]:
        groups: dict[str, list[Capability]] = {}
        if self._protocols:
            groups["Protocols"] = self._protocols
        for each in self._known:
            groups.setdefault(each.group, []).append(each)
        return list(groups.items())

    @on(LineView.Moved)
    def _moved(self, event: LineView.Moved) -> None:
        event.stop()
        self._describe()

    def _describe(self) -> None:
        detail = self.query_one("#capability-detail", Static)
        current = self.query_one(CapabilityList).current()
        fixable = current is not None and bool(current.fix)
        if fixable != self._fixable:
            self._fixable = fixable
            self.refresh_bindings()
        if current is None:
            found = bool(self.query_one(CapabilityList).line_count())
            detail.update(Content("" if found else "Nothing has that name, value or state."))
            return
        parts: list[Content | str | tuple[str, str]] = [
            (f"{escape(current.name)}", "bold"),
            (f" = {escape(current.value)}" if current.value and "/" not in current.name else "", "$foreground-muted"),
            f"\n{GLYPHS[current.state]} {current.words}\n",
        ]
        steps = current.named_steps()
        for name, step in steps:
            parts += ["" if name == "python" else " → ", f"{STEPS[name]} ", (current.mark(step), TONES[step.ok])]
        for each in current.fix if detail.size.width >= WIDE else current.fix[:1]:
            parts.append(Content.assemble(("\n▸ ", "$text-accent"), escape(each)))
        for name, step in steps:
            # That this Python has it is seen by the value already.
            if step.evidence and not (name == "python" and step.ok):
                parts += [f"\n{STEPS[name]} ", (f"· {'; '.join(map(escape, step.evidence))}", "$foreground-muted")]
        detail.update(Content.assemble(*parts))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("search", "copy", "copy_fix", "probe") and self.typing:
            return False
        if action == "copy_fix":
            return self._fixable
        return super().check_action(action, parameters)

    def action_search(self) -> None:
        self.query_one(Input).focus()

    def action_clear(self) -> None:
        self.query_one(Input).value = ""
        self.home().focus()

    def action_probe(self) -> None:
        self.post_message(self.ProbeAgain())

    def action_copy(self) -> None:
        current = self.query_one(CapabilityList).current()
        if current is not None:
            self.post_message(CopyText(f"{current.name} = {current.value or None}", current.name))

    def action_copy_fix(self) -> None:
        """Copy what to do: the first time the likeliest, then the next."""
        current = self.query_one(CapabilityList).current()
        if current is None or not current.fix:
            return
        name, last = self._copied
        index = (last + 1) % len(current.fix) if name == current.name else 0
        self._copied = current.name, index
        self.post_message(CopyText(command_in(current.fix[index]), "what to do"))

    def subject(self) -> tuple[str, list[Section]]:
        current = self.query_one(CapabilityList).current()
        if current is None:
            text = "Every constant of Python's socket: its value, and whether it can be used here."
            return "Capabilities", [("", [text])]
        found: list[Section] = [("", [current.words]), ("What to do", [f"▸ {each}" for each in current.fix])]
        for name, step in current.named_steps():
            found.append((f"{SENTENCES[name]} {current.mark(step)}", [f"· {each}" for each in step.evidence]))
        return f"{current.name} = {current.value}", found


def _number(value: str) -> str:
    return value if len(value) <= 11 else value[:10] + "…"
