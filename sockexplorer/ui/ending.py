"""A clean end, always: after quit, a signal, a crash or a dead terminal the terminal is as it was, within a second."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import termios
import threading
from queue import SimpleQueue
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sockexplorer.ui.app import ExplorerApp

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE_SECONDS = 0.8
# What Textual switched on, switched off: alternate screen, mouse, focus events, bracketed paste, kitty keys, cursor.
RESTORE = (
    "\x1b[?1049l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[?2048l\x1b[<u\x1b[?25h\x1b[0m"
)


class Watchdog:
    """Ends the process by force when the event loop does not: a terminal that stopped reading freezes it.

    Its thread waits from the start, so that nothing has to be started in a signal handler.
    """

    def __init__(self) -> None:
        self._asked: SimpleQueue[tuple[float, int]] = SimpleQueue()
        self._rested = threading.Event()
        self._terminal: tuple[int, list[Any]] | None = None
        with contextlib.suppress(termios.error, OSError, ValueError):
            descriptor = sys.__stdin__.fileno() if sys.__stdin__ else 0
            self._terminal = descriptor, termios.tcgetattr(descriptor)
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def bite_after(self, seconds: float, status: int) -> None:
        """Give the loop so long, then restore the terminal and leave with ``status``. Safe in a signal handler."""
        self._asked.put((seconds, status))

    def rest(self) -> None:
        """The loop ended by itself."""
        self._rested.set()
        self._asked.put((0.0, 0))

    def _watch(self) -> None:
        # While the terminal is lent to a command that asks for a password, touching it would stop us.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        seconds, status = self._asked.get()
        if not self._rested.wait(seconds):
            self._bite(status)

    def _bite(self, status: int) -> None:
        if self._terminal is not None:
            descriptor, attributes = self._terminal
            with contextlib.suppress(termios.error, OSError):
                termios.tcsetattr(descriptor, termios.TCSANOW, attributes)
        with contextlib.suppress(OSError, ValueError):
            stream = sys.__stderr__.fileno() if sys.__stderr__ else 2
            os.set_blocking(stream, False)
            os.write(stream, RESTORE.encode())
        # The engine sees the end of its stream and ends as well.
        os._exit(status)


def run_app(app: ExplorerApp) -> int:
    """Run the application with signals handled; its exit status."""
    watchdog = Watchdog()

    def install(loop: asyncio.AbstractEventLoop) -> None:
        def end(number: int, _: FrameType | None) -> None:
            watchdog.bite_after(GRACE_SECONDS, 128 + number)
            loop.call_soon_threadsafe(app.exit, None, 128 + number)

        # Not loop.add_signal_handler: it runs when the loop does, and a terminal that stopped reading keeps the loop
        # in a full queue. A plain handler runs there as well.
        for number in SIGNALS:
            signal.signal(number, end)

    app.on_loop = install
    app.on_quit = lambda: watchdog.bite_after(GRACE_SECONDS, 0)
    try:
        app.run()
    finally:
        watchdog.rest()
    return app.return_code or 0
