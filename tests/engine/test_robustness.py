"""What must not bring an engine down, and what must end it."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support import PATIENCE, Desk, cpu_seconds, descriptors, gone, rows, udp, wait

from sockexplorer.client.client import Problem, Refused
from sockexplorer.client.link import BOOT
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.frames import PAGE
from sockexplorer.core.wire import Decoder, encode

ROOT = Path(__file__).resolve().parents[2]
UDP = Endpoint("inet", "udp", "bind", ("127.0.0.1", 0)).to_json()
MESSAGES = [
    {},
    {"op": None},
    {"op": []},
    {"op": "nonesuch"},
    {"op": "_answer"},
    {"op": "open"},
    {"op": "open", "session": 5, "endpoint": {}},
    {"op": "open", "session": "x", "endpoint": UDP},
    {"op": "open", "session": 5, "endpoint": {**UDP, "family": "nonesuch"}},
    {"op": "open", "session": 5, "endpoint": {**UDP, "operation": "dance"}},
    {"op": "open", "session": 5, "endpoint": {**UDP, "local": "__import__('os')"}},
    {"op": "open", "session": 6, "endpoint": {**UDP, "local": "(" * 3000}},
    {"op": "open", "session": 7, "endpoint": {**UDP, "local": "[[1, 2], {}]"}},
    {"op": "open", "session": 8, "endpoint": {**UDP, "proto": "x"}},
    {"op": "open", "session": 9, "endpoint": {**UDP, "snaplen": "x"}},
    {"op": "open", "session": 10, "endpoint": {**UDP, "options": [["SOL_SOCKET", "SO_NONESUCH", 1]]}},
    {"op": "open", "session": 11, "endpoint": {**UDP, "options": [["SOL_SOCKET", "SO_RCVBUF", 2**70]]}},
    {"op": "open", "session": 12, "endpoint": {**UDP, "operation": "listen"}},
    {"op": "open", "session": 13, "endpoint": {**UDP, "operation": "connect", "remote": "None"}},
    {"op": "send", "session": 99},
    {"op": "send", "session": 1, "to": "('127.0.0.1', 1e999)"},
    {"op": "send", "session": 1, "to": "((((1"},
    {"op": "send", "session": 1, "to": "7"},
    {"op": "send", "session": 1, "peer": {}},
    {"op": "close", "session": None},
    {"op": "close", "session": 1, "peer": "x"},
    {"op": "check", "family": "inet", "protocol": "udp", "address": "(" * 100_000},
    {"op": "check", "family": "inet", "protocol": "udp", "address": "('127.0.0.1', 0x" + "f" * 9000 + ")"},
    {"op": "check", "family": "vsock", "protocol": "stream", "address": "(0x" + "f" * 9000 + ", 1)"},
    {"op": "check", "family": 7, "protocol": "udp", "address": "()"},
]


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.parametrize("header", MESSAGES, ids=lambda header: str(header)[:60])
def test_a_senseless_message_is_refused_and_sessions_live_on(desk: Desk, header: dict[str, object]) -> None:
    session = desk.open("inet/udp", local=("127.0.0.1", 0))
    before = descriptors(desk.pid)
    replies: list[object] = []
    client = desk.hub.client
    client._last_id += 1
    client._replies[client._last_id] = lambda result, problem: replies.append(problem)
    client._unsent.append((bytearray(encode({**header, "id": client._last_id}, b"body")), None))
    desk.until(lambda: replies, "a reply")
    assert replies[0] is not None, "such a message was taken for sensible"
    with udp() as peer:
        peer.sendto(b"alive", session.local)  # type: ignore[arg-type]
        assert desk.incoming(session, 1)[0].payload == b"alive"
    assert not client.dead
    assert descriptors(desk.pid) == before


def test_the_spool_of_a_refused_session_is_not_the_next_ones(desk: Desk) -> None:
    before = descriptors(desk.pid)
    refused = os.memfd_create("refused")
    os.ftruncate(refused, PAGE)
    for endpoint in ({**UDP, "protocol": "nonesuch"}, {**UDP, "timeout": -1}):
        replies: list[Problem | None] = []
        desk.hub.client.request(
            "open", lambda result, problem, to=replies: to.append(problem), session=99, endpoint=endpoint,
            descriptor=refused,
        )  # fmt: skip
        desk.until(lambda found=replies: found, "a reply")
        assert replies[0] is not None
    os.close(refused)
    session = desk.open("inet/udp", local=("127.0.0.1", 0))
    with udp() as peer:
        peer.sendto(b"for this one", session.local)  # type: ignore[arg-type]
        assert desk.incoming(session, 1)[0].payload == b"for this one"
    desk.close(session)
    assert descriptors(desk.pid) == before


def test_stray_bytes_end_the_engine_with_a_reason(process_desk: Desk, tmp_path: Path) -> None:
    session = process_desk.open("unix/stream", "listen", str(tmp_path / "x"))
    process_desk.hub.client.link.stream.send(b"GET / HTTP/1.1\r\n\r\n")
    process_desk.until(lambda: process_desk.hub.client.dead, "the engine's end")
    assert "does not speak" in process_desk.hub.client.dead
    assert "status 0" in process_desk.hub.client.dead
    assert session.state == "failed"
    assert not (tmp_path / "x").exists()


def test_no_descriptor_left_for_a_peer_is_told_and_does_not_spin(process_desk: Desk) -> None:
    desk = process_desk
    session = desk.open("inet/tcp", "listen", ("127.0.0.1", 0))
    pid = desk.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (descriptors(pid) + 2, before[1]))
    peers = [socket.create_connection(session.local) for _ in range(4)]  # type: ignore[arg-type]
    failure = desk.event(session, "error").meta["failure"]
    assert (failure["stage"], failure["name"]) == ("accept", "EMFILE")
    assert failure["fixes"]
    used = cpu_seconds(pid)
    end = time.monotonic() + 0.75  # the span of the measurement; nothing is waited for
    while time.monotonic() < end:
        desk.hub.poll(0.1)
    assert cpu_seconds(pid) - used < 0.4, "a spinning loop takes three quarters of a second"
    assert [each.event for each in rows(session)].count("error") == 1, "one row tells it, not one for every try"
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    desk.until(lambda: len(session.connections) == 4, "the peers that had to wait")
    for peer in peers:
        peer.close()


def test_an_idle_engine_sleeps(process_desk: Desk) -> None:
    for path in ("inet/udp", "inet/tcp", "unix/dgram"):
        local: object = "" if path.startswith("unix") else ("127.0.0.1", 0)
        process_desk.open(path, "listen" if path == "inet/tcp" else "bind", local)
    pid, used = process_desk.pid, cpu_seconds(process_desk.pid)
    end = time.monotonic() + 1.0  # the span of the measurement; nothing is waited for
    while time.monotonic() < end:
        process_desk.hub.poll(0.1)
    assert cpu_seconds(pid) - used <= 0.2, "a loop that never waits takes the whole second"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL, "client closes", "stream closes"])
def test_no_end_leaves_a_socket_file(
    process_desk: Desk, tmp_path: Path, patient_end: None, how: signal.Signals | str
) -> None:
    desk = process_desk
    session = desk.open("unix/stream", "listen", str(tmp_path / "x"))
    process = desk.hub.client.link.process
    assert process is not None
    if isinstance(how, str):
        if how == "stream closes":
            desk.hub.client.link.stream.shutdown(socket.SHUT_WR)
            process.wait(PATIENCE)
        else:
            desk.hub.shut_down()
    else:
        process.send_signal(how)
        desk.until(lambda: desk.hub.client.dead, "the engine's end")
        assert session.state == "failed"
        assert session.problem is not None
    assert not (tmp_path / "x").exists()
    assert process.wait(PATIENCE) == (-9 if how == signal.SIGKILL else 0)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGHUP])
def test_signals_of_the_terminal_are_for_the_client(process_desk: Desk, signum: signal.Signals) -> None:
    os.kill(process_desk.pid, signum)
    assert process_desk.hub.client.call("hello")["version"] == 1


def test_a_killed_client_takes_its_engine_along(tmp_path: Path) -> None:
    path = tmp_path / "x"
    script = (
        "import sys, time\n"
        "from sockexplorer.client.hub import Hub\n"
        "from sockexplorer.core.endpoint import Endpoint\n"
        "hub = Hub()\n"
        f"session = hub.open(Endpoint('unix', 'stream', 'listen', {str(path)!r}))\n"
        "while session.state == 'opening': hub.poll(0.1)\n"
        "print(hub.client.call('hello')['pid'], flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT) as client:
        assert client.stdout is not None
        engine = int(client.stdout.readline())
        assert path.is_socket()
        client.kill()
        client.wait()
        wait(lambda: gone(engine), "the engine's end")
    assert not path.exists()


def test_an_engine_over_pipes_as_over_ssh() -> None:
    command = [sys.executable, "-I", "-c", BOOT, str(ROOT)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as engine:
        stream = encode({"op": "hello", "id": 1}) + encode({"op": "open", "id": 2, "session": 1, "endpoint": UDP})
        out, _ = engine.communicate(stream + encode({"op": "stop", "id": 3}), PATIENCE)
    messages = [each.header for each in Decoder().feed(out)]
    replies = {each["re"]: each for each in messages if "re" in each}
    assert replies[1]["pid"] == engine.pid
    assert replies[2]["state"] == "bound"
    assert replies[3]["ok"]
    assert engine.returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody without rights")
def test_what_needs_a_right_is_explained_to_those_without(tmp_path: Path, desks: object) -> None:
    from sockexplorer.client.link import start_process

    wrapper = tmp_path / "python-as-nobody"
    wrapper.write_text(
        f'#!/bin/sh\nexec setpriv --reuid 65534 --regid 65534 --clear-groups "{_reachable_python()}" "$@"\n'
    )
    wrapper.chmod(0o755)
    tmp_path.chmod(0o755)
    desk = desks(lambda: start_process(str(wrapper)))  # type: ignore[operator]
    assert desk.hub.client.call("hello")["uid"] == 65534
    for path, operation, local, stage, name, says in (
        ("inet/tcp", "listen", ("127.0.0.1", 80), "bind", "EACCES", "ip_unprivileged_port_start"),
        ("inet6/udp", "bind", ("::1", 53), "bind", "EACCES", "ip_unprivileged_port_start"),
        ("packet/raw", "bind", ("lo", 3), "socket", "EPERM", "CAP_NET_RAW"),
        ("inet/raw", "bind", ("127.0.0.1", 0), "socket", "EPERM", "CAP_NET_RAW"),
        ("unix/stream", "listen", "/nobody-may-write-here", "bind", "EACCES", "permissions"),
    ):
        with pytest.raises(Refused) as caught:
            desk.open(path, operation, local)
        problem = caught.value.problem
        assert (problem.stage, problem.name) == (stage, name)
        assert says in problem.what
        assert problem.fixes
        assert "setcap" not in " ".join(problem.fixes)


def _reachable_python() -> str:
    """An interpreter that another user may start, with this project where that user may read it."""
    for candidate in (sys.executable, "/usr/bin/python3"):
        look = "import sys; sys.path.append(sys.argv[1]); import sockexplorer.engine.server"
        command = ["setpriv", "--reuid", "65534", "--clear-groups", candidate, "-I", "-c", look, str(ROOT)]
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE)
        if done.returncode == 0:
            return candidate
    pytest.skip("no interpreter here that another user may run with this checkout")


def test_a_family_that_the_kernel_lacks_is_explained() -> None:
    from sockexplorer.core.family import Family
    from sockexplorer.core.protocol import Protocol
    from sockexplorer.engine.failure import Failure
    from sockexplorer.engine.session import Session

    class Lacking(Family):
        constant = "AF_NONESUCH"
        number = 46  # AF_MAX: no kernel has it
        modules = ("nonesuch",)

    protocol = Protocol("raw", "SOCK_RAW", "1", "frames", help="Frames.")
    session = Session(1, Endpoint("AF_NONESUCH", "raw", "bind", ()), Lacking(), protocol)
    with pytest.raises(Failure) as caught:
        session.open((), None)
    assert (caught.value.stage, caught.value.name) == ("socket", "EAFNOSUPPORT")
    assert "AF_NONESUCH" in caught.value.advice.what
    assert "modprobe nonesuch" in caught.value.advice.fixes[0]
    assert session.state == "failed"
