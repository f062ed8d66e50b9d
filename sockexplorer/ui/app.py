"""The application: themes, settings, the palette, the second wall, and one screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events
from textual.app import App, SystemCommand
from textual.dom import DOMNode
from textual.notifications import Notify
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widgets._toast import ToastRack

from sockexplorer.client.hub import Hub
from sockexplorer.core.text import escape
from sockexplorer.families import all_families
from sockexplorer.ui.collecting import Collector
from sockexplorer.ui.screens.main import MainScreen
from sockexplorer.ui.settings import Settings
from sockexplorer.ui.strips import free_lines
from sockexplorer.ui.theme import DARK, LIGHT
from sockexplorer.ui.typeahead import TypeAhead
from sockexplorer.ui.wall import Wall

if TYPE_CHECKING:
    from sockexplorer.client.file_session import Pipe

_HERE = Path(__file__).resolve().parent.parent
STYLES = next(each for each in (_HERE / "styles", _HERE.parent / "styles") if each.is_dir())
"""In the wheel beside the package's code, in a checkout at the top."""

BRIEF_SECONDS = 3
"""What is told for so long at most is the answer to a key."""
ELSEWHERE = ("theme", "open-file", "quit", "help")
"""Keys whose actions the palette has without them."""


class ExplorerApp(App[None]):
    """The explorer. The hub is made outside, so that tests choose the engine."""

    TITLE = "sockexplorer"
    CSS_PATH = [STYLES / "app.tcss", STYLES / "panes.tcss", STYLES / "dialogs.tcss"]
    theme: Reactive[str] = Reactive(DARK.name)

    def __init__(
        self,
        hub: Hub,
        settings: Settings,
        family_protocol: str | None = None,
        address: str | None = None,
        capture: tuple[Path | Pipe, str] | None = None,
    ) -> None:
        """``family_protocol`` and ``address`` fill the form; ``capture`` is a file or a pipe to show, and a filter."""
        super().__init__()
        self.hub = hub
        self.settings = settings
        self._start = family_protocol, address
        self._capture = capture
        self.on_loop: Callable[[asyncio.AbstractEventLoop], None] = lambda loop: None
        self.on_quit: Callable[[], None] = lambda: None
        self._filters.append(Wall())
        self.collector = Collector()
        self.ahead = TypeAhead(self, lambda: self.hub.client.outstanding)
        free_lines()
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        # The style sheets are parsed anew for each theme: that of most people is the first.
        self.stylesheet.set_variables(self.get_css_variables())

    def on_mount(self) -> None:
        self.on_loop(asyncio.get_running_loop())
        problems = list(self.settings.problems)
        if self.settings.theme in self.available_themes:
            self.theme = self.settings.theme
        else:
            problems.append(f"theme = {self.settings.theme!r}: there is none of that name")
        if self.settings.keys:
            self.set_keymap(self.settings.keys)
        self.push_screen(MainScreen(self.hub, self.size, self._start, self._capture))
        self.set_interval(0.5, self.collector.tick)
        self.run_worker(self.ahead.serve())
        for problem in problems:
            self.notify(escape(problem), title="Settings", severity="warning", markup=False)

    def on_unmount(self) -> None:
        self.collector.end()

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent):
            self.collector.pressed()
        if self.ahead.holds(event):
            return
        await super().on_event(event)

    def on_notify(self, event: Notify) -> None:
        # The next answer takes the place of the one before: a column of them hides the rows that the keys are about.
        if event.notification.timeout <= BRIEF_SECONDS:
            for each in list(self._notifications):
                if each.timeout <= BRIEF_SECONDS:
                    self._unnotify(each, refresh=False)
                    self.screen.query(f"#{ToastRack._toast_id(each)}").remove()

    async def action_quit(self) -> None:
        self.on_quit()
        self.exit()

    def update_styles(self, node: DOMNode, animate: bool = True) -> None:
        # A widget gets its styles as it is mounted; for every class it is made with, Textual looks them up before, too.
        if node is self or node.parent is not None:
            super().update_styles(node, animate)

    def action_theme(self) -> None:
        """Switch between dark and light."""
        self.theme = LIGHT.name if self.current_theme.dark else DARK.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        # The themes of the terminal's own colours lack it.
        return {**super().get_theme_variable_defaults(), "foreground-disabled": "ansi_bright_black"}

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        yield from super().get_system_commands(screen)
        yield SystemCommand("Dark or light", "Switch between the two themes", self.action_theme)
        main = next((each for each in self.screen_stack if isinstance(each, MainScreen)), None)
        if main is None:
            return
        yield SystemCommand("Open a capture file", "pcapng, pcap, or a log of candump -L", main.action_open_file)
        for pane in main.panes:
            yield SystemCommand(f"Go to {pane.TITLE}", f"Pane {pane.NUMBER}", lambda n=pane.NUMBER: main.action_pane(n))
        yield from self._keys_of(screen)
        for session in self.hub.sessions.values():
            yield SystemCommand(
                # The palette reads markup, and a title has a path or a name in it.
                f"Session {session.number}: {session.title}".replace("[", r"\["),
                f"Show the traffic of this session, which is {session.state}",
                lambda each=session: main.show_session(each),
            )
        for family in all_families():
            for protocol in family.protocols:
                yield SystemCommand(
                    f"{family.constant}/{protocol.name}",
                    f"{family.title}: {protocol.summary}",
                    lambda f=family, p=protocol: main.pick(f, p),
                )

    def _keys_of(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the keys do that work where the person is, but for those that have an entry of their own."""
        for node, binding, enabled, _ in screen.active_bindings.values():
            said = binding.tooltip or binding.description
            if not (enabled and said and binding.id) or binding.id.startswith(("pane-", *ELSEWHERE)):
                continue
            # The palette reads markup, and [ is a key.
            key = self.get_key_display(binding).replace("[", r"\[")
            yield SystemCommand(said, f"Key {key}", lambda action=binding.action, at=node: self.run_action(action, at))
