"""The buttons under the form: its operations, the code, the bytes."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Button

from sockexplorer.core.judged import Judged
from sockexplorer.core.protocol import Operation

WORDS: dict[Operation, str] = {"bind": "Bind", "connect": "Connect", "listen": "Listen", "open": "Open"}


class FormActions(Horizontal):
    """A button is disabled while its operation is not possible; each says its key."""

    class Chosen(Message):
        """A button was pressed: an operation, "code" or "sockaddr"."""

        def __init__(self, what: str) -> None:
            super().__init__()
            self.what = what

    def __init__(self) -> None:
        super().__init__(id="form-actions")

    def compose(self) -> ComposeResult:
        for operation, word in WORDS.items():
            yield Button(f"{operation[0]} {word}", id=f"do-{operation}", compact=True, classes="action")
        yield Button("v Code", id="do-code", compact=True, classes="action")
        yield Button("s Bytes", id="do-sockaddr", compact=True, classes="action")

    def show(self, judged: Judged | None, primary: Operation | None) -> None:
        """Offer what is possible; ``primary`` is what Enter does."""
        code = self.query_one("#do-code", Button)
        code.disabled = judged is None
        for operation in WORDS:
            button = self.query_one(f"#do-{operation}", Button)
            button.display = judged is not None and operation in judged.draft.protocol.operations
            possible = judged is not None and judged.possible(operation)
            if button.has_focus and not possible:
                # A verdict came after the focus, which would be nowhere, and the pane's keys without effect.
                code.focus()
            button.disabled = not possible
            button.variant = "primary" if operation == primary else "default"

    def focus_on(self, operation: Operation | None) -> None:
        """Focus the button of an operation, or the code's where that can't be pressed."""

        def focus() -> None:
            button = self.query_one(f"#do-{operation}" if operation in WORDS else "#do-code", Button)
            if self.is_attached:
                possible = button.display and not button.disabled
                self.screen.set_focus(button if possible else self.query_one("#do-code", Button))

        # As `Widget.focus`, but the button is chosen when it is its turn: a verdict may come before.
        self.app.call_later(focus)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.post_message(self.Chosen((event.button.id or "").removeprefix("do-")))
