"""``--via`` and its variable, for verbs: where it stands, what is refused, what goes through."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest
from support import udp

HERE = f"env {shlex.quote(sys.executable)}"
Done = Callable[..., "CompletedProcess[str]"]


def test_doctor_says_where_it_looked(done: Done) -> None:
    result = done("--via", HERE, "doctor", "unix/stream", "--json")
    assert result.returncode == 0, result.stderr
    first, *rest = result.stderr.splitlines()
    assert first.startswith("engine: ")
    assert first.endswith(f", via {HERE}")
    assert f"(uid {os.geteuid()}), Linux " in first
    assert "Python 3." in first
    assert not rest
    assert '"AF_UNIX"' in result.stdout
    assert "engine" not in done("doctor", "unix/stream").stderr


@pytest.mark.parametrize("verb", ["check", "send"])
def test_each_verb_with_an_engine_takes_it(done: Done, verb: str) -> None:
    environment = {**os.environ, "SOCKEXPLORER_VIA": HERE}
    if verb == "check":
        assert "✓ accept" in done("check", "inet/udp", "127.0.0.1:9", env=environment).stdout
        answers = done("--via", HERE, "check", "--jsonl", data='{"family": "AF_UNIX", "address": "\'x\'"}\n')
        assert '"verdict": "accept"' in answers.stdout
        return
    with udp() as peer:
        port = peer.getsockname()[1]
        result = done("send", "inet/udp", "--to", f"127.0.0.1:{port}", "--text", "over there", env=environment)
        assert result.returncode == 0, result.stderr
        assert peer.recv(100) == b"over there"


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        (("--via", "", "doctor"), 2, "there is no command in it"),
        (("--via", "a 'b", "doctor"), 2, "can't be split into words"),
        (("doctor", "--via", "sudo"), 2, "--via stands before the verb"),
        (("--via", "nonesuch-\x1b[31m", "doctor"), 1, "via nonesuch-\\x1b[31m: it can't be started: [Errno 2]"),
        (("--via", "false", "watch", "inet/udp", "--bind", "127.0.0.1:0"), 1, "via false: it ended with status 1"),
        (("--via", "false", "check", "inet/udp", "127.0.0.1:1"), 1, "try: see what it says by itself: false python3"),
    ],
)
def test_what_is_refused(done: Done, arguments: tuple[str, ...], status: int, reason: str) -> None:
    result = done(*arguments)
    assert result.returncode == status
    assert reason in result.stderr
    assert "Traceback" not in result.stderr
    assert "\x1b" not in result.stderr
    assert result.stdout == ""


def test_a_verb_without_an_engine_does_not_start_it(done: Done) -> None:
    assert done("--via", "false", "about", "inet/udp").returncode == 0
