"""Every session that a person has open: asks the engine, and has the sessions take in what it says."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sockexplorer.capture.log import DEFAULT_LIMIT, Log
from sockexplorer.capture.store import MemoryStore
from sockexplorer.client.client import Client, Problem, Reply
from sockexplorer.client.link import Link, start_process
from sockexplorer.client.session import Session
from sockexplorer.core import wire
from sockexplorer.core.endpoint import Endpoint, SetOption
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol, Role
from sockexplorer.core.verdict import Verdict
from sockexplorer.families import family as find_family


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
        self._taken = 0
        """Bytes that logs took in since `poll` began."""
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
        session = Session(number, endpoint, family, family.protocol(endpoint.protocol), log)
        log.on_peers = lambda told: self._meet(session, told)
        log.on_name = session.meet_name
        self.sessions[session.number] = session

        def opened(result: dict[str, Any] | None, problem: Problem | None) -> None:
            self._catch_up(session)
            if problem is not None:
                session.state, session.problem = "failed", problem
                session.log.over()
            elif result is not None:
                session.take_status(result)
            if done is not None:
                done(result, problem)

        if problem is not None:
            opened(None, problem)
            return session
        self.client.request(
            "open", opened, session=session.number, endpoint=endpoint.to_json(), room=self.room,
            descriptor=log.store.descriptor,
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
            session.log.over()
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
        """Take in what the engine said, waiting at most ``timeout`` seconds for it. Bytes that logs took in by that."""
        alive, self._taken = not self.client.dead, 0
        self.client.poll(timeout)
        for session in self.sessions.values():
            self._catch_up(session)
        if alive and self.client.dead:
            self._bury()
        return self._taken

    def tell_directions(self) -> None:
        """Tell sent from received in the packets of every session, as far as a moment allows: see the log's."""
        for session in self.sessions.values():
            if session.state != "file":
                session.log.tell_directions()

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
                self._taken += len(message.body)
            except (ValueError, OSError) as error:
                self.client.give_up(f"frames could not be taken in: {error}")
        elif header["ev"] == "status":
            session.take_status(header)

    def _catch_up(self, session: Session) -> None:
        """Take in what the engine wrote into the session's spool."""
        try:
            self._taken += session.log.catch_up()
        except (ValueError, OSError) as error:
            if not self.client.dead:
                self.client.give_up(f"the spool can't be read: {error}")

    def _meet(self, session: Session, told: list[dict[str, Any]]) -> None:
        for each in told:
            session.meet(each, elsewhere=bool(self.client.link.via))

    def _bury(self) -> None:
        for session in self.sessions.values():
            if session.state != "file":
                self._catch_up(session)
                session.log.over()
            session.lose(self.client.dead)
        self._remove_files()

    def _remove_files(self) -> None:
        """Remove socket files that an engine had no time to remove: only those that it made, by device and inode.

        Those of an engine elsewhere are not ours, though a file of ours may have the same path.
        """
        for session in self.sessions.values():
            if session.file is not None and not self.client.link.via:
                session.file.remove()
            session.file = None
