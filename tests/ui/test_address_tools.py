"""What the address pane has besides its fields: the bytes, pasting in any notation, the numbers of a name, the code."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

import pytest
from person import Person
from textual import events
from textual.widgets import OptionList

from sockexplorer.core.protocol import Protocol
from sockexplorer.families import all_families
from sockexplorer.ui.screens.choose import ChooseScreen
from sockexplorer.ui.screens.read import ReadScreen
from sockexplorer.ui.screens.text import CodeScreen
from sockexplorer.ui.widgets.sockaddr_view import SockaddrView

People = Callable[..., Person]
SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=str)


def texts(person: Person, role: str = "local") -> dict[str, str]:
    draft = person.main.address.draft
    assert draft is not None
    return draft.texts[role]  # type: ignore[index]


@SIZES
async def test_the_bytes_follow_what_is_typed(people: People, size: tuple[int, int]) -> None:
    async with people(size) as person:
        await person.choose("vsock/stream")
        await person.press("s")
        await person.sees("struct sockaddr_vm · 16 bytes", "28 00 00 00 d2 04 00 00", "svm_port", "1234 · port")
        await person.fill("local.port", "255")
        await person.sees("28 00 00 00 ff 00 00 00", "255 · port")
        await person.fill("remote.port", "7")
        await person.sees("remote · struct sockaddr_vm")
        await person.fill("remote.port", "x")
        await person.sees("no bytes yet")
        await person.press("escape", "s")
        assert not person.main.query_one(SockaddrView).display
        assert "struct sockaddr_vm" not in person.screen


async def test_the_bytes_of_a_name_are_not_known(people: People) -> None:
    async with people((80, 24)) as person:
        await person.choose("inet/udp")
        await person.press("s")
        await person.fill("local.host", "localhost")
        await person.sees("known when its name is looked up")


@SIZES
async def test_a_text_in_any_notation_fills_the_form(people: People, size: tuple[int, int]) -> None:
    async with people(size) as person:
        await person.choose("inet/udp")
        await person.press("p")
        await person.until(lambda: isinstance(person.app.screen, ReadScreen), "the dialog")
        await person.sees("a socat address")
        await person.press(*"TCP6-LISTEN:8080")
        await person.sees("inet6/tcp listen")
        await person.press("enter")
        await person.until(lambda: person.main.address.draft.protocol.name == "tcp", "the form")  # type: ignore[union-attr]
        assert person.main.address.draft.family.constant == "AF_INET6"  # type: ignore[union-attr]
        assert texts(person)["port"] == "8080"
        await person.sees("✓ ('::', 8080)")


async def test_what_is_no_notation_is_said_and_fills_nothing(people: People) -> None:
    async with people((80, 24)) as person:
        await person.choose("inet/udp")
        before = dict(texts(person))
        await person.press("p", *"{[", "enter")
        assert isinstance(person.app.screen, ReadScreen)
        await person.sees("no notation")
        await person.press("escape")
        assert texts(person) == before


async def test_one_of_several_readings_is_chosen(people: People) -> None:
    async with people((80, 24)) as person:
        await person.choose("unix/stream")
        await person.press("p", *"(1,2)")
        await person.until(lambda: len(person.app.screen.query_one(OptionList).options) > 2, "several readings")
        await person.press("down")
        chosen = person.app.screen._readings[1]  # type: ignore[attr-defined]
        await person.press("enter")
        await person.until(lambda: person.main.address.draft.family is chosen.family, "its form")  # type: ignore[union-attr]


async def test_a_whole_address_pasted_into_a_field_fills_all_fields(people: People) -> None:
    async def paste(text: str) -> None:
        person.app.post_message(events.Paste(text))
        await person.settle()

    async with people((80, 24)) as person:
        await person.choose("inet/udp")
        person.field("remote.host").focus()
        await paste("192.0.2.7:5353")
        await person.until(lambda: texts(person, "remote") == {"host": "192.0.2.7", "port": "5353"}, "both fields")
        assert texts(person)["host"] == "127.0.0.1", "the other address stays"
        person.field("remote.host").focus()
        await person.settle()
        await paste("('192.0.2.8', 53)")
        await person.until(lambda: texts(person, "remote") == {"host": "192.0.2.8", "port": "53"}, "the tuple")
        # A value of the field alone goes where the cursor is.
        person.field("remote.port").focus()
        await person.settle()
        await paste("80")
        await person.until(lambda: texts(person, "remote")["port"] == "80", "the port")
        await paste("tcp   ESTAB  0      0        127.0.0.1:41000    127.0.0.1:22")
        await person.until(lambda: person.main.address.draft.protocol.name == "tcp", "the form of TCP")  # type: ignore[union-attr]
        assert texts(person, "remote") == {"host": "127.0.0.1", "port": "22"}


async def test_a_name_is_looked_up_when_asked_for_and_a_number_taken(people: People) -> None:
    async with people((80, 24)) as person:
        await person.choose("inet/tcp")
        assert "Resolve" not in person.offered()
        await person.fill("remote.host", "localhost")
        await person.press("escape")
        await person.until(lambda: "Resolve" in person.offered(), "the key for it")
        await person.press("r")
        await person.until(lambda: isinstance(person.app.screen, ChooseScreen), "the addresses")
        await person.sees("localhost: the best address first", "127.0.0.1")
        await person.press("enter")
        await person.until(lambda: texts(person, "remote")["host"] == "127.0.0.1", "the number in the form")


async def test_a_name_that_does_not_exist_is_told(people: People) -> None:
    async with people((80, 24)) as person:
        await person.choose("inet/tcp")
        await person.fill("remote.host", "no-such-host.invalid")
        await person.press("escape", "r")
        await person.sees("The name was not found")


async def test_the_code_in_three_styles(people: People) -> None:
    async with people((80, 24)) as person:
        await person.choose("inet/udp")
        await person.press("v")
        await person.until(lambda: isinstance(person.app.screen, CodeScreen), "the code")
        await person.sees(" blocking  asyncio  socat ", "sock.bind")
        await person.press("tab")
        await person.sees("import asyncio")
        await person.press("tab")
        await person.sees("socat ", "UDP4-RECV")
        await person.press("y")
        assert person.app.clipboard.startswith("socat ")
        await person.press("tab")
        await person.sees("sock.bind")
        await person.press("shift+tab", "y")
        assert "UDP4-RECV" in person.app.clipboard


def different_forms() -> list[tuple[str, Protocol]]:
    """A protocol for each form that looks another way."""
    found: dict[object, tuple[str, Protocol]] = {}
    for each in all_families():
        for protocol in each.protocols:
            fields = tuple(field.name for field in each.fields(protocol))
            key = each.name, fields, protocol.operations, bool(protocol.proto_choices)
            found.setdefault(key, (f"{each.name}/{protocol.name}", protocol))
    return list(found.values())


async def test_every_form_fits_a_small_terminal(people: People) -> None:
    async with people((80, 24)) as person:
        for path, protocol in different_forms():
            await person.choose(path)
            inputs = person.main.address.form.inputs()
            assert inputs, path
            for field in inputs:
                field.focus()
                await person.settle()
                # Scrolled to where it is needed, wide enough to be read.
                screen = person.app.screen
                await person.until(lambda f=field, s=screen: s.find_widget(f).visible_region.height == 1, path)
                assert field.region.right <= 80, path
                assert field.size.width >= 8, path
            await person.press("escape")
            await person.until(lambda: re.search(r"^ (local|remote) +[✓✗·]", person.screen, re.M), f"a verdict, {path}")
            await person.sees("v Code", f"{protocol.type} ")


async def test_what_is_pasted_decides_what_enter_does(people: People) -> None:
    async with people((80, 24)) as person:
        with socket.create_server(("127.0.0.1", 0)) as server:
            host, port = server.getsockname()
            await person.choose("inet/tcp")
            await person.press("p", *f"sock.connect(('{host}', {port}))")
            await person.sees("inet/tcp connect")
            await person.press("enter")
            await person.until(lambda: texts(person, "remote")["port"] == str(port), "the port")
            await person.until(lambda: person.main.address.primary == "connect", "connect to be what Enter does")
            await person.press("v")
            await person.sees(f"connect ('{host}', {port})", "sock.connect")
            await person.press("escape", "enter")
            connected = lambda: any(each.state == "connected" for each in person.hub.sessions.values())  # noqa: E731
            await person.until(connected, "the connection")


async def test_who_types_the_peers_address_means_to_connect(people: People) -> None:
    async with people((80, 24)) as person:
        await person.choose("inet/tcp")
        await person.fill("remote.port", "80")
        await person.press("escape")
        assert person.main.address.primary == "connect"
        await person.fill("local.port", "81")
        await person.press("escape")
        assert person.main.address.primary == "listen"


async def test_the_key_of_what_is_not_possible_yet_leads_to_what_is_missing(people: People) -> None:
    async with people((80, 24)) as person:
        await person.choose("inet/tcp")
        await person.press("c")
        await person.until(lambda: person.app.screen.focused is person.field("remote.port"), "the port to be asked for")
        await person.press("escape")
        await person.fill("local.port", "70000")
        await person.press("escape", "l")
        await person.until(lambda: person.app.screen.focused is person.field("local.port"), "the port at fault")
        assert not person.hub.sessions


async def test_an_address_that_is_wrong_as_a_whole_is_told_and_nothing_else_happens(people: People) -> None:
    async with people((80, 24)) as person:
        await person.choose("tipc/stream")
        for nonsense in ("9", "0", "-1"):
            await person.fill("local.addr_type", nonsense)
            await person.sees(f"addr_type {nonsense} is no address type")
        await person.fill("local.addr_type", "NAMESEQ")
        await person.sees("✓ (1, 1000, 0, 10)")


async def test_an_empty_address_of_a_peer_is_asked_for(people: People) -> None:
    async with people((80, 24)) as person:
        await person.choose("unix/stream")
        await person.sees("remote · to connect, fill in path")
        assert "Connect" not in person.offered()


async def test_pane_4_shows_what_the_form_is_about(people: People) -> None:
    async with people((120, 40)) as person:
        await person.sees("AF_INET/udp")
        await person.choose("can/isotp")
        await person.until(lambda: "AF_CAN/isotp" in person.text("#capability-detail"), "its evidence")


async def test_groups_are_ticked_without_colour(people: People) -> None:
    async with people((80, 24)) as person:
        await person.choose("netlink/route")
        person.field("local.groups").focus()
        await person.settle()
        await person.press("down")
        await person.sees("[x] RTMGRP_LINK", "[ ] RTMGRP_NOTIFY", "[x] RTMGRP_IPV4_IFADDR")
        await person.press("space", "down", "space", "enter")
        await person.until(lambda: texts(person)["groups"] == "NOTIFY|IPV4_IFADDR|IPV6_IFADDR", "the groups")


async def test_down_goes_on_where_there_is_nothing_to_choose(people: People) -> None:
    async with people((80, 24)) as person:
        await person.choose("inet/udp")
        person.field("local.port").focus()
        await person.settle()
        assert "Choose" not in person.offered()
        await person.press("down")
        assert person.app.screen.focused is person.field("remote.host")
        assert "Choose" in person.offered()


async def test_long_structures_are_short_dumps_and_scroll(people: People) -> None:
    async with people((80, 24)) as person:
        await person.choose("alg/hash")
        await person.press("s")
        shown = await person.sees("struct sockaddr_alg · 88 bytes", "\n *")
        assert "0040" not in shown, "lines like the one before are left out"
        await person.press("pagedown", "pagedown")
        await person.sees("salg_name")
