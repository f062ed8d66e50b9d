"""What comes through a pipe is kept; its writer seldom has to wait."""

from __future__ import annotations

import gzip
import os
import socket
from pathlib import Path

from sockexplorer.capture.piped import ROOM, Piped


def test_a_capture_program_can_go_on_while_what_came_is_looked_at(tmp_path: Path) -> None:
    reading, writing = os.pipe2(os.O_NONBLOCK)
    allowed = os.geteuid() == 0 or int(Path("/proc/sys/fs/pipe-max-size").read_text()) >= ROOM
    piped, data = Piped(reading, tmp_path), os.urandom(ROOM if allowed else 4096)
    assert os.write(writing, data) == len(data), "64 KiB is a moment of a busy interface"
    os.close(writing)
    while not piped.ended:
        piped.pump(1)
    assert piped.path.read_bytes() == data
    piped.close()


def test_a_socket_is_as_good_as_a_pipe(tmp_path: Path) -> None:
    mine, theirs = socket.socketpair()
    piped = Piped(mine.detach(), tmp_path)
    theirs.sendall(b"what came")
    theirs.close()
    while not piped.ended:
        piped.pump(1)
    assert piped.path.read_bytes() == b"what came"
    piped.close()


def test_a_file_is_needed_until_all_of_it_was_taken(tmp_path: Path) -> None:
    (path := tmp_path / "a.gz").write_bytes(gzip.compress(b"what it holds"))
    (other := tmp_path / "other").write_bytes(b"")
    piped = Piped(os.open(path, os.O_RDONLY), tmp_path)
    assert (piped.reads(path.stat()), piped.reads(other.stat())) == (True, False)
    while not piped.ended:
        piped.pump(1)
    piped.hang_up()
    assert not piped.reads(path.stat())
    assert piped.path.read_bytes() == b"what it holds"
    piped.close()
