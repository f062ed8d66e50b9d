"""The line of keys at the bottom of every screen."""

from __future__ import annotations

from textual.widgets import Footer


class KeyLine(Footer):
    """The keys that work here. They are only made again when they change: that lays the whole screen out."""

    def __init__(self) -> None:
        super().__init__(compact=True, show_command_palette=False)
        self._made: list[tuple[object, ...]] | None = None

    def _offered(self) -> list[tuple[object, ...]]:
        return [
            (binding.key, binding.key_display, binding.description, binding.action, enabled, tooltip)
            for _, binding, enabled, tooltip in self.screen.active_bindings.values()
            if binding.show
        ]

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
