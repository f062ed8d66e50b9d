"""What is typed at once has the effect that it has when it is typed slowly."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from person import PATIENCE, Person
from textual.events import Key, MouseDown, MouseUp, Paste
from textual.keys import _character_to_key, key_to_character
from textual.widget import Widget
from textual.widgets import Input

from sockexplorer.ui import typeahead
from sockexplorer.ui.widgets.composer import Composer

People = Callable[..., Person]
PATIENCE_OF_THE_EXPLORER = typeahead.PATIENCE_SECONDS


def at_once(person: Person, *keys: str) -> None:
    """Press keys by their names, or by the characters that they are, without waiting in between."""
    for each in keys:
        name, character = (_character_to_key(each), each) if len(each) == 1 else (each, key_to_character(each))
        person.app.post_message(Key(name, character))


def click_at_once(person: Person, widget: Widget) -> None:
    x, y = map(int, widget.region.center)  # What opens above it may take some of its lines.
    for kind in (MouseDown, MouseUp):
        person.app.post_message(kind(None, x, y, 0, 0, 1, False, False, False, x, y))


async def rows(person: Person, peer: socket.socket, count: int = 3) -> None:
    session = await person.open("inet/udp", "bind", local_port="0")
    for number in range(count):
        peer.sendto(b"message %d" % number, session.local)  # type: ignore[arg-type]
    await person.until(lambda: person.main.traffic.view.line_count() == count, "the rows")
    person.main.traffic.view.focus()
    await person.until(lambda: person.main.traffic.view.has_focus, "the focus")
    await person.settle()


def filter_line(person: Person) -> Input:
    return person.main.query_one("#filter", Input)


@pytest.mark.parametrize("text", ["/message 15", "/len>100 and dir==in", "p/xyz"])
async def test_a_filter_that_is_typed_at_once_is_a_filter(people: People, peer: socket.socket, text: str) -> None:
    """Else its letters were keys of the pane: x closes the session, y copies, m marks."""
    async with people((120, 40)) as person:
        await rows(person, peer)
        at_once(person, *text)
        line = filter_line(person)
        await person.until(lambda: line.value == text.partition("/")[2], f"{text}, not {line.value!r}")
        assert person.session.state == "bound"


async def test_what_is_pasted_behind_a_key_goes_where_the_key_led(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await rows(person, peer)
        at_once(person, "/")
        person.app.post_message(Paste("hex:de ad"))
        line = filter_line(person)
        await person.until(lambda: line.value == "hex:de ad", f"the filter, not {line.value!r}")


SEQUENCES = {
    "enter leaves the filter": ("/", *"message", "enter", "g", "n", "n", "m"),
    "escape leaves the filter": ("/", *"xp", "escape", "g", "m"),
    "tab completes": ("/", *"nl.ty", "tab", *"RTM"),
    "help": ("?", "escape", "/", "a"),
    "statistics": ("S", "escape", "S", "escape", "/", "a"),
    "a conversation": ("F", "escape", "k", "m", "/", "a"),
    "another pane": ("2", "3", "m", "/", "a"),
    # Ahead of the end, so that the row that tells when the two seconds are over moves no cursor.
    "the timeout": ("k", "w", "2", "enter", "m"),
}


async def after(people: People, keys: tuple[str, ...], *, slowly: bool) -> tuple[object, ...]:
    """What a person sees at the end of keys."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        async with people((80, 24)) as person:
            await rows(person, peer)
            if slowly:
                for each in keys:
                    await person.press(each)
            else:
                at_once(person, *keys)
                await person.settle()
            if "w" in keys:
                # The engine's word of it comes a little later.
                await person.until(lambda: person.session.timeout is not None, "the timeout")
            view = person.main.traffic.view
            focused = person.app.focused
            return (
                type(person.app.screen).__name__, focused and focused.id, filter_line(person).value, view.cursor,
                view.bookmarks, person.session.state, person.session.timeout,
            )  # fmt: skip


@pytest.mark.parametrize("keys", SEQUENCES.values(), ids=SEQUENCES)
async def test_at_once_or_slowly_is_the_same(people: People, keys: tuple[str, ...]) -> None:
    assert await after(people, keys, slowly=False) == await after(people, keys, slowly=True)


async def test_keys_behind_one_that_opens_a_session_are_the_session_s(people: People) -> None:
    """The engine opens it, and answers a little later: until then ``s`` shows bytes and ``/`` does nothing."""
    async with people((80, 24), process=True) as person:
        await person.choose("inet/udp")
        await person.fill("local.port", "0")
        person.main.address.focus_action()
        await person.settle()
        at_once(person, "b", "/", *"len>3", "enter", "s")
        await person.until(lambda: person.main.query_one(Composer).display, "the composer")
        assert filter_line(person).value == "len>3"


async def test_what_is_typed_behind_a_payload_is_the_next_payload(people: People, peer: socket.socket) -> None:
    """What was sent is selected when the engine has sent it, so that the next letter replaces it."""
    peer.settimeout(10)
    async with people((80, 24), process=True) as person:
        await rows(person, peer)
        at_once(person, "s", *"one", "enter", *"two", "enter")
        assert [await asyncio.to_thread(peer.recv, 100) for _ in range(2)] == [b"one", b"two"]


async def test_a_click_keeps_its_place_among_the_keys(people: People, peer: socket.socket) -> None:
    async with people((120, 40)) as person:
        await rows(person, peer)
        view = person.main.traffic.view
        at_once(person, "/", "m")
        click_at_once(person, view)
        at_once(person, "m")
        await person.until(lambda: view.bookmarks, "a bookmark")
        assert filter_line(person).value == "m"


Until = Callable[[Callable[[], Any]], Coroutine[Any, Any, None]]


@asynccontextmanager
async def hanging(widget: Widget) -> AsyncIterator[Until]:
    """A widget whose handler does not end; gives what waits meanwhile. (The pilot would wait for the widget.)"""
    end = asyncio.Event()
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(typeahead, "PATIENCE_SECONDS", PATIENCE_OF_THE_EXPLORER)
    widget.call_later(end.wait)

    async def until(condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.02)

    try:
        yield until
    finally:
        end.set()
        monkeypatch.undo()


async def test_a_widget_that_hangs_keeps_what_it_was_given_and_nothing_else(
    people: People, peer: socket.socket
) -> None:
    async with people((120, 40)) as person:
        await rows(person, peer)
        view = person.main.traffic.view
        async with hanging(view) as until:
            at_once(person, "m", "k", "m")
            click_at_once(person, person.main.families.family_tree)
            at_once(person, "2")
            await until(lambda: person.main.address.has_focus_within)
            assert not view.bookmarks
        await person.until(lambda: not view.message_queue_size, "the view to come round")
        await person.settle()
        view.focus()
        await person.settle()
        at_once(person, "/", "m")
        await person.until(lambda: filter_line(person).value == "m", "the filter")


async def test_a_widget_that_hangs_stops_nobody_from_quitting(people: People, peer: socket.socket) -> None:
    quits: list[str] = []
    async with people((120, 40)) as person:
        await rows(person, peer)
        person.app.on_quit = lambda: quits.append("quit")
        async with hanging(person.main.traffic.view) as until:
            at_once(person, "m", "/", "x", "ctrl+q")
            await until(lambda: quits)


async def test_keys_go_on_when_the_widget_of_one_is_gone(people: People, peer: socket.socket) -> None:
    """A dialog ends with its own queue, whatever was in it."""
    async with people((120, 40)) as person:
        await rows(person, peer)
        for _ in range(3):
            at_once(person, "S", "escape", "?", "?", "c", "escape")
        at_once(person, "/", *"abc")
        line = filter_line(person)
        await person.until(lambda: line.value == "abc", f"the filter, not {line.value!r}")
        assert person.app.screen is person.main


async def test_keys_do_not_wait_for_a_dialog_that_is_over_to_be_drawn(people: People) -> None:
    async with people((120, 40)) as person:
        await person.press("?")
        dialog = person.app.screen
        assert dialog is not person.main
        async with hanging(dialog):
            waits = asyncio.create_task(person.app.ahead._drawn(dialog, time.monotonic() + PATIENCE))
            await asyncio.sleep(0)
            over = person.app.pop_screen()
            async with asyncio.timeout(PATIENCE / 2):
                await waits
        await over
