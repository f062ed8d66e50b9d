"""What comes in a stream is kept whole and in order, whichever way its bytes take into the file."""

from __future__ import annotations

import array
import contextlib
import errno
import os
import random
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from support import PATIENCE

from sockexplorer.capture.log import Frame, Log
from sockexplorer.engine import streams
from sockexplorer.engine.spool import Spool
from sockexplorer.engine.stream_rows import StreamRows
from sockexplorer.engine.streams import ENOUGH, LARGE, StreamReader

MIB = 2**20


class Read:
    """A stream, one end of which is read in bulk into the file of a log; ``there`` is the other end."""

    def __init__(self, here: socket.socket, there: socket.socket) -> None:
        here.setblocking(False)
        self.here, self.there, self.log = here, there, Log()
        self.spool = Spool(os.dup(self.log.store.descriptor))  # type: ignore[arg-type]
        rows, unix = StreamRows(self.spool), here.family == socket.AF_UNIX
        self.reader = StreamReader(here, self.spool, rows, 3, ancillary_data=unix, bulk=True)
        self._until = time.monotonic() + PATIENCE

    def read(self, alone: bool = True) -> bool:
        """As the reader's; the log has what came."""
        assert time.monotonic() < self._until, f"{self.log.bytes_in} bytes came"
        more = self.reader.read(alone)
        self.spool.flush()
        self.log.catch_up()
        return more

    def read_all(self) -> None:
        """Read until the stream's end."""
        while self.read():
            select.select([self.here], [], [], PATIENCE)

    @property
    def frames(self) -> list[Frame]:
        return [self.log.frame(number) for number in range(1, self.log.end)]

    @property
    def payload(self) -> bytes:
        return b"".join(each.payload for each in self.frames)


@pytest.fixture(name="over")
def each_stream() -> Iterator[Callable[[str], Read]]:
    """A stream over ``tcp`` or ``unix``."""
    with contextlib.ExitStack() as kept:

        def over(kind: str) -> Read:
            if kind == "unix":
                here, there = socket.socketpair()
            else:
                server = kept.enter_context(socket.create_server(("127.0.0.1", 0)))
                there = socket.create_connection(server.getsockname())
                here, _ = server.accept()
            read = Read(kept.enter_context(here), kept.enter_context(there))
            kept.callback(read.log.close)
            kept.callback(read.spool.close)
            return read

        yield over


@contextlib.contextmanager
def sending(there: socket.socket, data: bytes) -> Iterator[None]:
    """Send all of that meanwhile, and then the end."""
    sender = threading.Thread(target=lambda: (there.sendall(data), there.shutdown(socket.SHUT_WR)), daemon=True)
    sender.start()
    yield
    sender.join()


def test_a_stream_is_read_as_it_comes_and_ends_once() -> None:
    here, there = socket.socketpair()
    with here:
        here.setblocking(False)
        spool, log = Spool(), Log()
        reader = StreamReader(here, spool, StreamRows(spool), 3, ancillary_data=True, bulk=False)
        with there:
            assert reader.read()
            there.sendall(b"abc")
            assert reader.read()
            there.sendmsg([b"d"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))])
            assert reader.read()
        assert not reader.read()
        log.append(spool.take())
        frames = [log.frame(number) for number in range(1, log.end)]
        assert [(each.payload, each.peer) for each in frames] == [(b"abc", 3), (b"d", 3)]
        assert len(frames[1].meta["descriptors"]) == 1


@pytest.mark.parametrize("seed", range(4))
def test_a_unix_stream_in_bulk_loses_no_descriptor(over: Callable[[str], Read], seed: int) -> None:
    """A splice would drop those that come with its bytes, sent first, in between or while it reads."""
    chance, stream = random.Random(seed), over("unix")
    stream.there.setblocking(False)
    sent, passed = bytearray(), 0
    for number in range(120):
        part = bytes([number]) * chance.choice((1, 5000, 40_000, 150_000))
        # Some turns pass none: there the reader splices, and must notice when it has to stop.
        beside = [array.array("i", [stream.there.fileno()])] if number // 10 % 2 and chance.random() < 0.3 else []
        with contextlib.suppress(BlockingIOError):
            count = stream.there.sendmsg([part], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, each) for each in beside])
            sent += part[:count]
            passed += len(beside)
        if chance.random() < 0.4:
            assert stream.reader.read()
    assert stream.read()
    assert stream.payload == sent
    assert sum(len(each.meta.get("descriptors", ())) for each in stream.frames) == passed > 0


def test_a_unix_stream_that_passes_credentials_keeps_them_in_bulk(over: Callable[[str], Read]) -> None:
    stream = over("unix")
    stream.here.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    for _ in range(3):
        stream.there.sendall(bytes(60_000))
        stream.there.sendall(bytes(60_000))
        assert stream.read()
    assert stream.log.bytes_in == 360_000
    assert all(each.meta["credentials"]["pid"] == os.getpid() for each in stream.frames)


def test_a_tcp_stream_in_bulk_wakes_its_reader_for_much_and_has_its_options_back(over: Callable[[str], Read]) -> None:
    stream, chosen, timeout = over("tcp"), 7, struct.pack("@ll", 3, 0)
    here, seen, ended, sent = stream.here, set[int](), threading.Event(), 0
    here.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, chosen)
    here.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeout)

    def look() -> None:
        while not ended.is_set():
            seen.add(here.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT))

    def flood() -> None:
        nonlocal sent
        while ENOUGH not in seen and not ended.is_set():
            sent += stream.there.send(bytes(MIB))

    looking, flooding = threading.Thread(target=look), threading.Thread(target=flood, daemon=True)
    looking.start()
    flooding.start()
    try:
        while flooding.is_alive() or stream.log.bytes_in < sent:
            assert stream.read()
            assert here.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT) == chosen
            assert here.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, len(timeout)) == timeout
            assert not os.get_blocking(here.fileno())
    finally:
        ended.set()
        looking.join()
    assert seen == {chosen, ENOUGH}


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_no_stream_is_waited_for_while_others_wait(
    over: Callable[[str], Read], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "WAIT_SECONDS", PATIENCE)
    stream = over(kind)
    for number in range(1, 4):
        stream.there.sendall(bytes(2 * LARGE))
        while stream.log.bytes_in < number * 2 * LARGE:
            assert stream.read(alone=False)


def test_a_tcp_stream_in_bulk_is_kept_whole_in_room_that_was_found_cleared_or_new(over: Callable[[str], Read]) -> None:
    """First what was cleared is filled, then what was only found, then what is new."""
    stream, data = over("tcp"), random.Random(3).randbytes(40 * MIB)
    assert [stream.spool.prepare(24 * MIB) for _ in range(4)] == [True] * 4
    with sending(stream.there, data):
        stream.read_all()
    assert stream.payload == data


@pytest.mark.parametrize("has_it", [False, True], ids=["none", "refused"])
def test_a_tcp_stream_is_kept_whole_without_splice(
    over: Callable[[str], Read], has_it: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on another system than Linux, and in a sandbox whose rules do not know the call."""

    def splice(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    if has_it:
        monkeypatch.setattr(os, "splice", splice)
    else:
        monkeypatch.delattr(os, "splice")
    stream, data = over("tcp"), random.Random(4).randbytes(4 * MIB)
    with sending(stream.there, data):
        stream.read_all()
    assert stream.payload == data


@pytest.mark.parametrize("inline", [0, 1])
def test_urgent_data_is_not_taken_for_the_end_of_a_tcp_stream(over: Callable[[str], Read], inline: int) -> None:
    stream, part = over("tcp"), bytes(2 * LARGE)
    here, there = stream.here, stream.there
    here.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, inline)
    there.sendall(part)
    there.send(b"!", socket.MSG_OOB)
    assert select.select([], [], [here], PATIENCE)[2], "no urgent data came"
    there.sendall(part)
    while stream.log.bytes_in < 2 * len(part) + inline:
        assert stream.read()
    there.close()
    assert select.select([here], [], [], PATIENCE)[0], "no end came"
    assert not stream.read()
    assert stream.payload == part + b"!" * inline + part
