"""One session for a verb: it opens, its frames and events come out in order, it closes, and the engine is gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from sockexplorer.capture.block import Block
from sockexplorer.capture.log import Frame
from sockexplorer.cli.questions import not_started, starter
from sockexplorer.cli.report import Failed, note, refused
from sockexplorer.cli.stopping import Stop, Stopped
from sockexplorer.client.client import Problem, Reply
from sockexplorer.client.hub import Hub
from sockexplorer.client.link import start_process
from sockexplorer.client.session import OVER, Session
from sockexplorer.core.endpoint import Endpoint

LOG_BYTES = 64 * 2**20
CLOSE_SECONDS = 2.0
"""How long an engine that is to close may say nothing."""
LONG_SECONDS = 1.0
"""After so long it is said what an operation waits for."""
OPENED = {"bound": "bound to", "listening": "listening on", "open": "open as"}


class Conversation:
    """An endpoint that is open. ``on_frame`` gets each frame that ``on_block`` did not take with its block.

    ``on_pause`` is called when everything was handed on that there was, before the log forgets it. Events go to stderr.

    Every step raises `Failed` when the engine refuses or dies, and `Stopped` when it is time to stop while waiting.
    """

    def __init__(
        self,
        hub: Hub,
        stop: Stop,
        on_frame: Callable[[Session, Frame], None],
        on_block: Callable[[Session, Block], bool] | None,
        on_pause: Callable[[], None],
    ) -> None:
        self.hub = hub
        self.stop = stop
        self.on_frame = on_frame
        self.on_block = on_block
        self.on_pause = on_pause
        self.session: Session
        self.problem: Problem | None = None
        """The last failure that an event told of: a reset, an error while reading."""
        self._announced = False
        self._waits = ("", 0.0)
        """What an operation waits for and since when, as far as it was not said yet."""
        self._next = 1
        """The first row that was not handed on yet."""

    def open(self, endpoint: Endpoint, seconds: float | None = None) -> None:
        """Open, and wait until a connection stands or failed; ``seconds`` is how long it may be under way."""
        outcome: list[Problem | None] = []
        self.session = self.hub.open(endpoint, lambda result, problem: outcome.append(problem))
        while not outcome or self.session.state == "connecting":
            self.pump(waiting=True)
            if outcome and outcome[0] is not None:
                raise refused(outcome[0])
            if outcome and seconds is not None and self.stop.deadline is None:
                self.stop.within(seconds)
        if self.session.state == "failed":
            raise Failed("the connection failed") if self.problem is None else refused(self.problem)
        self._announce()

    def _say_waits(self) -> None:
        """Say on stderr what an operation has waited for since a while, once."""
        said, since = self._waits
        waits = self.session.waits.partition(":")[0]
        if waits != said:
            self._waits = waits, time.monotonic()
            return
        if not waits or not since or self.session.state in ("listening", *OVER):
            return
        if time.monotonic() - since > LONG_SECONDS:
            self._waits = waits, 0.0
            note(waits)

    def _announce(self) -> None:
        """Say on stderr, once, where the socket is."""
        session = self.session
        if self._announced or session.state not in (*OPENED, "connected", "ended"):
            return
        self._announced = True
        if session.state in OPENED:
            # Some sockets have no name to tell: then it is the one that was asked for.
            where = session.endpoint.local if session.local is None else session.local
            note(f"{OPENED[session.state]} {where!a}")
        else:
            remote = session.endpoint.remote if session.remote is None else session.remote
            note(f"connected to {remote!a}")

    def pump(self, *, waiting: bool = False, patience: float | None = None) -> int:
        """Take in what the engine said, waiting a moment for it; its bytes.

        With ``waiting``, raise `Stopped` when it is time.
        """
        taken = self.hub.poll(self.stop.patience if patience is None else patience)
        self._announce()
        self._say_waits()
        log = self.session.log
        for block in log.blocks(self._next, log.end) if self.on_block is None else log.passing():
            if self.on_block is not None and self._next <= block.first:
                # Whoever takes a block may find afterwards that it is time to stop: then it was taken all the same.
                self._next = block.last
                if self.on_block(self.session, block):
                    continue
                self._next = block.first
            for number in range(self._next, block.last):
                frame = log.frame(number)
                self._next = number + 1
                if frame.event:
                    self._tell(frame)
                else:
                    self.on_frame(self.session, frame)
        self.on_pause()
        log.clear()
        if self.hub.client.dead:
            raise Failed(self.hub.client.dead)
        if waiting and self.stop.due:
            raise Stopped
        return taken

    def _tell(self, frame: Frame) -> None:
        if frame.event == "connected":
            return
        failure = frame.meta.get("failure")
        if failure is None:
            text = str(frame.meta.get("text", frame.event))
            name = self.session.peer_name(frame.peer)
            note(text if frame.event == "accepted" or not name else f"{name}: {text}")
        else:
            self.problem = Problem.from_json(failure)
            if self.session.state not in ("connecting", "failed"):
                note(*self.problem.lines())

    def request(self, ask: Callable[[Reply], None]) -> Problem | None:
        """Make a request of the hub and wait for its reply: None, or the problem."""
        outcome: list[Problem | None] = []
        ask(lambda result, problem: outcome.append(problem))
        while not outcome:
            self.pump(waiting=True)
        return outcome[0]

    def close(self) -> None:
        """Close the session; what it had received until then comes out first."""
        done: list[bool] = []
        self.hub.close(self.session, lambda result, problem: done.append(True))
        deadline = time.monotonic() + CLOSE_SECONDS
        while not done and self.hub.client.waiting and time.monotonic() < deadline:
            if self.pump(patience=0.05):
                deadline = time.monotonic() + CLOSE_SECONDS


@contextmanager
def conversation(
    stop: Stop,
    on_frame: Callable[[Session, Frame], None],
    on_block: Callable[[Session, Block], bool] | None = None,
    on_pause: Callable[[], None] = lambda: None,
) -> Iterator[Conversation]:
    """An engine of its own for one conversation. Raises `Failed` when it can't be started."""

    def look() -> None:
        if stop.due:
            raise click.exceptions.Exit(stop.status())

    try:
        # Nothing is dropped unseen: the engine waits for who takes it, and the kernel counts.
        hub = Hub(starter(start_process, look), log_limit=None, room=LOG_BYTES)
    except OSError as error:
        raise not_started(error) from None
    try:
        yield Conversation(hub, stop, on_frame, on_block, on_pause)
    finally:
        hub.shut_down()
