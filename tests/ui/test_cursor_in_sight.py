"""The line under the cursor stays in sight: with filters, hidden rows, pauses, dropped rows, details, other sizes."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable

import pytest
from person import Person
from test_bounded_log import flood

from sockexplorer.ui.widgets.filter_bar import FilterLine
from sockexplorer.ui.widgets.traffic_view import TrafficView

People = Callable[..., Person]

FILTERS = ("/frame ....[05]0/", "/frame .....7/", "len>7", "frame", "there is none", "n>=200")
KEYS = ("h", "h", "p", "f", "enter", "g", "G", "k", "ctrl+u", "ctrl+d", "n", "N", "escape")
SIZES = ((80, 24), (120, 40), (80, 12), (100, 50))


async def with_rows(person: Person, peer: socket.socket, count: int = 300) -> TrafficView:
    """The rows of a socket that so many datagrams came to."""
    session = await person.open("inet/udp", "bind", local_port="0")
    await flood(person, session, peer, count)
    view = person.main.traffic.view
    view.focus()
    await settled(person)
    return view


async def settled(person: Person) -> None:
    """Wait until the view has taken in all that there is, and its place on the screen."""
    view = person.main.traffic.view
    await person.settle()
    while True:
        person.main.traffic.update()
        if not view.rows.behind:
            break
    await person.settle()


def in_sight(view: TrafficView) -> bool:
    """Whether the cursor's line is on the screen, and no line of it is behind the last."""
    top, height = view.scroll_offset.y, view.scrollable_content_region.height
    if not view.line_count() or height < 1:
        return True
    return top <= view.cursor < top + height and top <= max(0, view.line_count() - height)


async def filtered(person: Person, expression: str) -> None:
    person.app.screen.query_one(FilterLine).value = expression
    await settled(person)


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_is_done(people: People, size: tuple[int, int], peer: socket.socket, seed: int) -> None:
    lot = random.Random(seed)
    async with people(size, log_limit=65536) as person:
        view = await with_rows(person, peer)
        done = []
        for _ in range(30):
            view.focus()
            what = lot.choice(("filter", "filter", "no filter", "size", "few", "many", "go", "wheel", *KEYS))
            match what:
                case "filter":
                    what = lot.choice(FILTERS)
                    person.app.screen.query_one(FilterLine).value = what
                case "no filter":
                    person.app.screen.query_one(FilterLine).value = ""
                case "size":
                    await person.pilot.resize_terminal(*lot.choice(SIZES))
                case "few" | "many":
                    await flood(person, person.session, peer, 3 if what == "few" else 400)
                case "go":
                    await person.press(":", *f"{lot.randrange(101)}%", "enter")
                    if not view.has_focus:
                        await person.press("escape")
                case "wheel":
                    # It may leave the cursor behind; what follows brings it back.
                    view.scroll_to(y=lot.randrange(view.max_scroll_y + 1), animate=False)
                    await person.press("k")
                case key:
                    await person.press(key)
            done.append(what)
            await settled(person)
            await person.until(lambda: in_sight(view), f"the cursor in sight after {done}")


@pytest.mark.parametrize(("number", "passes"), [(1, 10), (151, 160), (155, 160), (160, 160), (299, 290)])
async def test_a_filter_leaves_the_cursor_at_its_row_or_near_it_and_gives_it_back(
    people: People, peer: socket.socket, number: int, passes: int
) -> None:
    async with people((80, 24)) as person:
        view = await with_rows(person, peer)
        view.move_to(number - 1)
        for hide in "", "h", "h":
            await person.press(*hide)
            await filtered(person, "/frame .....9/ and n<=290")
            assert view.number_at(view.cursor) == (passes if view.rows.hiding else number)
            assert in_sight(view)
            await filtered(person, "")
            assert view.number_at(view.cursor) == number, "all rows are there again, and so is that one"
            assert in_sight(view)


async def test_a_filter_that_is_typed_letter_by_letter_loses_no_place(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        view = await with_rows(person, peer)
        view.move_to(150)
        await person.press("/", *"frame 000150")
        await settled(person)
        assert view.number_at(view.cursor) == 151
        await person.press("x")
        await settled(person)
        assert view.line_count() == 0
        await person.press("backspace", "enter", "escape")
        await settled(person)
        assert view.number_at(view.cursor) == 151
        assert in_sight(view)


async def test_who_moves_among_the_matches_stays_there(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        view = await with_rows(person, peer)
        view.move_to(150)
        await filtered(person, "/frame .....9/")
        await person.press("j", "j")
        assert view.number_at(view.cursor) == 180
        await filtered(person, "")
        assert view.number_at(view.cursor) == 180
        assert in_sight(view)


async def test_a_filter_ends_no_following(people: People, size: tuple[int, int], peer: socket.socket) -> None:
    async with people(size) as person:
        view = await with_rows(person, peer)
        for expression in "/frame .....9/", "", "n>=295", "":
            await filtered(person, expression)
            assert view.following
            assert view.cursor == view.line_count() - 1
            assert in_sight(view)
        await person.press("p")
        await filtered(person, "/frame .....9/")
        assert in_sight(view)
        await person.press("p")
        await settled(person)
        assert view.following
        assert view.number_at(view.cursor) == 300
