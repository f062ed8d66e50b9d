"""``watch --write`` of a stream that is longer than the memory on its way, which is filled again and again."""

from __future__ import annotations

import signal
import socket
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE, wait

from sockexplorer.capture.index import Index
from sockexplorer.capture.provenance import see
from sockexplorer.cli.conversation import LOG_BYTES

Run = Callable[..., Any]
NUMBERS = array("I", range(3 * LOG_BYTES // 8)).tobytes()


@pytest.mark.parametrize("path", ["inet/tcp", "unix/stream"])
def test_what_was_sent_is_in_the_file(run: Run, tmp_path: Path, path: str) -> None:
    """What waits to be written lies in memory that the engine fills again as soon as it is let go of."""
    file, address = tmp_path / "w.pcapng", "127.0.0.1:0" if path == "inet/tcp" else str(tmp_path / "socket")
    watch = run("watch", path, "--listen", "--bind", address, "--write", str(file), "--quiet")
    where = watch.address()
    with socket.socket(socket.AF_INET if path == "inet/tcp" else socket.AF_UNIX) as sock:
        sock.settimeout(PATIENCE)
        sock.connect(where)
        sock.sendall(NUMBERS)
        wait(lambda: file.stat().st_size > len(NUMBERS), "all of it")
        watch.end(signal.SIGINT)
    index = Index(file)
    for _ in index.steps():
        pass
    assert index.error is None
    assert b"".join(see(index.walk.record(row)).payload for row in range(index.count)) == NUMBERS
