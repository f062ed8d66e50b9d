"""Families by number through the interface: the form of bytes, and that it is told how they were opened."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable

from person import Person
from support import udp

People = Callable[..., Person]
RTM_GETLINK = struct.pack("=IHHIIB3x", 20, 18, 0x301, 7, 0, 0)


async def test_an_address_of_bytes_is_bound(people: People) -> None:
    async with people((120, 40)) as person:
        session = await person.open("2/dgram", "bind", local_data="0000 7f000001 0000000000000000")
        await person.sees("opened by number: its addresses are bytes")
        port = int.from_bytes(session.local[1][:2], "big")  # type: ignore[index]
        with udp() as peer:
            peer.sendto(b"from outside", ("127.0.0.1", port))
            await person.sees("from outside", "7f 00 00 01")
            await person.compose("answer")
            assert await asyncio.to_thread(peer.recv, 64) == b"answer"


async def test_the_form_says_who_decides(people: People) -> None:
    async with people((80, 24)) as person:
        await person.choose("15/raw")
        await person.fill("local.data", "00 01")
        await person.sees("opened by number: only the kernel knows if it is right")


async def test_it_stands_in_the_tree_once_it_was_chosen(people: People) -> None:
    async with people((120, 40)) as person:
        tree = person.main.families.family_tree
        before = len(tree.root.children)
        await person.choose("15/raw")
        await person.choose("inet/udp")
        await person.choose("key/dgram")
        added = tree.root.children[before:]
        assert [str(each.label) for each in added] == ["AF_KEY"]
        await person.until(
            lambda: tree.cursor_node is not None and str(tree.cursor_node.label) == "dgram", "the cursor"
        )


async def test_it_is_only_opened_with_its_key(people: People) -> None:
    async with people((120, 40)) as person:
        await person.choose("16/raw")
        await person.sees("o Open")
        await person.press("escape")
        await person.press("o")
        await person.until(lambda: person.hub.sessions, "a session")
        session = next(iter(person.hub.sessions.values()))
        await person.until(lambda: session.state == "open", "the session to be open")
        assert session.by_number
        await person.compose(RTM_GETLINK.hex(), hexadecimal=True)
        await person.until(lambda: session.log.received, "the kernel's answer")


async def test_what_is_pasted_leads_to_its_form(people: People) -> None:
    async with people((120, 40)) as person:
        await person.choose("inet/udp")
        await person.press("p", *"socket.socket(15, socket.SOCK_RAW, 2)")
        await person.sees("key/raw")
        await person.press("enter")
        await person.sees("AF_KEY · SOCK_RAW")
        draft = person.main.address.draft
        assert draft is not None
        assert (draft.family.constant, draft.protocol.name, draft.proto_number()) == ("AF_KEY", "raw", 2)
