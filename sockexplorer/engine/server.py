"""The engine: one thread, one selector, every socket. It reads what is ready and hands over batches.

What the client asks for is answered by `sockexplorer.engine.requests`. By itself the engine sends ``ev: frames``
(there are more in the spool, or these) and ``ev: status``.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import sys
import time
from functools import lru_cache

from sockexplorer.core import wire
from sockexplorer.engine.channel import Channel
from sockexplorer.engine.requests import Requests
from sockexplorer.engine.resolve import Resolver
from sockexplorer.engine.session import Session
from sockexplorer.engine.stage import Stage

FLUSH_SECONDS = 0.01
"""How long frames may wait for company before they are handed over."""
FLUSH_BYTES = 256 * 1024
BEHIND_SECONDS = 0.02
"""How soon to look again whether a client has read its spool."""
QUEUE_BYTES = 16 * 2**20
"""Bytes that may wait for the client. Beyond, sockets are not read: the kernel's buffers fill, and it counts."""
STATUS_SECONDS = 0.25
COALESCE_SECONDS, LONGER_SECONDS = 0.002, 0.008
"""How long messages gather in the kernel under a steady stream; its buffer holds more than comes in that time, in the
longer one if it is at least `LARGE_BUFFER`. After each sleep the processor's caches are cold.
"""
LARGE_BUFFER = 4 * 2**20
HALF = 0.5
"""Of a batch: a smaller buffer may be full when half of one came in `COALESCE_SECONDS`."""
WAKE, CLIENT = "wake", "client"


class Engine:
    """Serves one client over a stream of two descriptors, which may be one socket's. `run` returns when it is over."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        self._selector = selectors.DefaultSelector()
        self.sessions: dict[int, Session] = {}
        self._watched: dict[socket.socket, tuple[Session, int]] = {}
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self.channel = Channel(incoming, outgoing)
        self.resolver = Resolver(self.wake)
        self.stage = Stage()
        self._running = True
        self._requests = Requests(self)
        self._held_up = False
        """Whether some session's sockets are not watched, as its client is behind."""
        self._last_flush = 0.0
        self._last_status = 0.0
        self._last_read = 0.0

    def wake(self) -> None:
        """Make the loop look around, from any thread."""
        with contextlib.suppress(OSError):
            self._wake_out.send(b"\0")

    def stop(self) -> None:
        """End the loop, from any thread or a signal handler."""
        self._running = False
        self.wake()

    # --- the loop ------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Serve until the client stops it or is gone; then close every socket."""
        self._selector.register(self._wake_in, selectors.EVENT_READ, WAKE)
        self._selector.register(self.channel.incoming, selectors.EVENT_READ, CLIENT)
        try:
            while self._running:
                self._turn()
            self._flush(final=True)
        finally:
            for session in self.sessions.values():
                session.close()
                session.spool.flush()
                session.spool.close()
            self.channel.close()
            self.stage.close()
            self._selector.close()
            self._wake_in.close()
            self._wake_out.close()

    def _turn(self) -> None:
        dues = [due for session in self._open() if (due := session.tick()) is not None]
        self._watch()
        read = small = 0
        patience = LONGER_SECONDS
        ready = self._selector.select(self._timeout(dues))
        alone = sum(isinstance(key.data, Session) for key, _ in ready) == 1
        for key, events in ready:
            if key.data == WAKE:
                with contextlib.suppress(OSError):
                    self._wake_in.recv(4096)
                self.resolver.deliver()
            elif key.data == CLIENT:
                if events & selectors.EVENT_READ:
                    self._listen()
            else:
                session: Session = key.data
                if session.state != "closed" and key.fileobj in self._watched:
                    session.ready(key.fileobj, events, alone=alone)
                    read += 1
                    large = _has_large_buffer(session)
                    small += session.protocol.gathers and session.reading.filled < (1 if large else HALF)
                    patience = patience if large else COALESCE_SECONDS
        self._flush()
        if not read:
            # The client has its answer to the opening: what comes next may be a flood.
            for session in self._open():
                if session.reading.preparing or not session.reading.prepared:
                    _prepare(session)
        self._coalesce(read > 0 and small == read, patience)

    def _coalesce(self, small: bool, seconds: float) -> None:
        """Let a steady stream of messages gather: many small reads cost more than a few large ones.

        The first message after a pause is never held up, and no sender that waits for the reader.
        """
        now = time.monotonic()
        if small and now - self._last_read < seconds:
            time.sleep(seconds)
            now += seconds
        if small:
            self._last_read = now

    def _timeout(self, waits: list[float]) -> float | None:
        """How long to sleep; ``waits`` are the seconds until sessions have something to do by time alone."""
        now = time.monotonic()
        spools = [session.spool for session in self.sessions.values()]
        if any(spool.pending for spool in spools):
            waits.append(self._last_flush + FLUSH_SECONDS - now)
        if self._held_up or any(spool.shared and spool.end != spool.told for spool in spools):
            waits.append(BEHIND_SECONDS)
        if any(session.reading.preparing for session in self._open()):
            waits.append(0.0)
        if any(session.state in ("bound", "open", "connected") or not session.accepting for session in self._open()):
            waits.append(self._last_status + STATUS_SECONDS - now)
        return max(0.0, min(waits)) if waits else None

    def _open(self) -> list[Session]:
        return [session for session in self.sessions.values() if session.state != "closed"]

    def _watch(self) -> None:
        """Bring the selector in line with what the sessions and the queue want."""
        wanted: dict[socket.socket, tuple[Session, int]] = {}
        if len(self.channel.queue) < QUEUE_BYTES:
            sessions = [session for session in self.sessions.values() if not session.spool.full]
            # Asked once: the client may have caught up by the time that it is decided how long to sleep.
            self._held_up = len(sessions) < len(self.sessions)
            for session in sessions:
                for sock, events in session.sockets().items():
                    wanted[sock] = session, events
        for sock in [sock for sock in self._watched if sock not in wanted]:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(sock)
            del self._watched[sock]
        for sock, (session, events) in wanted.items():
            if sock not in self._watched:
                self._selector.register(sock, events, session)
            elif self._watched[sock][1] != events:
                self._selector.modify(sock, events, session)
        self._watched = wanted
        self.channel.watch(self._selector, CLIENT)

    # --- handing over --------------------------------------------------------------------------------------

    def _flush(self, *, final: bool = False) -> None:
        now = time.monotonic()
        due = final or now - self._last_flush >= FLUSH_SECONDS
        look = now - self._last_status >= STATUS_SECONDS
        if look:
            self._last_status = now
        for session in self.sessions.values():
            if look:
                session.accepting = True
                session.drops.ask()
                _prepare(session)
            # A status never overtakes the frames that explain it.
            spool = session.spool
            told = not spool.shared or spool.end == spool.told
            if session.changed or (due and spool.pending) or spool.waiting >= FLUSH_BYTES or not told:
                self.hand_over(session)
                # Only now: a session in a flood, which is handed over at every turn, would put off the others' time.
                if due:
                    self._last_flush = now
            if session.changed:
                self.channel.send({"ev": "status", "session": session.number, **session.status()})
        if not self.channel.drain(last=final):
            self._running = False

    def hand_over(self, session: Session) -> None:
        """Make blocks of what waits, and send them, or word of them, to the client."""
        spool = session.spool
        if spool.shared:
            spool.flush()
            if spool.news():
                self.channel.queue += _word_of_frames(session.number)
        elif body := spool.take():
            self.channel.send({"ev": "frames", "session": session.number}, body)

    def _listen(self) -> None:
        try:
            for message in self.channel.messages():
                self._requests.answer(message)
        except EOFError:
            self._running = False
        except wire.WireError as error:
            # Where the next message begins can't be known any more; the client reads this as the last words.
            print(f"the client's stream is broken: {error}", file=sys.stderr, flush=True)
            self._running = False


def _has_large_buffer(session: Session) -> bool:
    granted = session.granted
    return bool(max(granted.get("receive_buffer", 0), granted.get("ring", 0)) >= LARGE_BUFFER)


def _prepare(session: Session) -> None:
    if session.reading.bulk or (session.protocol.gathers and _has_large_buffer(session)):
        session.reading.prepare()
    else:
        # The buffer may have been made smaller meanwhile.
        session.reading.preparing = 0


@lru_cache(maxsize=64)
def _word_of_frames(number: int) -> bytes:
    """What tells the client of new frames of a session: up to hundreds of times a second."""
    return wire.encode({"ev": "frames", "session": number}, b"")
