"""An engine elsewhere, at a real terminal: a password is typed before and between, the screen says where it runs."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import termios
from pathlib import Path

import pytest
from elsewhere import script
from pty_app import PtyApp
from support import gone, wait

ALTERNATE_SCREEN = b"\x1b[?1049h"
ECHO = 3, termios.ECHO
"""Where among the attributes, and which bit."""


@pytest.fixture
def asks(tmp_path: Path) -> str:
    """A command that wants a word on the terminal, without echo, before it starts what it was given."""
    text = (
        "stty -echo </dev/tty; printf 'Password: ' >/dev/tty; read -r word </dev/tty; stty echo </dev/tty\n"
        '[ "$word" = sesame ] || { echo "Sorry, $word is wrong" >&2; exit 1; }\n'
        'exec "$@"'
    )
    return f"{script(tmp_path, 'asks', text)} {shlex.quote(sys.executable)}"


def prompts(app: PtyApp, count: int) -> None:
    """Wait for the so-manieth question."""
    app.until(lambda: app.output.count(b"Password: ") == count, f"{count} questions")


def foreground(app: PtyApp) -> bool:
    """Whether the application has its terminal."""
    return os.tcgetpgrp(app.master) == os.getpgid(app.process.pid)


def test_a_password_is_typed_before_the_explorer_and_when_it_restarts(asks: str) -> None:
    with PtyApp("--via", asks, "inet/udp", "127.0.0.1:0") as app:
        prompts(app, 1)
        assert ALTERNATE_SCREEN not in app.output
        app.write(b"sesame\n")
        app.until(lambda: b"engine: " in app.output and b"Linux" in app.output, "where it runs")
        app.until(lambda: b" Code" in app.output, "the form")
        engine = app.engine()
        assert os.getpgid(engine) != os.getpgid(app.process.pid), "keys and Ctrl-C are the explorer's alone"
        assert foreground(app)

        os.kill(engine, signal.SIGKILL)
        app.shows(b"Press R")
        app.write(b"R")
        prompts(app, 2)
        app.write(b"nonsense\n")
        app.shows(b"nonsense is wrong")
        app.until(lambda: app.output.count(ALTERNATE_SCREEN) == 2, "the screen again")
        assert foreground(app)

        app.write(b"R")
        prompts(app, 3)
        app.write(b"sesame\n")
        app.until(lambda: app.output.count(ALTERNATE_SCREEN) == 3, "the screen again")
        again = app.engine()
        app.write(b"q")
        assert app.ended() == 0
        wait(lambda: gone(again), "the engine's end")
        assert app.attributes() == app.before


def test_ctrl_c_at_the_question_ends_the_command(asks: str) -> None:
    with PtyApp("--via", asks, "doctor", "unix/stream") as app:
        prompts(app, 1)
        app.until(lambda: not foreground(app) and not app.attributes()[ECHO[0]] & ECHO[1], "a terminal without echo")
        app.write(b"\x03")
        assert app.ended() == 130
        assert app.attributes() == app.before


def test_ctrl_c_later_is_for_the_verb_alone(asks: str) -> None:
    """The command would take the engine along, and what it had still to say."""
    with PtyApp("--via", asks, "watch", "inet/udp", "--bind", "127.0.0.1:0") as app:
        prompts(app, 1)
        app.write(b"sesame\n")
        app.shows(b"bound to")
        engine = app.engine()
        app.write(b"\x03")
        assert app.ended() == 0
        assert b"0 frames; the kernel dropped 0" in app.output
        wait(lambda: gone(engine), "the engine's end")


def test_sigterm_at_the_question_ends_the_verb(asks: str) -> None:
    with PtyApp("--via", asks, "watch", "inet/udp", "--bind", "127.0.0.1:0") as app:
        prompts(app, 1)
        asking = app.engine()
        app.signal(signal.SIGTERM)
        assert app.ended() == 143
        wait(lambda: gone(asking), "the engine's end")
        assert app.attributes() == app.before


def test_an_explorer_that_has_no_engine_does_not_start() -> None:
    with PtyApp("--via", "env python3.77") as app:
        assert app.ended() == 1
        assert ALTERNATE_SCREEN not in app.output
        assert b"Error: via env python3.77: it ended with status 127 before a Python answered" in app.output
        assert b"try: a python3 of 3.11 or later has to be there" in app.output
