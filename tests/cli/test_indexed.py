"""Of a large capture file the index is asked: a filter finds, and statistics count, what they do as its bytes come."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE
from verbs import COMMAND

from sockexplorer.capture import pcapng
from sockexplorer.capture.link_types import Origin, wrap
from sockexplorer.capture.log import Frame
from sockexplorer.capture.pcapng_kept import Kept
from sockexplorer.cli import captured as captured_module
from sockexplorer.cli.captured import Captured
from sockexplorer.cli.report import Failed
from sockexplorer.cli.stopping import Stop, Stopped

Done = Callable[..., subprocess.CompletedProcess[str]]
ONE_BY_ONE, FRAMES = 500, 3500
NEEDLES = (5, ONE_BY_ONE, ONE_BY_ONE + 1, FRAMES - 7)
NAMES = struct.pack("=IIHH4s8sII", 4, 32, 1, 11, bytes((10, 0, 0, 1)), b"a.host\0\0", 0, 32)
OF_EACH = "comment~told"
"""What no column tells: each frame is asked."""
FILTERS = (
    "needle", "/NEED.e/", "hex:6e65", "n>498 and n<504", "peer~4:4 or needle", "dir==out len>400",
    "time>=1970-01-01T00:00:03.4Z", "nothing of it", OF_EACH,
)  # fmt: skip


@pytest.fixture(autouse=True)
def few_are_asked_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captured_module, "ONE_BY_ONE", ONE_BY_ONE)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of ours with statistics, comments and names, each also far behind."""
    made, origin = (
        [pcapng.section("sockexplorer 1", "Linux"), pcapng.interface(252, "inet/udp", "it")],
        Origin("inet/udp"),
    )
    for number in range(1, FRAMES + 1):
        outgoing = number % 7 == 0
        payload = b"a needle" if number in NEEDLES else b"hay%d" % number + bytes(200 + number % 300)
        head = wrap(origin, ("10.0.0.1", 4000 + number % 90), b"", outgoing=outgoing)[1]
        told = ["told"] if number in (9, FRAMES - 9) else []
        length = len(head) + len(payload)
        made.append(pcapng.packet(0, number * 10**6, (head, payload), length, outgoing, told))
        if number in (12, ONE_BY_ONE, FRAMES - 5):
            made += [pcapng.statistics(0, number * 10**6, number, number // 2), NAMES]
    path = tmp_path_factory.mktemp("large") / "large.pcapng"
    path.write_bytes(b"".join(made) + NAMES)
    return path


def read(path: Path | str, expression: str) -> tuple[list[Any], dict[Any, Any], int, str, int]:
    """What was found and kept in order, the drops, where it is torn, why it failed, and how many frames were made."""
    found: list[Any] = []
    made, why = 0, ""
    with Stop() as stop, closing(Captured(str(path), stop)) as captured:
        captured.keep = found.append
        make = captured.opened.frame

        def counting(*arguments: Any) -> Any:
            nonlocal made
            made += 1
            return make(*arguments)

        captured.opened.frame = counting  # type: ignore[method-assign]
        try:
            for record, frame in captured.frames(expression):
                found.append((record, frame, captured.opened.peer_name(frame.peer)))
        except Failed as error:
            why = str(error).split(": ", 1)[1]
        return found, captured.drops, captured.torn, why, made


def as_it_comes(path: Path, expression: str) -> tuple[list[Any], dict[Any, Any], int, str, int]:
    """The same bytes through a pipe."""
    reader, writer = os.pipe()

    def write() -> None:
        with os.fdopen(writer, "wb") as file:
            file.write(path.read_bytes())

    thread = threading.Thread(target=write)
    thread.start()
    try:
        return read(f"/dev/fd/{reader}", expression)
    finally:
        os.close(reader)
        thread.join()


def without_peers(found: list[Any]) -> list[Any]:
    """Peers by their names alone: they are numbered in the order in which they are looked at."""
    return [(each[0], each[1]._replace(peer=0), each[2]) if not isinstance(each, Kept) else each for each in found]


@pytest.mark.parametrize("expression", FILTERS)
def test_it_finds_what_comes_one_by_one(large: Path, expression: str) -> None:
    found, drops, torn, why, made = read(large, expression)
    wanted, dropped, _, _, every = as_it_comes(large, expression)
    assert without_peers(found) == without_peers(wanted)
    assert (drops, torn, why, every) == (dropped, -1, "", FRAMES)
    if expression != OF_EACH:
        # Of what is behind the first it makes those that it finds, and some to learn where frames are from.
        assert made < ONE_BY_ONE + len(found) + 200


@pytest.mark.parametrize("damage", ["torn", "damaged"])
def test_an_end_that_is_amiss_is_told_as_ever(large: Path, tmp_path: Path, damage: str) -> None:
    path, whole = tmp_path / "amiss.pcapng", large.read_bytes()
    path.write_bytes(whole[:-50] if damage == "torn" else whole + b"\x06\0\0\0\x07\0\0\0" * 4)
    found, drops, torn, why, _ = read(path, "needle")
    wanted, dropped, tear, reason, _ = as_it_comes(path, "needle")
    assert without_peers(found) == without_peers(wanted)
    assert (drops, torn, why) == (dropped, tear, reason)
    assert (torn >= 0) == (damage == "torn") == (not why)


@pytest.mark.parametrize("end", ["\n", "", "\n(1700000000.0", "\nnonsense\n"])
def test_the_last_line_of_a_log_may_have_no_end(tmp_path: Path, end: str) -> None:
    path = tmp_path / "long.log"
    lines = (f"(17000{number:05}.000000) can0 {number % 2048:03X}#{number:016X}" for number in range(30_000))
    path.write_text("\n".join(lines) + end)
    found, wanted = read(path, "can.id==0x52F")[:4], as_it_comes(path, "can.id==0x52F")[:4]
    assert without_peers(found[0]) == without_peers(wanted[0])
    assert found[1:] == wanted[1:]
    assert found[0][-1][1].number == 30_000


def test_statistics_count_what_comes_one_by_one(large: Path, done: Done) -> None:
    said = done("open", str(large), "--statistics", "--json")
    assert said.returncode == 0
    with subprocess.Popen(["cat", large], stdout=subprocess.PIPE) as cat:
        command = [*COMMAND, "open", "-", "--statistics", "--json"]
        wanted = subprocess.run(command, stdin=cat.stdout, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert (said.stdout, said.stderr) == (wanted.stdout, wanted.stderr)
    assert json.loads(said.stdout)["frames"] == FRAMES


def test_statistics_make_few_frames(large: Path) -> None:
    with Stop() as stop, closing(Captured(str(large), stop)) as captured:
        made = 0

        def kind(frame: Frame) -> str:
            nonlocal made
            made += 1
            return "it"

        assert captured.is_large
        (*_, counts) = captured.counts(kind)
        assert (counts.total.frames, made < 10) == (FRAMES, True)


def test_it_stops_when_it_is_told_to(large: Path) -> None:
    with Stop() as stop, closing(Captured(str(large), stop)) as captured:
        frames = captured.frames("len>=0")
        for _ in range(ONE_BY_ONE + 1):
            next(frames)
        stop.signal = 15
        with pytest.raises(Stopped):
            list(frames)
