"""The other families through the interface: UNIX, netlink, packet, vsock, IPv6."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from person import Person
from support import PATIENCE, inside, namespace_python
from textual.widgets import OptionList

from sockexplorer.ui.screens.choose import ChooseScreen
from sockexplorer.ui.widgets.field_tree import FieldTree

People = Callable[..., Person]
GETLINK = struct.pack("=IHHIIB3x", 20, 18, 0x301, 7, 0, 0)


async def test_unix_stream_listens_at_a_path_and_removes_its_file(people: People, tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with people((80, 24)) as person:
        session = await person.open("unix/stream", "listen", local_path=str(path))
        assert path.stat().st_mode & 0o777 == 0o600
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
            peer.settimeout(PATIENCE)
            peer.connect(str(path))
            peer.sendall(b"by file")
            await person.sees("by file", f"pid {os.getpid()}")
            await person.compose("answer")
            assert await asyncio.to_thread(peer.recv, 64) == b"answer"
            await person.press("escape")
        await person.press("x")
        await person.until(lambda: session.state == "closed")
        assert not path.exists()


async def test_unix_datagrams_on_an_abstract_name_and_on_one_of_the_kernel(people: People) -> None:
    name = f"sockexplorer-test-{os.getpid()}"
    async with people((120, 40)) as person:
        await person.open("unix/dgram", "bind", local_path=f"@{name}")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
            peer.settimeout(PATIENCE)
            peer.bind("")
            peer.sendto(b"abstractly", b"\0" + name.encode())
            await person.sees("abstractly", f"@{name}")
            await person.compose(r"back\x00")
            assert await asyncio.to_thread(peer.recv, 64) == b"back\0"
            await person.press("escape")

            await person.choose("unix/dgram")
            await person.fill("local.path", "")
            session = await person.operate("bind")
            assert isinstance(session.local, bytes)
            assert session.local[:1] == b"\0"
            peer.sendto(b"found you", session.local)
            await person.sees("found you")


async def test_unix_seqpacket_keeps_message_boundaries(people: People, tmp_path: Path) -> None:
    async with people((80, 24)) as person:
        session = await person.open("unix/seqpacket", "listen", local_path=str(tmp_path / "q"))
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
            peer.connect(str(tmp_path / "q"))
            for each in (b"one", b"two", b"three"):
                peer.send(each)
            await person.until(lambda: session.log.received == 3)
            assert [each.payload for each in person.rows if not each.event] == [b"one", b"two", b"three"]


async def test_netlink_shows_names_not_numbers(people: People) -> None:
    async with people((80, 24)) as person:
        session = await person.open("netlink/route", "bind")
        await person.press("s", "enter")  # the sample asks for all links, the kernel is the default
        await person.sees("RTM_NEWLINK lo <UP|LOOPBACK")
        await person.press("escape")
        await person.until(lambda: session.log.received >= 1)
        person.main.traffic.view.move_to(1)
        await person.show_details()
        await person.sees("(0, 0)", "RTM_NEWLINK lo", "0010")
        facts = person.main.query_one(FieldTree).text()
        assert re.search(r"IFNAME +lo", facts)
        assert "NLM_F_MULTI" in facts
        assert "IFF_UP|IFF_LOOPBACK" in re.sub(r"\s", "", facts)
        assert re.search(r"ifi_type +ARPHRD_LOOPBACK", facts)
        assert "STATS64" in facts
        assert not re.search(r"^ *[^ ]* *rx_over_errors", facts, re.MULTILINE), "an interface has dozens of counters"


@pytest.mark.optional_on_this_host("a network namespace of one's own may not be allowed")
async def test_an_answer_to_a_group_of_the_kernel_goes_to_the_kernel(people: People, tmp_path: Path) -> None:
    """Who has no rights may not write to a group: the sample was refused with EPERM once there was a row."""
    async with people((80, 24), python=namespace_python(tmp_path)) as person:
        session = await person.open("netlink/route", "bind")
        pid = int(person.hub.client.call("hello")["pid"])
        await asyncio.to_thread(inside, pid, "ip", "address", "add", "127.0.0.2/8", "dev", "lo")
        await person.sees("kernel groups 0x10 ", "RTM_NEWADDR 127.0.0.2/8")
        person.main.traffic.view.focus()
        await person.press("s", "enter")
        await person.sees("RTM_NEWLINK lo <UP|LOOPBACK")
        assert [session.peers[each.peer].address for each in person.rows if each.outgoing] == [(0, 0)]


@pytest.mark.optional_on_this_host("a network namespace of one's own may not be allowed")
async def test_packet_on_lo_shows_what_passes(people: People, tmp_path: Path) -> None:
    # In a namespace nobody else's packets push this one out of the kernel's ring, or of the log.
    async with people((120, 40), python=namespace_python(tmp_path)) as person:
        await person.choose("packet/raw")
        field = next(each for each in person.main.address.form.inputs() if each.field.kind.offers == "interfaces")
        field.focus()
        await person.settle()
        await person.press("down")
        await person.until(lambda: list(person.app.screen.query(OptionList)), "the list of interfaces")
        options = person.app.screen.query_one(OptionList)
        wanted = next(n for n, each in enumerate(options.options) if str(each.prompt).startswith("lo "))
        options.highlighted = wanted
        await person.press("enter")
        await person.until(lambda: field.value == "lo")
        await person.operate("bind")
        pid = int(person.hub.client.call("hello")["pid"])
        send = "import socket; s = socket.socket(2, 2); s.bind(('', 4711)); s.sendto(b'marker', ('127.0.0.1', 4711))"
        await asyncio.to_thread(inside, pid, sys.executable, "-c", send)
        await person.until(lambda: any(b"marker" in each.payload for each in person.rows), "the packet")
        await person.sees("udp 127.0.0.1:4711 → 127.0.0.1:4711  marker", "← lo IP  ", "→ lo IP  ")
        await person.press("slash", *"127.0.0.1:4711")
        await person.sees("✓ 2 of ")


@pytest.mark.optional_on_this_host("AF_VSOCK may be missing")
async def test_vsock_listens_or_says_why_not(people: People) -> None:
    try:
        with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM):
            missing = False
    except OSError:
        missing = True
    async with people((80, 24)) as person:
        await person.choose("vsock/stream")
        await person.fill("local.port", "52341")
        await person.press("enter")
        if missing:
            await person.sees("✗ socket:")
        else:
            await person.sees("listening", "any:52341")


async def test_a_scope_is_chosen_from_the_interfaces(people: People) -> None:
    async with people((80, 24)) as person:
        await person.choose("inet6/udp")
        await person.fill("local.host", "fe80::1")
        await person.sees("⚠ scope_id: a link-local address needs")
        field = person.field("local.scope_id")
        field.focus()
        await person.settle()
        await person.press("down")
        await person.until(lambda: isinstance(person.app.screen, ChooseScreen), "the list of interfaces")
        await person.sees("1  lo")
        await person.press("j", "enter")
        await person.until(lambda: field.value not in ("", "0"), "the choice in the field")
        assert int(field.value) in {number for number, _ in socket.if_nameindex()}
        await person.until(lambda: "⚠ scope_id" not in person.screen, "the warning to go")
        await person.press("down", "escape")
        assert field.value != "0", "escape in the list changes nothing"


@pytest.mark.optional_on_this_host("IPv6 may be switched off")
async def test_inet6_loopback(people: People) -> None:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 loopback here")
    async with people((120, 40)) as person:
        session = await person.open("inet6/udp", "bind", local_port="0")
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as peer:
            peer.sendto(b"over six", session.local)  # type: ignore[arg-type]
            await person.sees("over six", "[::1]:")


async def test_a_peer_without_a_name_is_told_apart_in_the_details(people: People, tmp_path: Path) -> None:
    async with people((120, 40)) as person:
        session = await person.open("unix/stream", "listen", local_path=str(tmp_path / "x.sock"))
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
            peer.connect(str(tmp_path / "x.sock"))
            peer.sendall(b"hello")
            await person.until(lambda: session.log.received == 1)
            await person.show_details()
            name = next(iter(session.peers.values())).name
            assert f"pid {os.getpid()}" in name
            tree = person.main.query_one(FieldTree)
            await person.until(lambda: any(each.value == f"''   {name}" for each in tree.facts), "the peer")
