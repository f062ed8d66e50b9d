"""``watch --write``, ``open`` and ``convert``: what is kept, whatever happens."""

from __future__ import annotations

import ast
import contextlib
import fcntl
import gzip
import io
import json
import os
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import Any, TextIO

import pytest
from support import PATIENCE, udp, wait
from verbs import COMMAND

from sockexplorer.capture import pcapng
from sockexplorer.capture.provenance import see
from sockexplorer.capture.reading import records
from sockexplorer.capture.sink import FileSink, Full
from sockexplorer.cli import stopping
from sockexplorer.cli.output import Output
from sockexplorer.cli.stopping import Stop, Stopped
from sockexplorer.cli.writing import sink

Run = Callable[..., Any]
Done = Callable[..., subprocess.CompletedProcess[str]]
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


def tshark(path: Path | str, *fields: str, data: bytes | None = None) -> list[list[str]]:
    """The fields of every frame, as tshark prints them."""
    command = ["tshark", "-r", str(path), "-T", "fields", *(word for field in fields for word in ("-e", field))]
    done = subprocess.run(command, input=data, capture_output=True, timeout=3 * PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.decode().splitlines()]


def record(run: Run, path: Path, *payloads: bytes) -> None:
    """Have ``watch`` record datagrams."""
    watch = run("watch", "inet/udp", "--bind", "127.0.0.1:0", "--write", str(path), "--count", str(len(payloads)))
    address = watch.address()
    with udp() as sock:
        for payload in payloads:
            sock.sendto(payload, address)
        assert watch.end() == 0


def test_what_was_watched_is_what_is_opened(run: Run, done: Done, tmp_path: Path) -> None:
    path = tmp_path / "w.pcapng"
    watch = run("watch", "inet/udp", "--bind", "127.0.0.1:0", "--write", str(path), "--json", "--count", "3")
    address = watch.address()
    with udp() as sock:
        for payload in (b"hello", b"", b"\x00\xff\x1b[2J"):
            sock.sendto(payload, address)
        assert watch.end() == 0
    opened = done("open", str(path), "--json")
    assert opened.returncode == 0
    rows = [json.loads(line) for line in opened.stdout.splitlines()]
    assert [row.pop("socket") for row in rows] == ["inet/udp"] * 3
    assert rows == [json.loads(line) for line in watch.out]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("removed", [True, False])
def test_a_recording_that_was_removed_meanwhile_is_told(run: Run, tmp_path: Path, removed: bool) -> None:
    (directory := tmp_path / "d").mkdir()
    path = directory / "w.pcapng"
    watch = run("watch", "inet/udp", "--bind", "127.0.0.1:0", "--write", str(path), "--count", "2")
    address = watch.address()
    with udp() as sock:
        sock.sendto(b"one", address)
        watch.printed(1)
        if removed:
            shutil.rmtree(directory)
        else:
            path.rename(tmp_path / "elsewhere")
        sock.sendto(b"two", address)
        assert watch.end() == int(removed)
    assert any("somebody removed it" in line for line in watch.err) is removed


@pytest.mark.parametrize("name", ["w.pcapng", "link.pcapng", "hard.pcapng"])
def test_a_capture_is_not_converted_onto_itself(run: Run, done: Done, tmp_path: Path, name: str) -> None:
    record(run, path := tmp_path / "w.pcapng", b"precious")
    (tmp_path / "link.pcapng").symlink_to(path)
    os.link(path, tmp_path / "hard.pcapng")
    before = path.read_bytes()
    result = done("convert", str(path), str(tmp_path / name), "--overwrite")
    assert (result.returncode, path.read_bytes()) == (1, before)
    assert "it is the file that is read" in result.stderr


@pytest.mark.parametrize("wrong", [["none"], ["garbage"], ["w.pcapng", "--filter", "len>"]])
def test_nothing_is_replaced_where_there_is_nothing_to_convert(
    run: Run, done: Done, tmp_path: Path, wrong: list[str]
) -> None:
    record(run, tmp_path / "w.pcapng", b"precious")
    (tmp_path / "garbage").write_bytes(b"no capture")
    (out := tmp_path / "out.jsonl").write_text("made before")
    result = done("convert", str(tmp_path / wrong[0]), str(out), "--overwrite", *wrong[1:])
    assert (result.returncode, out.read_text()) == (1, "made before")
    assert done("convert", str(tmp_path / wrong[0]), str(new := tmp_path / "new.jsonl"), *wrong[1:]).returncode == 1
    assert not new.exists()
    assert done("convert", str(tmp_path / "w.pcapng"), str(out), "--overwrite").returncode == 0
    assert json.loads(out.read_text())["payload"] == b"precious".hex()


def test_descriptors_and_unix_peers_are_kept(run: Run, done: Done, tmp_path: Path) -> None:
    path, mine = tmp_path / "w.pcapng", tmp_path / "mine"
    watch = run("watch", "unix/dgram", "--bind", "", "--json", "--count", "1", "--write", str(path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(mine))
        sock.connect(watch.address())
        socket.send_fds(sock, [b"take"], [sock.fileno()])
        assert watch.end() == 0
    row = json.loads(done("open", str(path), "--json").stdout)
    assert row.pop("socket") == "unix/dgram"
    assert row == json.loads(watch.out[0])
    assert row["peer"] == repr(str(mine))


@pytest.mark.parametrize("kind", ["watch", "candump"])
def test_a_live_pipe_is_shown_as_it_comes(run: Run, kind: str) -> None:
    reading, writing = os.pipe()
    opened = run("open", "-", "--json", stdin=reading)
    os.close(reading)
    for number in (1, 2):
        if kind == "candump":
            os.write(writing, b"(1.000000) vcan0 123#%02d\n" % number)
        else:
            start = pcapng.section("x", "") + pcapng.interface(1) if number == 1 else b""
            os.write(writing, start + pcapng.packet(0, number, (b"x",), 1, None))
        assert json.loads(opened.printed(number)[-1])["n"] == number
    os.close(writing)
    assert opened.end() == 0


@needs_tshark
def test_watch_through_a_pipe_into_tshark(run: Run) -> None:
    reading, writing = os.pipe()
    watch = run("watch", "inet/udp", "--bind", "127.0.0.1:0", "--write", "-", stdout=writing)
    os.close(writing)
    address = watch.address()
    command = ["-l", "-r", "-", "-T", "fields", "-e", "exported_pdu.exported_pdu"]
    shark = run(*command, tool="tshark", stdin=reading)
    os.close(reading)
    with udp() as sock:
        for number in (1, 2):
            sock.sendto(bytes((number,)), address)
            assert shark.printed(number)[-1] == f"{number:02x}"
        assert watch.end(signal.SIGINT) == 0
    assert watch.err[-1].startswith("2 frames")
    assert shark.end() == 0


@contextlib.contextmanager
def piped(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, TextIO]]:
    """Stdout is a pipe: the end that reads it, and stdout."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb"), os.fdopen(writing, "w") as stdout, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stdout)
        yield reading, stdout


def read_all(pipe: int, begin: Callable[[], bool]) -> Future[bytes]:
    """What another thread reads to the end, once it is to begin."""
    read: Future[bytes] = Future()

    def reader() -> None:
        wait(begin, "the time to read")
        parts = []
        while part := os.read(pipe, 2**16):
            parts.append(part)
        read.set_result(b"".join(parts))

    Thread(target=reader, daemon=True).start()
    return read


def test_who_reads_a_stream_has_a_moment_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else whoever is behind by a pipe's length gets a block that is cut off, and nothing of what had come."""
    monkeypatch.setattr(stopping, "GRACE", PATIENCE)
    blocks = [bytes((number,)) * 300_000 for number in range(3)]
    with piped(monkeypatch) as (reading, stdout):
        read = read_all(reading, lambda: waiting_in(reading) >= 2**16)
        with Stop() as stop:
            stop.within(0)
            with sink("-", Output(stop), stop, overwrite=False) as write:
                for each in blocks:
                    write([each])
                del write
            assert os.get_blocking(stdout.fileno()), "whoever shares this end of the pipe would fail to write"
        stdout.close()
        assert read.result(PATIENCE) == b"".join(blocks)


def test_who_reads_a_stream_slowly_gets_what_had_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the moment that one who does not read at all has."""
    monkeypatch.setattr(stopping, "GRACE", PATIENCE)
    monkeypatch.setattr(stopping, "LONGEST", 3 * PATIENCE)
    block = bytes(300_000)
    with piped(monkeypatch) as (reading, stdout):
        read = read_all(reading, lambda: waiting_in(reading) >= 2**16)
        with Stop() as stop:
            stop.signal = signal.SIGINT
            stop._due_since = time.monotonic() - 1.5 * PATIENCE
            with sink("-", Output(stop), stop, overwrite=False) as write:
                write([block])
                del write
            stop._due_since -= 2 * PATIENCE
            assert stop.late(time.monotonic()), "not for ever"
        stdout.close()
        assert read.result(PATIENCE) == block


def test_nothing_follows_a_block_that_a_stream_has_a_part_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else what came next would be read as part of it, or frames would be missing that nobody knows of."""
    monkeypatch.setattr(stopping, "GRACE", 0)
    blocks = [bytes((number,)) * 300_000 for number in range(3)]
    with piped(monkeypatch) as (reading, stdout):
        with Stop() as stop:
            stop.signal = signal.SIGINT
            with sink("-", Output(stop), stop, overwrite=False) as write:
                for each in blocks:
                    with pytest.raises(Stopped):
                        write([each])
                del write
                monkeypatch.setattr(stopping, "GRACE", PATIENCE)
                read = read_all(reading, lambda: True)
        stdout.close()
        assert read.result(PATIENCE) == blocks[0]


@needs_tshark
def test_a_stream_of_megabytes_is_recorded_in_packets_that_wireshark_reads(run: Run, tmp_path: Path) -> None:
    """Read slowly at first, so that much of it waits and is taken at once."""
    path = tmp_path / "w.pcapng"
    watch = run("watch", "inet/tcp", "--listen", "--bind", "127.0.0.1:0", "--write", str(path), "--quiet")
    data = bytes(range(256)) * 2**16
    with socket.create_connection(watch.address(), PATIENCE) as sock:
        sock.sendall(data)
        wait(lambda: path.stat().st_size > len(data), "all of it")
        watch.end(signal.SIGINT)
    lines = tshark(path, "exported_pdu.exported_pdu", "data.data")
    assert bytes.fromhex("".join(line[-1] or line[0] for line in lines)) == data
    assert 0 < max(len(line[-1] or line[0]) for line in lines) // 2 < 262_144


def test_no_acknowledged_frame_is_lost_by_a_kill(run: Run, done: Done, tmp_path: Path) -> None:
    for attempt in range(4):
        path = tmp_path / f"{attempt}.pcapng"
        watch = run("watch", "inet/udp", "--bind", "127.0.0.1:0", "--json", "--write", str(path))
        address = watch.address()
        with udp() as sock:
            for number in range(400 * (attempt + 1)):
                sock.sendto(struct.pack(">I", number) + bytes(200), address)
            watch.printed(1 + 100 * attempt)
            watch.end(signal.SIGKILL)
        opened = done("open", str(path), "--json")
        assert opened.returncode == 0, opened.stderr
        kept = [json.loads(line)["payload"] for line in opened.stdout.splitlines()]
        acknowledged = [json.loads(line)["payload"] for line in watch.out if line.endswith("}")]
        assert kept[: len(acknowledged)] == acknowledged
        assert len(acknowledged) > 100 * attempt
        if shutil.which("tshark"):
            if "ends within a record" in opened.stderr:
                assert done("open", str(path), "--repair").returncode == 0
            assert len(tshark(path, "frame.number")) == len(kept)


@pytest.mark.parametrize("verb", ["open", "watch"])
def test_a_fifo_that_nobody_opens_can_be_left(run: Run, tmp_path: Path, verb: str) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    waits = ["open", str(path)] if verb == "open" else ["watch", "inet/udp", "--write", str(path)]
    running = run(*waits)
    status = Path(f"/proc/{running.process.pid}/status")
    caught = 1 << signal.SIGTERM - 1
    wait(lambda: int(status.read_text().partition("SigCgt:")[2].split()[0], 16) & caught, "it to catch signals")
    assert running.end(signal.SIGTERM) == 143


@pytest.mark.parametrize("leaves", [True, False])
def test_who_reads_a_fifo_no_more_does_not_hold_the_watch(run: Run, tmp_path: Path, leaves: bool) -> None:
    """Wireshark that is busy, or was closed."""
    os.mkfifo(path := tmp_path / "fifo")
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        watch = run("watch", "inet/udp", "--bind", "127.0.0.1:0", "--write", str(path), "--json")
        address = watch.address()
        with udp() as sock:
            for _ in range(8):
                sock.sendto(bytes(60_000), address)
            wait(lambda: waiting_in(reader) > 4096, "the pipe to be filled")
            if leaves:
                os.close(reader)
                sock.sendto(b"x", address)
                assert watch.end() == 0
            else:
                assert watch.end(signal.SIGINT) == 0
    finally:
        with contextlib.suppress(OSError):
            os.close(reader)


def test_what_came_is_recorded_though_nobody_reads_the_lines(run: Run, tmp_path: Path) -> None:
    count, path = 3000, tmp_path / "w.pcapng"
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb"), os.fdopen(writing, "wb"):
        address = str(tmp_path / "mine")
        watch = run("watch", "unix/dgram", "--bind", address, "--json", "--write", str(path), stdout=writing)
        watch.address()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.settimeout(PATIENCE)
            for number in range(count):
                sock.sendto(struct.pack(">I", number), address)
        wait(lambda: waiting_in(reading) > 4096, "lines")
        assert watch.end(signal.SIGINT) == 0
    with path.open("rb") as file:
        kept = [see(each).payload for each in records(file.read)]
    assert kept == [struct.pack(">I", number) for number in range(len(kept))]
    assert len(kept) > count / 2, "a few may have waited in the kernel"


def waiting_in(pipe: int) -> int:
    """Bytes that wait to be read."""
    count = array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


def small_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (3001, 3001))


@pytest.mark.parametrize("quiet", [False, True])
def test_a_full_disk_stops_it_at_a_whole_frame(done: Done, tmp_path: Path, quiet: bool) -> None:
    path = tmp_path / "full.pcapng"
    command = [sys.executable, "-m", "sockexplorer", "watch", "inet/udp", "--bind", "127.0.0.1:0", "--write", str(path)]
    watch = subprocess.Popen(
        command + ["--quiet"] * quiet, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=small_files,
    )  # fmt: skip
    assert watch.stderr is not None
    address = ast.literal_eval(watch.stderr.readline().removeprefix("bound to "))
    with udp() as sock:
        for _ in range(300):
            sock.sendto(bytes(100), address)
            if watch.poll() is not None:
                break
            time.sleep(0.001)
        out, err = watch.communicate(timeout=PATIENCE)
    assert watch.returncode == 1
    lost = re.search(rf"Error: {path}: File too large\n  what it holds is whole; (\d+) frames? had no room", err)
    assert lost is not None, err
    assert 0 < path.stat().st_size <= 3001
    opened = done("open", str(path))
    assert (opened.returncode, "record" in opened.stderr) == (0, False)
    kept = len(opened.stdout.splitlines())
    assert kept >= len(out.splitlines())
    assert kept > 0
    more = r"(?:, (\d+) more recorded, not printed)?(?:, (\d+) more not recorded)?"
    said = re.search(rf"(\d+) frames?{more}; the kernel dropped", err)
    assert said is not None, err
    printed, kept_only, neither = (int(each or 0) for each in said.groups())
    assert printed == (kept if quiet else len(out.splitlines()))
    assert (printed + kept_only, neither) == (kept, int(lost[1])), "what came is what was kept and what was not"


def test_a_full_disk_leaves_whole_frames_in_the_file_of_stdout(done: Done, tmp_path: Path) -> None:
    """As in one that --write names, and what was in the file before is none of ours."""
    log, path, before = tmp_path / "a.log", tmp_path / "full.pcapng", pcapng.section("another", "")
    log.write_text("(1.000000) vcan0 123#DEADBEEF\n" * 100)
    path.write_bytes(before)
    command = [sys.executable, "-m", "sockexplorer", "convert", str(log), "--to", "pcapng"]
    with path.open("ab") as file:
        full = subprocess.run(
            command, stdout=file, stderr=subprocess.PIPE, text=True, preexec_fn=small_files, check=False
        )
    assert full.returncode == 1
    assert full.stderr == "Error: stdout can't be written: File too large\n  what it holds is whole\n"
    assert path.read_bytes().startswith(before)
    assert path.stat().st_size <= 3001
    opened = done("open", str(path))
    assert (opened.returncode, "record" in opened.stderr) == (0, False)
    assert 0 < len(opened.stdout.splitlines()) < 100


@pytest.mark.parametrize("command", ["watch", "convert"])
def test_what_a_file_holds_is_not_overwritten_unasked(done: Done, tmp_path: Path, command: str) -> None:
    path, source = tmp_path / "there", tmp_path / "a.log"
    path.write_text("precious")
    source.write_text("(1.000000) vcan0 123#00\n")
    start = ["watch", "inet/udp", "--bind", "127.0.0.1:0", "--for", "0.1", "--write", str(path)]
    if command == "convert":
        start = ["convert", str(source), "--to", "hex", str(path)]
    refused = done(*start)
    assert refused.returncode == 1
    assert "there is such a file" in refused.stderr
    assert path.read_text() == "precious"
    assert done(*start, "--overwrite").returncode == 0
    assert b"precious" not in path.read_bytes()


def test_a_recording_needs_a_name(done: Done, tmp_path: Path) -> None:
    refused = done("watch", "unix/dgram", "--bind", str(tmp_path / "socket"), "--write", "")
    assert (refused.returncode, "has no name" in refused.stderr) == (1, True)


def test_a_torn_file_is_repaired_on_request(run: Run, done: Done, tmp_path: Path) -> None:
    path = tmp_path / "torn.pcapng"
    record(run, path, b"one", b"two")
    whole = path.read_bytes()
    path.write_bytes(whole[:-90])
    shown = done("open", str(path))
    assert (shown.returncode, len(shown.stdout.splitlines())) == (0, 1)
    assert "it ends within a record: whole up to byte" in shown.stderr
    assert '"open --repair" cuts it there' in shown.stderr
    assert path.stat().st_size == len(whole) - 90
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        busy = done("open", str(path), "--repair")
    assert (busy.returncode, path.stat().st_size) == (1, len(whole) - 90)
    assert "still writing it" in busy.stderr
    cut = done("open", str(path), "--repair").stderr
    assert "cut off" in cut
    assert '"open --repair"' not in cut
    assert whole.startswith(path.read_bytes())
    again = done("open", str(path), "--repair")
    assert "nothing to repair" in again.stderr
    assert len(again.stdout.splitlines()) == 1
    path.write_bytes(whole[:30])
    assert "cuts it there" not in done("open", str(path)).stderr, "nothing of it would be left"
    assert done("open", str(path), "--repair").returncode == 1
    assert path.read_bytes() == whole[:30]


def test_what_is_no_file_is_not_repaired(run: Run, done: Done, tmp_path: Path) -> None:
    record(run, path := tmp_path / "w.pcapng", b"one", b"two")
    os.mkfifo(pipe := tmp_path / "pipe")
    shown = run("open", str(pipe), "--format", "hex")
    pipe.write_bytes(path.read_bytes()[:-90])
    assert (shown.end(), shown.out) == (0, [b"one".hex()])
    assert shown.said("it ends within a record")
    assert not any("cuts it there" in line for line in shown.err), "a pipe can't be cut"
    for name, why in (("pipe", "needs a file, not a pipe"), ("none", "No such file"), (".", "Is a directory")):
        assert why in done("open", str(tmp_path / name), "--repair").stderr


def test_what_was_dropped_is_told_also_of_a_copy(done: Done, tmp_path: Path) -> None:
    path, copy = tmp_path / "d.pcapng", tmp_path / "copy.pcapng"
    one = pcapng.section("x", "") + pcapng.interface(1) + pcapng.packet(0, 5, (b"x",), 1, None)
    first, later, other = (pcapng.statistics(0, 5, 1, count) for count in (2, 3, 4))
    path.write_bytes(one + first + later + one + other)
    assert done("convert", str(path), "--to", "pcapng", str(copy)).returncode == 0
    for each in (path, copy):
        assert done("open", str(each)).stderr == "2 frames; 7 were dropped when it was captured\n"


@pytest.mark.parametrize("piped", [False, True])
def test_a_compressed_capture_is_opened_and_converted(run: Run, done: Done, tmp_path: Path, piped: bool) -> None:
    path, packed, again = tmp_path / "w.pcapng", tmp_path / "w.pcapng.gz", tmp_path / "again.pcapng"
    record(run, path, b"hello", b"", bytes(3000))
    with packed.open("wb") as file:
        subprocess.run(["gzip", "-c", path], stdout=file, timeout=PATIENCE, check=True)

    def of_packed(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = [*COMMAND, *("-" if piped and each == str(packed) else each for each in arguments)]
        data = packed.read_bytes() if piped else b""
        return subprocess.run(command, input=data, capture_output=True, timeout=PATIENCE, check=True)

    wanted, found = done("open", str(path), "--json"), of_packed("open", str(packed), "--json")
    assert (found.stdout.decode(), found.stderr.decode()) == (wanted.stdout, wanted.stderr)
    of_packed("convert", str(packed), str(again))
    done("convert", str(path), str(tmp_path / "plain.pcapng"))
    assert again.read_bytes() == (tmp_path / "plain.pcapng").read_bytes()


def test_a_compressed_capture_that_is_torn_or_damaged_is_shown_up_to_there(done: Done, tmp_path: Path) -> None:
    data = pcapng.section("x", "") + pcapng.interface(147)
    whole = gzip.compress(data + b"".join(pcapng.packet(0, 5, (os.urandom(2000),), 2000, None) for _ in range(60)))
    path = tmp_path / "x.gz"
    path.write_bytes(whole[:-60_000])
    result = done("open", str(path))
    assert result.returncode == 0
    assert 20 < len(result.stdout.splitlines()) < 40
    assert f"it ends at byte {len(whole) - 60_000} of its gzip data, which are not whole\n" in result.stderr
    assert "repair" not in result.stderr
    before = path.read_bytes()
    result = done("open", str(path), "--repair")
    assert result.returncode == 1
    assert "it is compressed, and can't be cut" in result.stderr
    assert path.read_bytes() == before
    path.write_bytes(whole[:-5] + bytes([whole[-5] ^ 1]) + whole[-4:])
    result = done("open", str(path))
    assert (result.returncode, len(result.stdout.splitlines())) == (1, 60)
    assert f"at byte {len(whole) - 5}: the gzip data are damaged: incorrect data check" in result.stderr


def commented() -> bytes:
    """Two sections with comments of their own, a third with those of the second, and one without."""
    data = b""
    for comments, others in ((("first", "and more"), ("eth",)), (("second",), ()), (("second",), ()), ((), ("lo",))):
        data += pcapng.section("x", "", comments) + pcapng.interface(1, "eth0", "", others)
        data += pcapng.interface(1, "eth0") + pcapng.packet(0, 5, (b"x",), 1, None, ("of a frame",))
        data += pcapng.packet(1, 5, (b"y",), 1, None) + pcapng.statistics(0, 5, 1, 3)
    return data


def test_comments_on_sections_and_interfaces_are_in_a_copy(done: Done, tmp_path: Path) -> None:
    path, copy = tmp_path / "c.pcapng", tmp_path / "copy.pcapng"
    path.write_bytes(commented())
    assert done("convert", str(path), str(copy)).returncode == 0
    wanted, found = (list(records(io.BytesIO(each.read_bytes()).read)) for each in (path, copy))
    assert found == wanted
    assert found[0].interface.of_section == ("first", "and more")
    assert found[0].interface.comments == ("eth",)
    assert copy.read_bytes().count(b"second") == 1, "what has the same comments needs no section of its own"
    assert done("open", str(copy)).stderr == "8 frames; 12 were dropped when it was captured\n"


@needs_tshark
def test_wireshark_shows_the_comments_of_a_copy(done: Done, tmp_path: Path) -> None:
    path, copy = tmp_path / "c.pcapng", tmp_path / "copy.pcapng"
    path.write_bytes(
        pcapng.section("x", "", ("all of it",)) + pcapng.interface(1) + pcapng.packet(0, 5, (b"x",), 1, None)
    )
    assert done("convert", str(path), str(copy)).returncode == 0
    told = subprocess.run(["capinfos", "-k", copy], capture_output=True, text=True, timeout=PATIENCE, check=True).stdout
    assert "all of it" in told


def test_a_filter_shows_some(run: Run, done: Done, tmp_path: Path) -> None:
    path = tmp_path / "f.pcapng"
    record(run, path, b"one", b"two", b"three")
    shown = done("open", str(path), "--filter", "t", "--json").stdout.splitlines()
    assert [json.loads(line)["n"] for line in shown] == [2, 3]
    assert "not understood" in done("open", str(path), "--filter", "((").stderr
    log = tmp_path / "bus.log"
    log.write_text("(1.000000) vcan0 123#00\n(2.000000) vcan0 124#00\n")
    decoded = done("open", str(log), "--filter", "can.id==0x124", "--json").stdout.splitlines()
    assert [json.loads(line)["n"] for line in decoded] == [2]
    for expression, numbers in (("protocol==raw", [1, 2]), ("protocol!=raw", [])):
        lines = done("open", str(log), "--filter", expression, "--json").stdout.splitlines()
        assert [json.loads(line)["n"] for line in lines] == numbers
    both, copy = tmp_path / "both.pcapng", tmp_path / "copy.pcapng"
    assert done("convert", str(log), str(both)).returncode == 0
    with both.open("ab") as file:
        file.write(path.read_bytes())
    assert done("convert", str(both), str(copy), "--filter", "proto==udp").returncode == 0
    lines = done("open", str(copy), "--json").stdout.splitlines()
    assert [json.loads(line)["socket"] for line in lines] == ["inet/udp"] * 3
    assert "did you mean can.id" in done("open", str(log), "--filter", "can.idd==1").stderr


def test_each_format(run: Run, done: Done, tmp_path: Path) -> None:
    path, payloads = tmp_path / "f.pcapng", (b"one\n", b"", bytes(range(256)))
    record(run, path, *payloads)

    def converted(kind: str) -> str:
        result = done("convert", str(path), "--to", kind)
        assert (result.returncode, result.stderr) == (0, "")
        return result.stdout

    found: dict[str, Any] = {}
    exec(compile(converted("python"), "converted", "exec"), found)
    assert tuple(found[f"frame_{number}"] for number in (1, 2, 3)) == payloads
    assert [bytes.fromhex(line) for line in converted("hex").splitlines()] == list(payloads)
    assert [bytes.fromhex(json.loads(line)["payload"]) for line in converted("jsonl").splitlines()] == list(payloads)
    assert converted("text") == done("open", str(path)).stdout
    out = tmp_path / "copy.pcapng"
    assert done("convert", str(path), "--to", "pcapng", str(out)).returncode == 0
    assert done("open", str(out), "--json").stdout == done("open", str(path), "--json").stdout
    if shutil.which("gcc"):
        source = tmp_path / "f.c"
        source.write_text(
            "#include <stdio.h>\n" + converted("c") + "int main(void) { fwrite(frame_1, 1, frame_1_length, stdout);"
            "fwrite(frame_2, 1, frame_2_length, stdout); fwrite(frame_3, 1, frame_3_length, stdout); return 0; }"
        )
        subprocess.run(["gcc", "-Wall", "-Werror", "-o", tmp_path / "f", source], check=True, timeout=PATIENCE)
        assert subprocess.run([tmp_path / "f"], capture_output=True, check=True).stdout == b"".join(payloads)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file"),
        (b"", "nothing in it"),
        (b"hello\x1b[2J", "68 65 6c 6c: neither pcapng"),
        (gzip.compress(b"hello"), "68 65 6c 6c: neither pcapng"),
        (gzip.compress(gzip.compress(b"hello")), "gzip -d <"),
        (b"\x28\xb5\x2f\xfd", "zstd -d <"),
        (b"\x04\x22\x4d\x18", "lz4 -d <"),
        (pcapng.section("x", "") + bytes(12) + b"more", "at byte 44: block of type 0x0 with a length of 0"),
    ],
)
def test_no_capture_is_refused_with_a_reason(done: Done, tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "x"
    if content is not None:
        path.write_bytes(content)
    result = done("open", str(path))
    assert (result.returncode, result.stdout) == (1, "")
    assert reason in result.stderr
    assert "Error" in done("convert", str(path), "--to", "hex").stderr
    assert "Is a directory" in done("open", str(tmp_path)).stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["open", "-", "--repair"], "not a pipe"),
        (["open", "x", "--json", "--hex-dump"], "--hex-dump"),
        (["watch", "inet/udp", "--write", "-", "--json"], "stdout for itself"),
        (["watch", "inet/udp", "--overwrite"], "--write FILE"),
        (["convert", "x", "--to", "xml"], "xml"),
        (["convert", "x"], "--to"),
    ],
)
def test_wrong_usage(done: Done, arguments: list[str], reason: str) -> None:
    result = done(*arguments)
    assert result.returncode == 2
    assert reason in result.stderr


@pytest.mark.parametrize("room", [0, 11, 40, 63, 64, 65, 200, 1000])
def test_of_a_run_of_blocks_those_that_fit_are_kept(tmp_path: Path, room: int) -> None:
    """Many frames go out as one piece: a full disk must not cost those of them that had room."""
    path = tmp_path / "w.pcapng"
    first = pcapng.packet(0, 1, (b"one",), 3, None)
    run = b"".join(pcapng.packet(0, number, (b"x" * (number % 40),), number % 40, None) for number in range(30))
    file, limit = FileSink(path), resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(first) + room, limit[1]))
    try:
        with pytest.raises(Full) as full:
            file([first, run, first])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, before)
    file.close()
    kept, at, ends = path.read_bytes(), 0, [0]
    while at < len(run):
        at += int.from_bytes(run[at + 4 : at + 8], "little")
        ends.append(at)
    count = sum(end <= room for end in ends) - 1
    assert (full.value.kept, full.value.more) == (1, count)
    assert kept == first + run[: ends[count]]
