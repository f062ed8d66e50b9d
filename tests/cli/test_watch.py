"""``watch`` against real peers: what it prints, when it stops, what it says at the end."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE, once_within, udp, wait

Run = Callable[..., Any]
KEYS = ["n", "time", "dir", "peer", "length", "payload", "truncated", "ancillary"]


def test_json_lines_tell_everything_of_a_datagram(run: Run) -> None:
    watch = run("watch", "inet/udp", "--bind", "127.0.0.1:0", "--json", "--count", "3")
    address = watch.address()
    with udp() as sock:
        for payload in (b"hello", b"", b"\x00\xff\x1b[2J"):
            sock.sendto(payload, address)
        mine = sock.getsockname()
        assert watch.end() == 0
    rows = [json.loads(line) for line in watch.out]
    assert [list(row) for row in rows] == [KEYS] * 3
    assert [row["n"] for row in rows] == [1, 2, 3]
    assert [bytes.fromhex(row["payload"]) for row in rows] == [b"hello", b"", b"\x00\xff\x1b[2J"]
    assert {row["peer"] for row in rows} == {repr(mine)}
    assert rows[0]["length"] == 5
    assert rows[0]["dir"] == "in"
    assert rows[0]["truncated"] is False
    assert rows[0]["ancillary"] is None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", rows[0]["time"])
    assert watch.err[-1] == "3 frames; the kernel dropped 0"


def test_a_line_is_out_before_the_next_frame_comes(run: Run) -> None:
    watch = run("watch", "inet/udp", "--bind", "127.0.0.1:0", "--json")
    address = watch.address()
    with udp() as sock:
        for number in (1, 2):
            sock.sendto(b"x", address)
            assert json.loads(watch.printed(number)[-1])["n"] == number


@pytest.mark.parametrize("peer", ["socat", "ncat"])
def test_a_listener_tells_its_peers_apart_and_goes_on(run: Run, peer: str) -> None:
    watch = run("watch", "inet/tcp", "--bind", "127.0.0.1:0", "--json")
    host, port = watch.address()
    for number, text in enumerate((b"one\n", b"two\n"), 1):
        arguments = ["-", f"TCP:{host}:{port}"] if peer == "socat" else [host, str(port)]
        client = run(*arguments, tool=peer, stdin=subprocess.PIPE)
        client.process.stdin.write(text)
        client.process.stdin.close()
        watch.printed(number)
    rows = [json.loads(line) for line in watch.out]
    assert [bytes.fromhex(row["payload"]) for row in rows] == [b"one\n", b"two\n"]
    assert rows[0]["peer"] != rows[1]["peer"]
    watch.said(r"^accepted from 127\.0\.0\.1:\d+")
    assert watch.end(signal.SIGINT) == 0


def test_a_connection_that_ends_ends_the_watch(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        watch = run("watch", "inet/tcp", "--connect", f"127.0.0.1:{server.getsockname()[1]}", "--json")
        peer, _ = server.accept()
        with peer:
            watch.said(rf"^connected to {re.escape(repr(server.getsockname()))}")
            peer.sendall(b"the end")
        assert watch.end() == 0
    assert bytes.fromhex(json.loads(watch.out[0])["payload"]) == b"the end"
    watch.said(r"^127\.0\.0\.1:\d+: closed by the peer")


def test_a_reset_is_a_failure_with_a_reason(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        watch = run("watch", "inet/tcp", "--connect", f"127.0.0.1:{server.getsockname()[1]}")
        peer, _ = server.accept()
        watch.said("^connected to")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.close()
        assert watch.end() == 1
    watch.said("ECONNRESET")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_signals_end_it_within_a_second(run: Run, tmp_path: Path, number: int, status: int) -> None:
    path = tmp_path / "w.sock"

    def attempt() -> float:
        watch = run("watch", "unix/stream", "--bind", str(path))
        assert watch.address() == str(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        began = time.monotonic()
        assert watch.end(number) == status
        took = time.monotonic() - began
        assert not path.exists()
        assert watch.err[-1] == "0 frames; the kernel dropped 0"
        return took

    once_within(1, attempt)


def test_a_reader_who_leaves_ends_it(run: Run) -> None:
    reading, writing = os.pipe()
    watch = run("watch", "inet/udp", "--bind", "127.0.0.1:0", stdout=writing)
    os.close(writing)
    watch.address()
    os.close(reading)
    assert watch.end() == 0
    assert watch.err[1:] == ["0 frames; the kernel dropped 0"]


def test_a_reader_who_does_not_read_does_not_keep_it_from_stopping(run: Run) -> None:
    def attempt() -> float:
        reading, writing = os.pipe()
        watch = run("watch", "inet/udp", "--bind", "127.0.0.1:0", "--json", stdout=writing)
        os.close(writing)
        address = watch.address()
        with udp() as sock:
            for _ in range(500):
                sock.sendto(b"x" * 400, address)
        wait(lambda: waiting_bytes(reading) > 60_000, "a full pipe")
        began = time.monotonic()
        assert watch.end(signal.SIGTERM) == 143
        took = time.monotonic() - began
        os.close(reading)
        printed, rest, drops = map(
            int, watch.said(r"^(\d+) frames, (\d+) more not printed; the kernel dropped (\d+)").groups()
        )
        assert printed + rest + drops == 500
        assert printed > 10
        return took

    once_within(1.5, attempt)


def waiting_bytes(pipe: int) -> int:
    """How much is in a pipe (FIONREAD)."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_for_ends_it(run: Run) -> None:
    began = time.monotonic()
    watch = run("watch", "inet/udp", "--bind", "127.0.0.1:0", "--for", "0.4")
    assert watch.end() == 0
    assert time.monotonic() - began >= 0.4


def test_for_bounds_a_connection_that_does_not_come(run: Run) -> None:
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as server,
        socket.socket() as first,
        socket.socket() as second,
    ):
        # A full queue of a listener that never accepts: the next connection waits.
        for sock in (first, second):
            sock.setblocking(False)
            sock.connect_ex(server.getsockname())
        watch = run("watch", "inet/tcp", "--connect", f"127.0.0.1:{server.getsockname()[1]}", "--for", "0.3")
        assert watch.end() == 1
    watch.said("not connected after 0.3 s")


def test_a_long_message_is_cut_and_said_to_be(run: Run) -> None:
    watch = run("watch", "inet/udp", "--bind", "127.0.0.1:0", "--snaplen", "4", "--json", "--count", "1")
    with udp() as sock:
        sock.sendto(b"123456", watch.address())
        assert watch.end() == 0
    row = json.loads(watch.out[0])
    assert (row["length"], bytes.fromhex(row["payload"]), row["truncated"]) == (6, b"1234", True)


def test_what_came_with_a_unix_message_is_ancillary(run: Run) -> None:
    watch = run("watch", "unix/dgram", "--bind", "", "--json", "--count", "1")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.connect(watch.address())
        socket.send_fds(sock, [b"take"], [sock.fileno()])
        assert watch.end() == 0
    beside = json.loads(watch.out[0])["ancillary"]
    assert beside["credentials"]["pid"] == os.getpid()
    assert beside["descriptors"][0].startswith("AF_UNIX SOCK_DGRAM")


def test_lines_for_people_have_a_dump_where_wanted(run: Run) -> None:
    watch = run("watch", "inet/udp", "--bind", "127.0.0.1:0", "--hex-dump", "--count", "1")
    with udp() as sock:
        sock.sendto("gr\u00fc\u00df \x1b]0;x\x07".encode(), watch.address())
        name = "{}:{}".format(*sock.getsockname())
        assert watch.end() == 0
    assert re.fullmatch(rf"\d\d:\d\d:\d\d\.\d{{6}}  ←  {name}     13  grüß \\x1b\]0;x\\x07", watch.out[0])
    assert watch.out[1] == "    0000  67 72 c3 bc c3 9f 20 1b  5d 30 3b 78 07           gr.... .]0;x."


def test_netlink_tells_of_its_own_answer(run: Run) -> None:
    watch = run("watch", "netlink/usersock", "--bind", "(0, 0)", "--json", "--count", "1")
    pid, _ = watch.address()
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_USERSOCK) as sock:
        sock.bind((0, 0))
        sock.sendto(b"between processes", (pid, 0))
        assert watch.end() == 0
        row = json.loads(watch.out[0])
        assert row["peer"] == repr(sock.getsockname())
    assert bytes.fromhex(row["payload"]) == b"between processes"


def test_a_refusal_is_explained(run: Run) -> None:
    with udp() as sock:
        watch = run("watch", "inet/udp", "--bind", "{}:{}".format(*sock.getsockname()))
        assert watch.end() == 1
    assert watch.err[0] == "Error: bind: EADDRINUSE Address already in use"
    assert any(line.startswith("  try: ") for line in watch.err)
    assert watch.out == []


def test_a_filter_prints_what_it_lets_through_and_all_is_recorded(run: Run, tmp_path: Path) -> None:
    """So it does when the recording is opened with the same filter."""
    expression, file = "hello or n==3 or len>20 and peer~127.", tmp_path / "all.pcapng"
    watch = run(
        "watch",
        "inet/udp",
        "--bind",
        "127.0.0.1:0",
        "--json",
        "--filter",
        expression,
        "--count",
        "4",
        "--write",
        str(file),
    )
    address = watch.address()
    with udp() as sock:
        for payload in (b"x", b"HELLO", b"third", b"", b"\0" * 21, b"again", b"hello" * 9):
            sock.sendto(payload, address)
        assert watch.end() == 0
    rows = [json.loads(line) for line in watch.out]
    assert [row["n"] for row in rows] == [2, 3, 5, 7]
    assert watch.err[-1].startswith("4 frames, 3 more recorded, not printed;")
    again = run("open", str(file), "--json", "--filter", expression)
    assert again.end() == 0
    assert [json.loads(line) | {"socket": 0} for line in again.out] == [row | {"socket": 0} for row in rows]
    every = run("open", str(file), "--json")
    assert every.end() == 0
    assert len(every.out) == 7


def test_a_filter_that_is_wrong_opens_nothing(done: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    result = done("watch", "inet/udp", "--bind", "127.0.0.1:0", "--filter", "can.pgn==F004")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: --filter: 'F004' is no number such as 61444 or 0xF004")


def test_a_filter_that_takes_too_long_is_a_failure(run: Run) -> None:
    watch = run("watch", "inet/udp", "--bind", "127.0.0.1:0", "--filter", "/(a+)+$/")
    address = watch.address()
    with udp() as sock:
        sock.sendto(b"a" * 5000 + b"!", address)
        assert watch.end() == 1
    watch.said("--filter: this regular expression takes too long")


def test_where_a_filter_lets_nothing_through_amid_a_flood_it_ends_in_time(run: Run) -> None:
    watch = run("watch", "inet/udp", "--bind", "127.0.0.1:0", "--filter", "nothing", "--for", "0.5")
    address = watch.address()
    with udp() as sock:
        began = time.monotonic()
        while watch.process.poll() is None and time.monotonic() < began + PATIENCE:
            with contextlib.suppress(OSError):
                sock.sendto(b"x", address)
    assert watch.end() == 0
    assert watch.out == []
    watch.said(r"^0 frames, \d+ more not printed; the kernel dropped \d+")


def test_an_engine_that_dies_is_a_failure(run: Run) -> None:
    watch = run("watch", "inet/udp", "--bind", "127.0.0.1:0")
    watch.address()
    children = Path(f"/proc/{watch.process.pid}/task/{watch.process.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
    assert watch.end() == 1
    watch.said("the engine was ended by signal 9")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["inet/udp", "--bind", "nonsense"], "has no host and port"),
        (["inet/udp", "--bind", "('127.0.0.1',"], "not a Python literal"),
        (["inet/nothing"], "it has udp, tcp"),
        (["nothing/udp"], "there are inet"),
        (["inet/udp", "--listen"], "no connections"),
        (["inet/tcp", "--listen", "--connect", "127.0.0.1:1"], "exclude"),
        (["inet/udp", "--option", "SO_NOTHING=1"], "SO_NOTHING"),
        (["inet/udp", "--option", "SO_REUSEADDR=many"], "no number"),
        (["inet/udp", "--proto", "17"], "leave --proto out"),
        (["inet/udp", "--count", "0"], "--count"),
        (["inet/udp", "--json", "--hex-dump"], "--hex-dump"),
        (["inet/udp", "--filter", "x", "--quiet"], "what is recorded is all"),
        (["inet/udp", "--filter", "x", "--write", "-"], "what is recorded is all"),
    ],
)
def test_wrong_usage(done: Callable[..., subprocess.CompletedProcess[str]], arguments: list[str], reason: str) -> None:
    result = done("watch", *arguments)
    assert result.returncode == 2
    assert reason in result.stderr
    assert result.stdout == ""
