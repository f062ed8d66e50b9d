"""A person at the explorer: what they press, what they see, and what they wait for."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any

from textual.events import Key
from textual.keys import _character_to_key, key_to_character
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input, Static

from sockexplorer.capture.log import Frame
from sockexplorer.client.hub import Hub
from sockexplorer.client.session import Session
from sockexplorer.families import find
from sockexplorer.ui.app import ExplorerApp
from sockexplorer.ui.screens.main import MainScreen
from sockexplorer.ui.widgets.composer import Composer
from sockexplorer.ui.widgets.details import Details
from sockexplorer.ui.widgets.field_input import FieldInput

PATIENCE = float(os.environ.get("SOCKEXPLORER_TEST_PATIENCE", "60" if os.environ.get("SOCKEXPLORER_LAB") else "20"))
"""Seconds that a test waits for what must come; reached only when it does not. A process starts slowly in the lab."""


def frame(app: ExplorerApp) -> str:
    """What the screen shows, as text. Textual has no public way to it."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def wait_until(pilot: Pilot[None], condition: Callable[[], Any], what: object = "") -> Any:
    """Let the application run until ``condition`` is true, and return what it gave."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {PATIENCE:g} s for {what or condition}; the screen:\n{frame(pilot.app)}")  # type: ignore[arg-type]
        # `Pilot.pause` would have each of a hundred widgets handle a message: 6 ms of the processor for each look.
        await asyncio.sleep(0.02)
    return found


def _waits(pump: MessagePump) -> bool:
    """Whether a widget, or the application, has handled every message, and what it put off until then."""
    return any(not each.done() for each in pump._message_queue.ready_event._waiters)  # type: ignore[attr-defined]


class Person:
    """Someone who uses the application through a pilot. ``async with`` runs it."""

    pilot: Pilot[None]

    def __init__(self, app: ExplorerApp, size: tuple[int, int] = (120, 40)) -> None:
        self.app = app
        self._run = app.run_test(size=size, notifications=True)

    async def __aenter__(self) -> Person:
        self.pilot = await self._run.__aenter__()
        try:
            await self.until(lambda: isinstance(self.app.screen, MainScreen), "the main screen")
            await self.until(lambda: self.app.screen.focused, "the first focus")
            await self.settle()
        except BaseException:
            await self._run.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._run.__aexit__(kind, error, trace)

    # --- waiting and seeing --------------------------------------------------------------------------------

    async def until(self, condition: Callable[[], Any], what: object = "") -> Any:
        """Wait for something; the failure shows the screen."""
        return await wait_until(self.pilot, condition, what)

    async def sees(self, *texts: str) -> str:
        """Wait until all of the texts are on the screen at once; what it shows."""

        def seen() -> str:
            screen = self.screen
            return screen if all(each in screen for each in texts) else ""

        return str(await self.until(seen, f"to see {texts}"))

    @property
    def screen(self) -> str:
        """What the screen shows."""
        return frame(self.app)

    @property
    def main(self) -> MainScreen:
        """The screen with the panes, whatever is over it."""
        return next(each for each in self.app.screen_stack if isinstance(each, MainScreen))

    @property
    def hub(self) -> Hub:
        return self.app.hub

    @property
    def session(self) -> Session:
        """The session that the traffic pane shows."""
        shown = self.main.traffic.session
        assert shown is not None, self.screen
        return shown

    @property
    def rows(self) -> list[Frame]:
        """The rows of the shown session, filtered or not."""
        log = self.session.log
        return [log.frame(number) for number in range(log.first, log.end)]

    def text(self, selector: str) -> str:
        """The text of a label or the like."""
        return str(self.app.screen.query_one(selector, Static).render())

    def keys_offered(self) -> dict[str, str]:
        """What the footer offers as possible: description by key."""
        return {
            active.binding.key: active.binding.description
            for active in self.app.screen.active_bindings.values()
            if active.binding.show and active.enabled
        }

    def offered(self) -> set[str]:
        """The descriptions that the footer offers as possible."""
        return set(self.keys_offered().values())

    # --- doing ---------------------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Let what is under way be handled: an event, the action it starts, the messages of that action.

        The rows that the log has by then are in the view, too, which is behind it by up to a tick.
        """
        await self._pauses()
        await self.until(lambda: self.app.ahead.idle or not self.app.is_running, "the effect of what was typed")
        if not self._rows_in_view():
            await self._see_rows()
            await self._pauses()
        if self.app.is_running:
            # A new size, and what is put together at the start, are no keys: they have messages of their own.
            await self.app.ahead._quiet()

    async def _pauses(self) -> None:
        """As `Pilot.pause`, but that has each of a hundred widgets handle a message: a fifth of a key press.

        Only the ones that do not wait for a message have something to handle before it.
        """
        await asyncio.sleep(0)
        app = self.app
        if app.screen_stack:
            pumps = (app, *app.screen.walk_children(Widget, with_self=True))
            if at_work := {each for each in pumps if not _waits(each)}:
                ends = (
                    asyncio.create_task(app.ahead._passed(at_work, PATIENCE)),
                    asyncio.create_task(app._exception_event.wait()),
                )
                _, left = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                for each in left:
                    each.cancel()
            app.screen._on_timer_update()
        if self.app.is_running:
            await self.app.ahead._quiet()

    async def _see_rows(self) -> None:
        """Wait until the view has the rows that the log has now: a key acts on what the person sees."""
        await self.until(partial(self._rows_in_view, self._last_row()), "the rows in the view")

    def _rows_in_view(self, last: tuple[Session | None, int] | None = None) -> bool:
        session, end = self._last_row() if last is None else last
        view = self.main.traffic.view if self.app.is_running else None
        return session is None or view is None or view.session is not session or view.end >= end

    def _last_row(self) -> tuple[Session | None, int]:
        session = self.main.traffic.session if self.app.is_running else None
        return session, session.log.end if session is not None else 0

    async def press(self, *keys: str) -> None:
        """Press keys one after the other. (`Pilot.press` waits until the processor is idle: ten times as long.)"""
        for each in keys:
            await self._see_rows()
            name, character = (_character_to_key(each), each) if len(each) == 1 else (each, key_to_character(each))
            self.app.post_message(Key(name, character))
            await self.settle()

    async def click(self, widget: Widget | str, offset: tuple[int, int] = (0, 0)) -> None:
        """Click what is there when all is where it belongs: a first socket or row moves the panes."""
        await self.settle()
        await self.until(lambda: not self.app.screen._layout_required, "the panes at their places")
        target = self.app.screen.query_one(widget) if isinstance(widget, str) else widget
        await self.pilot.click(target, offset=offset)
        await self.settle()

    async def choose(self, path: str) -> None:
        """Go to the form of ``inet/udp`` or the like."""
        family, protocol = find(path)
        self.main.pick(family, protocol)
        await self.until(
            lambda: (draft := self.main.address.draft) is not None and draft.protocol is protocol, f"the form of {path}"
        )
        # It is put together beside everything else.
        draft = self.main.address.draft
        assert draft is not None
        wanted = {f"{role}.{each.name}" for role in draft.roles for each in draft.fields()}
        await self.until(
            lambda: wanted <= {each.name for each in self.main.address.form.inputs()}, f"the fields of {path}"
        )
        await self.settle()
        await self.until(lambda: self.main.address.has_focus_within, "the focus in the form")

    def field(self, name: str) -> FieldInput:
        """An input of the form: ``local.host``, ``remote.port``, ``proto``, ``option.…``."""
        found = [each for each in self.main.address.form.inputs() if each.name == name]
        assert found, f"no field {name}"
        return found[0]

    async def fill(self, name: str, value: str) -> None:
        """Put a text into a field of the form."""
        self.field(name).focus()
        await self.settle()
        self.field(name).value = value
        await self.settle()

    async def operate(self, word: str) -> Session:
        """Press the button of an operation when it can be, and wait for the session."""
        before = set(self.hub.sessions)
        button = self.main.address.query_one(f"#do-{word}")
        await self.until(lambda: not button.disabled, f"{word} to be possible")
        self.main.address.action_operate(word)  # type: ignore[arg-type]
        number = await self.until(
            lambda: next(
                (
                    each
                    for each in self.hub.sessions
                    if each not in before and self.main.traffic.session is self.hub.sessions[each]
                ),
                0,
            ),
            "the session",
        )
        return self.hub.sessions[number]

    async def open(self, path: str, word: str, **fields: str) -> Session:
        """Choose a protocol, fill fields (``local_port="0"``) and operate."""
        await self.choose(path)
        for name, value in fields.items():
            await self.fill(name.replace("_", ".", 1), value)
        return await self.operate(word)

    async def show_details(self) -> None:
        """Have the details of the row under the cursor in sight; where there is room they are already."""
        self.main.traffic.view.focus()
        await self.settle()
        if not self.main.traffic.query_one(Details).display:
            await self.press("enter")

    async def compose(self, payload: str, *, to: str | None = None, hexadecimal: bool = False) -> None:
        """Open the composer by its key, write, press Enter."""
        self.main.traffic.view.focus()
        await self.press("s")
        composer = self.app.screen.query_one(Composer)
        await self.until(lambda: composer.display, "the composer")
        if composer.hex != hexadecimal:
            await self.press("ctrl+t")
        if to is not None:
            composer.query_one("#composer-to", Input).value = to
        composer.query_one("#composer-payload", Input).value = payload
        await self.settle()
        await self.press("enter")
