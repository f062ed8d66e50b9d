"""The life of an endpoint in the engine: opened, connected or listening, with its connections, until it is closed.

What it reads, sends, waits for and loses is kept by `reading`, `sending`, `patience` and `drops`.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
from typing import Any

from sockexplorer.core import lifecycle
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol
from sockexplorer.engine import opening
from sockexplorer.engine.connection import Connection
from sockexplorer.engine.drops import Drops
from sockexplorer.engine.failure import Failure, explain, simple
from sockexplorer.engine.operation import Operations
from sockexplorer.engine.patience import RETRY_SECONDS, Patience
from sockexplorer.engine.reading import Reading
from sockexplorer.engine.sending import Sending
from sockexplorer.engine.spool import Spool
from sockexplorer.engine.stage import Stage
from sockexplorer.engine.unixfile import SocketFile


class Session:
    """An endpoint and its sockets. The engine's loop watches `sockets` and calls `ready` for what is ready.

    A session never raises for what the network does: it records an event and moves along the lifecycle.
    """

    def __init__(
        self, number: int, endpoint: Endpoint, family: Family, protocol: Protocol, stage: Stage | None = None,
        spool: Spool | None = None,
    ) -> None:  # fmt: skip
        """``stage`` is where private sockets come from; ``spool`` is the client's, else one of its own."""
        self.number = number
        self.endpoint = endpoint
        self.family = family
        self.protocol = protocol
        self._stage = stage
        self.state: lifecycle.State = "opening"
        self.spool = Spool() if spool is None else spool
        self.peers = self.spool.peers
        self.sock: socket.socket | None = None
        self.connections: dict[int, Connection] = {}
        self.operations: Operations | None = None
        """What an algorithm computes with, where the protocol has that."""
        self.file: SocketFile | None = None
        self.granted: dict[str, Any] = {}
        self.accepting = True
        """False while there is no descriptor left for another peer."""
        self._refused_peers = ""
        """Why ``accept`` fails at present: told once, not at every try."""
        self.changed = True
        """Whether the client has yet to hear of `status`."""
        self._retry: object = None
        """The peer whose queue of connections is full: it is called again."""
        self.patience = Patience(self)
        self.drops = Drops(self)
        self.reading = Reading(self)
        self.sending = Sending(self)

    # --- opening -------------------------------------------------------------------------------------------

    def open(self, local: object, remote: object) -> None:
        """Create the socket and take it to where the endpoint asks, with numeric addresses. Raises `Failure`."""
        family, protocol, operation = self.family, self.protocol, self.endpoint.operation
        try:
            self.sock = sock = opening.create(family, protocol, self.endpoint, self._stage)
            self.granted = opening.set_up(sock, family, protocol, self.endpoint)
            if told := opening.by_number(sock, family, protocol):
                self.granted["by_number"] = True
                self.spool.event("by-number", told)
            self.granted |= self.reading.open_ring(sock)
            if operation in ("bind", "listen") or (operation == "connect" and local is not None):
                self.file = opening.bind(sock, family, protocol, local)
            opening.set_options(sock, family, protocol, self.endpoint, after_bind=True)
            if operation == "listen":
                opening.listen(sock, family, protocol)
                self._step("listening")
            elif operation == "connect":
                self._begin_connect(remote)
            else:
                self._step("bound" if operation == "bind" else "opened")
                if protocol.operates and operation == "bind":
                    self.operations = Operations(sock, family, protocol, self.spool, self.peers)
                    self.operations.accept(local)
                else:
                    self.reading.begin(sock)
        except BaseException:
            self.state = "failed"
            self.release()
            raise

    def _begin_connect(self, remote: object) -> None:
        assert self.sock is not None
        progress = opening.connect(self.sock, self.family, self.protocol, remote)
        if progress == "full" and self.patience.timeout == 0:
            raise self.explain("connect", BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN)))
        if progress == "done":
            self._connected()
            return
        self._retry = remote if progress == "full" else None
        if self.state == "opening":
            self._step("connecting")

    def _connected(self) -> None:
        assert self.sock is not None
        self._step("connected")
        self._add_connection(self.sock, "connected")

    def _add_connection(self, sock: socket.socket, event: str, told: object = None) -> Connection:
        """``told`` is what ``accept()`` says of the peer: a socket that was reset since has forgotten it."""
        address = opening.peer_of(sock)
        address = told if address is None else address
        more: dict[str, Any] = {"connection": True} if self.protocol.connections else {}
        if self.family.constant == "AF_UNIX" and (who := opening.credentials(sock)):
            more["credentials"] = who
        peer = self.peers.add(object(), address, **more)
        connection = Connection(sock, peer, self.reading.of_connection(sock, peer))
        self.connections[peer] = connection
        shown = self.family.text(address)
        owner = f", pid {who['pid']} uid {who['uid']}" if (who := more.get("credentials")) else ""
        self.spool.event(event, f"{event} {'to' if event == 'connected' else 'from'} {shown}{owner}", peer, **more)
        return connection

    # --- what is ready -------------------------------------------------------------------------------------

    def sockets(self) -> dict[socket.socket, int]:
        """The sockets to watch, with the selector's events."""
        read, write = selectors.EVENT_READ, selectors.EVENT_WRITE
        watched = {each.sock: read | (write if each.unsent else 0) for each in self.connections.values()}
        if self.sock is not None and self.sock not in watched:
            if self.state == "connecting" and self._retry is None:
                watched[self.sock] = write
            elif (self.state in ("bound", "open") and self.operations is None) or (
                self.state == "listening" and self.accepting
            ):
                watched[self.sock] = read
        return watched

    def ready(self, sock: socket.socket, events: int, alone: bool = True) -> None:
        """Do what a ready socket allows: finish a connect, accept, read, send on.

        ``alone`` is whether no other socket of any session is.
        """
        if sock is self.sock and self.state == "connecting":
            self._finish_connect()
            return
        if sock is self.sock and self.state == "listening":
            self._accept()
            return
        connection = next((each for each in self.connections.values() if each.sock is sock), None)
        if connection is not None and events & selectors.EVENT_WRITE:
            connection.send_on(self.spool)
            self.changed |= not connection.unsent
        if events & selectors.EVENT_READ:
            self.reading.read(connection, alone)

    def _finish_connect(self) -> None:
        assert self.sock is not None
        code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code == 0:
            self._connected()
        else:
            self.fail(self.explain("connect", OSError(code, os.strerror(code))))

    def _accept(self) -> None:
        assert self.sock is not None
        for _ in range(16):
            try:
                sock, address = self.sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                failure = self.explain("accept", error)
                if self._refused_peers != failure.name:
                    self._refused_peers = failure.name
                    self.tell(failure)
                # At the limit of descriptors the listener stays ready: look again later, not at once.
                self.accepting = error.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
                return
            self._refused_peers = ""
            self.patience.something_came()
            sock.setblocking(False)
            opening.stamp(sock)
            self._add_connection(sock, "accepted", address)
            self.changed = True

    # --- due by time alone ---------------------------------------------------------------------------------

    def tick(self) -> float | None:
        """Do what is due by time alone; seconds until something is, None where nothing will be."""
        dues = [self.sending.tick(), self._connect_again(), self.patience.tick()]
        return min((each for each in dues if each is not None), default=None)

    def _connect_again(self) -> float | None:
        if self.state != "connecting" or self._retry is None:
            return None
        try:
            self._begin_connect(self._retry)
        except Failure as failure:
            self.fail(failure)
        return RETRY_SECONDS

    # --- failures ------------------------------------------------------------------------------------------

    def explain(self, stage: str, error: BaseException) -> Failure:
        """The failure of a call, explained by the session's family."""
        return explain(self.family, self.protocol, stage, error)

    def tell(self, failure: Failure) -> None:
        """Record a failure as a row."""
        self.spool.event("error", str(failure), failure=failure.to_json())

    def fail(self, failure: Failure) -> None:
        """Record a failure that is the end of the session."""
        self.tell(failure)
        self._step("fail")
        self.release()

    # --- the end -------------------------------------------------------------------------------------------

    def end(self, connection: Connection, event: str, text: str, failure: Failure | None = None) -> None:
        """Close a connection that has ended, and record why; one that the session called itself is its end too."""
        more = {"failure": failure.to_json()} if failure else {}
        connection.give_up(self.spool)
        self.spool.event(event, text, connection.peer, **more)
        del self.connections[connection.peer]
        if connection.sock is self.sock:
            self._step("end")
            self._remove_file()
            self.sock = None
        connection.sock.close()
        self.changed = True

    def close_connection(self, peer: int) -> None:
        """Close one connection. Raises `Failure` for a peer that is not connected."""
        connection = self.connections.get(peer)
        if self.operations is not None and peer in self.operations.connected:
            self.operations.close("closed here")
            self.changed = True
            return
        if connection is None:
            raise simple("close", "that peer is not connected")
        self.end(connection, "closed", "closed here")

    def close(self) -> None:
        """Close every socket and remove the socket file if it is ours."""
        if self.state != "closed":
            self.reading.read_last()
            self.drops.ask()
            self.release()
            self.state = lifecycle.after(self.state, "close")
            self.changed = True

    def release(self) -> None:
        """Let go of descriptors and of the socket file; the state stays."""
        for connection in self.connections.values():
            connection.give_up(self.spool)
            connection.sock.close()
        self.connections.clear()
        if self.operations is not None:
            self.operations.close()
        self.sending.outbox.give_up(simple("send", "the session was closed before the peer had room for this"))
        self._remove_file()
        self.reading.close()
        if self.sock is not None:
            self.sock.close()
            self.sock = None

    def _remove_file(self) -> None:
        """Remove the socket file while the socket still holds its inode, whose number is free for others afterwards."""
        if self.file is not None:
            self.file.remove()
            self.file = None

    # --- what the client is told ---------------------------------------------------------------------------

    def _step(self, step: lifecycle.Step) -> None:
        self.state = lifecycle.after(self.state, step)
        self.changed = True

    @property
    def unsent(self) -> int:
        """Bytes that wait until the peers of streams read."""
        return sum(len(each.unsent) for each in self.connections.values())

    def status(self) -> dict[str, Any]:
        """State, addresses, connected peers and counters, as JSON values."""
        self.changed = False
        status: dict[str, Any] = {
            "state": self.state,
            "connections": sorted(self.connections) if self.operations is None else self.operations.connected,
            "drops": self.drops.total,
            "timeout": self.patience.timeout,
            "waits": self.patience.sentence(),
            "unsent": self.unsent,
            **self.granted,
        }
        if self.file is not None:
            status["file"] = [self.file.path, self.file.device, self.file.inode]
        if self.sock is not None:
            status["local"] = repr(opening.name_of(self.sock))
            status["remote"] = repr(opening.peer_of(self.sock))
        return status
