"""A stream to an engine: a process of its own, or a thread where that is enough."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO

BUFFER = 4 * 2**20
# -I keeps the user's directory and PYTHON* variables out. The package's own place comes after the standard library, and
# before site-packages, where another version of it may be installed.
BOOT = (
    "import sys; path = sys.path; "
    "path.insert(next((at for at, each in enumerate(path) if each.endswith('-packages')), len(path)), sys.argv[1]); "
    "from sockexplorer.engine.__main__ import main; main()"
)


class Link:
    """One engine's stream, non-blocking, and the means to end it."""

    def __init__(
        self,
        stream: socket.socket,
        process: subprocess.Popen[bytes] | None = None,
        errors: IO[bytes] | None = None,
        thread: threading.Thread | None = None,
    ) -> None:
        stream.setblocking(False)
        self.stream = stream
        self.process = process
        self._errors = errors
        self._thread = thread

    def close(self, timeout: float = 0.7) -> None:
        """End the engine: it stops when its stream does; a process that does not is killed after ``timeout`` s."""
        self.stream.close()
        if self.process is not None:
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self._thread is not None:
            self._thread.join(timeout)
        if self._errors is not None:
            self._errors.close()
            self._errors = None

    def epitaph(self) -> str:
        """Why the engine ended, in a line: its status and the last thing that it said."""
        if self.process is None:
            return "the engine's thread ended"
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(0.2)
        code = self.process.returncode
        how = (
            "still runs"
            if code is None
            else f"was ended by signal {-code}"
            if code < 0
            else f"ended with status {code}"
        )
        return f"the engine {how}" + (f": {said}" if (said := self._last_words()) else "")

    def _last_words(self) -> str:
        if self._errors is None:
            return ""
        with contextlib.suppress(OSError, ValueError):
            self._errors.seek(0, os.SEEK_END)
            self._errors.seek(max(0, self._errors.tell() - 4096))
            lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
            return lines[-1] if lines else ""
        return ""


def _pair() -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, option, BUFFER)
    return ours, theirs


def start_process(python: str = sys.executable) -> Link:
    """Start an engine process of the given interpreter. Raises OSError when it can't be started."""
    ours, theirs = _pair()
    package = Path(__file__).resolve().parents[2]
    errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the link
    try:
        process = subprocess.Popen(
            [python, "-I", "-c", BOOT, str(package)],
            stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=errors, start_new_session=True,
        )  # fmt: skip
    except OSError:
        ours.close()
        errors.close()
        raise
    finally:
        theirs.close()
    return Link(ours, process, errors)


def start_thread() -> Link:
    """Run an engine in a thread of this process: for single questions and for tests."""
    from sockexplorer.engine.server import Engine

    ours, theirs = _pair()
    engine = Engine(theirs.fileno(), theirs.fileno())

    def serve() -> None:
        with theirs:
            engine.run()

    thread = threading.Thread(target=serve, name="engine", daemon=True)
    thread.start()
    return Link(ours, thread=thread)
