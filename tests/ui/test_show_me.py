"""One key shows a protocol at work: both ends open, and what they say is there to be read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from person import Person
from support import needs, unshare

People = Callable[..., Person]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_from_the_form(people: People, size: tuple[int, int]) -> None:
    async with people(size) as person:
        await person.choose("unix/stream")
        person.main.address.focus_action()
        await person.settle()
        assert "Show me" in person.offered()
        await person.press("m")
        await person.sees("2 ● unix/stream", "hello yourself", "accepted")
        assert [each.endpoint.operation for each in person.hub.sessions.values()] == ["listen", "connect"]
        await person.press("]")
        await person.sees("hello yourself", "connected")


async def test_from_the_families(people: People) -> None:
    async with people((80, 24)) as person:
        await person.choose("inet/udp")
        await person.press("escape", "1")
        person.main.families.family_tree.focus()
        await person.until(lambda: "Show me" in person.offered(), "the key")
        await person.press("m")
        await person.sees("2 ● inet/udp", "hello yourself")


async def test_one_that_needs_rights_has_a_namespace_of_its_own(people: People) -> None:
    unshare()
    async with people((120, 40)) as person:
        await person.choose("packet/raw")
        person.main.address.focus_action()
        await person.settle()
        await person.press("m")
        await person.sees("packet/raw left", "packet/raw right", "in a namespace of its own")


async def test_what_can_not_be_shown_is_explained_where_it_was_asked_for(people: People) -> None:
    async with people((80, 24)) as person:
        try:
            needs("tipc/stream")
        except pytest.skip.Exception:
            await person.choose("tipc/stream")
            person.main.address.focus_action()
            await person.settle()
            await person.press("m")
            await person.sees("demonstration: socket", "EAFNOSUPPORT")
            assert not person.hub.sessions
        else:
            await person.choose("system/control")
            await person.settle()
            assert "Show me" not in person.offered()
