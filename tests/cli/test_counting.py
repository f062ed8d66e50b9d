"""``open --statistics`` counts what the explorer's statistics count, also of a pipe, and of what a filter shows."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from support import PATIENCE
from verbs import COMMAND

from sockexplorer.capture.link_types import Origin
from sockexplorer.capture.log import Frame
from sockexplorer.capture.recording import Recording
from sockexplorer.client.file_session import FileSession
from sockexplorer.client.protocols import protocol_name_of_peer
from sockexplorer.client.session import Session
from sockexplorer.core.canframes import read_frame
from sockexplorer.core.frames import Flag
from sockexplorer.ui.kinds import kind_of

Done = Callable[..., subprocess.CompletedProcess[str]]
HOSTS = ("192.0.2.1", "192.0.2.2")


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Thirty datagrams with two peers, ten frames of a bus, and what was dropped."""
    parts: list[bytes] = []
    recording = Recording(cast(Any, parts.extend))
    for number in range(30):
        peer, flags = (HOSTS[number % 3 > 0], 53), Flag.OUT if number % 5 == 0 else 0
        frame = Frame(number, number, number, 1, int(flags), bytes(number), {})
        recording.add(1, Origin("inet/udp", 0, ("127.0.0.1", 9)), frame, peer, repr(peer))
    for number in range(10):
        payload = read_frame(f"{0x18F00400 + number % 2:08X}#00")
        recording.add(
            2, Origin("can/raw", 1, ("can0",)), Frame(number, 99, 16, 2, 0, payload, {}), ("can0",), "('can0',)"
        )
    recording.dropped(1, 7)
    recording.flush()
    (path := tmp_path / "a.pcapng").write_bytes(b"".join(parts))
    return path


def test_as_json(done: Done, capture: Path) -> None:
    told = json.loads(done("open", str(capture), "--statistics", "--json").stdout)
    assert {key: told[key] for key in ("frames", "in", "out", "dropped")} == {
        "frames": 40, "in": 34, "out": 6, "dropped": 7,
    }  # fmt: skip
    assert told["bytes"] == sum(range(30)) + 10 * 16
    assert [(each["peer"], each["frames"]) for each in told["peers"]] == [
        ("('192.0.2.2', 53)", 20), ("('192.0.2.1', 53)", 10), ("('can0',)", 10),
    ]  # fmt: skip
    assert [(each["from"], each["to"], each["frames"]) for each in told["lengths"]] == [
        (0, 0, 1), (1, 1, 1), (2, 3, 2), (4, 7, 4), (8, 15, 8), (16, 31, 24),
    ]  # fmt: skip
    assert told["protocols"][0]["protocol"] == "udp"
    assert sum(each["frames"] for each in told["protocols"]) == 40


def test_the_same_as_in_the_explorer(done: Done, capture: Path) -> None:
    session = FileSession(1, capture, keeps_index=False)
    session.start()
    session.wait()
    counted = session.statistics(
        lambda frame: str(kind_of(frame, cast(Session, session))), partial(protocol_name_of_peer, session)
    )
    while counted.go_on(PATIENCE):
        pass
    told = json.loads(done("open", str(capture), "--statistics", "--format", "jsonl").stdout)
    assert {each["protocol"]: each["bytes"] for each in told["protocols"]} == {
        name: tally.bytes for name, tally in counted.kinds.items()
    }
    assert {each["peer"]: each["out"] for each in told["peers"]} == {
        session.peers[number].literal: tally.frames_out for number, tally in counted.peers.items()
    }
    session.release()
    session.log.close()


def test_in_tables_of_what_a_filter_shows(done: Done, capture: Path) -> None:
    said = done("open", str(capture), "--statistics", "--filter", "dir==out").stdout
    tables = [[line.split() for line in table.splitlines()] for table in said.split("\n\n")]
    assert [table[0] for table in tables] == [
        [name, "frames", "share", "in", "out", "bytes"] for name in ("peer", "length", "protocol")
    ]
    assert tables[0][1:] == [
        ["192.0.2.2:53", "4", "66.7%", "0", "4", "60"], ["192.0.2.1:53", "2", "33.3%", "0", "2", "15"],
    ]  # fmt: skip
    assert tables[2][1:] == [["udp", "6", "100.0%", "0", "6", "75"]]
    first = json.loads(done("open", str(capture), "--statistics", "--json", "--count", "3").stdout)
    assert first["frames"] == 3


def test_of_a_pipe_until_it_is_stopped(capture: Path) -> None:
    command = [*COMMAND, "open", "-", "--statistics", "--json", "--filter", "n>0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        # More than a pipe holds: when it was taken, what was in it before was counted.
        data = capture.read_bytes()
        for _ in range(2 * 2**20 // len(data)):
            process.stdin.write(data)
        process.stdin.flush()
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + signal.SIGTERM
    assert json.loads(out)["frames"] > 40


@pytest.mark.parametrize("more", [["--fields"], ["--format", "hex"], ["--hex-dump"]])
def test_other_forms_are_refused(done: Done, more: list[str]) -> None:
    result = done("open", "x", "--statistics", *more)
    assert (result.returncode, "--statistics are text or --json" in result.stderr) == (2, True)
