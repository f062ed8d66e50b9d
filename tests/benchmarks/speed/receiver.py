"""Receivers that are measured: the control and the peers, each a process that writes a file; and how one is drained."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from speed import processes
from speed.sender import Sender

WARM = 50
"""Frames before what is measured."""


class Receiver:
    """One receiver, running. ``readers`` own the socket; ``parts`` are all whose time counts, by name."""

    readers: list[int]
    parts: dict[str, list[int]]

    def kept(self) -> int:
        """Frames that it kept; of programs that write a file, after `end`."""
        raise NotImplementedError

    def taken(self, count: int) -> None:
        """Wait until it has taken so many frames, or whatever came. Raises `processes.Failed`."""
        raise NotImplementedError

    def rest(self) -> None:
        """Wait until it has nothing left to do, where `taken` does not."""

    def dropped(self) -> int | None:
        """What the kernel dropped, as the receiver itself says, after `end`; None where it does not say."""
        return None

    def end(self) -> None:
        """End it."""
        raise NotImplementedError


class Program(Receiver):
    """A program that writes a file; ``count`` makes a number of frames of the file's size."""

    def __init__(
        self, command: list[str], file: Path, count: Callable[[int], int], *, stdout: bool = False,
        drops: str = "", number: int = signal.SIGTERM, quiet: float = 0.4,
    ) -> None:  # fmt: skip
        self._quiet = quiet
        self._file, self._count, self._drops_say, self._end_by = file, count, drops, number
        self._drops: int | None = None
        with contextlib.ExitStack() as kept:
            out = kept.enter_context(file.open("wb")) if stdout else subprocess.PIPE
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.PIPE)
        self.readers = [self._process.pid]
        self.parts = {"all": self.readers}

    def taken(self, count: int) -> None:
        processes.until_quiet(self.readers, self._quiet)

    def kept(self) -> int:
        return self._count(self._file.stat().st_size)

    def dropped(self) -> int | None:
        return self._drops

    def end(self) -> None:
        out, err = processes.end(self._process, self._end_by)
        if self._drops_say and (found := re.search(self._drops_say.encode(), out + err)):
            self._drops = int(found[1])


def ready(port: int) -> None:
    """Wait until a UDP port of this namespace is bound. Raises `processes.Failed`."""
    table = Path("/proc/net/udp")
    processes.wait(lambda: f":{port:04X} " in table.read_text(), f"port {port}")


def drain(
    receiver: Receiver, sender: Sender, count: int, size: int, may_force: bool, laps: int = 1
) -> dict[str, float]:
    """µs of processor time a frame, by part and in all (``""``), for taking frames that wait; the receiver is ended.

    ``afterwards`` is what it used when all was kept, and is not part of all: to have room for the next ones.

    ``size`` is what its socket may queue, in bytes; of several ``laps`` the last is measured. Raises `processes.Failed`
    when a frame was not kept.
    """
    ended = False
    try:
        if may_force:
            for pid in receiver.readers:
                processes.enlarge(pid, size)
        # nc and ncat connect to whom they hear first. It also touches buffers and code for the first time.
        warm = 0
        for few in (1, WARM):
            warm += sender.send(few).count
            receiver.taken(warm)
        for _ in range(laps):
            for pid in receiver.readers:
                processes.stop(pid)
            sent = sender.send(count).count
            before = {name: processes.cpu(pids) for name, pids in receiver.parts.items()}
            for pid in receiver.readers:
                os.kill(pid, signal.SIGCONT)
            receiver.taken(warm + sent)
            used = {name: processes.cpu(pids) - before[name] for name, pids in receiver.parts.items()}
            receiver.rest()
            afterwards = sum(map(processes.cpu, receiver.parts.values())) - sum(before.values()) - sum(used.values())
            if sent != count:
                raise processes.Failed(f"the sender sent {sent} of {count}")
            warm += sent
        early = receiver.kept() if not isinstance(receiver, Program) else 0
        receiver.end()
        ended = True
        kept = early or receiver.kept()
        if kept != warm:
            raise processes.Failed(f"kept {kept} of {warm}, dropped {receiver.dropped()}")
    finally:
        if not ended:
            receiver.end()
    found = {name: 1e6 * seconds / sent for name, seconds in used.items()}
    return {**found, "": sum(found.values()), "afterwards": 1e6 * afterwards / sent}
