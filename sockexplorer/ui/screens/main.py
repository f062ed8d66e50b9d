"""The main screen: four panes, in sight together where there is room, else one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Container, Horizontal
from textual.geometry import Size
from textual.reactive import Reactive
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static

from sockexplorer.client.client import Problem
from sockexplorer.client.hub import Hub
from sockexplorer.client.session import Session
from sockexplorer.core.draft import Draft
from sockexplorer.core.family import Family
from sockexplorer.core.faults import FieldError
from sockexplorer.core.protocol import Protocol
from sockexplorer.core.text import escape
from sockexplorer.families import find
from sockexplorer.ui.panes.address import AddressPane
from sockexplorer.ui.panes.capabilities import CapabilitiesPane
from sockexplorer.ui.panes.families import FamiliesPane
from sockexplorer.ui.panes.pane import CopyText, Pane
from sockexplorer.ui.panes.traffic import TrafficPane
from sockexplorer.ui.screens.demonstrating import Demonstrating
from sockexplorer.ui.screens.engine_duties import EngineDuties
from sockexplorer.ui.screens.file_duties import FileDuties
from sockexplorer.ui.widgets.bar import Bar
from sockexplorer.ui.widgets.key_line import KeyLine

if TYPE_CHECKING:
    from sockexplorer.client.file_session import Pipe
    from sockexplorer.ui.app import ExplorerApp


REST_SECONDS = 0.08
"""How long the cursor of the tree rests on a protocol before its form is built."""


class MainScreen(EngineDuties, FileDuties, Demonstrating):
    """Panes tell it by messages what the person wants; it speaks to the hub and tells the panes what came of it."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """As Textual's, which draws the whole screen anew each time: those that lose and get the focus do so themselves."""
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (56, "-cramped"), (76, "-narrow"), (120, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(
                str(number),
                f"pane({number})",
                name,
                show=False,
                id=f"pane-{number}",
                key_display=str(number),
            )
            for number, name in enumerate(("Families", "Address", "Traffic", "Capabilities"), 1)
        ),
        Binding("R", "restart", "Restart engine", id="restart"),
        Binding("ctrl+o", "open_file", "Open a capture file", show=False, id="open-file", key_display="ctrl+o"),
        Binding("ctrl+s", "save", "Save the traffic to a file", show=False, id="save", key_display="ctrl+s"),
        Binding("question_mark", "help", "Help", id="help", key_display="?"),
        Binding("f1", "help_typing", "Help", id="help-typing", key_display="F1"),
        Binding("f1", "help", "Help", show=False),
        Binding("t", "app.theme", "Dark or light", show=False, id="theme"),
        Binding("q", "app.quit", "Quit", id="quit"),
    ]

    def __init__(
        self, hub: Hub, size: Size, start: tuple[str | None, str | None],
        capture: tuple[Path | Pipe, str] | None = None,
    ) -> None:  # fmt: skip
        """``size`` is the terminal's; ``capture`` is a file or a pipe to begin with, and a filter."""
        # What holds at the start is said before the first styles: each class that comes later is styled anew.
        super().__init__(classes=" ".join(self._of_size(size)))
        self.hub = hub
        self._start = start
        self._capture = capture
        self._current = 1
        self._resumed = False
        """Whether it was in sight before."""
        self._resting: Timer | None = None

    def _of_size(self, size: Size) -> Iterator[str]:
        for cells, breakpoints in (size.width, self.HORIZONTAL_BREAKPOINTS), (size.height, self.VERTICAL_BREAKPOINTS):
            yield max(each for each in breakpoints if each[0] <= cells)[1]

    def compose(self) -> ComposeResult:
        yield Static(id="banner")
        yield Static(id="place", classes="-hidden" if not self.hub.client.link.via else "")
        panes = (FamiliesPane, AddressPane, TrafficPane, CapabilitiesPane)
        yield Bar([f"{each.NUMBER} {each.TITLE}" for each in panes], id="pane-bar")
        with Container(id="panes"):
            with Horizontal(id="upper", classes="-current -idle"):
                yield FamiliesPane(id="families", classes="-current")
                yield AddressPane()
                yield CapabilitiesPane()
            yield TrafficPane(self.hub)
        yield KeyLine()

    @property
    def upper(self) -> Widget:
        """What holds all panes but the traffic's."""
        return self.query_one("#upper")

    @property
    def panes(self) -> list[Pane]:
        """The four, in the order of their numbers."""
        return [self.families, self.address, self.traffic, self.capabilities]

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        if not self._resumed:
            # Every widget was styled as it was mounted: to style them anew takes a twentieth of the start.
            self._resumed, event.refresh_styles = True, False

    def on_mount(self) -> None:
        self.query_one("#banner").display = False
        name, address = self._start
        family, protocol = find(name or "inet/udp")
        draft = self._show_form(family, protocol)
        self.families.family_tree.point_at(family, protocol)
        if name and address:
            self._fill(draft, address)
        self._enter(2 if name else 1)
        if name:
            self.call_after_refresh(self.address.focus_action)
        if self._capture is not None:
            self.call_after_refresh(self.open_first, *self._capture)
        explorer: ExplorerApp = self.app  # type: ignore[assignment]
        self.set_interval(1 / explorer.settings.refresh_hz, self._tick)
        self.ask_place()
        self.set_timer(0.05, self.probe)
        self.call_after_refresh(explorer.collector.begin)

    def _fill(self, draft: Draft, text: str) -> None:
        try:
            draft.adopt(draft.family.read(draft.protocol, text), None, either=True)
            self.address.refill()
        except FieldError as error:
            self.notify(escape(str(error)), title="The address was not understood", severity="error", markup=False)

    # --- twenty times a second -----------------------------------------------------------------------------

    def _tick(self) -> None:
        self.hub.poll()
        self.hub.tell_directions()
        self.step_demonstration()
        self.traffic.update()
        # Without a socket the traffic needs little room, and the form gets it.
        self._dress(self.upper, "-idle", not self.hub.sessions)
        self.tell_death()

    # --- panes ---------------------------------------------------------------------------------------------

    def action_pane(self, number: int) -> None:
        self._enter(number)

    def _enter(self, number: int) -> None:
        again, pane = number == self._current, self.panes[number - 1]
        self._mark(pane)
        if pane is self.address:
            # Letters stay keys: a host is not overwritten by a person who means to bind it.
            self.address.focus_action()
        elif again or not pane.has_focus_within:
            pane.home().focus(scroll_visible=False)

    def _mark(self, pane: Pane) -> None:
        """Show which pane is in use: by its frame, or where only one is in sight by that and in the bar."""
        self._current = pane.NUMBER
        for each in self.panes:
            self._dress(each, "-current", each is pane)
        self._dress(self.upper, "-current", pane is not self.traffic)
        self._dress(self.upper, "-at-form", pane is self.address)
        self.query_one("#pane-bar", Bar).mark(f"{pane.NUMBER} {pane.TITLE}")

    def _dress(self, widget: Widget, name: str, on: bool) -> None:
        """Give a widget a class that styles nothing within it, or take it away: Textual styles all of that anew."""
        if widget.has_class(name) != on:
            widget.set_class(on, name, update=False)
            self.app.stylesheet.update_nodes([widget], animate=True)

    @on(Bar.Picked)
    def _picked(self, event: Bar.Picked) -> None:
        self._enter(int(event.name[0]))

    @on(Pane.Clicked)
    def _clicked(self, event: Pane.Clicked) -> None:
        if self._current != event.pane.NUMBER:
            self._enter(event.pane.NUMBER)

    def on_descendant_focus(self) -> None:
        # What has the focus now: the message may have been overtaken by that of another pane.
        for ancestor in self.focused.ancestors if self.focused is not None else ():
            if isinstance(ancestor, Pane) and self._current != ancestor.NUMBER:
                self._mark(ancestor)
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "help_typing":
            return isinstance(self.focused, Input)
        if action == "restart":
            return bool(self.buried)
        if action == "save":
            return bool(self.hub.sessions)
        return super().check_action(action, parameters)

    # --- what the panes ask for ----------------------------------------------------------------------------

    @on(FamiliesPane.Pointed)
    def _pointed(self, event: FamiliesPane.Pointed) -> None:
        # Building a form takes longer than a key press: the one that the cursor rests on is built.
        self._rest()
        self._resting = self.set_timer(REST_SECONDS, lambda: self._show_form(event.family, event.protocol))

    @on(FamiliesPane.Picked)
    def _chosen(self, event: FamiliesPane.Picked) -> None:
        self.pick(event.family, event.protocol)

    def _rest(self) -> None:
        if self._resting is not None:
            self._resting.stop()

    def _show_form(self, family: Family, protocol: Protocol) -> Draft:
        """Show a form, and what this host has of it in pane 4."""
        self.capabilities.point_at(f"{family.constant}/{protocol.name}")
        return self.address.show(family, protocol)

    def go_to(self, family: Family, protocol: Protocol) -> Draft:
        self._rest()
        draft = self._show_form(family, protocol)
        self.families.family_tree.point_at(family, protocol)
        self._enter(2)
        return draft

    def pick(self, family: Family, protocol: Protocol) -> None:
        """Go to the form of a protocol, ready to open it."""
        self.go_to(family, protocol)
        self.call_after_refresh(self.address.focus_action)

    def show_session(self, session: Session) -> None:
        """Go to the traffic of a session."""
        self.traffic.show(session)
        self._enter(3)

    @on(AddressPane.Open)
    def _open(self, event: AddressPane.Open) -> None:
        draft = self.address.draft
        if self.hub.client.dead:
            self.address.failed(Problem("engine", "", self.hub.client.dead, fixes=("restart the engine: press R",)))
            return

        def opened(result: dict[str, Any] | None, problem: Problem | None) -> None:
            if problem is not None:
                self.hub.sessions.pop(session.number, None)
                if self.address.draft is draft:
                    self.address.failed(problem)
                else:
                    self.notify(escape(problem.headline()), severity="error", markup=False)
                return
            self.show_session(session)

        session = self.hub.open(event.endpoint, opened)
        self.soon()

    @on(CopyText)
    def _copy(self, event: CopyText) -> None:
        self.app.copy_to_clipboard(event.text)
        self.notify(escape(event.text, 200), title=f"Copied {escape(event.what)}", timeout=2, markup=False)

    # --- help ----------------------------------------------------------------------------------------------

    def action_help(self) -> None:
        from sockexplorer.ui.screens.text import HelpScreen

        pane = self.panes[self._current - 1]
        title, sections = pane.subject()
        self.app.push_screen(HelpScreen(title, sections, self._keys_that_work(), pane.KEYS_AFTER))

    def _keys_that_work(self) -> list[tuple[str, str]]:
        """Keys with what they do: those of the footer, then the pane's, the screen's, and those that only move."""

        def rank(each: ActiveBinding) -> tuple[bool, int]:
            place = 0 if isinstance(each.node, Pane) else 1 if isinstance(each.node, Screen) else 2
            return not each.binding.show, place

        keys: dict[str, str] = {}
        for each in sorted(self.active_bindings.values(), key=rank):
            said = each.binding.tooltip or each.binding.description
            if each.enabled and said and each.binding.action != "app.help_quit":
                keys.setdefault(said, self.app.get_key_display(each.binding))
        return [(key, said) for said, key in keys.items()]

    def action_help_typing(self) -> None:
        self.action_help()
