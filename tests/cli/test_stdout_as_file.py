"""Stdout may be the very file that is read, or that is written to by name: neither spoils a capture."""

from __future__ import annotations

import ast
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support import PATIENCE, udp
from verbs import COMMAND

from sockexplorer.capture import pcapng

Done = Callable[..., subprocess.CompletedProcess[str]]
CAPTURE = pcapng.section("other", "") + pcapng.interface(147) + pcapng.packet(0, 5, (b"precious",), 8, None)


@pytest.mark.parametrize("verb", [["convert", "--to", "jsonl"], ["convert", "--to", "pcapng"], ["open", "--json"]])
@pytest.mark.parametrize("from_stdin", [False, True])
def test_a_capture_is_not_shown_onto_its_own_end(tmp_path: Path, verb: list[str], from_stdin: bool) -> None:
    """What is appended would be read as well, as long as the disk has room."""
    (path := tmp_path / "w.pcapng").write_bytes(CAPTURE)
    with path.open("ab") as out, path.open("rb") as data:
        command = [*COMMAND, *verb, "-" if from_stdin else str(path)]
        result = subprocess.run(command, stdin=data, stdout=out, stderr=-1, text=True, timeout=PATIENCE, check=False)
    assert (result.returncode, path.read_bytes()) == (1, CAPTURE)
    assert "stdout: it is the file that is read" in result.stderr


@pytest.mark.parametrize("name", ["/dev/stdout", "w.pcapng"])
def test_stdout_by_another_name_has_no_lines_on_it(done: Done, tmp_path: Path, name: str) -> None:
    command = [*COMMAND, "watch", "inet/udp", "--bind", "127.0.0.1:0", "--count", "2", "--write", name]
    path = tmp_path / "w.pcapng"
    with path.open("wb") as out:
        watch = subprocess.Popen(command, cwd=tmp_path, stdout=out, stderr=subprocess.PIPE, text=True)
        assert watch.stderr is not None
        address = ast.literal_eval(watch.stderr.readline().removeprefix("bound to "))
        with udp() as sock:
            for payload in (b"one", b"two"):
                sock.sendto(payload, address)
        watch.communicate(timeout=PATIENCE)
    assert watch.returncode == 0
    rows = done("open", str(path), "--json").stdout.splitlines()
    assert [bytes.fromhex(json.loads(line)["payload"]) for line in rows] == [b"one", b"two"]


def test_lines_and_a_capture_are_not_both_for_stdout() -> None:
    command = [*COMMAND, "watch", "inet/udp", "--write", "/dev/stdout", "--json"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert "stdout for itself" in result.stderr
