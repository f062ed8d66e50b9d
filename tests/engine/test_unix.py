"""AF_UNIX through an engine: names, files and their permissions, messages, credentials, passed descriptors."""

from __future__ import annotations

import array
import os
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import PATIENCE, Desk, descriptors, rows, wait

from sockexplorer.client.client import Refused
from sockexplorer.core.frames import Flag

KINDS = {"stream": socket.SOCK_STREAM, "dgram": socket.SOCK_DGRAM, "seqpacket": socket.SOCK_SEQPACKET}


def unix(kind: str, to: object = None) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, KINDS[kind])
    sock.settimeout(PATIENCE)
    if to is not None:
        sock.connect(to)  # type: ignore[arg-type]
    return sock


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["path", "bytes path", "path that goes on after a NUL", "abstract", "autobind"])
def test_every_kind_under_every_name(desk: Desk, tmp_path: Path, kind: str, form: str, open_umask: None) -> None:
    path = tmp_path / "x.sock"
    local: str | bytes = {
        "path": str(path),
        "bytes path": bytes(path),
        "path that goes on after a NUL": f"{path}\0more",
        "abstract": b"\0sx-test-" + os.urandom(4).hex().encode(),
        "autobind": "",
    }[form]
    session = desk.open(f"unix/{kind}", "bind" if kind == "dgram" else "listen", local)
    if "path" in form:
        assert session.local == str(path)
        assert session.file is not None
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    elif form == "abstract":
        assert session.local == local
    else:
        assert isinstance(session.local, bytes)
        assert len(session.local) == 6
    with unix(kind, session.local) as peer:
        peer.send(b"hello")
        frame = desk.incoming(session, 1)[0]
        assert frame.payload == b"hello"
        who = {"pid": os.getpid(), "uid": os.getuid(), "gid": os.getgid()}
        told = frame.meta["credentials"] if kind == "dgram" else desk.event(session, "accepted").meta["credentials"]
        assert told == who
        if kind != "dgram":
            desk.send(session, b"answer", peer=frame.peer)
            assert peer.recv(100) == b"answer"
    desk.close(session)
    assert not path.exists()


def test_seqpacket_keeps_boundaries_and_an_empty_message_is_no_end(desk: Desk) -> None:
    session = desk.open("unix/seqpacket", "listen", "")
    with unix("seqpacket", session.local) as peer:
        for message in (b"one", b"", b"three" * 1000):
            peer.send(message)
        assert [each.payload for each in desk.incoming(session, 3)] == [b"one", b"", b"three" * 1000]
        assert session.connections == (1,)
    desk.event(session, "closed")
    with unix("seqpacket") as server:
        server.bind("")
        server.listen()
        client = desk.open("unix/seqpacket", "connect", remote=server.getsockname())
        peer, _ = server.accept()
        with peer:
            peer.send(b"")
            peer.send(b"x")
            assert [each.payload for each in desk.incoming(client, 2)] == [b"", b"x"]
        desk.event(client, "closed")


def test_dgram_answers_a_bound_peer(desk: Desk, tmp_path: Path) -> None:
    session = desk.open("unix/dgram", local="")
    with unix("dgram") as peer:
        peer.bind(str(tmp_path / "peer"))
        peer.sendto(b"?", session.local)  # type: ignore[arg-type]
        frame = desk.incoming(session, 1)[0]
        assert session.peers[frame.peer].address == str(tmp_path / "peer")
        desk.send(session, b"!", to=str(tmp_path / "peer"))
        assert peer.recv(10) == b"!"
        desk.until(lambda: session.log.sent == 1, "the row of what was sent")
        assert rows(session)[-1].peer == frame.peer


def test_a_file_of_others_stays(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "x.sock"
    with unix("stream") as theirs:
        theirs.bind(str(path))
        with pytest.raises(Refused) as caught:
            desk.open("unix/stream", "listen", str(path))
        assert caught.value.problem.name == "EADDRINUSE"
    assert path.is_socket()
    path.unlink()
    session = desk.open("unix/stream", "listen", str(path))
    path.unlink()
    with unix("stream") as theirs:
        theirs.bind(str(path))
        inode = path.stat().st_ino
        desk.close(session)
        assert path.stat().st_ino == inode
    path.unlink()
    session = desk.open("unix/stream", "listen", str(path))
    path.unlink()
    path.write_text("a file of the user")
    desk.close(session)
    assert path.read_text() == "a file of the user"


def test_a_client_socket_with_a_name_leaves_no_file(desk: Desk, tmp_path: Path) -> None:
    with unix("stream") as server:
        server.bind("")
        server.listen()
        session = desk.open("unix/stream", "connect", str(tmp_path / "mine"), server.getsockname())
        peer, address = server.accept()
        assert address == str(tmp_path / "mine")
        peer.close()
        desk.event(session, "closed")
        desk.until(lambda: session.state == "ended", "the end")
        assert not (tmp_path / "mine").exists()
    with pytest.raises(Refused) as caught:
        desk.open("unix/stream", "connect", str(tmp_path / "mine"), str(tmp_path / "nobody"))
    assert caught.value.problem.name == "ENOENT"
    assert not (tmp_path / "mine").exists()


def test_socat_speaks_to_a_path(desk: Desk, tmp_path: Path) -> None:
    session = desk.open("unix/stream", "listen", str(tmp_path / "s"))
    command = ["socat", "-u", "-", f"UNIX-CONNECT:{tmp_path / 's'}"]
    subprocess.run(command, input=b"from socat", check=True, timeout=PATIENCE)
    assert desk.stream(session, 10) == b"from socat"


@pytest.mark.parametrize("kind", KINDS)
def test_passed_descriptors_are_described_and_closed(desk: Desk, tmp_path: Path, kind: str) -> None:
    session = desk.open(f"unix/{kind}", "bind" if kind == "dgram" else "listen", "")
    (tmp_path / "passed").write_text("")
    with unix(kind, session.local) as peer, (tmp_path / "passed").open() as file, socket.socket() as tcp:
        read, write = os.pipe()
        peer.send(b"start")
        desk.incoming(session, 1)
        nameless = _nameless()
        before = descriptors(desk.pid)
        passed = [file.fileno(), tcp.fileno(), read, *([nameless.fileno()] if nameless else [])]
        count = 1000
        for number in range(count):
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", passed))]
            peer.sendmsg([b"%04d" % number], rights)
            # More on their way than a process may have open, 1024 as a rule, a slow engine would not get (unix(7)).
            if number % 100 == 99:
                desk.until(lambda sent=number + 1: session.log.bytes_in == 5 + 4 * sent, "every message")
        frames = [each for each in rows(session) if "descriptors" in each.meta]
        assert len(frames) == count
        for frame in (frames[0], frames[-1]):
            described = frame.meta["descriptors"]
            assert len(described) == len(passed)
            assert described[0] == f"file {tmp_path / 'passed'}"
            assert described[1].startswith("AF_INET SOCK_STREAM socket:[")
            assert described[2].startswith("pipe:[")
            if nameless:
                assert described[3].startswith("44 SOCK_RAW socket:[")
        assert descriptors(desk.pid) == before
        if nameless:
            nameless.close()
    os.close(read)
    os.close(write)


def _nameless() -> socket.socket | None:
    """A socket (AF_XDP) on which getsockname() fails, for which describing needs care."""
    try:
        return socket.socket(44, socket.SOCK_RAW)
    except OSError:
        return None


def test_more_descriptors_than_fit_are_flagged(desk: Desk) -> None:
    session = desk.open("unix/dgram", local="", snaplen=100)
    with unix("dgram", session.local) as peer:
        peer.send(b"start")
        desk.incoming(session, 1)
        before = descriptors(desk.pid)
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * 250))]
        peer.sendmsg([b"many"], rights)
        frame = desk.incoming(session, 2)[1]
        assert frame.flags & Flag.CONTROL_TRUNCATED
        assert len(frame.meta["descriptors"]) < 250
        wait(lambda: descriptors(desk.pid) == before, "the descriptors' end")
