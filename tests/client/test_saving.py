"""What is saved of capture files has what they have."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import PATIENCE

from sockexplorer.capture import pcapng, sidecar
from sockexplorer.capture.pcapng_kept import CUSTOM, SECRETS, Kept
from sockexplorer.capture.reading import Drops, records
from sockexplorer.client.file_session import FileSession
from sockexplorer.client.formats import PCAPNG
from sockexplorer.client.saving import TOGETHER, saving


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[list[FileSession]]:
    """Files of different length, whose frames have the same numbers, and a peer whose name could end a comment."""
    found = []
    for number, count in enumerate((TOGETHER + 3, 2)):
        path = tmp_path / f"{number}.pcapng"
        made = pcapng.section("sockexplorer 1", "") + pcapng.interface(252, "unix/dgram")
        for each in range(count):
            payload = f"{number} {each}".encode()
            made += pcapng.packet(0, 5, (bytes(4), payload), 4 + len(payload), False, ["peer: '/tmp/*/x/*/*'"])
        path.write_bytes(made)
        found.append(FileSession(number, path, keeps_index=False))
        found[-1].start()
        found[-1].wait()
    yield found
    for session in found:
        session.release()
        session.log.close()


def test_every_frame_of_several_sessions_has_a_name_of_its_own_in_source_code(sessions: list[FileSession]) -> None:
    parts, names = list[bytes](), dict[str, bytes]()
    for _ in saving(sessions, "python", parts.extend):
        pass
    exec(compile(b"".join(parts), "saved", "exec"), names)  # type: ignore[arg-type]
    del names["__builtins__"]
    assert list(names.values()) == [*(f"0 {each}".encode() for each in range(TOGETHER + 3)), b"1 0", b"1 1"]


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
def test_source_code_of_c_compiles_without_a_warning(sessions: list[FileSession], tmp_path: Path) -> None:
    parts = [b"#include <stdio.h>\n"]
    for _ in saving(sessions, "c", parts.extend):
        pass
    last = TOGETHER + 5
    parts.append(b"int main(void) { return (int)fwrite(frame_%d, 1, frame_%d_length, stdout) - 3; }\n" % (last, last))
    (source := tmp_path / "saved.c").write_bytes(b"".join(parts))
    command = ["gcc", "-Wall", "-Wextra", "-Werror", "-Wno-unused", source, "-o", tmp_path / "saved"]
    subprocess.run(command, check=True, timeout=PATIENCE)
    assert subprocess.run([tmp_path / "saved"], check=True, timeout=PATIENCE, capture_output=True).stdout == b"1 1"


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


@pytest.mark.parametrize("vectorised_from", [0, 1 << 60])
def test_what_stands_beside_the_frames_of_a_file_is_saved_where_it_stands(
    tmp_path: Path, vectorised_from: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ``convert`` keeps it, also of a file whose index was kept."""
    monkeypatch.setattr(sidecar, "FEWEST_ROWS", 0)
    names, secrets = (pcapng.block(kind, bytes(8)) for kind in (pcapng.NAMES, SECRETS))
    frame = pcapng.packet(0, 5, (b"x",), 1, None)
    made = pcapng.section("a", "") + secrets + pcapng.interface(147) + frame * 9 + names + frame * 2 + names
    made += pcapng.section("b", "", ["of this"]) + pcapng.interface(147) + frame
    (path := tmp_path / "a.pcapng").write_bytes(made + pcapng.block(CUSTOM, b"x" * 8) + frame)
    wanted, keep = [], list[Kept]()
    for record in records(io.BytesIO(path.read_bytes()).read, None, keep.append):
        wanted.append((len(keep), record))
    session = FileSession(9, path, keeps_index=False, vectorised_from=vectorised_from)
    session.start()
    session.wait()
    try:
        parts, kept = list[bytes](), list[Kept]()
        for _ in saving([session], PCAPNG, parts.extend):
            pass
        if vectorised_from == 0:
            assert sidecar.keep(session.captured, tmp_path)
            loaded = sidecar.load(path, tmp_path)
            assert loaded is not None
            assert [*loaded.index.beside()] == [*session.captured.index.beside()]
            loaded.index.close()
    finally:
        session.release()
        session.log.close()
    found = [(len(kept), record) for record in records(io.BytesIO(b"".join(parts)).read, None, kept.append)]
    assert (kept, found) == (keep, wanted)
    assert len(keep) == 4
