"""What came out: values by row, medians with their spread, and whether the goals were met."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field


@dataclass
class Goal:
    """``ours`` at most, or at least, so many times ``other``; without ``other`` it is an absolute number.

    Without ``limit`` the ratio is told, and none is wanted.
    """

    item: str
    ours: str
    other: str
    limit: float | None
    at_least: bool = False


@dataclass
class Table:
    """The values of one measurement: rows by name, in the order in which they came, a value a round."""

    title: str
    unit: str
    rows: dict[str, list[float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)

    def add(self, row: str, value: float) -> None:
        """One round's value."""
        self.rows.setdefault(row, []).append(value)

    def note(self, text: str) -> None:
        """Something to be said below the table, once."""
        if text not in self.notes:
            self.notes.append(text)

    def lines(self) -> list[str]:
        """The table, the verdict on every goal, the notes."""
        width = max(map(len, self.rows), default=0)
        found = [f"{self.title}, {self.unit}"]
        for name, values in self.rows.items():
            low, middle, high = min(values), statistics.median(values), max(values)
            found.append(f"  {name:<{width}}  {middle:10.3f}   {low:.3f} to {high:.3f}, {len(values)} rounds")
        found += [f"  {self.verdict(goal)}" for goal in self.goals]
        return found + [f"  {note}" for note in self.notes]

    def verdict(self, goal: Goal) -> str:
        """``PASS 1: …``, ``MISS 1: …``, ``NONE 1: …`` where a row is missing, or the bare ratio."""
        wanted = "" if goal.limit is None else f", {'at least' if goal.at_least else 'at most'} {goal.limit:g} wanted"
        what = f"{goal.item}: {goal.ours}" + (f" / {goal.other}" if goal.other else "")
        if goal.ours not in self.rows or (goal.other and goal.other not in self.rows):
            return f"NONE {what}: not measured{wanted}"
        value = statistics.median(self.rows[goal.ours])
        if goal.other:
            value /= statistics.median(self.rows[goal.other])
        met = goal.limit is None or (value >= goal.limit if goal.at_least else value <= goal.limit)
        return f"{'    ' if goal.limit is None else 'PASS' if met else 'MISS'} {what} = {value:.3f}{wanted}"
