"""How fast traffic is kept: ``.venv/bin/python tests/benchmarks/traffic.py [MEASUREMENT …]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from speed import beside, datagrams, live, memory, place, streams
from speed.place import Place
from speed.processes import Failed
from speed.table import Table

COUNTS = {64: 150_000, 1400: 60_000}
LINK_COUNTS = {64: 300_000, 1400: 30_000}
Chosen = argparse.Namespace


def measure_datagrams(there: Place, chosen: Chosen) -> Iterator[Table]:
    for length, count in COUNTS.items():
        table = Table(f"datagrams of {length} bytes, drained", "µs of CPU a frame", goals=datagrams.udp_goals(length))
        for _ in range(chosen.rounds):
            datagrams.udp(there, table, length, 100 if chosen.smoke else count)
        yield table


def measure_link(there: Place, chosen: Chosen) -> Iterator[Table]:
    for length, count in LINK_COUNTS.items():
        table = Table(f"link, frames of {length} bytes, drained", "µs of CPU a frame",
                      goals=datagrams.link_goals(length))  # fmt: skip
        try:
            with place.veth():
                for _ in range(chosen.rounds):
                    datagrams.link(there, table, length, 100 if chosen.smoke else count)
        except OSError as error:
            table.note(str(error))
        yield table


def measure_beside(there: Place, chosen: Chosen) -> Iterator[Table]:
    drained, steady = beside.goals()
    table = Table("the reader beside a busy interface, 64 bytes, drained", "µs of CPU a frame", goals=drained)
    for _ in range(chosen.rounds):
        beside.beside(there, table, 100 if chosen.smoke else COUNTS[64])
    yield table
    table = Table(f"{chosen.rate} datagrams a second of 64 bytes", "µs of CPU a frame", goals=steady)
    for _ in range(chosen.rounds):
        beside.steady(there, table, chosen.rate, 0.1 if chosen.smoke else 5, chosen.burst)
    yield table


def measure_streams(there: Place, chosen: Chosen) -> Iterator[Table]:
    total, refused = 2**20 if chosen.smoke else 2**30, ""
    with ExitStack() as kept:
        disks: list[Path | None] = [None]
        try:
            disks.append(kept.enter_context(place.on_disk(chosen.directory, streams.ROOM * total)))
        except OSError as error:
            refused = str(error)
        for kind in ("tcp", "unix"):
            for disk in disks:
                where = (disk or there.directory).parent
                speed, cost = streams.tables(kind, f"{place.file_system(where)} ({where})", memory=disk is None)
                for _ in range(chosen.rounds):
                    streams.stream(there, speed, cost, kind, total, disk)
                yield speed
                yield cost
            if refused:
                speed, _ = streams.tables(kind, "a disk", memory=False)
                speed.note(refused)
                yield speed


def measure_memory(there: Place, chosen: Chosen) -> Iterator[Table]:
    table = Table("memory beyond the spool, 64 bytes", "bytes a frame", goals=memory.goals())
    for _ in range(1 if chosen.smoke else 2):
        try:
            memory.memory(there, table, 1000 if chosen.smoke else 1_000_000)
        except Failed as error:
            table.note(str(error))
    yield table


def measure_live(there: Place, chosen: Chosen) -> Iterator[Table]:
    steady, keys, full = live.goals()
    seconds = 3 if chosen.smoke else chosen.seconds
    lost = Table(f"the explorer in view, {chosen.rate} datagrams a second for {seconds:g} s", "frames", goals=steady)
    pressed = Table("keys meanwhile, from the press to what it shows", "ms", goals=keys)
    live.under_a_flood(there, lost, pressed, 1000 if chosen.smoke else chosen.rate, seconds)
    yield lost
    yield pressed
    table = Table("the explorer in view, at the sender's full rate", "frames", goals=full)
    live.at_full_rate(there, table, 1000 if chosen.smoke else 2_000_000)
    yield table


MEASUREMENTS: dict[str, Callable[[Place, Chosen], Iterator[Table]]] = {
    "datagrams": measure_datagrams, "link": measure_link, "beside": measure_beside, "streams": measure_streams,
    "memory": measure_memory, "live": measure_live,
}  # fmt: skip


def main() -> None:
    """Measure what was chosen, round by round, and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measurements", nargs="*", metavar="MEASUREMENT", help=", ".join(MEASUREMENTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rate", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=60, help="of the flood with the explorer in view")
    parser.add_argument("--burst", type=int, default=1)
    parser.add_argument(
        "--directory", type=Path, default=Path("/var/tmp"), help="on a disk, for streams to files there"
    )
    parser.add_argument("--smoke", action="store_true", help="a few frames, one round: does it run at all?")
    chosen = parser.parse_args()
    if unknown := set(chosen.measurements) - set(MEASUREMENTS):
        parser.error(f"no measurement {', '.join(unknown)}; there are {', '.join(MEASUREMENTS)}")
    chosen.rounds = 1 if chosen.smoke else chosen.rounds
    place.enter_namespace()
    print(place.described(), flush=True)
    with place.place(touch=not chosen.smoke) as there:
        for name in chosen.measurements or MEASUREMENTS:
            for table in MEASUREMENTS[name](there, chosen):
                if chosen.smoke:
                    table.goals.clear()
                print("\n" + "\n".join(table.lines()), flush=True)
    sys.exit(0)


if __name__ == "__main__":
    main()
