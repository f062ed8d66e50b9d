"""Every constant of ``socket``: has this Python it, does the kernel know it, may it be used?

A number that only programs give a meaning needs no kernel. A protocol or family is as its sockets are, an option as
``getsockopt`` answers, and what belongs to a family is as the family.
"""

from __future__ import annotations

from collections.abc import Iterable

from sockexplorer.core.advice import rights
from sockexplorer.core.capability import WORDS, Capability, State
from sockexplorer.core.constant_table import Constant, everything, value_here
from sockexplorer.engine.host_facts import HostFacts
from sockexplorer.engine.probe_homes import NO_FAMILY, PLAIN_PROTOCOLS, SOCKETS, Home, home_of
from sockexplorer.engine.probe_options import Asker
from sockexplorer.engine.probe_python import in_python, lack, number_here, others_only
from sockexplorer.engine.probe_refusals import absent, missing_module
from sockexplorer.engine.probe_sockets import ABSENT, DENIED, Finding, ask
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
        has = in_python(row.name)
        finding: Finding
        if not has and others_only(row):
            where = ", ".join(row.platforms)
            finding = Finding("other-os", None, None, (f"{row.name} is for {where}",))
        else:
            try:
                finding = self._finding(row)
            except OSError as error:
                finding = Finding("unknown", None, None, (f"asking failed: {error}",))
            if not has:
                evidence, fix = lack(row.name, row)
                finding = Finding(
                    "not-in-python",
                    finding.kernel,
                    finding.usable,
                    (*evidence, *finding.evidence),
                    (*fix, *finding.fix),
                )
        return Capability(
            name=row.name,
            group=row.group,
            value=value_here(row.name) if has else row.value,
            python=has,
            kernel=finding.kernel,
            usable=finding.usable,
            state=finding.state,
            evidence=tuple(dict.fromkeys(finding.evidence)),
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
            return Finding("no-device", own.kernel, own.usable, (*own.evidence, note, *found.evidence), found.fix)
        return Finding(found.state, found.kernel, found.usable, (note, *found.evidence), found.fix)

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
        alias = f"net-pf-{number}"
        if found := self._would_load(alias):
            return found
        known = [(kind, proto) for family, kind, proto in SOCKETS.values() if family == name]
        seen = []
        for kind, proto in known or ANY_TYPE:
            answer = ask(number, number_here(kind) or 0, number_here(proto) or 0, f"socket({name}, {kind}, {proto})")
            if answer.ok:
                return Finding("available", True, True, (answer.evidence,))
            seen.append(answer.evidence)
            if answer.name not in ("ESOCKTNOSUPPORT", "EPROTONOSUPPORT"):
                break
        if answer.name == "EAFNOSUPPORT":
            if name in NO_FAMILY:
                return Finding("not-in-kernel", False, None, (answer.evidence, NO_FAMILY[name]))
            modules = tuple(filter(None, (self.facts.aliases.get(alias),)))
            found = absent(name, "", modules, self.facts, whole_family=True)
            return Finding(found.state, found.kernel, found.usable, (answer.evidence, *found.evidence), found.fix)
        if answer.name in DENIED:
            return Finding("needs-privilege", True, False, (answer.evidence,), rights("CAP_NET_ADMIN"))
        there = "the kernel has the family, or it would answer EAFNOSUPPORT"
        return Finding("unknown", True, None, (*seen, there))

    def _would_load(self, alias: str) -> Finding | None:
        """The answer for what is not asked, because the question would load a module; None where it may be asked."""
        module = self.facts.loads_for(alias)
        if module == "":
            return None
        if module is None:
            return Finding("unknown", None, None, (f"not asked: the kernel might load a module for it ({alias})",))
        why = f"not asked: the kernel would load {module} for it ({alias} in modules.alias)"
        found = missing_module((module,), self.facts)
        if found is None:
            return Finding("unknown", None, None, (why,))
        return Finding(found.state, None, None, (why, *found.evidence), found.fix)

    def _best(self, capabilities: Iterable[Capability]) -> Finding:
        best = min(capabilities, key=lambda each: BEST.index(each.state))
        fix = best.fix if best.state != "available" else ()
        return Finding(best.state, best.kernel, best.usable, (f"{best.name}: {WORDS[best.state]}", *best.evidence), fix)

    # --- types and protocols -------------------------------------------------------------------------------

    def _type(self, name: str) -> Finding:
        if name in ("SOCK_CLOEXEC", "SOCK_NONBLOCK"):
            flag = number_here(name) or 0
            kind = (number_here("SOCK_STREAM") or 1) | flag
            answer = ask(number_here("AF_UNIX") or 1, kind, 0, f"socket(AF_UNIX, SOCK_STREAM|{name}, 0)")
            return Finding(
                "available" if answer.ok else "unknown", answer.ok or None, answer.ok or None, (answer.evidence,)
            )
        declared = self.by_type.get(name)
        if declared:
            return self._best(declared)
        return Finding("unknown", None, None, (f"no declared family has sockets of {name}",))

    def _ip_protocol(self, name: str) -> Finding:
        """A protocol that no file declares: what a raw socket may carry, or a transport of its own."""
        number = number_here(name)
        if number is None:
            return _number("<netinet/in.h>")
        if name == "IPPROTO_SCTP":
            return self._transport(name, number)
        answer = ask(
            number_here("AF_INET") or 2, number_here("SOCK_RAW") or 3, number, f"socket(AF_INET, SOCK_RAW, {name})"
        )
        if answer.ok:
            return Finding("available", True, True, (answer.evidence, "for raw sockets"))
        if answer.name in DENIED:
            return Finding("needs-privilege", None, False, (answer.evidence, "for raw sockets"), rights("CAP_NET_RAW"))
        return Finding("unknown", None, None, (answer.evidence,))

    def _transport(self, name: str, number: int) -> Finding:
        if found := self._would_load(f"net-pf-2-proto-{number}"):
            return found
        answer = ask(
            number_here("AF_INET") or 2,
            number_here("SOCK_STREAM") or 1,
            number,
            f"socket(AF_INET, SOCK_STREAM, {name})",
        )
        if answer.ok:
            return Finding("available", True, True, (answer.evidence,))
        if answer.name in ABSENT:
            found = absent("AF_INET", name, (name.partition("_")[2].lower(),), self.facts, whole_family=False)
            return Finding(found.state, found.kernel, found.usable, (answer.evidence, *found.evidence), found.fix)
        return Finding("unknown", None, None, (answer.evidence,))

    def _netlink(self, name: str) -> Finding:
        number = number_here(name)
        if number is None:
            return Finding("unknown", None, None, (f"{name} has no number any more",))
        if found := self._would_load(f"net-pf-16-proto-{number}"):
            return found
        answer = ask(
            number_here("AF_NETLINK") or 16,
            number_here("SOCK_RAW") or 3,
            number,
            f"socket(AF_NETLINK, SOCK_RAW, {name})",
        )
        if answer.ok:
            return Finding("available", True, True, (answer.evidence,))
        if answer.name in ABSENT:
            found = absent("AF_NETLINK", name, (), self.facts, whole_family=False)
            return Finding(found.state, found.kernel, found.usable, (answer.evidence, *found.evidence), found.fix)
        return Finding("unknown", None, None, (answer.evidence,))


def _number(header: str, *more: str) -> Finding:
    """What only programs give a meaning: this Python having it is all there is."""
    return Finding("available", None, None, (f"a number of {header}; nothing in the kernel to ask", *more))
