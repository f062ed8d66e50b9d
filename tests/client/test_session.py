"""What a session is called, and who its peers are."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import psutil
import pytest
from support import Desk, udp

from sockexplorer.client.client import Problem
from sockexplorer.core.endpoint import Endpoint


def test_titles_name_the_socket(desk: Desk, tmp_path: Path) -> None:
    session = desk.open("inet/udp", local=("127.0.0.1", 0))
    assert isinstance(session.local, tuple)
    assert session.title == f"inet/udp 127.0.0.1:{session.local[1]}"
    assert session.receive_buffer > 0
    nasty = desk.open("unix/dgram", local=str(tmp_path / "\x1b[31m"))
    assert nasty.title.isprintable()
    assert desk.open("unix/dgram", local="").title.startswith("unix/dgram @")
    with udp() as peer:
        connected = desk.open("inet/udp", "connect", remote=peer.getsockname())
        assert connected.title == f"inet/udp 127.0.0.1:{peer.getsockname()[1]}"


@pytest.mark.parametrize("remote", [None, ("x", "y"), 7, (None, None), ("lo",), ([], {})])
@pytest.mark.parametrize(
    "path", ["inet/udp", "inet6/udp", "unix/stream", "netlink/route", "packet/raw", "vsock/stream"]
)
def test_a_session_with_a_senseless_address_has_a_title_and_a_problem(desk: Desk, path: str, remote: object) -> None:
    outcome: list[Problem | None] = []
    endpoint = Endpoint(*path.split("/"), "connect", None, remote)  # type: ignore[arg-type]
    session = desk.hub.open(endpoint, lambda result, problem: outcome.append(problem))
    assert session.title
    desk.until(lambda: outcome, "an outcome")
    assert outcome[0] is not None
    assert session.state == "failed"
    assert session.title.startswith(path)


def test_names_of_peers_are_safe(desk: Desk, tmp_path: Path) -> None:
    session = desk.open("unix/dgram", local="")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
        peer.bind(b"\0\x1b]0;x\x07\xff")
        peer.sendto(b"x", session.local)  # type: ignore[arg-type]
        frame = desk.incoming(session, 1)[0]
        assert session.peer_name(frame.peer).isprintable()
        assert session.peers[frame.peer].address == b"\0\x1b]0;x\x07\xff"
    assert session.peer_name(99) == ""


def test_peers_whose_paths_differ_at_the_end_have_different_names(desk: Desk) -> None:
    session = desk.open("unix/dgram", local="")
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as two,
    ):
        for sock, end in ((one, b"1"), (two, b"2")):
            sock.bind(b"\0" + b"x" * 106 + end)
            sock.sendto(b"hello", session.local)  # type: ignore[arg-type]
        frames = desk.incoming(session, 2)
    assert len({session.peer_name(each.peer) for each in frames}) == 2


def test_a_unix_peer_is_named_by_its_program(desk: Desk, tmp_path: Path) -> None:
    session = desk.open("unix/stream", "listen", local=str(tmp_path / "s"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.connect(str(tmp_path / "s"))
        accepted = desk.event(session, "accepted")
        assert session.peers[accepted.peer].name == f"#{accepted.peer} pid {os.getpid()} {psutil.Process().name()}"
