"""Item 4: the reader beside a busy interface, and at a steady rate against a C loop that never waits."""

from __future__ import annotations

import time

from sockexplorer.core.endpoint import Endpoint
from speed import datagrams, ours, processes
from speed.place import Place
from speed.processes import Failed
from speed.receiver import Program, Receiver, drain, ready
from speed.sender import Sender
from speed.table import Goal, Table

LENGTH = 64


def beside(there: Place, table: Table, count: int) -> None:
    """One round: the engine drains while its client computes without a pause, and while it only polls."""
    for name in ("alone", "beside a busy interface"):
        port = there.port()
        receiver = ours.Client(Endpoint("AF_INET", "udp", "bind", ("127.0.0.1", port)))
        receiver.ask("idle" if name == "alone" else "busy")
        ready(port)
        try:
            with Sender(there.control, "udp", port, LENGTH) as sender:
                table.add(name, drain(receiver, sender, count, datagrams.BUFFER, there.may_force)["engine"])
        except Failed as error:
            table.note(f"{name}: {error}")


def steady(there: Place, table: Table, rate: int, seconds: float, burst: int) -> None:
    """One round: µs of CPU a frame that comes at a steady rate, nothing lost."""
    for name in ("C, no sleep", "sockexplorer, engine"):
        port = there.port()
        file = there.file("received")
        receiver: Receiver
        if name.startswith("C"):
            receiver = datagrams.control(there, port, file, LENGTH)
        else:
            receiver = ours.Client(Endpoint("AF_INET", "udp", "bind", ("127.0.0.1", port)))
        ready(port)
        try:
            if there.may_force:
                processes.enlarge(receiver.readers[0], 8 * 2**20)
            with Sender(there.control, "udp", port, LENGTH) as sender:
                before = processes.cpu(receiver.readers)
                sent = sender.send(int(rate * seconds), rate, burst)
                time.sleep(0.05)
                receiver.taken(sent.count)
                used = processes.cpu(receiver.readers) - before
                if isinstance(receiver, Program):
                    receiver.end()
                if receiver.kept() != sent.count:
                    raise Failed(f"kept {receiver.kept()} of {sent.count}")
                table.add(name, 1e6 * used / sent.count)
        except Failed as error:
            table.note(f"{name}: {error}")
        finally:
            if not isinstance(receiver, Program) or receiver._process.returncode is None:
                receiver.end()


def goals() -> tuple[list[Goal], list[Goal]]:
    """Of item 4."""
    return (
        [Goal("4", "beside a busy interface", "alone", 1.15)],
        [Goal("4", "sockexplorer, engine", "C, no sleep", 0.6)],
    )
