"""Every constant of ``socket``: has this Python it, does the kernel know it, may it be used?

A number that only programs give a meaning needs no kernel. A protocol or family is as its sockets are, an option as
``getsockopt`` answers, and what belongs to a family is as the family.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sockexplorer.core.advice import rights
from sockexplorer.core.capability import WORDS, Capability, State
from sockexplorer.core.constant_table import Constant, everything, value_here
from sockexplorer.engine.host_facts import HostFacts
from sockexplorer.engine.probe_homes import NO_FAMILY, PLAIN_PROTOCOLS, SOCKETS, Home, home_of
from sockexplorer.engine.probe_modules import asking
from sockexplorer.engine.probe_options import Asker
from sockexplorer.engine.probe_python import in_python, lack, number_here, others_only
from sockexplorer.engine.probe_refusals import NOT_ASKED, absent, missing_module
from sockexplorer.engine.probe_rights import fitting
from sockexplorer.engine.probe_sockets import ABSENT, ALLOWED, DENIED, Answer, Finding, ask
from sockexplorer.families import all_families

BEST: tuple[State, ...] = (
    "available", "no-device", "needs-privilege", "switched-off", "not-in-python", "not-loaded", "unknown",
    "not-in-kernel", "other-os",
)  # fmt: skip
"""States from the most to the least that can be done: a family is what its best protocol is."""
ANY_TYPE = tuple((kind, "0") for kind in ("SOCK_DGRAM", "SOCK_RAW", "SOCK_STREAM", "SOCK_SEQPACKET"))
"""What a family is asked for when nothing is known of it."""
SAME = {"AF_ROUTE": "AF_NETLINK"}
"""Families under a second name."""


def probe_constants(protocols: list[Capability], facts: HostFacts | None = None) -> list[Capability]:
    """Every constant of the table and of this Python, in the table's order; ``protocols`` are `probe_protocols`'.

    Raises nothing.
    """
    with Asker() as asker:
        probe = _Probe(protocols, facts or HostFacts(), asker)
        return [probe.capability(row) for row in everything()]


class _Probe:
    """One pass over the constants, with what it learned on the way."""

    def __init__(self, protocols: list[Capability], facts: HostFacts, asker: Asker) -> None:
        self.facts = facts
        self.asker = asker
        self.families: dict[str, Finding] = {}
        declared = {
            f"{f.constant}/{p.name}": (f.constant, p.type, p.proto) for f in all_families() for p in f.protocols
        }
        self.by_family: dict[str, list[Capability]] = {}
        self.by_protocol: dict[str, list[Capability]] = {}
        self.by_type: dict[str, list[Capability]] = {}
        for each in protocols:
            family, kind, proto = declared.get(each.name, (each.group, "", ""))
            self.by_family.setdefault(family, []).append(each)
            self.by_protocol.setdefault(proto, []).append(each)
            self.by_type.setdefault(kind, []).append(each)

    def capability(self, row: Constant) -> Capability:
        """One constant's answer."""
        known = in_python(row.name)
        value = value_here(row.name) if known else row.value
        evidence: tuple[str, ...] = (f"socket.{row.name} = {value}",)
        if not known and others_only(row):
            evidence = (f"{row.name} is for {', '.join(row.platforms)}",)
            finding = Finding("other-os", False, None)
        else:
            try:
                finding = self._finding(row)
            except OSError as error:
                finding = Finding("unknown", None, None, (f"asking failed: {error}",))
            if not known:
                evidence, fix = lack(row.name, row)
                finding = replace(finding, state="not-in-python", fix=(*fix, *finding.fix))
        return Capability(
            name=row.name,
            group=row.group,
            value=value,
            state=finding.state,
            steps=finding.steps(known, evidence),
            fix=tuple(dict.fromkeys(finding.fix)),
        )

    def _finding(self, row: Constant) -> Finding:
        name = row.name
        if name == "AF_UNSPEC":
            return _number("<sys/socket.h>", "it means any family, to getaddrinfo; no socket has it")
        if name.startswith(("AF_", "PF_")):
            return self.family("AF_" + name[3:])
        if name.startswith("SOCK_"):
            return self._type(name)
        if name in self.by_protocol:
            return self._best(self.by_protocol[name])
        if name.startswith("IPPROTO_") and name not in PLAIN_PROTOCOLS:
            return self._ip_protocol(name)
        home = home_of(name)
        if home is None:
            return _number("the C headers")
        if not home.family or (found := self._home(home)).state == "available":
            return self._of_home(name, home)
        note = f"{name} belongs to {home.family}: {WORDS[found.state]}"
        if found.state == "no-device" and (own := self._of_home(name, home)).state == "available":
            return replace(found, kernel=own.kernel, usable=own.usable, evidence=(*own.evidence, note))
        return replace(found, evidence=(note, *found.evidence))

    def _of_home(self, name: str, home: Home) -> Finding:
        """A constant whose family's sockets open: a protocol, an option, or a number."""
        if name.startswith("NETLINK_"):
            return self._netlink(name)
        number = number_here(name)
        if home.level and number is not None and (home.options is None or name in home.options):
            return self.asker.ask(name, number, home)
        if name == "SOMAXCONN" and (limit := self.facts.sysctl("net.core.somaxconn")):
            return _number(home.header, f"the limit that counts is net.core.somaxconn = {limit}")
        return _number(home.header)

    # --- families ------------------------------------------------------------------------------------------

    def family(self, name: str) -> Finding:
        """What a family is: as its best declared protocol, else by a socket of its own."""
        name = SAME.get(name, name)
        if name not in self.families:
            declared = self.by_family.get(name) or self.by_family.get("PF_" + name[3:])
            self.families[name] = self._best(declared) if declared else self._other_family(name)
        return self.families[name]

    def _home(self, home: Home) -> Finding:
        """The state of the protocol that a home belongs to, or of its family."""
        if home.protocol:
            declared = [each for each in self.by_protocol.get(home.protocol, []) if each.group == home.family]
            if declared:
                return self._best(declared)
        return self.family(home.family)

    def _other_family(self, name: str) -> Finding:
        """A family that no file declares: asked only where asking can't load a module."""
        number = number_here(name)
        if number is None:
            return Finding("unknown", None, None, (f"{name} has no number here",))
        if found := self._would_load(name, number, 0, 0):
            return found
        known = [(kind, proto) for family, kind, proto in SOCKETS.values() if family == name]
        seen = []
        for kind, proto in known or ANY_TYPE:
            answer = ask(number, number_here(kind) or 0, number_here(proto) or 0, f"socket({name}, {kind}, {proto})")
            if answer.ok:
                return _opened(answer)
            seen.append(answer.evidence)
            if answer.name not in ("ESOCKTNOSUPPORT", "EPROTONOSUPPORT"):
                break
        if answer.name == "EAFNOSUPPORT":
            if name in NO_FAMILY:
                return Finding("not-in-kernel", False, None, (answer.evidence, NO_FAMILY[name]))
            modules = self.facts.modules.aliases.get(f"net-pf-{number}", ())
            return _after(answer, absent(name, "", modules, self.facts, whole_family=True))
        if answer.name in DENIED:
            return _denied(answer, "CAP_NET_ADMIN", self.facts)
        there = "the kernel has the family, or it would answer EAFNOSUPPORT"
        return Finding("unknown", True, None, (*seen, there))

    def _would_load(self, family: str, *numbers: int) -> Finding | None:
        """The answer for what is not asked, because the question might load a module; None where it may be asked."""
        domain, kind, proto = numbers
        would = asking(family, (domain, kind, proto), "", self.facts)
        if would.known and not would.modules:
            return None
        found = missing_module(would.modules, self.facts) or Finding("unknown", None, None)
        return replace(found, kernel=None, evidence=(NOT_ASKED, *would.evidence, *found.evidence))

    def _best(self, capabilities: Iterable[Capability]) -> Finding:
        best = min(capabilities, key=lambda each: BEST.index(each.state))
        found = Finding.of(best)
        fix = best.fix if best.state != "available" else ()
        return replace(found, evidence=(f"{best.name}: {WORDS[best.state]}", *found.evidence), fix=fix)

    # --- types and protocols -------------------------------------------------------------------------------

    def _type(self, name: str) -> Finding:
        if name in ("SOCK_CLOEXEC", "SOCK_NONBLOCK"):
            flag = number_here(name) or 0
            kind = (number_here("SOCK_STREAM") or 1) | flag
            answer = ask(number_here("AF_UNIX") or 1, kind, 0, f"socket(AF_UNIX, SOCK_STREAM|{name}, 0)")
            return _opened(answer) if answer.ok else Finding("unknown", None, None, (answer.evidence,))
        declared = self.by_type.get(name)
        if declared:
            return self._best(declared)
        return Finding("unknown", None, None, (f"no declared family has sockets of {name}",))

    def _ip_protocol(self, name: str) -> Finding:
        """A protocol that no file declares: what a raw socket may carry, or a transport of its own."""
        number = number_here(name)
        if number is None:
            return _number("<netinet/in.h>")
        answer = ask(
            number_here("AF_INET") or 2, number_here("SOCK_RAW") or 3, number, f"socket(AF_INET, SOCK_RAW, {name})"
        )
        if answer.ok:
            return _opened(answer, "for raw sockets")
        if answer.name in DENIED:
            return replace(_denied(answer, "CAP_NET_RAW", self.facts), kernel=None, evidence=("for raw sockets",))
        return Finding("unknown", None, None, (answer.evidence,))

    def _netlink(self, name: str) -> Finding:
        number = number_here(name)
        if number is None:
            return Finding("unknown", None, None, (f"{name} has no number any more",))
        if found := self._would_load("AF_NETLINK", 16, 3, number):
            return found
        answer = ask(
            number_here("AF_NETLINK") or 16,
            number_here("SOCK_RAW") or 3,
            number,
            f"socket(AF_NETLINK, SOCK_RAW, {name})",
        )
        if answer.ok:
            return _opened(answer)
        if answer.name in ABSENT:
            return _after(answer, absent("AF_NETLINK", name, (), self.facts, whole_family=False))
        return Finding("unknown", None, None, (answer.evidence,))


def _number(header: str, *more: str) -> Finding:
    """What only programs give a meaning: this Python having it is all there is."""
    return Finding("available", None, None, (f"a number of {header}; nothing in the kernel to ask", *more))


def _opened(answer: Answer, *more: str) -> Finding:
    return Finding("available", True, True, (answer.evidence, *more), allowed=(ALLOWED,))


def _after(answer: Answer, found: Finding) -> Finding:
    return replace(found, evidence=(answer.evidence, *found.evidence))


def _denied(answer: Answer, capability: str, facts: HostFacts) -> Finding:
    more, fix = fitting(rights(capability), capability, facts)
    return Finding("needs-privilege", True, False, (), fix, allowed=(answer.evidence, *more))
