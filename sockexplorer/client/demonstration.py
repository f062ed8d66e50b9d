"""Plays a demonstration: opens its ends one after the other, then has them say what is declared.

Nothing here waits: `Demonstration.step` is called until `over`, beside whatever else the hub's owner does.
"""

from __future__ import annotations

from dataclasses import replace

from sockexplorer.client.client import Problem
from sockexplorer.client.hub import Hub
from sockexplorer.client.session import Session
from sockexplorer.core.demo import OTHER, Act, Demo
from sockexplorer.core.endpoint import Endpoint, SetOption
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol


def endpoint(family: Family, protocol: Protocol, demo: Demo, at: int, other: object) -> Endpoint:
    """The endpoint of one end; ``other`` is the address of the end before it."""
    end = demo.ends[at]
    given = family.protocol(end.protocol) if end.protocol else protocol
    defaults = tuple(
        SetOption(each.level, each.name, each.default)
        for each in given.options
        if each.default is not None and (end.operation == "listen" or each.after_bind)
    )
    return Endpoint(
        family.constant, given.name, end.operation, end.local, other if end.remote is OTHER else end.remote,
        (*defaults, *end.options), private=demo.private,
    )  # fmt: skip


class Demonstration:
    """One run. `sessions` are its ends, as far as they are open; `problem` is why it ended early."""

    def __init__(self, hub: Hub, family: Family, protocol: Protocol, demo: Demo) -> None:
        self._hub = hub
        self._family = family
        self._protocol = protocol
        self.demo = demo
        self.sessions: list[Session] = []
        self.problem: Problem | None = None
        self.over = False
        self._busy = False
        """Whether a reply is outstanding."""
        self._acts = list(demo.acts)
        self._expected: int | None = None
        """Rows that `_waiting_for` has to have before it answers."""
        self._waiting_for: Session

    def step(self) -> None:
        """Do the next thing, if its time has come."""
        if self.over or self._busy:
            return
        if any(each.state == "failed" for each in self.sessions):
            failed = next(each for each in self.sessions if each.state == "failed")
            self._end(failed.problem or self._told(failed))
        elif len(self.sessions) < len(self.demo.ends):
            self._open()
        elif self._connected() and self._heard():
            if self._acts:
                self._send(self._acts.pop(0))
            else:
                self.over = True

    def _open(self) -> None:
        other = self._address(self.sessions[0]) if self.sessions else None
        self._busy = True
        wanted = endpoint(self._family, self._protocol, self.demo, len(self.sessions), other)
        self.sessions.append(self._hub.open(wanted, lambda result, problem: self._done(problem)))

    def _send(self, act: Act) -> None:
        session = self.sessions[act.end]
        # Over a connection there is no other way than to its peer.
        peer = session.connections[-1] if session.connections else None
        to = act.to if peer is None else None
        if to is OTHER:
            to = self._address(self.sessions[1 - act.end])
        declared = session.family.message_fields(session.protocol, session.endpoint.local)
        fields = {each.name: each.parse(each.default) for each in declared if each.default} | dict(act.fields)
        self._busy = True
        if len(self.sessions) > 1:
            other = self.sessions[1 - act.end]
            self._expected = other.log.received + 1
            self._waiting_for = other
        self._hub.send(
            session, act.data, peer=peer, to=to, fields=fields,
            done=lambda result, problem: self._done(problem),
        )  # fmt: skip

    def _done(self, problem: Problem | None) -> None:
        self._busy = False
        if problem is not None:
            self._end(problem)

    def _connected(self) -> bool:
        """Whether those ends that have connections have them."""
        return all(
            bool(each.connections) for each in self.sessions if each.protocol.connections
        )  # fmt: skip

    def _heard(self) -> bool:
        """Whether what was sent has come; kernels answer fast, so that nothing but a reader is waited for."""
        if self._expected is None or not self._acts or self._acts[0].end != self.sessions.index(self._waiting_for):
            return True
        return self._waiting_for.log.received >= self._expected

    def _address(self, session: Session) -> object:
        return session.endpoint.local if session.local is None else session.local

    def _told(self, session: Session) -> Problem:
        """The last failure among a session's rows."""
        for number in range(session.log.end - 1, session.log.first - 1, -1):
            if failure := session.log.frame(number).meta.get("failure"):
                return Problem.from_json(failure)
        return Problem("demonstration", "", "an end failed")

    def _end(self, problem: Problem) -> None:
        self.problem = replace(problem, stage=f"demonstration: {problem.stage}")
        self.over = True
