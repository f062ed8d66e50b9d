"""An engine behind a command: how the command is put together, what it carries, how it fails, how it ends."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from elsewhere import PLACES, script
from support import PATIENCE, PYENV, Desk, gone, needs, udp, wait

from sockexplorer.client.client import Client, Refused, StartError
from sockexplorer.client.link import Link
from sockexplorer.client.parcel import arguments, parcel
from sockexplorer.client.via import Via, start
from sockexplorer.engine.streams import LARGE

ROOT = Path(__file__).parents[2]
ETH_P_802_EX1 = 0x88B5
"""IEEE 802's number for experiments, which nobody else sends."""
Desks = Callable[[Callable[[], Link]], Desk]
OLD = sorted(path for minor in ("2.7", "3.6", "3.10") for path in PYENV.glob(f"{minor}.*/bin/python{minor}"))


@pytest.fixture(params=PLACES)
def via(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A command to another place; skipped where this host does not let us go there."""
    with PLACES[request.param](tmp_path) as text:
        yield text


elsewhere = pytest.mark.optional_on_this_host(reason="needs root, sudo, user namespaces or sshd")


# --- the words ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("ssh box", ["python3"]),
        ("ssh box sudo -n", ["python3"]),
        ("docker exec -i web", ["python3"]),
        ("sudo docker exec -i web", ["python3"]),
        ("my-wrapper --fast", ["python3"]),
        ("sudo /usr/bin/python3.12", []),
        ("podman run -i --rm python:3.13 pypy3", []),
        ("ssh box python3.13t", []),
    ],
)
def test_a_python_is_appended_unless_there_is_one(text: str, python: list[str]) -> None:
    words = [shlex.quote(word) if text.startswith("ssh") else word for word in (*python, *arguments())]
    assert Via.read(text).command() == [*shlex.split(text), *words]


@pytest.mark.parametrize("text", ["sudo", "sudo -u nobody", "/usr/sbin/ip netns exec x", "unshare -rn", "env A=b"])
def test_on_this_machine_it_is_ours_where_it_may_be_run(text: str) -> None:
    words = Via.read(text).command()[len(shlex.split(text)) :]
    assert words[:2] == ["/bin/sh", "-c"]
    assert words[3:] == [sys.executable, *arguments()]
    asked = ["-c", "import sys; print(sys.executable)"]
    ours = subprocess.run([*words[:4], *asked], capture_output=True, text=True, check=True, timeout=PATIENCE)
    assert ours.stdout.strip() == sys.executable
    other = subprocess.run([*words[:3], "/nonexistent/python", *asked], capture_output=True, text=True, check=False)
    assert "nonexistent" not in other.stdout


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "fish", "tcsh"])
@pytest.mark.optional_on_this_host(reason="which shells there are is the host's affair")
def test_any_shell_at_the_far_end_understands_it(shell: str) -> None:
    words = Via.read("ssh a ssh b").command()[4:]
    words[0] = shlex.quote(shlex.quote(sys.executable))
    once = subprocess.run(["sh", "-c", f"printf '%s ' {' '.join(words)}"], capture_output=True, text=True, check=True)
    try:
        done = subprocess.run(
            [shell, "-c", once.stdout], stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False
        )
    except FileNotFoundError:
        pytest.skip(f"{shell} is not installed")
    assert done.stdout.startswith(b"\nsockexplorer meets Python 3."), done.stderr


@pytest.mark.parametrize(("text", "reason"), [("", "no command"), ("  ", "no command"), ("a 'b", "no closing quot")])
def test_what_is_no_command(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Via.read(text)


# --- what it carries ---------------------------------------------------------------------------------------


@elsewhere
def test_bytes_pass_unchanged_both_ways_and_nothing_stays_behind(via: str, desks: Desks, patient_end: None) -> None:
    """Four megabytes of every byte go out through the command, over sockets at its end, and come back through it."""
    desk = desks(lambda: start(Via.read(via)))
    pid = None if "lab.py" in via else desk.pid  # a guest's number means nothing here; its kernel is waited for
    listener = desk.open("unix/stream", "listen", local="")
    caller = desk.open("unix/stream", "connect", remote=listener.local)
    sent = hashlib.sha256()
    for number in range(16):
        piece = bytes(range(256)) * 1024 + bytes([number])
        sent.update(piece)
        desk.send(caller, piece)
    received = desk.stream(listener, 16 * (256 * 1024 + 1))
    assert hashlib.sha256(received).hexdigest() == sent.hexdigest()
    process = desk.hub.client.link.process
    assert process is not None
    desk.hub.shut_down()
    assert process.returncode == 0
    wait(lambda: pid is None or gone(pid), "the engine's end")


@pytest.mark.parametrize(
    ("path", "operation", "local"),
    [
        ("inet/udp", "bind", ("127.0.0.1", 0)),
        ("inet/tcp", "listen", ("127.0.0.1", 0)),
        ("packet/raw", "bind", ("lo", ETH_P_802_EX1)),
    ],
)
def test_what_is_recorded_in_blocks_comes_without_more_of_it(
    path: str, operation: str, local: object, tmp_path: Path, desks: Desks
) -> None:
    """Messages are, much of a stream at once, and packets in a ring. Over pipes, as over ssh, each is sent."""
    needs(path)
    relay = script(tmp_path, "relay", 'cat | "$@" | cat')
    desk = desks(lambda: start(Via.read(f"{relay} {shlex.quote(sys.executable)}")))
    session = desk.open(path, operation, local)
    with contextlib.ExitStack() as closing:
        sender: socket.socket
        if operation == "listen":
            sender = closing.enter_context(socket.create_connection(session.local))  # type: ignore[arg-type]
            sender.sendall(bytes(2 * LARGE))
        elif path == "inet/udp":
            sender = closing.enter_context(udp())
            sender.sendto(b"a datagram", session.local)  # type: ignore[arg-type]
        else:
            sender = closing.enter_context(socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
            sender.sendto(bytes(12) + ETH_P_802_EX1.to_bytes(2) + bytes(50), ("lo", 0))
        desk.until(lambda: session.log.bytes_in >= (2 * LARGE if operation == "listen" else 1), "what was sent")


@elsewhere
def test_the_engine_is_where_the_command_leads(tmp_path: Path) -> None:
    with PLACES["sudo"](tmp_path) as text:
        client = Client(start(Via.read(text)))
        hello = client.call("hello")
        client.close()
    assert hello["user"] == "nobody"
    assert hello["uid"] not in (0, os.geteuid())


@elsewhere
def test_the_modules_travel(tmp_path: Path) -> None:
    """As a user who may read nothing of ours: the package is in a directory that is closed to them."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    # Without the byte code, which other processes may be writing at this moment.
    shutil.copytree(ROOT / "sockexplorer", closed / "sockexplorer", ignore=shutil.ignore_patterns("__pycache__"))
    with PLACES["sudo"](tmp_path) as text:
        command = [sys.executable, "-m", "sockexplorer", "--via", text, "doctor", "unix/stream"]
        done = subprocess.run(
            command, cwd=closed, capture_output=True, text=True, timeout=PATIENCE, check=False,
            env={**os.environ, "PYTHONPATH": str(closed)},
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("engine: nobody@")
    assert "available" in done.stdout


def test_what_it_says_before_is_passed_over(tmp_path: Path, desks: Desks) -> None:
    noisy = script(tmp_path, "noisy", "echo 'Last login: today'; printf 'no newline \\377'; exec \"$@\"")
    desk = desks(lambda: start(Via.read(f"{noisy} {shlex.quote(sys.executable)}")))
    assert desk.open("inet/udp", local=("127.0.0.1", 0)).state == "bound"


def test_modules_where_it_starts_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever owns the directory that the command starts in does not run code in an engine that may be root's."""
    for name in ("json", "zlib", "socket", "sockexplorer"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('taken')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    client = Client(start(Via.read(f"env {shlex.quote(sys.executable)}")))
    assert client.call("hello")["version"] == 1
    client.close()
    assert not (tmp_path / "__pycache__").exists()


def test_it_carries_what_an_engine_needs_and_no_more() -> None:
    import zlib

    text = zlib.decompress(parcel()).decode()
    assert "sockexplorer/core/constants.tsv" in text
    assert "sockexplorer/families/inet.py" in text
    assert "sockexplorer/client/" not in text
    assert "sockexplorer/ui/" not in text


# --- how it fails ------------------------------------------------------------------------------------------


def failure(text: str) -> str:
    with pytest.raises(StartError) as caught:
        start(Via.read(text))
    return "\n".join(caught.value.problem.lines())


@pytest.mark.optional_on_this_host(reason="which interpreters there are is the host's affair")
@pytest.mark.parametrize("python", OLD or [None], ids=lambda path: path and path.name)
def test_a_python_that_is_too_old_is_named(python: Path | None) -> None:
    if python is None:
        pytest.skip("no old Python here")
    version = subprocess.run([python, "--version"], capture_output=True, text=True, check=True)
    said = failure(f"env {python}")
    assert f"there is {(version.stdout + version.stderr).strip()}; the engine needs 3.11 or later" in said
    assert "try: end the command with a newer one: --via 'env python3.13'" in said


def test_a_python_that_says_it_is_too_old(tmp_path: Path) -> None:
    """Where no old one is installed: this one, with another version in ``sys``."""
    wrapper = script(
        tmp_path, "python3",
        f'shift 2; exec "{sys.executable}" -c "import sys; sys.version_info = (3, 9, 2, 0, 0); exec(sys.argv[1])" "$1"',
    )  # fmt: skip
    assert "there is Python 3.9.2; the engine needs 3.11 or later" in failure(wrapper)


def test_failures_say_what_the_command_said(tmp_path: Path) -> None:
    said = failure("nonesuch-command x")
    assert "it can't be started: [Errno 2]" in said
    assert "see whether nonesuch-command is installed" in said
    said = failure("env python3.77")
    assert "ended with status 127" in said
    assert "a python3 of 3.11 or later has to be there" in said
    refuses = script(tmp_path, "refuses", "echo '  welcome'; echo 'Permission \\033[31mdenied' >&2; exit 255")
    said = failure(refuses)
    assert "ended with status 255 before a Python answered" in said
    assert "it said: welcome / Permission \x1b[31mdenied" in said
    assert f"try: see what it says by itself: {refuses} python3 --version" in said
    assert "ended by signal 15" in failure(script(tmp_path, "killed", "kill $$"))
    assert "none of it is our Python's" in failure(script(tmp_path, "talks", "exec yes"))


def test_a_terminal_in_between_is_told(tmp_path: Path) -> None:
    wrapper = script(tmp_path, "terminal", "\"$@\" | sed -u 's/$/\\r/'")
    assert "puts a terminal between us" in failure(f"{wrapper} {sys.executable}")


def test_a_package_that_does_not_load_is_an_epitaph(tmp_path: Path) -> None:
    wrapper = script(tmp_path, "cuts", 'head -c 1000 | "$@"')
    client = Client(start(Via.read(f"{wrapper} {sys.executable}")))
    with pytest.raises(Refused, match="the engine via cuts ended with status 0"):
        client.call("hello")
    client.close()


def test_lines_on_stderr_are_told_while_it_waits(tmp_path: Path) -> None:
    told: list[str] = []
    go = tmp_path / "go"
    slow = script(tmp_path, "slow", f'echo "type this" >&2; until [ -e {go} ]; do sleep 0.02; done; exec "$@"')

    def waiting() -> None:
        if told:
            go.touch()

    start(Via.read(f"{slow} {sys.executable}"), waiting=waiting, tell=told.append).close()
    assert told == ["type this"]


def test_waiting_can_be_given_up(tmp_path: Path) -> None:
    class Enough(Exception):
        pass

    pid = tmp_path / "pid"

    def waiting() -> None:
        if pid.exists() and pid.read_text().endswith("\n"):
            raise Enough

    with pytest.raises(Enough):
        start(Via.read(script(tmp_path, "hangs", f"echo $$ > {pid}; exec sleep 600")), waiting=waiting)
    assert gone(int(pid.read_text()))


# --- how it ends -------------------------------------------------------------------------------------------


@elsewhere
def test_a_connection_that_drops_is_told_and_leaves_nothing(tmp_path: Path, desks: Desks) -> None:
    with PLACES["ssh"](tmp_path) as via:
        desk = desks(lambda: start(Via.read(via)))
        session = desk.open("unix/dgram", local="")
        pid = desk.pid
        process = desk.hub.client.link.process
        assert process is not None
        process.send_signal(signal.SIGKILL)
        desk.until(lambda: desk.hub.client.dead, "the news")
        assert desk.hub.client.dead == "the engine via ssh was ended by signal 9"
        assert session.state == "failed"
        wait(lambda: gone(pid), "the far engine's end")
        desk.hub.restart()
        assert desk.pid != pid


@elsewhere
def test_an_engine_that_dies_elsewhere_is_told(via: str, desks: Desks) -> None:
    desk = desks(lambda: start(Via.read(via)))
    session = desk.open("unix/dgram", local="")
    process = desk.hub.client.link.process
    assert process is not None
    try:
        if "lab.py" in via:
            process.terminate()
        else:
            os.kill(desk.pid, signal.SIGKILL)
    except PermissionError:
        pytest.skip("it is another user's")
    desk.until(lambda: desk.hub.client.dead, "the news")
    assert desk.hub.client.dead.startswith(f"the engine via {Path(via.split()[0]).name} ")
    assert session.state == "failed"


def test_a_file_with_the_same_path_here_is_left_alone(tmp_path: Path, desks: Desks) -> None:
    path = tmp_path / "there.sock"
    desk = desks(lambda: start(Via.read(f"env {shlex.quote(sys.executable)}")))
    session = desk.open("unix/dgram", local=str(path))
    assert session.file is not None
    os.kill(desk.pid, signal.SIGKILL)
    desk.until(lambda: desk.hub.client.dead, "the engine's end")
    assert path.exists(), "whose it is can't be told from here"
    assert session.file is None
