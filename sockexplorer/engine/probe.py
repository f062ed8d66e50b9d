"""What this host can do, asked of the host itself: one real ``socket()`` per declared protocol.

Nothing is changed by it: no packet is sent, nothing is bound but an AF_VSOCK port for a moment, every descriptor is
closed at once, and what would make the kernel load a module is not asked, unless `load` is called for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sockexplorer.core.capability import Capability
from sockexplorer.core.constant_table import by_name
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol
from sockexplorer.engine.host_facts import HostFacts
from sockexplorer.engine.probe_constants import probe_constants
from sockexplorer.engine.probe_devices import what_is_there
from sockexplorer.engine.probe_modules import asking, requested
from sockexplorer.engine.probe_python import has, in_python, lack, number_here, others_only, system
from sockexplorer.engine.probe_refusals import algorithms, came_by, not_asked, why_not
from sockexplorer.engine.probe_rights import permitted
from sockexplorer.engine.probe_sockets import ALLOWED, Answer, Finding, ask
from sockexplorer.families import all_families


def probe_protocols(facts: HostFacts | None = None, more: Iterable[Family] = ()) -> list[Capability]:
    """Every declared family and protocol, in the declared order, then ``more``. Raises nothing."""
    probing = _Probing(facts or HostFacts())
    return [probing.capability(family, protocol) for family in _families(more) for protocol in family.protocols]


def _families(more: Iterable[Family]) -> list[Family]:
    return [*all_families(), *(each for each in more if each.by_bytes)]


def probe(more: Sequence[Family] = (), names: Iterable[str] = ()) -> dict[str, Any]:
    """Protocols and constants of this host, as JSON objects; ``more`` are families by number. Raises nothing.

    ``names`` are protocols (``AF_TIPC/stream``) that are asked for whatever that loads: then ``loaded`` has the modules
    that came by each.
    """
    loaded = load(more, names)
    facts = HostFacts()
    protocols = probe_protocols(facts, more)
    constants = probe_constants(protocols, facts)
    return {
        "protocols": [each.to_json() for each in protocols],
        "constants": [each.to_json() for each in constants],
        "loaded": loaded,
    }


def load(more: Iterable[Family], names: Iterable[str]) -> dict[str, list[str]]:
    """Ask for protocols, and tell which modules that brought, by /proc/modules before and after. Raises nothing."""
    wanted = frozenset(names)
    brought: dict[str, list[str]] = {}
    for family in _families(more):
        for protocol in family.protocols:
            name = f"{family.constant}/{protocol.name}"
            domain, kind, proto = _numbers(family, protocol)
            if name not in wanted or domain is None or kind is None or proto is None:
                continue
            before = HostFacts().modules.loaded
            ask(domain, kind, proto, "")
            if new := HostFacts().modules.loaded - before:
                brought[name] = sorted(new)
    return brought


def _numbers(family: Family, protocol: Protocol) -> tuple[int | None, ...]:
    return tuple(number_here(name) for name in (family.constant, protocol.type, protocol.proto))


class _Probing:
    """One pass over the protocols, with what it learned on the way."""

    def __init__(self, facts: HostFacts) -> None:
        self.facts = facts
        self.absent: dict[str, Answer] = {}
        """Families that the kernel does not know, with what it said."""
        self.there: dict[str, Finding] = {}
        """What was found of each family's devices."""

    def capability(self, family: Family, protocol: Protocol) -> Capability:
        """One protocol's answer."""
        names = (family.constant, protocol.type, protocol.proto)
        lacking = [name for name in names if not in_python(name)]
        number = number_here(family.constant)
        try:
            finding = self._finding(family, protocol, lacking)
        except OSError as error:
            finding = Finding("unknown", None, None, (f"asking further failed: {error}",))
        evidence: tuple[str, ...] = (has(names),)
        if lacking:
            evidence, finding = _lacking(finding, family.constant, lacking)
        return Capability(
            name=f"{family.constant}/{protocol.name}",
            group=family.constant,
            value="" if number is None else str(number),
            state=finding.state,
            steps=finding.steps(not lacking, evidence),
            fix=tuple(dict.fromkeys(finding.fix)),
        )

    def _finding(self, family: Family, protocol: Protocol, lacking: list[str]) -> Finding:
        """What the kernel says, and what stands behind it."""
        row = by_name().get(family.constant)
        if family.constant in lacking and (others_only(row) or (row is None and system() not in family.availability)):
            where = ", ".join(row.platforms) if row is not None else family.availability
            return Finding("other-os", False, None, (f"this is {system()}; {family.constant} is for {where}",))
        domain, kind, proto = _numbers(family, protocol)
        if domain is None or kind is None or proto is None:
            return Finding("not-in-python", None, None)
        call = f"socket({', '.join((family.constant, protocol.type, protocol.proto))})"
        answer = self.absent.get(family.constant)
        whole: tuple[str, ...]
        whole = ("that answer is the whole family's",) if answer is not None else ()
        if answer is None:
            would = asking(family.constant, (domain, kind, proto), protocol.proto, self.facts)
            if would.modules or not would.known:
                return not_asked(family, protocol, would, self.facts)
            answer = ask(domain, kind, proto, call)
            if answer.name == "EAFNOSUPPORT":
                self.absent[family.constant] = answer
            whole = would.evidence if not answer.ok else ()
        if answer.ok:
            return self._available(family, protocol, answer)
        finding = why_not(family, protocol, answer, self.facts)
        if finding.state == "not-loaded" and not whole:
            asked = " and ".join(requested(domain, kind, proto)[: 1 if answer.name == "EAFNOSUPPORT" else None])
            whole = (f"opening it does not load it: modules.alias has no {asked}",)
        said = () if answer.evidence in finding.allowed else (answer.evidence,)
        return replace(finding, evidence=(*said, *whole, *finding.evidence))

    def _available(self, family: Family, protocol: Protocol, answer: Answer) -> Finding:
        if family.constant not in self.there:
            self.there[family.constant] = what_is_there(family.constant, self.facts)
        if family.constant == "AF_ALG" and (lacking := algorithms(protocol, self.facts)):
            return replace(lacking, evidence=(answer.evidence, *lacking.evidence))
        found = self.there[family.constant]
        allowed = (ALLOWED, *permitted(family, protocol, self.facts), *found.allowed)
        return replace(found, evidence=(answer.evidence, *came_by(family, protocol, self.facts)), allowed=allowed)


def _lacking(finding: Finding, family: str, lacking: list[str]) -> tuple[tuple[str, ...], Finding]:
    """What this Python has no name for: the explorer opens it by number all the same."""
    if finding.state == "other-os":
        return (f"this Python has no socket.{lacking[0]}",), finding
    evidence: list[str] = []
    fix: list[str] = []
    # Where the family is lacking, so is all that belongs to it, for the same reason.
    for name in [family] if family in lacking else lacking:
        why, then = lack(name, by_name().get(name))
        evidence += why
        if finding.kernel is not False:
            fix += then  # a number is of no use where the kernel refused it
    state = finding.state
    if finding.kernel is not None or finding.evidence:
        evidence.append(f"asked by number, for want of {' and '.join(lacking)} in this Python")
    if family in lacking:
        evidence.append(
            "the explorer opens it by number and hands its addresses to libc; bind, connect and sendto of this Python "
            "can't build them"
        )
        if finding.kernel:
            state = "not-in-python"
            fix.append("use it by number, as the explorer does")
    return tuple(evidence), replace(finding, state=state, fix=(*fix, *finding.fix))
