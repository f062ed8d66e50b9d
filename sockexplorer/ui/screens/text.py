"""Modal screens that show a text: help, and the script of an endpoint."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.highlight import highlight
from textual.widgets import Label, Static

from sockexplorer.core.about import Section
from sockexplorer.core.text import escape
from sockexplorer.ui.screens.dialog import Dialog
from sockexplorer.ui.widgets.bar import Bar
from sockexplorer.ui.widgets.key_line import KeyLine

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


class HelpScreen(Dialog[None]):
    """Help on the thing under the cursor, and the keys that work where the person is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1", "dismiss(None)", "Back"),
        Binding("q", "app.quit", "Quit"),
    ]

    def __init__(
        self, title: str, sections: list[Section], keys: list[tuple[str, str]], keys_after: int | None = None
    ) -> None:  # fmt: skip
        """``keys_after`` is how many of the sections stand before the keys, None for all."""
        super().__init__()
        self._title, self._sections, self._keys = escape(title), sections, keys
        self._keys_after = len(sections) if keys_after is None else keys_after

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(self._title, classes="dialog-title", markup=False)
            with TextScroll():
                yield Static(self._text(self._sections[: self._keys_after]), markup=False)
                yield Static(self._key_table(), id="help-keys")
                if rest := self._sections[self._keys_after :]:
                    yield Static(Content.assemble("\n", self._text(rest)), markup=False)
        yield KeyLine()

    def _text(self, sections: list[Section]) -> Content:
        parts = []
        for heading, lines in sections:
            text = Content("\n".join(map(escape, lines)))
            parts.append(Content.assemble((escape(heading), "bold $text-accent"), "\n", text) if heading else text)
        return Content("\n\n").join(parts)

    def _key_table(self) -> Content:
        width = max((len(key) for key, _ in self._keys), default=0)
        lines = [
            Content.assemble((f"{key:>{width}}", "$text-accent"), f"  {description}") for key, description in self._keys
        ]
        return Content("\n").join([Content.styled("\nKeys that work here", "bold $text-accent"), *lines])


class CodeScreen(Dialog[None]):
    """An endpoint as code, in several styles, to read and to take home."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy"),
        Binding("a", "copy_address", "Copy the address"),
        Binding("tab,right,l", "style(1)", "Next style", key_display="tab"),
        Binding("shift+tab,left,h", "style(-1)", "Style before", show=False),
        Binding("escape,v", "dismiss(None)", "Back"),
        Binding("q", "app.quit", "Quit"),
    ]

    def __init__(self, title: str, styles: dict[str, str], address: str) -> None:
        """``styles`` are texts by name: Python scripts, and "socat" for a command."""
        super().__init__()
        self._title, self._styles, self._address = title, styles, address
        self._current = next(iter(styles))

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide"):
            yield Label(self._title, classes="dialog-title", markup=False)
            yield Bar(list(self._styles), id="styles")
            with TextScroll():
                yield Static(id="script")
            yield Static(id="code-note")
        yield KeyLine()

    def on_mount(self) -> None:
        self._show()

    def _show(self) -> None:
        self.query_one(Bar).mark(self._current)
        language = "bash" if self._current == "socat" else "python"
        self.query_one("#script", Static).update(highlight(self._styles[self._current], language=language))
        self.query_one(TextScroll).scroll_home(animate=False)
        self.query_one("#code-note", Static).update("")

    def action_style(self, step: int) -> None:
        names = list(self._styles)
        self._current = names[(names.index(self._current) + step) % len(names)]
        self._show()

    @on(Bar.Picked)
    def _pick(self, event: Bar.Picked) -> None:
        self._current = event.name
        self._show()

    def _copied(self, what: str) -> None:
        self.query_one("#code-note", Static).update(Content.styled(f"✓ {what} is on the clipboard", "$text-success"))

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self._styles[self._current])
        self._copied("the command" if self._current == "socat" else "the script")

    def action_copy_address(self) -> None:
        self.app.copy_to_clipboard(self._address)
        self._copied("the address")
