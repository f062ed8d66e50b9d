"""Lists that share the screen with others: what has no room is cut with a sign, and nothing touches."""

from __future__ import annotations

import re
from collections.abc import Callable

from person import Person
from textual.widgets import Input

from sockexplorer.families import family

People = Callable[..., Person]


async def test_what_protocols_are_for_is_cut_with_a_sign(people: People) -> None:
    async with people((120, 40)) as person:
        await person.choose("netlink/route")
        known = {each.name: each.summary for each in family("netlink").protocols}
        screen = await person.sees("kobject-uevent")
        shown = dict(re.findall(r"│ +[●◐○] (\S+) {2,}(\S[^│]*?) *[▁-█]?│", screen))
        assert {"route", "generic"} <= shown.keys()
        for name in shown.keys() & known.keys():
            assert shown[name] == known[name] or shown[name].endswith("…"), shown[name]


async def test_a_long_name_does_not_touch_its_number(people: People) -> None:
    async with people((120, 40)) as person:
        await person.press("4")
        await person.sees("AF_INET/udp")
        person.app.screen.query_one("#capability-search", Input).value = "netlink/"
        assert re.search(r"AF_NETLINK/kobject\S+ +16 ", await person.sees("AF_NETLINK/kobject"))
