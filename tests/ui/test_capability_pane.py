"""Pane 4: every constant is listed and found by name, value or state; what is known of it is shown."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from person import Person, frame
from textual.widgets import Input

from sockexplorer.core.capability import WORDS, Capability
from sockexplorer.ui.panes.capabilities import CapabilityList, command_in

People = Callable[..., Person]


def listed(person: Person) -> list[Capability]:
    """The constants that the list has."""
    return [each for each in person.app.screen.query_one(CapabilityList)._rows if isinstance(each, Capability)]


async def search(person: Person, text: str) -> list[Capability]:
    person.app.screen.query_one("#capability-search", Input).value = text
    await person.settle()
    return listed(person)


async def test_constants_are_listed_and_searched(people: People) -> None:
    async with people((80, 24)) as person:
        await person.press("4")
        await person.until(lambda: listed(person), "the probe")
        names = {each.name for each in listed(person)}
        prefixes = ("AF_", "SOCK_", "SO_", "MSG_", "IPPROTO_", "SOL_", "IP_", "IPV6_", "TCP_", "SCM_")
        missing = {name for name in dir(socket) if name.startswith(prefixes)} - names
        assert not missing, f"constants of socket that the pane lacks: {sorted(missing)}"

        await person.press("/", *"so_reuseport")
        await person.until(lambda: listed(person)[0].name == "SO_REUSEPORT")
        await person.sees("SO_REUSEPORT", str(socket.SO_REUSEPORT), "Python ✓")
        await person.press("enter", "y")
        assert person.app.clipboard == f"SO_REUSEPORT = {socket.SO_REUSEPORT}"
        await person.press("escape")
        await person.until(lambda: len(listed(person)) == len(names))

        assert {"AF_PACKET"} <= {each.name for each in await search(person, "17 af_")}
        for state, words in WORDS.items():
            found = await search(person, words)
            assert all(words in f"{WORDS[each.state]} {each.name} {each.group}" for each in found), state
        assert await search(person, "no such thing at all") == []
        assert person.text("#capability-detail") == "Nothing has that name, value or state."
        assert await search(person, "[/nope] [@click=app.quit]") == []
        await search(person, "")


async def test_where_the_answer_is_no_there_is_a_reason_and_something_to_do(people: People) -> None:
    async with people((200, 60)) as person:
        await person.press("4")
        await person.until(lambda: listed(person), "the probe")
        everything = listed(person)
        states = {each.state for each in everything}
        assert "available" in states
        for state in states - {"available"}:
            each = next(every for every in everything if every.state == state)
            found = await search(person, each.name)
            position = [every.name for every in found].index(each.name)
            view = person.app.screen.query_one(CapabilityList)
            view.move_to(view._rows.index(found[position]))
            await person.settle()
            shown = person.text("#capability-detail")
            assert each.name in shown
            assert WORDS[state] in shown
            assert "Python " in shown
            assert " → allowed " in shown
            assert "· " in shown or "▸ " in shown, f"{each.name} is {state} and nothing says why: {shown}"


async def test_probing_again_keeps_the_place(people: People) -> None:
    async with people((120, 40)) as person:
        await person.press("4")
        await person.until(lambda: listed(person), "the probe")
        await person.press(*"jjjj")
        view = person.app.screen.query_one(CapabilityList)
        current = view.current()
        assert current is not None
        before = view._rows
        await person.press("r")
        await person.until(lambda: view._rows is not before, "a new probe")
        again = view.current()
        assert again is not None
        assert again.name == current.name


async def test_what_to_do_is_copied_one_after_another(people: People) -> None:
    async with people((80, 24)) as person:
        await person.press("4")
        await person.until(lambda: listed(person), "the probe")
        view = person.app.screen.query_one(CapabilityList)
        each = next(every for every in listed(person) if every.fix)
        view.move_to(view._rows.index(each))
        await person.sees("Copy the fix")
        for fix in (*each.fix, each.fix[0]):
            await person.press("Y")
            assert person.app.clipboard == command_in(fix)
        view.move_to(view._rows.index(next(every for every in listed(person) if not every.fix)))
        await person.until(lambda: "Copy the fix" not in frame(person.app), "no fix, no key")


@pytest.mark.parametrize(
    ("fix", "command"),
    [
        ("sudo modprobe tipc", "sudo modprobe tipc"),
        ("make a virtual one: sudo ip link add dev vcan0 type vcan && sudo ip link set vcan0 up",
         "sudo ip link add dev vcan0 type vcan && sudo ip link set vcan0 up"),
        ("try it in a namespace of your own, no rights needed: unshare -rn sockexplorer", "unshare -rn sockexplorer"),
        ("boot a kernel built with CONFIG_TIPC", "boot a kernel built with CONFIG_TIPC"),
    ],
)  # fmt: skip
def test_the_command_is_what_is_copied(fix: str, command: str) -> None:
    assert command_in(fix) == command
