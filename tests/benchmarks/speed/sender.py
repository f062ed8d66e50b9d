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


class Flow(NamedTuple):
    """What is to be sent: ``count`` frames as fast as it goes, or ``rate`` a second in bursts of so many.

    It ends after ``seconds`` at the latest.
    """

    count: int
    rate: int = 0
    burst: int = 1
    seconds: int = LONGEST


class Sender:
    """Sends frames of one length from one socket; ``kind`` is udp with a port, or link with an interface's name."""

    def __init__(self, control: Path, kind: str, where: str | int, length: int) -> None:
        self._process = subprocess.Popen(
            [control, "send", kind, str(where), str(length)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, flow: Flow) -> None:
        """Begin to send."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, flow)) + "\n")
        self._process.stdin.flush()

    def sent(self) -> Sent:
        """Wait for the end of what was begun. Raises `Failed`."""
        assert self._process.stdout is not None
        words = self._process.stdout.readline().split()
        if len(words) != 2:
            raise Failed("the sender ended")
        return Sent(int(words[0]), int(words[1]) / 1e9)

    def send(self, count: int, rate: int = 0, burst: int = 1) -> Sent:
        """Send a `Flow` and wait for its end. Raises `Failed`."""
        self.start(Flow(count, rate, burst))
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
