"""Families of the lab's kernel through libc, as if Python had been built without them: as through Python itself."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from both_ways import Call, answers, by_number, compare, libcs, pythons
from support import Desk, rows

from sockexplorer.engine import opening

WHERE = ("127.0.0.1", 4321)


@pytest.fixture
def numbered(monkeypatch: pytest.MonkeyPatch, desks: Callable[..., Desk]) -> Desk:
    """A hub whose engine opens every family through libc."""
    monkeypatch.setattr(opening, "make_socket", by_number)
    return desks()


@pytest.mark.parametrize(
    ("path", "calls"),
    [
        ("tipc/rdm", [("bind", (1, 7000, 0, 10)), ("getpeername",), ("bind", (2, 7000, 0, 10, 7)), ("bind", (9, 1))]),
        ("tipc/stream", [("connect", (2, 7999, 0, 0)), ("bind", (1, 7000, 0, "x")), ("sendto", b"", (2, 7999, 0, 0))]),
        ("can/raw", [("getsockname",), ("bind", ("vcan0",)), ("getsockname",), ("bind", ("nosuch0",))]),
        ("can/raw", [("bind", ("",)), ("getsockname",), ("getpeername",), ("sendto", bytes(16), ("vcan0",))]),
        ("can/raw", [("bind", ("x" * 40,)), ("bind", "vcan0"), ("sendto", bytes(3), ("vcan0",))]),
        ("can/bcm", [("connect", ("vcan0",)), ("getpeername",), ("getsockname",)]),
        ("can/isotp", [("bind", ("vcan0", 0x123, 0x321)), ("getsockname",), ("bind", ("vcan0", 2**70, 1))]),
        ("can/j1939", [("bind", ("vcan0", 0, 0, 0x80)), ("getsockname",), ("connect", ("vcan0", 0, 0, 32))]),
        ("can/j1939", [("bind", ("vcan0", 0, 0x40000, 0x21)), ("getsockname",), ("getpeername",)]),
        ("alg/hash", [("getsockname",), ("bind", ("hash", "md5")), ("bind", ("hash", "no")), ("bind", ("x" * 20, ""))]),
        ("qipcrtr/dgram", [("getsockname",), ("getpeername",), ("connect", (1, 77)), ("getpeername",)]),
        ("qipcrtr/dgram", [("sendto", b"x", (1, 77)), ("bind", (1,)), ("sendto", b"x", (1, 2**40))]),
        ("rds/seqpacket", [("bind", WHERE), ("getsockname",), ("getpeername",), ("connect", WHERE), ("getpeername",)]),
        ("vsock/stream", [("bind", (2**32 - 1, 5050)), ("getsockname",), ("connect", (1, 5051)), ("connect", (77, 1))]),
        ("packet/raw", [("bind", ("lo", 3)), ("getsockname",), ("sendto", b"short", ("lo", 3, 0, 1, b"\1\2"))]),
        ("inet6/raw", [("bind", ("::1", 0)), ("getsockname",), ("connect", ("::1", 0)), ("getpeername",)]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_names_and_errors_are_pythons(path: str, calls: list[Call]) -> None:
    expected = compare(path, *calls)
    assert len(expected) == len(calls)


def test_what_the_kernel_chose_is_named_alike() -> None:
    """Numbers that differ from socket to socket: their shape and what does not differ are the same."""
    for path, calls in (
        ("tipc/rdm", (("getsockname",),)),
        ("qipcrtr/dgram", (("bind", (1, 0)), ("getsockname",))),
    ):
        ours, theirs = answers(libcs(path), calls)[-1], answers(pythons(path), calls)[-1]
        assert isinstance(ours, tuple)
        assert isinstance(theirs, tuple)
        assert [type(each) for each in ours] == [type(each) for each in theirs]
        assert ours[0] == theirs[0]


def test_debians_python_agrees_about_bluetooth() -> None:
    """The same comparison by the interpreter that has the family."""
    root = Path(__file__).resolve().parents[2]
    code = (
        f"import sys; sys.path[:0] = [{str(root)!r}, {str(root / 'tests')!r}]\n"
        "from both_ways import compare\n"
        "any_ = '00:00:00:00:00:00'\n"
        "compare('bluetooth/l2cap', ('bind', (any_, 0x1001)), ('getsockname',), ('bind', ('x', 1)), ('bind', (1,)))\n"
        "compare('bluetooth/rfcomm', ('bind', (any_, 3)), ('getsockname',), ('getpeername',), ('bind', any_))\n"
        "compare('bluetooth/hci', ('getsockname',), ('bind', (77,)), ('bind', 'x'))\n"
        "compare('bluetooth/sco', ('getsockname',), ('bind', any_.encode()), ('getsockname',), ('bind', 7.5))\n"
    )
    done = subprocess.run(["/usr/bin/python3", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_algorithm_is_accepted_without_a_peer() -> None:
    for sock in (pythons("alg/hash"), libcs("alg/hash")):
        with sock:
            sock.bind(("hash", "sha256"))
            operation, peer = sock.accept()
            with operation:
                assert not peer
                operation.sendall(b"abc")
                assert operation.recv(32).hex().startswith("ba7816bf8f01cfea")


# --- through the engine ------------------------------------------------------------------------------------


def test_tipc_messages(numbered: Desk) -> None:
    server = numbered.open("tipc/rdm", local=(1, 7100, 0, 10))
    client = numbered.open("tipc/rdm", local=(1, 7200, 0, 10))
    numbered.send(client, b"by name", to=(2, 7100, 3, 0))
    frame = numbered.incoming(server, 1)[0]
    assert frame.payload == b"by name"
    assert server.peers[frame.peer].address == client.local
    numbered.send(server, b"back", to=client.local)
    assert numbered.incoming(client, 1)[0].payload == b"back"


def test_tipc_connections(numbered: Desk) -> None:
    server = numbered.open("tipc/stream", "listen", local=(1, 7300, 0, 10))
    client = numbered.open("tipc/stream", "connect", remote=(2, 7300, 3, 0))
    numbered.event(server, "accepted")
    numbered.event(client, "connected")
    numbered.send(client, b"stream")
    assert numbered.stream(server, 6) == b"stream"


def test_can_frames(numbered: Desk) -> None:
    frame = bytes.fromhex("23010000 04000000 deadbeef 00000000")
    first = numbered.open("can/raw", local=("vcan0",))
    second = numbered.open("can/raw", local=("vcan0",))
    numbered.send(first, frame)
    seen = numbered.incoming(second, 1)[0]
    assert (seen.payload, second.peers[seen.peer].address) == (frame, ("vcan0",))


def test_qipcrtr_messages(numbered: Desk) -> None:
    first = numbered.open("qipcrtr/dgram", local=(1, 0))
    second = numbered.open("qipcrtr/dgram", local=(1, 0))
    numbered.send(first, b"over the router", to=second.local)
    seen = numbered.incoming(second, 1)[0]
    assert (seen.payload, second.peers[seen.peer].address) == (b"over the router", first.local)


def test_rds_messages(numbered: Desk) -> None:
    first = numbered.open("rds/seqpacket", local=("127.0.0.1", 4400))
    second = numbered.open("rds/seqpacket", local=("127.0.0.1", 4401))
    numbered.send(first, b"reliably", to=second.local)
    seen = numbered.incoming(second, 1)[0]
    assert (seen.payload, second.peers[seen.peer].address) == (b"reliably", first.local)


def test_vsock_loopback(numbered: Desk) -> None:
    server = numbered.open("vsock/stream", "listen", local=(2**32 - 1, 5999))
    client = numbered.open("vsock/stream", "connect", remote=(1, 5999))
    numbered.event(client, "connected")
    numbered.event(server, "accepted")
    numbered.send(client, b"into the guest")
    assert numbered.stream(server, 14) == b"into the guest"
    host, port = server.peers[server.connections[0]].address  # type: ignore[misc]
    assert (host, port) == (1, client.local[1])  # type: ignore[index]


def test_packets(numbered: Desk) -> None:
    session = numbered.open("packet/dgram", local=("lo", 3))
    talker = numbered.open("inet/udp", local=("127.0.0.1", 0))
    numbered.send(talker, b"seen below", to=talker.local)
    numbered.until(lambda: session.log.received and session.log.sent, "the packet both ways")
    frames = [each for each in rows(session) if not each.event]
    assert all(each.payload.endswith(b"seen below") for each in frames)


def test_a_hash(numbered: Desk) -> None:
    session = numbered.open("alg/hash", local=("hash", "sha256"))
    numbered.send(session, b"abc")
    assert numbered.incoming(session, 1)[0].payload.hex().startswith("ba7816bf8f01cfea")
