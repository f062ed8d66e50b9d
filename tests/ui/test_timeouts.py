"""Blocking mode and timeout as a person sees and sets them, before a socket is opened and after."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from person import Person
from textual.widgets import Input

People = Callable[..., Person]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_form_asks_and_the_session_shows(people: People, size: tuple[int, int]) -> None:
    async with people(size) as person:
        session = await person.open("inet/udp", "bind", local_port="0", timeout="0.05")
        assert session.timeout == 0.05
        await person.press("3")
        await person.sees("timeout 0.05 s", "recv() timed out after 0.05 s")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_session_is_told_another(people: People, size: tuple[int, int]) -> None:
    async with people(size) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        await person.press("3", "w")
        line = person.app.screen.query_one("#timeout-value", Input)
        assert line.has_focus
        await person.sees("blocking: every call waits")
        await person.press("s", "o", "o", "n")
        await person.sees("✗", "is no number of seconds")
        await person.press("enter")
        assert line.has_focus, "what is wrong is not taken"
        line.value = "0"
        await person.sees("non-blocking: a call that would wait fails at once")
        await person.press("enter")
        await person.until(lambda: session.timeout == 0, "the engine to know")
        assert not line.has_focus
        await person.sees("non-blocking", "recv() would block")
        await person.press("w", "escape")
        assert not line.has_focus
        assert session.timeout == 0


async def test_a_wrong_timeout_keeps_the_socket_shut(people: People) -> None:
    async with people((80, 24)) as person:
        await person.choose("inet/udp")
        await person.fill("timeout", "soon")
        await person.sees("is no number of seconds")
        assert not person.main.address.possible("bind")
