"""What comes through a pipe is kept; its writer seldom has to wait."""

from __future__ import annotations

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
