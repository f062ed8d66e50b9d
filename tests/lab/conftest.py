"""Tests that need a kernel with every family; elsewhere none of them is collected.

python tests/kernel/lab.py run -- .venv/bin/python -m pytest tests/lab
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from forked import Verb
from support import Desk, ip
from verbs import Start, runs

if os.environ.get("SOCKEXPLORER_LAB") != "1":
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture
def desk(engines: Callable[[str], Desk]) -> Iterator[Desk]:
    """A hub with an engine process, the module's; one in a thread does the same, and the host tests both."""
    desk = engines(sys.executable)
    yield desk
    desk.leave()


@pytest.fixture
def run() -> Iterator[Start]:
    """Start a verb, or with ``tool=`` another program; everything is ended after the test."""
    yield from runs(Verb)


@pytest.fixture
def done(run: Start) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a verb to its end."""

    def run_to_end(*arguments: str) -> subprocess.CompletedProcess[str]:
        verb = run(*arguments)
        return subprocess.CompletedProcess(arguments, verb.end(), "\n".join(verb.out), "\n".join(verb.err))

    return run_to_end


@pytest.fixture
def veth() -> Iterator[tuple[str, str]]:
    """Two interfaces that are one wire, up, on which the kernel says nothing on its own."""
    pair = ("sx0", "sx1")
    ip("link add sx0 type veth peer name sx1")
    try:
        for each in pair:
            Path(f"/proc/sys/net/ipv6/conf/{each}/disable_ipv6").write_text("1")
            ip(f"link set {each} up")
        yield pair
    finally:
        ip("link del sx0")


@pytest.fixture
def ping_allowed() -> Iterator[None]:
    """Every group may open ping sockets."""
    limits = Path("/proc/sys/net/ipv4/ping_group_range")
    before = limits.read_text()
    limits.write_text("0 2147483647")
    yield
    limits.write_text(before)
