"""What only another boot undoes: each of these causes needs a kernel of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from guest import lab

pytestmark = pytest.mark.optional_on_this_host(reason="the kernel has to be built first")
DOCTOR = f"{sys.executable} -m sockexplorer doctor tipc/stream --json"


def tipc(script: str, *options: str) -> dict[str, Any]:
    """What the doctor says of TIPC in a new kernel, after a script."""
    done = lab("run", *options, "--", "sh", "-c", f"{script}; {DOCTOR}")
    (row,) = json.loads(done.stdout)
    return dict(row)


def test_modules_that_are_locked() -> None:
    row = tipc("rmmod tipc_diag tipc; echo 1 >/proc/sys/kernel/modules_disabled; modprobe tipc 2>/dev/null")
    assert row["state"] == "not-loaded"
    assert "kernel.modules_disabled = 1: no module can be loaded any more" in row["evidence"]
    assert row["fix"] == ["boot again, and load tipc before modules are locked"]
    assert tipc("true")["state"] == "available", "another boot helps"


def test_a_module_that_the_kernel_refuses() -> None:
    row = tipc("modprobe tipc 2>/dev/null", "--append", "module_blacklist=tipc")
    assert row["state"] == "switched-off"
    assert "the kernel refuses tipc: module_blacklist=tipc (/proc/cmdline)" in row["evidence"]
    assert row["fix"] == ["boot without module_blacklist=tipc"]


def test_ipv6_that_was_switched_off_at_boot() -> None:
    done = lab("run", "--append", "ipv6.disable=1", "--", "sh", "-c", DOCTOR.replace("tipc/stream", "inet6/udp"))
    (row,) = json.loads(done.stdout)
    assert row["state"] == "switched-off"
    assert "/sys/module/ipv6/parameters/disable = 1" in row["evidence"]
    assert row["fix"] == ["boot without ipv6.disable=1"]
