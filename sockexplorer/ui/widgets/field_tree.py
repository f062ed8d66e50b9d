"""The fields of a frame as a tree that folds, of any length."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from sockexplorer.ui.facts import Fact
from sockexplorer.ui.widgets.lines import LineView

NAME_WIDTH = 9
MOST_LINES = 6
"""How many lines a value may take."""
_PIECE = re.compile(r"[^ |]*[ |]+|[^ |]+")


class FieldTree(LineView):
    """Posts `Moved` when the person goes to another field; `h` and `l` fold and unfold."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"fields--name", "fields--warning", "fields--advice"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "fold", "Fold", show=False),
        Binding("right,l", "unfold", "Unfold", show=False),
        Binding("space", "choose", "Fold or unfold", show=False),
        Binding("a", "ask", "Filter by this field", show=False, id="filter-by-field"),
    ]

    class Asked(Message):
        """The person wants the rows in which a fact, of this index, says the same."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self) -> None:
        super().__init__(id="facts")
        self.facts: Sequence[Fact] = ()
        self._folded: set[tuple[str, ...]] = set()
        self._unfolded: set[tuple[str, ...]] = set()
        self._paths: list[tuple[str, ...]] = []
        self._shown: list[int] = []
        """The index of each line's fact."""
        self._values: list[str] = []
        """What each line has of the value."""
        self._width = 0

    def show(self, facts: Sequence[Fact]) -> None:
        """Show other facts; what was folded stays so, and the cursor stays on the field of the same name."""
        before = self._paths[self._shown[self.cursor]] if self._shown else ()
        self.facts = facts
        self._paths = _paths(facts)
        self._choose_lines()
        cursor = next((line for line, index in enumerate(self._shown) if self._paths[index] == before), 0)
        # What another row has at its place is no move of the person's.
        self.set_reactive(LineView.cursor, cursor)
        self.lines_changed()
        self.show_cursor_line()

    def text(self) -> str:
        """All lines that are not folded away."""
        return "\n".join("".join(text for text, _ in self.line(n, 0)).rstrip() for n in range(self.line_count()))

    @property
    def current(self) -> Fact | None:
        """The fact under the cursor."""
        return self.facts[self._shown[self.cursor]] if self._shown else None

    def point_at(self, index: int) -> None:
        """Put the cursor on a fact, unfolding what is above it, without saying that the person did."""
        for length in range(1, len(self._paths[index])):
            self._folded.discard(self._paths[index][:length])
            self._unfolded.add(self._paths[index][:length])
        self._choose_lines()
        self.set_reactive(LineView.cursor, self._shown.index(index))
        self.lines_changed()
        self.show_cursor_line()

    # --- which lines ---------------------------------------------------------------------------------------

    def _is_folded(self, index: int) -> bool:
        path = self._paths[index]
        return path in self._folded or (self.facts[index].folded and path not in self._unfolded)

    def _is_parent(self, index: int) -> bool:
        return index + 1 < len(self.facts) and self.facts[index + 1].depth > self.facts[index].depth

    def _choose_lines(self) -> None:
        self._shown, self._values = [], []
        self._width = self.scrollable_content_region.width
        hidden_below: int | None = None
        for index, each in enumerate(self.facts):
            if hidden_below is not None and each.depth > hidden_below:
                continue
            hidden_below = each.depth if self._is_folded(index) else None
            room = max(8, self._width - cell_len(self._label(index)))
            parts = _wrapped(each.value, room)
            self._shown += [index] * len(parts)
            self._values += parts

    def on_resize(self) -> None:
        if self._width != self.scrollable_content_region.width and self._shown:
            index = self._shown[self.cursor]
            self._choose_lines()
            self.set_reactive(LineView.cursor, self._shown.index(index))
        super().on_resize()

    def _fold(self, index: int, fold: bool) -> None:
        (self._folded if fold else self._unfolded).add(self._paths[index])
        (self._unfolded if fold else self._folded).discard(self._paths[index])
        self._choose_lines()
        self.cursor = self._shown.index(index)
        self.lines_changed()

    # --- keys and mouse ------------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        if not self._shown:
            return
        # A field of several lines is one step.
        indexes = sorted(set(self._shown))
        at = indexes.index(self._shown[self.cursor]) + by
        self.move_to(self._shown.index(indexes[max(0, min(at, len(indexes) - 1))]))

    def action_fold(self) -> None:
        if not self._shown:
            return
        index = self._shown[self.cursor]
        if self._is_parent(index) and not self._is_folded(index):
            self._fold(index, True)
            return
        above = [n for n in range(index) if self.facts[n].depth < self.facts[index].depth]
        if above:
            self.move_to(self._shown.index(above[-1]))

    def action_unfold(self) -> None:
        if not self._shown:
            return
        index = self._shown[self.cursor]
        if self._is_parent(index):
            if self._is_folded(index):
                self._fold(index, False)
            else:
                self.action_move(1)

    def action_choose(self) -> None:
        if self._shown:
            index = self._shown[self.cursor]
            if self._is_parent(index):
                self._fold(index, not self._is_folded(index))

    def action_ask(self) -> None:
        if self._shown:
            self.post_message(self.Asked(self._shown[self.cursor]))

    def on_click(self, event: events.Click) -> None:
        super().on_click(event)
        event.stop()

    # --- drawing -------------------------------------------------------------------------------------------

    def line_count(self) -> int:
        return len(self._shown)

    def _label(self, at: int) -> str:
        fact = self.facts[at]
        if fact.kind == "warning":
            return f"⚠ {fact.name:<{NAME_WIDTH}} "
        if fact.kind == "advice":
            return f"  {fact.name} "
        glyph = ("▸ " if self._is_folded(at) else "▾ ") if self._is_parent(at) else "  "
        return f"{'  ' * fact.depth}{glyph}{fact.name:<{NAME_WIDTH}} "

    def line(self, index: int, width: int) -> list[tuple[str, Style]]:
        at = self._shown[index]
        kind = self.facts[at].kind
        label = self._label(at)
        if index and self._shown[index - 1] == at:
            label = " " * cell_len(label)
        style = self.tone(f"fields--{kind}") if kind else Style()
        return [(label, style if kind else self.tone("fields--name")), (self._values[index], style)]


def _wrapped(value: str, room: int) -> list[str]:
    """A value in lines of so many cells, broken after a blank or the bar between flags where there are any."""
    if cell_len(value) <= room:
        return [value]
    lines, line = list[str](), ""
    for piece in _PIECE.findall(value):
        if cell_len(line + piece.rstrip()) > room:
            full = chop_cells(piece, room) if cell_len(piece.rstrip()) > room else [piece]
            lines += [line, *full[:-1]] if line else full[:-1]
            line = full[-1]
        else:
            line += piece
        if len(lines) > MOST_LINES:
            break
    lines = [each.rstrip() for each in (*lines, line)]
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], f"{set_cell_size(lines[MOST_LINES - 1], room - 1)}…"]
    return lines


def _paths(facts: Sequence[Fact]) -> list[tuple[str, ...]]:
    """What each fact is called, with the names of those above it; alike ones are numbered."""
    paths: list[tuple[str, ...]] = []
    above: list[str] = []
    counts: dict[tuple[str, ...], int] = {}
    for each in facts:
        del above[each.depth :]
        path = (*above, each.name)
        seen = counts[path] = counts.get(path, 0) + 1
        above.append(each.name if seen == 1 else f"{each.name} {seen}")
        paths.append(tuple(above))
    return paths
