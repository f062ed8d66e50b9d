"""The control's sender: bounded in count and in seconds, and it says what it sent."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from speed.processes import Failed

LONGEST = 120


class Sent(NamedTuple):
    """Frames that the kernel took, and the seconds that it took for them."""

    count: int
    seconds: float


class Sender:
    """Sends frames of one length from one socket; ``kind`` is udp with a port, or link with an interface's name."""

    def __init__(self, control: Path, kind: str, where: str | int, length: int) -> None:
        self._process = subprocess.Popen(
            [control, "send", kind, str(where), str(length)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, count: int, rate: int = 0, burst: int = 1, seconds: int = LONGEST) -> None:
        """Begin to send, as fast as it goes or ``rate`` a second in bursts of so many."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{count} {rate} {burst} {seconds}\n")
        self._process.stdin.flush()

    def sent(self) -> Sent:
        """Wait for the end of what was begun. Raises `Failed`."""
        assert self._process.stdout is not None
        words = self._process.stdout.readline().split()
        if len(words) != 2:
            raise Failed("the sender ended")
        return Sent(int(words[0]), int(words[1]) / 1e9)

    def send(self, count: int, rate: int = 0, burst: int = 1, seconds: int = LONGEST) -> Sent:
        """Send and wait for the end. Raises `Failed`."""
        self.start(count, rate, burst, seconds)
        return self.sent()

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(LONGEST if kind is None else 1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
