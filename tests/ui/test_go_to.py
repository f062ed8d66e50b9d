"""Going to a row by its number or by a time."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from person import Person
from test_traffic_pane import with_frames
from textual.widgets import Input

People = Callable[..., Person]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_row_by_its_number(people: People, size: tuple[int, int], peer: socket.socket) -> None:
    async with people(size) as person:
        await with_frames(person, peer, 60)
        view = person.main.traffic.view
        line = person.app.screen.query_one("#go-to-value", Input)
        await person.press(":")
        assert line.has_focus
        await person.sees("a row or a time: 1234, 50%, 14:05:30, +12.5")
        await person.press("7", "7")
        await person.sees("there is no row 77: they go from 1 to 60")
        await person.press("enter")
        assert line.has_focus, "what is wrong is not taken"
        await person.press("backspace", "enter")
        await person.until(lambda: view.has_focus, "the rows to have the focus")
        assert view.number_at(view.cursor) == 7
        assert not view.following
        assert view.scroll_offset.y <= view.cursor < view.scroll_offset.y + view.size.height
        await person.press(":", "9", "escape")
        assert view.has_focus
        assert view.number_at(view.cursor) == 7
        await person.press(":", "1", "0", "0", "%", "enter")
        await person.until(lambda: view.number_at(view.cursor) == 60, "the last row")


async def test_what_may_be_typed_is_told_on_a_narrow_screen(people: People, peer: socket.socket) -> None:
    async with people((40, 20)) as person:
        await with_frames(person, peer, 3)
        await person.press(":")
        await person.sees("a row or a time:", "1234, 50%,")


async def test_it_is_the_row_that_was_told_amid_others(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 60)
        view = person.main.traffic.view
        await person.press("g", ":", *"50%")
        await person.sees("row 30 of 60")
        for number in range(60, 80):
            peer.sendto(b"frame %d" % number, person.session.local)
        await person.until(lambda: view.line_count() == 80, "more rows")
        await person.press("enter")
        await person.until(lambda: view.number_at(view.cursor) == 30, "the row that was told")
        await person.sees("frame 24", "frame 34")


async def test_what_is_wrong_is_told_whole(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 3)
        await person.press(":", *"here")
        await person.sees("here is neither a row nor a time", "14:05:30, +12.5")


async def test_a_row_that_the_filter_hides(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 30)
        view = person.main.traffic.view
        await person.press("/", *"n>=20", "enter")
        await person.until(lambda: view.line_count() == 11)
        await person.press(":", "3", "enter")
        await person.sees("Row 3 is hidden")
        assert view.number_at(view.cursor) == 20
