"""A log of candump that Wireshark saved as pcapng shows the same frames: there they are exported PDUs."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest
from support import PATIENCE

from sockexplorer.client.file_session import FileSession
from sockexplorer.client.finding import filter_of

pytestmark = pytest.mark.skipif(shutil.which("editcap") is None, reason="editcap (of tshark) is not installed")
FRAMES = ("123#DEADBEEF", "12345678#11", "123#R", "12345678##1" + "AB" * 12, "7FF#", "200000AA#0004000000000000")
LOG = "".join(f"(1436509052.{number:06d}) can0 {FRAMES[number % len(FRAMES)]}\n" for number in range(60))


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Path, Path]:
    """The log, and what Wireshark makes of it."""
    log, saved = tmp_path / "a.log", tmp_path / "a.pcapng"
    log.write_text(LOG)
    subprocess.run(["editcap", log, saved], check=True, capture_output=True, timeout=PATIENCE)
    return log, saved


def opened(path: Path, vectorised_from: int) -> FileSession:
    session = FileSession(1, path, keeps_index=False, vectorised_from=vectorised_from)
    session.start()
    session.wait()
    return session


@pytest.mark.parametrize("vectorised_from", [0, 1 << 60])
@pytest.mark.parametrize("expression", ["", "can.id==0x12345678", "hex:deadbeef", "protocol==raw", "len==72"])
def test_the_same_frames(saved: tuple[Path, Path], vectorised_from: int, expression: str) -> None:
    told = []
    for path in saved:
        session = opened(path, vectorised_from)
        numbers = list(range(1, session.log.end))
        if (predicate := filter_of(expression, session)) is not None:
            _, found = session.sift(predicate).go_on(1, session.log.end, time.monotonic() + PATIENCE)
            numbers = list(found)
        frames = [session.log.frame(number) for number in numbers]
        told.append([(each.number, each.time, session.summary(each), each.meta["socket"]) for each in frames])
        session.release()
        session.log.close()
    assert told[1] == told[0]
    assert told[0]
