"""The form: nonsense is named with its remedy, the host's refusals are explained, looking around loses nothing."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from person import Person
from textual.widgets import Button

from sockexplorer.families import all_families, find
from sockexplorer.ui.widgets.box import Box
from sockexplorer.ui.widgets.form_actions import FormActions

People = Callable[..., Person]

# Protocol, field, nonsense, and what the form then says: the field, the value, the remedy.
NONSENSE = [
    ("inet/udp", "local.port", "http-ish", ("port 'http-ish' is not a number", "write a number from 0 to 65535")),
    ("inet/udp", "local.port", "65536", ("port", "65536", "write a number from 0 to 65535")),
    ("inet/udp", "local.port", "-1", ("port", "-1", "write a number from 0 to 65535")),
    ("inet/udp", "local.port", "0123", ("port", "leading zero", "write 123")),
    ("inet/udp", "local.host", "127.0.0.256", ("host", "127.0.0.256")),
    ("inet/udp", "local.host", "::1", ("host", "::1")),
    ("inet6/udp", "local.host", "fe80::1::2", ("host", "fe80::1::2")),
    ("inet6/udp", "local.flowinfo", "0x100000", ("flowinfo", "0x100000", "1048575")),
    ("inet6/udp", "local.scope_id", "no-such-if", ("scope_id", "no-such-if", "choose one from the list")),
    ("unix/stream", "local.path", "/" + "x" * 108, ("path", "has 109 bytes", "at most 107")),
    ("unix/dgram", "local.path", r"@\q", ("path", r"\q")),
    ("netlink/route", "local.groups", "LINK|NONSENSE", ("groups", "NONSENSE", "RTMGRP_LINK")),
    ("netlink/route", "local.pid", "me", ("pid 'me' is not a number", "write a number from 0 to 4294967295")),
    ("packet/raw", "local.ifname", "", ("ifname",)),
    ("vsock/stream", "local.cid", "moon", ("cid", "moon", "VMADDR_CID_ANY")),
    ("inet/raw", "proto", "IPPROTO_NONE", ("protocol 'IPPROTO_NONE' is not a number", "IPPROTO_ICMP")),
    ("inet/udplite", "option.UDPLITE_SEND_CSCOV", "all", ("UDPLITE_SEND_CSCOV 'all' is not a number", "write")),
]


async def test_nonsense_is_told_with_field_value_and_remedy(people: People) -> None:
    async with people((80, 24)) as person:
        shown_path = ""
        for path, name, text, says in NONSENSE:
            if path != shown_path:
                await person.choose(path)
                shown_path = path
            field = person.field(name)
            before = field.value
            await person.fill(name, text)
            buttons = [
                each for word in ("bind", "listen") if (each := person.main.address.query_one(f"#do-{word}")).display
            ]
            await person.until(lambda b=buttons: all(each.disabled for each in b), f"{name}={text!r} to be refused")
            shown = " ".join(person.text("#verdict").split())
            for each in says:
                assert each in shown, f"{path} {name}={text!r}: {shown}"
            assert field.has_class("-wrong") or not text, f"{path} {name}"
            await person.press("enter")
            assert not person.hub.sessions, "Enter opened what the form refuses"
            await person.press("escape")
            offered = person.offered()
            assert not {"Bind", "Listen"} & offered, f"the footer offers {offered} for {path} {name}={text!r}"
            await person.fill(name, before)
        await person.choose("inet/udp")
        await person.fill("local.port", "0")
        await person.operate("bind")


async def test_what_cpython_accepts_but_no_one_means_is_a_warning(people: People) -> None:
    async with people((120, 40)) as person:
        await person.choose("inet/udp")
        await person.fill("local.host", "010.0.0.1")
        await person.sees("⚠ host")
        await person.choose("netlink/route")
        await person.fill("local.pid", "4294967297")
        await person.sees("⚠ pid")
        assert not person.main.address.query_one("#do-bind", Button).disabled


async def test_typing_shows_no_letter_keys_in_the_footer(people: People) -> None:
    async with people((80, 24)) as person:
        await person.choose("inet/udp")
        assert {"Bind", "Code", "Quit"} <= person.offered()
        assert "Connect" not in person.offered(), "there is no port to connect to yet"
        person.field("local.host").focus()
        await person.settle()
        offered = person.offered()
        assert not {"Bind", "Connect", "Listen", "Code", "Copy", "Edit", "Filter", "Send"} & offered
        assert {"Open", "Leave field"} <= offered
        await person.fill("remote.port", "9")
        await person.press("escape")
        await person.until(lambda: {"Bind", "Connect"} <= person.offered(), "connect to be possible")
        await person.choose("inet/tcp")
        assert "Listen" in person.offered()
        assert "Bind" not in person.offered(), "a TCP form has no bind alone"


async def test_a_port_that_is_taken_is_explained_in_the_form(people: People, size: tuple[int, int]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        async with people(size, process=True) as person:
            await person.choose("inet/tcp")
            await person.fill("local.port", str(holder.getsockname()[1]))
            await person.press("enter")
            await person.sees("EADDRINUSE", "Another", "▸ ")
            assert not person.hub.sessions
            await person.fill("local.port", "0")
            await person.until(lambda: "EADDRINUSE" not in person.screen, "the explanation to go with its cause")
            await person.operate("listen")


@pytest.mark.parametrize(
    ("path", "fields", "says"),
    [
        (
            "inet/udp",
            {"local.host": "203.0.113.77", "local.port": "0"},
            ("EADDRNOTAVAIL", "▸ choose one of"),
        ),
        ("unix/stream", {"local.path": "/nonexistent/dir/s"}, ("ENOENT", "▸")),
        (
            "packet/raw",
            {"local.ifname": "no-such-if0"},
            ("there is no interface 'no-such-if0' on this host", "choose one"),
        ),
    ],
)
async def test_a_refusal_of_the_host_names_a_fix(
    people: People, path: str, fields: dict[str, str], says: tuple[str, ...]
) -> None:
    async with people((80, 24)) as person:
        await person.choose(path)
        for name, value in fields.items():
            await person.fill(name, value)
        await person.press("enter")
        await person.sees(*says)
        await person.choose("netlink/route")
        await person.operate("bind")


async def test_a_leftover_socket_file_is_never_removed(people: People, tmp_path: Path) -> None:
    path = tmp_path / "leftover"
    with socket.socket(socket.AF_UNIX) as leftover:
        leftover.bind(str(path))
    async with people((120, 40)) as person:
        await person.choose("unix/stream")
        await person.fill("local.path", str(path))
        await person.press("enter")
        await person.sees("EADDRINUSE", "There is a file")
    assert path.exists()


async def test_drafts_are_kept_while_looking_around(people: People) -> None:
    async with people((120, 40)) as person:
        await person.choose("inet/udp")
        await person.fill("local.port", "4242")
        await person.choose("unix/stream")
        await person.choose("inet/udp")
        assert person.field("local.port").value == "4242"


async def test_rapid_switching_between_protocols_never_crashes(people: People) -> None:
    async with people((120, 40)) as person:
        everything = [(family, protocol) for family in all_families() for protocol in family.protocols]
        for family, protocol in everything:
            person.main.pick(family, protocol)
        person.main.address.show(*everything[0])
        person.main.address.show(*everything[1])
        person.main.address.show(*everything[0])
        person.main.families.family_tree.focus()
        for _ in range(30):
            person.app.simulate_key("down")
        for _ in range(30):
            person.app.simulate_key("up")
        await person.settle()
        names = [each.name for each in person.main.address.form.inputs()]
        assert len(names) == len(set(names))
        await person.choose("inet/udp")
        await person.fill("local.port", "0")
        await person.operate("bind")


async def test_boxes_switch_by_key_and_mouse_and_reach_the_socket(people: People) -> None:
    async with people((120, 40)) as person:
        await person.choose("inet/udp")
        await person.fill("local.port", "0")
        box = next(each for each in person.main.address.query(Box) if each.name == "option.SO_REUSEPORT")
        assert not box.value
        box.focus()
        await person.press("space")
        assert box.value
        await person.click(box)
        assert not box.value
        await person.click(box)
        session = await person.operate("bind")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as second:
            second.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            second.bind(session.local)  # type: ignore[arg-type]


async def test_the_form_starts_filled_from_the_command_line(people: People) -> None:
    async with people((80, 24), start=("inet6/tcp", "[::1]:4321")) as person:
        await person.sees("('::1', 4321)")
        assert person.field("local.port").value == "4321"
    async with people((80, 24), start=("inet/udp", "1.2.3.4.5.6:\x1b[31m")) as person:
        await person.sees("The address was not understood")


async def test_the_names_of_options_can_be_read(people: People, size: tuple[int, int]) -> None:
    async with people(size) as person:
        for path in ("can/raw", "netlink/route"):
            await person.choose(path)
            _, protocol = find(path)
            await person.sees(*(f"] {each.name}" for each in protocol.options if each.flag))


async def test_an_option_with_a_long_name_has_room_for_its_value(people: People, size: tuple[int, int]) -> None:
    async with people(size) as person:
        await person.choose("netlink/route")
        person.field("option.NETLINK_ADD_MEMBERSHIP").value = "1234567890"
        await person.sees("NETLINK_ADD_MEMBERSHIP 1234567890")


async def test_the_focus_is_on_a_button_that_can_be_pressed_whenever_the_verdict_comes(people: People) -> None:
    async with people() as person:
        await person.choose("inet/udp")
        actions = person.main.address.query_one(FormActions)
        assert person.app.focused is actions.query_one("#do-bind")
        person.field("local.port").value = "65536"
        await person.until(lambda: person.app.focused is actions.query_one("#do-code"), "the focus on the code")
        person.field("local.port").value = "0"
        await person.until(lambda: not actions.query_one("#do-bind").disabled, "bind to be possible")
        person.field("local.port").focus()
        await person.settle()
        actions.focus_on("bind")
        # What the draft holds counts, whatever verdict on it is still under way.
        draft = person.main.address.draft
        assert draft is not None
        draft.texts["local"]["port"] = "65536"
        person.main.address.redraw()
        await person.settle()
        assert person.app.focused is actions.query_one("#do-code")
