"""Sending over a conversation: one message, or a stream as it comes, until all of it has left."""

from __future__ import annotations

import io
import json
import os
import select
import sys
import time
from collections.abc import Mapping
from functools import partial

from sockexplorer.cli.conversation import Conversation
from sockexplorer.cli.report import Failed, note, refused
from sockexplorer.client.client import Problem, Reply

PIECE = 256 * 1024
AHEAD = 4 * 2**20
"""Bytes of a stream that may be under way before more of stdin is read."""
LONGEST = 16 * 2**20
"""No family takes a longer message; stdin may be endless."""
FULL_SECONDS = 5.0
"""How long to wait for room in the peer's queue, unless a timeout was given."""


class Sender:
    """Sends ``data``, or stdin when it is None. `sent` counts what has left."""

    def __init__(self, talk: Conversation, data: bytes | None, fields: Mapping[str, object] | None = None) -> None:
        """``fields`` are the values of the protocol's message fields."""
        self._talk = talk
        self._data = data
        self._fields = fields
        self.sent = 0
        try:
            self._stdin = sys.stdin.fileno()
        except (io.UnsupportedOperation, AttributeError, ValueError):
            self._stdin = -1
        if data is None and self._stdin >= 0 and os.isatty(self._stdin):
            note("type what to send; Ctrl-D ends it")

    def send(self) -> None:
        """Send everything and wait until it has left. Raises `Failed` or `Stopped`."""
        if self._talk.session.protocol.messages:
            self._send_message()
        else:
            self._send_stream()

    def report(self, *, as_json: bool) -> str:
        """What was sent and to whom, as a line."""
        session = self._talk.session
        endpoint = session.endpoint
        to = endpoint.remote if session.remote is None or endpoint.operation != "connect" else session.remote
        if session.protocol.operates or endpoint.remote is None:
            to = endpoint.local
        if not as_json:
            return f"sent {self.sent} byte{'s' * (self.sent != 1)}" + (f" to {to!a}" if to is not None else "")
        local = None if endpoint.operation == "open" or session.local is None else ascii(session.local)
        return json.dumps({"sent": self.sent, "to": None if to is None else ascii(to), "local": local})

    # --- messages ------------------------------------------------------------------------------------------

    def _send_message(self) -> None:
        talk = self._talk
        data = self._whole() if self._data is None else self._data
        endpoint = talk.session.endpoint
        to = None if endpoint.operation == "connect" or talk.session.protocol.operates else endpoint.remote
        outcome: list[Problem | None] = []
        self._message(data, to, lambda result, problem: outcome.append(problem))
        deadline = time.monotonic() + FULL_SECONDS
        while not outcome:
            talk.pump(waiting=True)
            if endpoint.timeout is None and not outcome and time.monotonic() > deadline:
                raise Failed(f"not sent after {FULL_SECONDS:g} s: {talk.session.waits or 'the engine is busy'}")
        if outcome[0] is not None:
            raise refused(outcome[0])
        self.sent = len(data)
        # The refusal of a peer on this host waits in the socket already: one more turn of the engine reads it.
        talk.request(lambda done: talk.hub.client.request("hello", done))

    def _message(self, data: bytes, to: object, done: Reply) -> None:
        self._talk.hub.send(self._talk.session, data, to=to, fields=self._fields, done=done)

    def _whole(self) -> bytes:
        data = bytearray()
        while piece := self._read():
            data += piece
            if len(data) > LONGEST:
                raise Failed(f"stdin has more than {LONGEST >> 20} MiB, and all of it would be one message")
        return bytes(data)

    # --- streams -------------------------------------------------------------------------------------------

    def _send_stream(self) -> None:
        talk, log = self._talk, self._talk.session.log
        given = 0
        more = True
        while more or log.bytes_out < given:
            if more and given - log.bytes_out < AHEAD:
                piece = self._read() if self._data is None else self._data[given : given + PIECE]
                more = bool(piece)
                if piece:
                    problem = talk.request(partial(self._hand_over, piece))
                    if problem is not None:
                        raise refused(problem)
                    given += len(piece)
            elif talk.session.state == "connected":
                talk.pump(waiting=True)
            else:
                raise self._cut(f" of {given}")
        self.sent = log.bytes_out

    def _cut(self, of: str = "") -> Failed:
        return Failed(f"the connection ended after {self._talk.session.log.bytes_out} bytes{of} were sent")

    def _hand_over(self, piece: bytes, done: Reply) -> None:
        self._talk.hub.send(self._talk.session, piece, done=done)

    # --- stdin ---------------------------------------------------------------------------------------------

    def _read(self) -> bytes:
        """What stdin has, at most a piece; b"" at its end. The engine is heard meanwhile."""
        talk = self._talk
        if self._stdin < 0:
            return sys.stdin.buffer.read(PIECE)
        while not select.select([self._stdin], [], [], 0)[0]:
            if talk.session.state not in ("open", "bound", "connected"):
                raise self._cut()
            select.select([self._stdin, talk.hub.client], [], [], talk.stop.patience)
            talk.pump(waiting=True, patience=0)
        try:
            with talk.stop.interruptible():
                return os.read(self._stdin, PIECE)
        except OSError as error:
            raise Failed(f"stdin can't be read: {error.strerror}") from None
