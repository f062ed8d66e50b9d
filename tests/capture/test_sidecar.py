"""An index that was kept is believed while it is right, and else made again; what it says is what indexing says."""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sockexplorer.capture import pcapng, sidecar
from sockexplorer.capture.captured_log import CapturedLog
from sockexplorer.capture.index import Index
from sockexplorer.capture.link_types import Origin, wrap
from sockexplorer.capture.log import Frame
from sockexplorer.capture.reading import CaptureError, Record, Torn
from sockexplorer.capture.sidecar import keep, load, path_of, settle

Damage = Callable[[bytes], bytes]
ROWS = 400


@pytest.fixture(autouse=True)
def few_rows_are_enough() -> Iterator[None]:
    with patch.object(sidecar, "FEWEST_ROWS", 1), patch.object(sidecar, "EDGE", 256):
        yield


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "capture.pcapng"
    path.write_bytes(made(ROWS))
    return path


@pytest.fixture
def where(tmp_path: Path) -> Path:
    return tmp_path / "indexes"


def made(rows: int, ours: str = "sockexplorer 1", peers: int = 3) -> bytes:
    """A recording of two sockets, which says what was dropped."""
    data = pcapng.section(ours, "Linux", ("of all of it", "and more"))
    data += pcapng.interface(252, "inet/udp", "", ("of one",), 32) + pcapng.interface(1, "packet/raw", "eth0")
    for number in range(rows):
        peer, outgoing = (f"192.0.2.{number % peers}", 53), number % 2 == 0
        head = wrap(Origin("inet/udp", 17, ("127.0.0.1", 9)), peer, b"", outgoing=outgoing)[1]
        payload = f"message {number}".encode()
        data += pcapng.packet(number % 7 == 0, number * 10**9, (head, payload), len(head + payload), outgoing)
    return data + pcapng.statistics(0, 5, rows, 3)


def shown(number: int, record: Record) -> Frame:
    return Frame(number, record.time, record.length, 0, 0, record.data, {})


def indexed(path: Path) -> CapturedLog:
    log = CapturedLog(Index(path, 0), shown)
    for _ in log.steps():
        pass
    return log


def kept(path: Path, where: Path) -> Path:
    """Have its index kept; where it is."""
    log = indexed(path)
    assert keep(log, where)
    log.close()
    return path_of(path, where)


def facts(log: CapturedLog) -> dict[str, Any]:
    """All that is said of a capture."""
    index, known = log.index, [None, *log.origins.known]
    error = index.error
    return {
        "columns": [list(getattr(index.columns, each)) for each in index.columns.NAMES[:4]],
        "records": [index.record(row) for row in range(index.count)],
        "interfaces": index.walk.interfaces,
        "orders": [index.walk.order(each) for each in range(len(index.walk.interfaces))],
        "offset": index.walk.offset,
        "drops": index.drops,
        "error": error and (type(error), error.offset, error.reason),
        # Their numbers are drawn by lot.
        "origins": [known[each] for each in index.columns.origin],
        "counts": log.counts,
        "end": (log.end, log.ready, index.done),
    }


def check_loads(path: Path, where: Path) -> None:
    """Whether what is loaded is what indexing finds."""
    loaded = load(path, where)
    assert loaded is not None
    again, fresh = CapturedLog(loaded.index, shown, loaded.examples, loaded.counts), indexed(path)
    for _ in again.origins.steps():
        pass
    try:
        assert facts(again) == facts(fresh)
    finally:
        again.close()
        fresh.close()


def is_refused(path: Path, where: Path) -> bool:
    loaded = load(path, where)
    if loaded is not None:
        loaded.index.close()
    return loaded is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from(("pcapng", "several", "pcap", "candump")), st.integers(4, 40),
    st.integers(0, 1) | st.integers(0, 60), st.sampled_from("<>"), st.booleans(),
)  # fmt: skip
def test_what_is_loaded_is_what_indexing_finds(
    tmp_path: Path, kind: str, rows: int, cut: int, order: str, ours: bool
) -> None:
    if kind == "candump":
        data = b"".join(b"(%d.%06d) vcan%d 123#%02X\n" % (each, each, each % 3, each) for each in range(rows))
    elif kind == "pcap":
        data = struct.pack(f"{order}IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1)
        data += b"".join(struct.pack(f"{order}4I", each, each, each, 99) + bytes(each) for each in range(rows))
    else:
        data = made(rows, "sockexplorer 1" if ours else "x")
        if kind == "several":
            other = struct.pack(f"{order}IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
            other += struct.pack(f"{order}IIHHIHHqII", 1, 36, 1, 0, 0, 14, 8, 100, 0, 36)
            data += other + struct.pack(f"{order}8I4sI", 6, 36, 0, 1, 2, 3, 9, 0, b"four", 36)
    path, where = tmp_path / "any", tmp_path / "indexes"
    path.write_bytes(data[: len(data) - cut])
    log = indexed(path)
    worth = log.index.count > 0
    assert keep(log, where) == worth
    log.close()
    if worth:
        check_loads(path, where)


def test_a_torn_capture_stays_torn(capture: Path, where: Path) -> None:
    capture.write_bytes(capture.read_bytes()[:-60])
    kept(capture, where)
    check_loads(capture, where)
    loaded = load(capture, where)
    assert loaded is not None
    assert isinstance(loaded.index.error, Torn)
    loaded.index.close()


def rewritten(path: Path, change: Damage) -> None:
    """Change a file in place, and have it look as if nobody had."""
    before = path.stat()
    with path.open("r+b") as file:
        data = change(file.read())
        file.seek(0)
        file.write(data)
        file.truncate()
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data + pcapng.packet(0, 1, (b"x",), 1, False),
        lambda data: data[:-1],
        lambda data: data[:20000] + data[19000:],
        lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:],
        lambda data: data[:40] + bytes([data[40] ^ 1]) + data[41:],
        lambda data: data[:500] + bytes(len(data) - 1000) + data[-500:],
    ],
    ids=["longer", "shorter", "longer within", "another tail", "another head", "another middle"],
)
def test_an_index_of_what_the_file_was_is_not_believed(capture: Path, where: Path, change: Damage) -> None:
    kept(capture, where)
    rewritten(capture, change)
    assert is_refused(capture, where)


def test_a_file_that_is_empty_since_is_none(capture: Path, where: Path) -> None:
    kept(capture, where)
    rewritten(capture, lambda data: b"")
    with pytest.raises(CaptureError, match="nothing in it"):
        load(capture, where)


def test_a_file_that_was_written_anew_is_another(capture: Path, where: Path) -> None:
    kept(capture, where)
    before = capture.stat()
    os.utime(capture, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert is_refused(capture, where)


def test_a_peer_that_was_rewritten_in_place_is_another(capture: Path, where: Path) -> None:
    """Of the same size and time, far from both ends: neither rows taken at random nor the edges have to tell."""
    kept(capture, where)
    middle = ROWS * 50

    def other(data: bytes) -> bytes:
        changed = data[:middle] + data[middle:].replace(bytes((192, 0, 2, 2)), bytes((192, 0, 2, 9)), 1)
        assert data[-256:] == changed[-256:]
        assert data != changed
        return changed

    rewritten(capture, other)
    assert is_refused(capture, where)


def change_header(data: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """An index with another header, which has the right digest."""
    line, _, rest = data.partition(b"\n")
    magic, _, length = line.rpartition(b" ")
    begin = len(line) + 1
    header = json.loads(rest[: int(length)])
    change(header)
    text = json.dumps(header).encode()
    start = magic.rpartition(b" ")[0] + f" {hashlib.sha256(text).hexdigest()} {len(text)}\n".encode() + text
    columns = data[begin + int(length) + -(begin + int(length)) % sidecar.ALIGNMENT :]
    return start + bytes(-len(start) % sidecar.ALIGNMENT) + columns


def set_to(name: str, value: object) -> Damage:
    return lambda data: change_header(data, lambda header: header.__setitem__(name, value))


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:10],
        lambda data: data[:300],
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: data[: len(data) // 2],
        lambda data: bytes(len(data)),
        lambda data: data.replace(b" v%d " % sidecar.VERSION, b" v%d " % (sidecar.VERSION + 1), 1),
        lambda data: data.replace(b" v%d " % sidecar.VERSION, b" vx ", 1),
        lambda data: data.replace(b'"rows": 400', b'"rows": 401', 1),
        lambda data: data.replace(b'"counts": [200', b'"counts": [100', 1),
        lambda data: b"\xff" + data[1:],
        lambda data: data.replace(b"sockexplorer index", b"something different", 1),
        set_to("rows", 399),
        set_to("rows", -1),
        set_to("rows", "400"),
        set_to("rows", 2**70),
        set_to("order", "middle"),
        set_to("walk", {}),
        set_to("walk", {"offset": 0, "sections": [["=", False, [], []]]}),
        set_to("walk", {"offset": 0, "sections": []}),
        set_to("drops", [[1]]),
        set_to("error", [1]),
        set_to("examples", [-1]),
        set_to("examples", "x"),
        set_to("counts", [1, 2]),
        set_to("of", []),
        lambda data: change_header(data, lambda header: header.pop("walk")),
    ],
)
def test_a_damaged_index_is_none(capture: Path, where: Path, damage: Damage) -> None:
    path = kept(capture, where)
    data = path.read_bytes()
    changed = damage(data)
    assert changed != data
    path.write_bytes(changed)
    assert is_refused(capture, where)
    log = indexed(capture)
    assert keep(log, where)
    log.close()
    check_loads(capture, where)


def test_a_header_that_is_written_anew_alike_is_believed(capture: Path, where: Path) -> None:
    """What the tests above change is what makes it worthless."""
    path = kept(capture, where)
    path.write_bytes(change_header(path.read_bytes(), lambda header: None))
    check_loads(capture, where)


@pytest.mark.parametrize("column", range(3))
def test_columns_of_another_file_are_not_believed(capture: Path, where: Path, column: int) -> None:
    path = kept(capture, where)
    data = bytearray(path.read_bytes())
    size = ROWS * (8 if column < 2 else 4)
    at = len(data) - 28 * ROWS + sum((8, 8, 4)[:column]) * ROWS
    data[at : at + size] = os.urandom(size)
    path.write_bytes(data)
    assert is_refused(capture, where)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_no_byte_of_an_index_makes_loading_fail(tmp_path: Path, data: st.DataObject) -> None:
    path, where = tmp_path / "capture", tmp_path / "indexes"
    path.write_bytes(made(30))
    kept_at = kept(path, where)
    content = bytearray(kept_at.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    kept_at.write_bytes(content)
    loaded = load(path, where)
    if loaded is not None:
        log = CapturedLog(loaded.index, shown, loaded.examples, loaded.counts)
        for number in range(log.first, log.end):
            log.frame(number)
        for _ in log.origins.steps():
            pass
        assert len(log.origins.known) == len(loaded.examples)
        log.close()


def test_a_symbolic_link_is_its_target(capture: Path, where: Path, tmp_path: Path) -> None:
    link, other = tmp_path / "link", tmp_path / "other.pcapng"
    link.symlink_to(capture)
    kept(link, where)
    check_loads(capture, where)
    check_loads(link, where)
    other.write_bytes(made(ROWS + 1))
    link.unlink()
    link.symlink_to(other)
    assert is_refused(link, where)
    check_loads(capture, where)


def test_a_copy_has_an_index_of_its_own(capture: Path, where: Path, tmp_path: Path) -> None:
    """Of the same content, size and time of change."""
    kept(capture, where)
    copy = tmp_path / "copy.pcapng"
    copy.write_bytes(capture.read_bytes())
    before = capture.stat()
    os.utime(copy, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert is_refused(copy, where)
    path_of(capture, where).rename(path_of(copy, where))
    assert is_refused(copy, where)


def test_only_its_owner_can_read_it(capture: Path, where: Path) -> None:
    path = kept(capture, where)
    assert path.stat().st_mode & 0o777 == 0o600
    assert where.stat().st_mode & 0o777 == 0o700
    with patch.object(os, "geteuid", lambda: path.stat().st_uid + 1):
        assert is_refused(capture, where)


@pytest.mark.parametrize("what", ["a file", "under a file", "a link to nowhere"])
def test_a_cache_that_can_not_be_written_to_is_no_matter(capture: Path, where: Path, what: str) -> None:
    if what == "a file":
        where.write_text("no directory")
    elif what == "under a file":
        capture.with_name("file").write_text("no directory")
        where = capture.with_name("file") / "indexes"
    else:
        where.symlink_to(where / "nowhere")
    log = indexed(capture)
    assert not keep(log, where)
    settle(log, where)
    assert log.frame(7).payload.endswith(b"message 6")
    assert load(capture, where) is None
    log.close()


def test_a_disk_that_is_full_leaves_nothing_behind(capture: Path, where: Path) -> None:
    log = indexed(capture)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with patch.object(os, "replace", full):
        assert not keep(log, where)
    assert list(where.iterdir()) == []
    assert keep(log, where)
    log.close()


def test_few_rows_are_not_worth_it(capture: Path, where: Path) -> None:
    log = indexed(capture)
    with patch.object(sidecar, "FEWEST_ROWS", ROWS + 1):
        assert not keep(log, where)
    with patch.object(sidecar, "FEWEST_ROWS", ROWS):
        assert keep(log, where)
    log.close()


def test_a_log_looks_at_what_was_kept(capture: Path, where: Path) -> None:
    log, fresh = indexed(capture), indexed(capture)
    settle(log, where)
    assert isinstance(log.index.columns.time, memoryview)
    assert facts(log) == facts(fresh)
    log.close()
    fresh.close()


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path, where: Path) -> None:
    captures = [tmp_path / f"{number}.pcapng" for number in range(4)]
    for number, path in enumerate(captures):
        path.write_bytes(made(ROWS + number))
    kept_at = [kept(path, where) for path in captures[:3]]
    for age, path in enumerate(kept_at):
        os.utime(path, (1000 + age, 1000 + age))
    # The oldest is used again.
    check_loads(captures[0], where)
    room = sum(path.stat().st_size for path in kept_at) + 28 * 10
    with patch.object(sidecar, "MOST_BYTES", room):
        kept(captures[3], where)
    assert [path.exists() for path in kept_at] == [True, False, True]
    check_loads(captures[3], where)
