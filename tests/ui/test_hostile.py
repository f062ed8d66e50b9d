"""What comes from outside is shown, never obeyed: no control reaches the screen, no markup is read, no action runs."""

from __future__ import annotations

import os
import socket
import sys
import unicodedata
from collections.abc import Callable

from person import Person
from rich.segment import Segment
from textual.color import Color

from sockexplorer.client.client import Problem
from sockexplorer.ui.wall import Wall

People = Callable[..., Person]

HOSTILE = [
    "\x1b]0;PWNED\x07",
    "\x1b[2J\x1b[31mred",
    "\x9b31m\x9d0;PWNED\x9c",
    "\a\b\x7f\x05\r\n\v\f\x00",
    "[@click=app.quit]x[/]",
    "[@click=screen.dismiss]x[/]",
    "[/nope]",
    "[red]x",
    "[",
    "\\[/]",
    "\u202egnp.exe\u2066",
    "a\u200bb\u2060c\ufeff",
    "e\u0301\u0301\u0301\u0301",
    "\U000e0041\U0001f3fb",
    "x" * 5000,
]


def printable(screen: str) -> None:
    """Nothing on the screen acts on a terminal or misleads a reader."""
    for char in screen.replace("\n", ""):
        assert char.isprintable(), f"{char!r} is on the screen"
        assert unicodedata.category(char) not in ("Mn", "Me", "Cf", "Cc", "Cs"), f"{char!r} is on the screen"


async def test_payloads(people: People, size: tuple[int, int], peer: socket.socket) -> None:
    async with people(size) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        payloads = [each.encode("utf-8", "surrogatepass") for each in HOSTILE] + [bytes(range(256)), b"\xed\xa0\x80"]
        for each in payloads:
            peer.sendto(each, session.local)  # type: ignore[arg-type]
        await person.until(lambda: session.log.received == len(payloads))
        view = person.main.traffic.view
        await person.show_details()
        for index, each in enumerate(payloads):
            view.move_to(index)
            await person.settle()
            printable(person.screen)
            assert person.rows[index].payload == each
            if index < 4:
                await person.press("y")
                assert person.app.clipboard.isprintable()
                printable(person.screen)
        assert "[@click=app.quit]x[/]" in "".join(view.line(4, 200)[n][0] for n in range(len(view.line(4, 200))))
        await person.click(view, offset=(60, 3))
        assert person.app.is_running


async def test_addresses_of_peers(people: People) -> None:
    async with people((120, 40)) as person:
        session = await person.open("unix/dgram", "bind", local_path="")
        await person.show_details()
        for count, name in enumerate([*HOSTILE[:12], "e\u0301" * 20], 1):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
                peer.bind(b"\0%b %d" % (name.encode()[:80].replace(b"\0", b"0"), os.getpid()))
                peer.sendto(b"hello %d" % count, session.local)  # type: ignore[arg-type]
                await person.sees(f"hello {count}")
                person.main.traffic.view.action_bottom()
                await person.settle()
                printable(person.screen)
                await person.press("s")
                printable(person.screen)
                await person.press("enter")
                await person.until(lambda count=count: session.log.sent == count, f"the answer to {name!r}")
                await person.press("escape")
        await person.press("?")
        printable(person.screen)
        await person.press("escape", "y")
        printable(person.screen)
        assert person.app.is_running


async def test_what_is_typed_into_every_kind_of_field(people: People) -> None:
    async with people((80, 24)) as person:
        for path in ("inet6/tcp", "unix/dgram", "netlink/route", "packet/raw"):
            await person.choose(path)
            for number, field in enumerate(person.main.address.form.inputs()[:5]):
                before = field.value
                for text in HOSTILE[number % 2 :: 2]:
                    field.value = text.replace("\n", "")
                    await person.pilot.pause(0)
                    assert person.screen.replace("\n", "").isprintable()
                field.value = before
        await person.press("escape", "?")
        assert person.screen.replace("\n", "").isprintable()


async def test_paths_of_ones_own_sockets_and_the_code_for_them(people: People) -> None:
    async with people((120, 40)) as person:
        for text in ("@\\x1b]0;PWNED\\x07[/nope]", "@[@click=app.quit]x[/]", "/nonexistent/\x1b]0;PWNED\x07/[/nope]"):
            await person.choose("unix/dgram")
            await person.fill("local.path", text)
            await person.press("escape", "v")
            await person.settle()
            printable(person.screen)
            await person.press("y", "escape")
            await person.settle()
            person.main.address.action_operate("bind")
            await person.until(lambda: "bound" in person.screen or "ENOENT" in person.screen, "an outcome")
            printable(person.screen)
            await person.press("ctrl+p")
            await person.settle()
            printable(person.screen)
            await person.press("escape")
            await person.settle()
        assert person.app.is_running


async def test_errors_and_last_words(people: People) -> None:
    async with people((80, 24)) as person:
        await person.choose("inet/udp")
        for text in HOSTILE:
            person.main.address.failed(Problem("bind", "EVIL", text, text, (text, text)))
            await person.settle()
            printable(person.screen)
        person.main.address.failed(None)
        person.hub.client.give_up(f"the engine ended: {''.join(HOSTILE[:-1])}")
        await person.sees("the engine ended: ")
        printable(person.screen)


def test_the_wall_lets_no_unprintable_code_point_through() -> None:
    wall, background = Wall(), Color(0, 0, 0)
    for start in range(0, sys.maxunicode + 1, 4096):
        text = "".join(map(chr, range(start, min(start + 4096, sys.maxunicode + 1))))
        out = "".join(segment.text for segment in wall.apply([Segment(text)], background))
        assert len(out) == len(text), "cell for cell"
        assert out.isprintable()
