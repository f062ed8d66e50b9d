"""Processes that are measured: their CPU time, stopping them, making the buffers of their sockets larger."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path

PATIENCE = 30.0
IDLE = 0.05
"""The share of a core that a program may use while nothing comes."""
SO_RCVBUFFORCE = 33
PIDFD_GETFD = 438
"""``pidfd_getfd(2)``, the same number on every architecture."""
_libc = ctypes.CDLL(None, use_errno=True)


class Failed(Exception):
    """A measurement did not come about; says why."""


def cpu(pids: Iterable[int]) -> float:
    """Seconds of processor time, user and system, of all threads of these processes, those that ended included."""
    # CPUCLOCK_SCHED of a process, as clock_getcpuclockid(3) makes it: counted in ns by the scheduler.
    return sum(time.clock_gettime(~pid << 3 | 2) for pid in pids)


def children(pid: int) -> list[int]:
    """The processes that a process started, and those that they started."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found += [child, *children(child)]
    return sorted(found)


def wait(condition: Callable[[], object], what: str, patience: float = PATIENCE, every: float = 0.005) -> None:
    """Wait until something is so, looking ``every`` so many seconds. Raises `Failed`."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise Failed(f"waited {patience:g} s for {what}")
        time.sleep(every)


def until_quiet(pids: list[int], seconds: float = 0.4, patience: float = PATIENCE) -> None:
    """Wait until processes have used next to no processor time for so long. Raises `Failed`."""
    deadline = time.monotonic() + patience
    while True:
        used, since = cpu(pids), time.monotonic()
        time.sleep(seconds)
        # A program that looks around some times a second is quiet.
        if cpu(pids) - used < IDLE * (time.monotonic() - since):
            return
        if time.monotonic() > deadline:
            raise Failed(f"still busy after {patience:g} s")


def stop(pid: int) -> None:
    """Stop a process, and wait until it has."""
    os.kill(pid, signal.SIGSTOP)
    wait(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T", "a process to stop")


def end(process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> tuple[bytes, bytes]:
    """End a process of ours; what it said on stdout and stderr, where those are pipes."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGCONT)
            os.kill(process.pid, number)
    try:
        out, err = process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
    return out or b"", err or b""


def enlarge(pid: int, size: int) -> int:
    """Let the datagram and packet sockets of another process queue so many bytes; what the kernel then says.

    0 when it has none. Raises PermissionError without the rights for it: CAP_SYS_PTRACE, CAP_NET_ADMIN.
    """
    granted = 0
    pidfd = os.pidfd_open(pid)
    try:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            try:
                if not os.readlink(entry).startswith("socket:"):  # noqa: PTH115 - no file is there to resolve
                    continue
            except FileNotFoundError:
                continue
            number = _libc.syscall(PIDFD_GETFD, pidfd, int(entry.name), 0)
            if number < 0:
                raise PermissionError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            with socket.socket(fileno=number) as sock:
                if sock.family in (socket.AF_INET, socket.AF_PACKET) and sock.type != socket.SOCK_STREAM:
                    # The kernel doubles what is asked for.
                    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, size // 2)
                    granted = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    finally:
        os.close(pidfd)
    return granted
