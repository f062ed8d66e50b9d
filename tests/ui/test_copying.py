"""A row on the clipboard in every format."""

from __future__ import annotations

import ast
import json
import socket
from collections.abc import Callable

from person import Person
from test_traffic_pane import with_frames

from sockexplorer.ui.panes.row_duties import COPIES
from sockexplorer.ui.screens.choose import ChooseScreen

People = Callable[..., Person]


async def test_a_row_is_copied_in_every_format(people: People, size: tuple[int, int], peer: socket.socket) -> None:
    payload = b"\xff[/nope]\x1b]0;PWNED\x07"
    async with people(size) as person:
        await with_frames(person, peer, 1)
        peer.sendto(payload, person.session.local)
        await person.until(lambda: person.main.traffic.view.line_count() == 2)
        copied = {}
        for number, kind in enumerate(COPIES):
            await person.press("e")
            await person.sees("Copy row 2 as", *(f"{each} " for each in COPIES))
            # The choice of the last time is under the cursor.
            await person.press(*(["j"] if number else []), "enter")
            await person.until(lambda: person.app.screen is person.main)
            await person.sees(f"Copied row 2 as {kind}")
            copied[kind] = person.app.clipboard
            assert not copied[kind].endswith("\n")
        assert ast.literal_eval(copied["python"].partition("frame_2 = ")[2]) == payload
        assert "frame_2_length = 18" in copied["c"]
        assert bytes.fromhex(copied["hex"]) == payload
        assert "0000  ff 5b 2f 6e" in copied["hexdump"]
        assert r"\xff[/nope]" in copied["text"]
        said = json.loads(copied["jsonl"])
        assert (said["n"], said["dir"], bytes.fromhex(said["payload"])) == (2, "in", payload)
        assert said["peer"] == repr(peer.getsockname())
        assert not any("\x1b" in each or "\x07" in each for each in copied.values()), "nothing that a terminal acts on"
        await person.press("e", "escape")
        await person.until(lambda: not isinstance(person.app.screen, ChooseScreen))


async def test_an_event_has_no_bytes_to_copy(people: People) -> None:
    async with people((80, 24)) as person:
        session = await person.open("inet/tcp", "listen", local_port="0")
        with socket.create_connection(session.local):
            await person.sees("accepted")
            person.main.traffic.view.action_top()
            await person.press("e")
            await person.sees("An event has no bytes")
            assert person.app.screen is person.main
