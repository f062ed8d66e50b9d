"""A capture file in the explorer: rows, details, filters, conversations, statistics, saving, and what is wrong."""

from __future__ import annotations

import fcntl
import gzip
import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from person import Person
from textual.widgets import Input

from sockexplorer.capture import pcapng
from sockexplorer.capture.link_types import Origin, wrap
from sockexplorer.capture.piped import Piped
from sockexplorer.capture.places import row_of
from sockexplorer.capture.reading import records
from sockexplorer.client.client import Problem
from sockexplorer.client.file_session import NO_INDEX, FileSession
from sockexplorer.client.files import open_file
from sockexplorer.ui import collecting, slices
from sockexplorer.ui.facts import facts_of
from sockexplorer.ui.slices import BUSY_SECONDS, slice_seconds
from sockexplorer.ui.widgets.filter_bar import FilterLine

People = Callable[..., Person]
PUMP = Piped.pump
PEERS = [("127.0.0.1", 4000), ("192.0.2.7", 53)]


@pytest.fixture(autouse=True)
def no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NO_INDEX, "1")


def capture(path: Path, count: int) -> bytes:
    """A recording of a UDP socket with two peers, which take turns, a second apart; every third frame is sent."""
    origin = Origin("inet/udp", 17, ("10.0.0.1", 9999))
    data = pcapng.section("sockexplorer 1", "Linux") + pcapng.interface(252, "inet/udp", "")
    for number in range(1, count + 1):
        peer, outgoing = PEERS[number % 2], number % 3 == 0
        _, head, _ = wrap(origin, peer, b"", outgoing=outgoing)
        payload = f"message {number}".encode()
        moment = (1_700_000_000 + number) * 10**9
        data += pcapng.packet(0, moment, (head, payload), len(head) + len(payload), outgoing)
    path.write_bytes(data)
    return data


def slowly(made: Piped, seconds: float) -> bool:
    """As `Piped.pump` on a machine that takes its time: what is not whole in between is there to be seen."""
    time.sleep(0.1)
    return PUMP(made, seconds / 10)


async def finds(person: Person, wanted: dict[str, int], rows: int) -> None:
    """Type one filter after the other: how many of the rows pass."""
    view = person.main.traffic.view
    await person.press("slash")
    for expression, count in wanted.items():
        person.main.traffic.query_one("#filter", Input).value = expression
        found = count, rows
        await person.until(
            lambda found=found: not view.rows.behind and view.rows.matches() == found, (expression, count)
        )


async def opened(person: Person, path: Path, vectorised_from: int = 0) -> FileSession:
    """Have the explorer show a file that is treated as a large one."""
    session = FileSession(person.hub.next_number(), path, keeps_index=False, vectorised_from=vectorised_from)
    person.hub.sessions[session.number] = session
    session.start()
    person.main.show_session(session)
    await person.until(lambda: session.progress == 1, "the index")
    return session


async def test_ctrl_o_shows_a_file_and_says_what_is_none(people: People, size: tuple[int, int], tmp_path: Path) -> None:
    capture(path := tmp_path / "traffic.pcapng", 50)
    (none := tmp_path / "none.txt").write_text("what it is not")
    async with people(size) as person:
        await person.press("3", "ctrl+o")
        await person.sees("Open a capture file")
        for wrong, reason in (
            (none, "neither"),
            (tmp_path, "directory"),
            (tmp_path / "no", "such"),
        ):
            person.app.screen.query_one(Input).value = str(wrong)
            await person.press("enter")
            await person.sees(reason)
        line = person.app.screen.query_one(Input)
        line.value = str(tmp_path / "traf")
        await person.sees("also compressed by gzip")
        await person.until(lambda: line._suggestion == str(path), "what it may become")
        assert "Complete" in person.offered()
        await person.press("tab", "enter")
        await person.sees("1 ▤ traffic.pcapng", "50 frames", "message 1", "192.0.2.7:53")
        await person.press("G", "p", "w", "o", "d")
        await person.sees("message 50")
        assert person.app.focused is person.main.traffic.view, "there is no socket whose options could be changed"
        possible = {each.binding.id for each in person.app.screen.active_bindings.values() if each.enabled}
        assert not {"timeout", "option", "disconnect"} & possible, "nor does the help name the keys for them"
        assert {"show-details", "statistics", "bookmark"} <= possible
        assert not {"Pause", "Send", "Repair"} & person.offered(), "nothing of it comes or goes"
        assert "paused" not in person.screen
        await person.press("x")
        await person.sees("Nothing is open yet")


@pytest.mark.parametrize("vectorised_from", [0, 1 << 60])
async def test_filters_find_the_same_in_a_large_file_and_in_a_small_one(
    people: People, tmp_path: Path, vectorised_from: int
) -> None:
    capture(path := tmp_path / "traffic.pcapng", 600)
    wanted = {
        "dir==out": 200, "len==9": 9, "peer~192.": 300, "n>=590": 11, "time>=1700000599": 2, "hex:36 30 30": 1,
        "MESSAGE": 600, "peer==127.0.0.1:4000 and not dir==in": 100, "/e 60*$/": 3, "192.0": 300,
        "peer~192. and /e 5[0-9]$/": 5, "time>2030-01-01": 0, "event==reset": 0,
    }  # fmt: skip
    async with people((120, 40)) as person:
        await opened(person, path, vectorised_from)
        await finds(person, wanted, 600)


@pytest.mark.parametrize("vectorised_from", [0, 1 << 60])
async def test_a_compressed_file_is_shown_as_the_file_in_it(
    people: People, tmp_path: Path, vectorised_from: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = capture(tmp_path / "traffic.pcapng", 600)
    (packed := tmp_path / "traffic.pcapng.gz").write_bytes(gzip.compress(data))
    monkeypatch.setattr("sockexplorer.client.file_session.VECTORISED_BYTES", vectorised_from)
    async with people((120, 40)) as person:
        await person.press("3", "ctrl+o")
        await person.sees("also compressed by gzip")
        person.app.screen.query_one(Input).value = str(packed)
        await person.press("enter")
        await person.sees("traffic.pcapng.gz", "600 frames", "message 1 ")
        session = person.session
        assert isinstance(session, FileSession)
        await person.until(lambda: session.progress == 1, "all of it")
        assert not session.notice
        assert not session.live
        assert person.main.traffic.view.cursor == 0, "it is read from its beginning"
        await finds(person, {"dir==out": 200, "/e 60*$/": 3, "peer~192.": 300}, 600)
        await person.press("escape", "3", "x")
        await person.until(lambda: not person.hub.sessions, "it to be closed")


async def test_a_compressed_file_that_is_torn_or_damaged_shows_what_there_is(people: People, tmp_path: Path) -> None:
    # Its noise makes the compressed data long enough to be cut amid the frames.
    data = capture(tmp_path / "traffic.pcapng", 5)
    data += b"".join(pcapng.packet(0, each, (os.urandom(2000),), 2000, None) for each in range(60))
    whole = gzip.compress(data)
    (torn := tmp_path / "torn.gz").write_bytes(whole[:-60_000])
    (damaged := tmp_path / "damaged.gz").write_bytes(whole[:-7] + bytes([whole[-7] ^ 1]) + whole[-6:])
    (none := tmp_path / "none.gz").write_bytes(gzip.compress(b"no capture"))
    async with people((120, 40)) as person:
        session = open_file(person.hub, torn)
        assert isinstance(session, FileSession)
        person.main.show_session(session)
        await person.sees(f"it ends at byte {len(whole) - 60_000} of its gzip data, which are not whole", "message 1 ")
        assert 5 < len(session.log) < 65
        assert not session.torn, "there is nothing that could be cut"
        session = open_file(person.hub, damaged)
        assert isinstance(session, FileSession)
        person.main.show_session(session)
        await person.sees("it can't be unpacked on at byte", "incorrect data check", "65 frames")
        problem = open_file(person.hub, none)
        assert isinstance(problem, Problem)
        assert "none.gz: at byte 0: it begins with 6e 6f 20 63" in problem.message


async def test_what_is_unpacked_may_be_closed_before_it_ends(people: People, tmp_path: Path) -> None:
    block = pcapng.packet(0, 5, (bytes(2**20),), 2**20, None)
    head = gzip.compress(pcapng.section("x", "") + pcapng.interface(147))
    (path := tmp_path / "bomb.gz").write_bytes(head + gzip.compress(block * 16) * 64)
    async with people((80, 24)) as person:
        with patch.object(Piped, "pump", slowly):
            session = open_file(person.hub, path)
            assert isinstance(session, FileSession)
            person.main.show_session(session)
            await person.until(lambda: 0 < session.progress < 1 and len(session.log) > 0, "some of it")
            await person.sees("reading, ")
            assert not session.notice, "a record that is not unpacked yet is not torn"
            await person.press("3", "x")
            await person.until(lambda: not person.hub.sessions, "it to be closed")
    assert not [each.name for each in threading.enumerate() if "bomb.gz" in each.name]


async def test_what_went_out_of_a_link_has_a_sign_and_no_word(people: People, tmp_path: Path) -> None:
    data = pcapng.section("sockexplorer 1", "Linux") + pcapng.interface(1, "packet/raw", "lo")
    for number, outgoing in ((1, False), (2, True)):
        frame = bytes(12) + b"\x88\xb5" + b"some text %d" % number
        data += pcapng.packet(0, number * 10**9, (frame,), len(frame), outgoing)
    (path := tmp_path / "link.pcapng").write_bytes(data)
    async with people((80, 24)) as person:
        session = await opened(person, path)
        await person.sees("← lo 0x88b5", "→ lo 0x88b5", "some text 2")
        assert "outgoing" not in person.screen
        assert session.longest_name == len("lo 0x88b5"), "the column is as wide as what is in it"
        await person.press("/", *"peer~outgoing", "enter")
        await person.until(lambda: person.main.traffic.view.line_count() == 1, "the row that went out")
        frame = person.main.traffic.view.current()
        assert frame is not None
        assert "('lo', 34997, 4, 772, b" in next(each.value for each in facts_of(frame, session) if each.name == "peer")
        assert session.peer_name(frame.peer) == "lo 0x88b5 outgoing"


@pytest.mark.parametrize("vectorised_from", [0, 1 << 60])
async def test_a_filter_finds_what_the_rows_of_a_link_show(
    people: People, tmp_path: Path, vectorised_from: int
) -> None:
    data = pcapng.section("sockexplorer 1", "Linux") + pcapng.interface(1, "packet/raw", "eth0")
    for number in range(1, 91):
        udp = struct.pack(">HHHH", 5000 + number % 3, 53, 8 + 5, 0) + b"query"
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 7, 0, 64, 17, 0) + bytes((10, 0, 0, 1, 10, 0, 0, 2))
        arp = number % 9 == 1
        frame = b"\xff" * 6 + b"\2\0\0\0\0\x0a" + (b"\x08\x06" + bytes(28) if arp else b"\x08\0" + ip + udp)
        data += pcapng.packet(0, (1_700_000_000 + number) * 10**9, (frame,), len(frame), False)
    (path := tmp_path / "link.pcapng").write_bytes(data)
    wanted = {
        "10.0.0.2:53": 80, "udp": 80, '"UDP 10.0.0.1:"': 80, "arp": 10, "broadcast": 10, "query": 80,
        "protocol==ipv4": 80, "proto!=ipv4": 10, "protocol==udp": 0,
        "eth.type==arp": 10, "eth.type==0x800": 80, "eth.src==02:00:00:00:00:0a": 90, "/udp 10.0.0.1:5002 → /": 30,
        ":5002": 30, "10.0.0.3": 0,
    }  # fmt: skip
    async with people((120, 40)) as person:
        await opened(person, path, vectorised_from)
        await person.sees("udp 10.0.0.1:5002 → 10.0.0.2:53  query", "arp 02:00:00:00:00:0a → broadcast")
        await finds(person, wanted, 90)
        line = person.main.query_one(FilterLine)
        line.value = "protocol==i"
        await person.sees("tab: ipv4  ipv6")
        view = person.main.traffic.view
        await person.press("escape")
        await person.press("S", "tab", "tab")
        await person.sees("88.9%", "11.1%")
        await person.press("G", "enter")
        await person.until(lambda: person.app.screen is person.main and view.line_count() == 10, "the rows of ARP")
        assert line.value == "protocol==arp"


async def test_rows_are_looked_through_faster_while_nobody_types_and_nothing_comes(
    people: People, tmp_path: Path, peer: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture(path := tmp_path / "traffic.pcapng", 50)
    async with people((80, 24)) as person:
        file = open_file(person.hub, path)
        live = await person.open("inet/udp", "bind", local_port="0")
        view, collector = person.main.traffic.view, person.app.collector
        collector.pressed()
        assert slice_seconds(view, file) == slice_seconds(view, live) == BUSY_SECONDS
        collector._pressed -= collecting.REST_SECONDS
        assert slice_seconds(view, file) > BUSY_SECONDS
        monkeypatch.setattr(slices, "STILL_NS", 2**62)
        peer.sendto(b"x", live.local)  # type: ignore[arg-type]
        await person.until(lambda: live.log.received == 1, "a datagram")
        assert slice_seconds(view, live) == BUSY_SECONDS, "beside it traffic is taken in"
        monkeypatch.setattr(slices, "STILL_NS", -1)
        assert slice_seconds(view, live) > BUSY_SECONDS


async def test_details_bookmarks_and_copies(people: People, tmp_path: Path) -> None:
    capture(path := tmp_path / "traffic.pcapng", 60)
    async with people((120, 40)) as person:
        await opened(person, path)
        view = person.main.traffic.view
        view.move_to(29)
        await person.sees("message 30", "→ sent", "127.0.0.1")
        await person.press("m", "y")
        await person.sees("Copied row 30")
        assert view.bookmarks == {30}


async def test_a_conversation_and_statistics_of_a_large_file(people: People, tmp_path: Path) -> None:
    capture(path := tmp_path / "traffic.pcapng", 600)
    async with people((120, 40)) as person:
        await opened(person, path)
        await person.press("F")
        await person.sees("300 lines", "message 1", "message 3", "192.0.2.7:53")
        assert " message 2 " not in person.screen
        await person.press("escape")
        await person.until(lambda: person.app.screen is person.main, "the main screen")
        await person.press("S")
        await person.sees("600 frames", "50.0%", "192.0.2.7:53", "127.0.0.1:4000")
        await person.press("tab")
        await person.sees("8-15", "100.0%")
        await person.press("tab")
        await person.sees("udp", "100.0%")


async def test_a_torn_file_is_shown_and_what_can_be_done(people: People, size: tuple[int, int], tmp_path: Path) -> None:
    data = capture(path := tmp_path / "torn.pcapng", 20)
    path.write_bytes(data[:-7])
    async with people(size) as person:
        session = open_file(person.hub, path)
        assert isinstance(session, FileSession)
        person.main.show_session(session)
        await person.sees("message 1", "it ends within a record", "r cuts it there", "r Repair")
        assert len(session.captured) == 19
        await person.press("j", "r")
        await person.sees("Repair torn.pcapng", "leave the file as it is", f"cut off its last {session.torn} bytes")
        await person.press("enter")
        await person.until(lambda: person.app.screen is person.main, "the main screen")
        assert path.read_bytes() == data[:-7], "nothing is cut unless that is chosen"
        with path.open("rb") as writer:
            fcntl.flock(writer, fcntl.LOCK_SH)
            await person.press("r", "j", "enter")
            await person.sees("Not repaired", "another program is still")
        assert path.read_bytes() == data[:-7]
        await person.press("r", "j", "enter")
        await person.sees("Repaired")
        await person.until(lambda: "within a record" not in person.screen)
        assert person.session.state == "file"
        assert person.session.number == session.number
        assert len(person.session.log) == 19
        assert data.startswith(path.read_bytes())
        assert "Repair" not in person.offered()
        await person.press("G")
        await person.sees("message 19")
    with path.open("rb") as file:
        assert len(list(records(file.read))) == 19


async def test_what_a_file_holds_can_be_saved(people: People, tmp_path: Path) -> None:
    capture(path := tmp_path / "traffic.pcapng", 40)
    copy = tmp_path / "copy.pcapng"
    async with people((120, 40)) as person:
        await opened(person, path)
        await person.press("ctrl+s")
        await person.sees("Save the traffic")
        person.app.screen.query_one(Input).value = str(copy)
        await person.press("enter")
        await person.sees("40 frames in")
    with path.open("rb") as one, copy.open("rb") as other:
        assert list(records(other.read)) == list(records(one.read))


async def test_the_engine_may_die_beside_a_file(people: People, tmp_path: Path) -> None:
    capture(path := tmp_path / "traffic.pcapng", 10)
    async with people((120, 40)) as person:
        session = await opened(person, path)
        person.hub.client.give_up("it was ended by the test")
        await person.sees("Press R to start another")
        person.hub.restart()
        assert session.state == "file"
        await person.sees("message 7")


async def test_a_frame_that_was_captured_in_part_says_so(people: People, tmp_path: Path) -> None:
    head = bytes.fromhex("ffffffffffff 020000000001 0806")
    path = tmp_path / "snaplen.pcap"
    path.write_bytes(struct.pack("<IHHi7I", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1, 1, 2, 20, 60) + head + bytes(6))
    async with people((100, 30)) as person:
        await opened(person, path)
        await person.sees("⇠ ? ARP", "arp", "[cut]")
        await person.press("enter")
        await person.sees("60, 20 kept", "the file has only its beginning")


async def test_a_frame_without_a_time_and_one_with_others_lost_before_it(people: People, tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    data = pcapng.section("x", "") + pcapng.interface(147) + pcapng.simple(5, b"first")
    data += pcapng.packet(0, 1_700_000_000 * 10**9, (b"second",), 6, None, dropped=3)
    path.write_bytes(data + pcapng.packet(0, 1_700_000_002_500_000_000, (b"third",), 5, None) + pcapng.simple(1, b"x"))
    async with people((120, 40)) as person:
        session = await opened(person, path)
        await person.sees("first", "[3 dropped before] second")
        assert "1970" not in await person.sees("- ")
        first, second = (facts_of(session.log.frame(number), session) for number in (1, 2))
        assert [each.value for each in first if each.name == "time"] == ["none: the file has no time for it"]
        assert [each.value for each in second if each.name == "dropped before"] == ["3 frames"]
        assert "delta" not in [each.name for each in second]
        # Seconds count from the first row that has a time.
        view = person.main.traffic.view
        await person.until(lambda: view.began == 1_700_000_000 * 10**9, "the first time")
        for mode, shown in (("relative", ["-", "0.000000", "2.500000", "-"]), ("delta", ["-", "-", "2.500000", "-"])):
            view.set_look(replace(view.look, time=mode, columns=("time", "summary")))
            lines = ["".join(text for text, _ in view.line(index, 60)) for index in range(4)]
            assert [line.split()[0] for line in lines] == shown, mode
        assert person.main.traffic.says_row(1) == "row 1 of 4"
        with pytest.raises(ValueError, match="no time"):
            row_of("14:05", session.log, 1, view.began)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="no row is as late"):
            row_of("2100-01-01", session.log, 2, view.began)  # type: ignore[arg-type]
