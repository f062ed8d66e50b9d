"""Keys that are typed faster than they are handled: each is handed on when the one before has had its effect.

Textual gives a key to the widget that has the focus when the key comes. What the key before it set going may be under
way then: a focus that moves, a dialog that is being built, a reply of the engine. Of ``/message``, pasted or typed over
a slow line, the letters would be keys of the pane, not text of the filter.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Set
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from textual import events
from textual.widget import Widget
from textual.widgets import Input

if TYPE_CHECKING:
    from textual.app import App
    from textual.message_pump import MessagePump
    from textual.screen import Screen

PATIENCE_SECONDS = 0.5
"""How long a key may keep the next one waiting: a widget may hang, or a flood keep them all busy."""
REPLY_SECONDS = 0.25
"""The same for a reply that it asked for: to connect may take minutes."""
LOOK_SECONDS = 0.004
"""From one look for a reply, or for the end of a dialog, to the next."""

Typed = events.InputEvent | events.Paste


class TypeAhead:
    """The input of one application. ``replies`` gives the numbers of the requests whose reply is outstanding."""

    def __init__(self, app: App[Any], replies: Callable[[], Set[int]]) -> None:
        self._app = app
        self._replies = replies
        self._before: Set[int] = frozenset()
        """The requests that were under way when the last event was given."""
        self._waiting: deque[events.Event] = deque()
        self._turns: set[events.Event] = set()
        """What waited and was handed to the application, which has not come to it."""
        self._text = False
        """Whether what was given last was a letter for a line of text."""
        self._given = asyncio.Event()
        self._given.set()  # What is typed while the application starts waits until it stands.
        self._hanging: WeakSet[MessagePump] = WeakSet()

    @property
    def idle(self) -> bool:
        """Whether everything that was given has had its effect, and nothing waits."""
        return not self._given.is_set()

    def holds(self, event: events.Event) -> bool:
        """Whether an event has to wait; the application gets it again when it is its turn."""
        if not isinstance(event, Typed) or event.is_forwarded:
            return False
        text = self._is_text(event)
        if event in self._turns:
            self._turns.discard(event)
        # The letters of a text keep their order by themselves.
        elif not self.idle and (self._waiting or not (text and self._text)):
            self._waiting.append(event)
            return True
        elif isinstance(event, events.MouseEvent) and not isinstance(event, events.MouseDown | events.MouseUp):
            return False  # The pointer and the wheel move no focus, and come by the hundred.
        self._text = text
        self._before = self._replies()
        self._given.set()
        return False

    async def serve(self) -> None:
        """Give every event its turn, as long as the application runs."""
        while True:
            await self._given.wait()
            await self._effect()
            if self._waiting:
                self._give()
            else:
                self._given.clear()

    def _give(self) -> None:
        """Give the next event its turn, and to the letters behind it, if it is one of a text."""
        while self._waiting:
            event = self._waiting.popleft()
            if self._app.post_message(event):
                self._turns.add(event)
            if not (self._is_text(event) and self._waiting and self._is_text(self._waiting[0])):
                return

    def _is_text(self, event: events.Event) -> bool:
        return isinstance(event, events.Key) and event.is_printable and isinstance(self._app.focused, Input)

    async def _effect(self) -> None:
        """Wait until what was given last has had its effect."""
        # While the application itself is at it, it can take in nothing else.
        while not await self._passed({self._app}, PATIENCE_SECONDS):
            pass
        await self._quiet()
        until = time.monotonic() + REPLY_SECONDS
        while self._replies() - self._before and time.monotonic() < until:
            await asyncio.sleep(LOOK_SECONDS)
            await self._quiet()

    async def _quiet(self) -> None:
        """Wait until no widget has anything to do.

        What a handler posts is in a queue when the handler ends, so that there is no gap in which all seem idle.
        """
        until = time.monotonic() + PATIENCE_SECONDS
        while (left := until - time.monotonic()) > 0:
            screens = self._app.screen_stack
            nodes = (node for screen in screens for node in (screen, *screen.walk_children(Widget)))
            busy: set[MessagePump] = {node for node in nodes if node.message_queue_size or not node.is_mounted}
            busy -= set(self._hanging)
            if self._app.message_queue_size:
                busy.add(self._app)
            if busy:
                await self._passed(busy, left)
            # What is put off until the screen is drawn; Textual has no public way to know.
            elif screens and self._draws(screens[-1]) and screens[-1]._callbacks:
                await self._drawn(screens[-1], until)
            else:
                return

    def _draws(self, screen: Screen[Any]) -> bool:
        """Whether a screen is drawn: one that is ended, as a dialog or the application is, draws no more."""
        return screen.is_running and self._app.screen_stack[-1:] == [screen]

    async def _drawn(self, screen: Screen[Any], until: float) -> None:
        """Wait until a screen is drawn, or draws no more; at most until that time, as of time.monotonic()."""
        drawn = asyncio.Event()
        screen.call_after_refresh(drawn.set)
        while not drawn.is_set() and self._draws(screen) and time.monotonic() < until:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await drawn.wait()

    async def _passed(self, pumps: set[MessagePump], seconds: float) -> bool:
        """Wait until pumps have handled what they have. One that does not in time is left out until it has."""
        done = asyncio.Event()
        left = set(pumps)

        def pass_by(pump: MessagePump) -> None:
            self._hanging.discard(pump)
            left.discard(pump)
            if not left:
                done.set()

        for each in pumps:
            if not each.call_later(pass_by, each):
                left.discard(each)
        if left:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await done.wait()
        self._hanging.update(left)
        return not left
