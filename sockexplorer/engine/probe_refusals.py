"""Why ``socket()`` said no: not built, not loaded, switched off, filtered, or a right that is missing.

Sources: ``__sock_create()`` and ``inet_create()`` of the kernel (which modules they ask for), capabilities(7),
icmp(7), seccomp(2), <linux/net.h>.
"""

from __future__ import annotations

from sockexplorer.core.capability import State
from sockexplorer.core.family import Family, Protocol
from sockexplorer.engine.host_facts import HostFacts
from sockexplorer.engine.probe_sockets import ABSENT, DENIED, Answer, Finding

OPTIONS = {
    "AF_UNIX": "CONFIG_UNIX", "AF_INET": "CONFIG_INET", "AF_INET6": "CONFIG_IPV6", "AF_PACKET": "CONFIG_PACKET",
    "AF_CAN": "CONFIG_CAN", "AF_TIPC": "CONFIG_TIPC", "AF_BLUETOOTH": "CONFIG_BT", "AF_ALG": "CONFIG_CRYPTO_USER_API",
    "AF_QIPCRTR": "CONFIG_QRTR", "AF_RDS": "CONFIG_RDS", "AF_VSOCK": "CONFIG_VSOCKETS", "AF_X25": "CONFIG_X25",
    "AF_AX25": "CONFIG_AX25", "AF_NETROM": "CONFIG_NETROM", "AF_ROSE": "CONFIG_ROSE", "AF_APPLETALK": "CONFIG_ATALK",
    "AF_LLC": "CONFIG_LLC2", "AF_KEY": "CONFIG_NET_KEY", "AF_PPPOX": "CONFIG_PPPOE", "AF_ATMPVC": "CONFIG_ATM",
    "AF_ATMSVC": "CONFIG_ATM", "AF_INET6/IPPROTO_MPTCP": "CONFIG_MPTCP_IPV6",
    "IPPROTO_MPTCP": "CONFIG_MPTCP", "IPPROTO_SCTP": "CONFIG_IP_SCTP",
    "CAN_RAW": "CONFIG_CAN_RAW", "CAN_BCM": "CONFIG_CAN_BCM", "CAN_ISOTP": "CONFIG_CAN_ISOTP",
    "CAN_J1939": "CONFIG_CAN_J1939", "BTPROTO_RFCOMM": "CONFIG_BT_RFCOMM", "NETLINK_AUDIT": "CONFIG_AUDIT",
    "NETLINK_CRYPTO": "CONFIG_CRYPTO_USER", "NETLINK_XFRM": "CONFIG_XFRM_USER", "NETLINK_SELINUX":
    "CONFIG_SECURITY_SELINUX", "NETLINK_NETFILTER": "CONFIG_NETFILTER_NETLINK", "NETLINK_CONNECTOR": "CONFIG_CONNECTOR",
    "NETLINK_SOCK_DIAG": "CONFIG_SOCK_DIAG",
}  # fmt: skip
"""The kernel's build option behind a family or protocol."""
STOCK = frozenset({"AF_CAN", "AF_TIPC", "AF_BLUETOOTH", "AF_ALG", "AF_QIPCRTR", "AF_RDS", "AF_VSOCK"})
"""Families that Debian's stock kernel was seen to have."""
NOT_IN_CLOUD = frozenset({"AF_CAN", "AF_BLUETOOTH", "AF_QIPCRTR"})
"""… and its ``-cloud-`` kernels not."""


def missing_module(modules: tuple[str, ...], facts: HostFacts) -> Finding | None:
    """The answer when modules' files are here and not loaded; None when no file would bring it."""
    absent = [each for each in dict.fromkeys(modules) if each.replace("-", "_") not in facts.loaded]
    there = {
        each: facts.module_files[each.replace("-", "_")]
        for each in absent
        if each.replace("-", "_") in facts.module_files
    }
    if not facts.modular or not there:
        return None
    evidence = tuple(
        f"{path} is in {facts.modules_directory}, and {name} not in /proc/modules" for name, path in there.items()
    )
    if facts.locked:
        return Finding(
            "not-loaded",
            False,
            None,
            (*evidence, "kernel.modules_disabled = 1: no module can be loaded any more"),
            (f"boot again, and load {' and '.join(there)} before modules are locked",),
        )
    command = "sudo modprobe " + (next(iter(there)) if len(there) == 1 else "-a " + " ".join(there))
    return Finding("not-loaded", False, None, evidence, (command,))


def absent(family: str, proto: str, modules: tuple[str, ...], facts: HostFacts, whole_family: bool) -> Finding:
    """The kernel does not know the family, or the protocol: is there a module, was it built, does a filter answer?"""
    specific = OPTIONS.get(f"{family}/{proto}") or OPTIONS.get(proto)
    option = (None if whole_family else specific) or OPTIONS.get(family, "")
    built = facts.option(option) if option else None
    evidence = []
    if built is not None:
        evidence.append(
            f"kernel configuration: {option} is not set" if built == "n" else f"kernel configuration: {option}={built}"
        )
    if family == "AF_INET6" and (facts.read("/sys/module/ipv6/parameters/disable") or "").strip() == "1":
        evidence.append("/sys/module/ipv6/parameters/disable = 1")
        return Finding("switched-off", True, False, tuple(evidence), ("boot without ipv6.disable=1",))
    if found := missing_module(modules, facts):
        return Finding(found.state, found.kernel, found.usable, (*evidence, *found.evidence), found.fix)
    present = built == "y" or any(each in facts.loaded or each in facts.built_in for each in modules)
    if present and whole_family:
        if facts.filtered:
            evidence.append(
                "the kernel has it, and a seccomp filter is on this process (Seccomp: 2 in /proc/self/status)"
            )
            return Finding("switched-off", True, False, tuple(evidence), FILTER_FIXES)
        if family == "AF_BLUETOOTH":
            evidence.append("the kernel has it: Bluetooth sockets open in the host's own network namespace only")
            return Finding(
                "switched-off", True, False, tuple(evidence), ("start it outside of the container or namespace",)
            )
    if facts.modular and not facts.has_modules_directory:
        evidence.append(
            f"{facts.modules_directory} is not here: a container, or the kernel's package was replaced since boot"
        )
        name = modules[0] if modules else family.partition("_")[2].lower()
        fixes = [f"on the host of the container: sudo modprobe {name}", "after an update of the kernel: reboot"]
        return Finding("not-loaded" if built == "m" else "not-in-kernel", False, None, tuple(evidence), tuple(fixes))
    if modules and facts.modular:
        evidence.append(f"{facts.modules_directory} has no module {' or '.join(dict.fromkeys(modules))}")
    elif not facts.modular:
        evidence.append("this kernel loads no modules (there is no /proc/modules)")
    stock = ""
    if whole_family and family in STOCK:
        stock = "; Debian's stock kernel has it" + (", its -cloud- one not" if family in NOT_IN_CLOUD else "")
    fix = (f"boot a kernel built with {option}{stock}",) if option and built != "y" else ()
    return Finding("not-in-kernel", False, None, tuple(evidence), fix)


FILTER_FIXES = (
    "in a container: allow it in the seccomp profile",
    "in a systemd unit: name the family in RestrictAddressFamilies=",
)


def ping_denied(family: Family, protocol: Protocol, name: str, facts: HostFacts) -> Finding:
    """Ping sockets are for the groups of a range, whatever capabilities the process has."""
    text = facts.sysctl("net.ipv4.ping_group_range") or ""
    groups = ", ".join(str(each) for each in sorted(facts.groups))
    evidence = (f"net.ipv4.ping_group_range = {text or 'unreadable'}", f"this process is in the groups {groups}")
    try:
        low, high = (int(each) for each in text.split())
    except ValueError:
        low, high = 0, 0
    nobody = low > high
    state: State = "switched-off" if nobody else "needs-privilege"
    note = ("the range is empty: it is for nobody, root included",) if nobody else ()
    fixes = family.explain(protocol, "socket", name).fixes
    return Finding(state, True, False, (*evidence, *note), fixes)


def denied(family: Family, protocol: Protocol, answer: Answer, facts: HostFacts) -> Finding:
    """EPERM or EACCES: a right is missing, or a filter answers."""
    if protocol.type == "SOCK_DGRAM" and protocol.proto in ("IPPROTO_ICMP", "IPPROTO_ICMPV6"):
        return ping_denied(family, protocol, answer.name, facts)
    evidence = []
    capability = protocol.privilege
    has = facts.has_capability(capability) if capability else None
    if has is False:
        evidence.append(f"{capability} is not in this process's effective set (CapEff in /proc/self/status)")
    elif has:
        evidence.append(
            f"{capability} is in the effective set, but it counts only in the namespace that owns the network"
        )
    if facts.filtered:
        evidence.append("a seccomp filter is on this process (Seccomp: 2 in /proc/self/status)")
    if facts.filtered and has is not False:
        return Finding("switched-off", None, False, tuple(evidence), FILTER_FIXES)
    fixes = family.explain(protocol, "socket", answer.name).fixes
    return Finding("needs-privilege", True, False, tuple(evidence), fixes)


def why_not(family: Family, protocol: Protocol, answer: Answer, facts: HostFacts) -> Finding:
    """What stands behind a refusal of a declared family's protocol."""
    if answer.name in DENIED:
        return denied(family, protocol, answer, facts)
    if protocol.proto == "IPPROTO_MPTCP" and facts.sysctl("net.mptcp.enabled") == "0":
        return Finding("switched-off", True, False, ("net.mptcp.enabled = 0",), ("sudo sysctl net.mptcp.enabled=1",))
    if answer.name in ABSENT:
        modules = family.modules + protocol.modules
        return absent(family.constant, protocol.proto, modules, facts, whole_family=answer.name == "EAFNOSUPPORT")
    advice = family.explain(protocol, "socket", answer.name)
    state: State = "no-device" if answer.name == "ENODEV" else "unknown"
    return Finding(state, None, False if state == "no-device" else None, (advice.what,), advice.fixes)
