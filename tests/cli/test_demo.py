"""``demo``: both ends of a protocol, on stdout."""

from __future__ import annotations

import json
import subprocess
import sys

from support import PATIENCE, unshare


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sockexplorer", "demo", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)


def test_both_ends_and_what_they_say() -> None:
    done = demo("unix/stream")
    assert done.returncode == 0, done.stderr
    lines = sorted(line.split(maxsplit=2)[0] + line.rpartition("  ")[2] for line in done.stdout.splitlines())
    assert lines == ["1hello", "1hello yourself", "2hello", "2hello yourself"]
    assert "An abstract socket listens" in done.stderr
    assert "1  accepted from" in done.stderr


def test_as_json_without_rights() -> None:
    unshare()
    done = demo("packet/raw", "--json")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert {(each["end"], each["dir"]) for each in rows} == {(1, "in"), (2, "out")}
    assert len({each["payload"] for each in rows}) == 1


def test_there_is_none() -> None:
    done = demo("bluetooth/l2cap")
    assert done.returncode == 2
    assert "has no demonstration" in done.stderr
