"""Requests and replies, and what becomes of them when an engine dies."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE, Desk, gone, wait

from sockexplorer.client.client import Client, Problem, Refused
from sockexplorer.client.link import Link, start_process, start_thread
from sockexplorer.core import wire


@pytest.fixture
def link() -> Any:
    made = start_thread()
    yield made
    made.close()


def test_replies_come_to_those_who_asked(link: Link) -> None:
    client = Client(link)
    seen: list[tuple[str, Any]] = []
    for name in ("inet", "unix", "nonesuch"):
        client.request(
            "check", lambda result, problem, name=name: seen.append((name, problem)),
            family=name, protocol="stream" if name == "unix" else "udp", address="'x'",
        )  # fmt: skip
    client.request("hello")
    wait(lambda: client.poll(0.05) is None or len(seen) == 3, "three replies")
    assert [name for name, _ in seen] == ["inet", "unix", "nonesuch"]
    assert seen[0][1] is seen[1][1] is None
    assert isinstance(seen[2][1], Problem)
    assert "nonesuch" in seen[2][1].message


def test_a_refusal_is_raised_by_a_call(link: Link) -> None:
    with pytest.raises(Refused, match="knows no 'dance'"):
        Client(link).call("dance")


def test_an_engine_that_says_nothing_is_a_timeout() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        client = Client(Link(ours))
        with pytest.raises(TimeoutError, match="'hello'"):
            client.call("hello", timeout=0.05)
        client.close()


@pytest.mark.parametrize("data", [b"#!/bin/sh: not found\n" * 3, wire.PREFIX.pack(2, 0) + b"[]"])
def test_an_engine_that_speaks_another_language_is_given_up(data: bytes) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        client = Client(Link(ours))
        problems: list[Problem | None] = []
        client.request("hello", lambda result, problem: problems.append(problem))
        theirs.sendall(data)
        wait(lambda: client.poll(0.05) is None or client.dead, "the end")
        assert problems[0] is not None
        assert problems[0].stage == "engine"
        assert problems[0].fixes == ("restart the engine",)
        client.close()


def test_a_message_that_no_engine_takes_is_refused_here(link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_BODY", 1000)
    client = Client(link)
    with pytest.raises(Refused, match="more than 1000 bytes"):
        client.call("send", b"x" * 1001, session=1)
    assert client.call("hello")["version"] == wire.VERSION


def test_events_are_not_replies(link: Link) -> None:
    seen: list[wire.Message] = []
    client = Client(link, seen.append)
    from sockexplorer.core.endpoint import Endpoint

    client.call("open", session=4, endpoint=Endpoint("inet", "udp", "bind", ("127.0.0.1", 0)).to_json())
    client.call("close", session=4)
    assert {each.header["ev"] for each in seen} <= {"status", "frames"}
    assert not client.waiting


def test_the_last_words_of_an_engine_that_can_not_start(tmp_path: Path) -> None:
    wrapper = tmp_path / "python"
    wrapper.write_text("#!/bin/sh\necho 'no such module: sockexplorer' >&2\nexit 3\n")
    wrapper.chmod(0o755)
    client = Client(start_process(str(wrapper)))
    with pytest.raises(Refused, match="ended with status 3: no such module: sockexplorer"):
        client.call("hello")
    client.close()


def test_no_interpreter_at_all_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        start_process(str(tmp_path / "nothing-here"))


def test_closing_ends_the_process(process_desk: Desk, patient_end: None) -> None:
    process = process_desk.hub.client.link.process
    assert process is not None
    process_desk.hub.client.call("hello")
    process_desk.hub.client.close()
    assert process.returncode == 0
    process_desk.hub.client.close()


def test_an_engine_that_does_not_end_is_killed() -> None:
    stuck = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    ours, theirs = socket.socketpair()
    with theirs:
        Link(ours, stuck).close(timeout=0.05)
    assert stuck.returncode == -signal.SIGKILL


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_death_is_told_to_everyone_who_waits(
    desks: Callable[[Callable[[], Link]], Desk], signum: signal.Signals
) -> None:
    desk = desks(start_process)
    client = desk.hub.client
    pid = client.call("hello")["pid"]
    session = desk.open("inet/udp", local=("127.0.0.1", 0))
    link = client.link.process
    assert link is not None
    problems: list[Problem | None] = []
    link.send_signal(signal.SIGSTOP)  # so that the requests are on their way when it dies
    for _ in range(3):
        client.request("hello", lambda result, problem: problems.append(problem))
    link.send_signal(signum)
    link.send_signal(signal.SIGCONT)
    desk.until(lambda: client.dead, "the engine's end")
    wait(lambda: gone(pid), "the process's end")
    if signum == signal.SIGKILL:
        assert [each and each.stage for each in problems] == ["engine"] * 3
        assert "signal 9" in client.dead
    assert len(problems) == 3
    assert session.state == "failed"
    assert session.problem is not None
    with pytest.raises(Refused, match="the engine"):
        client.call("hello")
    assert client.poll(0.01) == 0
    desk.hub.restart()
    assert not desk.hub.client.dead
    again = desk.open("inet/udp", local=session.local)
    assert again.state == "bound"
    assert again.number != session.number


def test_an_engine_that_a_debugger_holds_does_not_hold_us() -> None:
    """Killed, it is the debugger's to wait for until that is gone (ptrace(2))."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    call = "import ctypes, sys; print(ctypes.CDLL(None).{}, flush=True); sys.stdin.read()"
    # PR_SET_PTRACER (prctl(2)): where only parents may, it lets any process trace it.
    held = [sys.executable, "-c", call.format("prctl(0x59616D61, ctypes.c_ulong(-1), 0, 0, 0)")]
    ours, theirs = socket.socketpair()
    with ours, theirs, subprocess.Popen(held, **pipes) as engine:  # type: ignore[call-overload]
        engine.stdout.readline()
        holding = [sys.executable, "-c", call.format(f"ptrace(0x4206, {engine.pid}, 0, 0)")]  # PTRACE_SEIZE
        with subprocess.Popen(holding, **pipes) as debugger:  # type: ignore[call-overload]
            if debugger.stdout.readline() != "0\n":
                pytest.skip("no process may be traced here")
            Link(ours, engine).close(0.05)
            assert engine.returncode is None
        assert engine.wait(PATIENCE) == -signal.SIGKILL
