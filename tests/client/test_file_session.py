"""A capture file as a session: what becomes of it where it can't be opened."""

from __future__ import annotations

import contextlib
import gzip
import os
from pathlib import Path

import pytest
from support import descriptors, only_descriptors

from sockexplorer.capture import pcapng
from sockexplorer.client.file_session import FileSession, Pipe

CAPTURE = pcapng.section("sockexplorer 1", "Linux") + pcapng.interface(252, "inet/udp", "")


@pytest.mark.parametrize("spare", range(4))
def test_what_finds_no_descriptor_left_is_closed(tmp_path: Path, spare: int) -> None:
    """What is unpacked takes one, and the file that its rows are read from another."""
    path = tmp_path / "capture.pcapng.gz"
    path.write_bytes(gzip.compress(CAPTURE))
    FileSession(1, Pipe(os.open(path, os.O_RDONLY), path.name)).release()
    before = descriptors(os.getpid())
    pipe = Pipe(os.open(path, os.O_RDONLY), path.name)
    with only_descriptors(spare), contextlib.ExitStack() as closing:
        try:
            session = FileSession(1, pipe)
        except OSError:
            assert spare < 2
        else:
            closing.callback(session.log.close)
            closing.callback(session.release)
    assert descriptors(os.getpid()) == before
