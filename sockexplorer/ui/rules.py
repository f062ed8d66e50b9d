"""Colour rules: what a person wants to stand out. Of all rules the first that matches a row colours it.

Behind the person's rules come those of every row, see `sockexplorer.ui.columns.row_kind`. Each has a sign of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from rich.color import Color

from sockexplorer.capture.log import Frame
from sockexplorer.capture.predicate import FilterError, FilterTooSlow, Predicate
from sockexplorer.client.finding import filter_of
from sockexplorer.client.session import Session

COLOURS = {
    "red": ("#e5534b", "red"), "orange": ("#e08a3c", "bright_red"), "yellow": ("#d3b13c", "yellow"),
    "green": ("#57ab5a", "green"), "cyan": ("#3aa7a3", "cyan"), "blue": ("#539bf5", "blue"),
    "purple": ("#a37ce0", "magenta"), "pink": ("#d76fb0", "bright_magenta"), "grey": ("#8a8f98", "bright_black"),
}  # fmt: skip
"""By name: the colour, and what stands for it where the terminal's own colours are used."""
SIGNS = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
"""What stands before a row that a rule colours: the rule's number."""
MOST = len(SIGNS)
ROW_SECONDS, SPARE_SECONDS = 0.002, 0.05
"""Processor time that a rule may take for a row on average, and beyond that once."""
REMEMBERED = 4096


class Rule(NamedTuple):
    """Rows that pass ``filter`` have this colour, one of `COLOURS`."""

    filter: str
    colour: str


def fault_of(rule: Rule) -> str:
    """What is wrong with a rule, "" for nothing."""
    if rule.colour not in COLOURS:
        return f"{rule.colour!r} is no colour here; there are {', '.join(COLOURS)}"
    if not rule.filter.strip():
        return "a rule needs a filter"
    try:
        filter_of(rule.filter, None)
    except FilterError as error:
        return str(error)
    return ""


def colour_of(name: str, *, own: bool) -> Color:
    """A colour by its name; ``own`` for one of the terminal's."""
    return Color.parse(COLOURS[name][own])


class Painter:
    """Finds the rule of each row that is drawn, once. A rule that takes too long is given up, and told of.

    Rules that are wrong match nothing.
    """

    def __init__(
        self, rules: Iterable[Rule], session: Session, give_up: Callable[[Rule], None], *, without: Iterable[Rule] = ()
    ) -> None:
        self._session = session
        self._give_up = give_up
        self._found: dict[int, int] = {}
        self._spent: dict[int, float] = {}
        self._looked: dict[int, int] = {}
        self._tests: list[tuple[int, Rule, Predicate]] = []
        for index, rule in enumerate(rules):
            if rule not in set(without) and not fault_of(rule) and (predicate := filter_of(rule.filter, session)):
                self._tests.append((index, rule, predicate))

    def rule_of(self, number: int) -> int:
        """The index of the rule that colours a row, -1 for none. Raises IndexError for a row that is gone."""
        found = self._found.get(number)
        if found is None:
            if len(self._found) >= REMEMBERED:
                self._found.clear()
            found = self._found[number] = self._find(self._session.log.frame(number)) if self._tests else -1
        return found

    def _find(self, frame: Frame) -> int:
        for each in list(self._tests):
            if self._matches(each, frame):
                return each[0]
        return -1

    def _matches(self, test: tuple[int, Rule, Predicate], frame: Frame) -> bool:
        index, rule, predicate = test
        # Not the time of day: other programs may be busy.
        began = time.thread_time()
        try:
            matched, slow = predicate(frame), False
        except FilterTooSlow:
            matched, slow = False, True
        spent = self._spent[index] = self._spent.get(index, 0.0) + time.thread_time() - began
        looked = self._looked[index] = self._looked.get(index, 0) + 1
        if slow or spent > SPARE_SECONDS + looked * ROW_SECONDS:
            self._tests.remove(test)
            self._give_up(rule)
            self._found.clear()
            return False
        return matched
