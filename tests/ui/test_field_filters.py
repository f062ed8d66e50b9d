"""From a field of the details to the rows in which it says the same."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from person import Person
from test_details import links_of_kernel
from test_traffic_pane import with_frames

from sockexplorer.capture import pcapng
from sockexplorer.capture.filter import compile_filter
from sockexplorer.client.file_session import FileSession
from sockexplorer.client.files import open_file
from sockexplorer.client.finding import filter_of
from sockexplorer.ui.facts import facts_of
from sockexplorer.ui.field_filters import equals, filter_by, narrowed
from sockexplorer.ui.widgets.field_tree import FieldTree
from sockexplorer.ui.widgets.filter_bar import FilterLine

People = Callable[..., Person]


async def asked(person: Person, name: str) -> str:
    """What is in the filter after `a` on the field of a name."""
    tree = person.main.query_one(FieldTree)
    tree.focus()
    tree.point_at(next(index for index, each in enumerate(tree.facts) if each.name == name))
    await person.press("a")
    return person.main.query_one(FilterLine).value


async def test_fields_that_the_socket_tells(people: People, size: tuple[int, int], peer: socket.socket) -> None:
    async with people(size) as person:
        await with_frames(person, peer, 12)
        await person.show_details()
        person.main.query_one(FieldTree).focus()
        await person.sees("a: filter")
        name = person.session.peer_name(person.rows[-1].peer)
        assert await asked(person, "length") == "len==8"
        await person.sees("✓ 2 of 12 rows")
        assert person.main.query_one(FilterLine).has_focus, "to go on with, or to see its rows with Enter"
        assert await asked(person, "sin_port") == f'len==8 and peer=="{name}"'
        assert await asked(person, "frame") == f'len==8 and peer=="{name}" and dir==in'
        await person.sees("✓ 2 of 12 rows")
        await person.press("enter")
        assert person.main.traffic.view.has_focus
        before = person.main.query_one(FilterLine).value
        assert await asked(person, "time") == before
        await person.sees("There is no filter for this field.")


async def test_fields_that_a_decoder_reads(people: People) -> None:
    async with people((120, 40)) as person:
        tree, _ = await links_of_kernel(person)
        assert await asked(person, "IFNAME") == "nl.ifname==lo"
        await person.press("escape")
        assert await asked(person, "RTM_NEWLINK") == "nl.type==RTM_NEWLINK"
        await person.sees("✓ ")
        frame = person.main.traffic.view.current()
        assert frame is not None
        filters = [filter_by(tree.facts, index, frame, person.session) for index in range(len(tree.facts))]
        for each in filter(None, filters):
            predicate = filter_of(each, person.session)
            assert predicate is not None
            assert predicate(frame), each
        assert {"nl.mtu==65536", "nl.operstate==UNKNOWN"} & set(filters)


async def test_the_protocol_that_a_row_shows(people: People, tmp_path: Path) -> None:
    """It is the socket's, and of a link the ethertype of the sockaddr."""
    data = pcapng.section("x", "y") + pcapng.interface(147) + pcapng.interface(101) + pcapng.interface(1, "lo")
    for number, payload in enumerate((b"x", b"\x45" + bytes(19), bytes(12) + b"\x08\x06" + bytes(46))):
        data += pcapng.packet(number, number, (payload,), len(payload), None)
    (path := tmp_path / "some.pcapng").write_bytes(data)
    async with people((120, 40)) as person:
        session = open_file(person.hub, path)
        assert isinstance(session, FileSession)
        person.main.show_session(session)
        await person.until(lambda: person.main.traffic.view.line_count() == 3, "the rows")
        for number, name, wanted in (
            (1, "socket", 'protocol=="link type 147"'), (2, "socket", "protocol==raw"), (3, "socket", ""),
            (3, "sll_protocol", "protocol==arp"),
        ):  # fmt: skip
            frame = session.log.frame(number)
            facts = facts_of(frame, session)
            index = next(at for at, each in enumerate(facts) if each.name == name)
            assert filter_by(facts, index, frame, session) == wanted


@pytest.mark.parametrize(
    ("text", "number", "wanted"),
    [
        ("RTM_NEWLINK", 16, "x==RTM_NEWLINK"),
        ("61444 EEC1 engine 1", 61444, "x==61444"),
        ("18F00401", 0x18F00401, "x==0x18f00401"),
        ("123", 0x123, "x==0x123"),
        ("0x0002 NLM_F_MULTI", 2, "x==0x0002"),
        ("16", 16, "x==16"),
        ("or", None, 'x=="or"'),
        ("7", 7, "x==7"),
        ('two "words" \\', None, r'x=="two \"words\" \\"'),
    ],
)
def test_a_value_is_written_as_it_is_read(text: str, number: int | None, wanted: str) -> None:
    assert equals("x", text, number) == wanted


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "len==8"),
        (" x ", "x and len==8"),
        ("x or y", "(x or y) and len==8"),
        ("x||y", "(x||y) and len==8"),
        ("len==8", "len==8"),
    ],
)
def test_a_filter_is_narrowed(before: str, after: str) -> None:
    assert narrowed(before, "len==8") == after
    assert compile_filter(after, str) is not None
