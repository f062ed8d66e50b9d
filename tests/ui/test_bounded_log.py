"""A log that is full: rows go at the top, numbers stay, the loss is in sight, the cursor stays on its row."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path

from person import Person
from textual.widgets import Input

from sockexplorer.client.session import Session

People = Callable[..., Person]


async def flood(person: Person, session: Session, peer: socket.socket, count: int) -> None:
    """Send so many datagrams, none faster than they are taken in."""
    before = session.log.received
    for number in range(before, before + count):
        peer.sendto(b"frame %06d " % number + b"." * 60, session.local)  # type: ignore[arg-type]
        if not number % 100:
            await person.until(lambda number=number: session.log.received > number - 150, "the frames")
    await person.until(lambda: session.log.received == before + count, "the frames")
    await person.settle()


def rows_in_sight(person: Person) -> list[tuple[int, int]]:
    """Row number and the number in the payload, for each row on the screen."""
    return [(int(a), int(b)) for a, b in re.findall(r"^\D*(\d+) \d\d:\d\d:.*frame (\d+) ", person.screen, re.M)]


async def test_following_a_log_that_overflows(people: People, peer: socket.socket) -> None:
    async with people((80, 24), log_limit=32768) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        await flood(person, session, peer, 2000)
        await person.sees("frame 001999")
        shown = rows_in_sight(person)
        assert shown
        assert all(row == number + 1 for row, number in shown), "a row keeps the number that it got"
        assert session.log.dropped > 1000
        assert session.log.received == len(session.log) + session.log.dropped
        await person.sees(f"⚠ {session.log.dropped:,} dropped", f"kept {len(session.log):,}")


async def test_a_file_says_what_the_log_no_longer_had(people: People, peer: socket.socket, tmp_path: Path) -> None:
    async with people((80, 24), log_limit=32768) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        await flood(person, session, peer, 2000)
        await person.press("ctrl+s")
        await person.sees("Save the traffic")
        person.app.screen.query_one(Input).value = str(path := tmp_path / "saved.pcapng")
        await person.press("enter")
        await person.sees(f"{len(session.log)} frames in")
        told = f": {session.log.dropped} earlier frames were dropped from the log and are not in here"
    # Only in the comment of the section, which is ahead of all frames.
    assert path.read_bytes()[:400].count(told.encode()) == 1


async def test_the_cursor_stays_on_its_row_while_the_log_is_trimmed(people: People, peer: socket.socket) -> None:
    async with people((120, 40), log_limit=65536) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        view = person.main.traffic.view
        await flood(person, session, peer, 1000)
        await person.press(*"kkkkk")
        frame = view.current()
        assert frame is not None
        in_sight = rows_in_sight(person)
        while session.log.first < frame.number - 250:
            await flood(person, session, peer, 50)
            assert view.current() == frame
        assert rows_in_sight(person) == in_sight, "what is in sight stays in sight"
        await flood(person, session, peer, 2000)
        current = view.current()
        assert current is not None, "its row is gone: the cursor is on the oldest"
        assert current.number == session.log.first
        await person.press("g", "j", "G")
        await person.sees(f"frame {session.log.received - 1:06}")


async def test_a_filter_over_a_log_that_is_trimmed(people: People, peer: socket.socket) -> None:
    async with people((80, 24), log_limit=32768) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        await flood(person, session, peer, 300)
        person.app.screen.query_one("#filter", Input).value = "/frame ....[05]0/"
        view = person.main.traffic.view
        await flood(person, session, peer, 1200)
        await person.until(lambda: not view.rows.behind)
        await person.until(
            lambda: (
                [view.number_at(n) for n in range(view.line_count())]
                == [n for n in range(session.log.first, session.log.end) if (n - 1) % 50 == 0]
            )
        )
        await person.press("g", "G")


async def test_a_pause_outlasts_what_it_shows(people: People, peer: socket.socket) -> None:
    async with people((120, 40), log_limit=32768) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        await flood(person, session, peer, 100)
        await person.press("p", "k")
        await flood(person, session, peer, 2000)
        assert session.log.first > 100, "nothing that was in sight is kept"
        await person.sees("The log has dropped the rows that the pause showed. p goes on.")
        await person.press("k", "j", "enter", "y", "Y", "G", "g")
        await person.press("p")
        await person.press("G")
        await person.sees("frame 002099")


async def test_a_bookmark_whose_row_is_gone_is_told_from_none(people: People, peer: socket.socket) -> None:
    async with people((80, 24), log_limit=32768) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        await flood(person, session, peer, 10)
        await person.press("3", "apostrophe")
        await person.sees("There is no bookmark; m sets one.")
        await person.press("m")
        person.main.traffic.query_one("#filter", Input).value = "n<3"
        await person.sees("2 rows pass")
        await person.press("apostrophe")
        await person.sees("No row with a bookmark is in sight")
        await flood(person, session, peer, 2000)
        await person.press("apostrophe")
        await person.sees("The log has dropped the rows")
