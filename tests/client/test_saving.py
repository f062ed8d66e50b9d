"""What is saved of capture files has what they have."""

from __future__ import annotations

import io
from pathlib import Path

from sockexplorer.capture import pcapng
from sockexplorer.capture.reading import Drops, records
from sockexplorer.client.file_session import FileSession
from sockexplorer.client.formats import PCAPNG
from sockexplorer.client.saving import saving


def test_what_was_dropped_is_saved_with_the_frames_of_each_file(tmp_path: Path) -> None:
    sessions, parts = [], list[bytes]()
    for number, name in enumerate(("a", "b", "a")):
        path = tmp_path / f"{number}.pcapng"
        start = pcapng.section("x", "") + pcapng.interface(147, name)
        path.write_bytes(start + pcapng.packet(0, 5, (b"x",), 1, None) + pcapng.statistics(0, 5, 1, 1 + number))
        sessions.append(FileSession(number, path, keeps_index=False))
        sessions[-1].start()
        sessions[-1].wait()
    try:
        for _ in saving(sessions, PCAPNG, parts.extend):
            pass
    finally:
        for each in sessions:
            each.release()
            each.log.close()
    drops: Drops = {}
    assert len(list(records(io.BytesIO(b"".join(parts)).read, drops))) == 3
    assert sorted((interface.name, count) for interface, count in drops.values()) == [("a", 4), ("b", 2)]
