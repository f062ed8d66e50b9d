"""Item 6: what a kept frame takes of the memory of engine and client, beyond the spool."""

from __future__ import annotations

from pathlib import Path

from sockexplorer.core.endpoint import Endpoint
from speed import ours, processes
from speed.place import Place
from speed.receiver import ready
from speed.sender import Sender
from speed.table import Goal, Table

TOGETHER = 20_000
"""Frames that are sent before it is waited for them, so that none is lost."""
BUFFER = 64 * 2**20


def private(pid: int) -> tuple[int, int]:
    """Bytes of a process's memory that are its own, and those of files that it shares: the spool."""
    own = shared = 0
    spool = False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        words = line.split()
        if not words[0].endswith(":"):
            # An anonymous shared mapping has this name as well.
            path = " ".join(words[5:])
            spool = words[1].endswith("s") and bool(path) and not path.startswith("/dev/zero")
        elif words[0] in ("Private_Dirty:", "Shared_Dirty:"):
            if spool:
                shared += 1024 * int(words[1])
            elif words[0] == "Private_Dirty:":
                own += 1024 * int(words[1])
    return own, shared


def memory(there: Place, table: Table, frames: int, length: int = 64) -> None:
    """One round: bytes a frame, by process. Raises `processes.Failed` when a frame was not kept."""
    port = there.port()
    receiver = ours.Client(Endpoint("AF_INET", "udp", "bind", ("127.0.0.1", port)))
    try:
        ready(port)
        if there.may_force:
            processes.enlarge(receiver.engine, BUFFER)
        step = TOGETHER if there.may_force else 100
        with Sender(there.control, "udp", port, length) as sender:
            sent = sender.send(step).count
            receiver.taken(sent)
            processes.until_quiet(receiver.readers)
            before = {name: private(pids[0]) for name, pids in receiver.parts.items()}
            first = sent
            while sent < first + frames:
                sent += sender.send(step).count
                receiver.taken(sent)
        processes.until_quiet(receiver.readers)
        after = {name: private(pids[0]) for name, pids in receiver.parts.items()}
        if receiver.kept() != sent:
            raise processes.Failed(f"kept {receiver.kept()} of {sent}")
        grown = {name: (after[name][0] - before[name][0]) / (sent - first) for name in after}
        for name, value in grown.items():
            table.add(name, value)
        table.add("engine and client", sum(grown.values()))
        table.add("the spool itself", int(receiver.told["size"]) / sent)
    finally:
        receiver.end()


def goals() -> list[Goal]:
    """Of item 6."""
    return [Goal("6", "engine and client", "", 28)]
