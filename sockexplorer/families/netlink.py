"""AF_NETLINK: talking with the kernel. Source: netlink(7), rtnetlink(7), <linux/netlink.h>; ``case AF_NETLINK``."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from sockexplorer.core.advice import Advice, rights
from sockexplorer.core.constants import number
from sockexplorer.core.family import Family, Protocol, Role
from sockexplorer.core.fields import Field, FieldError, Integer, Notice, as_index

ORDER = 40
RTMGRP = {
    "RTMGRP_LINK": 0x1, "RTMGRP_NOTIFY": 0x2, "RTMGRP_NEIGH": 0x4, "RTMGRP_TC": 0x8, "RTMGRP_IPV4_IFADDR": 0x10,
    "RTMGRP_IPV4_MROUTE": 0x20, "RTMGRP_IPV4_ROUTE": 0x40, "RTMGRP_IPV4_RULE": 0x80, "RTMGRP_IPV6_IFADDR": 0x100,
    "RTMGRP_IPV6_MROUTE": 0x200, "RTMGRP_IPV6_ROUTE": 0x400, "RTMGRP_IPV6_IFINFO": 0x800,
    "RTMGRP_IPV6_PREFIX": 0x20000,
}  # fmt: skip
GROUPS: dict[str, dict[str, int]] = {
    "route": RTMGRP,
    "kobject-uevent": {"UEVENT_KERNEL": 1, "UEVENT_UDEV": 2},
    "sock-diag": {"SKNLGRP_INET_TCP_DESTROY": 1, "SKNLGRP_INET_UDP_DESTROY": 2, "SKNLGRP_INET6_TCP_DESTROY": 4,
                  "SKNLGRP_INET6_UDP_DESTROY": 8},
    "netfilter": {"NFNLGRP_CONNTRACK_NEW": 1, "NFNLGRP_CONNTRACK_UPDATE": 2, "NFNLGRP_CONNTRACK_DESTROY": 4,
                  "NFNLGRP_NFTABLES": 64},
    "audit": {"AUDIT_NLGRP_READLOG": 1},
}  # fmt: skip
# A dump of all links: nlmsghdr (20 bytes, RTM_GETLINK, REQUEST|DUMP, seq 1) and an rtgenmsg of AF_UNSPEC.
GETLINK = r"\x14\0\0\0\x12\0\x01\x03\x01\0\0\0\0\0\0\0\0\0\0\0"


def _protocol(name: str, proto: str, summary: str, groups: str, **more: str) -> Protocol:
    return Protocol(
        name, "SOCK_RAW", proto, summary,
        local={"pid": "0", "groups": groups}, remote={"pid": "0", "groups": "0"},
        sample=more.get("sample", ""), help=more.get("help", ""), try_it=more.get("try_it", ""),
    )  # fmt: skip


class Netlink(Family):
    constant = "AF_NETLINK"
    title = "Netlink"
    summary = "talk with the kernel: (pid, groups)"
    availability = "Linux; FreeBSD 13.2 since Python 3.13"
    help = (
        "The address is (pid, groups): pid 0 lets the kernel choose this socket's port id, or means the kernel as a "
        "peer; groups is a mask of the multicast groups 1 to 32 to listen to."
    )
    advice = {
        ("bind", "EPERM"): Advice(
            "Some groups are for CAP_NET_ADMIN only.", ("leave those groups out", *rights("CAP_NET_ADMIN"))
        ),
        ("connect", "EPERM"): Advice(
            "Without CAP_NET_ADMIN only the kernel (pid 0, groups 0) can be a peer.", ("write (0, 0)",)
        ),
        ("send", "EPERM"): Advice(
            "Without CAP_NET_ADMIN only the kernel (pid 0, groups 0) can be a peer.", ("write (0, 0)",)
        ),
        ("bind", "EADDRINUSE"): Advice("Another netlink socket has that pid.", ("write 0: the kernel chooses",)),
        ("send", "ECONNREFUSED"): Advice(
            "No netlink socket has that pid, or nobody listens to the group.", ("write (0, 0) for the kernel",)
        ),
        ("read", "ENOBUFS"): Advice(
            "Messages came faster than they were read: the kernel dropped some and goes on.",
            ("ask for a fresh dump, since the picture has a gap",),
        ),
    }
    protocols = (
        _protocol(
            "route", "NETLINK_ROUTE", "links, addresses, routes", "LINK|IPV4_IFADDR|IPV6_IFADDR", sample=GETLINK,
            help="Changes of links, addresses and routes, as they happen. The composer's sample asks for all links.",
            try_it="sudo ip address add 127.0.0.2/8 dev lo",
        ),
        _protocol("generic", "NETLINK_GENERIC", "families by name (nl80211 …)", "0",
                  help="Many kernel interfaces behind one protocol; ask the controller (id 16) for their numbers."),
        _protocol("kobject-uevent", "NETLINK_KOBJECT_UEVENT", "devices come and go", "UEVENT_KERNEL",
                  help="What udev listens to: one message a device event."),
        _protocol("sock-diag", "NETLINK_SOCK_DIAG", "what ss asks", "0", help="Queries about sockets."),
        _protocol("netfilter", "NETLINK_NETFILTER", "conntrack, nftables", "0",
                  help="Groups need CAP_NET_ADMIN."),
        _protocol("audit", "NETLINK_AUDIT", "the audit log", "AUDIT_NLGRP_READLOG",
                  help="Reading the log needs CAP_AUDIT_READ."),
        _protocol("connector", "NETLINK_CONNECTOR", "process events", "1", help="Group 1 tells of processes."),
        _protocol("usersock", "NETLINK_USERSOCK", "between processes", "0",
                  help="Kept for messages between processes; no kernel side."),
    )  # fmt: skip

    def fields(self, protocol: Protocol) -> tuple[Field, ...]:
        groups = GROUPS.get(protocol.name, {})
        return (
            Field("pid", Integer(0, 2**32 - 1, wraps=True), "0", "0: the kernel chooses (bind), or is the peer"),
            Field(
                "groups", Integer(0, 2**32 - 1, wraps=True, names=groups, flags=True, base=16), "0",
                "multicast groups to listen to, joined by |",
            ),
        )  # fmt: skip

    def notices(self, protocol: Protocol, address: object, role: Role) -> Iterator[Notice]:
        yield from super().notices(protocol, address, role)
        if not isinstance(address, tuple) or role != "local":
            return
        pid, groups = map(as_index, address)
        if not groups and protocol.name in ("route", "kobject-uevent"):
            yield Notice("groups", "without a group only answers to this socket's own requests arrive")
        if pid:
            yield Notice("pid", "a pid of your own choice may be taken; 0 always works")

    def text(self, address: object) -> str:
        if isinstance(address, tuple) and len(address) == 2 and all(isinstance(each, int) for each in address):
            pid, groups = address
            who = "kernel" if pid == 0 else f"pid {pid}"
            return f"{who} groups 0x{groups:x}" if groups else who
        return repr(address)

    def plain(self, protocol: Protocol, text: str) -> object:
        """``PID:GROUPS``, or only the groups by name: ``LINK|IPV4_IFADDR``."""
        pid_field, groups_field = self.fields(protocol)
        head, colon, tail = text.strip().partition(":")
        if not text.strip():
            raise FieldError("", text, "is empty", f"write {self.example(protocol)}")
        if not colon:
            return (0, groups_field.parse(head))
        return (pid_field.parse(head), groups_field.parse(tail))

    def pack(self, protocol: Protocol, address: object) -> bytes:
        assert isinstance(address, tuple)
        pid, groups = (as_index(value) & 0xFFFFFFFF for value in address)
        return struct.pack("=HHII", number(self.constant), 0, pid, groups)

    def unpack(self, protocol: Protocol, sockaddr: bytes) -> object:
        return struct.unpack_from("=II", sockaddr, 4) if len(sockaddr) >= 12 else None


FAMILY = Netlink()
