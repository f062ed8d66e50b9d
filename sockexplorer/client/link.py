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
MOST_SAID = 2**20
END_SECONDS = 0.7
"""How long an engine that is to end may take."""
# -I keeps the user's directory and PYTHON* variables out. The package's own place comes after the standard library, and
# before site-packages, where another version of it may be installed.
BOOT = (
    "import sys; path = sys.path; "
    "path.insert(next((at for at, each in enumerate(path) if each.endswith('-packages')), len(path)), sys.argv[1]); "
    "from sockexplorer.engine.__main__ import main; main()"
)


class Link:
    """One engine's stream, non-blocking, and the means to end it.

    ``via`` is the command that the engine runs behind, "" for one on this machine with our rights; ``first`` is what it
    has to be sent ahead of any message.
    """

    def __init__(
        self,
        stream: socket.socket,
        process: subprocess.Popen[bytes] | None = None,
        errors: IO[bytes] | None = None,
        thread: threading.Thread | None = None,
        *,
        via: str = "",
        first: bytes = b"",
    ) -> None:
        stream.setblocking(False)
        self.stream = stream
        self.process = process
        self.via = via
        self.first = first
        self._errors = errors
        self._thread = thread

    def close(self, timeout: float | None = None) -> None:
        """End the engine: it stops when its stream does; a process that does not is killed after ``timeout`` seconds,
        `END_SECONDS` where that is None.

        One that may not be killed (sudo's is root's) is left to the end of its stream, and one that is killed and does
        not go (a debugger holds it, or the kernel) to itself.
        """
        timeout = END_SECONDS if timeout is None else timeout
        self.stream.close()
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout)
            if self.process.returncode is None:
                with contextlib.suppress(PermissionError, subprocess.TimeoutExpired):
                    self.process.kill()
                    self.process.wait(timeout)
        if self._thread is not None:
            self._thread.join(timeout)
        if self._errors is not None:
            self._errors.close()
            self._errors = None

    def epitaph(self) -> str:
        """Why the engine ended, in a line: its status and the last thing that it said; not escaped."""
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
        # The first word of a command is enough to know it by; all of it may be a screen long.
        who = f"the engine via {Path(self.via.split()[0]).name}" if self.via else "the engine"
        lines = self.said()[-4096:].decode("utf-8", "replace").strip().splitlines()
        return f"{who} {how}" + (f": {lines[-1]}" if lines else "")

    def said(self) -> bytes:
        """What the process has written to stderr; of very much the end."""
        if self._errors is None:
            return b""
        with contextlib.suppress(OSError, ValueError):
            descriptor = self._errors.fileno()
            # Not read(): the process writes where the offset is, which both have in common.
            size = os.fstat(descriptor).st_size
            return os.pread(descriptor, MOST_SAID, max(0, size - MOST_SAID))
        return b""


def stream_pair() -> tuple[socket.socket, socket.socket]:
    """Our end and the engine's, with room for a flood."""
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, option, BUFFER)
    return ours, theirs


def streams() -> tuple[socket.socket, socket.socket, IO[bytes]]:
    """What a process is started with: a `stream_pair`, and a file for its stderr. Raises OSError."""
    errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the link
    try:
        return (*stream_pair(), errors)
    except OSError:
        errors.close()
        raise


def start_process(python: str = sys.executable) -> Link:
    """Start an engine process of the given interpreter. Raises OSError when it can't be started."""
    package = Path(__file__).resolve().parents[2]
    ours, theirs, errors = streams()
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

    ours, theirs = stream_pair()
    engine = Engine(theirs.fileno(), theirs.fileno())

    def serve() -> None:
        with theirs:
            engine.run()

    thread = threading.Thread(target=serve, name="engine", daemon=True)
    thread.start()
    return Link(ours, thread=thread)
