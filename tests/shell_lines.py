"""Shell lines that run as a person pastes them, and a look at the sockets that they hold."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from support import PATIENCE, wait

PIDFD_GETFD = 438
"""The number of the system call, on every architecture (pidfd_getfd(2))."""


class Line:
    """A line as a person pastes it into a shell; stdin stays open as a terminal does."""

    def __init__(self, text: str) -> None:
        self.process = subprocess.Popen(
            ["bash", "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip

    def output(self, length: int) -> bytes:
        """So many bytes that the line printed. AssertionError with what stderr says when they don't come."""
        assert self.process.stdout
        out = b""
        deadline = time.monotonic() + PATIENCE
        while len(out) < length:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            more = os.read(self.process.stdout.fileno(), length - len(out)) if ready else b""
            assert more, f"{out!r}, then {self.complaint()!r}"
            out += more
        return out

    def type(self, data: bytes) -> None:
        """What a person types."""
        assert self.process.stdin
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def sockets(self, family: int, kind: int) -> list[socket.socket]:
        """Copies of the sockets of this sort that the line's processes hold."""
        found = []
        for pid in self._processes():
            with contextlib.suppress(OSError):
                for link in Path(f"/proc/{pid}/fd").iterdir():
                    if str(link.readlink()).startswith("socket:"):
                        found.append(_taken(pid, int(link.name)))
        mine = [each for each in found if (each.family, each.type) == (family, kind)]
        for each in found:
            if each not in mine:
                each.close()
        return mine

    def socket(self, family: int, kind: int, holds: Callable[[socket.socket], object]) -> socket.socket:
        """The first socket of this sort for which ``holds`` is true, as soon as there is one."""

        def look() -> socket.socket | None:
            assert self.process.poll() is None, self.complaint()
            found = self.sockets(family, kind)
            chosen = next((each for each in found if holds(each)), None)
            for each in found:
                if each is not chosen:
                    each.close()
            return chosen

        taken: socket.socket = wait(look, "socat's socket")
        return taken

    def complaint(self) -> str:
        """What the line wrote to stderr so far, once it has ended or been ended."""
        self.end()
        assert self.process.stderr
        return self.process.stderr.read().decode(errors="replace")

    def interrupt(self) -> None:
        """Ctrl-C."""
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(PATIENCE)

    def end(self) -> None:
        """End it, and whatever it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)

    def discard(self) -> None:
        """End it and close its pipes."""
        self.end()
        for each in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert each
            with contextlib.suppress(OSError):
                each.close()

    def _processes(self) -> list[int]:
        """Those of its session."""
        found = []
        for each in Path("/proc").iterdir():
            if each.name.isdecimal():
                with contextlib.suppress(OSError):
                    if int((each / "stat").read_text().rpartition(")")[2].split()[3]) == self.process.pid:
                        found.append(int(each.name))
        return found


def _taken(pid: int, descriptor: int) -> socket.socket:
    pidfd = os.pidfd_open(pid)
    try:
        copy = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, pidfd, descriptor, 0)
        if copy < 0:
            raise OSError(ctypes.get_errno(), "pidfd_getfd")
        return socket.socket(fileno=copy)
    finally:
        os.close(pidfd)
