"""The real application in a real pseudo-terminal: what it writes, what it leaves behind, how it ends."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from support import PATIENCE, children


def _as_at_a_terminal() -> None:
    """Have a controlling terminal, and no signal ignored: who runs the tests in the background ignores some."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    fcntl.ioctl(1, termios.TIOCSCTTY, 0)


class PtyApp:
    """``python -m sockexplorer …`` as a session of its own whose terminal is ``master``; use it with ``with``."""

    def __init__(
        self, *arguments: str, code: str = "", size: tuple[int, int] = (80, 24), env: dict[str, str] | None = None,
        stdin: int | None = None, stderr: IO[bytes] | None = None,
    ) -> None:  # fmt: skip
        """``stdin`` and ``stderr`` are something else than the terminal."""
        self.output = b""
        self.master, terminal = pty.openpty()
        self._terminal = os.dup(terminal)
        """Kept open, so that the attributes can be read when the application is gone."""
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.before = termios.tcgetattr(terminal)
        command = [sys.executable, *(["-c", code] if code else ["-m", "sockexplorer"]), *arguments]
        more = {"TERM": "xterm-256color", "SOCKEXPLORER_CONFIG": "/nonexistent/settings.toml", **(env or {})}
        self.process = subprocess.Popen(
            command, stdin=terminal if stdin is None else stdin, stdout=terminal,
            stderr=terminal if stderr is None else stderr,
            start_new_session=True, env={**os.environ, **more}, cwd=Path(__file__).parents[2],
            preexec_fn=_as_at_a_terminal,
        )  # fmt: skip
        os.close(terminal)

    def __enter__(self) -> PtyApp:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.hang_up()
        if self._terminal >= 0:
            os.close(self._terminal)

    # --- the terminal --------------------------------------------------------------------------------------

    def read(self, seconds: float = 0.02) -> bytes:
        """Take what the application wrote, waiting at most so long for something."""
        taken = b""
        while self.master >= 0 and select.select([self.master], [], [], seconds)[0]:
            try:
                data = os.read(self.master, 65536)
            except OSError as problem:
                if problem.errno != errno.EIO:
                    raise
                break
            if not data:
                break
            taken += data
            seconds = 0
        self.output += taken
        return taken

    def unread(self) -> int:
        """Bytes that wait in the terminal for a reader."""
        waiting = bytearray(4)
        fcntl.ioctl(self.master, termios.FIONREAD, waiting)
        return int.from_bytes(waiting, sys.byteorder)

    def write(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.master, keys)

    def press(self, key: bytes, told: bytes) -> None:
        """Press a key, and wait until the application wrote something that it does not write before it had the key.

        Whatever is written too soon after an escape is one key with it.
        """
        self.read()
        before = len(self.output)
        self.write(key)
        self.until(lambda: told in self.output[before:], f"{told!r} after {key!r}")

    def until(self, condition: Callable[[], Any], what: str, *, reading: bool = True) -> Any:
        """Read until something is so."""
        deadline = time.monotonic() + PATIENCE
        while not (found := condition()):
            assert time.monotonic() < deadline, f"waited for {what}; the terminal got …{self.output[-1500:]!r}"
            if reading:
                self.read()
            else:
                time.sleep(0.01)
        return found

    def shows(self, text: bytes) -> None:
        """Wait until the application wrote this, in one piece."""
        self.until(lambda: text in self.output, repr(text))

    def hang_up(self) -> None:
        """Close the terminal's other end."""
        if self.master >= 0:
            os.close(self.master)
            self.master = -1

    def close_terminal(self) -> None:
        """Close every end that the test holds, as a dropped ssh connection does: SIGHUP, and reads give EIO."""
        os.close(self._terminal)
        self._terminal = -1
        self.hang_up()

    # --- the process ---------------------------------------------------------------------------------------

    def children(self) -> list[int]:
        """The process's children: its engine."""
        return children(self.process.pid)

    def engine(self) -> int:
        """The engine's process, as soon as there is one."""
        return int(self.until(self.children, "an engine")[0])

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the application alone."""
        os.kill(self.process.pid, number)

    def ended(self, *, reading: bool = True) -> int:
        """Wait for the end; its status."""
        self.until(lambda: self.process.poll() is not None, "the end", reading=reading)
        self.read()
        return int(self.process.returncode)

    def attributes(self) -> list[Any]:
        """The terminal's attributes now."""
        return termios.tcgetattr(self._terminal)
