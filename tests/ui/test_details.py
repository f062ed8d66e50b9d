"""The details of a row: the tree of fields and the hex dump lead to each other."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from person import Person
from rich.cells import cell_len
from rich.style import Style

from sockexplorer.core.payload import hex_lines
from sockexplorer.ui.facts import Fact, fact_at
from sockexplorer.ui.widgets.field_tree import MOST_LINES, FieldTree, _wrapped
from sockexplorer.ui.widgets.hexdump import HexDump

People = Callable[..., Person]
DATA = bytes(range(40))


async def links_of_kernel(person: Person) -> tuple[FieldTree, HexDump]:
    """The details of the kernel's first answer about its links."""
    session = await person.open("netlink/route", "bind")
    await person.press("s", "enter", "escape")
    await person.until(lambda: session.log.received >= 1, "the answer")
    person.main.traffic.view.move_to(1)
    await person.show_details()
    tree, dump = person.main.query_one(FieldTree), person.main.query_one(HexDump)
    await person.until(lambda: any(each.name == "IFNAME" for each in tree.facts), "the decoded answer")
    return tree, dump


async def test_a_field_marks_its_bytes(people: People, size: tuple[int, int]) -> None:
    async with people(size) as person:
        tree, dump = await links_of_kernel(person)
        tree.focus()
        await person.settle()
        wanted = next(index for index, each in enumerate(tree.facts) if each.name == "IFNAME")
        while tree.current is not tree.facts[wanted]:
            await person.press("j")
        assert dump.data[dump.marked.start : dump.marked.stop].rstrip(b"\0").endswith(b"lo")
        marked = dump.data[dump.marked.start : dump.marked.stop].hex(" ")
        assert f"[{marked[:5]}" in person.screen, "brackets tell it without colour"
        await person.press("g")
        assert not dump.marked, "the frame's number is in none of the bytes"


async def test_what_a_single_message_says_is_told_once(people: People) -> None:
    async with people((80, 24)) as person:
        tree, _ = await links_of_kernel(person)
        view = person.main.traffic.view
        for line in range(1, view.line_count()):
            view.move_to(line)
            await person.settle()
            at = next(index for index, each in enumerate(tree.facts) if each.name == "netlink")
            messages = [each for each in tree.facts[at:] if each.depth == 1]
            told = f"{messages[0].name} {messages[0].value}".rstrip()
            assert tree.facts[at].value.startswith(told) is (len(messages) > 1)


async def test_fields_and_bytes_stand_above_each_other_where_there_is_no_room_beside(people: People) -> None:
    async with people((40, 24)) as person:
        tree, dump = await links_of_kernel(person)
        line = next(each for each in person.screen.splitlines() if "▸ time" in each)
        assert line.count(":") == 2, "the value stands beside its name"
        await person.press("tab", "tab", "l", "l", "l", "l", "l", "l")
        assert (dump.byte, tree.current and tree.current.name) == (6, "flags")
        assert "flags" in person.screen
        assert dump.region.y == tree.region.bottom


async def test_a_byte_finds_its_field(people: People, size: tuple[int, int]) -> None:
    async with people(size) as person:
        tree, dump = await links_of_kernel(person)
        dump.focus()
        await person.settle()
        await person.press("l", "l", "l", "l")
        assert dump.byte == 4
        await person.press("l", "l")
        assert tree.current is not None
        assert tree.current.name == "flags", "byte 6 is the first of nlmsg_flags"
        assert list(dump.marked) == [6, 7]
        for each in range(len(dump.data)):
            assert dump.byte == min(6 + each, len(dump.data) - 1)
            assert tree.current.has_bytes
            assert dump.byte in dump.marked
            await person.press("l")
            if each > 40:
                break
        await person.press("G")
        assert dump.byte == len(dump.data) - 1
        await person.press("g")
        assert dump.byte == 0


async def test_a_click_on_a_byte_and_on_its_letter(people: People, peer: socket.socket) -> None:
    async with people((120, 40)) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        peer.sendto(bytes(range(0x40, 0x60)), session.local)  # type: ignore[arg-type]
        await person.until(lambda: session.log.received == 1)
        await person.show_details()
        dump, tree = person.main.query_one(HexDump), person.main.query_one(FieldTree)
        lines = person.screen.splitlines()
        row = next(n for n, each in enumerate(lines) if "0010" in each)
        for text, byte in (("51 52", 0x11), ("PQRS", 0x10)):
            await person.click(dump, offset=(lines[row].index(text) - dump.region.x, row - dump.region.y))
            assert dump.byte == byte
            assert tree.current is not None
            assert tree.current.name == "payload"


async def test_the_sockaddr_of_the_peer_folds_out_and_shows_its_bytes(people: People, peer: socket.socket) -> None:
    async with people((120, 40)) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        peer.sendto(b"hello", session.local)  # type: ignore[arg-type]
        await person.until(lambda: session.log.received == 1)
        await person.show_details()
        tree, dump = person.main.query_one(FieldTree), person.main.query_one(HexDump)
        tree.focus()
        await person.settle()
        assert "sin_port" not in tree.text()
        while tree.current is None or tree.current.name != "peer":
            await person.press("j")
        await person.press("l", "j")
        assert tree.current.name == "sockaddr"
        assert dump.data[:2] == (socket.AF_INET).to_bytes(2, "little")
        await person.press("j", "j")
        assert tree.current.name == "sin_port"
        assert int.from_bytes(dump.data[dump.marked.start : dump.marked.stop], "big") == peer.getsockname()[1]
        await person.press("h", "h")
        assert tree.current.name == "sockaddr"
        assert "sin_port" not in tree.text(), "folded again"
        await person.press("G")
        assert dump.data == b"hello"


async def test_the_field_is_kept_from_row_to_row(people: People, peer: socket.socket) -> None:
    async with people((120, 40)) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        for each in (b"one", b"three"):
            peer.sendto(each, session.local)  # type: ignore[arg-type]
        await person.until(lambda: session.log.received == 2)
        await person.show_details()
        tree, view = person.main.query_one(FieldTree), person.main.traffic.view
        tree.focus()
        await person.settle()
        while tree.current is None or tree.current.name != "length":
            await person.press("j")
        view.focus()
        await person.press("k")
        await person.until(lambda: "3" in tree.current.value if tree.current else False, "the other row")
        assert tree.current is not None
        assert tree.current.name == "length"


FACTS = st.lists(
    st.builds(
        lambda depth, start, size: Fact(depth, "x", "", DATA, start, min(start + size, len(DATA))),
        st.integers(0, 4), st.integers(0, 39), st.integers(0, 40),
    ),
    max_size=30,
)  # fmt: skip


@given(FACTS, st.integers(0, 39))
def test_the_fact_of_a_byte_is_the_narrowest_that_has_it(facts: list[Fact], offset: int) -> None:
    found = fact_at(facts, DATA, offset)
    having = [each for each in facts if each.start <= offset < each.end]
    assert (found is None) == (not having)
    if found is not None:
        assert facts[found] in having
        assert facts[found].end - facts[found].start == min(each.end - each.start for each in having)


@given(st.binary(max_size=200), st.sampled_from(["route", "generic", "kobject-uevent"]))
def test_every_decoded_byte_that_has_a_field_finds_one_whose_bytes_hold_it(payload: bytes, protocol: str) -> None:
    from sockexplorer.decoders import decode

    root = decode("AF_NETLINK", protocol, payload)
    facts = [Fact(0, root.name, "", payload, root.start, root.end)]
    facts += [Fact(depth + 1, node.name, "", payload, node.start, node.end) for depth, node in root.walk()]
    for each in facts:
        assert 0 <= each.start <= each.end <= len(payload), each
    for offset in range(len(payload)):
        found = fact_at(facts, payload, offset)
        assert found is not None, "the root holds every byte"
        assert facts[found].start <= offset < facts[found].end


class BareDump(HexDump):
    """Draws without an application; sixteen bytes a line."""

    per_line = 16
    few_colours = False

    @property
    def _per_line(self) -> int:
        return self.per_line

    def get_component_rich_style(self, *names: str, **more: object) -> Style:  # type: ignore[override]
        return Style()

    def tone(self, name: str) -> Style:
        return Style()


def drawn(dump: HexDump) -> list[str]:
    """The texts of all lines."""
    return ["".join(text for text, _ in dump.line(index, 80)) for index in range(dump.line_count())]


@pytest.mark.parametrize("width", [16, 8])
@given(st.binary(min_size=1, max_size=60), st.integers(0, 60), st.integers(0, 60))
def test_a_mark_only_adds_its_brackets(width: int, data: bytes, start: int, size: int) -> None:
    dump = BareDump()
    dump.per_line, dump._data = width, data
    plain = drawn(dump)
    for index, (offset, digits, letters) in enumerate(hex_lines(data, 0, width)):
        assert plain[index] == f"{offset:04x}  {digits}  {letters}"
    dump.marked = range(start, min(start + size, len(data)))
    marked = drawn(dump)
    columns = 7 + 3 * width  # the ASCII column may have brackets of its own
    digits_of = [line[:columns] for line in marked]
    assert "".join(digits_of).count("[") == "".join(digits_of).count("]") == (1 if dump.marked else 0)
    assert [line[:columns].replace("[", " ").replace("]", " ") + line[columns:] for line in marked] == plain


async def test_who_looks_at_a_row_keeps_it_while_others_come(
    people: People, size: tuple[int, int], peer: socket.socket
) -> None:
    async with people(size) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        view, tree = person.main.traffic.view, person.main.query_one(FieldTree)
        for number in range(3):
            peer.sendto(b"frame %d" % number, session.local)  # type: ignore[arg-type]
        await person.until(lambda: view.number_at(view.cursor) == 3)
        await person.show_details()
        tree.focus()
        await person.settle()
        assert not view.following
        peer.sendto(b"frame 3", session.local)  # type: ignore[arg-type]
        await person.until(lambda: view.line_count() == 4)
        await person.settle()
        assert view.number_at(view.cursor) == 3
        assert tree.facts[0].value.startswith("3 ")
        await person.sees("not following" if size[0] > 80 else "follow")
        view.focus()
        await person.press("G")
        await person.until(lambda: tree.facts[0].value.startswith("4 "))
        assert view.following


async def test_a_value_is_not_cut_by_the_scroll_bar(people: People) -> None:
    """Unfolding brings the scroll bar: values that were as wide as the tree are wrapped, none is cut at its edge."""
    async with people((100, 30)) as person:
        tree, _ = await links_of_kernel(person)
        tree.focus()
        await person.settle()
        await person.press("G", "g")
        width = tree.scrollable_content_region.width
        assert tree.show_vertical_scrollbar
        for index in range(tree.line_count()):
            assert sum(len(text) for text, _ in tree.line(index, width)) <= width
        tree.show([Fact(0, "one", "x" * (width - 12)), Fact(0, "two", "y" * (width - 12))])
        await person.settle()
        assert not tree.show_vertical_scrollbar
        assert tree.scrollable_content_region.width == width
        tree.show([Fact(0, str(number), "x" * (width - 12)) for number in range(40)])
        await person.settle()
        assert tree.line_count() == 40
        assert tree.scrollable_content_region.width == width


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ("16 AF_NETLINK · address family", ["16 AF_NETLINK ·", "address family"]),
        ("eth7 <UP|BROADCAST|RUNNING> up", ["eth7 <UP|", "BROADCAST|RUNNING>", "up"]),
        ("a" * 40 + " b", ["a" * 18, "a" * 18, "aaaa b"]),
        ("κόσμε привет здравствуй", ["κόσμε привет", "здравствуй"]),
    ],
)
def test_a_value_is_broken_between_words(value: str, lines: list[str]) -> None:
    assert _wrapped(value, 18) == lines


@given(st.text(max_size=200), st.integers(8, 40))
def test_any_value_fits_in_its_lines(value: str, room: int) -> None:
    lines = _wrapped(value, room)
    assert 1 <= len(lines) <= MOST_LINES
    assert all(cell_len(each) <= room for each in lines)
    if not lines[-1].endswith("…"):
        assert "".join(lines).replace(" ", "") == value.replace(" ", "") or not value.isprintable()


async def test_the_border_says_how_to_get_to_fields_and_bytes(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        peer.sendto(b"hello", session.local)  # type: ignore[arg-type]
        await person.until(lambda: session.log.received == 1)
        await person.show_details()
        await person.sees("tab: fields ")
        await person.press("tab")
        await person.sees("space: fold", "tab: bytes", "shift+tab: rows")
        assert person.main.query_one(FieldTree).has_focus
        await person.press("tab")
        await person.sees("arrows: byte by byte", "shift+tab: fields")
        assert person.main.query_one(HexDump).has_focus
        await person.press("shift+tab", "shift+tab")
        await person.sees("tab: fields ")
        assert person.main.traffic.view.has_focus


async def test_on_a_narrow_screen_fields_and_bytes_have_room_beside_each_other(
    people: People, peer: socket.socket
) -> None:
    async with people((60, 20)) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        peer.sendto(b"narrow screen", session.local)  # type: ignore[arg-type]
        await person.until(lambda: person.main.traffic.view.line_count() == 1, "the row")
        await person.show_details()
        await person.sees("0000  6e 61  72 72  narr", "000c  6e            n", f"{peer.getsockname()[1]})")
        dump = person.main.query_one(HexDump)
        # After the border and a blank: the offset, two blanks, and after two bytes one blank more.
        await person.click(dump, offset=(2 + 6 + 2 * 3 + 1, 1))
        assert dump.byte == 6, "the third byte of the second line"
