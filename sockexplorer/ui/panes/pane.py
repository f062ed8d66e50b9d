"""What the panes have in common: a number to reach them by, a title, and help on what is under the cursor."""

from __future__ import annotations

from textual import events
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from sockexplorer.core.about import Section
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol


class CopyText(Message):
    """The person wants something on the clipboard; ``what`` it is, in words."""

    def __init__(self, text: str, what: str) -> None:
        super().__init__()
        self.text = text
        self.what = what


class ShowMe(Message):
    """The person wants to see a protocol at work."""

    def __init__(self, family: Family, protocol: Protocol) -> None:
        super().__init__()
        self.family = family
        self.protocol = protocol


class Pane(Vertical):
    """One of the four. ``NUMBER`` is its key, ``TITLE`` its name."""

    NUMBER: int
    TITLE: str
    KEYS_AFTER: int | None = None
    """How many sections of its help stand before the keys, None for all."""

    class Clicked(Message):
        """The person clicked where nothing takes the focus: its frame, its title, a text."""

        def __init__(self, pane: Pane) -> None:
            super().__init__()
            self.pane = pane

    def on_click(self, event: events.Click) -> None:
        if self.screen.get_focusable_widget_at(event.screen_x, event.screen_y) is None:
            self.post_message(self.Clicked(self))

    def on_mount(self) -> None:
        self.border_title = f"{self.NUMBER} {self.TITLE}"

    def home(self) -> Widget:
        """The widget that gets the focus when the pane is entered."""
        raise NotImplementedError

    def subject(self) -> tuple[str, list[Section]]:
        """Title and sections of the help on what is under the cursor; not escaped."""
        raise NotImplementedError

    @property
    def typing(self) -> bool:
        """Whether keys go into an input now."""
        return isinstance(self.screen.focused, Input)

    def tell(self, selector: str, content: Content) -> None:
        """Update a text where it changed: an update lays out the whole screen anew."""
        place = self.query_one(selector, Static)
        if place.content != content:
            place.update(content)
