"""The benchmarks run: a handful of frames through a part of them, without a word on speed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120


@pytest.mark.optional_on_this_host(reason="needs a C compiler, and a network namespace of its own")
@pytest.mark.parametrize(
    ("measurement", "rows"),
    [
        ("beside", ("alone", "beside a busy interface", "C, no sleep", "sockexplorer, engine")),
        ("streams", ("C", "sockexplorer", "watch --write", "sockexplorer, 256 MiB kept")),
        ("memory", ("engine", "client", "engine and client")),
    ],
)
def test_a_few_frames_are_kept_and_counted(measurement: str, rows: tuple[str, ...]) -> None:
    if shutil.which("cc") is None:
        pytest.skip("no C compiler here")
    namespace = ["unshare", *(["-n"] if os.geteuid() == 0 else ["-rn"]), "true"]
    if shutil.which("unshare") is None or subprocess.run(namespace, capture_output=True, check=False).returncode:
        pytest.skip("no network namespace of its own here")
    command = [sys.executable, str(ROOT / "tests" / "benchmarks" / "traffic.py"), measurement, "--smoke"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ran.returncode == 0, ran.stderr
    for row in rows:
        assert re.search(rf"^  {row} +[\d.-]+ ", ran.stdout, re.M), f"{row!r} lost something:\n{ran.stdout}"
        assert not re.search(rf"^  {row}: ", ran.stdout, re.M), f"{row} failed at one of several: {ran.stdout}"
    assert "PASS" not in ran.stdout, "a handful of frames says nothing of speed"
