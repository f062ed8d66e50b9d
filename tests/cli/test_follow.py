"""``--follow N`` shows one conversation from frame N on: the one that tshark follows, or that with a peer."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support import PATIENCE
from talk import TALK, capture

from sockexplorer.capture import pcapng
from sockexplorer.capture.link_types import ETHERNET

Done = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("number", [1, 3, 8])
def test_between_two_ends_as_tshark_does(done: Done, tmp_path: Path, number: int) -> None:
    capture(path := tmp_path / "talk.pcapng", ETHERNET, *TALK)
    rows = [json.loads(line) for line in done("open", str(path), "--follow", str(number), "--json").stdout.splitlines()]
    command = ["tshark", "-r", path, "-Y", f"tcp.stream==0 and tcp.len>0 and frame.number>={number}", "-T", "fields"]
    said = subprocess.run(
        [*command, "-e", "frame.number"], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert [row["n"] for row in rows] == [int(line) for line in said.stdout.split()]
    assert rows


def log_of_two(path: Path) -> None:
    """Frames of two buses, which is whom they are with."""
    lines = [f"(1.{number:06d}) can{number % 2} 12{number}#{number:02d}" for number in range(8)]
    path.write_text("".join(f"{line}\n" for line in lines))


def test_with_a_peer(done: Done, tmp_path: Path) -> None:
    log_of_two(path := tmp_path / "a.log")
    rows = done("open", str(path), "--follow", "4", "--json").stdout.splitlines()
    assert [json.loads(line)["n"] for line in rows] == [4, 6, 8]
    rows = done("open", "-", "--follow", "4", "--json", "--filter", "n!=6", data=path.read_text()).stdout.splitlines()
    assert [json.loads(line)["n"] for line in rows] == [4, 8]
    assert done("convert", str(path), "--follow", "3", "--to", "hex").stdout.count("\n") == 3


@pytest.mark.parametrize("verb", [["open"], ["convert", "--to", "hex"]])
def test_a_frame_that_is_not_there(done: Done, tmp_path: Path, verb: list[str]) -> None:
    (path := tmp_path / "a.pcapng").write_bytes(pcapng.section("other", ""))
    result = done(*verb, str(path), "--follow", "1")
    assert (result.returncode, result.stdout) == (1, "")
    assert "it has no frame 1" in result.stderr
