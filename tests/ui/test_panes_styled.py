"""Panes change their looks by classes that style nothing within them: what a person sees is what the styles say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from person import Person
from textual.dom import DOMNode


def rules(person: Person) -> dict[DOMNode, dict[str, Any]]:
    """What the styles say of every widget of the main screen."""
    return {each: dict(each.styles.base.get_rules()) for each in person.main.walk_children(with_self=True)}


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_whatever_pane_is_in_use_nothing_waits_to_be_styled(
    people: Callable[..., Person], size: tuple[int, int]
) -> None:
    async with people(size=size) as person:

        def as_if_styled_anew(what: str) -> None:
            before = rules(person)
            person.app.stylesheet.update(person.main)
            after = rules(person)
            changed = {each: (before[each], after[each]) for each in before if before[each] != after[each]}
            assert not changed, f"{what}: {changed}"

        for key in "1234":
            await person.press(key)
            as_if_styled_anew(f"pane {key}")
        for key in "2s312s":
            await person.press(key)
            as_if_styled_anew(f"{key}, with or without the bytes of the address")
        await person.open("inet/udp", "bind", local_port="0")
        as_if_styled_anew("a socket")
        await person.press("1")
        as_if_styled_anew("the families beside a socket")
        await person.press("3", "x", "x")
        await person.until(lambda: not person.hub.sessions, "no socket")
        await person.settle()
        as_if_styled_anew("no socket any more")
