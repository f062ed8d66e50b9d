"""Speaks the engine's protocol: requests with their replies, and what the engine says by itself."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sockexplorer.client.link import Link
from sockexplorer.core import wire

READ_BYTES = 1024 * 1024
POLL_BYTES = 8 * 2**20
"""The most that one `Client.poll` takes in, so that a flood never keeps the interface from its other work."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A failure as the engine told it: the call, the errno's name, the system's words, the explanation, the fixes."""

    stage: str
    name: str
    message: str
    what: str = ""
    fixes: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Problem:
        """The problem of an engine's ``error``."""
        return cls(value["stage"], value["name"], value["message"], value["what"], tuple(value["fixes"]))

    def headline(self) -> str:
        """``bind: EADDRINUSE Address already in use``; not escaped."""
        name = "" if self.name in ("ValueError", "") else f"{self.name} "
        return f"{self.stage}: {name}{self.message}"

    def lines(self) -> Iterator[str]:
        """Headline, explanation and what to try; not escaped."""
        headline = self.headline()
        yield headline
        if self.what and self.what.lower().rstrip(".") not in headline.lower():
            yield f"  {self.what}"
        for fix in self.fixes:
            yield f"  try: {fix}"


class Refused(Exception):
    """The engine refused a request; ``problem`` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.headline())
        self.problem = problem


class StartError(OSError):
    """An engine could not be started; ``problem`` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.headline())
        self.problem = problem


Reply = Callable[[dict[str, Any] | None, Problem | None], None]
"""Called once with the engine's reply, or with the problem."""


class Client:
    """One engine, spoken to from one thread. ``on_event`` gets every message that is no reply."""

    def __init__(self, link: Link, on_event: Callable[[wire.Message], None] = lambda message: None) -> None:
        self.link = link
        self.on_event = on_event
        self.dead = ""
        """Why the engine is gone; "" while it lives."""
        self._decoder = wire.Decoder()
        self._replies: dict[int, Reply] = {}
        self._unsent: deque[tuple[bytearray, int | None]] = deque()
        """What is to be sent, in pieces, each with the descriptor that its first byte carries."""
        if link.first:
            self._unsent.append((bytearray(link.first), None))
        self._last_id = 0

    def fileno(self) -> int:
        """The descriptor that becomes readable when the engine has said something."""
        return self.link.stream.fileno()

    @property
    def waiting(self) -> bool:
        """Whether a reply is outstanding."""
        return bool(self._replies)

    @property
    def outstanding(self) -> frozenset[int]:
        """The numbers of the requests whose reply is outstanding."""
        return frozenset(self._replies)

    def request(
        self, op: str, reply: Reply | None = None, body: bytes = b"", *, descriptor: int | None = None, **values: Any
    ) -> None:
        """Ask for something; ``reply`` is called from a later `poll`, or at once where it can't be asked for.

        A copy of ``descriptor`` goes with it (SCM_RIGHTS), and arrives where no other program carries the stream.
        """
        self._last_id += 1
        problem = self._obstacle(op, body)
        copy = None
        if problem is None and descriptor is not None:
            try:
                copy = os.dup(descriptor)
            except OSError as error:
                problem = Problem(op, errno.errorcode.get(error.errno or 0, ""), error.strerror or str(error))
        if problem is not None:
            if reply is not None:
                reply(None, problem)
            return
        if reply is not None:
            self._replies[self._last_id] = reply
        if copy is not None:
            values["descriptors"] = 1
        data = wire.encode({"op": op, "id": self._last_id, **values}, body)
        if copy is not None or not self._unsent or self._unsent[-1][1] is not None:
            self._unsent.append((bytearray(data), copy))
        else:
            self._unsent[-1][0].extend(data)
        self._push()

    def _obstacle(self, op: str, body: bytes) -> Problem | None:
        if self.dead:
            return Problem("engine", "", self.dead, fixes=("restart the engine",))
        if len(body) > wire.MAX_BODY:
            return Problem(op, "EMSGSIZE", f"more than {wire.MAX_BODY} bytes at once", fixes=("send less",))
        return None

    def call(self, op: str, body: bytes = b"", timeout: float = 30.0, **values: Any) -> dict[str, Any]:
        """Ask and wait. Raises `Refused`, or TimeoutError after ``timeout`` seconds."""
        answers: list[tuple[dict[str, Any] | None, Problem | None]] = []
        self.request(op, lambda result, problem: answers.append((result, problem)), body, **values)
        deadline = time.monotonic() + timeout
        while not answers:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the engine did not answer {op!r} in {timeout:g} s")
            self.poll(0.1)
        result, problem = answers[0]
        if problem is not None:
            raise Refused(problem)
        assert result is not None
        return result

    def poll(self, timeout: float = 0.0) -> int:
        """Send what waits, take in what came, waiting at most ``timeout`` seconds for it. Bytes taken in."""
        if self.dead:
            return 0
        self._push()
        if timeout:
            waiter = select.poll()
            with contextlib.suppress(OSError, ValueError):
                waiter.register(self, select.POLLIN | (select.POLLOUT if self._unsent else 0))
                waiter.poll(timeout * 1000)
        taken = 0
        while taken < POLL_BYTES and not self.dead:
            try:
                data = self.link.stream.recv(READ_BYTES)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:
                data = b""
            if not data:
                self.give_up(self.link.epitaph())
                break
            taken += len(data)
            try:
                for message in self._decoder.feed(data):
                    self._dispatch(message)
            except wire.WireError as error:
                self.give_up(str(error))
        return taken

    def close(self) -> None:
        """End the engine and wait for it, a second at most."""
        self.dead = self.dead or "the engine was closed"
        self._drop_unsent()
        self.link.close()

    def _dispatch(self, message: wire.Message) -> None:
        header = message.header
        if "re" not in header:
            self.on_event(message)
            return
        reply = self._replies.pop(header["re"], None)
        if reply is None:
            return
        if header.get("ok"):
            reply(header, None)
        else:
            reply(None, Problem.from_json(header["error"]))

    def _push(self) -> None:
        while self._unsent:
            data, descriptor = self._unsent[0]
            try:
                sent = socket.send_fds(
                    self.link.stream, [data[:READ_BYTES]], [] if descriptor is None else [descriptor]
                )
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                # What the engine said last is still to be read; the end of the stream follows it.
                self._drop_unsent()
                return
            if descriptor is not None:
                os.close(descriptor)
            del data[:sent]
            if data:
                self._unsent[0] = data, None
            else:
                self._unsent.popleft()

    def _drop_unsent(self) -> None:
        for _, descriptor in self._unsent:
            if descriptor is not None:
                os.close(descriptor)
        self._unsent.clear()

    def give_up(self, reason: str) -> None:
        """Speak to this engine no more; whoever waits for a reply is told why."""
        self.dead = reason
        self._drop_unsent()
        self.link.stream.close()
        waiting, self._replies = self._replies, {}
        for reply in waiting.values():
            reply(None, Problem("engine", "", reason, fixes=("restart the engine",)))
