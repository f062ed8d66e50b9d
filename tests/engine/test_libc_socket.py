"""A family that Python lacks works through libc as one that it has: the same names, errors, peers and traffic."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from both_ways import Call, answers, by_number, compare, libcs, pythons
from support import Desk, deliver, descriptors, needs, rows, udp, wait

from sockexplorer.client.client import Refused
from sockexplorer.core.family import Family
from sockexplorer.engine import opening
from sockexplorer.engine.reader import MessageReader
from sockexplorer.engine.spool import Spool
from sockexplorer.engine.verdict import judge, parses
from sockexplorer.families import all_families, find

LIMIT: Any = ("settimeout", 0)


@pytest.fixture
def numbered(monkeypatch: pytest.MonkeyPatch, desks: Callable[..., Desk]) -> Desk:
    """A hub whose engine opens every family through libc."""
    monkeypatch.setattr(opening, "make_socket", by_number)
    return desks()


# --- names and errors, both ways ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "calls"),
    [
        ("inet/udp", [("getsockname",), ("getpeername",), ("bind", ("127.0.0.1", 0)), ("bind", ("127.0.0.1", 0))]),
        ("inet/udp", [("connect", ("127.0.0.1", 9)), ("getpeername",), ("sendto", b"x", 0, ("127.0.0.1", 9))]),
        ("inet/udp", [("bind", ("", 0)), ("connect", ("<broadcast>", 9)), ("bind", ("192.0.2.1", 0))]),
        ("inet/tcp", [("connect", ("127.0.0.1", 1)), ("connect_ex", ("127.0.0.1", 1)), ("accept",)]),
        ("inet/tcp", [LIMIT, ("listen",), ("accept",), ("bind", 5), ("bind", (1, 2)), ("connect_ex", ("", 2**70))]),
        ("inet6/udp", [("bind", ("fe80::1", 0)), ("connect", ("::1", 9, 0, 0)), ("getpeername",)]),
        ("inet6/udp", [("bind", ("::1", 99999)), ("bind", None), ("bind", ("::1", "x")), ("sendto", b"", ("::1", 9))]),
        ("unix/dgram", [("getsockname",), ("bind", "\0sockexplorer-both"), ("getsockname",), ("connect", "/none")]),
        ("unix/dgram", [("bind", b"\0both\0ways"), ("connect", b"\0both\0ways"), ("getpeername",), ("getsockname",)]),
        ("unix/stream", [("bind", "/none/x"), ("bind", "a" * 109), ("bind", 7), ("connect", "")]),
        ("unix/seqpacket", [("getpeername",), ("connect", "\0nobody")]),
        ("netlink/route", [("getsockname",), ("bind", (0, 1)), ("connect", (0, 0)), ("getpeername",), ("bind", (1,))]),
        ("vsock/stream", [("getsockname",), ("bind", (0xFFFFFFFF, 40123)), ("getsockname",), ("getpeername",)]),
        ("packet/raw", [("getsockname",), ("bind", ("lo", 3)), ("getsockname",), ("bind", ("nosuch0", 3))]),
        ("packet/dgram", [("bind", ("lo",)), ("sendto", b"", ("lo", 3)), ("getpeername",), ("bind", ("x" * 99, 3))]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.optional_on_this_host(reason="AF_PACKET needs CAP_NET_RAW, and not every kernel has AF_VSOCK")
def test_names_and_errors_are_pythons(path: str, calls: list[Call]) -> None:
    needs(path)
    expected = compare(path, *calls)
    assert len(expected) == len(calls)


def test_a_path_is_bound_and_named(tmp_path: Path) -> None:
    path = str(tmp_path / "é.sock")
    assert compare("unix/stream", ("bind", path), ("getsockname",)) == [None, path]


def test_errors_have_pythons_types() -> None:
    found = answers(
        libcs("inet/tcp"), (LIMIT, ("connect", ("127.0.0.1", 1)), ("listen",), ("bind", ("127.0.0.1", "1")))
    )
    assert found[1][:2] == (BlockingIOError, errno.EINPROGRESS)  # type: ignore[index]
    assert found[3][0] is TypeError  # type: ignore[index]
    with libcs("inet/udp") as closed:
        closed.close()
        with pytest.raises(OSError, match="Bad file descriptor"):
            closed.getsockname()


def test_a_host_name_is_refused_not_looked_up() -> None:
    with libcs("inet/udp") as sock, pytest.raises(OSError, match="illegal IP address"):
        sock.bind(("host.invalid", 0))


def test_both_speak_to_one_another() -> None:
    with pythons("inet/tcp") as listener, libcs("inet/tcp") as client:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        client.connect(listener.getsockname())
        accepted, peer = listener.accept()
        with accepted:
            assert peer == client.getsockname()
            assert client.getpeername() == listener.getsockname()
            client.sendall(b"there")
            assert accepted.recv(100) == b"there"
    with libcs("inet/tcp") as listener, pythons("inet/tcp") as client:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        client.connect(listener.getsockname())
        accepted, peer = listener.accept()
        with accepted, accepted.dup() as again:
            assert not accepted.get_inheritable()
            assert (peer, again.getpeername()) == (client.getsockname(), client.getsockname())
            assert (accepted.family, accepted.type, accepted.proto) == (client.family, client.type, socket.IPPROTO_TCP)


def test_messages_are_read_one_by_one_as_python_reads_them() -> None:
    family, protocol = find("inet/udp")
    found = []
    for sock in (pythons("inet/udp"), libcs("inet/udp")):
        with sock, udp() as peer:
            sock.setblocking(False)
            sock.bind(("127.0.0.1", 0))
            opening.stamp(sock)
            spool = Spool()
            reader = MessageReader(sock, family, protocol, spool, 8, lambda total: None, batched=False)
            for data in (b"short", b"", b"longer than the buffer"):
                deliver(peer, data, sock)
            reader.read()
            times, ends, lengths, numbers, flags = spool.columns
            assert all(times)
            found.append((b"".join(spool.parts), list(ends), list(lengths), list(numbers), list(flags)))
            assert spool.peers.tell() == [{"id": 1, "address": repr(peer.getsockname())}]
    assert found[0] == found[1]


def test_received_data_names_its_sender() -> None:
    with libcs("inet/udp") as sock, udp() as peer:
        sock.bind(("127.0.0.1", 0))
        peer.sendto(b"hello", sock.getsockname())
        assert sock.recvfrom(100) == (b"hello", peer.getsockname())


# --- through the engine ------------------------------------------------------------------------------------


def test_it_is_told(numbered: Desk) -> None:
    session = numbered.open("inet/udp", local=("127.0.0.1", 0))
    assert session.by_number
    told = numbered.event(session, "by-number")
    assert told.meta["text"] == "opened by number: this Python has no AF_INET"


def test_where_python_has_the_family_its_own_socket_is_used(desk: Desk) -> None:
    session = desk.open("inet/udp", local=("127.0.0.1", 0))
    assert not session.by_number
    assert not [each for each in rows(session) if each.event]


def test_datagrams(numbered: Desk) -> None:
    session = numbered.open("inet/udp", local=("127.0.0.1", 0))
    with udp() as peer:
        peer.sendto(b"question", session.local)  # type: ignore[arg-type]
        frame = numbered.incoming(session, 1)[0]
        assert (frame.payload, session.peers[frame.peer].address) == (b"question", peer.getsockname())
        numbered.send(session, b"answer", to=peer.getsockname())
        assert peer.recvfrom(100) == (b"answer", session.local)


def test_inet6_with_a_scope(numbered: Desk) -> None:
    session = numbered.open("inet6/udp", local=("::1", 0, 0, 0))
    numbered.send(session, b"to myself", to=session.local)
    frame = numbered.incoming(session, 1)[0]
    assert session.peers[frame.peer].address == session.local


@pytest.mark.parametrize("path", ["inet/tcp", "unix/stream", "unix/seqpacket"])
def test_connections(numbered: Desk, path: str) -> None:
    local: object = ("127.0.0.1", 0) if path == "inet/tcp" else "\0sockexplorer-numbered"
    server = numbered.open(path, "listen", local=local)
    client = numbered.open(path, "connect", remote=server.local)
    numbered.event(client, "connected")
    numbered.event(server, "accepted")
    assert client.remote == server.local
    numbered.send(client, b"from the client")
    assert numbered.stream(server, 15) == b"from the client"
    numbered.send(server, b"from the server", peer=server.connections[0])
    assert numbered.stream(client, 15) == b"from the server"
    if path == "inet/tcp":
        assert server.peers[server.connections[0]].address == client.local


def test_a_connection_under_way_that_is_refused(numbered: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()
    session = numbered.open("inet/tcp", "connect", remote=free)
    numbered.until(lambda: session.state == "failed", "the refusal")
    assert numbered.event(session, "error").meta["failure"]["name"] == "ECONNREFUSED"


def test_what_the_kernel_refuses_is_explained(numbered: Desk) -> None:
    with udp() as taken, pytest.raises(Refused) as caught:
        numbered.open("inet/udp", local=taken.getsockname())
    assert (caught.value.problem.stage, caught.value.problem.name) == ("bind", "EADDRINUSE")


def test_netlink_answers(numbered: Desk) -> None:
    session = numbered.open("netlink/route", local=(0, 0))
    dump = bytes.fromhex("14000000 1200 0103 01000000 00000000 00000000")
    numbered.send(session, dump, to=(0, 0))
    assert session.peers[numbered.incoming(session, 1)[0].peer].address == (0, 0)


def test_descriptors_do_not_leak(numbered: Desk) -> None:
    before = descriptors(os.getpid())
    server = numbered.open("inet/tcp", "listen", local=("127.0.0.1", 0))
    client = numbered.open("inet/tcp", "connect", remote=server.local)
    numbered.event(server, "accepted")
    numbered.close(client)
    numbered.close(server)
    wait(lambda: descriptors(os.getpid()) <= before, "every descriptor to be closed")


@pytest.mark.parametrize("family", [each for each in all_families() if not each.foreign], ids=lambda each: each.name)
def test_python_is_asked_whether_it_has_the_family(family: Family) -> None:
    for protocol in family.protocols:
        if not hasattr(socket, family.constant):
            assert not parses(family, protocol)
        elif hasattr(socket, protocol.proto):
            assert parses(family, protocol), protocol.name


def test_a_protocol_that_the_parser_has_no_case_for_goes_to_libc_as_well() -> None:
    """As CAN_J1939 in a Python that was built with older headers than Linux 5.4's."""
    family, protocol = find("can/raw")
    if not hasattr(socket, "AF_CAN"):
        pytest.skip("this Python has no AF_CAN at all")
    newer = replace(protocol, name="newer", proto="99")
    assert not parses(family, newer)
    assert judge(family, newer, ("vcan0",), "local").decided_by == "model"
    with pytest.raises(OSError, match=r"not supported"):
        opening.system_socket(family, newer, 99)
    sock = libcs("inet/udp")
    with sock:
        assert opening.by_number(sock, family, replace(protocol, proto="CAN_NEWER")).endswith("no CAN_NEWER")
