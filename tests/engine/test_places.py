"""A spool's file is filled again where the log has let go of it, and nothing that is still kept is touched by that."""

from __future__ import annotations

import fcntl
import os
import random
import subprocess
import sys
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ring_blocks import Sent, ring_block
from support import descriptors

from sockexplorer.capture import freed
from sockexplorer.capture.log import Log
from sockexplorer.core.frames import PAGE, ROWS, Traffic, pack_columns, pack_header
from sockexplorer.core.units import MARKED, UNIT
from sockexplorer.engine import ahead, places
from sockexplorer.engine.spool import Spool
from sockexplorer.engine.stream_rows import MOST, MOST_OF_ROW, StreamRows

MIB = 2**20
Pair = tuple[Log, Spool]
Make = Callable[..., Pair]


@pytest.fixture
def pair() -> Iterator[Make]:
    """Makes a log and the spool that an engine would have of it."""
    made: list[Pair] = []

    def make(limit: int | None, directory: Path | None = None) -> Pair:
        log = Log(limit, directory)
        assert log.store.descriptor is not None
        made.append((log, Spool(os.dup(log.store.descriptor))))
        return made[-1]

    yield make
    for log, spool in made:
        spool.close()
        log.close()


def taken(log: Log) -> int:
    """Bytes that the file takes."""
    assert log.store.descriptor is not None
    return os.fstat(log.store.descriptor).st_blocks * 512


def prepare(spool: Spool) -> None:
    """Have 64 MiB of room ahead of a flood."""
    while spool.prepare(64 * MIB):
        assert spool.ready <= 64 * MIB


def pack(data: bytes) -> tuple[bytes, bytes, bytes]:
    """The parts of a block of one row."""
    columns = array("Q", [0]), *(array("I", [value]) for value in (len(data), len(data), 0, 0))
    return pack_header(ROWS, 1, len(data), Traffic(1, 0, len(data), 0)), pack_columns(columns), data


def payload(number: int, length: int) -> bytes:
    """Bytes that tell where they are, so that none can stand for others."""
    return random.Random(number).randbytes(997) * (length // 997 + 1)


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_what_is_kept_stays_as_it_was_written(pair: Make, tmp_path: Path, seed: int, on_disk: bool) -> None:
    """Rows of every size and kind, looked at now and then, as a busy or a slow client does."""
    chance = random.Random(seed)
    limit = chance.choice((0, 3 * MIB, 20 * MIB))
    log, spool = pair(limit, tmp_path if on_disk else None)
    rows = StreamRows(spool)
    source = os.pipe()
    fcntl.fcntl(source[1], fcntl.F_SETPIPE_SZ, MIB)
    written: list[bytes] = []
    for number in range(400):
        length = int(chance.choice((10, 3000, 200_000, MOST_OF_ROW, MOST)) * chance.random()) + 1
        data = payload(number, length)[:length]
        how = chance.randrange(5)
        if how == 4:
            os.write(source[1], data)
            left = length
            while left:
                count = rows.splice(source[0], number, left)
                part = data[length - left :][:count]
                written += [part[at : at + MOST_OF_ROW] for at in range(0, count, MOST_OF_ROW)]
                left -= count
        elif how == 0 or length > MOST_OF_ROW:
            rows.add(data, 1)
            written += [data[at : at + MOST_OF_ROW] for at in range(0, length, MOST_OF_ROW)]
        elif how == 1 and (window := rows.window(chance.randrange(length, MOST))) is not None:
            window[:length] = data
            rows.filled(length, 1)
            written.append(data)
        elif how == 2:
            frames = [Sent(data[:1400], min(length, 1400)) for _ in range(3)]
            spool.ring_block(3, memoryview(ring_block(frames)))
            written += [data[:1400]] * 3
        else:
            spool.add(data)
            written.append(data)
        if chance.random() < 0.1:
            spool.hurry()
        if chance.random() < 0.1:
            spool.prepare(chance.choice((8, 32)) * MIB)
        if chance.random() < 0.3:
            spool.flush()
            log.catch_up()
            assert log.size <= limit or len(list(log.blocks(log.first, log.end))) == 1
            for row in {log.first, chance.randrange(log.first, log.end), log.end - 1}:
                assert log.frame(row).payload == written[row - 1]
    spool.flush()
    rows.close()
    for each in source:
        os.close(each)
    log.catch_up()
    assert log.end == len(written) + 1
    assert [log.frame(row).payload for row in range(log.first, log.end)] == written[log.first - 1 :]


def test_a_bounded_log_takes_no_more_room_however_long_it_goes_on(pair: Make) -> None:
    log, spool = pair(20 * MIB)
    rows = StreamRows(spool)
    data, sizes = bytes(MIB), []
    for number in range(200):
        rows.add(data, 0)
        if number % 3 == 2:
            log.catch_up()
            sizes.append(taken(log))
    assert sizes[-1] <= 20 * MIB + 3 * UNIT
    assert set(sizes[20:]) == {sizes[-1]}, "neither filled anew nor given back"
    assert rows.window(MIB) is not None, "what was filled before is at hand"


def test_what_a_client_clears_is_filled_again(pair: Make) -> None:
    log, spool = pair(None)
    rows = StreamRows(spool)
    for number in range(100):
        data = payload(number, 3 * MIB)[: 3 * MIB]
        for at in range(0, len(data), MOST):
            rows.add(data[at : at + MOST], 0)
        log.catch_up()
        assert b"".join(log.frame(row).payload for row in range(log.first, log.end)) == data
        log.clear()
    assert taken(log) <= 3 * UNIT


@pytest.mark.parametrize("limit", [None, 8 * MIB])
def test_much_that_is_cleared_at_once_is_given_back(pair: Make, limit: int | None) -> None:
    """What the engine finds as holes it must not take for memory that is at hand."""
    log, spool = pair(limit)
    rows = StreamRows(spool)
    written = 0
    for lap in range(3):
        for number in range(300):
            rows.add(payload(number + lap, MIB)[:MIB], 0)
            written += -(-MIB // MOST_OF_ROW)
        assert taken(log) >= 300 * MIB
        log.catch_up()
        assert log.end == written + 1
        if limit is None:
            assert (
                b"".join(log.frame(row).payload for row in range(log.first, log.first + 5)) == payload(lap, MIB)[:MIB]
            )
        log.clear()
        assert taken(log) <= (192 if limit is None else 8) * MIB + 2 * UNIT
    assert log.first == log.end


def test_a_file_may_have_more_units_than_can_be_marked(pair: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MARKED * UNIT >= 8 * 2**30
    for module in (freed, places):
        monkeypatch.setattr(module, "MARKED", 5)
    log, spool = pair(0)
    rows = StreamRows(spool)
    for lap in range(6):
        for number in range(10 * (1 + lap % 3)):
            rows.add(payload(number, MIB)[:MIB], 0)
        log.catch_up()
        assert log.frame(log.end - 1).payload == payload(number, MIB)[MOST_OF_ROW * 4 : MIB]


def test_what_was_ready_is_given_back_when_nobody_fills_the_file_any_more(pair: Make) -> None:
    log, spool = pair(8 * MIB)
    prepare(spool)
    rows = StreamRows(spool)
    for number in range(100):
        spool.hurry()
        rows.add(payload(number, MIB)[:MIB], 0)
        log.catch_up()
    assert taken(log) > 60 * MIB
    kept = [log.frame(row) for row in range(log.first, log.end)]
    spool.close()
    log.over()
    assert taken(log) <= 8 * MIB + 2 * UNIT
    assert [log.frame(row) for row in range(log.first, log.end)] == kept
    log.clear()
    assert taken(log) <= UNIT + PAGE


def test_large_blocks_fill_units_again(pair: Make) -> None:
    """Such as batches of long datagrams make, of several units each."""
    log, spool = pair(10 * MIB)
    for number in range(60):
        data = payload(number, 9 * MIB)[: (5 + number % 5) * MIB]
        assert spool.block(1, *pack(data))
        spool.add(b"small")
        spool.flush()
        log.catch_up()
        assert log.frame(log.end - 2).payload == data
    assert log.store.descriptor is not None
    assert taken(log) <= 10 * MIB + 9 * UNIT
    assert spool.find(0) < 20 * UNIT, "what had to be found anew"


def test_no_hole_is_taken_for_memory_when_a_unit_can_not_be_had_at_hand(
    pair: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a file system that is full: what is written to a mapped hole there ends the engine (SIGBUS)."""
    log, spool = pair(0)
    rows = StreamRows(spool)
    for _ in range(3):
        for number in range(40):
            rows.add(payload(number, MIB)[:MIB], 0)
        log.catch_up()
    assert rows.window(MIB) is not None
    monkeypatch.setattr(ahead, "MADV_POPULATE_WRITE", 9999)
    for number in range(40):
        rows.add(payload(number, MIB)[:MIB], 0)
        assert number < 4 or rows.window(MIB) is None


ON_A_FULL_FILE_SYSTEM = """
import contextlib, os, sys
from pathlib import Path
from sockexplorer.capture.log import Log
from sockexplorer.engine.spool import Spool
from sockexplorer.engine.stream_rows import StreamRows
where = Path(sys.argv[1])
log = Log(0, where)
spool = Spool(os.dup(log.store.descriptor))
rows = StreamRows(spool)
for _ in range(6):
    for _ in range(12):
        rows.add(bytes(2**20), 0)
    log.catch_up()
other = where / "other"
with other.open("wb", 0) as file, contextlib.suppress(OSError):
    while True:
        file.write(bytes(4096))
for _ in range(5):
    for _ in range(12):
        spool.hurry()
        rows.add(bytes(2**20), 0)
    os.truncate(other, max(0, other.stat().st_size - 3 * 2**20))
log.catch_up()
assert log.unkept
assert log.received == 11 * 12 * 5 == len(log) + log.dropped
"""


WHERE_NOBODY_SPEAKS = """
import os, sys
from pathlib import Path
from sockexplorer.capture.log import Log
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.engine.session import Session
from sockexplorer.engine.spool import Spool
from sockexplorer.families import find
log = Log(None, Path(sys.argv[1]))
spool = Spool(os.dup(log.store.descriptor))
session = Session(1, Endpoint("AF_INET", "udp", "bind", ("127.0.0.1", 0)), *find("inet/udp"), None, spool)
session.open(session.endpoint.local, None)
session.reading.prepare()
while session.reading.preparing:
    session.reading.prepare()
assert os.statvfs(sys.argv[1]).f_bavail * os.statvfs(sys.argv[1]).f_frsize > 16 * 2**20
"""


@pytest.mark.optional_on_this_host(reason="unshare(1) may not be allowed to mount")
@pytest.mark.parametrize("script", [ON_A_FULL_FILE_SYSTEM, WHERE_NOBODY_SPEAKS], ids=["full", "idle"])
def test_a_small_file_system_ends_nothing_and_is_not_filled_by_a_socket_alone(tmp_path: Path, script: str) -> None:
    """Of pages that the client gave back others may have made something."""
    mount = [
        "unshare",
        "-m" if os.geteuid() == 0 else "-rm",
        "sh",
        "-c",
        'mount -t tmpfs -o size=20m x "$1" && shift && exec "$@"',
    ]
    if subprocess.run([*mount, "sh", tmp_path, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run([*mount, "sh", tmp_path, *command], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors are counted in /proc")
def test_no_descriptor_is_left_of_a_file_that_can_not_be_mapped(tmp_path: Path) -> None:
    before = descriptors(os.getpid())
    empty = os.open(tmp_path / "empty", os.O_CREAT | os.O_RDWR)
    with pytest.raises(ValueError, match="length"):
        Spool(empty)
    assert descriptors(os.getpid()) == before


@pytest.mark.parametrize(("where", "name"), [(ahead, "MADV_POPULATE_WRITE"), (places, "F_GET_SEALS")])
def test_a_kernel_that_can_not_say_what_is_at_hand(
    pair: Make, monkeypatch: pytest.MonkeyPatch, where: object, name: str
) -> None:
    """Then all is written by calls."""
    monkeypatch.setattr(where, name, 9999)
    log, spool = pair(8 * MIB)
    prepare(spool)
    rows = StreamRows(spool)
    for number in range(100):
        spool.hurry()
        rows.add(payload(number, MIB)[:MIB], 0)
        log.catch_up()
        assert rows.window(MIB) is None
    parts = [log.frame(row).payload for row in range(log.end - 5, log.end)]
    assert b"".join(parts) == payload(99, MIB)[:MIB]
