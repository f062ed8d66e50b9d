"""Why ``socket()`` said that the kernel has it not: never built, removed, not loaded, switched off, or filtered.

Sources: the kernel's Kconfig files and their history, modprobe(8), seccomp(2), <linux/net.h>.
"""

from __future__ import annotations

from dataclasses import replace

from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol
from sockexplorer.engine.host_facts import HostFacts
from sockexplorer.engine.host_modules import LOCKED, Asking, plain
from sockexplorer.engine.probe_modules import listed
from sockexplorer.engine.probe_rights import FILTER_FIXES, FILTERED, denied
from sockexplorer.engine.probe_sockets import ABSENT, DENIED, Answer, Finding

OPTIONS = {
    "AF_UNIX": "CONFIG_UNIX", "AF_INET": "CONFIG_INET", "AF_INET6": "CONFIG_IPV6", "AF_PACKET": "CONFIG_PACKET",
    "AF_CAN": "CONFIG_CAN", "AF_TIPC": "CONFIG_TIPC", "AF_BLUETOOTH": "CONFIG_BT", "AF_ALG": "CONFIG_CRYPTO_USER_API",
    "AF_QIPCRTR": "CONFIG_QRTR", "AF_RDS": "CONFIG_RDS", "AF_VSOCK": "CONFIG_VSOCKETS", "AF_X25": "CONFIG_X25",
    "AF_AX25": "CONFIG_AX25", "AF_NETROM": "CONFIG_NETROM", "AF_ROSE": "CONFIG_ROSE", "AF_APPLETALK": "CONFIG_ATALK",
    "AF_LLC": "CONFIG_LLC2", "AF_KEY": "CONFIG_NET_KEY", "AF_PPPOX": "CONFIG_PPPOE", "AF_ATMPVC": "CONFIG_ATM",
    "AF_ATMSVC": "CONFIG_ATM", "AF_INET6/IPPROTO_MPTCP": "CONFIG_MPTCP_IPV6",
    "IPPROTO_MPTCP": "CONFIG_MPTCP", "IPPROTO_SCTP": "CONFIG_IP_SCTP", "IPPROTO_DCCP": "CONFIG_IP_DCCP",
    "CAN_RAW": "CONFIG_CAN_RAW", "CAN_BCM": "CONFIG_CAN_BCM", "CAN_ISOTP": "CONFIG_CAN_ISOTP",
    "CAN_J1939": "CONFIG_CAN_J1939", "BTPROTO_RFCOMM": "CONFIG_BT_RFCOMM", "NETLINK_AUDIT": "CONFIG_AUDIT",
    "NETLINK_CRYPTO": "CONFIG_CRYPTO_USER", "NETLINK_XFRM": "CONFIG_XFRM_USER", "NETLINK_SELINUX":
    "CONFIG_SECURITY_SELINUX", "NETLINK_NETFILTER": "CONFIG_NETFILTER_NETLINK", "NETLINK_CONNECTOR": "CONFIG_CONNECTOR",
    "NETLINK_SOCK_DIAG": "CONFIG_SOCK_DIAG", "NETLINK_ISCSI": "CONFIG_SCSI_ISCSI_ATTRS",
    "NETLINK_SCSITRANSPORT": "CONFIG_SCSI_NETLINK", "NETLINK_RDMA": "CONFIG_INFINIBAND",
    "algif_hash": "CONFIG_CRYPTO_USER_API_HASH",
    "algif_skcipher": "CONFIG_CRYPTO_USER_API_SKCIPHER", "algif_aead": "CONFIG_CRYPTO_USER_API_AEAD",
    "algif_rng": "CONFIG_CRYPTO_USER_API_RNG",
}  # fmt: skip
"""The kernel's build option behind a family, a protocol, or a type of algorithm by its module."""
STOCK = frozenset({"AF_CAN", "AF_TIPC", "AF_BLUETOOTH", "AF_ALG", "AF_QIPCRTR", "AF_RDS", "AF_VSOCK"})
"""Families that Debian's stock kernel was seen to have."""
NOT_IN_CLOUD = frozenset({"AF_CAN", "AF_BLUETOOTH", "AF_QIPCRTR"})
"""… and its ``-cloud-`` kernels not."""


RESERVED = frozenset({
    "NETLINK_SMC", "NETLINK_NFLOG", "NETLINK_FIREWALL", "NETLINK_IP6_FW", "NETLINK_DNRTMSG", "NETLINK_ECRYPTFS",
})  # fmt: skip
"""Netlink protocols that have a number in <linux/netlink.h>, and nobody in a current kernel to answer."""
NOT_ASKED = "not asked, so that nothing is loaded by looking"
REMOVED = {"IPPROTO_UDPLITE": ((7, 1), "UDP-Lite"), "IPPROTO_DCCP": ((6, 16), "DCCP")}
"""Protocols that Linux has no more, by the first version without them."""


def option_of(family: str, proto: str, *, whole_family: bool = False) -> str:
    """The build option behind a protocol, or behind the family where the protocol has none of its own."""
    specific = OPTIONS.get(f"{family}/{proto}") or OPTIONS.get(proto)
    return (None if whole_family else specific) or OPTIONS.get(family, "")


def built_as(option: str, facts: HostFacts) -> tuple[str | None, tuple[str, ...]]:
    """The value of a build option, and the sentence that tells it; None and nothing where it can't be read."""
    built = facts.option(option) if option else None
    if built is None:
        return None, ()
    return built, (option + (" is not set" if built == "n" else f"={built}") + " (the kernel's configuration)",)


def came_by(family: Family, protocol: Protocol, facts: HostFacts) -> tuple[str, ...]:
    """The evidence around a ``socket()`` that succeeded: the build option, and the modules that brought it."""
    option = option_of(family.constant, protocol.proto)
    _, evidence = built_as(option, facts)
    loaded = []
    for each in map(plain, dict.fromkeys(family.modules + protocol.modules)):
        if each in facts.modules.loaded:
            path = facts.modules.files.get(each)
            loaded.append(f"{each} is loaded (/proc/modules)" + (f", from {path}" if path else ""))
    return (*evidence, *loaded)


def algorithms(protocol: Protocol, facts: HostFacts) -> Finding | None:
    """What AF_ALG lacks of one type of algorithm: socket() does not tell, and bind() would load what is missing."""
    (module,) = protocol.modules
    option = OPTIONS[module]
    built, evidence = built_as(option, facts)
    if facts.modules.has(module) or built == "y":
        return None
    if built == "n":
        return Finding("not-in-kernel", False, None, evidence, _other_kernel("", option, whole_family=False))
    if found := missing_module((module,), facts):
        would = "bind() makes the kernel load it, for any user"
        return replace(found, evidence=(*evidence, *found.evidence, would))
    return None


def missing_module(modules: tuple[str, ...], facts: HostFacts) -> Finding | None:
    """The answer when modules' files are here and not loaded; None when no file would bring it."""
    known = facts.modules
    there = {
        each: known.files[plain(each)]
        for each in dict.fromkeys(modules)
        if plain(each) in known.files and plain(each) not in known.loaded
    }
    if not known.possible or not there:
        return None
    evidence = [f"{path} is in {known.directory}, and {name} not in /proc/modules" for name, path in there.items()]
    names = " ".join(there) if len(there) == 1 else "-a " + " ".join(there)
    if known.locked:
        fix = f"boot again, and load {' and '.join(there)} before modules are locked"
        return Finding("not-loaded", False, None, (*evidence, LOCKED), (fix,))
    for name in there:
        if by_kernel := known.forbidden(name):
            fix = f"boot without module_blacklist={name}"
            return Finding("switched-off", False, None, (*evidence, f"the kernel refuses {name}: {by_kernel}"), (fix,))
        if rule := known.replaced(name):
            evidence.append(f"modprobe runs a command in place of loading {name}: {rule}")
            fixes = (f"sudo modprobe --ignore-install {names}", f"for good: take that line out of {rule.where}")
            return Finding("switched-off", False, None, tuple(evidence), fixes)
        if rule_text := known.blacklisted(name):
            evidence.append(f"it is not loaded for a socket, but by its name: {rule_text}")
    return Finding("not-loaded", False, None, tuple(evidence), (f"sudo modprobe {names}",))


def not_asked(family: Family, protocol: Protocol, asking: Asking, facts: HostFacts) -> Finding:
    """The answer for what is not asked, because ``socket()`` might load a module."""
    whole = not any(listed(family.constant, each.proto, facts) for each in family.protocols)
    option = option_of(family.constant, protocol.proto, whole_family=whole)
    built, evidence = built_as(option, facts)
    target = f"{family.constant.partition('_')[2].lower()}/{protocol.name}"
    ask_for_real = f"ask for real, loading what modprobe may: sockexplorer doctor --load {target}"
    if asking.known:
        found = missing_module(asking.modules, facts)
        if found is None:  # A command of modprobe.d brings it, from wherever.
            return Finding("unknown", None, None, (NOT_ASKED, *asking.evidence, *evidence), (ask_for_real,))
        opening = "or just open it, as any user: the kernel loads the module then"
        return Finding(
            found.state, False, None, (NOT_ASKED, *asking.evidence, *evidence, *found.evidence),
            (*found.fix, ask_for_real, opening),
        )  # fmt: skip
    evidence = (NOT_ASKED, *asking.evidence, *evidence, "it is not in /proc/net/protocols")
    if built == "n":
        return Finding("not-in-kernel", False, None, evidence, _other_kernel(family.constant, option, whole))
    name = (family.modules + protocol.modules or ("the module",))[-1]
    fixes = (f"on the host of the container: sudo modprobe {name}", ask_for_real)
    return Finding("not-loaded" if built == "m" else "unknown", False if built == "m" else None, None, evidence, fixes)


def absent(family: str, proto: str, modules: tuple[str, ...], facts: HostFacts, whole_family: bool) -> Finding:
    """The kernel does not know the family, or the protocol: is there a module, was it built, does a filter answer?"""
    option = option_of(family, proto, whole_family=whole_family)
    built, evidence = built_as(option, facts)
    if not whole_family and proto in REMOVED and facts.version >= REMOVED[proto][0]:
        (major, minor), name = REMOVED[proto]
        evidence = (f"Linux {major}.{minor} and later have no {name}; this is {facts.release}",)
        return Finding("not-in-kernel", False, None, evidence, (f"boot a kernel before Linux {major}.{minor}",))
    if proto in RESERVED:
        return Finding("not-in-kernel", False, None, (f"{proto} is a reserved number: no current Linux answers to it",))
    if family == "AF_INET6" and (facts.read("/sys/module/ipv6/parameters/disable") or "").strip() == "1":
        evidence = (*evidence, "/sys/module/ipv6/parameters/disable = 1")
        return Finding("switched-off", True, False, evidence, ("boot without ipv6.disable=1",))
    name = listed(family, proto, facts)
    present = bool(name) or built == "y" or any(facts.modules.has(each) for each in modules)
    if not name and (found := missing_module(modules, facts)):
        return Finding(found.state, found.kernel, found.usable, (*evidence, *found.evidence), found.fix)
    if present and (whole_family or name):
        proof = (*evidence, *((f"{name} is in /proc/net/protocols: the kernel has it",) if name else ()))
        if family == "AF_BLUETOOTH" and whole_family and facts.in_first_network is not True:
            there = "Bluetooth sockets open in the first network namespace only, and this one is another"
            outside = "start it outside of the container or namespace: sockexplorer --via 'sudo nsenter -t 1 -n'"
            if facts.in_first_network is False or not facts.filtered:
                return Finding("switched-off", True, False, proof, (outside,), allowed=(there,))
        if facts.filtered:
            return Finding("switched-off", True, False, proof, FILTER_FIXES, allowed=(FILTERED,))
    evidence += _no_module(modules, facts)
    fixes: tuple[str, ...]
    if facts.modules.possible and not facts.modules.has_directory:
        name = modules[0] if modules else family.partition("_")[2].lower()
        reload = (f"on the host of the container: sudo modprobe {name}", "after an update of the kernel: reboot")
        return Finding("not-loaded" if built == "m" else "not-in-kernel", False, None, evidence, reload)
    fixes = _other_kernel(family, option, whole_family) if built in ("n", None) else ()
    if built == "m":
        # Distributions put rare modules into a package of their own.
        fixes = (f"install the package with this kernel's other modules, such as linux-modules-extra-{facts.release}",)
    return Finding("not-in-kernel", False, None, evidence, fixes)


def _no_module(modules: tuple[str, ...], facts: HostFacts) -> tuple[str, ...]:
    if not facts.modules.possible:
        return ("this kernel loads no modules (there is no /proc/modules)",)
    if not facts.modules.has_directory:
        where = facts.modules.directory
        return (f"{where} is not here: a container, or the kernel's package was replaced since boot",)
    return (f"{facts.modules.directory} has no module {' or '.join(dict.fromkeys(modules))}",) if modules else ()


def _other_kernel(family: str, option: str, whole_family: bool) -> tuple[str, ...]:
    stock = ""
    if whole_family and family in STOCK:
        stock = "; Debian's stock kernel has it" + (", its -cloud- one not" if family in NOT_IN_CLOUD else "")
    return (f"boot a kernel built with {option}{stock}",) if option else ()


def why_not(family: Family, protocol: Protocol, answer: Answer, facts: HostFacts) -> Finding:
    """What stands behind a refusal of a declared family's protocol."""
    if answer.name in DENIED:
        return denied(family, protocol, answer, facts)
    if protocol.proto == "IPPROTO_MPTCP" and facts.sysctl("net.mptcp.enabled") == "0":
        fix = "sudo sysctl net.mptcp.enabled=1"
        return Finding("switched-off", True, False, (), (fix,), allowed=("net.mptcp.enabled = 0",))
    if answer.name in ABSENT:
        whole = answer.name == "EAFNOSUPPORT"
        modules = family.modules if whole and family.modules else family.modules + protocol.modules
        return absent(family.constant, protocol.proto, modules, facts, whole_family=whole)
    advice = family.explain(protocol, "socket", answer.name)
    if answer.name == "ENODEV":
        return Finding("no-device", None, False, (), advice.fixes, device=False, devices=(advice.what,))
    return Finding("unknown", None, None, (advice.what,), advice.fixes)
