"""The line of keys: it says what works, and is made again only for other keys."""

from __future__ import annotations

import socket
from collections.abc import Callable

from person import Person
from textual.widgets._footer import FooterKey

from sockexplorer.ui.widgets.key_line import KeyLine

People = Callable[..., Person]


def keys(person: Person) -> list[FooterKey]:
    """What the main screen's line is made of."""
    return list(person.main.query_one(KeyLine).query(FooterKey))


async def test_the_keys_are_not_made_again_for_a_dialog_that_comes_and_goes(
    people: People, peer: socket.socket
) -> None:
    """Making them lays the screen out twice, which a flood in view makes slow."""
    async with people((120, 40)) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        peer.sendto(b"x", session.local)  # type: ignore[arg-type]
        await person.until(lambda: person.main.traffic.view.line_count() == 1, "the row")
        person.main.traffic.view.focus()
        await person.until(lambda: person.main.traffic.view.has_focus, "the focus")
        await person.settle()
        before = keys(person)
        assert "Pause" in {each.description for each in before}
        await person.press("?")
        await person.until(lambda: person.app.screen is not person.main, "the help")
        assert person.app.screen.query_one(KeyLine).query(FooterKey)
        await person.press("escape")
        await person.until(lambda: person.app.screen is person.main, "the main screen")
        await person.settle()
        assert keys(person) == before
        await person.press("1")
        await person.until(lambda: "Pause" not in {each.description for each in keys(person)}, "other keys")


async def test_a_dialog_may_be_gone_before_its_keys_are_made(people: People) -> None:
    async with people((120, 40)) as person:
        await person.open("inet/udp", "bind", local_port="0")
        for _ in range(4):
            await person.press("S")
            await person.until(lambda: person.app.screen is not person.main, "the statistics")
            line = person.app.screen.query_one(KeyLine)
            person.app.screen.dismiss()
            await person.until(lambda: person.app.screen is person.main, "the main screen")
            await line.recompose()


async def test_where_not_all_keys_have_room_the_way_to_the_others_has(people: People, peer: socket.socket) -> None:
    async with people((120, 40)) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        peer.sendto(b"x", session.local)  # type: ignore[arg-type]
        await person.until(lambda: person.main.traffic.view.line_count() == 1, "the row")
        person.main.traffic.view.focus()
        await person.settle()
        every = person.main.query_one(KeyLine).size.width, [each.description for each in keys(person)]
        for width in (60, 48, 120):
            await person.pilot.resize_terminal(width, 20)
            await person.until(lambda width=width: person.main.query_one(KeyLine).size.width == width, "the size")
            await person.settle()
            last = person.screen.splitlines()[-1]
            assert last.rstrip().endswith("? Help q Quit"), last
            if width == 60:
                assert "⏎ Details s Send / Filter p Pause y Copy" in last
        assert (120, [each.description for each in keys(person)]) == every


async def test_every_line_that_asks_offers_the_key_that_answers(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        peer.sendto(b"x", session.local)  # type: ignore[arg-type]
        await person.until(lambda: person.main.traffic.view.line_count() == 1, "the row")
        for key, word in ((":", "Go"), ("o", "Set"), ("w", "Set"), ("s", "Send"), ("/", "To the rows")):
            await person.press(key)
            await person.sees(f"⏎ {word}")
            await person.press("escape")
        for key, word in (("ctrl+o", "Open"), ("ctrl+s", "Save")):
            await person.press(key)
            await person.sees(f"⏎ {word}")
            await person.press("escape")
