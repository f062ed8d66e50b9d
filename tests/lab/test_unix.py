"""AF_UNIX: who sent it, as another user too, and descriptors of families that a usual kernel lacks."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from support import PATIENCE, Desk, descriptors, rows

KINDS = {"stream": socket.SOCK_STREAM, "dgram": socket.SOCK_DGRAM, "seqpacket": socket.SOCK_SEQPACKET}
SENDER = """
import os, socket, sys
os.setgid(int(sys.argv[4])); os.setuid(int(sys.argv[3]))
sock = socket.socket(socket.AF_UNIX, int(sys.argv[2]))
sock.connect(b"\\0" + sys.argv[1].encode())
sock.send(b"from user " + sys.argv[3].encode())
print(os.getpid(), flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("kind", KINDS)
def test_who_the_sender_is(desk: Desk, kind: str) -> None:
    name = f"sx-credentials-{os.getpid()}-{kind}"
    session = desk.open(f"unix/{kind}", "bind" if kind == "dgram" else "listen", b"\0" + name.encode())
    command = [sys.executable, "-I", "-c", SENDER, name, str(int(KINDS[kind])), "1234", "4321"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as sender:
        assert sender.stdout is not None
        pid = int(sender.stdout.readline())
        frame = desk.incoming(session, 1)[0]
        told = frame if kind == "dgram" else desk.event(session, "accepted")
        assert frame.payload == b"from user 1234"
        assert told.meta["credentials"] == {"pid": pid, "uid": 1234, "gid": 4321}
        if kind != "dgram":
            assert session.peers[frame.peer].name.startswith(f"#{frame.peer} pid {pid} ")
        sender.communicate("", timeout=PATIENCE)
        assert sender.returncode == 0


PASSED = {
    "AF_CAN SOCK_RAW": (socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW),
    "AF_TIPC SOCK_RDM": (socket.AF_TIPC, socket.SOCK_RDM, 0),
    "AF_QIPCRTR SOCK_DGRAM": (socket.AF_QIPCRTR, socket.SOCK_DGRAM, 0),
    "AF_RDS SOCK_SEQPACKET": (socket.AF_RDS, socket.SOCK_SEQPACKET, 0),
    "AF_VSOCK SOCK_STREAM": (socket.AF_VSOCK, socket.SOCK_STREAM, 0),
    "AF_NETLINK SOCK_RAW": (socket.AF_NETLINK, socket.SOCK_RAW, 0),
    "AF_ALG SOCK_SEQPACKET": (socket.AF_ALG, socket.SOCK_SEQPACKET, 0),
}


@pytest.mark.parametrize("kind", KINDS)
def test_descriptors_are_described_and_closed(desk: Desk, tmp_path: Path, kind: str) -> None:
    session = desk.open(f"unix/{kind}", "bind" if kind == "dgram" else "listen", "")
    sockets = [socket.socket(*arguments) for arguments in PASSED.values()]
    file = os.open(tmp_path / "passed", os.O_CREAT | os.O_RDWR)
    with socket.socket(socket.AF_UNIX, KINDS[kind]) as peer:
        peer.connect(session.local)  # type: ignore[arg-type]
        peer.send(b"before")
        desk.incoming(session, 1)
        before = descriptors(desk.pid)
        socket.send_fds(peer, [b"take ", b"these"], [each.fileno() for each in sockets] + [file])
        frame = desk.incoming(session, 2)[1]
        assert frame.payload == b"take these"
        told = frame.meta["descriptors"]
        assert [each.partition(" socket:[")[0] for each in told] == [*PASSED, f"file {tmp_path / 'passed'}"]
        assert descriptors(desk.pid) == before
    for each in sockets:
        each.close()
    os.close(file)


@pytest.mark.parametrize("kind", KINDS)
def test_the_product_at_both_ends(desk: Desk, kind: str) -> None:
    server = desk.open(f"unix/{kind}", "bind" if kind == "dgram" else "listen", "")
    client = desk.open(f"unix/{kind}", "connect", remote=server.local)
    for payload in (b"one", b"two"):
        desk.send(client, payload)
    assert desk.stream(server, 6) == b"onetwo"
    if kind != "stream":
        assert [each.payload for each in desk.incoming(server, 2)] == [b"one", b"two"]
    assert [each.payload for each in rows(client) if each.outgoing] == [b"one", b"two"]
    engine = desk.pid
    told = desk.incoming(server, 1)[0] if kind == "dgram" else desk.event(server, "accepted")
    assert told.meta["credentials"] == {"pid": engine, "uid": os.getuid(), "gid": os.getgid()}
