"""Modal screens that show a text: help, and the script of an endpoint."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.highlight import highlight
from textual.screen import ModalScreen
from textual.widgets import Footer, Label, Static

_SCROLL: list[BindingType] = [
    Binding("j", "scroll_down", "Down", show=False),
    Binding("k", "scroll_up", "Up", show=False),
    Binding("g", "scroll_home", "Top", show=False),
    Binding("G", "scroll_end", "Bottom", show=False),
    Binding("space", "page_down", "Page down", show=False),
]


class TextScroll(VerticalScroll, can_focus=True):
    """A scrolling text with vim's keys as well."""

    BINDINGS: ClassVar[list[BindingType]] = _SCROLL


class HelpScreen(ModalScreen[None]):
    """Help on the thing under the cursor, then the keys that work where the person is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1", "dismiss(None)", "Back"),
        Binding("q", "app.quit", "Quit"),
    ]

    def __init__(self, title: str, text: str, keys: list[tuple[str, str]]) -> None:
        super().__init__()
        self._title, self._text, self._keys = title, text, keys

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(self._title, classes="dialog-title", markup=False)
            with TextScroll():
                yield Static(Content(self._text), markup=False)
                yield Static(self._key_table(), id="help-keys")
        yield Footer(compact=True, show_command_palette=False)

    def _key_table(self) -> Content:
        width = max((len(key) for key, _ in self._keys), default=0)
        lines = [
            Content.assemble((f"{key:>{width}}", "$text-accent"), f"  {description}") for key, description in self._keys
        ]
        return Content("\n").join([Content.styled("\nKeys that work here", "bold"), *lines])


class CodeScreen(ModalScreen[None]):
    """A Python script, to read and to take home."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy the script"),
        Binding("a", "copy_address", "Copy the address"),
        Binding("escape,v", "dismiss(None)", "Back"),
        Binding("q", "app.quit", "Quit"),
    ]

    def __init__(self, title: str, script: str, address: str) -> None:
        super().__init__()
        self._title, self._script, self._address = title, script, address

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide"):
            yield Label(self._title, classes="dialog-title", markup=False)
            with TextScroll():
                yield Static(highlight(self._script, language="python"), id="script")
            yield Static(id="code-note")
        yield Footer(compact=True, show_command_palette=False)

    def _copied(self, what: str) -> None:
        self.query_one("#code-note", Static).update(Content.styled(f"✓ {what} is on the clipboard", "$text-success"))

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self._script)
        self._copied("the script")

    def action_copy_address(self) -> None:
        self.app.copy_to_clipboard(self._address)
        self._copied("the address")
