"""The index of a capture file has the records of the reader, and its error, however it was made."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sockexplorer.capture import index_pcap, index_pcapng, origins, pcapng, sidecar
from sockexplorer.capture.captured_log import CapturedLog
from sockexplorer.capture.header_hashes import Hashing
from sockexplorer.capture.index import Index
from sockexplorer.capture.link_types import (
    BLUETOOTH_MONITOR,
    ETHERNET,
    EXPORTED_PDU,
    H4_DIRECTION,
    NETLINK,
    RAW_IP,
    SLL,
    SLL2,
    SOCKETCAN,
    VSOCK,
    Origin,
    wrap,
)  # fmt: skip
from sockexplorer.capture.origins import Origins
from sockexplorer.capture.provenance import origin
from sockexplorer.capture.reading import CaptureError, Drops, Record, Torn, records
from sockexplorer.client.opened import Opened

LINKS = (
    BLUETOOTH_MONITOR,
    ETHERNET,
    EXPORTED_PDU,
    H4_DIRECTION,
    NETLINK,
    RAW_IP,
    SLL,
    SLL2,
    SOCKETCAN,
    VSOCK,
    147,
    12,
    0,
)


@contextmanager
def small_steps() -> Iterator[None]:
    """Windows of few words, so that every file has several of them, and blocks lie across their ends."""
    with (
        patch.object(index_pcapng, "WINDOW", 64),
        patch.object(index_pcap, "TOGETHER", 8),
        patch.object(index_pcap, "FEWEST", 2),
        patch.object(origins, "ROWS", 5),
    ):
        yield


def read(data: bytes) -> tuple[list[Record], Drops, tuple[type[CaptureError], int, str] | None]:
    """What the reader makes of it."""
    found: list[Record] = []
    drops: Drops = {}
    position = 0

    def more(size: int) -> bytes:
        nonlocal position
        part = data[position : position + size]
        position += len(part)
        return part

    try:
        for each in records(more, drops):
            found.append(each)
    except CaptureError as error:
        return found, drops, (type(error), error.offset, error.reason)
    return found, drops, None


def check(path: Path, data: bytes) -> None:
    """Whether an index has the same, by looking at many at once and one by one."""
    path.write_bytes(data)
    wanted, drops, error = read(data)
    for vectorised_from in (0, 1 << 60):
        try:
            index = Index(path, vectorised_from)
        except CaptureError as raised:
            refused = type(raised), raised.offset, raised.reason
            if error != refused or wanted:
                pytest.fail(f"refused with {refused}, where the reader has {len(wanted)} records and {error}")
            continue
        try:
            for _ in index.steps():
                assert index.count <= len(wanted)
            assert [index.record(row) for row in range(index.count)] == wanted
            told = index.error
            assert (None if told is None else (type(told), told.offset, told.reason)) == error
            assert index.drops == drops
            columns = index.columns
            assert list(columns.time) == [each.time for each in wanted]
            assert list(columns.length) == [each.length for each in wanted]
            codes = {1: False, 2: True}
            assert [codes.get(each & 3) for each in columns.source] == [each.outgoing for each in wanted]
            if not vectorised_from:
                check_origins(index, wanted)
        finally:
            index.close()


def check_origins(index: Index, wanted: list[Record]) -> None:
    """Whether every row has the origin that it has by itself."""
    found = Origins(index)
    for _ in found.steps():
        pass
    for number, record in zip(index.columns.origin, wanted, strict=True):
        its, known = origin(record), found.known[number - 1]
        assert (its.path, its.peer, its.plain) == (known.path, known.peer, known.plain)
        if its.plain:
            assert its == known
        else:
            assert its.added == known.added


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "capture"


payloads = st.binary(max_size=40) | st.builds(
    # What looks like blocks within a payload, aligned or not.
    lambda skew, data, tail: bytes(skew) + pcapng.packet(0, 5, (data,), len(data), True) + tail,
    st.integers(0, 4), st.binary(max_size=12), st.binary(max_size=9),
)  # fmt: skip
peers = st.sampled_from([("127.0.0.1", 53), ("10.1.2.3", 4000), ("::1", 7, 0, 0), None])
frames = st.tuples(st.sampled_from(LINKS), payloads, st.booleans() | st.none(), st.integers(0, 2**64 - 1), peers)


def option_block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", kind) + length + body + length


@st.composite
def packet_blocks(draw: st.DrawFn, order: str, interfaces: int) -> bytes:
    """A block of a frame, of one of the three kinds, with any options; now and then of an interface that is not."""
    payload = draw(payloads)
    number = draw(st.integers(0, interfaces - 1)) if draw(st.integers(0, 40)) else interfaces
    options = b""
    for code, value in draw(
        st.lists(
            st.tuples(
                st.sampled_from((1, 2, 2, 4, 4, 5)),
                st.binary(max_size=6) | st.sampled_from((b"\2\0\0\0", b"\0\0\0\1", bytes(7) + b"\3", b"\4" + bytes(7))),
            ),
            max_size=10,
        )
    ):
        options += struct.pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4)
    if draw(st.booleans()):
        options += bytes(4)
    wire = draw(st.integers(0, 100))
    high, low = draw(st.sampled_from(((0, 7), (0x17FFFFFF, 5), (2**32 - 1, 9))))
    padded = payload + bytes(-len(payload) % 4)
    kind = draw(st.sampled_from((6, 6, 6, 6, 2, 3)))
    if kind == 6:
        head = struct.pack(f"{order}5I", number, high, low, len(payload), wire)
    elif kind == 2:
        head = struct.pack(f"{order}HH4I", number, draw(st.sampled_from((0, 3, 0xFFFF))), high, low, len(payload), wire)
    else:
        return option_block(order, 3, struct.pack(f"{order}I", len(payload)) + padded)
    return option_block(order, kind, head + padded + options)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Sections of either byte order with interfaces, frames, statistics and blocks that nobody knows."""
    data = b""
    for _ in range(draw(st.integers(1, 3))):
        order = draw(st.sampled_from("<>"))
        ours = struct.pack(f"{order}HH", 4, 12) + b"sockexplorer" + bytes(4) if draw(st.booleans()) else b""
        data += option_block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1) + ours)
        interfaces = 0
        for _ in range(draw(st.integers(0, 12))):
            what = draw(st.integers(0, 12))
            if not interfaces or what == 0:
                resolution = draw(st.sampled_from((b"", b"\x09", b"\x03", b"\x8a", b"\x0c", b"\xff", b"\x14")))
                told = struct.pack(f"{order}HH", 9, 1) + resolution + bytes(3) if resolution else b""
                if draw(st.integers(0, 4)) == 0:
                    told += struct.pack(f"{order}HHq", 14, 8, draw(st.integers(-(2**63), 2**63 - 1)))
                link = draw(st.sampled_from(LINKS))
                data += option_block(
                    order, 1, struct.pack(f"{order}HHI", link, 0, draw(st.sampled_from((0, 9)))) + told
                )
                interfaces += 1
            elif what == 1:
                told = struct.pack(f"{order}HHQ", 5, 8, draw(st.integers(0, 99)))
                number = draw(st.integers(0, interfaces - 1)) if draw(st.integers(0, 20)) else interfaces
                data += option_block(order, 5, struct.pack(f"{order}III", number, 0, 0) + told)
            elif what == 2:
                data += option_block(order, 0xBAD, draw(st.binary(max_size=20)))
            else:
                data += draw(packet_blocks(order, interfaces))
    return data


same_as_read = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)


@same_as_read
@given(files(), st.data())
def test_any_pcapng_has_the_records_of_the_reader(path: Path, data: bytes, more: st.DataObject) -> None:
    harm = more.draw(st.sampled_from(("none", "none", "cut", "byte", "garbage")))
    if harm == "cut":
        data = data[: more.draw(st.integers(0, len(data)))]
    elif harm == "byte":
        at = more.draw(st.integers(0, len(data) - 1))
        data = data[:at] + bytes([more.draw(st.integers(0, 255))]) + data[at + 1 :]
    elif harm == "garbage":
        data += more.draw(st.binary(min_size=1, max_size=40))
    with small_steps():
        check(path, data)


def test_drops_that_are_told_of_behind_what_is_damaged_do_not_count(path: Path) -> None:
    one, of_none = (pcapng.packet(number, 5, (b"x",), 1, None) for number in (0, 1))
    counts = [pcapng.statistics(0, 5, 1, dropped) for dropped in (2, 3, 4)]
    start = pcapng.section("x", "y") + pcapng.interface(ETHERNET)
    data = start + one + counts[0] + one + counts[1] + of_none + counts[2] + one
    check(path, data)
    assert [count for _, count in read(data)[1].values()] == [3]


@same_as_read
@given(st.lists(frames, max_size=30))
def test_what_was_recorded_of_several_families(
    path: Path, told: list[tuple[int, bytes, bool | None, int, object]]
) -> None:
    data = pcapng.section("sockexplorer 1", "Linux")
    data += b"".join(pcapng.interface(link, "", "eth0") for link in LINKS)
    for link, payload, outgoing, time, peer in told:
        head = b""
        if link == EXPORTED_PDU and peer is not None:
            family = "inet6" if len(peer) == 4 else "inet"  # type: ignore[arg-type]
            head = wrap(Origin(f"{family}/udp", 17, peer), peer, payload, outgoing=bool(outgoing))[1]
        comments = [f"peer: {peer!r}"] if outgoing else []
        length = len(head) + len(payload)
        data += pcapng.packet(LINKS.index(link), time, (head, payload), length, outgoing, comments)
    with small_steps():
        check(path, data)


@same_as_read
@given(
    st.sampled_from("<>"), st.sampled_from((0xA1B2C3D4, 0xA1B23C4D)), st.sampled_from(LINKS),
    st.lists(st.tuples(st.binary(max_size=30) | st.just(bytes(8)), st.integers(0, 2**32 - 1)), max_size=40),
    st.integers(0, 12) | st.just(0), st.integers(0, 40), st.sampled_from((4, 4, 3)),
)  # fmt: skip
def test_any_pcap_has_the_records_of_the_reader(
    path: Path, order: str, magic: int, link: int, told: list[tuple[bytes, int]], cut: int, same: int,
    minor: int,
) -> None:  # fmt: skip
    data = struct.pack(f"{order}IHHiIII", magic, 2, minor, 0, 0, 65535, link)
    for payload, number in [*told, *[(b"sixteen bytes  .", 7)] * same]:
        lengths = [len(payload), number % 50]
        if minor == 3 and number % 2:
            lengths = [max(lengths), len(payload)]
        data += struct.pack(f"{order}4I", number, number, *lengths) + payload
    with small_steps():
        check(path, data[: len(data) - cut])


@pytest.mark.parametrize("order", "<>")
def test_what_looks_like_a_frame_across_other_blocks_is_none(path: Path, order: str) -> None:
    interface = option_block(order, 1, struct.pack(f"{order}HHI", ETHERNET, 0, 0))
    mark = struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1)
    # Its first length is in one block, its last in the next, behind whose beginning no frame begins.
    false_head, false_tail = struct.pack(f"{order}3I", 6, 44, 0), struct.pack(f"{order}I", 44)
    unknown = option_block(order, 0xBAD, bytes(12) + false_head)
    statistics = option_block(order, 5, struct.pack(f"{order}III", 0, 0, 0) + bytes(4) + false_tail + bytes(8))
    data = option_block(order, 0x0A0D0D0A, mark) + interface + unknown + statistics
    assert data.find(false_tail, data.find(false_head) + 8) == data.find(false_head) + 40
    check(path, data)


def test_a_frame_of_can_xl_is_told_from_one_of_the_same_size_that_is_padded(path: Path) -> None:
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, SOCKETCAN)
    for flags in (0, 0x80, 0, 0x81):
        data += struct.pack("<4I", 1, 1, 12, 12) + struct.pack(">IBBH", 5, flags, 0, 4) + b"abcd"
    check(path, data)


def test_a_log_of_candump_is_walked_line_by_line(path: Path) -> None:
    data = b"(1436509052.249713) vcan0 123#DEADBEEF\n(1436509053.5) x\n"
    check(path, data)
    check(path, data[:39] * 5000)


def test_rows_of_many_interfaces_of_one_kind_are_looked_at_together(path: Path) -> None:
    """A pass for each took minutes for a file with thousands of them."""
    data = pcapng.section("x", "y") + b"".join(pcapng.interface(ETHERNET, f"eth{each}") for each in range(300))
    data += pcapng.interface(147) + b"".join(pcapng.packet(each, 5, (bytes(20),), 20, False) for each in range(301))
    check(path, data)
    index = Index(path, 0)
    for _ in index.steps():
        pass
    with patch.object(Hashing, "of", autospec=True, side_effect=Hashing.of) as hashed:
        found = Origins(index)
        for _ in found.steps():
            pass
    assert hashed.call_count == 2
    assert len({each.peer for each in found.known}) == 301
    index.close()


A_TAG = st.one_of(
    st.tuples(st.just(12), st.sampled_from((b"tcp", b"udp\0", b"data\0\0\0\0"))),
    st.tuples(st.sampled_from((20, 21)), st.sampled_from((bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), b"x"))),
    st.tuples(st.sampled_from((25, 26)), st.sampled_from((bytes([0, 0, 0, 80]), bytes([0, 0, 1, 80])))),
)
TAGS = st.lists(A_TAG, max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@example(
    kinds=[[(12, b"udp\0")], *([(12, b"udp\0"), (20, bytes([10, 0, 0, each]))] for each in (1, 2))], which=[0, 1, 2]
)
@given(kinds=st.lists(TAGS, min_size=1, max_size=4), which=st.lists(st.integers(0, 3), min_size=1, max_size=40))
def test_rows_are_told_apart_by_tags_of_any_kinds_and_sizes(
    path: Path, kinds: list[list[tuple[int, bytes]]], which: list[int]
) -> None:
    """As many alike as a protocol's are, then some that are not; of lengths as well that no writer gives them."""
    heads = [b"".join(struct.pack(">HH", *(kind, len(tag))) + tag for kind, tag in each) + bytes(4) for each in kinds]
    data = pcapng.section("x", "y") + pcapng.interface(EXPORTED_PDU, "inet/udp")
    for number in which:
        head = heads[number % len(heads)]
        data += pcapng.packet(0, 5, (head, b"payload"), len(head) + 7, False)
    with patch.object(origins, "ROWS", 8):
        check(path, data)


def test_a_row_is_28_bytes(path: Path) -> None:
    payload = bytes(32)
    data = pcapng.section("x", "y") + pcapng.interface(ETHERNET)
    data += b"".join(pcapng.packet(0, each, (payload,), 32, False) for each in range(3000))
    path.write_bytes(data)
    index = Index(path, 0)
    log = CapturedLog(index, lambda number, record: Opened().frame(record, number))
    for _ in log.steps():
        pass
    columns = [getattr(index.columns, each) for each in index.columns.NAMES]
    assert sum(each.itemsize * len(each) for each in columns) == 28 * 3000
    assert log.received == 3000
    assert (log.first, log.end, len(log)) == (1, 3001, 3000)
    index.close()


def test_the_rows_of_a_file_that_is_cut_off_meanwhile_say_so(path: Path) -> None:
    data = pcapng.section("x", "y") + pcapng.interface(ETHERNET)
    data += b"".join(pcapng.packet(0, each, (bytes(32),), 32, False) for each in range(3000))
    path.write_bytes(data)
    opened = Opened()
    log = CapturedLog(Index(path, 0), lambda number, record: opened.frame(record, number))
    for _ in log.steps():
        pass
    assert log.frame(3000).payload == bytes(32)
    with path.open("r+b") as file:
        file.truncate(len(data) // 2)
    changed = log.frame(3000)
    assert changed.event == "error"
    assert "changed since it was opened" in changed.meta["text"]
    assert log.frame(1).payload == bytes(32)
    log.close()


def test_a_file_that_is_cut_off_while_it_is_indexed_is_an_error_not_a_signal(path: Path) -> None:
    data = pcapng.section("x", "y") + pcapng.interface(ETHERNET)
    data += b"".join(pcapng.packet(0, each, (bytes(1000),), 1000, False) for each in range(3000))
    path.write_bytes(data)
    with patch.object(index_pcapng, "WINDOW", 4096):
        index = Index(path, 0)
        steps = index.steps()
        next(steps)
        with path.open("r+b") as file:
            file.truncate(100)
        for _ in steps:
            pass
    assert index.error is not None
    assert "cut off" in index.error.reason
    index.close()


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.write_bytes(b"")])
def test_what_is_no_file_or_empty_is_refused(path: Path, make: Callable[[Path], object]) -> None:
    make(path)
    with pytest.raises((OSError, CaptureError)):
        Index(path)


@same_as_read
@given(files(), st.lists(st.integers(0, 4000), max_size=6), st.booleans(), st.sampled_from((0, 300, 1 << 60)))
def test_a_file_that_grows_has_the_records_of_the_reader(
    path: Path, data: bytes, sizes: list[int], later: bool, vectorised_from: int
) -> None:
    """Whatever of it there is whenever it is looked at."""
    wanted, drops, error = read(data)
    if error is not None and error[1] == 0:
        return
    # Of a file that was not begun nothing can be shown, unless it is a pipe's.
    least = 0 if later else 28
    sizes = sorted({min(max(each, least), len(data)) for each in sizes} | {len(data)})
    path.write_bytes(data[: sizes[0]])
    with small_steps():
        index = Index(path, vectorised_from, later=later)
        try:
            for size in sizes:
                path.write_bytes(data[:size])
                index.grow(final=size == len(data))
                for _ in index.steps():
                    pass
                part, _, _ = read(data[:size])
                assert [index.record(row) for row in range(index.count)] == (part if index.kind else [])
            told = index.error
            assert (None if told is None else (type(told), told.offset, told.reason)) == error
            assert index.drops == drops
            if index.vectorised and error is None:
                check_origins(index, wanted)
        finally:
            index.close()


@pytest.mark.parametrize("kind", ["pcap", "candump", "candump with comments"])
@pytest.mark.parametrize("vectorised_from", [0, 1 << 60])
def test_other_files_that_grow(path: Path, kind: str, vectorised_from: int) -> None:
    if kind.startswith("candump"):
        data = b"\xef\xbb\xbf\r\n  # of a car, a line that is longer than a header\n\n" * (
            kind != "candump"
        ) + b"".join(
            b"(%d.%06d) vcan%d 123#%02X\n" % (each, each, each % 3, each)
            + b"DROPCOUNT: dropped 1 CAN frame on 'vcan%d' socket (total drops %d)\n"
            % (each % 3, each)
            * (each % 4 == 1)
            + b"\n# a comment\n" * (kind != "candump" and each % 5 == 4)
            for each in range(40)
        )
    else:
        data = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1)
        data += b"".join(struct.pack("<4I", each, each, each % 5, 99) + bytes(each % 5) for each in range(40))
    wanted, drops, _ = read(data)
    path.write_bytes(b"")
    with small_steps():
        index = Index(path, vectorised_from, later=True)
        for size in range(len(data) + 1):
            path.write_bytes(data[:size])
            index.grow(final=size == len(data))
            for _ in index.steps():
                pass
        assert [index.record(row) for row in range(index.count)] == wanted
        assert (index.error, index.drops) == (None, drops)
        index.close()


@pytest.mark.parametrize("kind", ["pcapng", "pcap", "candump"])
def test_a_frame_is_there_as_soon_as_it_is_whole(path: Path, kind: str) -> None:
    """However little has come through the pipe, and whatever is in it."""
    start, frame = {
        "pcapng": (pcapng.section("x", "") + pcapng.interface(ETHERNET), pcapng.packet(0, 5, (b"y" * 60,), 60, None)),
        "pcap": (struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1), struct.pack("<4I60s", 1, 1, 60, 60, b"y")),
        "candump": (b"", b"(1.000000) can0 123#0011223344\n"),
    }[kind]
    path.write_bytes(b"")
    index = Index(path, later=True)
    for count in range(3):
        path.write_bytes(start + frame * count)
        index.grow()
        for _ in index.steps():
            pass
        assert index.count == count
    index.close()


def test_a_last_line_that_was_a_frame_without_its_end_tells_anew_what_it_is(path: Path) -> None:
    whole = b"(1.000000) can0 123#0011\n"
    path.write_bytes(whole + b"(2.000000) can0 456#00")
    log = CapturedLog(Index(path), lambda number, record: Opened().frame(record, number))

    def grow(data: bytes, *, final: bool = False) -> list[Record]:
        with path.open("ab") as file:
            file.write(data)
        log.grow(final=final)
        for _ in log.steps():
            pass
        return [log.index.record(row) for row in range(len(log))]

    for _ in log.steps():
        pass
    assert len(log) == 1, "more may come"
    assert isinstance(log.index.error, Torn)
    first, second = grow(b"", final=True)
    assert (first.comments, len(second.comments)) == ((), 1)
    assert log.index.error is None
    for more, rows in ((b"112", 1), (b"2\n", 2), (b"(3.000000) can0 7FF#", 2), (b"\n", 3)):
        assert len(grow(more)) == log.received == rows
    found, _, error = read(path.read_bytes())
    assert error is None
    assert grow(b"") == found
    assert not any(each.comments for each in found)
    log.close()


def test_an_index_that_was_kept_grows_on(path: Path, tmp_path: Path) -> None:
    """Its columns were mapped; the interfaces of the section it was in are those of further frames."""
    packets = [pcapng.packet(each % 2, each, (bytes(each),), each, None, dropped=each) for each in range(30)]
    start = pcapng.section("x", "y") + pcapng.interface(ETHERNET) + pcapng.interface(SLL)
    path.write_bytes(start + b"".join(packets[:20]))
    with patch.object(sidecar, "FEWEST_ROWS", 1):
        log = CapturedLog(Index(path, 0), lambda number, record: Opened().frame(record, number))
        for _ in log.steps():
            pass
        assert sidecar.keep(log, tmp_path / "indexes")
        log.close()
        loaded = sidecar.load(path, tmp_path / "indexes")
    assert loaded is not None
    with path.open("ab") as file:
        file.write(b"".join(packets[20:]) + pcapng.statistics(1, 5, 30, 7))
    # As a large file, such as are worth an index.
    with patch.object(loaded.index, "_vectorised_from", 0):
        assert loaded.index.grow()
    for _ in loaded.index.steps():
        pass
    wanted, drops, _ = read(path.read_bytes())
    assert [loaded.index.record(row) for row in range(loaded.index.count)] == wanted
    assert [each & 3 for each in loaded.index.columns.source] == [each.outgoing is False for each in wanted]
    assert any(each.outgoing is False for each in wanted[20:]), "a header tells it, nothing beside it"
    assert loaded.index.drops == drops
    loaded.index.close()
