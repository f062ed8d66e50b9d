"""Finding rows: the filter's verdict and its offers, hiding or marking, and going from match to match."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from person import Person
from test_traffic_pane import with_frames
from textual import events

from sockexplorer.client.finding import filter_of
from sockexplorer.ui.widgets.filter_bar import EXAMPLES, FilterBar, FilterLine
from sockexplorer.ui.widgets.traffic_view import MATCH_GLYPH

People = Callable[..., Person]


async def test_the_line_is_judged_while_it_is_typed(people: People, size: tuple[int, int], peer: socket.socket) -> None:
    async with people(size) as person:
        await with_frames(person, peer, 12)
        line = person.main.query_one(FilterLine)
        await person.press("/", *"n>=4")
        await person.sees("✓ 9 of 12 rows")
        assert line.has_class("-right")
        await person.press("x")
        await person.sees("✗ '4x' is not a number")
        assert line.has_class("-wrong")
        assert not line.has_class("-right")
        line.value = "can.png==1"
        await person.sees("did you mean can.pgn?")
        line.value = "anc.IP_TLL<64"
        await person.sees("did you mean anc.IP_TTL?")
        line.value = "anc.IP_TT"
        await person.sees("✗ there is no field anc.ip_tt", "tab: anc.IP_TTL")
        line.value = "event=="
        await person.sees("✗ not understood at the end: a value belongs after event==", "tab: accepted")
        line.value = "nl.type==RTM_NEWLNK"
        await person.sees("✗ nl.type is never RTM_NEWLNK; did you mean RTM_NEWLINK?")
        line.value = "nl.type==RTM_NEWLINK"
        await person.sees("✓ 0 of 12 rows")
        line.value = "n>=4"
        await person.sees("✓ 9 of 12 rows")
        assert "9 rows pass" not in person.text("#status")
        await person.press("enter")
        await person.sees("9 rows pass")
        assert "Match" in person.offered()
        await person.press("/")
        await person.press("enter")
        await person.until(lambda: not person.main.query_one(FilterBar).note.display, "the note to go")


async def test_keys_that_need_a_filter_say_so(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 3)
        assert "Match" not in person.offered()
        assert all(each.title for each in person.app.get_system_commands(person.app.screen))
        for key in "nNh":
            person.app.clear_notifications()
            await person.press(key)
            await person.sees("There is no filter; / sets one.")
        await person.press("/", *"frame", "enter", "h")
        await person.until(lambda: person.main.traffic.view.rows.marks, "rows that are marked")


async def test_an_empty_filter_shows_what_may_be_asked_of_such_rows(people: People) -> None:
    async with people((80, 24)) as person:
        await person.open("inet/udp", "bind", local_port="0")
        await person.press("/")
        assert "nl.type" not in await person.sees("hex:de ad", 'peer~"127."  time>=14:05 ')
        await person.press("escape")
        await person.open("netlink/route", "bind")
        await person.press("/")
        await person.sees("nl.type==RTM_NEWLINK ")


@pytest.mark.parametrize("example", [each for line in EXAMPLES.values() for each in line.split("  ")])
def test_what_an_empty_filter_shows_is_a_filter(example: str) -> None:
    assert filter_of(example, None) is not None


async def test_where_nothing_is_found_it_is_told_what_there_is(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 3)
        name = ":".join(map(str, peer.getsockname()))
        line = person.main.query_one(FilterLine)
        await person.press("/", *"protocol==tcp")
        await person.sees("✓ 0 of 3 rows   protocol may be udp")
        line.value = "len>1 and can.pgn"
        await person.sees("✓ 0 of 3 rows   the text can.pgn; the field is asked for by can.pgn==…")
        line.value = "len>1 and peer~192."
        await person.sees(f"✓ 0 of 3 rows   peer may be {name}")
        line.value = "protocol==tcp and len>1"
        await person.sees("✓ 0 of 3 rows")
        await person.until(lambda: "udp" not in str(person.main.query_one(FilterBar).note.content), "no word of it")


async def test_all_lines_of_a_filter_are_pasted(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 12)
        await person.press("/")
        person.app.post_message(events.Paste("n==2\r\n  or n==3\nor /e 4/\n"))
        await person.sees("✓ 3 of 12 rows")
        assert person.main.query_one(FilterLine).value == "n==2   or n==3 or /e 4/"


async def test_counting_matches_lays_out_nothing(people: People, peer: socket.socket) -> None:
    """While somebody types beside a flood the count changes with every tick; the screen must not be laid out anew."""
    async with people((80, 24)) as person:
        await with_frames(person, peer, 30)
        await person.press("/", *"frame")
        await person.sees("✓ 30 of 30 rows")
        laid_out = 0
        layout = person.main._refresh_layout

        def counted(*arguments: object, **more: object) -> None:
            nonlocal laid_out
            laid_out += 1
            layout(*arguments, **more)  # type: ignore[arg-type]

        person.main._refresh_layout = counted  # type: ignore[method-assign]
        for number in range(30, 40):
            peer.sendto(b"frame %d" % number, person.session.local)
            await person.sees(f"✓ {number + 1} of {number + 1} rows")
        assert laid_out <= 2, "not once for each of ten changes"


async def test_names_and_values_are_completed(people: People, size: tuple[int, int], peer: socket.socket) -> None:
    async with people(size) as person:
        await with_frames(person, peer, 3)
        line = person.main.query_one(FilterLine)
        await person.press("/", *"can.p")
        await person.until(lambda: line._suggestion == "can.pgn", "the offer")
        await person.sees("tab: can.pgn  can.prio")
        await person.press("tab")
        assert line.value == "can.pgn"
        await person.sees("tab: can.prio  can.protocol")
        await person.press("tab")
        assert line.value == "can.prio", "of several it takes the next"
        await person.press("tab", "tab")
        assert line.value == "can.pgn"
        await person.press("tab", *"==3")
        await person.sees("✓ 0 of 3 rows")
        assert line.value == "can.prio==3"
        line.value = "peer==127"
        await person.until(lambda: line._suggestion.startswith("peer==127.0.0.1:"), "the peer's name")
        await person.press("tab")
        await person.sees("✓ 3 of 3 rows")
        line.value = "protocol!=u"
        await person.sees("tab: udp")
        await person.press("tab")
        await person.sees("✓ 0 of 3 rows")
        line.value = "eth.type==ip"
        await person.sees("tab: ipv4  ipv6")
        line.value = "peer==127.0.0.1"
        await person.press("end", "tab")
        await person.press("tab")
        assert not line.has_focus, "with nothing to take, tab goes on"


async def test_what_a_row_shows_is_found_as_it_is_shown(people: People, peer: socket.socket) -> None:
    """Whoever copies a piece of a row into the filter, escapes and all, finds the row."""
    async with people((80, 24)) as person:
        await with_frames(person, peer, 2)
        for payload in (b"GET / HTTP/1.1\r\nHost: example", b"\x1b[31mred\x1b[0m", b"\xde\xff\xbe"):
            peer.sendto(payload, person.session.local)
        await person.sees(r"GET / HTTP/1.1\r\nHost: example", r"\x1b[31mred\x1b[0m", r"\xde\xff\xbe")
        line = person.main.query_one(FilterLine)
        await person.press("/")
        for text in (r"HTTP/1.1\r\nhost:", r'"HTTP/1.1\r\nHost: ex"', r"\x1b[31m", r"\xde\xff"):
            line.value = text
            await person.sees("✓ 1 of 5 rows")


async def test_a_filter_that_marks_leaves_every_row_in_sight(
    people: People, size: tuple[int, int], peer: socket.socket
) -> None:
    async with people(size) as person:
        await with_frames(person, peer, 12)
        view = person.main.traffic.view
        await person.press("/", *"/frame [358]$/", "enter")
        await person.until(lambda: view.line_count() == 3)
        await person.press("h")
        await person.until(lambda: view.line_count() == 12)
        await person.until(lambda: view.rows.matches()[0] == 3)
        marked = [line for line in person.screen.splitlines() if MATCH_GLYPH in line and "frame" in line]
        assert marked[-1].split("frame ")[1][0] == "8"
        assert {line.split("frame ")[1][0] for line in marked} <= {"3", "5", "8"}
        await person.press("g", "n")
        assert view.number_at(view.cursor) == 4
        await person.press("n", "n", "n")
        assert view.number_at(view.cursor) == 9, "the last is the last"
        await person.press("N")
        assert view.number_at(view.cursor) == 6
        await person.press("h")
        assert view.line_count() == 3
        assert view.number_at(view.cursor) == 6, "the cursor stays on its row"
        await person.press("N")
        assert view.number_at(view.cursor) == 4


async def test_without_a_filter_there_is_nothing_to_hide(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 3)
        traffic = person.main.traffic
        assert traffic.check_action("hide", ()) is False
        await person.press("h", "n", "N")
        assert traffic.view.line_count() == 3


async def test_help_while_a_filter_is_typed_speaks_of_filters(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 1)
        await person.press("/", "f1")
        await person.sees("The filter", "can.pgn==61444", "a regular expression")
        await person.press("escape")
        assert person.main.query_one(FilterLine).has_focus


async def test_a_match_is_gone_to_once_the_filter_has_looked_there(
    people: People, peer: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A filter takes its time with millions of rows: nothing found yet does not mean that there is nothing."""
    async with people((80, 24)) as person:
        await with_frames(person, peer, 30)
        view = person.main.traffic.view
        for keys, begin, row in (("nn", "g", 21), ("N", "G", 29), ("nnN", "g", 3), ("nj", "g", 2)):
            await person.press("escape")
            await person.press(begin)
            before = view.number_at(view.cursor)
            with monkeypatch.context() as held:
                held.setattr(view, "_sift", lambda: None)
                await person.press("/", *"/frame 2/", "enter")
                if view.rows.hiding:
                    await person.press("h")
                await person.press(*keys)
                assert view.rows.behind == 30
                if "j" not in keys:
                    assert view.number_at(view.cursor) == before, "nothing is known yet"
                assert "No further row" not in person.screen
            await person.until(lambda: not view.rows.behind, "the filter")
            await person.settle()
            assert view.number_at(view.cursor) == row, keys
        await person.press("G", "n")
        await person.sees("No further row passes the filter.")


async def test_a_row_that_the_filter_has_not_come_to_is_gone_to_in_the_end(
    people: People, peer: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 30)
        view = person.main.traffic.view
        await person.press("/", *"/frame 3/", "enter", "g")
        with monkeypatch.context() as held:
            held.setattr(view, "_sift", lambda: None)
            for number in range(30, 36):
                peer.sendto(b"frame %d" % number, person.session.local)
            await person.until(lambda: view.rows.behind == 6, "rows that the filter has not come to")
            await person.press(":", *"34", "enter")
            assert "is hidden" not in person.screen
        await person.until(lambda: view.number_at(view.cursor) == 34, "the row")
        await person.press(":", *"10", "enter")
        await person.sees("Row 10 is hidden")
