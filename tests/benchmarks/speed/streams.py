"""Item 5: one stream to a file on tmpfs, against C and socat."""

from __future__ import annotations

import mmap
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from sockexplorer.core.endpoint import Endpoint
from speed import ours, place, processes
from speed.place import Place
from speed.processes import Failed
from speed.table import Goal, Table

PATIENCE = 120.0
AS_OFTEN_AS_THE_EXPLORER = 1 / 30


def stream(there: Place, speed: Table, cost: Table, kind: str, total: int) -> None:
    """One round: ``speed`` in GiB/s from the first byte to all kept, ``cost`` in CPU s/GiB. ``kind`` is tcp or unix."""
    contestants: dict[str, Callable[[Path, str], tuple[float, dict[str, float]]]] = {
        "C": lambda file, where: _program(
            there, [str(there.control), "take", kind, where, str(file)], file, kind, where, total),
        "sockexplorer": lambda file, where: _explorer(there, kind, where, total),
    }  # fmt: skip
    why = place.missing("socat", "socat")
    if why:
        speed.note(f"socat: {why}")
    else:
        listen = "TCP-LISTEN:{},bind=127.0.0.1" if kind == "tcp" else "UNIX-LISTEN:{}"
        contestants["socat -b262144"] = lambda file, where: _program(
            there, ["socat", "-b262144", "-u", listen.format(where), f"OPEN:{file},creat,trunc"],
            file, kind, where, total)  # fmt: skip
    for name, run in contestants.items():
        where = str(there.port()) if kind == "tcp" else str(there.file("socket"))
        file = there.file("stream")
        try:
            seconds, used = run(file, where)
        except Failed as error:
            speed.note(f"{name}: {error}")
            continue
        finally:
            file.unlink(missing_ok=True)
        speed.add(name, total / 2**30 / seconds)
        cost.add(name, sum(used.values()) * 2**30 / total)
        if len(used) > 1:
            for part, value in used.items():
                cost.add(f"{name}, {part}", value * 2**30 / total)


def _memory(total: int) -> None:
    """Have as much free memory as will be filled. A virtual machine's host takes free pages back, and to get them again
    costs more than what is measured: whoever comes first after a pause would pay for all.
    """
    with mmap.mmap(-1, total + total // 4, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE):
        pass


def _push(there: Place, kind: str, where: str, total: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([there.control, "push", kind, where, str(total)])


def _program(
    there: Place, command: list[str], file: Path, kind: str, where: str, total: int
) -> tuple[float, dict[str, float]]:
    """A receiver that ends with the stream."""
    receiver = subprocess.Popen(command)
    try:
        _listening(kind, where)
        _memory(total)
        before = processes.cpu([receiver.pid])
        began = time.monotonic()
        pusher = _push(there, kind, where, total)
        # Its time can be read until it is waited for.
        os.waitid(os.P_PID, receiver.pid, os.WEXITED | os.WNOWAIT)
        seconds = time.monotonic() - began
        used = os.wait4(receiver.pid, 0)[2]
        receiver.returncode = 0
        pusher.wait(PATIENCE)
    finally:
        if receiver.returncode is None:
            receiver.kill()
            receiver.wait()
    if file.stat().st_size != total:
        raise Failed(f"kept {file.stat().st_size} of {total} bytes")
    return seconds, {"all": used.ru_utime + used.ru_stime - before}


def _explorer(there: Place, kind: str, where: str, total: int) -> tuple[float, dict[str, float]]:
    """A listening session whose log keeps all."""
    if kind == "tcp":
        endpoint = Endpoint("AF_INET", "tcp", "listen", ("127.0.0.1", int(where)))
    else:
        endpoint = Endpoint("AF_UNIX", "stream", "listen", where)
    receiver = ours.Client(endpoint)
    try:
        _memory(total)
        before = {name: processes.cpu(pids) for name, pids in receiver.parts.items()}
        began, deadline = time.time_ns(), time.monotonic() + PATIENCE
        pusher = _push(there, kind, where, total)
        # The row of the stream's end is written when all before it is kept: it says when that was.
        while receiver.ask("last")["last"][1] != "closed":
            if time.monotonic() > deadline:
                raise Failed(f"kept {receiver.told['bytes']} of {total} bytes")
            time.sleep(AS_OFTEN_AS_THE_EXPLORER)
        seconds = (receiver.told["last"][0] - began) / 1e9
        used = {name: processes.cpu(pids) - before[name] for name, pids in receiver.parts.items()}
        pusher.wait(PATIENCE)
        if receiver.told["trimmed"] or receiver.told["bytes"] != total:
            raise Failed(f"kept {receiver.told['bytes']} of {total} bytes, {receiver.told['trimmed']} rows trimmed")
    finally:
        receiver.end()
    return seconds, used


def _listening(kind: str, where: str) -> None:
    if kind == "unix":
        processes.wait(lambda: Path(where).exists(), where)
        return
    table = Path("/proc/net/tcp")
    processes.wait(lambda: f":{int(where):04X} 00000000:0000 0A" in table.read_text(), f"port {where}")


def goals(kind: str) -> list[Goal]:
    """Of item 5."""
    return [Goal("5", "sockexplorer", "socat -b262144", 1.4 if kind == "tcp" else 1.0, at_least=True)]
