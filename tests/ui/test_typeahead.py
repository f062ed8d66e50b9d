"""What is typed at once has the effect that it has when it is typed slowly."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from person import Person
from textual.events import Key, Paste
from textual.keys import _character_to_key
from textual.widgets import Input

People = Callable[..., Person]


def at_once(person: Person, text: str) -> None:
    for each in text:
        person.app.post_message(Key(_character_to_key(each), each))


async def rows(person: Person, peer: socket.socket, count: int = 3) -> None:
    session = await person.open("inet/udp", "bind", local_port="0")
    for number in range(count):
        peer.sendto(b"message %d" % number, session.local)  # type: ignore[arg-type]
    await person.until(lambda: person.main.traffic.view.line_count() == count, "the rows")
    person.main.traffic.view.focus()
    await person.until(lambda: person.main.traffic.view.has_focus, "the focus")


@pytest.mark.parametrize("text", ["/message 15", "/len>100 and dir==in", "p/xyz"])
async def test_a_filter_that_is_typed_at_once_is_a_filter(people: People, peer: socket.socket, text: str) -> None:
    """Else its letters were keys of the pane: x closes the session, y copies, m marks."""
    async with people((120, 40)) as person:
        await rows(person, peer)
        at_once(person, text)
        line = person.main.query_one("#filter", Input)
        await person.until(lambda: line.value == text.partition("/")[2], f"{text}, not {line.value!r}")
        assert person.session.state == "bound"


async def test_what_is_pasted_behind_a_key_goes_where_the_key_led(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await rows(person, peer)
        at_once(person, "/")
        person.app.post_message(Paste("hex:de ad"))
        line = person.main.query_one("#filter", Input)
        await person.until(lambda: line.value == "hex:de ad", f"the filter, not {line.value!r}")


async def test_keys_go_on_when_the_widget_of_one_is_gone(people: People, peer: socket.socket) -> None:
    async with people((120, 40)) as person:
        await rows(person, peer)
        for _ in range(3):
            at_once(person, "S")
            await person.until(lambda: person.app.screen is not person.main, "the statistics")
            person.app.post_message(Key("escape", None))
            await person.until(lambda: person.app.screen is person.main, "the main screen")
        at_once(person, "/abc")
        line = person.main.query_one("#filter", Input)
        await person.until(lambda: line.value == "abc", f"the filter, not {line.value!r}")
