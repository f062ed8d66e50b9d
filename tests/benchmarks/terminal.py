"""A program in a terminal of its own (a pty): what it paints is read, keys are pressed, its end is awaited."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping
from pathlib import Path


class Terminal:
    """A child on a pty. ``painted`` is everything that it has written so far."""

    def __init__(
        self, command: list[str], size: tuple[int, int] = (120, 40), env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:  # fmt: skip
        self.painted = bytearray()
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(env or {})}
        # Who has installed it runs what is compiled; without this every start would compile it anew.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, cwd=cwd, start_new_session=True
        )
        os.close(slave)

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self._master, keys)

    def wait_for(self, text: bytes, patience: float = 30.0) -> float:
        """Read until ``text`` has been painted; seconds since the start. Raises TimeoutError."""
        deadline = time.monotonic() + patience
        while text not in self.painted:
            if not self._read(deadline - time.monotonic()):
                raise TimeoutError(f"{text!r} was not painted; this was: {bytes(self.painted[-2000:])!r}")
        return time.monotonic() - self.began

    def wait_for_end(self, patience: float = 30.0) -> float:
        """Read until the process has ended, and what it has left; seconds until its end. Raises TimeoutError."""
        began = time.monotonic()
        while self.process.poll() is None:
            if time.monotonic() - began > patience:
                raise TimeoutError(f"it did not end in {patience:g} s")
            self._read(0.001)
        took = time.monotonic() - began
        while self._read(0):
            pass
        return took

    def drain(self, seconds: float) -> None:
        """Read for so long."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and self._read(left):
            pass

    def close(self) -> None:
        """End what still runs."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self._master)

    def _read(self, patience: float) -> bool:
        if not select.select([self._master], [], [], max(0.0, patience))[0]:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # EIO: nobody has the other end any more
            return False
        self.painted += data
        return bool(data)
