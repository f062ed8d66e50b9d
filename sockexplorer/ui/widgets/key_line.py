"""The line of keys at the bottom of every screen."""

from __future__ import annotations

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

KEPT = ("question_mark", "f1", "escape", "q")
"""Keys that are offered however narrow the screen is: the first of them tells all others."""


class KeyLine(Footer):
    """The keys that work here. They are only made again when they change: that lays the whole screen out."""

    def __init__(self) -> None:
        super().__init__(compact=True, show_command_palette=False)
        self._made: list[tuple[object, ...]] | None = None
        self._needed = self._room = 0
        """The cells that all keys would take, and those that there were."""

    def _offered(self) -> list[tuple[object, ...]]:
        return [
            (binding.key, binding.key_display, binding.description, binding.action, enabled, tooltip)
            for _, binding, enabled, tooltip in self.screen.active_bindings.values()
            if binding.show
        ]

    def compose(self) -> ComposeResult:
        keys = [each for each in super().compose() if isinstance(each, FooterKey)]
        self._room, self._needed = self.app.size.width, _width(keys)
        while _width(keys) > self._room and (spare := [each for each in keys if each.key not in KEPT]):
            keys.remove(spare[-1])
        yield from keys

    async def on_resize(self) -> None:
        if self.app.size.width != self._room and min(self.app.size.width, self._room) < self._needed:
            self._made = None
            await self.recompose()

    async def recompose(self) -> None:
        if not self.is_attached:  # its dialog was closed before the keys were made
            return
        # Beneath a dialog nothing has the focus for a while: that is over when the screen is in sight again.
        if self._made is not None and not self.screen.is_current:
            return
        offered = self._offered() if self._bindings_ready else None
        if offered is None or offered != self._made:
            self._made = offered
            await super().recompose()


def _width(keys: list[FooterKey]) -> int:
    """The cells that keys take, with a blank between them."""
    return sum(cell_len(each.key_display) + cell_len(each.description) + 2 for each in keys) - 1
