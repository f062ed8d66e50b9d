"""However it ends, the terminal is as it was, the engine is gone, its files are removed, the status says how."""

from __future__ import annotations

import os
import signal
import socket
import stat
import time
from pathlib import Path

import pytest
from pty_app import PtyApp
from support import gone, listens, once_within, wait

# What is switched on has to be switched off: alternate screen, cursor, mouse, bracketed paste, focus.
PAIRS = [
    (b"\x1b[?1049h", b"\x1b[?1049l"),
    (b"\x1b[?25l", b"\x1b[?25h"),
    (b"\x1b[?1000h", b"\x1b[?1000l"),
    (b"\x1b[?1003h", b"\x1b[?1003l"),
    (b"\x1b[?1006h", b"\x1b[?1006l"),
    (b"\x1b[?2004h", b"\x1b[?2004l"),
    (b"\x1b[?1004h", b"\x1b[?1004l"),
]


def modes_undone(output: bytes) -> None:
    for on, off in PAIRS:
        if on in output:
            assert output.rfind(off) > output.rfind(on), f"{on!r} was not undone"


SOON = 5.0
"""Seconds for the end of all that there was, beside whatever else the machine has to do."""


def with_a_socket_file(app: PtyApp, path: Path) -> int:
    """Open the UNIX socket that the form was started with; the engine's process."""
    app.shows(b" Code")
    app.write(b"\r")
    app.until(path.exists, "the socket file")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return app.engine()


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("q", 0),
        (signal.SIGINT, 130),
        (signal.SIGTERM, 143),
        (signal.SIGHUP, 129),
    ],
    ids=str,
)
def test_clean_endings(tmp_path: Path, end: str | signal.Signals, status: int) -> None:
    path = tmp_path / "made.sock"

    def attempt() -> float:
        with PtyApp("unix/stream", str(path)) as app:
            engine = with_a_socket_file(app, path)
            with socket.socket(socket.AF_UNIX) as peer:
                app.until(lambda: listens(path), "a listener")
                peer.connect(str(path))
                app.shows(b"accepted")
                began = time.monotonic()
                if isinstance(end, str):
                    app.write(end.encode())
                else:
                    app.signal(end)
                assert app.ended() == status
                wait(lambda: gone(engine), "the engine's end")
                took = time.monotonic() - began
            assert not path.exists()
            assert app.attributes() == app.before
            modes_undone(app.output)
            assert b"Traceback" not in app.output
        return took

    once_within(SOON, attempt)


def test_quitting_at_once_is_clean() -> None:
    with PtyApp() as app:
        app.shows(b"\x1b[?1049h")
        app.write(b"q")
        app.write(b"q")
        assert app.ended() == 0
        assert app.attributes() == app.before
        modes_undone(app.output)
        assert b"Traceback" not in app.output


def test_a_signal_before_the_first_frame(tmp_path: Path) -> None:
    """Wherever the start has got to, the end is an end: no engine stays, the terminal is as it was."""
    with PtyApp() as app:
        engine = app.engine()
        app.signal(signal.SIGTERM)
        assert app.ended() in (143, -15)
        wait(lambda: gone(engine), "the engine's end")
        assert app.attributes() == app.before
        modes_undone(app.output)


def test_the_terminal_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "made.sock"

    def attempt() -> float:
        with PtyApp("unix/stream", str(path)) as app:
            engine = with_a_socket_file(app, path)
            began = time.monotonic()
            app.close_terminal()
            assert app.ended(reading=False) == 129
            wait(lambda: gone(engine), "the engine's end")
            assert not path.exists()
        return time.monotonic() - began

    once_within(SOON, attempt)


def test_the_application_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "made.sock"

    def attempt() -> float:
        with PtyApp("unix/stream", str(path)) as app:
            engine = with_a_socket_file(app, path)
            began = time.monotonic()
            app.signal(signal.SIGKILL)
            app.ended()
            wait(lambda: gone(engine), "the engine to end as its application did")
            assert not path.exists()
        return time.monotonic() - began

    once_within(SOON, attempt)


def test_a_terminal_that_stopped_reading_does_not_keep_it(tmp_path: Path) -> None:
    path = tmp_path / "made.sock"

    def attempt() -> float:
        with PtyApp("unix/dgram", str(path), size=(200, 60)) as app:
            engine = with_a_socket_file(app, path)
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
                # Frames that are never read fill the terminal; then its writer blocks, and after it the loop.
                stuck, waiting = 0, 0
                while stuck < 20:
                    peer.sendto(os.urandom(100), str(path))
                    time.sleep(0.05)
                    before, waiting = waiting, app.unread()
                    stuck = stuck + 1 if waiting == before > 0 else 0
            began = time.monotonic()
            app.signal(signal.SIGTERM)
            assert app.ended(reading=False) == 143
            wait(lambda: gone(engine), "the engine's end")
            took = time.monotonic() - began
            assert not path.exists()
            assert app.attributes() == app.before
        return took

    once_within(SOON, attempt)


def test_a_crash_says_so_and_restores_the_terminal(tmp_path: Path) -> None:
    go = tmp_path / "go"
    code = f"""
import os, sys, time
from sockexplorer.ui.screens.main import MainScreen
def boom(self):
    while not os.path.exists({str(go)!r}):
        time.sleep(0.01)
    raise RuntimeError("planted")
MainScreen.probe = boom
from sockexplorer.cli import main
main()
"""
    with PtyApp(code=code) as app:
        engine = app.engine()
        go.touch()
        assert app.ended() not in (0, -11)
        assert b"planted" in app.output
        wait(lambda: gone(engine), "the engine's end")
        assert app.attributes() == app.before
        modes_undone(app.output)


def test_the_screen_is_on_the_terminal_though_stderr_is_a_file(tmp_path: Path) -> None:
    with (tmp_path / "errors").open("wb") as errors, PtyApp("inet/udp", stderr=errors) as app:
        app.shows(b" Code")
        app.write(b"q")
        assert app.ended() == 0
        assert app.attributes() == app.before
        modes_undone(app.output)
    assert (tmp_path / "errors").read_bytes() == b""
