"""What many tests of this suite need: a hub to work at, peers, and ways to wait that have a deadline."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sockexplorer.capture.log import Frame
from sockexplorer.client.client import Problem, Refused
from sockexplorer.client.hub import Hub
from sockexplorer.client.session import Session
from sockexplorer.core.endpoint import Endpoint, SetOption
from sockexplorer.families import find

PYENV = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
INTERPRETERS = {
    "3.11": ["/usr/bin/python3.11", "python3.11"],
    "3.12": ["python3.12", *sorted(map(str, PYENV.glob("3.12.*/bin/python3.12")))],
    "3.13": ["python3.13", *sorted(map(str, PYENV.glob("3.13.*/bin/python3.13")))],
    "3.14": ["python3.14"],
    "the system's": ["/usr/bin/python3"],
}
"""Where other Pythons may be, by version."""
PATIENCE = 60.0 if os.environ.get("SOCKEXPLORER_LAB") else 20.0
"""Seconds that a test waits for what must come; reached only when it does not. A process starts slowly in the lab."""

SO_MEMINFO = 55
"""socket(7) does not have it, nor does Python; Linux 4.12."""
ATTEMPTS = 5
"""Of `once_within`."""


def wait(condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Return what ``condition`` gives as soon as that is true; AssertionError when it never is."""
    deadline = time.monotonic() + patience
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {patience:g} s for {what}"
        time.sleep(0.002)
    return found


def once_within(seconds: float, attempt: Callable[[], float]) -> None:
    """One of several attempts takes less: other work of the machine delays some, a wait of the program's own each."""
    took: list[float] = []
    while not took or took[-1] >= seconds:
        assert len(took) < ATTEMPTS, f"none of {took} seconds is less than {seconds:g}"
        took.append(attempt())


class Desk:
    """A hub, and what a person at it would do."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    @property
    def pid(self) -> int:
        """The process that the engine runs in."""
        return int(self.hub.client.call("hello")["pid"])

    def until(self, condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
        """Poll the hub until ``condition`` is true, and return what it gave."""
        deadline = time.monotonic() + patience
        while not (found := condition()):
            assert time.monotonic() < deadline, f"waited {patience:g} s for {what}"
            self.hub.poll(0.05)
            self.hub.tell_directions()
        return found

    def ask(self, start: Callable[[Callable[..., None]], Any]) -> dict[str, Any]:
        """Start something that takes a ``done``, wait for its outcome. Raises `Refused`."""
        outcome: list[tuple[dict[str, Any] | None, Problem | None]] = []
        start(lambda result, problem: outcome.append((result, problem)))
        self.until(lambda: outcome, "an outcome")
        result, problem = outcome[0]
        if problem is not None:
            raise Refused(problem)
        assert result is not None
        return result

    def open(
        self,
        path: str,
        operation: str = "bind",
        local: object = None,
        remote: object = None,
        options: tuple[SetOption, ...] = (),
        **more: Any,
    ) -> Session:
        """Open ``inet/udp`` or the like. Raises `Refused`."""
        family, _, protocol = path.partition("/")
        endpoint = Endpoint(family, protocol, operation, local, remote, options, **more)  # type: ignore[arg-type]
        sessions: list[Session] = []
        self.ask(lambda done: sessions.append(self.hub.open(endpoint, done)))
        return sessions[0]

    def send(self, session: Session, data: bytes, **more: Any) -> int:
        """Send as soon as a connection stands, wait for the reply. Raises `Refused`."""
        self.until(lambda: session.state not in ("opening", "connecting"), "the connection")
        return int(self.ask(lambda done: self.hub.send(session, data, done=done, **more))["sent"])

    def close(self, session: Session) -> None:
        """Close a session and wait until it is."""
        self.ask(lambda done: self.hub.close(session, done))

    def incoming(self, session: Session, count: int, what: str = "") -> list[Frame]:
        """The first ``count`` received frames, waiting for them."""
        self.until(lambda: session.log.received >= count, what or f"{count} frames; has {session.log.received}")
        self.hear()
        return [each for each in rows(session) if not each.outgoing and not each.event][:count]

    def stream(self, session: Session, length: int, peer: int | None = None) -> bytes:
        """The first ``length`` bytes that came over a stream, from any peer or from one."""

        def joined() -> bytes:
            return b"".join(
                each.payload
                for each in rows(session)
                if not each.event and not each.outgoing and peer in (None, each.peer)
            )

        self.until(lambda: len(joined()) >= length, f"{length} bytes")
        return joined()[:length]

    def event(self, session: Session, name: str, count: int = 1) -> Frame:
        """The ``count``-th event of that name, waiting for it."""

        def events() -> list[Frame]:
            return [each for each in rows(session) if each.event == name]

        self.until(lambda: len(events()) >= count, f"{count} × {name}")
        self.hear()
        return events()[count - 1]

    def leave(self) -> None:
        """Close and forget every session: the engine is as it was before them. Starts another when it has died."""
        for session in [*self.hub.sessions.values()]:
            closed: list[object] = []
            self.hub.close(session, lambda result, problem, closed=closed: closed.append(problem))
            self.until(lambda closed=closed: closed or self.hub.client.dead, f"the end of session {session.number}")
            self.hub.forget(session)
        if self.hub.client.dead:
            self.hub.restart()

    def hear(self) -> None:
        """Take in what the engine has said by now: rows may be in the log before the status that goes with them."""
        if not self.hub.client.dead:
            with contextlib.suppress(Refused):
                self.hub.client.call("hello")


def rows(session: Session) -> list[Frame]:
    """Every frame that the session's log has."""
    return [session.log.frame(number) for number in range(session.log.first, session.log.end)]


def sane_time(frame: Frame, since: float) -> bool:
    """Whether the frame was stamped between ``since`` (``time.time()``) and now, a clock's slack aside."""
    return since - 0.05 <= frame.time / 1e9 <= time.time() + 0.05


@contextlib.contextmanager
def default_signals() -> Iterator[None]:
    """For a process that is started meanwhile: what this one ignores, SIGINT perhaps, would be ignored by it as well.

    A ``preexec_fn`` would do, and have all memory of this process copied for the other: fork instead of vfork.
    """
    every = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    ignored = [each for each in every if signal.getsignal(each) == signal.SIG_IGN]
    for each in ignored:
        signal.signal(each, signal.SIG_DFL)
    try:
        yield
    finally:
        for each in ignored:
            signal.signal(each, signal.SIG_IGN)


def udp(address: tuple[str, int] = ("127.0.0.1", 0)) -> socket.socket:
    """A UDP socket of the test, with a deadline."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(PATIENCE)
    sock.bind(address)
    return sock


def deliver(sender: socket.socket, data: bytes, receiver: socket.socket) -> None:
    """Send a datagram of IP, and wait until it is in the receiver's queue: who reads without waiting finds it there.

    A kernel that has much to do hands even the datagrams of the loopback over a little later.
    """
    before = _queued(receiver)
    sender.sendto(data, receiver.getsockname())
    wait(lambda: _queued(receiver) > before, "a datagram in the queue")


def _queued(sock: socket.socket) -> int:
    """Memory that what a socket has not read yet takes, in bytes (SK_MEMINFO_RMEM_ALLOC of <linux/sock_diag.h>)."""
    return int.from_bytes(sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 4), sys.byteorder)


def open_files(pid: int) -> list[str]:
    """What each descriptor of a process leads to, as ``/proc/PID/fd`` has it; one closed meanwhile is left out."""
    found = []
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(str(each.readlink()))
    return found


def descriptors(pid: int) -> int:
    """How many descriptors a process has open, those of logs left out: they stay while somebody looks at a log.

    An engine looks into files of the kernel's by itself, as when it asks how much memory there is: that is waited for.
    """

    def at_rest() -> list[str]:
        found = open_files(pid)
        return [] if any(each.startswith(("/proc/", "/sys/")) for each in found) else found

    return sum("memfd:sockexplorer" not in each for each in wait(at_rest, "files of the kernel's to be closed"))


@contextlib.contextmanager
def only_descriptors(spare: int) -> Iterator[None]:
    """Within the block, so many descriptors more can be had."""
    taken = [os.dup(0) for _ in range(spare + 1)]
    for each in taken:
        os.close(each)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken[-1], before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def children(pid: int) -> list[int]:
    """The processes that a process started, of all its threads (proc(5), ``/proc/PID/task/TID/children``)."""
    found = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # one that ended meanwhile
            found += [int(each) for each in (thread / "children").read_text().split()]
    return sorted(found)


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used, from ``/proc/PID/stat``."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def gone(pid: int) -> bool:
    """Whether a process has ended (a zombie has)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def unshare() -> list[str]:
    """The command that gives a process a network namespace of its own. Skips where that is not allowed."""
    command = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    try:
        subprocess.run([*command, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no private network namespace here: {error}")
    return command


def namespace_python(directory: Path, setup: str = "") -> str:
    """An interpreter, as a path, that runs in a network namespace of its own after ``setup`` (shell) ran there."""
    wrapper = directory / "python-in-a-namespace"
    prepare = 'ip link set lo up; echo "0 2147483647" > /proc/sys/net/ipv4/ping_group_range'
    inner = f'{prepare}; {setup or ":"}; exec "{sys.executable}" "$@"'
    wrapper.write_text(f"#!/bin/sh\nexec {' '.join(unshare())} sh -c '{inner}' sh \"$@\"\n")
    wrapper.chmod(0o755)
    return str(wrapper)


def inside(pid: int, *command: str) -> str:
    """Run a command in the network namespace of a process; its output."""
    enter = ["nsenter", "-t", str(pid), "-n"] + (["-U", "--preserve-credentials"] if os.geteuid() else [])
    return subprocess.run([*enter, *command], check=True, capture_output=True, text=True, timeout=PATIENCE).stdout


def ip(words: str) -> str:
    """Run ip(8) in this network namespace, which must be the lab's; its output."""
    return subprocess.run(["ip", *words.split()], check=True, capture_output=True, text=True, timeout=PATIENCE).stdout


@cache
def interpreter(version: str) -> str:
    """The path of another Python, by a key of `INTERPRETERS`. Skips where there is none of 3.11 or later."""
    python = next((found for each in INTERPRETERS[version] if (found := _works(each, version))), None)
    if python is None:
        pytest.skip(f"no Python {version} of 3.11 or later on this host")
    return python


def _works(candidate: str, version: str) -> str | None:
    path = shutil.which(candidate)
    wanted = "sys.version_info >= (3, 11)" + (f" and '{version}' in sys.version" if version[0] == "3" else "")
    look = f"import ctypes, mmap, sys; sys.exit(not ({wanted}))"
    if path and subprocess.run([path, "-I", "-c", look], capture_output=True, timeout=PATIENCE).returncode == 0:
        return path
    return None


def listens(path: Path) -> bool:
    """Whether a UNIX socket listens at a path (proc(5), /proc/net/unix); its file is there a moment earlier."""
    # Names of others may be any bytes.
    rows = [line.split(maxsplit=7) for line in Path("/proc/net/unix").read_bytes().split(b"\n")[1:]]
    return any(int(row[3], 16) & 0x10000 for row in rows if row[7:] == [bytes(path)])


def needs(path: str) -> None:
    """Skip where this host has no socket of ``family/protocol`` at all, with the kernel's reason."""
    family, protocol = find(path)
    try:
        socket.socket(family.number, protocol.type_number, protocol.proto_number).close()
    except OSError as error:
        pytest.skip(f"no {path} on this host: {error}")
