"""Saving the traffic of one session or of all from the explorer."""

from __future__ import annotations

import json
import os
import re
import resource
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from person import Person
from test_traffic_pane import with_frames
from textual.widgets import Input

from sockexplorer.capture.reading import records
from sockexplorer.client.file_session import FileSession
from sockexplorer.client.files import open_file
from sockexplorer.client.formats import as_lines, with_ending
from sockexplorer.client.opened import Opened
from sockexplorer.ui.screens.save import SaveScreen
from sockexplorer.ui.widgets.bar import Bar

People = Callable[..., Person]


async def test_everything_is_in_one_file_and_no_file_is_replaced(people: People, tmp_path: Path) -> None:
    path, there = tmp_path / "all.pcapng", tmp_path / "there"
    there.write_text("precious")
    async with people((120, 40)) as person:
        await person.choose("unix/stream")
        person.main.address.focus_action()
        await person.settle()
        await person.press("m")
        await person.sees("2 ● unix/stream", "hello yourself", "accepted")
        said = [each.log.received + each.log.sent for each in person.hub.sessions.values()]
        await person.press("ctrl+s")
        # "accepted" and its like are rows, but nothing of them is saved.
        await person.sees("Save the traffic", f"{sum(said)} frames; for Wireshark", "sockexplorer open FILE")
        for name in (there, tmp_path / "no" / "such"):
            person.app.screen.query_one(Input).value = str(name)
            await person.press("enter")
            await person.sees("there is such a file" if name is there else "No such file")
        person.app.screen.query_one(Input).value = str(path)
        await person.press("enter")
        await person.sees(f"{sum(said)} frames in")
    assert there.read_text() == "precious"
    opened = Opened()
    with path.open("rb") as file:
        frames = [opened.frame(each) for each in records(file.read)]
    assert len(frames) == sum(said) > 2
    assert {each.meta["socket"] for each in frames} == {"unix/stream"}
    assert any(b"hello yourself" in each.payload for each in frames)
    assert {each.outgoing for each in frames} == {True, False}


async def test_only_the_session_in_sight(people: People, peer: socket.socket, tmp_path: Path) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 3)
        await with_frames(person, peer, 2)
        await person.press("ctrl+s")
        await person.sees("[ ] only this session: inet/udp 127.0.0.1", "5 frames; for Wireshark")
        person.app.screen.query_one(Input).value = str(tmp_path / "one.jsonl")
        await person.press("tab", "space")
        await person.sees("[x] only this session", "2 frames; ")
        person.app.screen.query_one(Input).focus()
        await person.press("enter")
        await person.until(lambda: person.app.screen is person.main, "it to be saved")
        await person.sees("2 frames in")
        await saved(person, tmp_path / "all.jsonl", "5 frames in")
    assert len((tmp_path / "one.jsonl").read_text().splitlines()) == 2
    assert len((tmp_path / "all.jsonl").read_text().splitlines()) == 5


async def test_a_tick_behind_the_end_saves_nothing_more(people: People, peer: socket.socket, tmp_path: Path) -> None:
    """Textual's timer goes on at once where the last tick took until the next, though it was stopped by that."""
    async with people((80, 24)) as person:
        await with_frames(person, peer, 3)
        await person.press("ctrl+s")
        await person.sees("Save the traffic")
        dialog = person.app.screen
        assert isinstance(dialog, SaveScreen)
        dialog.query_one(Input).value = str(tmp_path / "x.jsonl")
        await person.press("enter")
        await person.sees("3 frames in")
        dialog._go_on()
        await person.settle()
        assert person.app.screen is person.main
    assert len((tmp_path / "x.jsonl").read_text().splitlines()) == 3


async def test_a_person_may_change_their_mind(people: People) -> None:
    async with people((80, 24)) as person:
        await person.press("ctrl+s")
        await person.settle()
        assert "Save the traffic" not in person.screen
        await person.choose("inet/udp")
        person.main.address.focus_action()
        await person.settle()
        await person.press("m")
        await person.sees("2 ● inet/udp")
        await person.press("ctrl+s")
        await person.sees("Save the traffic")
        await person.press("escape")
        await person.until(lambda: person.app.screen is person.main, "the main screen")


async def saved(person: Person, name: object, told: str) -> None:
    """Save under a name, and see what comes of it."""
    await person.press("ctrl+s")
    await person.sees("Save the traffic")
    person.app.screen.query_one(Input).value = str(name)
    await person.press("enter")
    if told.endswith(" in"):
        await person.until(lambda: person.app.screen is person.main, "it to be saved")
    await person.sees(told)


@pytest.mark.parametrize("kind", ["jsonl", "text", "hexdump", "hex", "python", "c"])
async def test_what_is_saved_is_what_open_prints(
    people: People, peer: socket.socket, tmp_path: Path, kind: str
) -> None:
    capture, path = tmp_path / "a.pcapng", Path(with_ending(str(tmp_path / "a"), kind))
    async with people((80, 24)) as person:
        await with_frames(person, peer, 300)
        await saved(person, capture, "300 frames in")
        await saved(person, path, "300 frames in")
        rows = person.rows
    assert path.stat().st_mode & 0o777 == 0o600
    opened = Opened()
    with capture.open("rb") as file:
        frames = [opened.frame(each) for each in records(file.read)]
    # A row of the log is numbered from 0, a frame of a file from 1.
    lines = [as_lines(kind, opened, frame, row.number) for frame, row in zip(frames, rows, strict=True)]
    assert path.read_text() == "".join(lines)


async def test_the_ending_says_the_format_and_the_dialog_shows_it(
    people: People, size: tuple[int, int], peer: socket.socket, tmp_path: Path
) -> None:
    async with people(size) as person:
        await with_frames(person, peer, 1)
        await person.press("ctrl+s")
        await person.sees("pcapng  jsonl  text  hexdump  hex  python  c", "for Wireshark")
        line = person.app.screen.query_one(Input)
        line.value = "x.JSONL"
        await person.sees("a JSON object a line")
        line.value = "x.unheard"
        await person.sees("for Wireshark")
        line.value = str(tmp_path / "x.pcapng")
        await person.press("ctrl+t", "ctrl+t")
        assert line.value == str(tmp_path / "x.txt")
        await person.sees("a line for people")
        bar = person.app.screen.query_one(Bar)
        await person.click(bar, offset=(" pcapng  jsonl  text  hexdump ".index("hexdump"), 0))
        assert line.value == str(tmp_path / "x.hexdump")
        line.focus()
        await person.press("enter")
        await person.sees("1 frame in")
    assert "66 72 61 6d 65 20 30" in (tmp_path / "x.hexdump").read_text()


async def test_only_rows_that_pass_the_filter(people: People, peer: socket.socket, tmp_path: Path) -> None:
    async with people((120, 40)) as person:
        await with_frames(person, peer, 20)
        await person.press("/", *"n>=18", "enter")
        await person.until(lambda: person.main.traffic.view.line_count() == 3)
        await saved(person, tmp_path / "all.hex", "20 frames in")
        for ending in ("pcapng", "hex"):
            await person.press("ctrl+s")
            await person.sees("only rows that pass the filter: n>=18")
            person.app.screen.query_one(Input).value = str(tmp_path / f"some.{ending}")
            await person.press("tab", "space")
            await person.sees("[x] only rows")
            person.app.screen.query_one(Input).focus()
            await person.press("enter")
            await person.until(lambda: person.app.screen is person.main, "it to be saved")
            await person.sees("3 frames in")
    with (tmp_path / "some.pcapng").open("rb") as file:
        payloads = [each.payload for each in map(Opened().frame, records(file.read))]
    assert payloads == [b"frame 17", b"frame 18", b"frame 19"]
    assert bytes.fromhex((tmp_path / "some.hex").read_text()) == b"frame 17frame 18frame 19"


async def test_a_file_is_replaced_when_that_is_asked_for(people: People, peer: socket.socket, tmp_path: Path) -> None:
    there, other = tmp_path / "there.hex", tmp_path / "other.hex"
    there.write_text("precious")
    other.write_text("precious too")
    async with people((80, 24)) as person:
        await with_frames(person, peer, 1)
        await saved(person, there, "there is such a file; ctrl+o replaces it")
        assert "Replace the file" in person.offered()
        # What was allowed for one name is not for another.
        person.app.screen.query_one(Input).value = str(other)
        await person.settle()
        assert "Replace the file" not in person.offered()
        await person.press("ctrl+o")
        assert (there.read_text(), other.read_text()) == ("precious", "precious too")
        person.app.screen.query_one(Input).value = str(there)
        await person.press("enter", "enter")
        await person.sees("there is such a file")
        assert there.read_text() == "precious", "enter asks, however often"
        await person.press("ctrl+o")
        await person.sees("1 frame in")
    assert there.read_text() == f"{b'frame 0'.hex()}\n"
    assert other.read_text() == "precious too"


async def test_a_capture_is_not_saved_onto_itself(people: People, peer: socket.socket, tmp_path: Path) -> None:
    path, link = tmp_path / "shown.pcapng", tmp_path / "link.pcapng"
    link.symlink_to(path)
    async with people((80, 24)) as person:
        await with_frames(person, peer, 2)
        await saved(person, path, "2 frames in")
        before = path.read_bytes()
        session = open_file(person.hub, path)
        assert isinstance(session, FileSession)
        person.main.show_session(session)
        await saved(person, link, "it is the file that is shown as shown.pcapng")
        await person.press("ctrl+o")
        await person.sees("it is the file that is shown as shown.pcapng")
    assert path.read_bytes() == before


async def test_a_pipe_without_a_reader_keeps_nobody_waiting(
    people: People, peer: socket.socket, tmp_path: Path
) -> None:
    os.mkfifo(path := tmp_path / "pipe")
    async with people((80, 24)) as person:
        await with_frames(person, peer, 1)
        await saved(person, path, "it is a pipe; to write to one: sockexplorer watch --write FILE")


@pytest.mark.parametrize("ending", ["pcapng", "jsonl"])
async def test_a_full_disk_is_told_and_leaves_whole_frames(
    people: People, peer: socket.socket, tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"full.{ending}"
    async with people((80, 24)) as person:
        await with_frames(person, peer, 600)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_001, limits[1]))
        try:
            await saved(person, path, "File too large; ")
            told = re.search(r"(\d+) frames are in it,", person.screen)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        await person.press("escape")
    assert 0 < path.stat().st_size <= 30_001
    if ending == "jsonl":
        numbers = [json.loads(line)["n"] for line in path.read_text().splitlines()]
        assert numbers == list(range(1, len(numbers) + 1))
    else:
        with path.open("rb") as file:
            numbers = [number for number, _ in enumerate(records(file.read))]
    assert 100 < len(numbers) < 600
    assert told is not None, "how much of it is there"
    assert int(told[1]) == len(numbers)


async def test_a_filter_that_takes_too_long_stops_it(people: People, peer: socket.socket, tmp_path: Path) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 1)
        await person.press("/", *"/(a|aa)+$/", "enter")
        await person.settle()
        assert person.main.traffic.expression == "/(a|aa)+$/"
        person.main.traffic.view.pause(True)
        peer.sendto(b"a" * 5000 + b"!", person.session.local)
        await person.until(lambda: person.session.log.received == 2)
        await person.press("ctrl+s", "tab", "space")
        person.app.screen.query_one(Input).value = str(tmp_path / "x.hex")
        person.app.screen.query_one(Input).focus()
        await person.press("enter")
        await person.sees("takes too long")
