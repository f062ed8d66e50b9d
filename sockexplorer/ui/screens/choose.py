"""A list to choose from, over the form: one value, or several flags."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from sockexplorer.client.offers import Offer
from sockexplorer.ui.screens.dialog import Dialog
from sockexplorer.ui.widgets.key_line import KeyLine

_VIM: list[BindingType] = [
    Binding("j", "cursor_down", "Down", show=False),
    Binding("k", "cursor_up", "Up", show=False),
]


class Choices(OptionList):
    """One of several."""

    BINDINGS: ClassVar[list[BindingType]] = [*_VIM, Binding("enter", "select", "Take it")]


class Flags(OptionList):
    """Any of several; ``[x]`` marks those that are taken, without colour."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *_VIM,
        Binding("space", "switch", "Switch"),
        Binding("enter", "screen.take", "Take them"),
    ]

    def __init__(self, offers: list[Offer], taken: list[str]) -> None:
        self._offers = offers
        self.taken = {each.value for each in offers if each.value in taken}
        super().__init__(*(Option(self._prompt(each)) for each in offers), compact=True)

    def _prompt(self, offer: Offer) -> Text:
        return Text(f"[{'x' if offer.value in self.taken else ' '}] {offer.label}")

    def action_switch(self) -> None:
        if self.highlighted is not None:
            offer = self._offers[self.highlighted]
            self.taken ^= {offer.value}
            self.replace_option_prompt_at_index(self.highlighted, self._prompt(offer))

    @property
    def selected(self) -> list[str]:
        """The values that are taken, in their order."""
        return [each.value for each in self._offers if each.value in self.taken]


class ChooseScreen(Dialog[Offer | None]):
    """Returns what was chosen, or None; several flags come as one offer, joined by ``|``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back"),
        Binding("q", "app.quit", "Quit"),
    ]

    def __init__(self, title: str, offers: list[Offer], current: str, *, several: bool = False) -> None:
        super().__init__()
        self._title = title
        self._offers = offers
        self._current = [part.strip() for part in current.split("|")] if several else [current]
        self._several = several

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(self._title, classes="dialog-title", markup=False)
            if self._several:
                yield Flags(self._offers, self._current)
            else:
                yield Choices(*(Option(Text(label)) for _, label, _ in self._offers), compact=True)
        yield KeyLine()

    def on_mount(self) -> None:
        for choices in self.query(Choices):
            values = [offer.value for offer in self._offers]
            if self._current[0] in values:
                choices.highlighted = values.index(self._current[0])

    @on(OptionList.OptionSelected, "Choices")
    def _one(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._offers[event.option_index])

    @on(OptionList.OptionSelected, "Flags")
    def _switch(self, event: OptionList.OptionSelected) -> None:
        self.query_one(Flags).action_switch()

    def action_take(self) -> None:
        flags = "|".join(self.query_one(Flags).selected) or "0"
        self.dismiss(Offer(flags, flags))
