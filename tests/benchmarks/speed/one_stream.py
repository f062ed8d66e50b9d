"""One stream, kept by one receiver: how long that takes, and the processor time by part."""

from __future__ import annotations

import contextlib
import mmap
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from sockexplorer.core.endpoint import Endpoint
from speed import ours, processes
from speed.processes import Failed
from speed.receiver import Receiver

PATIENCE = 120.0
AS_OFTEN_AS_THE_EXPLORER = 1 / 30
LOOK = 0.01
SETTLED = 0.25
"""A recording that has not grown for so many seconds, and is long enough, may be complete."""

Cost = tuple[float, dict[str, float]]
"""Seconds from the first byte sent to all kept, in the page cache of a disk's file; CPU seconds by part."""


@dataclass
class Stream:
    """``total`` bytes that ``control push`` sends. ``kind`` is tcp or unix, ``where`` a port or a path."""

    control: Path
    kind: str
    where: str
    total: int

    def push(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([self.control, "push", self.kind, self.where, str(self.total)])

    def listening(self) -> None:
        """Wait until somebody listens. Raises `Failed`."""
        if self.kind == "unix":
            processes.wait(lambda: Path(self.where).exists(), self.where)
            return
        table = Path("/proc/net/tcp")
        processes.wait(lambda: f":{int(self.where):04X} 00000000:0000 0A" in table.read_text(), f"port {self.where}")

    def memory(self) -> None:
        """Have as much free memory as will be filled. A virtual machine's host takes free pages back, and to get them
        again costs more than what is measured: whoever comes first after a pause would pay for all.
        """
        size = self.total + self.total // 4
        mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE).close()


def program(stream: Stream, command: list[str], file: Path) -> Cost:
    """A receiver that writes ``file`` and ends with the stream. Raises `Failed` when it has not kept all."""
    receiver = subprocess.Popen(command)
    try:
        stream.listening()
        stream.memory()
        before = processes.cpu([receiver.pid])
        began = time.monotonic()
        pusher = stream.push()
        # Its time can be read until it is waited for.
        os.waitid(os.P_PID, receiver.pid, os.WEXITED | os.WNOWAIT)
        seconds = time.monotonic() - began
        _, status, used = os.wait4(receiver.pid, 0)
        receiver.returncode = os.waitstatus_to_exitcode(status)
        pusher.wait(PATIENCE)
    finally:
        if receiver.returncode is None:
            receiver.kill()
            receiver.wait()
    if receiver.returncode:
        raise Failed(f"{command[0]} ended with {receiver.returncode}")
    if file.stat().st_size != stream.total:
        raise Failed(f"kept {file.stat().st_size} of {stream.total} bytes")
    return seconds, {"all": used.ru_utime + used.ru_stime - before}


def explorer(stream: Stream, limit: int | None, directory: Path | None) -> Cost:
    """A listening session whose log keeps ``limit`` bytes, None for all, in memory or in a file in ``directory``.

    Raises `Failed` when it has not kept all that it may, or when what it kept and dropped is not what came.
    """
    if stream.kind == "tcp":
        endpoint = Endpoint("AF_INET", "tcp", "listen", ("127.0.0.1", int(stream.where)))
    else:
        endpoint = Endpoint("AF_UNIX", "stream", "listen", stream.where)
    receiver = ours.Client(endpoint, limit, directory)
    try:
        stream.memory()
        before = _cpu(receiver)
        began, deadline = time.time_ns(), time.monotonic() + PATIENCE
        pusher = stream.push()
        # The row of the stream's end is written when all before it is kept: it says when that was.
        while receiver.ask("last")["last"][1] != "closed":
            if time.monotonic() > deadline:
                raise Failed(f"received {receiver.told['bytes']} of {stream.total} bytes")
            time.sleep(AS_OFTEN_AS_THE_EXPLORER)
        seconds = (receiver.told["last"][0] - began) / 1e9
        used = {name: after - before[name] for name, after in _cpu(receiver).items()}
        pusher.wait(PATIENCE)
        told = receiver.ask("count")
        frames, held = told["count"]
        if told["bytes"] != stream.total or frames + told["trimmed"] != told["received"]:
            raise Failed(f"{frames} rows kept and {told['trimmed']} dropped of {told['received']} received, "
                         f"{told['bytes']} of {stream.total} bytes")  # fmt: skip
        most = stream.total if limit is None else min(stream.total, limit)
        if held > most or (most == stream.total and held != most):
            raise Failed(f"{held} bytes kept where {most} may be, of {stream.total}")
    finally:
        receiver.end()
    return seconds, used


def watch(stream: Stream, file: Path) -> Cost:
    """``watch --write FILE``, which listens on when the stream is over. Raises `Failed` when bytes are missing."""
    if stream.kind == "tcp":
        receiver = ours.Watch("inet/tcp", f"127.0.0.1:{stream.where}", file, listen=True)
    else:
        receiver = ours.Watch("unix/stream", stream.where, file, listen=True)
    try:
        # What it loads when it listens is no part of the stream.
        processes.until_quiet([*receiver.readers, receiver.client], SETTLED)
        stream.memory()
        before, began = _cpu(receiver), time.monotonic()
        pusher = stream.push()
        while True:
            seconds = _grown(file, stream.total) - began
            used = {name: after - before[name] for name, after in _cpu(receiver).items()}
            # Where others keep the processors busy, it may have rested for longer than that.
            if _complete(receiver, stream.total) or time.monotonic() > began + PATIENCE:
                break
        pusher.wait(PATIENCE)
    finally:
        receiver.end()
    frames, payload = receiver.payload()
    if payload != stream.total or frames != receiver.frames:
        raise Failed(f"{payload} of {stream.total} bytes in the file, {frames} frames where it says {receiver.frames}")
    return seconds, used


def _complete(receiver: ours.Watch, total: int) -> bool:
    with contextlib.suppress(Failed):
        return receiver.payload()[1] == total
    return False


def _grown(file: Path, total: int) -> float:
    """Wait until a file has ``total`` bytes or more and grows no more; when it last grew. Raises `Failed`."""
    size, grew, deadline = 0, 0.0, time.monotonic() + PATIENCE
    while size < total or time.monotonic() - grew < SETTLED:
        length, now = file.stat().st_size, time.monotonic()
        if length != size:
            size, grew = length, now
        elif now > deadline:
            raise Failed(f"a file of {size} bytes for {total} of the stream")
        time.sleep(LOOK)
    return grew


def _cpu(receiver: Receiver) -> dict[str, float]:
    """CPU seconds so far, by part."""
    return {name: processes.cpu(pids) for name, pids in receiver.parts.items()}
