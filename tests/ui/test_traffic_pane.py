"""The traffic pane: sessions, following, pausing, filtering, copying, and what its keys promise."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest
from person import Person
from textual.events import MouseScrollDown, MouseScrollUp, Paste
from textual.widgets import Input, Static

from sockexplorer.ui.settings import Settings
from sockexplorer.ui.widgets.details import Details

People = Callable[..., Person]


async def with_frames(person: Person, peer: socket.socket, count: int) -> None:
    """A bound UDP socket that has received ``count`` datagrams: ``frame 0`` and so on."""
    session = await person.open("inet/udp", "bind", local_port="0")
    for number in range(count):
        peer.sendto(b"frame %d" % number, session.local)  # type: ignore[arg-type]
        if not number % 50:
            await person.pilot.pause(0.005)
    await person.until(lambda: session.log.received == count, f"{count} frames")
    await person.until(lambda: person.main.traffic.view.line_count() == count, "the rows")
    await person.settle()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
async def test_what_is_pasted_into_the_composer_is_sent_once_with_its_lines(
    people: People, peer: socket.socket, end: str
) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 1)
        await person.press("s")
        payload = person.main.traffic.query_one("#composer-payload", Input)
        await person.until(lambda: payload.has_focus, "the composer")
        person.app.post_message(Paste(f"one{end}\ttwo{end}"))
        await person.until(lambda: payload.value != "", "what is pasted")
        await person.press("enter")
        assert await asyncio.to_thread(peer.recv, 100) == b"one\n\ttwo\n"


async def test_several_sessions_switch_close_and_close_again(people: People, peer: socket.socket) -> None:
    async with people((120, 40)) as person:
        sessions = [await person.open("inet/udp", "bind", local_port="0")]
        sessions.append(await person.open("inet/tcp", "listen", local_port="0"))
        sessions.append(await person.open("unix/dgram", "bind", local_path=""))
        await person.sees(" 1 ● inet/udp", " 2 ● inet/tcp", " 3 ● unix/dgram")
        assert person.session is sessions[2]
        await person.press("]")
        assert person.session is sessions[0], "] comes round"
        await person.press("[")
        assert person.session is sessions[2]
        await person.press("[")
        assert person.session is sessions[1]

        await person.press("x")
        await person.until(lambda: sessions[1].state == "closed")
        await person.sees("closed")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(sessions[1].local)  # type: ignore[arg-type]
        assert len(person.hub.sessions) == 3, "what was recorded stays to be read"
        await person.sees("x forgets it", "x Forget")
        await person.press("x")
        assert list(person.hub.sessions.values()) == [sessions[0], sessions[2]]

        # The others were not touched.
        await person.press("[" if person.session is sessions[2] else "]")
        for each in person.hub.sessions.values():
            person.main.show_session(each)
            await person.settle()
            if each is sessions[0]:
                peer.sendto(b"still here", each.local)  # type: ignore[arg-type]
                await person.sees("still here")
        while person.hub.sessions:
            shown = person.session
            state = shown.state
            await person.press("x")
            await person.until(
                lambda s=shown, t=state: s.state != t or s.number not in person.hub.sessions, "an effect"
            )
        await person.sees("Nothing is open yet", "ctrl+o opens a capture file")
        assert not {"Close", "Pause", "Filter", "Send", "Next"} & person.offered()
        await person.press(*"xspfyY/d][")


async def test_scrolling_up_stops_following_and_g_follows(
    people: People, size: tuple[int, int], peer: socket.socket
) -> None:
    async with people(size) as person:
        await with_frames(person, peer, 150)
        view = person.main.traffic.view
        assert view.following
        await person.sees("frame 149")
        await person.press("k", "k")
        assert not view.following
        await person.sees("not following")
        at, top = view.current(), view.scroll_offset.y
        for number in range(150, 200):
            peer.sendto(b"frame %d" % number, person.session.local)
        await person.until(lambda: view.line_count() == 200)
        assert view.current() == at, "the cursor stays on its row"
        assert view.scroll_offset.y == top, "nothing jumps"
        assert "frame 199" not in person.screen
        await person.press("G")
        await person.sees("frame 199")
        assert view.following
        await person.press("g")
        await person.sees("frame 0 ")
        assert not view.following
        await person.press("f")
        await person.sees("frame 199")


async def test_the_wheel_stops_following(people: People, peer: socket.socket) -> None:
    async with people((120, 40)) as person:
        await with_frames(person, peer, 150)
        view = person.main.traffic.view
        view.scroll_to(y=10, animate=False, immediate=True)
        await person.settle()
        assert not view.following
        top = view.scroll_offset.y
        peer.sendto(b"one more", person.session.local)
        await person.until(lambda: view.line_count() == 151)
        await person.settle()
        assert view.scroll_offset.y == top


async def test_the_wheel_follows_again_from_the_end(people: People, peer: socket.socket) -> None:
    async with people((120, 40)) as person:
        await with_frames(person, peer, 150)
        view = person.main.traffic.view
        wheel = {"widget": view, "x": 1, "y": 1, "delta_x": 0, "delta_y": 0, "button": 0, "shift": False, "meta": False,
                 "ctrl": False}  # fmt: skip
        for _ in range(3):
            view.post_message(MouseScrollUp(**wheel))
        await person.until(lambda: not view.following, "the wheel to leave the end")
        peer.sendto(b"one more", person.session.local)
        await person.until(lambda: view.line_count() == 151)
        view.post_message(MouseScrollDown(**wheel))
        await person.settle()
        assert not view.following, "it is not there yet"
        for _ in range(5):
            view.post_message(MouseScrollDown(**wheel))
        await person.until(lambda: view.following, "the wheel to be at the end")
        assert view.cursor == 150


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_what_opens_beside_the_rows_hides_neither_their_end_nor_the_cursor(
    people: People, size: tuple[int, int], peer: socket.socket
) -> None:
    async with people(size) as person:
        await with_frames(person, peer, 100)
        view = person.main.traffic.view
        await person.sees("frame 99")
        for opens, closes in (("s", "escape"), ("/", "escape"), ("o", "escape")):
            await person.press(opens)
            await person.until(lambda: view.screen.focused is not view, f"what {opens} opens")
            assert view.following
            await person.sees("frame 99")
            await person.press(closes)
            await person.sees("frame 99")
        for smaller in ((80, 15), size, (60, 20), (160, 50), (80, 24), size):
            await person.pilot.resize_terminal(*smaller)
            await person.settle()
            await person.sees("frame 99")
            assert view.following
        # Without following it is the row under the cursor that stays, at the lower edge as well.
        await person.press("g", *["j"] * (view.scrollable_content_region.height - 1))
        assert (view.following, view.scroll_offset.y) == (False, 0)
        at = view.cursor
        await person.press("s")
        await person.until(lambda: view.scroll_offset.y > 0, "the rows to move")
        assert view.cursor == at
        assert at < view.scroll_offset.y + view.scrollable_content_region.height


async def test_pausing_keeps_the_rows_and_counts_the_rest(people: People, peer: socket.socket) -> None:
    async with people((120, 40)) as person:
        await with_frames(person, peer, 5)
        assert "Pause" in person.offered()
        await person.press("p")
        await person.sees("‖ paused")
        assert "Pause" not in person.offered()
        assert "Go on" in person.offered()
        for number in range(5, 8):
            peer.sendto(b"frame %d" % number, person.session.local)
        await person.sees("‖ paused, 3 more")
        assert "frame 7" not in person.screen
        await person.press("p")
        await person.sees("frame 7")
        assert "paused" not in person.screen
        assert "Pause" in person.offered()


async def test_a_key_of_ones_own_pauses_and_goes_on(people: People, peer: socket.socket) -> None:
    async with people((120, 40), settings=Settings(keys={"pause": "f9"})) as person:
        await with_frames(person, peer, 5)
        await person.press("f9")
        await person.sees("‖ paused")
        await person.press("p")
        assert "‖ paused" in person.screen, "another key does nothing any more"
        await person.press("f9")
        assert "paused" not in person.screen


async def test_a_pause_ends_with_its_session(people: People, size: tuple[int, int], peer: socket.socket) -> None:
    async with people(size) as person:
        await with_frames(person, peer, 5)
        await person.press("p")
        await person.sees("‖ paused, 0 more")
        await person.press("x")
        await person.until(lambda: "closed" in person.text("#status"), "the end")
        await person.until(lambda: "paused" not in person.text("#status"), "a pause that can't hold anything to end")
        assert "Pause" not in person.offered(), "nothing more comes"
        await person.press("p")
        assert "paused" not in person.text("#status")


async def test_what_a_pause_held_back_can_be_seen_when_the_session_is_closed(
    people: People, size: tuple[int, int], peer: socket.socket
) -> None:
    async with people(size) as person:
        await with_frames(person, peer, 2)
        await person.press("p")
        peer.sendto(b"frame 2", person.session.local)
        await person.sees("‖ paused, 1 more")
        await person.press("x")
        await person.sees("closed", "‖ paused, 1 more: p")
        assert "frame 2" not in person.screen
        assert "Go on" in person.offered()
        await person.press("p")
        await person.sees("closed", "frame 2")
        assert "paused" not in person.screen


async def test_copying_a_row_and_a_payload(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 1)
        peer.sendto(b"\xff[/nope]\x1b]0;PWNED\x07", person.session.local)
        await person.until(lambda: person.session.log.received == 2)
        await person.settle()
        person.main.traffic.view.action_bottom()
        await person.press("y")
        assert r"\xff[/nope]\x1b]0;PWNED\x07" in person.app.clipboard
        assert f"← 127.0.0.1:{peer.getsockname()[1]} 18" in person.app.clipboard
        await person.press("Y")
        assert person.app.clipboard == b"\xff[/nope]\x1b]0;PWNED\x07".hex()


FILTERS = [
    ("ram frame", {1, 2, 3, 4, 5}),
    ("FRAME not nothing", {1, 2, 3, 4, 5}),
    ('"frame 3"', {4}),
    ("/frame [12]$/", {2, 3}),
    ("dir==in", {1, 2, 3, 4, 5}),
    ("dir==out", set()),
    ('peer~"127.0.0.1"', {1, 2, 3, 4, 5}),
    ("peer~nobody", set()),
    ("len>100", set()),
    ("len==7 and not /frame [034]/", {2, 3}),
    ("hex:66 72 61 6d 65 20 34", {5}),
    ("n>=3", {3, 4, 5}),
    ("n<2", {1}),
]


async def test_filters_work_as_they_are_typed(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 5)
        await person.press("/")
        line = person.app.screen.query_one("#filter", Input)
        assert person.app.screen.focused is line
        view = person.main.traffic.view
        for text, wanted in FILTERS:
            line.value = text
            await person.settle()
            await person.until(lambda: not view.rows.behind)
            numbers = {view.number_at(index) for index in range(view.line_count())}
            assert numbers == wanted, text
            if not wanted:
                await person.sees("No row passes the filter.")
        for text in ("/(/", "len>x", "dir==up", "((", "hex:zz", "len~3", "peer>1", "/[[a/"):
            line.value = text
            await person.settle()
        for text in ("/(/", "len>x", "dir==up", "(("):
            line.value = text
            await person.until(lambda: person.app.screen.query_one("#filter-note").display, f"an error for {text}")
            assert person.app.screen.query_one("#filter-note", Static).visible
            await person.sees("✗")
            assert line.has_class("-wrong")
        line.value = '"frame 4"'
        await person.until(lambda: not line.has_class("-wrong"))
        await person.press("enter")
        assert person.app.screen.focused is view
        peer.sendto(b"frame 44", person.session.local)
        await person.until(lambda: view.line_count() == 2, "a new row that passes")
        if person.main.traffic.query_one("#details").display:
            await person.press("escape")
        await person.press("escape")
        await person.until(lambda: view.line_count() == 6, "all rows")
        assert not line.display


async def test_a_filter_typed_key_by_key(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 5)
        await person.press("/", *"/e [24]/ or (n==1)")
        view = person.main.traffic.view
        await person.until(lambda: view.line_count() == 3)


async def test_a_filter_says_how_it_is_left(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 5)
        view, details = person.main.traffic.view, person.main.traffic.query_one(Details)
        await person.press("enter")
        await person.until(lambda: details.display)
        await person.press("/", *"/e 2/")
        await person.until(lambda: view.line_count() == 1)
        assert {"To the rows", "All rows"} <= person.offered()
        await person.press("enter")
        await person.until(lambda: view.has_focus)
        assert view.line_count() == 1, "the filter is forgotten"
        await person.press("/", "escape")
        await person.until(lambda: view.line_count() == 5)
        assert view.has_focus
        assert details.display, "leaving the filter closed the details"


async def test_a_filter_holds_for_each_session_shown(people: People, peer: socket.socket) -> None:
    async with people((120, 40)) as person:
        await with_frames(person, peer, 3)
        await person.press("/", *'"frame 1"', "enter")
        await person.until(lambda: person.main.traffic.view.line_count() == 1)
        await with_frames_of_another(person, peer)
        await person.until(lambda: person.main.traffic.view.line_count() == 1)
        await person.press("]")
        await person.until(lambda: person.main.traffic.view.line_count() == 1)


async def with_frames_of_another(person: Person, peer: socket.socket) -> None:
    session = await person.open("inet/udp", "bind", local_port="0")
    for number in range(3):
        peer.sendto(b"frame %d" % number, session.local)  # type: ignore[arg-type]
    await person.until(lambda: session.log.received == 3)
    await person.settle()


async def test_every_key_of_the_footer_does_something(people: People, peer: socket.socket) -> None:
    """Each key that the footer offers changes the screen, the focus, the clipboard or the state."""
    async with people((120, 40)) as person:
        await with_frames(person, peer, 3)
        await person.open("inet/udp", "bind", local_port="0")
        await person.press("[")

        def state() -> object:
            traffic = person.main.traffic
            return (
                person.screen, id(person.app.screen.focused), person.app.clipboard, id(person.app.screen),
                traffic.view.rows.paused_at, [each.state for each in person.hub.sessions.values()],
            )  # fmt: skip

        tried = set()
        for pane in ("1", "2", "3", "4"):
            await person.press(pane)
            if pane == "2":
                await person.press("escape")
            for key in [*person.keys_offered()]:
                if key in ("q", "r") or (pane, key) in tried:
                    continue
                tried.add((pane, key))
                home = person.app.screen.focused
                before = state()
                await person.press(key)
                await person.until(lambda before=before: state() != before, f"{key} in pane {pane} to do something")
                while person.app.screen is not person.main:
                    await person.press("escape")
                if person.app.screen.focused is not home and home is not None:
                    await person.press("escape")
                    home.focus()
                    await person.settle()
        assert len(tried) > 12


async def test_a_filter_that_takes_too_long_is_given_up(people: People) -> None:
    async with people((80, 24)) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
            far.sendto(b"a" * 5000 + b"!", session.local)  # type: ignore[arg-type]
            await person.until(lambda: session.log.received == 1)
        await person.press("/", *"/(a+)+$/")
        await person.sees("takes too long")
        assert person.main.traffic.view.line_count() >= 1, "every row is shown again"


async def test_help_says_that_nobody_is_at_the_other_end(people: People) -> None:
    async with people((80, 24)) as person:
        await person.open("inet/udp", "bind", local_port="0")
        await person.press("3", "?")
        await person.sees("remote  none, it is not connected")
