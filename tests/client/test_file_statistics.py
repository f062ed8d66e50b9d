"""Statistics of a large capture file, by its columns, are those that are counted frame by frame."""

from __future__ import annotations

import struct
from pathlib import Path
from unittest.mock import patch

import pytest
from filtered import found as found_rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live_rows import LINES
from support import wait

from sockexplorer.capture import file_statistics, pcapng
from sockexplorer.capture.file_statistics import ColumnStatistics
from sockexplorer.capture.index import Index
from sockexplorer.capture.link_types import ETHERNET, NETLINK, SOCKETCAN, Origin, wrap
from sockexplorer.capture.log import Frame
from sockexplorer.capture.statistics import MORE, Statistics, Tally
from sockexplorer.client.file_session import FileSession
from sockexplorer.core.canframes import BCM_HEAD, EFF, ERR, RTR
from sockexplorer.ui.kinds import Kind, filter_of_kind, kind_of


def link_head(kind: int) -> bytes:
    """What stands ahead of a message of netlink in a capture (LINKTYPE_NETLINK)."""
    return struct.pack(">HH10xH", 4, kind, 0)


def bcm_of(opcode: int, can_id: int) -> bytes:
    """A message of BCM with a frame."""
    head = BCM_HEAD.pack(opcode, *bytes(len(BCM_HEAD.unpack(bytes(BCM_HEAD.size))) - 2), 1)
    return head + struct.pack("=IB3x8s", can_id, 8, b"payload!")


MESSAGE = struct.pack("=IHHII", 16, 18, 1, 0, 0)
LINKS = (SOCKETCAN, NETLINK, ETHERNET, 252, 252, 252)
NAMES = ("can/raw", "netlink/route", "packet/raw", "inet/udp", "can/bcm", "netlink/kobject-uevent")
IDS = st.sampled_from((0x123, 0x7FF, 0x18FEF100 | EFF, 0x18EAFF00 | EFF, 0x18EAFF01 | EFF, 5 | RTR, 4 | ERR))
can = st.builds(
    lambda number, length, flags, data: struct.pack(">IBBH", number, length, flags, 0) + data,
    IDS, st.sampled_from((0, 8, 0x80, 0x88)), st.sampled_from((0, 4)),
    st.sampled_from((b"", bytes(4), bytes(8), bytes(64))) | st.binary(max_size=12),
)  # fmt: skip
netlink = st.builds(
    lambda length, kind, data: struct.pack("=IHHII", length, kind, 1, 2, 3) + data,
    st.sampled_from((16, 20, 0, 15, 999)), st.sampled_from((2, 3, 16, 17, 18, 99)), st.binary(max_size=8),
)  # fmt: skip
uevent = st.builds(
    lambda action, path: f"libudev\0ACTION={action}\0DEVPATH=/{path}\0".encode(),
    st.sampled_from(("add", "remove", "change")), st.sampled_from("ab"),
) | st.sampled_from((b"add@/x\0ACTION=add\0DEVPATH=/x\0", b"remove@/x\0ACTION=remove\0DEVPATH=/x\0"))  # fmt: skip
bcm = st.builds(lambda opcode, number: bcm_of(opcode, number), st.integers(1, 12), IDS)
payloads = st.one_of(
    st.tuples(st.just(0), can | st.binary(max_size=20)),
    st.tuples(st.just(1), netlink.map(lambda data: link_head(824) + data) | st.binary(max_size=40)),
    st.tuples(st.just(2), st.binary(max_size=40)),
    st.tuples(st.just(3), st.binary(max_size=40)),
    st.tuples(st.just(4), bcm | st.binary(max_size=90)),
    st.tuples(st.just(5), uevent | st.binary(max_size=40)),
)


def recording(told: list[tuple[tuple[int, bytes], bool | None]]) -> bytes:
    data = pcapng.section("sockexplorer 1", "Linux")
    data += b"".join(pcapng.interface(link, name, "lo") for link, name in zip(LINKS, NAMES, strict=True))
    for number, ((which, payload), outgoing) in enumerate(told):
        head = b""
        if LINKS[which] == 252:
            peer = ("127.0.0.1", 53) if which == 3 else None
            head = wrap(Origin(NAMES[which], 0, None), peer, payload, outgoing=bool(outgoing))[1]
        data += pcapng.packet(which, number, (head, payload), len(head) + len(payload), outgoing)
    return data


def counted(statistics: Statistics) -> tuple[object, ...]:
    while statistics.behind:
        statistics.go_on(1)
    return statistics.total, statistics.peers, statistics.lengths, statistics.kinds


def check(path: Path, *, filters: bool = True) -> dict[str, Tally]:
    """Compare both, and what the filter for a kind finds; the kinds."""
    session = FileSession(1, path, keeps_index=False, vectorised_from=0)
    session.start()
    session.wait()
    try:
        kinds: dict[str, Kind] = {}

        def kind(frame: Frame) -> str:
            told = kind_of(frame, session)
            if told.field:
                kinds[str(told)] = told
            return str(told)

        by_columns = session.statistics(kind, str)
        assert isinstance(by_columns, ColumnStatistics)
        assert counted(by_columns) == counted(Statistics(session.log, kind))
        for name, tally in by_columns.kinds.items() if filters else ():
            text = filter_of_kind(name, kinds)
            assert len(found_rows(session, text)) == tally.frames, text
        return by_columns.kinds
    finally:
        session.release()
        session.log.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(st.lists(st.tuples(payloads, st.sampled_from((True, False, None))), min_size=1, max_size=30))
def test_counts_are_those_of_frames(tmp_path: Path, told: list[tuple[tuple[int, bytes], bool | None]]) -> None:
    path = tmp_path / "any.pcapng"
    path.write_bytes(recording(told))
    with patch.object(file_statistics, "DECODED_TOGETHER", 7):
        # A message of netlink in any bytes may have a second one behind it.
        check(path, filters=False)


@pytest.mark.parametrize(
    ("told", "kinds"),
    [
        # The same bytes, of which there are too few for a message in one.
        ([(1, link_head(824) + MESSAGE[:8]), (1, link_head(824) + MESSAGE)],
         {"route": 1, "route RTM_GETLINK": 1}),
        # The same bytes, which two protocols read otherwise.
        ([(0, MESSAGE), (1, link_head(824) + MESSAGE)], {"route RTM_GETLINK": 1}),
        # Of one size, and of one beginning.
        ([(5, b"libudev\0ACTION=remove\0"), (5, b"libudev\0ACTION=change\0"), (5, b"libudev\0ACTION=change\0")],
         {"kobject-uevent remove": 1, "kobject-uevent change": 2}),
        # What no field tells apart from others of its protocol.
        ([(0, b"short frame"), (0, struct.pack(">IBBH8s", 0x123, 8, 0, 0, b"")), (3, b"x"), (2, bytes(14))],
         {"raw SFF": 1, "0x0000": 1}),
        ([(4, bcm_of(5, 0x123)), (4, bcm_of(5, 0x18FEF100 | EFF)), (4, bcm_of(6, 0x123))], {}),
    ],
)  # fmt: skip
def test_what_looks_alike_is_told_apart(tmp_path: Path, told: list[tuple[int, bytes]], kinds: dict[str, int]) -> None:
    path = tmp_path / "any.pcapng"
    path.write_bytes(recording([(each, False) for each in told]))
    found = check(path)
    for name, frames in kinds.items():
        assert found.get(name, Tally()).frames == frames, found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(LINES)
def test_counts_of_a_log_of_candump_are_those_of_frames(tmp_path: Path, lines: list[str]) -> None:
    path = tmp_path / "any.log"
    path.write_text("(1.000000) can0 123#\n" + "".join(lines))
    with patch.object(file_statistics, "DECODED_TOGETHER", 7):
        check(path)


@pytest.mark.parametrize("order", "<>")
def test_a_bus_in_a_file_of_pcap(tmp_path: Path, order: str) -> None:
    data = struct.pack(f"{order}IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, SOCKETCAN)
    for number in range(300):
        can_id = (0x123, 0x18FEF100 | EFF | number % 2, 0x18FEF200 | EFF, 7 | RTR)[number % 4]
        data += struct.pack(f"{order}4I", number, 0, 16, 16) + struct.pack(">IBBH8s", can_id, 8, 0, 0, bytes(8))
    path = tmp_path / "bus.pcap"
    path.write_bytes(data)
    check(path)


def test_one_frame_is_read_of_all_that_are_alike(tmp_path: Path) -> None:
    path = tmp_path / "bus.pcapng"
    frame = struct.pack(">IBBH8s", 0x18FEF100 | EFF, 8, 0, 0, b"")
    path.write_bytes(recording([((0, frame[:8] + struct.pack(">Q", number)), False) for number in range(3000)]))
    session = FileSession(1, path, keeps_index=False, vectorised_from=0)
    session.start()
    session.wait()
    asked = []

    def kind(frame: object) -> str:
        asked.append(frame)
        return "of one kind"

    try:
        found = session.statistics(kind, lambda peer: "")
        with patch.object(file_statistics, "DECODED_TOGETHER", 500):
            counted(found)
        assert len(asked) == 1
        assert {name: tally.frames for name, tally in found.kinds.items()} == {"of one kind": 3000}
    finally:
        session.release()
        session.log.close()


@pytest.mark.parametrize("vectorised_from", [0, 20_000, 1 << 60], ids=["large", "becomes large", "small"])
def test_a_file_that_grows_is_counted_on(tmp_path: Path, vectorised_from: int) -> None:
    """Faster than its frames can be read one by one, when it is large, or has become so."""
    frame = struct.pack(">IBBH8s", 0x18FEF100 | EFF, 8, 0, 0, b"")
    data = recording([((0, frame), number % 3 == 0) for number in range(2000)])
    path = tmp_path / "grows.pcapng"
    path.write_bytes(data[:10_000])
    session = FileSession(1, path, keeps_index=False, vectorised_from=vectorised_from)
    session.start()
    session.wait()
    try:
        found = session.statistics(lambda frame: str(kind_of(frame, session)), str)
        assert found.go_on(1)
        assert not found.outgrown
        with path.open("ab") as file:
            file.write(data[10_000:])
        wait(lambda: session.log.end == 2001 and session.captured.ready, "all of the file")
        assert found.outgrown == (vectorised_from == 20_000)
        if found.outgrown:
            found = session.statistics(lambda frame: str(kind_of(frame, session)), str)
        assert isinstance(found, ColumnStatistics) == (vectorised_from < 1 << 60)
        assert counted(found) == counted(Statistics(session.log, lambda frame: str(kind_of(frame, session))))
    finally:
        session.release()
        session.log.close()


def test_a_large_log_of_candump_is_counted_by_kinds_too(tmp_path: Path) -> None:
    """As it is while it is being read, and as the same bus in a pcapng is; one line of all that are alike is read."""
    path = tmp_path / "bus.log"
    frames = ("123#{:02X}", "18FEF100#{:02X}", "007#R")
    path.write_text("".join(f"({n}.000000) can0 {frames[n % 3].format(n)}\n" for n in range(30)))
    session = FileSession(1, path, keeps_index=False, vectorised_from=0)
    session.start()
    session.wait()
    asked = []

    def kind(frame: Frame) -> str:
        asked.append(frame.number)
        return str(kind_of(frame, session))

    try:
        found = session.statistics(kind, str)
        counted(found)
        kinds = {name: tally.frames for name, tally in found.kinds.items()}
        assert kinds == {"raw SFF": 10, "raw PGN 65265 CCVS1 cruise control, vehicle speed": 10, "raw RTR": 10}
        assert sorted(asked) == [1, 2, 3]
    finally:
        session.release()
        session.log.close()


def senders(path: Path, count: int) -> None:
    """A file of Ethernet with two frames of each of so many senders, of IP, ARP and IPv6 in turn."""
    data = pcapng.section("x", "") + pcapng.interface(ETHERNET, "eth0")
    for number in range(2 * count):
        sender, kind = number % count, (0x0800, 0x0806, 0x86DD)[number % count % 3]
        frame = struct.pack(">6s6sH", b"\xff" * 6, b"\x02" + sender.to_bytes(5, "big"), kind) + bytes(46)
        data += pcapng.packet(0, number, (frame,), len(frame), None)
    path.write_bytes(data)


def test_who_sends_on_a_link_and_over_what_is_counted_without_reading_a_frame(tmp_path: Path) -> None:
    """A link may have a hundred thousand senders: what was told of them when the file was indexed is enough."""
    senders(path := tmp_path / "many.pcapng", 300)
    session = FileSession(1, path, keeps_index=False, vectorised_from=0)
    session.start()
    session.wait()
    try:
        found = session.statistics(lambda frame: str(kind_of(frame, session)), str)
        with patch.object(Index, "record", side_effect=AssertionError):
            counted(found)
        assert {name: tally.frames for name, tally in found.kinds.items()} == {"ipv4": 200, "arp": 200, "ipv6": 200}
        assert {tally.frames for tally in found.peers.values()} == {2}
        assert len(found.peers) == 300
    finally:
        session.release()
        session.log.close()


def test_further_peers_are_counted_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    senders(path := tmp_path / "many.pcapng", 30)
    monkeypatch.setattr(file_statistics, "MOST_KEYS", 10)
    monkeypatch.setattr(file_statistics, "ROWS_TOGETHER", 7)
    session = FileSession(1, path, keeps_index=False, vectorised_from=0)
    session.start()
    session.wait()
    try:
        found = session.statistics(lambda frame: str(kind_of(frame, session)), str)
        counted(found)
        others = found.peers.pop(MORE)
        assert [len(found.peers), *{tally.frames for tally in found.peers.values()}] == [10, 2]
        assert (others.frames, others.bytes) == (40, 40 * 60)
    finally:
        session.release()
        session.log.close()
