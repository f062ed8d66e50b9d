"""What this host can do, asked of the host itself: one real ``socket()`` per declared protocol.

No packet is sent, nothing is bound but an AF_VSOCK port for a moment, and every descriptor is closed at once. What
can't be avoided: for a family or protocol that it lacks, Linux looks for a module (``net-pf-29``) and loads it if
``modprobe`` lets it, whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sockexplorer.core.capability import Capability
from sockexplorer.core.constant_table import by_name
from sockexplorer.core.family import Family, Protocol
from sockexplorer.engine.host_facts import HostFacts
from sockexplorer.engine.probe_constants import probe_constants
from sockexplorer.engine.probe_devices import what_is_there
from sockexplorer.engine.probe_python import in_python, lack, number_here, others_only, system
from sockexplorer.engine.probe_refusals import why_not
from sockexplorer.engine.probe_sockets import Answer, Finding, ask
from sockexplorer.families import all_families


def probe_protocols(facts: HostFacts | None = None, more: Iterable[Family] = ()) -> list[Capability]:
    """Every declared family and protocol, in the declared order, then ``more``. Raises nothing."""
    facts = facts or HostFacts()
    found = []
    for family in (*all_families(), *(each for each in more if each.by_bytes)):
        absent: Answer | None = None
        for protocol in family.protocols:
            capability, answer = _probe(family, protocol, facts, absent)
            found.append(capability)
            if answer is not None and answer.name == "EAFNOSUPPORT":
                absent = answer
    return found


def probe(*more: Family) -> dict[str, list[dict[str, Any]]]:
    """Protocols and constants of this host, as JSON objects; ``more`` are families by number. Raises nothing."""
    facts = HostFacts()
    protocols = probe_protocols(facts, more)
    constants = probe_constants(protocols, facts)
    return {
        "protocols": [each.to_json() for each in protocols],
        "constants": [each.to_json() for each in constants],
    }


def load_capabilities(report: dict[str, list[dict[str, Any]]]) -> tuple[list[Capability], list[Capability]]:
    """Protocols and constants of a `probe` report. Raises KeyError or TypeError for anything else."""
    protocols, constants = (
        [Capability.from_json(each) for each in report[part]] for part in ("protocols", "constants")
    )
    return protocols, constants


def _probe(
    family: Family, protocol: Protocol, facts: HostFacts, absent: Answer | None
) -> tuple[Capability, Answer | None]:
    """The capability, and what ``socket()`` answered; ``absent`` is the family's earlier EAFNOSUPPORT."""
    names = (family.constant, protocol.type, protocol.proto)
    lacking = [name for name in names if not in_python(name)]
    numbers = [number_here(name) for name in names]
    row = by_name().get(family.constant)
    value = "" if numbers[0] is None else str(numbers[0])

    def result(finding: Finding, *before: str) -> Capability:
        return Capability(
            name=f"{family.constant}/{protocol.name}",
            group=family.constant,
            value=value,
            python=not lacking,
            kernel=finding.kernel,
            usable=finding.usable,
            state=finding.state,
            evidence=(*before, *finding.evidence),
            fix=tuple(dict.fromkeys(finding.fix)),
        )

    if family.constant in lacking and (others_only(row) or (row is None and system() not in family.availability)):
        where = ", ".join(row.platforms) if row is not None else family.availability
        return result(Finding("other-os", False, None, (f"{family.constant} is for {where}",))), None
    domain, kind, proto = numbers
    if domain is None or kind is None or proto is None:
        evidence, fix = lack(lacking[0], by_name().get(lacking[0]))
        return result(Finding("not-in-python", None, None, evidence, fix)), None
    call = f"socket({', '.join(names)})"
    answer = absent or ask(domain, kind, proto, call)
    before = [answer.evidence]
    if absent is not None:
        before.append("that answer is the whole family's")
    elif answer.name in ("EAFNOSUPPORT", "EPROTONOSUPPORT") and facts.modular:
        before.append("asked so, the kernel looks for a module by itself (net-pf-…); it found none that it may load")
    try:
        finding = what_is_there(family.constant, facts) if answer.ok else why_not(family, protocol, answer, facts)
    except OSError as error:
        finding = Finding("unknown", None, None, (f"asking further failed: {error}",))
    if not lacking:
        return result(finding, *before), answer
    return result(_by_number(finding, family.constant, lacking), *before), answer


def _by_number(finding: Finding, family: str, lacking: list[str]) -> Finding:
    """The finding for what this Python has no name for: the explorer opens it by number all the same."""
    evidence = [f"asked by number, for want of {' and '.join(lacking)} in this Python"]
    fix: list[str] = []
    for name in lacking:
        why, then = lack(name, by_name().get(name))
        evidence += why
        if finding.kernel is not False:
            fix += then  # a number is of no use where the kernel refused it
    state = finding.state
    if family in lacking:
        evidence.append(
            "the explorer opens it by number and hands its addresses to libc; bind, connect and sendto of this Python "
            "can't build them"
        )
        if finding.kernel:
            state = "not-in-python"
            fix.append("or use it by number, as the explorer does")
    return Finding(state, finding.kernel, finding.usable, (*evidence, *finding.evidence), (*fix, *finding.fix))
