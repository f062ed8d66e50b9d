"""The third step of an answer: may this process use it? Capabilities, sysctls, namespaces, filters.

Sources: capabilities(7), user_namespaces(7), prctl(2) (no_new_privs), icmp(7), ip(7), seccomp(2), ip-sysctl and
mptcp-sysctl of the kernel's documentation.
"""

from __future__ import annotations

from sockexplorer.core.capability import State
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol
from sockexplorer.engine.host_facts import HostFacts
from sockexplorer.engine.probe_sockets import Answer, Finding

FILTERED = "a seccomp filter is on this process (Seccomp: 2 in /proc/self/status)"
FILTER_FIXES = (
    "start it where the filter is not: it stays with a process and all that it starts",
    "in a container: allow it in the seccomp profile (docker run --security-opt seccomp=PROFILE.json)",
    "in a systemd unit: name the family in RestrictAddressFamilies=",
)
NAMESPACES = "unshare -r"
"""What begins a fix that makes a user namespace."""


def permitted(family: Family, protocol: Protocol, facts: HostFacts) -> tuple[str, ...]:
    """The evidence around a ``socket()`` that succeeded: rights that it took, switches that are on."""
    evidence = []
    capability = protocol.privilege
    if capability and facts.has_capability(capability):
        evidence.append(f"{capability} is in this process's effective set (CapEff in /proc/self/status)")
    if family.constant in ("AF_INET", "AF_INET6"):
        if _is_ping(protocol):
            evidence += _ping_range(facts)
        elif protocol.type != "SOCK_RAW":
            evidence += _ports(facts)
        if protocol.proto == "IPPROTO_MPTCP":
            evidence += _switch("net.mptcp.enabled", facts)
    if protocol.rights and not _is_ping(protocol):
        evidence.append(protocol.rights)
    if facts.filtered:
        evidence.append(f"{FILTERED}, and lets this through")
    return tuple(evidence)


def denied(family: Family, protocol: Protocol, answer: Answer, facts: HostFacts) -> Finding:
    """EPERM or EACCES: a right is missing, or a filter answers."""
    said = (answer.evidence,)
    if _is_ping(protocol):
        return _ping_denied(family, protocol, answer, facts)
    capability = protocol.privilege
    has = facts.has_capability(capability) if capability else None
    evidence = list(said)
    if has is False:
        evidence.append(f"{capability} is not in this process's effective set (CapEff in /proc/self/status)")
    elif has:
        evidence.append(
            f"{capability} is in the effective set, but it counts only in the namespace that owns the network"
        )
    if facts.filtered:
        evidence.append(FILTERED)
        if has is not False:
            return Finding("switched-off", None, False, (), FILTER_FIXES, allowed=tuple(evidence))
    known = "the kernel has it: what it lacks is answered otherwise"
    advised = family.explain(protocol, "socket", answer.name).fixes
    more, fixes = fitting(advised, capability, facts) if capability else ((), advised)
    return Finding("needs-privilege", True, False, (known,), fixes, allowed=(*evidence, *more))


def fitting(fixes: tuple[str, ...], capability: str, facts: HostFacts) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Of the ways to a capability, those that can work for this process; and why the others can't."""
    evidence = []
    if facts.no_new_rights:
        evidence.append("no_new_privs is set (NoNewPrivs: 1 in /proc/self/status): sudo gives it no right")
        fixes = (*(each for each in fixes if "sudo" not in each), "start it from another terminal, or service")
    if facts.has_capability(capability, "CapBnd") is False:
        evidence.append(f"{capability} is not in the bounding set either (CapBnd): nothing started here can have it")
        name = capability.removeprefix("CAP_")
        fixes = (
            *(each for each in fixes if "sudo" not in each),
            f"in a container: docker run --cap-add {name} …, or --cap-add in podman",
            f"in a systemd unit: CapabilityBoundingSet= and AmbientCapabilities= with {capability}",
        )
    if facts.in_user_namespace:
        evidence.append("this process is in a user namespace of its own (/proc/self/uid_map)")
    if why := namespaces_forbidden(facts):
        evidence.append(f"no user namespace can be made here: {why}")
        fixes = tuple(each for each in fixes if NAMESPACES not in each)
    return tuple(evidence), tuple(dict.fromkeys(fixes))


def namespaces_forbidden(facts: HostFacts) -> str:
    """The switch that keeps a user from making a user namespace, or ""."""
    if facts.sysctl("user.max_user_namespaces") == "0":
        return "user.max_user_namespaces = 0"
    if facts.sysctl("kernel.unprivileged_userns_clone") == "0":
        return "kernel.unprivileged_userns_clone = 0"
    if facts.sysctl("kernel.apparmor_restrict_unprivileged_userns") == "1":
        return "kernel.apparmor_restrict_unprivileged_userns = 1"
    return "" if facts.read("/proc/self/uid_map") is not None else "this kernel has none (no /proc/self/uid_map)"


def _is_ping(protocol: Protocol) -> bool:
    return protocol.type == "SOCK_DGRAM" and protocol.proto in ("IPPROTO_ICMP", "IPPROTO_ICMPV6")


def _switch(name: str, facts: HostFacts) -> list[str]:
    value = facts.sysctl(name)
    return [] if value is None else [f"{name} = {value}"]


def _ports(facts: HostFacts) -> list[str]:
    name = "net.ipv4.ip_unprivileged_port_start"
    first = facts.sysctl(name)
    if first is None:
        return []
    has = facts.has_capability("CAP_NET_BIND_SERVICE")
    if first == "0":
        return [f"{name} = 0: every port may be bound"]
    who = {True: "which this process has", False: "which this process lacks", None: "which can't be read here"}[has]
    return [f"{name} = {first}: to bind a port below takes CAP_NET_BIND_SERVICE, {who}"]


def _ping_range(facts: HostFacts) -> list[str]:
    groups = ", ".join(str(each) for each in sorted(facts.groups))
    text = facts.sysctl("net.ipv4.ping_group_range")
    return [f"net.ipv4.ping_group_range = {text or 'unreadable'}", f"this process is in the groups {groups}"]


def _ping_denied(family: Family, protocol: Protocol, answer: Answer, facts: HostFacts) -> Finding:
    """Ping sockets are for the groups of a range, whatever capabilities the process has."""
    try:
        low, high = (int(each) for each in (facts.sysctl("net.ipv4.ping_group_range") or "").split())
    except ValueError:
        low, high = 0, 0
    evidence = [answer.evidence, *_ping_range(facts)]
    state: State = "needs-privilege"
    if low > high:
        state = "switched-off"
        evidence.append("the range is empty: it is for nobody, root included")
    elif facts.filtered and any(low <= each <= high for each in facts.groups):
        return Finding("switched-off", None, False, (), FILTER_FIXES, allowed=(*evidence, FILTERED))
    fixes = family.explain(protocol, "socket", answer.name).fixes
    there = "the kernel has ping sockets, or it would not refuse them"
    return Finding(state, True, False, (there,), fixes, allowed=tuple(evidence))
