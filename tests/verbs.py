"""Verbs of the command line as processes: started, listened to line by line, ended. Two fixtures start them."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import IO, Any

import pytest
from support import PATIENCE, default_signals, wait

COMMAND = [sys.executable, "-m", "sockexplorer"]


class Running:
    """A process whose lines are collected as they come."""

    def __init__(self, process: Any) -> None:
        self.process = process
        self.out: list[str] = []
        self.err: list[str] = []
        self._threads = [
            threading.Thread(target=self._collect, args=(stream, lines), daemon=True)
            for stream, lines in ((self.process.stdout, self.out), (self.process.stderr, self.err))
            if stream is not None
        ]
        for thread in self._threads:
            thread.start()

    def _collect(self, stream: IO[bytes], lines: list[str]) -> None:
        with stream:
            for line in stream:
                lines.append(line.decode().rstrip("\n"))

    def said(self, pattern: str) -> re.Match[str]:
        """The first line of stderr that has the pattern, waiting for it."""
        found = self._wait(
            lambda: next(filter(None, (re.search(pattern, line) for line in list(self.err))), None),
            f"{pattern!r} on stderr",
        )
        assert isinstance(found, re.Match)
        return found

    def address(self) -> Any:
        """Where it is bound or listens, from the first line of stderr."""
        return ast.literal_eval(self.said(r"^(?:bound to|listening on|open as) (.*)")[1])

    def printed(self, count: int) -> list[str]:
        """The first lines of stdout, waiting until there are so many."""
        self._wait(lambda: len(self.out) >= count, f"{count} lines")
        return self.out[:count]

    def prints(self, text: str) -> str:
        """The first line of stdout that has the text, waiting for it."""
        found = self._wait(lambda: next((line for line in list(self.out) if text in line), None), f"{text!r} on stdout")
        return str(found)

    def _wait(self, condition: Callable[[], Any], what: str) -> Any:
        try:
            return wait(condition, what)
        except AssertionError as error:
            raise AssertionError(f"{error}; it has {self.out} and {self.err}") from None

    def end(self, number: int | None = None) -> int:
        """Send a signal if one is given; wait; the exit status."""
        if number is not None:
            self.process.send_signal(number)
        status = self.process.wait(PATIENCE)
        for thread in self._threads:
            thread.join(PATIENCE)
        return status

    def discard(self) -> None:
        """End it whatever it does."""
        self.process.kill()
        self.end()
        if self.process.stdin:
            self.process.stdin.close()


Start = Callable[..., Running]


def process(program: str, *arguments: str, **more: Any) -> subprocess.Popen[bytes]:
    """A program that runs. Skips where it is not installed."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    with default_signals():
        return subprocess.Popen([program, *arguments], bufsize=0, **streams)


def runs(verb: Callable[..., Any]) -> Iterator[Start]:
    """A fixture's: starts verbs by means of ``verb``, or with ``tool=`` other programs; ends all of them afterwards."""
    started: list[Running] = []

    def start(*arguments: str, tool: str | None = None, **more: Any) -> Running:
        started.append(Running(verb(*arguments, **more) if tool is None else process(tool, *arguments, **more)))
        return started[-1]

    yield start
    for each in started:
        each.discard()


@pytest.fixture
def run() -> Iterator[Start]:
    """Start a verb, or with ``tool=`` another program; everything is ended after the test."""
    yield from runs(partial(process, *COMMAND))


@pytest.fixture
def done() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a verb to its end."""

    def run_to_end(*arguments: str, data: str = "", **more: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments], input=data, capture_output=True, text=True, timeout=PATIENCE, check=False, **more
        )

    return run_to_end
