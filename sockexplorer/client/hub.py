"""What a person has open: sessions with their peers and their logs, kept true by what the engine says."""

from __future__ import annotations

import ast
import contextlib
import errno
import os
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sockexplorer.capture.log import DEFAULT_LIMIT, Frame, Log
from sockexplorer.capture.store import MemoryStore
from sockexplorer.client.client import Client, Problem, Reply
from sockexplorer.client.link import Link, start_process
from sockexplorer.client.processes import program
from sockexplorer.core import lifecycle, links, wire
from sockexplorer.core.endpoint import Endpoint, SetOption
from sockexplorer.core.family import Family, Protocol, Role
from sockexplorer.core.text import escape
from sockexplorer.core.verdict import Verdict
from sockexplorer.decoders import has_decoder, summary
from sockexplorer.decoders.fields import Value, field_values
from sockexplorer.families import family as find_family

if TYPE_CHECKING:
    from sockexplorer.capture.filter import Predicate
    from sockexplorer.capture.reading import Record
    from sockexplorer.capture.sifting import Sift
    from sockexplorer.capture.statistics import Statistics


@dataclass(frozen=True, slots=True)
class Peer:
    """Someone that a session heard from or spoke to. ``name`` is escaped, for display."""

    number: int
    address: object
    literal: str
    name: str
    connection: bool = False


@dataclass(slots=True)
class Session:
    """A session as the client sees it."""

    number: int
    endpoint: Endpoint
    family: Family
    protocol: Protocol
    log: Log
    state: lifecycle.State = "opening"
    local: object = None
    remote: object = None
    peers: dict[int, Peer] = field(default_factory=dict)
    connections: tuple[int, ...] = ()
    longest_name: int = 0
    """Characters of the longest peer's name so far."""
    drops: int = 0
    """Frames that the kernel dropped."""
    packets: int | None = None
    """Frames that reached an AF_PACKET socket, dropped ones included; None where the kernel does not count them."""
    receive_buffer: int = 0
    ring: int = 0
    """Bytes of the packet ring that it is read by, 0 where there is none."""
    interfaces: dict[int, str] = field(default_factory=dict)
    """The names of interfaces by index, where frames are from a packet ring."""
    timeout: float | None = None
    """As of ``settimeout()``."""
    waits: str = ""
    """What an operation waits for, "" where none does; escaped."""
    by_number: bool = False
    """Whether it was opened by number, its addresses through libc: the engine's Python lacks the family."""
    file: tuple[str, int, int] | None = None
    problem: Problem | None = None
    progress: float = 1.0
    """How much is known of the rows of a capture file, from 0 to 1."""
    notice: str = ""
    """What is wrong with a capture file, with what can be done; escaped."""

    @property
    def title(self) -> str:
        """``inet/udp 127.0.0.1:9999``, escaped."""
        address = self.endpoint.remote if self.endpoint.operation == "connect" else self.local
        if address is None:
            address = self.endpoint.local
        shown = "" if address is None else f" {escape(self.family.text(address), 60)}"
        return f"{self.family.name}/{self.protocol.name}{shown}"

    def summary(self, frame: Frame) -> str:
        """One line for a payload that says more than its bytes, "" where they say it best; not escaped."""
        return summary(self.family.constant, self.protocol.name, frame.payload, self.service(frame))

    def fields(self, frame: Frame) -> dict[str, list[Value]]:
        """What decoders read in a payload, by name."""
        if frame.event:
            return {}
        peer = self.peers.get(frame.peer)
        # The address of a J1939 frame says which parameter group it is, whoever is connected to.
        other = peer.address if peer is not None and self.protocol.name == "j1939" else self.service(frame)
        return field_values(self.family.constant, self.protocol.name, frame.payload, other)

    def service(self, frame: Frame) -> object:
        """The address by which a person knows the other end of a frame: what was connected to, or the peer's."""
        if self.endpoint.operation == "connect":
            return self.endpoint.remote
        peer = self.peers.get(frame.peer)
        return None if peer is None else peer.address

    def spoken(self, frame: Frame) -> tuple[Family, Protocol] | None:
        """The family and protocol of a frame, None where no family of sockets has such frames."""
        return self.family, self.protocol

    def sift(self, predicate: Predicate) -> Sift:
        """What goes through the rows for those that pass a filter."""
        from sockexplorer.capture.filter import Compiled
        from sockexplorer.capture.sifting import Sift

        if not isinstance(predicate, Compiled):
            return Sift(self.log, predicate)
        from sockexplorer.capture.block_sift import BlockSift

        return BlockSift(self.log, predicate, predicate.test, self.peer_name, decoded=has_decoder(self.family.constant))

    def numbers_of(self, peer: int) -> array[int] | None:
        """The rows of a peer, None where they have to be looked for row by row."""
        return None

    def statistics(self, kind: Callable[[Frame], str], kind_of_peer: Callable[[int], str]) -> Statistics:
        """What counts the rows; ``kind`` is what a frame is counted as, ``kind_of_peer`` where its peer tells that."""
        from sockexplorer.capture.statistics import BlockStatistics, Statistics

        if has_decoder(self.family.constant):
            return Statistics(self.log, kind)
        return BlockStatistics(self.log, kind_of_peer)

    def record(self, number: int) -> Record | None:
        """The record behind a row of a capture file, as it is in it; None where there is none."""
        return None

    @property
    def torn(self) -> int:
        """How many bytes at the end of a capture file are no whole record."""
        return 0

    def release(self) -> None:
        """Called before the log is closed for good."""

    def peer_name(self, number: int) -> str:
        """The shown name of a peer, "" for none."""
        peer = self.peers.get(number)
        return peer.name if peer else ""


class Hub:
    """Every session of one engine. ``start`` makes the link, again when the engine is restarted."""

    def __init__(
        self,
        start: Callable[[], Link] = start_process,
        log_limit: int | None = DEFAULT_LIMIT,
        log_directory: Path | None = None,
        room: int | None = None,
    ) -> None:
        """``log_limit`` and ``log_directory`` are as of `Log`, for each session.

        ``room`` is how many bytes an engine may be ahead of us, as many as the log holds where it is None.
        """
        self._start = start
        self.log_limit = log_limit
        self.log_directory = log_directory
        self.room = log_limit if room is None else room
        self.sessions: dict[int, Session] = {}
        self._last = 0
        self.client = Client(start(), self._event)

    # --- doing ---------------------------------------------------------------------------------------------

    def next_number(self) -> int:
        """A number for another session."""
        self._last += 1
        return self._last

    def open(self, endpoint: Endpoint, done: Reply | None = None) -> Session:
        """Open an endpoint; the session's state and problem follow. ``done`` is called with the outcome."""
        number = self.next_number()
        family = find_family(endpoint.family)
        log, problem = self._log()
        descriptor = log.store.descriptor
        session = Session(number, endpoint, family, family.protocol(endpoint.protocol), log)
        log.on_peers = lambda told: self._meet(session, told)
        log.on_name = lambda number, name: self._meet_name(session, number, name)
        self.sessions[session.number] = session

        def opened(result: dict[str, Any] | None, problem: Problem | None) -> None:
            self._catch_up(session)
            if problem is not None:
                session.state, session.problem = "failed", problem
            elif result is not None:
                self._status(session, result)
            if done is not None:
                done(result, problem)

        if problem is not None:
            opened(None, problem)
            return session
        self.client.request(
            "open", opened, session=session.number, endpoint=endpoint.to_json(), room=self.room,
            descriptors=() if descriptor is None else (descriptor,),
        )  # fmt: skip
        return session

    def _log(self) -> tuple[Log, Problem | None]:
        try:
            return Log(self.log_limit, self.log_directory), None
        except OSError as error:
            name = errno.errorcode.get(error.errno or 0, "")
            where = "memory" if self.log_directory is None else str(self.log_directory)
            problem = Problem("log", name, f"{error.strerror}: {where}", "the traffic could not be kept anywhere")
            return Log(self.log_limit, store=MemoryStore()), problem

    def send(
        self, session: Session, data: bytes, *, peer: int | None = None, to: object = None,
        fields: Mapping[str, object] | None = None, done: Reply | None = None,
    ) -> None:  # fmt: skip
        """Send to a peer by number, to an address, or to whom the session is connected.

        ``fields`` are the values of the protocol's message fields.
        """
        target = None if to is None else repr(to)
        values = repr(dict(fields)) if fields else None
        sent = self._with_rows(session, done)
        self.client.request("send", sent, data, session=session.number, peer=peer, to=target, fields=values)

    def set_timeout(self, session: Session, timeout: float | None, done: Reply | None = None) -> None:
        """Have a session wait as ``settimeout()`` says, from here on."""
        self.client.request("timeout", done, session=session.number, timeout=timeout)

    def set_option(self, session: Session, option: SetOption, done: Reply | None = None) -> None:
        """Change a socket option of an open session; what the kernel made of it is a row."""
        changed = self._with_rows(session, done)
        self.client.request("option", changed, session=session.number, option=option.to_json())

    def _with_rows(self, session: Session, done: Reply | None) -> Reply:
        """Have the session's rows in the log before ``done`` hears of a reply."""

        def replied(result: dict[str, Any] | None, problem: Problem | None) -> None:
            self._catch_up(session)
            if done is not None:
                done(result, problem)

        return replied

    def close(self, session: Session, done: Reply | None = None) -> None:
        """Close a session; its log stays until `forget`."""

        def closed(result: dict[str, Any] | None, problem: Problem | None) -> None:
            self._catch_up(session)
            session.state = "closed"
            session.connections = ()
            if result is not None:
                session.drops = max(session.drops, int(result.get("drops", 0)))
                session.packets = result.get("packets", session.packets)
            if done is not None:
                done(result, problem)

        if session.state in ("closed", "file") or self.client.dead:
            session.state = "closed"
            if done is not None:
                done({}, None)
            return
        if session.state == "failed":
            # The engine may have forgotten it already, which is as good.
            session.state = "closed"
        self.client.request("close", closed, session=session.number)

    def forget(self, session: Session) -> None:
        """Drop a session and its log; it is closed first."""
        self.close(session)
        self.sessions.pop(session.number, None)
        session.release()
        session.log.close()

    def check(
        self, family: Family, protocol: Protocol, address: object, role: Role, done: Callable[[Verdict], None],
        proto: int | None = None,
    ) -> None:  # fmt: skip
        """Ask for the verdict of the interpreter that runs the engine."""

        def checked(result: dict[str, Any] | None, problem: Problem | None) -> None:
            if result is not None:
                done(Verdict.from_json(result["verdict"]))
            elif problem is not None:
                done(Verdict(False, "model", problem.name, problem.message, reason=problem.headline(), address=address))

        self.client.request(
            "check", checked, family=family.constant, protocol=protocol.name, address=repr(address), role=role,
            proto=proto,
        )  # fmt: skip

    def poll(self, timeout: float = 0.0) -> int:
        """Take in what the engine said. Bytes taken in."""
        alive = not self.client.dead
        taken = self.client.poll(timeout)
        for session in self.sessions.values():
            taken += self._catch_up(session)
        if alive and self.client.dead:
            self._bury()
        return taken

    def restart(self) -> None:
        """Start another engine after one has died; what was open is closed, its log kept. Raises OSError."""
        if not self.client.dead:
            self.client.give_up("the engine was restarted")
        self.client.close()
        self._bury()
        self.client = Client(self._start(), self._event)

    def shut_down(self) -> None:
        """End the engine, with every session."""
        for session in self.sessions.values():
            session.release()
        self.client.close()
        self._remove_files()

    # --- hearing -------------------------------------------------------------------------------------------

    def _event(self, message: wire.Message) -> None:
        header = message.header
        session = self.sessions.get(header.get("session", 0))
        if session is None:
            return
        # What is told of a session never comes ahead of its frames.
        self._catch_up(session)
        if header["ev"] == "frames" and message.body:
            try:
                session.log.append(message.body)
            except (ValueError, OSError) as error:
                self.client.give_up(f"frames could not be taken in: {error}")
        elif header["ev"] == "status":
            self._status(session, header)

    def _catch_up(self, session: Session) -> int:
        """Take in what the engine wrote into the session's spool; bytes."""
        try:
            return session.log.catch_up()
        except (ValueError, OSError) as error:
            self.client.give_up(f"the spool can't be read: {error}")
            return 0

    def _meet(self, session: Session, peers: list[dict[str, Any]]) -> None:
        for each in peers:
            self._meet_one(session, each)

    def _meet_one(self, session: Session, told: dict[str, Any]) -> None:
        literal = told["address"]
        with contextlib.suppress(ValueError, SyntaxError):
            address = ast.literal_eval(literal)
            number = int(told["id"])
            name = escape(session.family.text(address), 80)
            who = told.get("credentials")
            if who:
                # Elsewhere the number means another process.
                runs = "" if self.client.link.via else program(int(who["pid"]))
                name = f"#{number}" if name == "(unnamed)" else name
                name = f"{name} pid {who['pid']} {runs}".rstrip()
            session.longest_name = max(session.longest_name, len(name))
            session.peers[number] = Peer(number, address, literal, name, bool(told.get("connection")))

    def _meet_name(self, session: Session, number: int, name: bytes) -> None:
        """Someone whom a packet ring names by a ``sockaddr_ll``."""
        with links.named(session.interfaces):
            address = session.family.unpack(session.protocol, name)
        shown = escape(session.family.text(address), 80)
        session.longest_name = max(session.longest_name, len(shown))
        session.peers[number] = Peer(number, address, repr(address), shown)

    def _status(self, session: Session, status: dict[str, Any]) -> None:
        session.state = status["state"]
        session.connections = tuple(status.get("connections", ()))
        session.drops = status.get("drops", 0)
        session.timeout = status.get("timeout")
        session.waits = escape(str(status.get("waits", "")))
        session.packets = status.get("packets", session.packets)
        session.receive_buffer = status.get("receive_buffer", session.receive_buffer)
        session.ring = status.get("ring", session.ring)
        session.interfaces = {int(key): name for key, name in status.get("interfaces", {}).items()}
        session.by_number = status.get("by_number", session.by_number)
        with contextlib.suppress(ValueError, SyntaxError):
            if "local" in status:
                session.local = ast.literal_eval(status["local"])
            if "remote" in status:
                session.remote = ast.literal_eval(status["remote"])
        session.file = tuple(status["file"]) if "file" in status else None

    def _bury(self) -> None:
        for session in self.sessions.values():
            if session.state not in ("closed", "failed", "ended", "file"):
                session.state = "failed"
                session.problem = Problem("engine", "", self.client.dead, fixes=("restart the engine",))
                session.connections = ()
        self._remove_files()

    def _remove_files(self) -> None:
        """Remove socket files that an engine had no time to remove: only those that it made, by device and inode.

        Those of an engine elsewhere are not ours, though a file of ours may have the same path.
        """
        for session in self.sessions.values():
            if session.file is None:
                continue
            if self.client.link.via:
                session.file = None
                continue
            path, device, inode = session.file
            with contextlib.suppress(OSError):
                found = os.lstat(path)
                if (found.st_dev, found.st_ino) == (device, inode):
                    os.unlink(path)  # noqa: PTH108
            session.file = None
