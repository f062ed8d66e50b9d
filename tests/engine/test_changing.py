"""A socket option that is changed while the session is open: the kernel has it, and a row says what it was and is."""

from __future__ import annotations

import socket

import pytest
from support import Desk, rows

from sockexplorer.client.client import Refused
from sockexplorer.client.session import Session
from sockexplorer.core.endpoint import SetOption


def change(desk: Desk, session: Session, name: str, value: int | bytes, level: str = "SOL_SOCKET") -> str:
    return str(desk.ask(lambda done: desk.hub.set_option(session, SetOption(level, name, value), done))["changed"])


def test_what_the_kernel_made_of_it_is_a_row(desk: Desk) -> None:
    session = desk.open("inet/udp", local=("127.0.0.1", 0))
    before = session.receive_buffer
    text = change(desk, session, "SO_RCVBUF", 100_000)
    assert text == f"SO_RCVBUF {before} → 200000, asked for 100000", "the kernel doubles it (socket(7))"
    (row,) = [each for each in rows(session) if each.event == "option-changed"]
    assert row.meta["text"] == text
    desk.until(lambda: session.receive_buffer == 200_000, "the buffer in the session's status")


def test_an_option_that_says_no_more_than_was_asked(desk: Desk) -> None:
    session = desk.open("inet/udp", local=("127.0.0.1", 0))
    assert change(desk, session, "SO_BROADCAST", 1) == "SO_BROADCAST 0 → 1"
    assert change(desk, session, "SO_BROADCAST", (0).to_bytes(4, "little")) == "SO_BROADCAST 1 → 0"


def test_connections_have_it_as_well(desk: Desk) -> None:
    server = desk.open("inet/tcp", "listen", local=("127.0.0.1", 0))
    with socket.create_connection(server.local):  # type: ignore[arg-type]
        desk.event(server, "accepted")
        assert change(desk, server, "TCP_NODELAY", 1, "IPPROTO_TCP").endswith("0 → 1, on 2 sockets")


@pytest.mark.parametrize(
    ("level", "name", "value", "errno"),
    [("SOL_SOCKET", "SO_TYPE", 1, "ENOPROTOOPT"), ("IPPROTO_IP", "IP_TTL", 999, "EINVAL")],
)
def test_what_the_kernel_refuses_is_an_error_with_its_reason(
    desk: Desk, level: str, name: str, value: int, errno: str
) -> None:
    session = desk.open("inet/udp", local=("127.0.0.1", 0))
    with pytest.raises(Refused) as caught:
        change(desk, session, name, value, level)
    assert (caught.value.problem.stage, caught.value.problem.name) == ("setsockopt", errno)
    (row,) = [each for each in rows(session) if each.event == "error"]
    assert name in row.meta["text"]


def test_a_session_without_a_socket_says_so(desk: Desk) -> None:
    server = desk.open("inet/tcp", "listen", local=("127.0.0.1", 0))
    client = desk.open("inet/tcp", "connect", remote=server.local)
    (peer,) = (desk.event(server, "accepted").peer,)
    desk.ask(lambda done: desk.hub.client.request("close", done, session=server.number, peer=peer))
    desk.until(lambda: client.state == "ended", "the end")
    with pytest.raises(Refused, match="no open socket"):
        change(desk, client, "SO_KEEPALIVE", 1)
