"""An engine behind a command: as another user, in a namespace or a container, on another machine.

The command has to run a Python of 3.11 or later with the words that are appended, and to carry its stdin and stdout
unchanged. A password is between the command and the terminal.
"""

from __future__ import annotations

import re
import select
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NoReturn

from sockexplorer.client.client import Problem, StartError
from sockexplorer.client.link import Link, streams
from sockexplorer.client.parcel import GREETING, OLDEST, arguments, parcel
from sockexplorer.client.terminal import Terminal

HERE = frozenset(("doas", "env", "ip", "nice", "nsenter", "runuser", "setpriv", "sudo", "taskset", "unshare"))
"""Commands that keep this machine's files, so that our own interpreter is at hand."""
ELSEWHERE = frozenset(("chroot", "docker", "incus", "kubectl", "lxc", "lxc-attach", "nerdctl", "podman", "ssh"))
"""Commands that don't, wherever they stand among the words."""
PYTHON = re.compile(r"(python|pypy)[0-9.]*t?\Z")
# Whoever we become there may be kept from our interpreter (a home directory, a virtual environment).
OURS_OR_ANY = 'test -x "$0" && exec "$0" "$@"; exec python3 "$@"'
NO_PYTHON = re.compile(rb"python[^\n]*(not found|No such file)")
TICK_SECONDS = 0.1
MOST_NOISE = 2**20
"""Bytes that may come ahead of the greeting."""


@dataclass(frozen=True, slots=True)
class Via:
    """A command to run the engine behind, such as ``sudo`` or ``ssh box``."""

    text: str
    words: tuple[str, ...]

    @classmethod
    def read(cls, text: str) -> Via:
        """Split as a POSIX shell would. Raises ValueError, with the reason, for what is no command."""
        try:
            words = tuple(shlex.split(text))
        except ValueError as error:
            raise ValueError(f"{text!r} can't be split into words: {error}".lower()) from None
        if not words:
            raise ValueError("there is no command in it; write one such as sudo, or 'ssh HOST'")
        return cls(text.strip(), words)

    @property
    def stage(self) -> str:
        """What a problem names as the step that failed."""
        return f"via {self.text}"

    def ending_in(self, python: str) -> str:
        """The command as a person would type it for another Python."""
        words = self.words[:-1] if PYTHON.match(PurePosixPath(self.words[-1]).name) else self.words
        return shlex.join((*words, python))

    def command(self) -> list[str]:
        """Every word to start, the interpreter's arguments included."""
        names = [PurePosixPath(word).name for word in self.words]
        python: list[str] = []
        if not PYTHON.match(names[-1]):
            near = names[0] in HERE and not ELSEWHERE.intersection(names)
            python = ["/bin/sh", "-c", OURS_OR_ANY, sys.executable] if near else ["python3"]
        appended = [*python, *arguments()]
        for _ in range(names.count("ssh")):
            # Each joins its words with blanks and has a shell split them again (ssh(1)).
            appended = [shlex.quote(word) for word in appended]
        return [*self.words, *appended]


def start(
    via: Via, *, waiting: Callable[[], None] = lambda: None, tell: Callable[[str], None] = lambda line: None
) -> Link:
    """Start an engine behind a command, and wait until its Python has answered: a password may have to be typed first.

    ``waiting`` is called ten times a second and may raise to give up; ``tell`` gets the lines that the command writes
    to stderr meanwhile, not escaped. Raises `StartError`, and KeyboardInterrupt when Ctrl-C ended the command.
    """
    ours, theirs, errors = streams()
    with Terminal() as terminal:
        # In the background a group of its own would be stopped for asking, and no shell would know whom to wake.
        alone = terminal.ours or not terminal.there
        try:
            process = subprocess.Popen(
                via.command(), stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=errors,
                process_group=0 if alone else None,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            ours.close()
            errors.close()
            fixes = (f"see whether {via.words[0]} is installed, and in PATH",) if isinstance(error, OSError) else ()
            raise StartError(Problem(via.stage, "", f"it can't be started: {error}", fixes=fixes)) from None
        finally:
            theirs.close()
        link = Link(ours, process, errors, via=via.text, first=parcel())
        try:
            terminal.lend(process.pid)
            _Arrival(via, link, process, tell).wait(terminal, waiting)
        except BaseException:
            terminal.take_back()
            link.close()
            raise
    return link


class _Arrival:
    """The time between the start of the command and the answer of a Python at its end."""

    def __init__(self, via: Via, link: Link, process: subprocess.Popen[bytes], tell: Callable[[str], None]) -> None:
        self._via = via
        self._link = link
        self._process = process
        self._tell = tell
        self._said = bytearray()
        self._told = self._seen = 0
        """Bytes of stderr that were told of, and that were there at the last look."""

    def wait(self, terminal: Terminal, waiting: Callable[[], None]) -> None:
        """Return when the Python has answered."""
        poll = select.poll()
        poll.register(self._link.stream, select.POLLIN)
        while True:
            waiting()
            if poll.poll(TICK_SECONDS * 1000):
                try:
                    data = self._link.stream.recv(65536)
                except (BlockingIOError, InterruptedError):
                    continue
                except OSError:
                    data = b""
                if not data:
                    self._ended(asked=terminal.ours)
                self._said += data
                if self._greeted():
                    return
                if len(self._said) > MOST_NOISE:
                    self._fail(f"it says a lot ({len(self._said):,} bytes), and none of it is our Python's")
            terminal.follow(self._process.pid)
            self._listen()

    def _listen(self) -> None:
        """Tell the lines on stderr that have stood for a tick: those of a command's end belong to its failure."""
        text = self._link.said()
        whole = text.rfind(b"\n", 0, self._seen) + 1
        for line in text[self._told : whole].decode("utf-8", "replace").splitlines():
            self._tell(line)
        self._told = max(self._told, whole)
        self._seen = len(text)

    def _greeted(self) -> bool:
        greeting = GREETING.search(self._said)
        if greeting is None:
            return False
        version = tuple(int(part) for part in greeting.groups()[:3])
        if version < OLDEST:
            self._fail(
                f"there is Python {'.'.join(map(str, version))}; the engine needs 3.11 or later",
                f"end the command with a newer one: --via {shlex.quote(self._via.ending_in('python3.13'))}",
            )
        if greeting[4]:
            self._fail(
                "it puts a terminal between us and the engine, which changes bytes",
                "leave out its option for that (-t, -it)",
            )
        return True

    def _ended(self, *, asked: bool) -> NoReturn:
        try:
            status = self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._fail("it closed its output before a Python answered")
        if asked and status in (-signal.SIGINT, 128 + signal.SIGINT):
            raise KeyboardInterrupt
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        none = status in (126, 127) or NO_PYTHON.search(self._link.said())
        self._fail(
            f"it {how} before a Python answered",
            "a python3 of 3.11 or later has to be there; its path may be the last word of the command"
            if none
            else f"see what it says by itself: {self._via.ending_in('python3')} --version",
        )

    def _fail(self, message: str, *fixes: str) -> NoReturn:
        said = b"\n".join((bytes(self._said), self._link.said())).decode("utf-8", "replace")
        lines = [line.strip() for line in said.splitlines() if line.strip() and "meets Python" not in line]
        what = f"it said: {' / '.join(lines[-3:])}" if lines else ""
        raise StartError(Problem(self._via.stage, "", message, what, fixes))
