"""How rows are shown: the ways to tell time, the columns, bookmarks."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from person import PATIENCE, Person
from test_traffic_pane import with_frames
from textual.widgets._toast import ToastHolder

from sockexplorer.ui.columns import COLUMNS, Look
from sockexplorer.ui.settings import Settings, load

People = Callable[..., Person]


def row(person: Person, index: int) -> str:
    """What a line of the view says."""
    view = person.main.traffic.view
    return "".join(text for text, _ in view.line(index, view.scrollable_content_region.width))


async def test_the_answer_to_a_key_takes_the_place_of_the_one_before(people: People, peer: socket.socket) -> None:
    """In a column they hide the rows that the keys are about; what went wrong stays in sight as long as ever."""
    async with people((80, 24)) as person:
        await with_frames(person, peer, 30)
        person.app.notify("something is wrong", severity="error", timeout=PATIENCE)
        for said in ("seconds since the first", "seconds since the row", "the time of day", "seconds since the first"):
            await person.press("T")
            screen = await person.sees(f"Time: {said}", "something is wrong")
            assert screen.count("Time: ") == 1
        await person.press("m", "'", "y")
        screen = await person.sees("Copied row 30", "something is wrong")
        assert "Time: " not in screen
        assert len(person.app.screen.query(ToastHolder)) == 2


async def test_each_column_to_choose_from_is_on_one_line(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 1)
        await person.press("c")
        await person.sees(*(f"[x] {name:<9}  {what}" for name, what in COLUMNS.items()))


async def test_time_is_told_in_three_ways(people: People, size: tuple[int, int], peer: socket.socket) -> None:
    async with people(size) as person:
        await with_frames(person, peer, 4)
        times = [each.time for each in person.rows]
        assert re.search(r"\d\d:\d\d:\d\d\.\d{3}", row(person, 3))
        await person.press("T")
        assert f" {(times[3] - times[0]) / 1e9:.6f} " in row(person, 3)
        assert " 0.000000 " in row(person, 0)
        await person.press("T")
        assert f" {(times[3] - times[2]) / 1e9:.6f} " in row(person, 3)
        await person.press("/", *"n==1 or n==4", "enter")
        await person.until(lambda: person.main.traffic.view.line_count() == 2)
        assert f" {(times[3] - times[0]) / 1e9:.6f} " in row(person, 1), "the row before in sight"
        await person.press("T")
        assert re.search(r"\d\d:\d\d:\d\d\.\d{3}", row(person, 1))


async def test_columns_are_chosen_and_kept(
    people: People, size: tuple[int, int], peer: socket.socket, tmp_path: Path
) -> None:
    file = tmp_path / "settings.toml"
    async with people(size, settings=load(file)) as person:
        await with_frames(person, peer, 2)
        assert ("udp" in row(person, 0)) is (size[0] >= 120), "the protocol stands where there is room"
        await person.press("c")
        await person.sees("Columns", "[x] number", "[x] summary")
        await person.press("space", "enter")
        await person.until(lambda: person.app.screen is person.main)
        assert not row(person, 0).lstrip().startswith("1 ")
        assert "udp" in row(person, 0), "what was chosen is shown in any width"
        await person.press("T")
        assert load(file).look == Look("relative", tuple(each for each in COLUMNS if each != "number"))
    async with people(size, settings=load(file)) as person:
        await with_frames(person, peer, 2)
        assert re.match(r" +0\.000000 ← ", row(person, 0))


async def test_columns_rest_when_the_scroll_bar_and_marks_come(people: People, peer: socket.socket) -> None:
    async with people((100, 30)) as person:
        await with_frames(person, peer, 2)
        before = row(person, 0)
        assert " udp " in before, "a terminal of 100 columns has room for the protocol"
        for number in range(2, 40):
            peer.sendto(b"frame %d" % number, person.session.local)
        view = person.main.traffic.view
        await person.until(lambda: view.line_count() == 40)
        await person.until(lambda: view.show_vertical_scrollbar, "the scroll bar")
        assert row(person, 0) == before
        await person.press("g", "m")
        assert row(person, 0).rstrip() == "◆" + before.rstrip()


async def test_every_choice_of_columns_fits(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 2)
        view = person.main.traffic.view
        for number in range(1, 2 ** len(COLUMNS)):
            names = tuple(each for at, each in enumerate(COLUMNS) if number >> at & 1)
            view.set_look(Look("delta", names))
            text = row(person, 1)
            assert ("frame 1" in text) is ("summary" in names)
            assert ("←" in text) is ("direction" in names)


@pytest.mark.parametrize(
    ("width", "columns"),
    [(100, "number time direction peer length protocol"), (80, "number time direction peer length"),
     (60, "number direction peer length"), (40, "number direction peer"), (30, "direction peer"), (20, "direction")],
)  # fmt: skip
async def test_a_narrow_row_leaves_columns_out_for_its_payload(
    people: People, peer: socket.socket, width: int, columns: str
) -> None:
    async with people((width, 24)) as person:
        await with_frames(person, peer, 1)
        name = ":".join(map(str, peer.getsockname()))
        signs = {"number": r" *1 ", "time": r"[\d:]{8}\.\d+ ", "direction": "← ", "peer": f"{name} *", "length": " +7 ",
                 "protocol": "udp +"}  # fmt: skip
        assert re.match("".join(signs[each] for each in columns.split()) + "frame 0", row(person, 0))


async def test_columns_that_were_chosen_are_shown_in_a_narrow_row(people: People, peer: socket.socket) -> None:
    async with people((40, 24)) as person:
        await with_frames(person, peer, 1)
        person.main.traffic.view.set_look(Look("relative", ("time", "length", "summary")))
        assert row(person, 0).split() == ["0.000000", "7", "frame", "0"]


async def test_bookmarks(people: People, size: tuple[int, int], peer: socket.socket) -> None:
    async with people(size) as person:
        await with_frames(person, peer, 10)
        view = person.main.traffic.view
        assert not view.bookmarks
        assert person.main.traffic.check_action("to_bookmark", (1,)), "the key says that there is none"
        await person.press("g", "m", "j", "j", "m", "G", "m")
        assert view.bookmarks == {1, 3, 10}
        await person.sees("◆")
        assert row(person, 2).startswith("◆")
        assert row(person, 3).startswith(" ")
        await person.press("'")
        assert view.number_at(view.cursor) == 1, "round the end"
        await person.press("'")
        assert view.number_at(view.cursor) == 3
        await person.press('"', '"')
        assert view.number_at(view.cursor) == 10
        await person.press("/", *"n<=5", "enter")
        await person.until(lambda: view.line_count() == 5)
        await person.press("G", "'")
        assert view.number_at(view.cursor) == 1, "what the filter hides is passed over"
        await person.press("m")
        assert view.bookmarks == {3, 10}


async def test_a_choice_that_can_not_be_kept_is_told(people: People, peer: socket.socket, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    async with people((80, 24), settings=Settings(file=tmp_path / "x")) as person:
        await with_frames(person, peer, 1)
        await person.press("T")
        await person.sees("x was left as it is")


async def test_what_an_event_says_has_the_room_of_what_it_lacks(people: People, size: tuple[int, int]) -> None:
    async with people(size) as person:
        session = await person.open("inet/tcp", "listen", local_port="0")
        with socket.create_connection(session.local) as peer:  # type: ignore[arg-type]
            name = "{}:{}".format(*peer.getsockname())
            await person.until(lambda: person.main.traffic.view.line_count() == 1, "who was accepted")
            assert re.search(rf"[.]\d+ [+] {name} +accepted", row(person, 0))
            assert not re.search(rf"{name} {{8,}}", row(person, 0)), "nothing stands for a length and a protocol"
            await person.press("o", *"SO_KEEPALIVE=1", "enter")
            await person.until(lambda: person.main.traffic.view.line_count() == 2, "the option")
            assert re.search(r"[.]\d+ ≔ SO_KEEPALIVE", row(person, 1)), "who has no peer begins in its column"
