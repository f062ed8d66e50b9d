"""Changing a socket option of the session in view, and ancillary data in rows."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

import pytest
from person import Person
from textual.widgets import Input

from sockexplorer.ui.widgets.session_bar import SessionBar

People = Callable[..., Person]
IP_RECVTTL = 12


async def test_an_option_is_changed_and_its_row_is_in_sight(people: People, size: tuple[int, int]) -> None:
    async with people(size) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        await person.press("o")
        await person.sees("NAME=VALUE", "SO_BROADCAST")
        await person.press(*"so_broad", "tab", "1")
        assert person.app.screen.query_one("#option-value", Input).value == "SO_BROADCAST=1"
        await person.sees("✓ SOL_SOCKET")
        await person.press("enter")
        await person.sees("≔", "SO_BROADCAST 0 → 1")
        await person.press("o", *"SO_NOTHING=1")
        await person.sees("✗ there is no constant 'SO_NOTHING'")
        await person.press("enter", "escape")
        await person.press("o", *"IP_TTL=999", "enter")
        await person.sees("✗ setsockopt: EINVAL")
        await person.press("escape")
        assert person.app.focused is person.main.traffic.view
        assert session.state == "bound"


@pytest.mark.parametrize("payload", [b"short", b"long " * 60])
async def test_what_came_beside_a_datagram_is_in_its_row(
    people: People, size: tuple[int, int], peer: socket.socket, payload: bytes
) -> None:
    async with people(size) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        await person.press("o", *"IP_RECVTTL=1", "enter")
        await person.sees("IP_RECVTTL 0 → 1")
        peer.sendto(payload, session.local)  # type: ignore[arg-type]
        await person.until(lambda: session.log.received == 1)
        await person.settle()
        shown = re.search(r"(short|long).*", person.screen)
        assert shown is not None
        assert ("‹ttl 64›" in shown[0]) is (payload == b"short" or size[0] >= 120), "the payload comes first"
        await person.press("enter")
        await person.sees("ttl 64")


async def test_the_bar_says_that_there_are_more_sessions(people: People, size: tuple[int, int]) -> None:
    async with people(size) as person:
        for _ in range(7):
            await person.open("inet/udp", "bind", local_port="0")
        bar = person.main.query_one(SessionBar)
        numbers = [number for _, _, number in bar._spans]
        assert 7 in numbers
        await person.press("]")
        await person.settle()
        assert bar._spans[0][2] == 1
        shown = str(bar.render())
        assert len(shown) <= bar.size.width
        assert f"+{7 - len(bar._spans)} ›" in shown
