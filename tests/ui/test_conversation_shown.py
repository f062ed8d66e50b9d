"""The screens about a whole session: the conversation with a peer, and the statistics."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from person import Person
from rich.cells import cell_len
from talk import TALK, capture
from test_hostile import HOSTILE, printable
from test_traffic_pane import with_frames

from sockexplorer.capture.conversation import Conversation, Place
from sockexplorer.capture.link_types import ETHERNET
from sockexplorer.capture.statistics import Tally
from sockexplorer.client.file_session import FileSession
from sockexplorer.client.files import open_file
from sockexplorer.ui.clock import clock
from sockexplorer.ui.screens import conversation, statistics
from sockexplorer.ui.screens.conversation import ConversationScreen, ConversationView
from sockexplorer.ui.screens.statistics import StatisticsScreen, Table
from sockexplorer.ui.widgets.filter_bar import FilterLine

People = Callable[..., Person]


async def test_a_stream_is_followed_both_ways(people: People, size: tuple[int, int]) -> None:
    async with people(size) as person:
        session = await person.open("inet/tcp", "listen", local_port="0")
        with socket.create_connection(session.local) as peer, socket.create_connection(session.local) as other:  # type: ignore[arg-type]
            other.sendall(b"not this one\n")
            await person.sees("not this one")
            peer.sendall(b"first line\nsecond line\n")
            await person.sees("first line")
            person.main.traffic.view.action_bottom()
            await person.compose("the answer")
            await person.until(lambda: session.log.sent == 1)
            await person.press("escape", "F")
            await person.until(lambda: isinstance(person.app.screen, ConversationScreen))
            screen = await person.sees("← first line", "  second line", "→ the answer")
            assert "not this one" not in screen
            peer.sendall(b"more\n")
            await person.sees("← more")
            await person.press("tab")
            await person.sees("0000  66 69 72 73")
            await person.press("tab", "y")
            await person.sees("Copied the conversation", "4 lines")
            assert "← first line\n  second line\n→ the answer" in person.app.clipboard
            await person.press("escape")
            await person.until(lambda: person.app.screen is person.main)


async def test_what_two_ends_said_is_followed_in_a_capture_of_a_link(
    people: People, size: tuple[int, int], tmp_path: Path
) -> None:
    capture(path := tmp_path / "talk.pcapng", ETHERNET, *TALK)
    async with people(size) as person:
        session = open_file(person.hub, path)
        assert isinstance(session, FileSession)
        person.main.show_session(session)
        await person.sees("tcp SYN")
        await person.press("G", "F")
        screen = await person.sees("tcp 10.0.0.1:50001 ⇄ 10.0.0.2:80", "→ GET / HTTP/1.0", "← HTTP/1.0 200 OK", "hello")
        assert "not this one" not in screen
        assert "not over this protocol" not in screen


@pytest.mark.parametrize(
    ("of", "name", "value", "copied"), [(conversation, "MOST_COPIED", 3, 3), (Conversation, "behind", 7, 9)]
)
async def test_a_copy_of_a_part_says_that_there_is_more(
    people: People, peer: socket.socket, monkeypatch: pytest.MonkeyPatch, of: object, name: str, value: int, copied: int
) -> None:
    """Of a long conversation, and of one whose rows were not all looked at."""
    async with people((80, 24)) as person:
        await with_frames(person, peer, 9)
        await person.press("F")
        await person.sees("9 lines")
        monkeypatch.setattr(of, name, value)
        await person.press("y")
        await person.sees("Copied the conversation", f"the first {copied} lines; there are more")


async def test_it_begins_at_the_row_and_stays_there_as_text_and_as_hex(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 200)
        await person.press(":", "7", "5", "enter", "F")
        await person.sees("← frame 74", "frame 70", "frame 78", "200 lines")
        view = person.app.screen.query_one(ConversationView)

        def at() -> int:
            assert view.conversation is not None
            return view.conversation.place_at(view.cursor).frame

        assert at() == 75
        await person.press("j", "tab")
        await person.sees(f"← 0000  66 72 61 6d 65 20 37 35  {' ' * 23}  frame 75")
        await person.until(lambda: at() == 76, "the row that it was at")
        await person.press("g", "tab")
        await person.sees("← frame 0 ")
        assert at() == 1
        await person.press("G")
        peer.sendto(b"one more", person.session.local)
        await person.sees("← one more")


async def test_a_line_tells_its_row_and_its_time_and_leads_there(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 60)
        await person.press("F")
        await person.sees("60 lines", "⏎ To its row")
        await person.press("g", *"jjjj")
        await person.sees(f"row 5, {clock(person.rows[4].time, 6)}   60 lines")
        await person.press("enter")
        await person.until(lambda: person.app.screen is person.main, "the rows")
        view = person.main.traffic.view
        assert view.number_at(view.cursor) == 5
        assert view.has_focus
        assert not view.following
        await person.press("/", *"n>50", "enter", "G", "F")
        await person.sees("60 lines")
        await person.press("g")
        await person.sees("row 1, ")
        await person.press("enter")
        await person.sees("Row 1 is hidden; this is the", "nearest.")


async def test_a_resize_leaves_the_person_at_what_they_read(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 20)
        peer.sendto(bytes(1600), person.session.local)
        await person.until(lambda: person.session.log.received == 21, "the long one")
        await person.press("F", "tab")
        await person.sees("lines")
        view = person.app.screen.query_one(ConversationView)
        await person.until(lambda: view.line_count() > 100, "all lines")

        async def read(place: Place, above: int) -> None:
            def there() -> bool:
                conversation = view.conversation
                if conversation is None or view.cursor >= len(conversation):
                    return False
                return (conversation.place_at(view.cursor), view.cursor - view.scroll_offset.y) == (place, above)

            await person.until(there, f"to be at {place}")

        await person.press("g", *["pagedown"] * 4, "k", "k")
        assert view.conversation is not None
        place, above = view.conversation.place_at(view.cursor), view.cursor - view.scroll_offset.y
        assert place.start, "within the long one"
        assert above, "within the screen"
        for size in ((90, 30), (80, 24), (120, 40), (80, 24)):
            await person.pilot.resize_terminal(*size)
            await read(place, above)
        # Who scrolled away from the cursor reads what is in sight.
        view.scroll_to(y=5, animate=False, immediate=True)
        top = view.conversation.place_at(5)
        await person.pilot.resize_terminal(100, 30)
        await read(top, 0)
        await person.press("G")
        await person.pilot.resize_terminal(80, 24)
        peer.sendto(b"one more", person.session.local)
        await person.sees("one more")


async def test_statistics_by_peer_length_and_protocol(
    people: People, size: tuple[int, int], peer: socket.socket
) -> None:
    async with people(size) as person:
        await with_frames(person, peer, 8)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(b"x" * 1000, person.session.local)  # type: ignore[arg-type]
            other.sendto(b"x" * 1000, person.session.local)  # type: ignore[arg-type]
            await person.until(lambda: person.session.log.received == 10)
            await person.press("S")
            await person.until(lambda: isinstance(person.app.screen, StatisticsScreen))
            await person.sees("10 frames", f"127.0.0.1:{peer.getsockname()[1]}", "80.0%", "20.0%")
            await person.press("tab")
            await person.sees("4-7", "512-1023", "2.0 KiB")
            await person.press("tab")
            await person.sees("udp", "100.0%")
            other.sendto(b"later", person.session.local)  # type: ignore[arg-type]
            await person.sees("11 frames")
            table = person.app.screen.query_one(Table)
            width = table.scrollable_content_region.width
            assert sum(len(text) for text, _ in table.line(0, width)) <= width
        await person.press("escape")
        await person.until(lambda: person.app.screen is person.main)


@pytest.mark.parametrize(("frames", "name_cells"), [(3000, 33), (3_000_000_000, 18)])
def test_names_in_the_statistics_have_the_room_that_numbers_leave(frames: int, name_cells: int) -> None:
    table = Table()
    table.total = Tally(frames, frames // 2, frames * 16, frames * 8)
    table.rows = [("raw PGN 61444 EEC1 engine 1", table.total), ("raw SFF", Tally(1, 0, 16, 0))]
    assert table.room(72) == name_cells
    head = table.head("protocol", 72)
    assert len(head) <= 72
    for _, tally in table.rows:
        assert len(table.numbers(tally, 72)) == len(head) - name_cells - 1


@pytest.mark.parametrize(
    ("width", "columns"),
    [(56, ["frames", "share", "in", "out", "bytes"]), (50, ["frames", "in", "out", "bytes"]), (36, ["frames", "bytes"]),
     (26, ["frames"])],
)  # fmt: skip
def test_columns_of_the_statistics_give_way_to_names_and_none_is_cut(width: int, columns: list[str]) -> None:
    table = Table()
    table.total = Tally(3000, 1500, 48_000, 24_000)
    head = table.head("peer", width)
    assert head.split() == ["peer", *columns]
    assert table.room(width) >= 16
    assert len(head) == table.room(width) + 1 + len(table.numbers(table.total, width)) <= width


@pytest.mark.parametrize(
    ("width", "name_cells", "bar_cells"), [(72, 33, 0), (116, 63, 12), (156, 64, 51), (236, 98, 97)]
)
def test_what_names_do_not_need_in_a_wide_terminal_the_bar_has(width: int, name_cells: int, bar_cells: int) -> None:
    table = Table()
    table.total = Tally(3000, 1500, 48_000, 24_000)
    assert (table.room(width), table.bar_cells(width)) == (name_cells, bar_cells)
    gap = 2 if bar_cells else 0
    assert name_cells + 1 + len(table.numbers(table.total, width)) + gap + bar_cells == width


async def test_the_head_of_the_statistics_stands_over_its_columns(people: People, peer: socket.socket) -> None:
    """With a scroll bar, which many peers bring, and again without."""

    def over(name: str) -> bool:
        lines = [each.rstrip("│ ▁▂▃▄▅▆▇█") for each in person.screen.splitlines()]
        at = next((n for n, each in enumerate(lines) if each.endswith("bytes") and f" {name} " in each), -1)
        return at >= 0 and len(lines[at]) == len(lines[at + 1])

    async with people((80, 24)) as person:
        await with_frames(person, peer, 1)
        for _ in range(30):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                other.sendto(b"x", person.session.local)  # type: ignore[arg-type]
        await person.until(lambda: person.session.log.received == 31, "the frames")
        await person.press("S")
        await person.sees("31 frames")
        for name, key in ("peer", "tab"), ("length", "shift+tab"), ("peer", "escape"):
            await person.until(lambda n=name: over(n), f"the head over the columns by {name}")
            await person.press(key)


async def test_the_scroll_bar_of_a_conversation_is_where_its_lines_are(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 60)
        await person.press("up", "F")
        await person.until(lambda: isinstance(person.app.screen, ConversationScreen), "the conversation")
        view = person.app.screen.query_one(ConversationView)
        await person.until(lambda: view.scroll_y > 0 and view.show_vertical_scrollbar, "a scrolled conversation")
        await person.settle()
        assert int(view.vertical_scrollbar.position) == int(view.scroll_y)


async def test_kinds_of_netlink_messages_are_told_apart(people: People) -> None:
    async with people((80, 24)) as person:
        session = await person.open("netlink/route", "bind")
        await person.press("s", "enter", "escape")
        await person.until(lambda: session.log.received >= 1)
        await person.press("S", "tab", "tab")
        await person.sees("route RTM_NEWLINK", "route RTM_GETLINK")
        table = person.app.screen.query_one(Table)
        table.move_to(next(index for index, (name, _) in enumerate(table.rows) if name == "route RTM_GETLINK"))
        await person.press("enter")
        await person.until(lambda: person.main.traffic.view.line_count() == 1, "what was sent")
        assert person.main.query_one(FilterLine).value == "protocol==route nl.type==RTM_GETLINK"
        await person.press("escape", "escape", "g", "F")
        await person.sees("→ RTM_GETLINK", "← RTM_NEWLINK lo ")
        await person.press("tab")
        await person.sees("→ 0000 ")


async def test_peers_that_differ_in_their_ports_are_told_apart_on_a_narrow_screen(
    people: People, peer: socket.socket
) -> None:
    async with people((60, 20)) as person:
        await with_frames(person, peer, 2)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(b"x", person.session.local)  # type: ignore[arg-type]
            port = other.getsockname()[1]
            await person.until(lambda: len(person.rows) == 3, "its frame")
        await person.press("S")
        await person.sees(f":{peer.getsockname()[1]} ", f":{port} ")


async def test_a_name_of_wide_characters_leaves_the_numbers_in_their_columns(people: People, tmp_path: Path) -> None:
    async with people((80, 24)) as person:
        session = await person.open("unix/dgram", "bind", local_path=str(tmp_path / "s"))
        for name in "@日本語の長い名前のソケット日本語の長い名前のソケット", "@narrow":
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
                other.bind(name.replace("@", "\0"))
                other.sendto(b"x", session.local)  # type: ignore[arg-type]
        await person.until(lambda: session.log.received == 2, "the frames")
        rows = [line for line in (await person.sees("@narrow")).splitlines() if "@" in line and " x" in line]
        assert len({cell_len(line.rstrip().removesuffix("x")) for line in rows}) == 1, "\n".join(rows)
        await person.press("S")
        await person.sees("2 frames", "@narrow")
        lines = [line for line in person.screen.splitlines() if "50.0%" in line]
        assert len({cell_len(line.partition("50.0%")[0]) for line in lines}) == 1, "\n".join(lines)


async def test_the_head_of_the_statistics_is_drawn_once_for_all(
    people: People, size: tuple[int, int], peer: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ahead of the first layout no table has a width: its columns came and moved a tenth of a second later."""
    drawn = []
    head = Table.head
    monkeypatch.setattr(
        Table, "head", lambda table, name, width: drawn.append(head(table, name, width)) or head(table, name, width)
    )
    async with people(size) as person:
        await with_frames(person, peer, 3)
        await person.press("S")
        await person.until(lambda: isinstance(person.app.screen, StatisticsScreen))
        await person.sees("3 frames", "share")
    assert len(set(drawn)) == 1


async def test_another_view_of_the_statistics_reads_no_number_of_the_view_before(
    people: People, peer: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of a peer may be of any size: read as bits of a length it would fill the memory."""
    asked = []
    name_of = statistics.length_range
    monkeypatch.setattr(statistics, "length_range", lambda bits: asked.append(bits) or name_of(bits))
    async with people((80, 24)) as person:
        await with_frames(person, peer, 3)
        await person.press("S")
        await person.until(lambda: isinstance(person.app.screen, StatisticsScreen))
        await person.press("tab", "tab", "tab", "tab")
        await person.sees("4-7")
    assert set(asked) == {3}, "no length but seven bytes"


async def test_a_row_of_the_socket_itself_has_no_conversation_and_one_without_words_nothing_to_copy(
    people: People,
) -> None:
    async with people((80, 24)) as person:
        session = await person.open("inet/tcp", "listen", local_port="0")
        with socket.create_connection(session.local):  # type: ignore[arg-type]
            await person.sees("accepted from")
            await person.press("F")
            await person.sees("0 lines")
            await person.press("y")
            await person.sees("There is nothing to copy so far.")
            await person.press("escape", "o", *"SO_KEEPALIVE=1", "enter")
            await person.until(lambda: len(person.rows) == 2, "the row of the option")
            await person.press("G", "F")
            await person.sees("This row has no peer")
            assert person.app.screen is person.main


async def test_from_a_conversation_and_from_statistics_to_the_rows(
    people: People, size: tuple[int, int], peer: socket.socket
) -> None:
    """So that they are saved, copied, or gone through one by one."""
    async with people(size) as person:
        await with_frames(person, peer, 3)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            for payload in (b"a longer datagram", b"another"):
                other.sendto(payload, person.session.local)  # type: ignore[arg-type]
            await person.until(lambda: len(person.rows) == 5, "its frames")
            name = person.session.peer_name(person.rows[-1].peer)
        view, line = person.main.traffic.view, person.main.query_one(FilterLine)
        view.focus()
        await person.press("k", "j", "F")
        await person.until(lambda: isinstance(person.app.screen, ConversationScreen))
        assert "Only its rows" in person.offered()
        await person.press("/")
        await person.until(lambda: person.app.screen is person.main and view.line_count() == 2, "its rows")
        assert line.value == f'peer=="{name}"'
        assert view.has_focus
        await person.press("h", "escape", "escape", "S")
        await person.until(lambda: isinstance(person.app.screen, StatisticsScreen))
        table = person.app.screen.query_one(Table)
        await person.until(lambda: len(table.rows) == 2, "both peers")
        await person.press("enter")
        await person.until(lambda: person.app.screen is person.main and view.line_count() == 3, "the rows of the first")
        await person.press("S", "tab")
        await person.sees("16-31")
        await person.press("G", "enter")
        await person.until(lambda: person.app.screen is person.main and view.line_count() == 1, "the longest")
        assert line.value == "len>=16 len<=31"
        await person.press("S", "tab", "tab")
        await person.sees("udp", "100.0%")
        assert "Only its rows" in person.offered()
        await person.press("enter")
        await person.until(lambda: person.app.screen is person.main and view.line_count() == 5, "the rows of all")
        assert line.value == "protocol==udp"


async def test_hostile_payloads_in_a_conversation(people: People, size: tuple[int, int], peer: socket.socket) -> None:
    async with people(size) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        payloads = [each.encode("utf-8", "surrogatepass") for each in HOSTILE] + [bytes(range(256))]
        for each in payloads:
            peer.sendto(each, session.local)  # type: ignore[arg-type]
        await person.until(lambda: session.log.received == len(payloads))
        await person.press("F")
        await person.sees("lines")
        for key in ("g", "pagedown", "pagedown", "G", "tab", "G", "y"):
            await person.press(key)
            printable(person.screen)
        assert person.app.clipboard.replace("\n", "").isprintable()
        await person.press("escape")
        assert person.app.is_running


async def test_the_statistics_tell_every_loss_at_eighty_columns(people: People, peer: socket.socket) -> None:
    async with people((80, 24), log_limit=32768) as person:
        await with_frames(person, peer, 2)
        # What millions are to a flood of minutes; the line has to have room for them.
        person.session.drops, person.session.log.dropped = 123_456_789, 234_567_890
        await person.press("S")
        await person.sees("2 frames", "⚠ 123,456,789 dropped, log 234,567,890")


async def test_a_conversation_of_a_client_names_both_ends(people: People) -> None:
    async with people((80, 24)) as person:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            session = await person.open("inet/tcp", "connect", remote_host="127.0.0.1", remote_port=str(port))
            with server.accept()[0] as peer:
                peer.sendall(b"hello\n")
                await person.sees("hello")
                await person.press("F")
                await person.sees(f"{session.local[1]} ⇄ 127.0.0.1:{port}", "1 line ")  # type: ignore[index]


async def test_who_goes_to_the_end_of_a_conversation_follows_it(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 40)
        await person.press("F")
        await person.sees("← frame 0 ", "40 lines")
        peer.sendto(b"frame 40", person.session.local)
        await person.sees("← frame 0 ", "41 lines")
        await person.press("G")
        await person.sees("← frame 40 ")
        for number in range(41, 44):
            peer.sendto(b"frame %d" % number, person.session.local)
            await person.sees(f"← frame {number} ")
        await person.press("k")
        peer.sendto(b"frame 44", person.session.local)
        await person.sees("45 lines")
        assert "← frame 44 " not in person.screen


async def test_counting_lays_out_nothing(people: People, peer: socket.socket) -> None:
    """Beside a flood both screens change with every tick; laying them out anew takes longer than counting."""
    async with people((80, 24)) as person:
        await with_frames(person, peer, 30)
        for key, unit in (("S", "frames"), ("F", "lines")):
            await person.press(key)
            await person.sees(f"{person.session.log.received} {unit}")
            # What opening the screen brings with it is over with the first frame.
            seen = person.session.log.received + 1
            peer.sendto(b"frame", person.session.local)
            await person.sees(f"{seen} {unit}")
            await person.pilot.pause()
            screen, laid_out = person.app.screen, 0
            layout = screen._refresh_layout

            def counted(*arguments: object, layout: Callable[..., object] = layout, **more: object) -> None:
                nonlocal laid_out
                laid_out += 1
                layout(*arguments, **more)

            screen._refresh_layout = counted  # type: ignore[method-assign]
            for number in range(seen, seen + 5):
                peer.sendto(b"frame %d" % number, person.session.local)
                await person.sees(f"{number + 1} {unit}")
            assert laid_out <= 2, f"{key}: once for each of five changes"
            await person.press("escape")
            await person.until(lambda: person.app.screen is person.main)
