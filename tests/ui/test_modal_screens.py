"""Help, code, choices, the palette: they open, speak of the thing under the cursor, copy, and go away."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable

from person import Person
from textual.command import CommandPalette
from textual.widgets import Input

from sockexplorer.client.offers import Offer
from sockexplorer.ui.screens.choose import ChooseScreen, Flags
from sockexplorer.ui.screens.text import CodeScreen, HelpScreen

People = Callable[..., Person]


async def test_help_speaks_of_the_thing_under_the_cursor(people: People) -> None:
    async with people((80, 24)) as person:
        for key, words in (
            ("1", ("AF_INET", "Keys that work here")),
            ("2", ("AF_INET/udp", "host  an IPv4 address", "What usually goes wrong", "For example", "Rights")),
            ("3", ("Traffic", "Keys that work here")),
            ("4", ("available", "Keys that work here")),
        ):
            await person.press(key)
            if key == "2":
                await person.press("escape")
            if key == "4":
                await person.sees("AF_INET/udp")
            await person.press("question_mark")
            screen = await person.until(lambda: isinstance(person.app.screen, HelpScreen) and person.app.screen)
            text = f"{screen._title} {screen._text(screen._sections).plain} Keys that work here"
            assert all(each in text for each in words), text
            shown = person.screen
            assert screen._title.split()[0] in shown
            assert screen._keys, "help names the keys"
            await person.press("j", "G", "g", "escape")
            assert not isinstance(person.app.screen, HelpScreen)


async def test_help_on_the_traffic_begins_with_its_keys(people: People, peer: socket.socket) -> None:
    """At 80×24, without a scroll: who asks there wants to know what can be done with the rows."""
    async with people((80, 24)) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        peer.sendto(b"hello", session.local)  # type: ignore[arg-type]
        await person.until(lambda: person.main.traffic.view.line_count() == 1)
        await person.press("question_mark")
        await person.sees("receive buffer", "Keys that work here", "/  Filter", "y  Copy")
        screen = person.app.screen
        assert isinstance(screen, HelpScreen)
        said = [words for _, words in screen._keys]
        assert said.index("Bookmark the row") < said.index("Dark or light") < said.index("Page down")
        assert not {"Scroll Left", "Page Right"} & set(said), "the view has no more columns than are in sight"
        assert len(said) == len(set(said))
        heading, lines = screen._sections[-1]
        assert heading == "What an error means here"
        # Where the scrolling ends: what passes by on the way is seen on a fast machine only.
        await person.press("G")
        await person.sees(lines[-1].split()[-1])


async def test_f1_helps_while_typing(people: People) -> None:
    async with people((80, 24)) as person:
        await person.choose("inet/udp")
        person.field("local.port").focus()
        await person.settle()
        await person.press("question_mark")
        assert person.field("local.port").value == "?", "while typing a ? is a ?"
        await person.press("f1")
        screen = await person.until(lambda: isinstance(person.app.screen, HelpScreen) and person.app.screen)
        assert "port" in screen._title
        await person.press("escape")
        await person.until(lambda: person.app.screen is person.main, "the help to close")
        await person.press("f1", "q")
        await person.until(lambda: not person.app.is_running, "q quits from anywhere but a field")


async def test_the_code_screen_shows_a_script_that_compiles_and_copies_it(people: People) -> None:
    async with people((80, 24)) as person:
        await person.choose("inet/udp")
        await person.fill("local.port", "0")
        await person.press("escape", "v")
        await person.until(lambda: isinstance(person.app.screen, CodeScreen))
        await person.sees("import socket", "AF_INET")
        await person.press("y")
        await person.sees("the script is on the clipboard")
        script = person.app.clipboard
        compile(script, "script", "exec")
        assert "('127.0.0.1', 0)" in script
        await person.press("a")
        assert person.app.clipboard == "('127.0.0.1', 0)"
        await person.press("escape")
        await person.press("y")
        assert person.app.clipboard == "('127.0.0.1', 0)"
    compiled = subprocess.run([sys.executable, "-c", f"compile({script!r}, 's', 'exec')"], check=False)
    assert compiled.returncode == 0


async def test_code_for_what_the_form_refuses_says_why(people: People) -> None:
    async with people((80, 24)) as person:
        await person.choose("inet/udp")
        await person.fill("local.port", "x")
        await person.press("escape")
        if "Code" in person.offered():
            await person.press("v")
            await person.sees("No script yet")


async def test_flags_are_chosen_from_a_list(people: People) -> None:
    async with people((80, 24)) as person:
        await person.choose("netlink/route")
        field = person.field("local.groups")
        field.focus()
        await person.settle()
        await person.press("down")
        await person.until(lambda: isinstance(person.app.screen, ChooseScreen) and person.app.screen.query(Flags))
        await person.sees("RTMGRP_LINK  0x1")
        await person.press("space", "enter")
        await person.until(lambda: "LINK" not in field.value.split("|"), "LINK to be switched off")
        assert field.value == "IPV4_IFADDR|IPV6_IFADDR"
        await person.press("down")
        await person.until(lambda: isinstance(person.app.screen, ChooseScreen) and person.app.screen.query(Flags))
        await person.press("escape")
        assert field.value == "IPV4_IFADDR|IPV6_IFADDR"


async def test_the_palette_finds_and_runs_a_command(people: People, size: tuple[int, int]) -> None:
    async with people(size) as person:
        # A session's title in the palette is no markup, whatever the path.
        await person.open("unix/dgram", "bind", local_path="@[/nope][@click=app.quit]x[/]\\x1b")
        await person.press("ctrl+p")
        await person.until(lambda: isinstance(person.app.screen, CommandPalette))
        person.app.screen.query_one(Input).value = "Session 1"
        await person.sees("Session 1: unix/dgram @[/nope][@click=app.quit]x[/]\\x1b")
        person.app.screen.query_one(Input).value = "AF_UNIX/seqpacket"
        await person.sees("connected messages")
        await person.press("enter")
        await person.until(lambda: not isinstance(person.app.screen, CommandPalette))
        draft = person.main.address.draft
        if draft is None or draft.protocol.name != "seqpacket":
            await person.until(
                lambda: (d := person.main.address.draft) is not None and d.protocol.name == "seqpacket", "the form"
            )


async def test_the_palette_has_what_the_keys_do_where_the_person_is(
    people: People, size: tuple[int, int], peer: socket.socket
) -> None:
    async with people(size) as person:
        sessions = [await person.open("inet/udp", "bind", local_port="0") for _ in range(2)]
        peer.sendto(b"hello", sessions[1].local)  # type: ignore[arg-type]
        await person.sees("hello")

        async def find(text: str) -> None:
            await person.press("ctrl+p")
            await person.until(lambda: isinstance(person.app.screen, CommandPalette))
            person.app.screen.query_one(Input).value = text

        await find("statistics by")
        await person.sees("Statistics by peer, length and protocol", "Key S")
        await person.press("enter")
        await person.sees("1 frame, 5 B")
        await person.press("escape")
        await find("Before")
        await person.sees("Before", "Key [")
        await person.press("escape")
        await person.until(lambda: person.app.screen is person.main)
        await find("cut the file")
        await person.sees("No matches found")


async def test_the_last_of_many_choices_is_in_sight(people: People, size: tuple[int, int]) -> None:
    async with people(size) as person:
        offers = [Offer(str(number), f"choice {number} of 60") for number in range(1, 61)]
        for several in (False, True):
            person.app.push_screen(ChooseScreen("A title", offers, "1", several=several))
            await person.sees("A title", "choice 1 of 60")
            await person.press("end")
            await person.sees("A title", "choice 60 of 60")
            await person.press("escape")


async def test_both_themes_and_no_colour_show_the_same_text(people: People) -> None:
    async with people((120, 40)) as person:
        await person.sees("● IPv4", "q Quit", "● AF_INET/mptcp", "succeeded")
        await person.settle()
        dark = person.screen
        person.app.action_theme()
        await person.settle()
        assert not person.app.current_theme.dark
        await person.until(lambda: person.screen == dark, "the same text in the other theme")
        person.app.action_theme()
        await person.settle()
        assert person.app.current_theme.dark


async def test_dark_or_light_in_dialogs_too(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        peer.sendto(b"x", session.local)  # type: ignore[arg-type]
        await person.until(lambda: person.main.traffic.view.line_count() == 1, "the row")
        for key in ("F", "S", "C", "c", "e", "?"):
            await person.press(key)
            await person.until(lambda: person.app.screen is not person.main, "the dialog")
            was = person.app.current_theme.dark
            await person.press("t")
            assert person.app.current_theme.dark is not was, key
            await person.press("escape")
            await person.until(lambda: person.app.screen is person.main, "the main screen")
        await person.press("ctrl+s", "t")
        assert person.app.screen.query_one(Input).value.endswith("t"), "where a text is typed it is a letter"
