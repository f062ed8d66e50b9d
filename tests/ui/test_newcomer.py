"""Someone who presses only Enter, Tab and the arrows ends with traffic on the screen, at every size."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable

import pytest
from person import Person
from support import udp
from textual.widgets import Button

from sockexplorer.families import family

People = Callable[..., Person]


@pytest.fixture(autouse=True)
def free_default_port(monkeypatch: pytest.MonkeyPatch) -> int:
    """The form's default port, one that is free on this host."""
    with udp() as probe:
        port: int = probe.getsockname()[1]
    monkeypatch.setitem(family("inet").protocol("udp").local, "port", str(port))
    return port


async def test_two_enters_bind_udp_and_its_datagrams_appear(
    people: People, every_size: tuple[int, int], peer: socket.socket
) -> None:
    async with people(every_size, process=True) as person:
        await person.press("enter")
        await person.until(lambda: isinstance(person.app.screen.focused, Button), "a button to be next")
        await person.press("enter")
        await person.sees("bound", "Waiting for frames", "nc -u -w1 127.0.0.1")

        peer.sendto(b"hello \x1b[31m\n", person.session.local)
        shown = await person.sees(r"hello \x1b[31m\n")
        line = next(each for each in shown.splitlines() if r"hello \x1b" in each)
        assert re.search(r"\b1 +\d\d:\d\d:\d\d\.\d{3,6} ← *127\.0\.0\.1:\d+ +12 ", line), line
        assert f"127.0.0.1:{peer.getsockname()[1]}" in line


async def test_enter_and_arrows_listen_on_tcp(people: People, every_size: tuple[int, int]) -> None:
    async with people(every_size) as person:
        await person.press("down", "enter")
        await person.until(lambda: isinstance(person.app.screen.focused, Button), "a button to be next")
        await person.press("enter")
        await person.sees("listening", "Waiting for peers")
        with socket.create_connection(person.session.local) as peer:
            peer.sendall(b"GET / HTTP/1.0\r\n\r\n")
            await person.sees(r"GET / HTTP/1.0\r\n\r\n")


async def test_tab_leads_from_the_tree_through_the_form_to_the_traffic(people: People) -> None:
    """Tab alone reaches every pane and every field, and comes round again."""
    async with people((120, 40)) as person:
        seen: list[object] = []
        for _ in range(40):
            focused = person.app.screen.focused
            assert focused is not None
            if focused in seen:
                break
            seen.append(focused)
            await person.press("tab")
        panes = {pane.NUMBER for each in seen for pane in person.main.panes if pane in each.ancestors}  # type: ignore[attr-defined]
        assert panes == {1, 2, 3, 4}
        assert set(person.main.address.form.inputs()) <= set(seen)


async def test_details_show_a_hex_dump_of_the_selected_row(
    people: People, size: tuple[int, int], peer: socket.socket
) -> None:
    async with people(size) as person:
        await person.open("inet/udp", "bind", local_port="0")
        peer.sendto(bytes(range(16)) + b"tail", person.session.local)
        await person.until(lambda: person.session.log.received == 1)
        await person.show_details()
        shown = await person.sees("00 01 02 03", "frame", "← received", repr(peer.getsockname()))
        assert "0010" in shown
        assert "tail" in shown
        await person.press("enter")
        await person.until(lambda: "← received" not in person.screen, "the details to go")


ANSWERS = [
    (r"pong\x00\n\u00e9é\\", False, "pong\0\néé\\".encode()),
    ("de:ad be ef 00", True, b"\xde\xad\xbe\xef\0"),
    (r"\xff\xfe[/nope][@click=app.quit]x[/]", False, b"\xff\xfe[/nope][@click=app.quit]x[/]"),
]


async def test_the_peer_gets_the_answers_byte_for_byte(
    people: People, size: tuple[int, int], peer: socket.socket
) -> None:
    async with people(size) as person:
        await person.open("inet/udp", "bind", local_port="0")
        peer.sendto(b"ping", person.session.local)
        await person.until(lambda: person.session.log.received == 1)
        for count, (typed, hexadecimal, wanted) in enumerate(ANSWERS, 1):
            await person.compose(typed, hexadecimal=hexadecimal)
            assert await asyncio.to_thread(peer.recvfrom, 65536) == (wanted, person.session.local)
            await person.sees(f"✓ sent {len(wanted)} bytes")
            await person.until(lambda count=count: person.session.log.sent == count, "the row of what was sent")
            assert person.rows[-1].payload == wanted
            await person.press("escape")
            assert person.app.screen.focused is person.main.traffic.view


async def test_an_answer_typed_key_by_key_is_all_letters(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await person.open("inet/udp", "bind", local_port="0")
        peer.sendto(b"ping", person.session.local)
        await person.until(lambda: person.session.log.received == 1)
        await person.press("s", *"qbclR?/19]xs", "enter")
        data, _ = await asyncio.to_thread(peer.recvfrom, 65536)
        assert data == b"qbclR?/19]xs", "letters that are keys elsewhere are letters here"
