"""How fast capture files of ten million frames are opened, searched and filtered, beside capinfos and grep -F.

    python tests/benchmarks/captures.py [--frames N] [--rounds N] [--directory DIR]

Two files are made in a directory of their own, one after the other, and removed: 64 bytes in every frame, and sizes
from 64 to 1400 bytes with comments and statistics among the packets; 2 and 5 GB. The tools take turns, one at a time.
Printed are medians of CPU seconds (user and system) and of wall seconds, and their ratios; what our filters take, and
a jump, is wall time.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from speed.table import Goal, Table

HERE = Path(__file__).resolve().parents[2]
NEEDLE = "needle-of-hay"
PIECE = 100_000
INDEXED, JUMP = "opened with its index", "jump and 50 rows, slowest of 200"
QUICK = "direction", "length", "peer", "time", "all of them"
SIZES = (64, 64, 100, 300, 576, 1400)

OURS = """
import sys, time
from pathlib import Path
from sockexplorer.capture.index import Index

path, what, where = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])

def told(name, began):
    print(name, time.process_time() - began[0], time.perf_counter() - began[1])

def start():
    return time.process_time(), time.perf_counter()

if what == "index":
    began = start()
    index = Index(path)
    for _ in index.steps():
        pass
    told("index", began)
    assert index.error is None and index.count == int(sys.argv[4]), (index.error, index.count)
    sys.exit()

from sockexplorer.capture import sidecar
from sockexplorer.capture.captured_log import CapturedLog
from sockexplorer.capture.filter import compile_filter
from sockexplorer.capture.origins import Known
from sockexplorer.capture.column_sift import ColumnSift
from sockexplorer.client.opened import Opened
from sockexplorer.capture.arrays import numpy

opened = Opened()
shown = lambda number, record: opened.frame(record, number)

def known(each):
    return Known(opened.peer_name(opened.number(each.path, each.peer)), False, each.path.partition("/")[2])

if what == "keep":
    log = CapturedLog(Index(path), shown, name=known)
    for _ in log.index.steps():
        pass
    began = start()
    for _ in log.steps():
        pass
    told("peers of all frames, once", began)
    began = start()
    assert sidecar.keep(log, where)
    told("keeping the index, once", began)
    sys.exit()
began = start()
loaded = sidecar.load(path, where)
assert loaded is not None
log = CapturedLog(loaded.index, shown, loaded.examples, loaded.counts, known)
log.frame(1)
told("opened with its index", began)
if what == "kept":
    sys.exit()
for _ in log.steps():
    pass

def run(name, expression):
    predicate = compile_filter(expression, opened.peer_name)
    began = start()
    sift, number, found = ColumnSift(log, predicate, predicate.test), 1, 0
    while number < log.end:
        number, matching = sift.go_on(number, log.end, time.monotonic() + 0.012)
        found += len(matching)
    told(name, began)
    return found

if what == "search":
    run("search", "hex:" + sys.argv[4])
    sys.exit()
for name, expression in (
    ("direction", "dir==out"), ("length", "len>100"), ("peer", "peer~192.168.1"), ("protocol", "protocol==udp"),
    ("time", "time>=1700005000"),
    ("all of them", "dir==in and len>100 and not peer~192.168.1 and time>=1700001000"),
    ("text in any case", sys.argv[4]),
):
    run("filter by " + name, expression)
import random
worst = 0
for _ in range(200):
    began = time.perf_counter()
    first = random.randrange(1, log.end - 50)
    for number in range(first, first + 50):
        log.head(number, 4096)
    worst = max(worst, time.perf_counter() - began)
print("jump and 50 rows, slowest of 200", worst, worst)
"""


def piece(*, varied: bool) -> bytes:
    """Blocks of many frames of a conversation with some peers."""
    sys.path.insert(0, str(HERE))
    from sockexplorer.capture import pcapng
    from sockexplorer.capture.link_types import Origin, wrap

    lot, parts, origin = random.Random(1), [], Origin("inet/udp", 17, ("10.0.0.1", 9999))
    for number in range(PIECE):
        peer, outgoing = (f"192.168.{lot.randrange(4)}.{lot.randrange(1, 50)}", 4000), lot.random() < 0.3
        _, head, _ = wrap(origin, peer, b"", outgoing=outgoing)
        payload = lot.randbytes(lot.choice(SIZES) if varied else 64)
        told = ["a comment"] if varied and lot.random() < 0.02 else []
        moment = 1_700_000_000_000_000_000 + number * 100_000_000
        parts.append(pcapng.packet(0, moment, (head, payload), len(head) + len(payload), outgoing, told))
        if varied and number % 1000 == 0:
            parts.append(pcapng.statistics(0, moment, number, 0))
    return b"".join(parts)


def make(path: Path, frames: int, *, varied: bool) -> None:
    """Write the file: the same frames again and again, and what is searched for in one of them."""
    from sockexplorer.capture import pcapng

    blocks = piece(varied=varied)
    with path.open("wb") as file:
        file.write(pcapng.section("sockexplorer", "Linux") + pcapng.interface(252, "inet/udp", "benchmark"))
        for _ in range(frames // PIECE):
            file.write(blocks)
        file.write(pcapng.packet(0, 1_700_009_999_000_000_000, (blocks[28:100], NEEDLE.encode()), 85, None))


def measure(command: list[str]) -> tuple[float, float, str]:
    """CPU and wall seconds of a command, and its output."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = {**os.environ, "LC_ALL": "C", "PYTHONPATH": str(HERE)}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall, done.stdout


def compare(path: Path, frames: int, rounds: int, kept: Path) -> Iterator[Table]:
    """What was measured of a file."""
    ours = [sys.executable, "-c", OURS, str(path)]
    contests = [
        ("opened", [*ours, "index", str(kept), str(frames + 1)], ["capinfos", "-T", "-c", "-u", "-r", str(path)]),
        ("searched", [*ours, "search", str(kept), NEEDLE.encode().hex()], ["grep", "-F", "-c", NEEDLE, str(path)]),
    ]
    of = f"{path.name} of {frames:,} frames and {path.stat().st_size / 1e9:.2f} GB"
    once = Table(f"{of}: once", "seconds")
    _add(once, measure([*ours, "keep", str(kept)])[2])
    yield once
    for name, mine, theirs in contests:
        goals = [Goal("7", "sockexplorer", theirs[0], 0.6), Goal("7", "sockexplorer, wall", f"{theirs[0]}, wall", None)]
        table = Table(f"{of}: {name}, whole processes", "CPU seconds", goals=goals)
        for _ in range(rounds):
            for who, command in (("sockexplorer", mine), (theirs[0], theirs)):
                cpu, wall, _ = measure(command)
                table.add(who, cpu)
                table.add(f"{who}, wall", wall)
        yield table
    limits = {INDEXED: 0.1, JUMP: 0.05, **{f"filter by {each}": 1 for each in QUICK}}
    table = Table(of, "seconds", goals=[Goal("7", name, "", limit) for name, limit in limits.items()])
    for _ in range(rounds):
        _add(table, measure([*ours, "filters", str(kept), NEEDLE.upper()])[2])
    yield table


def _add(table: Table, told: str) -> None:
    for line in told.splitlines():
        name, _, wall = line.rsplit(" ", 2)
        table.add(name, float(wall))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--directory", default=None, help="where the files are made; not in memory")
    asked = parser.parse_args()
    if missing := [each for each in ("capinfos", "grep") if shutil.which(each) is None]:
        sys.exit(f"{', '.join(missing)} not found; capinfos is in Debian's wireshark-common")
    with tempfile.TemporaryDirectory(prefix="sockexplorer-", dir=asked.directory or "/var/tmp") as directory:
        for varied in (False, True):
            path = Path(directory) / ("varied.pcapng" if varied else "uniform.pcapng")
            make(path, asked.frames, varied=varied)
            for table in compare(path, asked.frames // PIECE * PIECE, asked.rounds, Path(directory) / "indexes"):
                print("\n" + "\n".join(table.lines()), flush=True)
            path.unlink()


if __name__ == "__main__":
    main()
