"""The explorer in a terminal of its own: keys go in, what it writes comes out and is timed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from types import TracebackType

from speed import processes
from speed.processes import Failed

COLUMNS, LINES = 120, 40
CONTROL = re.compile(rb"\x1b\[[0-9;?<>=]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>78]")


class Screen:
    """``sockexplorer explore inet/udp 127.0.0.1:PORT``, bound. Everything raises `Failed` when it takes too long."""

    def __init__(self, port: int, directory: str) -> None:
        self._master, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        settings = os.path.join(directory, "settings.toml")  # noqa: PTH118
        environment = {**os.environ, "TERM": "xterm-256color", "SOCKEXPLORER_CONFIG": settings}
        # Who has installed it runs what is compiled; else what a key opens first would be compiled then.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sockexplorer", "explore", "inet/udp", f"127.0.0.1:{port}", "--keep", "8G"],
            stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
            env=environment,
        )  # fmt: skip
        os.close(terminal)
        self._shown = bytearray()
        self.wait(b" Code", 20)
        self.press(b"\r", b"Waiting for frames", 10)
        self.engine = processes.children(self._process.pid)[0]

    def read(self, seconds: float) -> None:
        """Take what it writes, for so long."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._take(left)

    def _take(self, seconds: float) -> None:
        if select.select([self._master], [], [], max(0.0, seconds))[0]:
            with contextlib.suppress(OSError):  # it has ended
                self._shown += os.read(self._master, 65536)

    def press(self, key: bytes, shows: bytes, patience: float = 5.0) -> float:
        """Press a key; the seconds until what it brings is written."""
        self._shown.clear()
        began = time.monotonic()
        os.write(self._master, key)
        self.wait(shows, patience)
        return time.monotonic() - began

    def wait(self, text: bytes, patience: float) -> None:
        """Wait until a text was written since the last key."""
        deadline = time.monotonic() + patience
        while text not in CONTROL.sub(b"", bytes(self._shown)):
            if time.monotonic() > deadline:
                raise Failed(f"the explorer did not show {text!r} in {patience:g} s")
            self._take(deadline - time.monotonic())

    def counts(self, settle: float) -> tuple[int, int]:
        """Received, and dropped by the kernel, as its status line says when the rate is nothing again."""
        self._shown.clear()
        self.read(settle)
        text = CONTROL.sub(b" ", bytes(self._shown)).decode("utf-8", "replace")
        received = re.findall(r"← ([\d,]+) ", text)
        dropped = re.findall(r"([\d,]+) dropped by the kernel", text)
        if not received:
            raise Failed(f"the explorer's status line was not found in …{text[-500:]!r}")
        return int(received[-1].replace(",", "")), int((dropped or ["0"])[-1].replace(",", ""))

    def __enter__(self) -> Screen:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.kill(self._process.pid, signal.SIGTERM)
        deadline = time.monotonic() + 10
        while self._process.poll() is None and time.monotonic() < deadline:
            self._take(0.05) if select.select([self._master], [], [], 0.05)[0] else None
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._master)
