"""Would asking load a module? The kernel has modprobe load what it lacks for a ``socket()``, whoever calls it.

So a question that must change nothing is put only where the kernel has the answer already, or where modprobe would
find nothing. Sources: ``__sock_create()`` of net/socket.c, ``inet_create()``, ``inet6_create()``, ``can_create()``,
``bt_sock_create()``, ``netlink_create()`` (which names they ask for); ``struct proto`` of each family (the names in
/proc/net/protocols).
"""

from __future__ import annotations

from sockexplorer.engine.host_facts import HostFacts
from sockexplorer.engine.host_modules import Asking
from sockexplorer.engine.probe_python import system

REGISTERED: dict[tuple[str, str], str] = {
    ("AF_INET", "IPPROTO_UDP"): "UDP", ("AF_INET", "IPPROTO_TCP"): "TCP", ("AF_INET", "IPPROTO_UDPLITE"): "UDP-Lite",
    ("AF_INET", "IPPROTO_MPTCP"): "MPTCP", ("AF_INET", "IPPROTO_SCTP"): "SCTP", ("AF_INET", "IPPROTO_DCCP"): "DCCP",
    ("AF_INET", "IPPROTO_ICMP"): "RAW",
    ("AF_INET6", "IPPROTO_UDP"): "UDPv6", ("AF_INET6", "IPPROTO_TCP"): "TCPv6",
    ("AF_INET6", "IPPROTO_UDPLITE"): "UDPLITEv6", ("AF_INET6", "IPPROTO_MPTCP"): "MPTCPv6",
    ("AF_INET6", "IPPROTO_SCTP"): "SCTPv6", ("AF_INET6", "IPPROTO_DCCP"): "DCCPv6",
    ("AF_INET6", "IPPROTO_ICMPV6"): "RAWv6",
    ("AF_CAN", "CAN_RAW"): "CAN_RAW", ("AF_CAN", "CAN_BCM"): "CAN_BCM", ("AF_CAN", "CAN_ISOTP"): "CAN_ISOTP",
    ("AF_CAN", "CAN_J1939"): "CAN_J1939",
    ("AF_BLUETOOTH", "BTPROTO_L2CAP"): "L2CAP", ("AF_BLUETOOTH", "BTPROTO_HCI"): "HCI",
    ("AF_BLUETOOTH", "BTPROTO_SCO"): "SCO", ("AF_BLUETOOTH", "BTPROTO_RFCOMM"): "RFCOMM",
    ("AF_UNIX", ""): "UNIX", ("AF_PACKET", ""): "PACKET", ("AF_TIPC", ""): "TIPC", ("AF_RDS", ""): "RDS",
    ("AF_ALG", ""): "ALG", ("AF_VSOCK", ""): "AF_VSOCK", ("AF_QIPCRTR", ""): "QIPCRTR", ("AF_KEY", ""): "KEY",
    ("AF_XDP", ""): "XDP", ("AF_SMC", ""): "SMC", ("AF_PPPOX", ""): "PPPOX", ("AF_LLC", ""): "LLC",
    ("AF_X25", ""): "X25", ("AF_APPLETALK", ""): "DDP", ("AF_AX25", ""): "AX25", ("AF_NETROM", ""): "NETROM",
    ("AF_ROSE", ""): "ROSE", ("AF_PHONET", ""): "PHONET", ("AF_NFC", ""): "NFC_LLCP",
}  # fmt: skip
"""The name in /proc/net/protocols by family and protocol; "" stands for every protocol of the family."""
OF_PROTOCOL = {
    2: ("net-pf-2-proto-{proto}-type-{kind}", "net-pf-2-proto-{proto}"),
    10: ("net-pf-10-proto-{proto}-type-{kind}", "net-pf-10-proto-{proto}"),
    16: ("net-pf-16-proto-{proto}",), 29: ("can-proto-{proto}",), 31: ("bt-proto-{proto}",),
    35: ("net-pf-35-proto-1", "net-pf-35-proto-2"),
}  # fmt: skip
"""What a family that is there asks for where it lacks the protocol, by the family's number."""
NETLINK = 16
BUILT_IN_NETLINK = frozenset({0, 2, 4, 10, 15, 16})
"""Netlink protocols that no kernel has as a module: route, usersock, sock_diag, fib_lookup, uevent and generic."""


def requested(domain: int, kind: int, proto: int) -> tuple[str, ...]:
    """The names that ``socket()`` makes the kernel ask modprobe for, where it lacks the family or the protocol."""
    own = OF_PROTOCOL.get(domain, ())
    return (f"net-pf-{domain}", *(each.format(kind=kind, proto=proto) for each in own))


def listed(family: str, proto: str, facts: HostFacts) -> str:
    """The line's name in /proc/net/protocols that proves that the kernel has it, or ""."""
    name = REGISTERED.get((family, proto)) or REGISTERED.get((family, ""), "")
    return name if facts.protocols is not None and name in facts.protocols else ""


def asking(family: str, numbers: tuple[int, int, int], proto: str, facts: HostFacts) -> Asking:
    """What ``socket(*numbers)`` would load on this host: nothing, modules, or what can't be told."""
    if system() != "Linux" or listed(family, proto, facts):
        return Asking()
    domain, _, number = numbers
    if domain == NETLINK and number in BUILT_IN_NETLINK:
        return Asking()
    return facts.modules.asks(requested(*numbers))
