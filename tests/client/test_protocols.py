"""The field ``protocol`` of filters is what the column shows: live, in a large file and in a small one."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from pathlib import Path
from unittest.mock import patch

import pytest
from filtered import found, indexed, saved
from rich.style import Style
from support import Desk, rows, udp, wait

from sockexplorer.capture import origins, pcapng
from sockexplorer.capture.link_types import ETHERNET, EXPORTED_PDU, NETLINK, SLL2, SOCKETCAN, Origin, wrap
from sockexplorer.client.finding import filter_of
from sockexplorer.client.protocols import protocol_name, protocol_names
from sockexplorer.client.session import Session
from sockexplorer.ui.columns import Look, row_cells

LARGE, SMALL = 0, 2**40
BOTH = pytest.mark.parametrize("vectorised_from", [LARGE, SMALL], ids=["a large file", "a small file"])


def check(session: Session) -> dict[str, list[int]]:
    """Compare filters with the column; the rows by the name that is in it."""
    shown: dict[str, list[int]] = {}
    frames = rows(session)
    for frame in frames:
        cells = row_cells(frame, session, 120, Look(columns=("protocol",)), 0, lambda kind: Style())
        cell = "".join(text for text, _ in cells)
        name = "" if frame.event else protocol_name(session, frame)
        assert cell.rstrip() == name[:8]
        if not frame.event:
            shown.setdefault(name, []).append(frame.number)

    def of(names: Iterable[str]) -> list[int]:
        return sorted(number for name in names for number in shown.get(name, ()))

    every = of(shown)
    for name, numbers in shown.items():
        for field in ("protocol", "proto"):
            assert found(session, f'{field}=="{name}"') == numbers
            assert found(session, f'{field}!="{name}"') == [each for each in every if each not in numbers]
    assert found(session, 'protocol~"P"') == of(name for name in shown if "p" in name)
    assert found(session, "protocol~/^(udp|ipv.)$/") == of(("udp", "ipv4", "ipv6"))
    assert found(session, "protocol==nothing") == []
    assert found(session, "not protocol==nothing") == [each.number for each in frames]
    return shown


def test_an_event_has_no_protocol(process_desk: Desk) -> None:
    session = process_desk.open("inet/tcp", "listen", local=("127.0.0.1", 0))
    with socket.create_connection(session.local) as peer:  # type: ignore[arg-type]
        peer.sendall(b"x")
        process_desk.incoming(session, 1)
    process_desk.event(session, "closed")
    [numbers] = check(session).values()
    assert len(numbers) < len(rows(session)), "there are events"
    assert protocol_names(session) == ["tcp"]


@BOTH
def test_frames_of_a_link_have_their_ethertype(lab: Desk, tmp_path: Path, vectorised_from: int) -> None:
    session = lab.open("packet/raw", local=("lo", 3))
    for number in (0x0806, 0x0800, 0x88B5, 0x0806):
        lab.send(session, bytes(12) + struct.pack(">H", number) + bytes(46))
    lab.incoming(session, 4)
    shown = check(session)
    assert [len(shown[each]) for each in ("arp", "ipv4", "0x88b5")] == [2, 1, 1]
    assert {"arp", "ipv4"} <= set(protocol_names(session))
    again = saved(session, tmp_path / "saved.pcapng", vectorised_from)
    try:
        # The file has the header of what was sent as well, and so does a row of it.
        assert [len(each) for each in check(again).values()] == [4, 2, 2]
    finally:
        again.release()
        again.log.close()


@BOTH
def test_a_file_of_several_interfaces_has_names_of_each(tmp_path: Path, vectorised_from: int) -> None:
    data = pcapng.section("sockexplorer 1", "Linux")
    for link, name in (
        (ETHERNET, "packet/raw"), (EXPORTED_PDU, "inet/udp"), (NETLINK, "netlink/kobject-uevent"),
        (SOCKETCAN, "can/raw"), (147, ""), (SLL2, ""), (148, ""),
    ):  # fmt: skip
        data += pcapng.interface(link, name, "lo")
    ahead = wrap(Origin("inet/udp", 17, ("127.0.0.1", 1)), ("127.0.0.1", 53), b"", outgoing=False)[1]
    can = struct.pack(">IB3x8s", 0x123, 8, b"a" * 8)
    of = [
        (0, bytes(12) + b"\x08\x06" + bytes(46)), (1, ahead + b"query"), (2, bytes(16) + b"libudev\0"), (3, can),
        (4, b"x"), (5, b"\x86\xdd" + bytes(18) + b"x"), (6, b"x"), (3, can[:6]), (0, b"short"),
    ]  # fmt: skip
    for number in range(3 * len(of)):
        which, payload = of[number % len(of)]
        data += pcapng.packet(which, number, (payload,), len(payload), None)
    (path := tmp_path / "several.pcapng").write_bytes(data)
    session = indexed(path, vectorised_from)
    try:
        assert {name: len(numbers) for name, numbers in check(session).items()} == {
            "arp": 3, "udp": 3, "kobject-uevent": 3, "raw": 6, "link type 147": 3, "ipv6": 3, "link type 148": 3,
            "link type 227": 3,
        }  # fmt: skip
        assert {"arp", "kobject-uevent", "raw", "udp", "link type 147"} <= set(protocol_names(session))
    finally:
        session.release()
        session.log.close()


@BOTH
def test_a_log_of_candump(tmp_path: Path, vectorised_from: int) -> None:
    (path := tmp_path / "bus.log").write_text("(1.000000) can0 123#00\n(2.000000) can1 18FEF100#00\n")
    session = indexed(path, vectorised_from)
    try:
        assert check(session) == {"raw": [1, 2]}
    finally:
        session.release()
        session.log.close()


def test_datagrams_of_a_session(process_desk: Desk) -> None:
    session = process_desk.open("inet/udp", local=("127.0.0.1", 0))
    with udp() as peer:
        for _ in range(3):
            peer.sendto(b"x", session.local)  # type: ignore[arg-type]
        process_desk.incoming(session, 3)
    assert check(session) == {"udp": [1, 2, 3]}


def a_link(*ethertypes: int) -> bytes:
    """Frames of Ethernet, as packets of the file's first interface."""
    frames = [bytes(12) + struct.pack(">H", each) + bytes(46) for each in ethertypes]
    return b"".join(pcapng.packet(0, 1, (each,), len(each), None) for each in frames)


def test_frames_of_more_origins_than_have_a_number(tmp_path: Path) -> None:
    data = pcapng.section("x", "y") + pcapng.interface(ETHERNET, "lo") + a_link(0x0806, 0x0800, 0x86DD, 0x88B5, 0x0806)
    (path := tmp_path / "link.pcapng").write_bytes(data)
    with patch.object(origins, "MOST_ORIGINS", 1):
        session = indexed(path, LARGE)
    try:
        assert 0 in session.captured.index.columns.origin
        assert check(session) == {"arp": [1, 5], "ipv4": [2], "ipv6": [3], "0x88b5": [4]}
    finally:
        session.release()
        session.log.close()


def test_a_file_that_grows_while_it_is_filtered(tmp_path: Path) -> None:
    data = pcapng.section("x", "y") + pcapng.interface(ETHERNET, "lo") + a_link(0x0806, 0x0800)
    (path := tmp_path / "link.pcapng").write_bytes(data)
    session = indexed(path, LARGE)
    predicate = filter_of("protocol~ip", session)
    assert predicate is not None
    try:
        sift, rows_found = session.sift(predicate), []
        number = 1
        for more in (b"", a_link(0x86DD, 0x0806), a_link(0x0800)):
            with path.open("ab") as file:
                file.write(more)
            end = session.log.end + len(more) // len(a_link(0x0800))
            wait(
                lambda end=end: session.log.end == end and len(session.captured.index.columns.origin) == end - 1, "them"
            )
            number, matching = sift.go_on(number, end, float("inf"))
            rows_found += matching
        assert rows_found == [2, 3, 5]
    finally:
        session.release()
        session.log.close()
