"""Item 5: one stream to a file, on tmpfs and on a disk's file system, against C and socat."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from sockexplorer.capture.log import DEFAULT_LIMIT
from speed import one_stream, place
from speed.one_stream import Cost, Stream
from speed.place import Place
from speed.processes import Failed
from speed.table import Goal, Table

OURS, WATCH, SOCAT = "sockexplorer", "watch --write", "socat -b262144"
BOUNDED = f"sockexplorer, {DEFAULT_LIMIT >> 20} MiB kept"
SPLICE = "C, splice"
"""The system calls by which a stream is kept whole for the least, and nothing else: how far one could get."""
ROOM = 4
"""The room that a disk has to have, in streams."""


def tables(kind: str, where: str, *, memory: bool) -> tuple[Table, Table]:
    """Rates and costs of streams of a kind, to files in memory or on a disk."""
    title = f"{kind} stream to {where}"
    return Table(title, "GiB/s", goals=goals(kind, memory=memory)), Table(title, "CPU s/GiB")


def stream(there: Place, speed: Table, cost: Table, kind: str, total: int, disk: Path | None = None) -> None:
    """One round: ``speed`` in GiB/s from the first byte to all kept, ``cost`` in CPU s/GiB. ``kind`` is tcp or unix.

    The files are in the place's own directory, or in ``disk``, where our log is then as well: ``--keep-in``.
    """
    file = (disk or there.directory) / "stream"
    contestants: dict[str, Callable[[Stream], Cost]] = {
        "C": lambda each: one_stream.program(
            each, [str(there.control), "take", kind, each.where, str(file)], file),
        SPLICE: lambda each: one_stream.program(
            each, [str(there.control), "move", kind, each.where, str(file)], file),
        OURS: lambda each: one_stream.explorer(each, None, disk),
    }  # fmt: skip
    if why := place.missing("socat", "socat"):
        speed.note(f"socat: {why}")
    else:
        listen = "TCP-LISTEN:{},bind=127.0.0.1" if kind == "tcp" else "UNIX-LISTEN:{}"
        contestants[SOCAT] = lambda each: one_stream.program(
            each, ["socat", "-b262144", "-u", listen.format(each.where), f"OPEN:{file},creat,trunc"], file)  # fmt: skip
    contestants[WATCH] = lambda each: one_stream.watch(each, file)
    contestants[BOUNDED] = lambda each: one_stream.explorer(each, DEFAULT_LIMIT, disk)
    for name, run in contestants.items():
        where = str(there.port()) if kind == "tcp" else str(there.file("socket"))
        # Nobody pays for writing back what the one before has left.
        os.sync()
        try:
            seconds, used = run(Stream(there.control, kind, where, total))
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


def goals(kind: str, *, memory: bool) -> list[Goal]:
    """Of item 5: of the log, in memory. How long a disk takes says little of who writes to it, and a recording is the
    log's and a file besides: their ratios are told, and how far one could get at all. A bounded log keeps no whole
    stream, so it has none.
    """
    limit = (1.4 if kind == "tcp" else 1.0) if memory else None
    return [
        Goal("5", OURS, SOCAT, limit, at_least=True), Goal("5", SPLICE, SOCAT, None), Goal("5", WATCH, SOCAT, None),
    ]  # fmt: skip
