"""A clean end, always: after quit, a signal, a crash or a dead terminal the terminal is as it was, within a second."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import termios
import threading
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
    """Ends the process by force when the event loop does not: a terminal that stopped reading freezes it."""

    def __init__(self) -> None:
        self._timer: threading.Timer | None = None
        self._terminal: tuple[int, list[Any]] | None = None
        with contextlib.suppress(termios.error, OSError, ValueError):
            descriptor = sys.__stdin__.fileno() if sys.__stdin__ else 0
            self._terminal = descriptor, termios.tcgetattr(descriptor)

    def bite_after(self, seconds: float, status: int) -> None:
        """Give the loop so long, then restore the terminal and leave with ``status``."""
        if self._timer is None:
            self._timer = threading.Timer(seconds, self._bite, (status,))
            self._timer.daemon = True
            self._timer.start()

    def rest(self) -> None:
        """The loop ended by itself."""
        if self._timer is not None:
            self._timer.cancel()

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

    def end(number: int) -> None:
        watchdog.bite_after(GRACE_SECONDS, 128 + number)
        app.exit(return_code=128 + number)

    def install(loop: asyncio.AbstractEventLoop) -> None:
        for number in SIGNALS:
            loop.add_signal_handler(number, end, number)

    app.on_loop = install
    app.on_quit = lambda: watchdog.bite_after(GRACE_SECONDS, 0)
    try:
        app.run()
    finally:
        watchdog.rest()
    return app.return_code or 0
