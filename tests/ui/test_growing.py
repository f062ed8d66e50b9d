"""A capture that grows while it is shown: a file that another program writes, a FIFO, a pipe that is stdin."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import pytest
from person import Person
from pty_app import PtyApp
from support import wait
from textual.widgets import Input

from sockexplorer.capture import pcapng
from sockexplorer.capture.link_types import Origin, wrap
from sockexplorer.client import indexing
from sockexplorer.client.client import Problem
from sockexplorer.client.file_session import NO_INDEX, FileSession, Pipe
from sockexplorer.client.files import open_file
from sockexplorer.client.writers import is_written

People = Callable[..., Person]
HEAD = pcapng.section("sockexplorer 1", "Linux") + pcapng.interface(252, "inet/udp", "")
WRITER = """
import os, sys
file = open(sys.argv[1], sys.argv[2], buffering=0)
print("open", flush=True)
for line in sys.stdin:
    file.write(bytes.fromhex(line))
    print("written", flush=True)
"""


@pytest.fixture(autouse=True)
def no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NO_INDEX, "1")


def packets(first: int, last: int) -> bytes:
    """Frames of a UDP socket, numbered; every third is sent."""
    data = b""
    for number in range(first, last + 1):
        outgoing, payload = number % 3 == 0, f"message {number}".encode()
        head = wrap(Origin("inet/udp", 17, ("10.0.0.1", 9999)), ("192.0.2.7", 53), b"", outgoing=outgoing)[1]
        moment = (1_700_000_000 + number) * 10**9
        data += pcapng.packet(0, moment, (head, payload), len(head) + len(payload), outgoing)
    return data


class Writer:
    """Another process that has a file open and writes what it is told."""

    def __init__(self, path: Path, mode: str = "ab") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def is_open(self) -> None:
        """Wait until it has the file: a FIFO only when there is a reader."""
        assert self._line() == "open\n"

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        print(data.hex(), file=self.process.stdin, flush=True)
        assert self._line() == "written\n"

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def end(self) -> None:
        self.process.communicate()


@contextmanager
def writer(path: Path, mode: str = "ab") -> Iterator[Writer]:
    made = Writer(path, mode)
    try:
        yield made
    finally:
        made.end()


def shown(person: Person, source: Path | Pipe) -> FileSession:
    """Have the explorer show it."""
    session = open_file(person.hub, source)
    assert isinstance(session, FileSession), session
    person.main.show_session(session)
    return session


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Both ends. The reading end belongs to who reads."""
    reading, writing = os.pipe()
    yield reading, writing
    with suppress(OSError):
        os.close(writing)


async def test_a_pipe_is_followed_as_it_comes(people: People, size: tuple[int, int], pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    async with people(size) as person:
        session = shown(person, Pipe(reading, "stdin"))
        await person.sees("stdin", "Waiting for frames: it is a live pipe")
        for part in (HEAD[:3], HEAD[3:30], HEAD[30:] + packets(1, 1)[:20]):
            os.write(writing, part)
            await person.pilot.pause(0.3)
            assert not session.notice
        await person.sees("Waiting for frames")
        os.write(writing, packets(1, 1)[20:])
        await person.sees("message 1", "a live pipe")
        os.write(writing, packets(2, 100))
        await person.sees("message 100")
        await person.press("3", "k")
        await person.sees("not following: G")
        os.write(writing, packets(101, 200))
        await person.until(lambda: session.log.end == 201, "all frames")
        await person.sees("message 99 ", "not following: G")
        assert "message 200" not in person.screen
        await person.press("G")
        await person.sees("message 200")
        os.write(writing, packets(201, 202)[:-7])
        os.close(writing)
        await person.sees("201 frames", "it ends within a record")
        assert "repair" not in session.notice
        assert "live pipe" not in person.screen
        assert session.state == "file"


async def test_a_pause_outlasts_the_pipe_and_can_be_ended(people: People, pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    async with people((80, 24)) as person:
        session = shown(person, Pipe(reading, "stdin"))
        os.write(writing, HEAD + packets(1, 3))
        await person.sees("message 3")
        await person.press("3", "p")
        os.write(writing, packets(4, 5))
        await person.sees("paused, 2 more")
        os.close(writing)
        await person.until(lambda: not session.live, "the end of the pipe")
        await person.sees("‖ paused, 2 more: p")
        await person.press("p", "G")
        await person.sees("message 5")
        assert "paused" not in person.screen


async def test_a_filter_goes_on_with_what_comes(people: People, pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    async with people((120, 40)) as person:
        shown(person, Pipe(reading, "stdin"))
        os.write(writing, HEAD + packets(1, 30))
        await person.sees("message 30")
        await person.press("3", "slash")
        person.main.traffic.query_one("#filter", Input).value = "dir==out"
        rows = person.main.traffic.view.rows
        await person.until(lambda: rows.matches() == (10, 30), "the filter")
        os.write(writing, packets(31, 60))
        await person.until(lambda: rows.matches() == (20, 60), "the filter to go on")
        await person.sees("message 60")
        assert "message 59" not in person.screen


async def test_a_pipe_that_becomes_large_is_filtered_by_columns(people: People, pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    async with people((120, 40)) as person:
        session = FileSession(person.hub.next_number(), Pipe(reading, "stdin"), vectorised_from=5000)
        person.hub.sessions[session.number] = session
        session.start()
        person.main.show_session(session)
        os.write(writing, HEAD + packets(1, 10))
        await person.sees("message 10")
        assert not session.captured.vectorised
        os.write(writing, packets(11, 200))
        await person.sees("message 200")
        assert session.captured.vectorised
        await person.press("3", "slash")
        rows = person.main.traffic.view.rows
        for expression, count in (("len==9", 9), ("peer~192.", 200), ("hex:38 30", 2)):
            person.main.traffic.query_one("#filter", Input).value = expression
            await person.until(lambda wanted=count: rows.matches() == (wanted, 200), expression)
        os.write(writing, packets(201, 400))
        await person.until(lambda: rows.matches() == (4, 400), "all")


async def test_what_is_no_capture_is_said_and_not_read_on(people: People, pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    async with people((120, 40)) as person:
        shown(person, Pipe(reading, "stdin"))
        os.write(writing, b"GET / HTTP/1.1\r\nHost: of no importance\r\n")
        await person.sees("neither pcapng")
        assert "live pipe" not in person.screen

        def hears() -> bool:
            try:
                os.write(writing, b"x")
            except BrokenPipeError:
                return True
            return False

        await person.until(hears, "the writer to hear of it")


async def test_a_fifo_is_opened_before_its_writer(people: People, tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    async with people((120, 40)) as person:
        session = shown(person, path)
        await person.sees("fifo", "Waiting for frames: it is a live pipe")
        with writer(path, "wb") as other:
            other.is_open()
            other.write(HEAD + packets(1, 40))
            await person.sees("message 40", "a live pipe")
        await person.until(lambda: not session.growing, "the end")
        await person.sees("file ", "40 frames")


async def test_a_file_that_is_written_is_followed(
    people: People, tmp_path: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "QUIET_SECONDS", 0.3)
    monkeypatch.setattr(indexing, "WRITER_SECONDS", 0.1)
    path = tmp_path / "growing.pcapng"
    path.write_bytes(HEAD + packets(1, 100))
    with writer(path) as other:
        other.is_open()
        async with people(size) as person:
            session = shown(person, path)
            await person.sees("growing", "message 100")
            other.write(packets(101, 101)[:-3])
            await person.pilot.pause(0.5)
            assert not session.notice
            other.write(packets(101, 101)[-3:] + packets(102, 200))
            await person.sees("message 200", "growing")
            other.end()
            await person.sees("file ", "200 frames")
            assert not session.growing


async def test_a_file_that_grows_unexpectedly_is_read_on(people: People, tmp_path: Path) -> None:
    path = tmp_path / "growing.pcapng"
    path.write_bytes(HEAD + packets(1, 100)[:-5])
    async with people((120, 20)) as person:
        session = shown(person, path)
        await person.sees("message 1", "it ends within a record", "99 frames")
        assert not session.growing
        with path.open("ab") as file:
            file.write(packets(100, 100)[-5:] + packets(101, 150))
        # The view stays where it is.
        await person.sees("message 1 ", "150 frames", "growing")
        assert "ends within" not in person.screen
        await person.press("3", "G")
        await person.sees("message 150")


async def test_a_log_whose_last_line_has_no_end(people: People, tmp_path: Path) -> None:
    """It is a frame where nobody is writing; what comes unexpectedly may make it another."""
    path = tmp_path / "bus.log"
    path.write_bytes(b"\xef\xbb\xbf(1.000000) can0 123#0011\n(2.000000) can0 123#DEAD")
    async with people((80, 24)) as person:
        session = shown(person, path)
        await person.sees("123#0011", "123#DEAD", "2 frames")
        assert not session.notice
        await person.press("3", "G")
        await person.show_details()
        await person.sees("the line has no end:", "been longer")
        await person.press("escape")
        with path.open("ab") as file:
            file.write(b"BEEF\n(3.000000) can0 7FF#")
        await person.sees("123#DEADBEEF", "2 frames", "growing")
        with path.open("ab") as file:
            file.write(b"00\n")
        await person.sees("123#DEADBEEF", "7FF#00", "3 frames")


@pytest.mark.parametrize("expression", ["dir==out", "len>70", "can.data~ad"])
async def test_what_was_said_of_half_a_line_is_said_of_the_whole(
    people: People, tmp_path: Path, expression: str
) -> None:
    path = tmp_path / "bus.log"
    path.write_bytes(b"(1.000000) can0 123#0011\n(2.000000) can0 124#")
    async with people((120, 40)) as person:
        session = shown(person, path)
        await person.sees("124#", "2 frames")
        await person.press("3", "G", "S")
        await person.sees("2 frames, 32 B")
        await person.press("escape")
        await person.show_details()
        person.app.screen.query_one("#filter", Input).value = expression
        await person.sees("No row passes the filter.")
        await person.press("h", "G")
        await person.sees("the line has no end:")
        with path.open("ab") as file:
            file.write(b"#1DEADBEEF T\n")
        await person.sees("124##1DEADBEEF", "1 row passes", "de ad be ef")
        assert "the line has no end" not in person.screen
        assert (session.log.received, session.log.sent, session.log.bytes_out) == (1, 1, 72)
        await person.press("S")
        await person.sees("2 frames, 88 B")


async def test_a_log_that_is_written_waits_for_the_end_of_its_line(people: People, tmp_path: Path) -> None:
    path = tmp_path / "bus.log"
    path.write_bytes(b"(1.000000) can0 123#0011\n(2.000000) can0 123#DEAD")
    with writer(path) as other:
        other.is_open()
        async with people((80, 24)) as person:
            session = shown(person, path)
            await person.sees("123#0011", "1 frame", "growing")
            assert "DEAD" not in person.screen
            other.write(b"BEEF\n")
            await person.sees("123#DEADBEEF", "2 frames")
            assert not session.notice


@pytest.mark.parametrize("written", [True, False])
async def test_a_compressed_file_that_is_written_is_not_followed_and_says_so(
    people: People, tmp_path: Path, written: bool
) -> None:
    path = tmp_path / "growing.pcapng.gz"
    packer = zlib.compressobj(wbits=31)
    path.write_bytes(packer.compress(HEAD + packets(1, 100)) + packer.flush(zlib.Z_SYNC_FLUSH))
    with writer(path) if written else nullcontext() as other:
        if other is not None:
            other.is_open()
        async with people((80, 24)) as person:
            session = shown(person, path)
            await person.until(lambda: session.notice, "the notice")
            more = "another program is writing it: open it again for more" if written else "what they hold is shown"
            assert session.notice.endswith(f"of its gzip data, which are not whole: {more}")
            await person.sees("100 frames")
            assert not session.growing


async def test_a_file_that_is_cut_off_says_so(people: People, tmp_path: Path) -> None:
    path = tmp_path / "growing.pcapng"
    path.write_bytes(HEAD + packets(1, 100))
    with writer(path) as other:
        other.is_open()
        async with people((120, 20)) as person:
            session = shown(person, path)
            await person.sees("growing", "message 100")
            os.truncate(path, 500)
            other.write(bytes(3))
            await person.sees("the file was cut off", "100 frames")
            assert not session.growing
            await person.press("3", "k")
            await person.sees("changed since it was opened")


def test_closing_it_ends_its_thread_and_tells_the_writer(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    session = FileSession(1, Pipe(reading, "stdin"))
    session.start()
    os.write(writing, HEAD + packets(1, 3))
    wait(lambda: session.log.end == 4, "three frames")
    (thread,) = (each for each in threading.enumerate() if each.name == f"index of {session.name}")
    session.release()
    session.log.close()
    assert not thread.is_alive()
    with pytest.raises(BrokenPipeError):
        os.write(writing, b"x")


def test_a_full_disk_is_told_and_what_came_is_kept(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    whole = HEAD + packets(1, 30)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    session = FileSession(1, Pipe(reading, "stdin"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, before[1]))
    try:
        session.start()
        os.write(writing, whole)
        wait(lambda: "File too large" in session.notice, "the limit")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    with pytest.raises(BrokenPipeError):
        wait(lambda: os.write(writing, b"x") < 0, "the writer to hear of it")
    assert not session.growing
    assert 10 < len(session.captured) < 30
    assert session.log.frame(10).payload == b"message 10"
    session.release()
    session.log.close()


def test_who_reads_a_file_does_not_write_it(tmp_path: Path) -> None:
    path = tmp_path / "some"
    path.write_bytes(b"")
    with writer(path, "rb") as other:
        other.is_open()
        assert not is_written(path)
    with writer(path, "r+b") as other:
        other.is_open()
        (tmp_path / "link").symlink_to(path)
        assert is_written(path)
        assert is_written(tmp_path / "link")
        assert not is_written(tmp_path)
    assert not is_written(path)


async def test_a_socket_file_is_no_capture(people: People) -> None:
    async with people((120, 20)) as person:
        problem = open_file(person.hub, Path("/dev/null"))
        assert isinstance(problem, Problem)
        assert "no regular file" in problem.message


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_keys_come_from_the_terminal_where_stdin_is_the_pipe(pipe: tuple[int, int], name: str) -> None:
    reading, writing = pipe
    with PtyApp("open", name, stdin=reading, env={NO_INDEX: "1"}) as app:
        os.close(reading)
        app.shows(b"Waiting for frames")
        os.write(writing, HEAD + packets(1, 50))
        app.shows(b"message 50")
        app.write(b"3k")
        app.shows(b"not following")
        app.write(b"q")
        assert app.ended() == 0
        assert app.attributes() == app.before


def test_a_file_as_stdin_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "some.pcapng"
    path.write_bytes(HEAD + packets(1, 5))
    with path.open("rb") as file, PtyApp("open", "-", stdin=file.fileno(), env={NO_INDEX: "1"}) as app:
        app.shows(b"some.pcapng")
        app.shows(b"message 5")
        app.write(b"q")
        assert app.ended() == 0
