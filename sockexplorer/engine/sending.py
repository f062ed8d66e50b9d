"""Sending in a session: to one connection, to an address, or into an algorithm; at once, or when there is room."""

from __future__ import annotations

import contextlib
import errno
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sockexplorer.core import lifecycle, links
from sockexplorer.core.frames import Flag
from sockexplorer.engine.connection import Connection
from sockexplorer.engine.failure import Failure, simple
from sockexplorer.engine.outbox import LIMIT, Done, Outbox, Send

if TYPE_CHECKING:
    from sockexplorer.engine.session import Session


class Sending:
    """What a session sends, and what of it waits."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.outbox = Outbox()

    def send(
        self, data: bytes, peer: int | None, address: object, values: Mapping[str, object], done: Done
    ) -> None:  # fmt: skip
        """Send to a connected ``peer``, to ``address``, or to whom the socket is connected; then call ``done``.

        ``values`` are those of the protocol's message fields. What the kernel has no room for waits as long as the
        session's timeout says. Raises `Failure` for what can't be tried at all.
        """
        session = self._session
        if not lifecycle.allowed(session.state, "send"):
            raise simple("send", f"nothing can be sent while the session is {session.state}", "open it again")
        if session.operations is not None:
            session.changed = True
            session.operations.accept(session.endpoint.local)
            done(session.operations.compute(data, values))
            return
        if peer is None and len(session.connections) == 1 and address is None:
            peer = next(iter(session.connections))
        if peer is not None and peer in session.connections:
            self._over(session.connections[peer], data, done)
        elif session.protocol.connections:
            raise self._nobody(peer)
        else:
            self._try(lambda: self._send_message(data, address), done)

    def tick(self) -> float | None:
        """Try what waits again; seconds until the next try, None where nothing waits."""
        timeout, spool = self._session.patience.timeout, self._session.spool
        waited = len(self.outbox)
        again = self.outbox.flush(timeout)
        self._session.changed |= len(self.outbox) != waited
        stuck = [each for each in self._session.connections.values() if each.unsent] if timeout is not None else []
        for each in stuck:
            assert timeout is not None
            left = each.progress + timeout - time.monotonic()
            if left <= 0:
                spool.event("timeout", f"send() timed out after {timeout:g} s: TimeoutError", each.peer)
                each.give_up(spool)
                self._session.changed = True
            else:
                again = left if again is None else min(again, left)
        return again

    def _nobody(self, peer: int | None) -> Failure:
        if peer is not None:
            return simple("send", "that peer is not connected any more", "choose another")
        if not self._session.connections:
            return simple("send", "no peer is connected", "wait for one, or connect")
        return simple("send", "several peers are connected", "choose one: select one of its rows")

    def _over(self, connection: Connection, data: bytes, done: Done) -> None:
        spool = self._session.spool
        if self._session.protocol.messages:
            self._try(lambda: connection.send_whole(data, spool), done)
            return
        try:
            done(connection.send(data, spool, wait=self._session.patience.timeout != 0))
            self._session.changed |= bool(connection.unsent)
        except OSError as error:
            raise self._explain(error) from None

    def _try(self, send: Send, done: Done) -> None:
        """Send a message, or have it wait behind those that wait already."""
        if not self.outbox:
            try:
                done(send())
                return
            except BlockingIOError as error:
                if self._session.patience.timeout == 0:
                    raise self._explain(error) from None
            except OSError as error:
                raise self._explain(error) from None
        if len(self.outbox) >= LIMIT:
            raise simple("send", f"{LIMIT} messages wait already for room in the peer's queue", "let the peer read")
        self.outbox.add(send, self._explain, done)
        self._session.changed = True

    def _explain(self, error: OSError) -> Failure:
        return self._session.explain("send", error)

    def _send_message(self, data: bytes, address: Any) -> int:
        session = self._session
        if session.sock is None:
            raise OSError(errno.EBADF, "the session is closed")
        try:
            sent = session.sock.send(data) if address is None else session.sock.sendto(data, address)
        except (TypeError, ValueError, OverflowError) as error:
            raise session.explain("send", error) from None
        session.spool.add(data[:sent], Flag.OUT, self._number_of(address), len(data))
        return sent

    def _number_of(self, address: object) -> int:
        """The number of the peer that a message goes to, 0 for the one that the socket is connected to."""
        if address is None:
            return 0
        session = self._session
        key: bytes | str
        try:
            with links.seen_from(session.sock) if session.sock is not None else contextlib.nullcontext():
                key = session.family.pack(session.protocol, address)
                address = session.family.unpack(session.protocol, key)
        except (OSError, ValueError, TypeError, KeyError):
            key = repr(address).encode()
        if session.reading.by_address:
            key = repr(address)
        known = session.peers.known(key)
        return known[0] if known else session.peers.add(key, address)
