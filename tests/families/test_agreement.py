"""Every interpreter on this host decides as the declaration says it does: verdict, exception and message."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support import interpreter

AGREEMENT = Path(__file__).parents[1] / "agreement.py"
COUNT = 3000
"""Addresses a family: two or three seconds for each interpreter. By hand: a million, with ``--count``."""


def agreement(python: str, *arguments: str) -> str:
    """Run the comparison; what it printed. AssertionError with the first disagreements."""
    done = subprocess.run([python, AGREEMENT, *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, (done.stdout + done.stderr)[:3000]
    return done.stdout


def test_this_interpreter() -> None:
    said = agreement(sys.executable, "--count", str(COUNT))
    for name in ("inet", "inet6", "unix", "netlink", "packet", "vsock", "can", "tipc", "qipcrtr", "alg", "rds"):
        assert f"{name}: {COUNT} addresses compared" in said


@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14"])
@pytest.mark.other_pythons
def test_another_version(version: str) -> None:
    assert f"inet: {COUNT} addresses compared" in agreement(interpreter(version), "--count", str(COUNT))


def test_bluetooth_in_debians_python() -> None:
    """Debian's build has <bluetooth/bluetooth.h>; most others lack the family, and go by the declaration."""
    python = "/usr/bin/python3"
    has = "import socket, sys; sys.exit(sys.version_info < (3, 11) or not hasattr(socket, 'AF_BLUETOOTH'))"
    try:
        found = subprocess.run([python, "-c", has], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        found = False
    if not found:
        pytest.skip("no Debian Python of 3.11 or later with AF_BLUETOOTH")
    said = agreement(python, "--count", str(4 * COUNT), "bluetooth")
    assert f"bluetooth: {4 * COUNT} addresses compared" in said
