"""A list of any length that renders only the lines in sight, with a cursor, by keys and by mouse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from rich.color import Color, ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from sockexplorer.ui.contrast import readable


class LineView(ScrollView, can_focus=True, inherit_bindings=False):
    """Subclasses give `line_count` and `line`; they call `lines_changed` when the count changed."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"line--cursor"}
    DEFAULT_CSS = """
    LineView { overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    LineView > .line--cursor { background: $panel; }
    LineView:focus > .line--cursor { background: $primary 30%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup,ctrl+b", "page(-1.0)", "Page up", show=False),
        Binding("pagedown,ctrl+f", "page(1.0)", "Page down", show=False),
        Binding("ctrl+u", "page(-0.5)", "Half a page up", show=False),
        Binding("ctrl+d", "page(0.5)", "Half a page down", show=False),
        Binding("home,g", "top", "Top", show=False),
        Binding("end,G", "bottom", "Bottom", show=False),
        Binding("enter", "choose", "Choose", show=False),
    ]
    cursor: reactive[int] = reactive(0)
    _found: dict[str, Any] | None = None
    """Styles of the drawing that is under way: to find them for each line takes longer than to draw it."""
    _in_sight = True
    """Whether the line under the cursor is in sight, and stays so where room or lines are taken away. The wheel and the
    scroll bar may leave it behind."""

    class Moved(Message):
        """The cursor is on another line."""

        def __init__(self, view: LineView) -> None:
            super().__init__()
            self.view = view

        @property
        def control(self) -> LineView:
            return self.view

    class Chosen(Moved):
        """Enter was pressed, or the line under the cursor was clicked."""

    # --- for subclasses ------------------------------------------------------------------------------------

    def line_count(self) -> int:
        """How many lines there are."""
        raise NotImplementedError

    def line(self, index: int, width: int) -> list[tuple[str, Style]]:
        """The line's texts with their styles, already safe for display."""
        raise NotImplementedError

    def lines_changed(self) -> None:
        """The number of lines, or what they show, changed."""
        size, before = Size(self.scrollable_content_region.width or 1, self.line_count()), self.virtual_size
        if size.width == before.width and min(size.height, before.height) > self.container_size.height > 0:
            # The scroll bar stays where it is: only it has to be told, and the screen need not be laid out again.
            self.set_reactive(LineView.virtual_size, size)
            self.vertical_scrollbar.window_virtual_size = size.height
            if self.scroll_y > self.max_scroll_y:
                self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True, force=True)
        elif size != before:
            self.virtual_size = size
        self.refresh()

    # --- drawing -------------------------------------------------------------------------------------------

    def render_lines(self, crop: Region) -> list[Strip]:
        self._found = {}
        try:
            return super().render_lines(crop)
        finally:
            self._found = None

    def _once(self, name: str, find: Callable[[], Any]) -> Any:
        """What ``find`` gives, which is asked once in a drawing."""
        if self._found is None:
            return find()
        if name not in self._found:
            self._found[name] = find()
        return self._found[name]

    @property
    def rich_style(self) -> Style:
        style: Style = self._once("", lambda: super(LineView, self).rich_style)
        return style

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        base = self.rich_style
        index = y + self.scroll_offset.y
        if index >= self.line_count():
            return Strip.blank(width, base)
        segments = [Segment(text, base + style) for text, style in self.line(index, width)]
        strip = Strip(segments).adjust_cell_length(width, base)
        if index == self.cursor:
            strip = Strip(Segment.apply_style(strip, post_style=self._highlight()), strip.cell_length)
        return strip

    def _highlight(self) -> Style:
        """What the line under the cursor has."""
        if self.few_colours:
            # Of sixteen colours the nearest to the cursor's is mostly that of the other lines.
            return Style(color=self.rich_style.color, bgcolor=self.rich_style.bgcolor, reverse=True)
        return Style(bgcolor=self.get_component_rich_style("line--cursor").bgcolor)

    @property
    def few_colours(self) -> bool:
        """Whether there are no tones: the terminal has sixteen colours, or the theme uses only those."""
        ground = self.rich_style.bgcolor
        return self.app.console.color_system == "standard" or ground is None or ground.triplet is None

    def readable(self, colour: Color | None) -> Color | None:
        """A colour as it can be read in every line."""
        found, ground = readable(colour, self.backgrounds()), self.rich_style.bgcolor
        if found is not None and ground is not None and self.few_colours:
            sixteen = ColorSystem.STANDARD
            if found.downgrade(sixteen) == ground.downgrade(sixteen):
                return self.rich_style.color
        return found

    def backgrounds(self) -> tuple[Color | None, ...]:
        """Every background that a line may have."""
        if self.few_colours:
            return (self.rich_style.bgcolor,)
        return self.rich_style.bgcolor, self.get_component_rich_style("line--cursor").bgcolor

    def tone(self, name: str) -> Style:
        """The colour of a component class, blended, readable in every line, without its background."""
        tone: Style = self._once(name, lambda: self._tone_of(self.get_component_rich_style(name)))
        return tone

    def _tone_of(self, style: Style) -> Style:
        return Style(color=self.readable(style.color), bold=style.bold)

    def on_resize(self) -> None:
        self.lines_changed()
        if self._in_sight:
            # What opens below or above takes room away: the line that the person is at stays in sight.
            self.show_cursor_line()

    # --- moving --------------------------------------------------------------------------------------------

    def validate_cursor(self, value: int) -> int:
        return max(0, min(value, self.line_count() - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        if old != new:
            self.refresh()
            self.post_message(self.Moved(self))

    def watch_scroll_y(self, old: float, new: float) -> None:
        super().watch_scroll_y(old, new)
        self._in_sight = new <= self.cursor < new + self.container_size.height

    def watch_show_vertical_scrollbar(self, shown: bool) -> None:
        # One that was not there could not be told of what was scrolled with the lines that made it necessary.
        if shown:
            self.vertical_scrollbar.position = self.scroll_y

    def show_cursor_line(self) -> None:
        """Scroll so that the cursor is in sight."""
        self._in_sight = True
        self.scroll_to_region(Region(0, self.cursor, 1, 1), animate=False, force=True, immediate=True, x_axis=False)

    def move_to(self, index: int) -> None:
        """Put the cursor on a line and show it."""
        self.cursor = index
        self.show_cursor_line()

    def jump_to(self, index: int) -> None:
        """Put the cursor on a line; one that was out of sight is shown amid those before and behind it."""
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        far = not top <= index < top + height
        self.move_to(index)
        if far:
            self.scroll_to(y=max(0, index - height // 2), animate=False, immediate=True, force=True)

    def action_move(self, by: int) -> None:
        self.move_to(self.cursor + by)

    def action_page(self, pages: float) -> None:
        height = max(self.scrollable_content_region.height, 2)
        self.move_to(self.cursor + round(pages * (height - 1)))

    def action_top(self) -> None:
        self.move_to(0)

    def action_bottom(self) -> None:
        self.move_to(self.line_count() - 1)

    def action_choose(self) -> None:
        if self.line_count():
            self.post_message(self.Chosen(self))

    def on_click(self, event: events.Click) -> None:
        index = event.get_content_offset_capture(self).y + self.scroll_offset.y
        if 0 <= index < self.line_count():
            again = index == self.cursor
            self.move_to(index)
            if again:
                self.action_choose()
