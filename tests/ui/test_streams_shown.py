"""Connections in the view: accepted peers told apart and answered one by one, connecting, ending, disconnecting."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from person import Person
from support import PATIENCE

People = Callable[..., Person]


async def test_three_accepted_peers_are_told_apart_and_one_is_answered(people: People, size: tuple[int, int]) -> None:
    async with people(size) as person:
        session = await person.open("inet/tcp", "listen", local_port="0")
        with contextlib.ExitStack() as closing:
            peers = [
                closing.enter_context(socket.create_connection(session.local, timeout=PATIENCE))  # type: ignore[arg-type]
                for _ in range(3)
            ]
            for number, each in enumerate(peers):
                each.sendall(b"I am %d" % number)
                await person.sees(f"I am {number}")
            names = [f"127.0.0.1:{each.getsockname()[1]}" for each in peers]
            lines = person.screen.splitlines()
            for number, name in enumerate(names):
                said = next(line for line in lines if f"I am {number}" in line)
                assert name in said, "a row names its peer"
            assert len(session.connections) == 3

            # Up to what the second one said, and answer that.
            view = person.main.traffic.view
            view.focus()
            row = next(each.number for each in person.rows if each.payload == b"I am 1")
            while (current := view.current()) is not None and current.number != row:
                await person.press("k")
            await person.press("s")
            await person.sees(f"to {names[1]}")
            await person.press("escape")
            await person.compose("for you alone")
            assert await asyncio.to_thread(peers[1].recv, 64) == b"for you alone"
            for other in (peers[0], peers[2]):
                other.setblocking(False)
                with pytest.raises(BlockingIOError):
                    other.recv(64)

            # One of them hangs up; one is shown the door with d.
            peers[0].close()
            await person.until(lambda: len(session.connections) == 2, "a peer to be gone")
            await person.press("escape")
            view.focus()
            row = next(each.number for each in person.rows if each.payload == b"I am 2")
            view.move_to(row - session.log.first)
            await person.press("d")
            await person.until(lambda: len(session.connections) == 1, "the peer to be disconnected")
            peers[2].setblocking(True)
            assert await asyncio.to_thread(peers[2].recv, 64) == b""
            assert session.state == "listening"
            await person.press("d")
            await person.sees("No peer of this row is connected.")


async def test_whom_a_message_goes_to_is_told_of_a_long_path(people: People, tmp_path: Path) -> None:
    async with people((80, 24)) as person:
        session = await person.open("unix/stream", "listen", local_path=str(tmp_path / "s"))
        with socket.socket(socket.AF_UNIX) as peer:
            peer.bind(str(tmp_path / "the-peer-that-writes"))
            peer.connect(str(session.local))
            await person.sees("accepted from")
            person.main.traffic.view.focus()
            await person.press("s")
            assert re.search(r" to /\S+…", await person.sees(" to /"))


async def test_nothing_can_be_sent_while_nobody_is_connected(people: People) -> None:
    async with people((120, 40)) as person:
        session = await person.open("inet/tcp", "listen", local_port="0")
        # While the focus is still in the form, on its way to the rows, the key is a letter there.
        await person.until(
            lambda: person.main.traffic.check_action("compose", ()) is None, "the footer to grey the key"
        )
        await person.press("s")
        await person.sees("No peer is connected: there is nobody to send to.")
        assert not person.main.traffic.query_one("#composer").display
        with socket.create_connection(session.local) as one:  # type: ignore[arg-type]
            await person.until(lambda: len(session.connections) == 1)
            await person.compose("to somebody")
            one.settimeout(PATIENCE)
            assert await asyncio.to_thread(one.recv, 100) == b"to somebody"


async def test_connect_talks_and_tells_the_end(people: People) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        async with people((80, 24)) as person:
            await person.choose("inet/tcp")
            await person.fill("remote.port", str(server.getsockname()[1]))
            await person.until(lambda: person.main.address.primary == "connect")
            await person.press("enter")
            far, _ = await asyncio.to_thread(server.accept)
            with far:
                far.settimeout(PATIENCE)
                await person.sees("connected")
                await person.compose(r"GET /\r\n")
                assert await asyncio.to_thread(far.recv, 64) == b"GET /\r\n"
                far.sendall(b"HTTP/1.0 200 OK\r\n")
                await person.sees(r"HTTP/1.0 200 OK\r\n")
            await person.until(lambda: person.session.state == "ended", "the end of the stream")
            await person.press("escape")
            assert "Send" not in person.offered(), "an ended stream can't be written to"
            assert "Pause" not in person.offered(), "nothing comes any more"
            assert re.search(r"ended", person.screen)


async def test_a_refused_connection_is_explained(people: People, size: tuple[int, int]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    async with people(size) as person:
        await person.choose("inet/tcp")
        await person.fill("remote.port", str(port))
        await person.press("enter")
        await person.sees("ECONNREFUSED", "Nobody listens there", "▸ start the server")
        await person.press("x")
        await person.until(lambda: not person.hub.sessions, "the failed session to be closed")
        await person.fill("local.port", "0")
        await person.operate("listen")
        await person.sees("listening")


async def test_udp_connected_to_one_peer_needs_no_address(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await person.open("inet/udp", "connect", remote_port=str(peer.getsockname()[1]))
        await person.compose("hi")
        data, sender = await asyncio.to_thread(peer.recvfrom, 64)
        assert data == b"hi"
        peer.sendto(b"back", sender)
        await person.sees("back")
