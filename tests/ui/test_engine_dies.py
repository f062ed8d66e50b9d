"""The engine may die: the application says so, keeps what was recorded, and starts another when asked."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from person import Person
from support import gone

from sockexplorer.ui import typeahead

People = Callable[..., Person]


async def test_it_is_told_and_r_starts_another(
    people: People, size: tuple[int, int], peer: socket.socket, tmp_path: Path
) -> None:
    async with people(size, process=True) as person:
        first = await person.open("unix/dgram", "bind", local_path=str(tmp_path / "s"))
        session = await person.open("inet/udp", "bind", local_port="0")
        peer.sendto(b"kept", session.local)  # type: ignore[arg-type]
        await person.sees("kept")
        assert "Restart engine" not in person.offered()

        pid = int(person.hub.client.call("hello")["pid"])
        os.kill(pid, signal.SIGKILL)
        await person.sees("was ended by signal 9", "Press R", "kept")
        assert first.state == session.state == "failed"
        assert not (tmp_path / "s").exists(), "the file that the engine had no time to remove"
        assert "Restart engine" in person.offered()
        await person.press("s")
        assert "Send" not in person.offered()

        await person.press("R")
        await person.until(lambda: "Press R" not in person.screen, "the banner to go")
        assert int(person.hub.client.call("hello")["pid"]) != pid
        assert gone(pid)
        again = await person.open("unix/dgram", "bind", local_path=str(tmp_path / "s"))
        assert again.state == "bound"
        assert [each.payload for each in map(session.log.frame, range(1, session.log.end)) if not each.event] == [
            b"kept"
        ]
        await person.press("x")
        await person.until(lambda: again.state == "closed")


async def test_opening_while_it_is_dead_says_so_in_the_form(people: People) -> None:
    async with people((80, 24), process=True) as person:
        os.kill(int(person.hub.client.call("hello")["pid"]), signal.SIGKILL)
        await person.sees("Press R")
        await person.choose("inet/udp")
        await person.fill("local.port", "0")
        await person.press("enter")
        await person.sees("▸ restart the engine")
        await person.press("escape", "R")
        await person.until(lambda: "Press R" not in person.screen, "the banner to go")
        await person.operate("bind")


async def test_an_engine_that_stops_in_the_middle_of_a_send(
    people: People, peer: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with people((120, 40), process=True) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        peer.sendto(b"ping", session.local)  # type: ignore[arg-type]
        await person.sees("ping")
        pid = int(person.hub.client.call("hello")["pid"])
        os.kill(pid, signal.SIGSTOP)
        monkeypatch.setattr(typeahead, "REPLY_SECONDS", 0)  # none comes
        await person.compose("unanswered")
        os.kill(pid, signal.SIGKILL)
        await person.sees("was ended by signal 9", "✗ engine")
