"""Moving about: jump keys, Tab, vim's keys, the mouse, remapped keys, and quitting."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from person import Person
from textual.filter import Monochrome

from sockexplorer.ui.settings import Settings
from sockexplorer.ui.widgets.bar import Bar

People = Callable[..., Person]


def current(person: Person) -> int:
    """The number of the pane that has the focus."""
    return next((each.NUMBER for each in person.main.panes if each.has_focus_within), 0)


async def test_jump_keys_reach_every_pane(people: People, size: tuple[int, int]) -> None:
    async with people(size) as person:
        for number in (3, 4, 1):
            await person.press(str(number))
            assert current(person) == number
            assert person.main.panes[number - 1].region.area > 0, "it is in sight"
        await person.press("2")
        assert current(person) == 2
        # In a field digits are digits; escape makes them keys again.
        person.field("local.port").focus()
        await person.settle()
        await person.press("3")
        assert person.field("local.port").value == "3"
        await person.press("escape", "4")
        assert current(person) == 4
        await person.press("2", "b")
        assert person.field("local.host").value == "127.0.0.1", "in pane 2 letters are keys at first"


async def test_vim_keys_and_arrows_in_the_tree(people: People) -> None:
    async with people((80, 24)) as person:
        tree = person.main.families.family_tree
        await person.until(lambda: tree.cursor_node is not None and tree.cursor_node.data[1] is not None)
        first = tree.cursor_line
        await person.press("j")
        assert tree.cursor_line == first + 1
        await person.press("k")
        assert tree.cursor_line == first
        await person.press("h")
        node = tree.cursor_node
        assert node is not None
        assert node.data is not None
        assert node.data[1] is None, "h goes to the family"
        await person.press("h")
        assert not node.is_expanded
        await person.press("right")
        assert node.is_expanded
        await person.press("right")
        assert tree.cursor_node is not node
        before = person.main.address.draft
        await person.press("j", "j")
        await person.until(lambda: person.main.address.draft is not before, "the form to follow the cursor")


async def test_the_mouse_does_what_keys_do(people: People, peer: socket.socket) -> None:
    async with people((120, 40)) as person:
        tree = person.main.families.family_tree
        await person.sees("● IPv4")
        line = next(n for n, text in enumerate(person.screen.splitlines()) if "● tcp" in text)
        await person.click(tree, offset=(8, line - tree.region.y))
        await person.until(lambda: (d := person.main.address.draft) is not None and d.protocol.name == "tcp")
        await person.choose("inet/udp")
        await person.fill("local.port", "0")
        await person.until(lambda: not person.main.address.query_one("#do-bind").disabled)
        await person.click("#do-bind", offset=(2, 0))
        await person.until(lambda: person.main.traffic.session is not None, "the button to bind")
        first = person.session
        for number in range(3):
            peer.sendto(b"frame %d" % number, first.local)  # type: ignore[arg-type]
        await person.sees("frame 2")
        view = person.main.traffic.view
        await person.click(view, offset=(30, 1))
        assert view.cursor == 1
        await person.sees("frame     2   ← received")
        await person.open("inet/tcp", "listen", local_port="0")
        await person.click("#session-bar", offset=(3, 0))
        assert person.session is first
        await person.click("#capability-list", offset=(5, 3))
        assert current(person) == 4


async def test_the_pane_bar_is_clicked_where_there_is_one(people: People) -> None:
    async with people((80, 24)) as person:
        for text, number in (("4 Capabilities", 4), ("2 Address", 2), ("3 Traffic", 3), ("1 Families", 1)):
            line = person.screen.splitlines()[0]
            await person.click(person.app.screen.query_one("#pane-bar", Bar), offset=(line.index(text) + 1, 0))
            assert current(person) == number
    async with people((120, 40)) as person:
        assert not person.app.screen.query_one("#pane-bar", Bar).display, "where all four are in sight there is no bar"


async def test_resizing_keeps_what_one_was_doing(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        peer.sendto(b"before", session.local)  # type: ignore[arg-type]
        await person.sees("before")
        for size in ((200, 60), (20, 6), (120, 40), (1, 1), (80, 24)):
            await person.pilot.resize_terminal(*size)
            await person.settle()
            peer.sendto(b"at %d" % size[0], session.local)  # type: ignore[arg-type]
            await person.until(lambda w=size[0]: person.rows[-1].payload == b"at %d" % w)
        await person.sees("before", "at 200", "at 80")
        assert current(person) == 3


async def test_keys_are_remapped_by_settings(people: People) -> None:
    async with people((80, 24), settings=Settings(keys={"bind": "f5", "quit": "ctrl+x"})) as person:
        await person.choose("inet/udp")
        await person.fill("local.port", "0")
        await person.press("escape")
        await person.until(lambda: "Bind" in person.offered())
        assert person.keys_offered()["f5"] == "Bind"
        await person.press("b", "q")
        assert person.app.is_running
        assert not person.hub.sessions
        await person.press("f5")
        await person.until(lambda: person.main.traffic.session is not None)
        await person.press("ctrl+x")
        await person.until(lambda: not person.app.is_running)


async def test_a_keymap_of_nonsense_does_no_harm(people: People) -> None:
    settings = Settings(keys={"no-such-action": "z", "bind": "", "send": "[/nope]"}, theme="no-such-theme")
    async with people((80, 24), settings=settings) as person:
        await person.sees("theme = 'no-such-theme'")
        await person.choose("inet/udp")
        await person.press("escape", "1")
        assert person.app.is_running


async def test_problems_of_the_settings_are_told(people: People) -> None:
    async with people((120, 40), settings=Settings(problems=("log_mib = '[/nope]\x1b': write a number",))) as person:
        await person.sees(r"log_mib = '[/nope]\x1b'")


async def test_no_color_leaves_glyphs(people: People, monkeypatch: pytest.MonkeyPatch, peer: socket.socket) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with people((120, 40)) as person:
        assert any(isinstance(each, Monochrome) for each in person.app._filters)
        session = await person.open("inet/udp", "bind", local_port="0")
        peer.sendto(b"x", session.local)  # type: ignore[arg-type]
        await person.sees("●", "←", "✓")


async def test_q_quits_wherever_nobody_types(people: People) -> None:
    for pane in ("1", "3", "4"):
        async with people((80, 24)) as person:
            await person.press(pane, "q")
            await person.until(lambda person=person: not person.app.is_running, f"the end from pane {pane}")
            assert person.app.return_code == 0


async def test_keys_of_the_footer_rest_when_the_first_row_comes(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        await person.sees("⏎ Details s Send / Filter")
        footer = person.screen.splitlines()[-1]
        peer.sendto(b"hello", session.local)  # type: ignore[arg-type]
        await person.sees("hello")
        await person.until(lambda: person.screen.splitlines()[-1] == footer, "the keys as they were")


@pytest.mark.parametrize("sessions", [1, 2])
async def test_every_key_of_the_footer_has_room(people: People, peer: socket.socket, sessions: int) -> None:
    """At 80 columns, with a filter and another session, help and quit are still in sight."""
    async with people((80, 24)) as person:
        for _ in range(sessions):
            session = await person.open("inet/udp", "bind", local_port="0")
            peer.sendto(b"hello", session.local)  # type: ignore[arg-type]
            await person.sees("hello")
        await person.press("/", *"hello", "enter")
        await person.sees("n Match", "? Help", "q Quit")
