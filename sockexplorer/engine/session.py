"""One open socket of the engine, with the peers that it knows and what it has recorded."""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import socket
import struct
from dataclasses import replace
from typing import Any

from sockexplorer.core import lifecycle, links
from sockexplorer.core.constants import number
from sockexplorer.core.endpoint import Endpoint, SetOption
from sockexplorer.core.family import Family, Protocol
from sockexplorer.engine import opening, patience
from sockexplorer.engine.connection import Connection
from sockexplorer.engine.failure import Failure, explain, simple
from sockexplorer.engine.operation import Operations
from sockexplorer.engine.patience import RETRY_SECONDS, Wait
from sockexplorer.engine.reader import MessageReader
from sockexplorer.engine.ring_reader import RingReader, interface_names, ring_reader
from sockexplorer.engine.sending import Sending
from sockexplorer.engine.spool import Spool
from sockexplorer.engine.stage import Stage
from sockexplorer.engine.streams import StreamReader
from sockexplorer.engine.unixfile import SocketFile

LAST_READS = 64
"""Reads of a socket that is being closed, at most: what had arrived is kept, a flood does not hold up the end."""
ANSWERS = {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.ENOBUFS}
"""Errors of reading that tell what became of a message; any number of them leaves the socket sound."""
SNAPLEN_MAX = 2**20
"""No family's message is longer by default, and a batch reserves 256 times as much address space."""


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
        self.drops = 0
        """Frames that the kernel dropped for want of buffer (SO_RXQ_OVFL, SO_MEMINFO)."""
        self.accepting = True
        """False while there is no descriptor left for another peer."""
        self._refused_peers = ""
        """Why ``accept`` fails at present: told once, not at every try."""
        self.changed = True
        """Whether the client has yet to hear of `status`."""
        self.timeout = patience.check(endpoint.timeout)
        """As of ``settimeout()``: None blocks, 0 does not, any other number is seconds."""
        self.sending = Sending(self)
        self._waits: Wait | None = None
        """The call that waits for something to come."""
        self._retry: object = None
        """The peer whose queue of connections is full: it is called again."""
        self._reader: MessageReader | RingReader | None = None
        self._ring: RingReader | None = None
        self._failures = 0

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
            self._ring = ring_reader(sock, family, self.endpoint, self.spool)
            if self._ring is not None:
                self.granted |= {"ring": self._ring.ring.bytes, "interfaces": interface_names(sock)}
            if operation in ("bind", "listen") or (operation == "connect" and local is not None):
                stage = "bind" if operation == "connect" else operation
                self.file = opening.bind(sock, family, protocol, local, "bind" if stage == "listen" else stage)
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
                    self._reader = self._ring or self._message_reader(sock)
        except BaseException:
            self.state = "failed"
            self.release()
            raise

    def _begin_connect(self, remote: object) -> None:
        assert self.sock is not None
        progress = opening.connect(self.sock, self.family, self.protocol, remote)
        if progress == "full" and self.timeout == 0:
            raise explain(
                self.family, self.protocol, "connect", BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
            )
        if progress == "done":
            self._connected()
            return
        self._retry = remote if progress == "full" else None
        if self.state == "opening":
            self._step("connecting")

    def _message_reader(self, sock: socket.socket) -> MessageReader:
        snaplen = min(max(1, self.endpoint.snaplen or self.protocol.snaplen), SNAPLEN_MAX)
        return MessageReader(sock, self.family, self.protocol, self.spool, snaplen, self._dropped)

    def _connected(self) -> None:
        assert self.sock is not None
        self._step("connected")
        self._add_connection(self.sock, "connected")

    def _add_connection(self, sock: socket.socket, event: str) -> Connection:
        address = opening.peer_of(sock)
        more: dict[str, Any] = {"connection": True} if self.protocol.connections else {}
        if self.family.constant == "AF_UNIX" and (who := opening.credentials(sock)):
            more["credentials"] = who
        peer = self.peers.add(object(), address, **more)
        reader: MessageReader | StreamReader
        if self.protocol.messages:
            reader = self._message_reader(sock)
            reader.senders.fixed = peer
            reader.ends_at_zero = self.protocol.connections
        else:
            # Without room for ancillary data TIPC tells every end as ECONNRESET.
            beside = self.family.constant == "AF_UNIX" or self.protocol.ends_in_reset
            bulk = self.protocol.proto == "IPPROTO_TCP" and not beside
            reader = StreamReader(sock, self.spool, peer, ancillary_data=beside, bulk=bulk)
        connection = Connection(sock, peer, reader)
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

    def ready(self, sock: socket.socket, events: int) -> None:
        """Do what a ready socket allows: finish a connect, accept, read, send on."""
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
        if not events & selectors.EVENT_READ:
            return
        reader = connection.reader if connection else self._reader
        if reader is None:
            return
        if self._waits is not None:
            self._waits.again()
        try:
            more = reader.read()
            self._failures = 0
        except OSError as error:
            self._read_failed(error, connection)
            return
        if not more and connection is not None:
            self._ended(connection, "closed", "closed by the peer")

    def _finish_connect(self) -> None:
        assert self.sock is not None
        code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code == 0:
            self._connected()
            return
        failure = explain(self.family, self.protocol, "connect", OSError(code, os.strerror(code)))
        self._record_failure(failure)
        self.release()

    def _accept(self) -> None:
        assert self.sock is not None
        for _ in range(16):
            try:
                sock, _ = self.sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                failure = explain(self.family, self.protocol, "accept", error)
                if self._refused_peers != failure.name:
                    self._refused_peers = failure.name
                    self.spool.event("error", str(failure), failure=failure.to_json())
                # At the limit of descriptors the listener stays ready: look again later, not at once.
                self.accepting = error.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
                return
            self._refused_peers = ""
            if self._waits is not None:
                self._waits.again()
            sock.setblocking(False)
            opening.stamp(sock)
            self._add_connection(sock, "accepted")
            self.changed = True

    def _read_failed(self, error: OSError, connection: Connection | None) -> None:
        failure = explain(self.family, self.protocol, "read", error)
        if connection is not None and self.protocol.connections:
            if self.protocol.ends_in_reset and error.errno == errno.ECONNRESET:
                # L2CAP tells of the end before it gives what came before it.
                self._read_rest(connection.reader)
                self._ended(connection, "closed", "closed by the peer")
            else:
                self._ended(connection, "reset", str(failure), failure)
            return
        self._failures += error.errno not in ANSWERS
        self.spool.event("error", str(failure), failure=failure.to_json())
        if self._failures >= 100 or error.errno in (errno.EBADF, errno.ENOTSOCK):
            self._record_failure(failure)
            self.release()

    def _ended(self, connection: Connection, event: str, text: str, failure: Failure | None = None) -> None:
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

    # --- waiting -------------------------------------------------------------------------------------------

    def set_timeout(self, timeout: object) -> None:
        """From here on, as ``settimeout()``. Raises ValueError for what that refuses."""
        self.timeout = patience.check(timeout)
        self._waits = None
        self.changed = True

    def option_changed(self, option: SetOption) -> None:
        """Tell what a changed option granted, and keep what the person has chosen."""
        self.endpoint = replace(
            self.endpoint,
            options=(*(each for each in self.endpoint.options if each.name != option.name), option),
        )
        if self.sock is not None:
            self.granted |= opening.granted(self.sock)
        self.changed = True

    @property
    def waiting_call(self) -> str:
        """The call that a program with this socket would be in: ``connect``, ``accept``, ``recv``; "" for none."""
        if self.state == "connecting":
            return "connect"
        if self.state == "listening":
            return "accept"
        return "recv" if self.state in ("bound", "open", "connected") and self.operations is None else ""

    def waits(self) -> str:
        """What is waited for, as a sentence without its end; "" where nothing is."""
        if len(self.sending.outbox):
            return f"send() waits for room in the peer's queue: {len(self.sending.outbox)} messages"
        if unsent := sum(len(each.unsent) for each in self.connections.values()):
            return f"send() waits until the peer reads: {unsent} bytes"
        call = self.waiting_call
        if call == "connect":
            return f"connect() waits for {self.protocol.connect_waits}"
        return "accept() waits for a peer" if call == "accept" and not self.connections else ""

    def tick(self) -> float | None:
        """Do what is due by time alone; seconds until something is, None where nothing will be."""
        dues = [self.sending.tick()]
        if self.state == "connecting" and self._retry is not None:
            dues.append(RETRY_SECONDS)
            try:
                self._begin_connect(self._retry)
            except Failure as failure:
                self._record_failure(failure)
                self.release()
        if self.timeout is not None and (call := self.waiting_call):
            if self._waits is None or self._waits.call != call:
                self._waits = Wait(call)
            due = self._waits.due(self.timeout)
            if due is not None and due <= 0:
                self._time_is_over(self._waits, self.timeout)
            elif due is not None:
                dues.append(due)
        return min((each for each in dues if each is not None), default=None)

    def _time_is_over(self, wait: Wait, timeout: float) -> None:
        wait.told = True
        if wait.call != "connect":
            self.spool.event("timeout", wait.outcome(timeout))
        elif timeout == 0:
            self.spool.event("waits", "connect() returned at once: BlockingIOError, EINPROGRESS. The kernel goes on")
        else:
            error = TimeoutError(f"timed out after {timeout:g} s, waiting for {self.protocol.connect_waits}")
            self._record_failure(explain(self.family, self.protocol, "connect", error))
            self.release()

    def _record_failure(self, failure: Failure) -> None:
        self.spool.event("error", str(failure), failure=failure.to_json())
        self._step("fail")

    def _dropped(self, total: int) -> None:
        delta = (total - self.drops) & 0xFFFFFFFF
        # A frame carries the counter of the moment it was queued, which may be older than what the kernel said last.
        if 0 < delta < 2**31:
            self.drops += delta
            self.spool.event("dropped", f"the kernel dropped {delta} for want of buffer", count=delta, total=self.drops)
            self.changed = True

    def count_drops(self) -> None:
        """Ask the kernel how many frames it dropped: the counter in a frame only tells with the next frame."""
        if not self.protocol.messages or self.sock is None or self.state not in ("bound", "open", "connected"):
            return
        if self._ring is not None:
            self._count_of_ring(self._ring, self.sock)
            return
        with contextlib.suppress(OSError, struct.error):
            data = self.sock.getsockopt(socket.SOL_SOCKET, number("SO_MEMINFO"), 36)
            self._dropped(struct.unpack_from("=I", data, 32)[0])
        if self.family.constant == "AF_PACKET" and (seen := opening.packets_seen(self.sock)):
            self.granted["packets"] = self.granted.get("packets", 0) + seen
            self.changed = True

    def _count_of_ring(self, reader: RingReader, sock: socket.socket) -> None:
        self.spool.prepare()
        ring = reader.ring
        with contextlib.suppress(OSError):
            ring.count()
        self._dropped(ring.drops)
        told = {"packets": ring.packets, "interfaces": interface_names(sock)}
        if any(self.granted.get(key) != value for key, value in told.items()):
            self.granted |= told
            self.changed = True

    @property
    def batch_full(self) -> bool:
        """Whether the last read left more behind, as far as can be told."""
        readers = [each.reader for each in self.connections.values()]
        return any(isinstance(each, MessageReader | RingReader) and each.full for each in (self._reader, *readers))

    # --- sending -------------------------------------------------------------------------------------------

    def number_of(self, address: object) -> int:
        """The number of the peer that a message goes to, 0 for the one that the socket is connected to."""
        if address is None:
            return 0
        key: bytes | str
        try:
            with links.seen_from(self.sock) if self.sock is not None else contextlib.nullcontext():
                key = self.family.pack(self.protocol, address)
                address = self.family.unpack(self.protocol, key)
        except (OSError, ValueError, TypeError, KeyError):
            key = repr(address).encode()
        if isinstance(self._reader, MessageReader) and not self._reader.batched:
            key = repr(address)
        known = self.peers.known(key)
        return known[0] if known else self.peers.add(key, address)

    # --- the end -------------------------------------------------------------------------------------------

    def close_connection(self, peer: int) -> None:
        """Close one connection. Raises `Failure` for a peer that is not connected."""
        connection = self.connections.get(peer)
        if self.operations is not None and peer in self.operations.connected:
            self.operations.close("closed here")
            self.changed = True
            return
        if connection is None:
            raise simple("close", "that peer is not connected")
        self._ended(connection, "closed", "closed here")

    def close(self) -> None:
        """Close every socket and remove the socket file if it is ours."""
        if self.state != "closed":
            self._read_last()
            self.count_drops()
            self.release()
            self.state = lifecycle.after(self.state, "close")
            self.changed = True

    def _read_last(self) -> None:
        """Take what had arrived before the end, within bounds."""
        if self._ring is not None:
            self._ring.read_last()
            return
        readers = [each.reader for each in self.connections.values()]
        for reader in readers if self._reader is None or self.sock is None else [self._reader, *readers]:
            self._read_rest(reader)

    def _read_rest(self, reader: MessageReader | StreamReader | RingReader) -> None:
        """Read what is left: some tell of the end before they give what came before it, others repeat the error."""
        for _ in range(LAST_READS):
            recorded = self.spool.recorded
            try:
                over = not reader.read()
            except OSError as error:
                if error.errno == errno.ECONNRESET and self.protocol.ends_in_reset:
                    return
                failure = explain(self.family, self.protocol, "read", error)
                self.spool.event("error", str(failure), failure=failure.to_json())
                # Nothing follows the error of a connection; those of datagrams tell of one message each.
                over = self.protocol.connections
            if over or self.spool.recorded == recorded:
                return

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
        if self._ring is not None:
            self._ring.close()
            self._ring = self._reader = None
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

    def status(self) -> dict[str, Any]:
        """State, addresses, connected peers and counters, as JSON values."""
        self.changed = False
        status: dict[str, Any] = {
            "state": self.state,
            "connections": sorted(self.connections) if self.operations is None else self.operations.connected,
            "drops": self.drops,
            "timeout": self.timeout,
            "waits": self.waits(),
            "unsent": sum(len(each.unsent) for each in self.connections.values()),
            **self.granted,
        }
        if self.file is not None:
            status["file"] = [self.file.path, self.file.device, self.file.inode]
        if self.sock is not None:
            status["local"] = repr(opening.name_of(self.sock))
            status["remote"] = repr(opening.peer_of(self.sock))
        return status
