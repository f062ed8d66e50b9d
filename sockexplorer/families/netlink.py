"""AF_NETLINK: talking with the kernel. Source: netlink(7), rtnetlink(7), <linux/netlink.h>; ``case AF_NETLINK``."""

from __future__ import annotations

import re
import struct

from sockexplorer.core.advice import Advice, rights
from sockexplorer.core.cformats import index
from sockexplorer.core.demo import OTHER, Act, Demo, End
from sockexplorer.core.family import Family
from sockexplorer.core.faults import FieldError
from sockexplorer.core.fields import Field, Integer
from sockexplorer.core.protocol import Option, Protocol
from sockexplorer.core.sockaddr import Layout, Part, hexadecimal, named

ORDER = 40
RTMGRP = {
    "RTMGRP_LINK": 0x1, "RTMGRP_NOTIFY": 0x2, "RTMGRP_NEIGH": 0x4, "RTMGRP_TC": 0x8, "RTMGRP_IPV4_IFADDR": 0x10,
    "RTMGRP_IPV4_MROUTE": 0x20, "RTMGRP_IPV4_ROUTE": 0x40, "RTMGRP_IPV4_RULE": 0x80, "RTMGRP_IPV6_IFADDR": 0x100,
    "RTMGRP_IPV6_MROUTE": 0x200, "RTMGRP_IPV6_ROUTE": 0x400, "RTMGRP_IPV6_IFINFO": 0x800,
    "RTMGRP_IPV6_PREFIX": 0x20000,
}  # fmt: skip
GROUPS: dict[str, dict[str, int]] = {
    "route": RTMGRP,
    "sock-diag": {"SKNLGRP_INET_TCP_DESTROY": 1, "SKNLGRP_INET_UDP_DESTROY": 2, "SKNLGRP_INET6_TCP_DESTROY": 4,
                  "SKNLGRP_INET6_UDP_DESTROY": 8},
    "xfrm": {"XFRMGRP_ACQUIRE": 1, "XFRMGRP_EXPIRE": 2, "XFRMGRP_SA": 4, "XFRMGRP_POLICY": 8, "XFRMGRP_REPORT": 0x20},
    "selinux": {"SELNLGRP_AVC": 1},
    "audit": {"AUDIT_NLGRP_READLOG": 1},
    "connector": {"CN_IDX_PROC": 1},
    "netfilter": {"NFNLGRP_CONNTRACK_NEW": 1, "NFNLGRP_CONNTRACK_UPDATE": 2, "NFNLGRP_CONNTRACK_DESTROY": 4,
                  "NFNLGRP_CONNTRACK_EXP_NEW": 8, "NFNLGRP_CONNTRACK_EXP_UPDATE": 0x10,
                  "NFNLGRP_CONNTRACK_EXP_DESTROY": 0x20, "NFNLGRP_NFTABLES": 0x40, "NFNLGRP_ACCT_QUOTA": 0x80,
                  "NFNLGRP_NFTRACE": 0x100},
    "kobject-uevent": {"UEVENT_KERNEL": 1, "UEVENT_UDEV": 2},
    "rdma": {"RDMA_NL_GROUP_IWPM": 2, "RDMA_NL_GROUP_LS": 4, "RDMA_NL_GROUP_NOTIFY": 8},
}  # fmt: skip
"""Groups of each protocol as bits of ``nl_groups``: group N is bit N-1. Groups above 32 need NETLINK_ADD_MEMBERSHIP."""
SOCKADDR = Layout(
    "sockaddr_nl",
    Part("nl_family", "H", "address family", show=named({"AF_NETLINK": 16})),
    Part("nl_pad", "2s", "unused"),
    Part("nl_pid", "I", "port id: which socket; 0 is the kernel"),
    Part("nl_groups", "I", "multicast groups 1 to 32 as bits", show=hexadecimal),
)
"""``<linux/netlink.h>``, netlink(7)."""
# A dump of all links: nlmsghdr (20 bytes, RTM_GETLINK, REQUEST|DUMP, seq 1) and an rtgenmsg of AF_UNSPEC.
GETLINK = r"\x14\0\0\0\x12\0\x01\x03\x01\0\0\0\0\0\0\0\0\0\0\0"
# A dump of all generic families: nlmsghdr (GENL_ID_CTRL, REQUEST|DUMP, seq 1), genlmsghdr (CTRL_CMD_GETFAMILY, 1).
GETFAMILY = r"\x14\0\0\0\x10\0\x01\x03\x01\0\0\0\0\0\0\0\x03\x01\0\0"
# A dump of all UNIX sockets with their names: nlmsghdr (SOCK_DIAG_BY_FAMILY), struct unix_diag_req.
UNIX_DIAG = (
    r"\x28\0\0\0\x14\0\x01\x03\x01\0\0\0\0\0\0\0\x01\0\0\0\xff\xff\xff\xff\0\0\0\0\x01\0\0\0"
    r"\xff\xff\xff\xff\xff\xff\xff\xff"
)
# bind() takes back the memberships of groups 1 to 32 that its mask lacks.
OPTIONS = (
    Option("SOL_NETLINK", "NETLINK_EXT_ACK", "errors say in words what was wrong, and where", default=1),
    Option("SOL_NETLINK", "NETLINK_CAP_ACK", "errors don't repeat the request"),
    Option("SOL_NETLINK", "NETLINK_GET_STRICT_CHK", "what the kernel would ignore in a request for a dump is refused"),
    Option("SOL_NETLINK", "NETLINK_PKTINFO", "each message tells the group that it went to, above 32 too"),
    Option("SOL_NETLINK", "NETLINK_ADD_MEMBERSHIP", "a group to listen to by its number, for those above 32",
           flag=False, kind=Integer(1, 2**31 - 1), after_bind=True),
)  # fmt: skip
USER_MESSAGE = struct.pack("=IHHII", 16 + 8, 0x10, 0, 1, 0) + b"hello\0\0\0"
"""An ``nlmsghdr`` of a type above the kernel's own, and what follows it."""


def _set_loopback(*, up: bool) -> bytes:
    """RTM_NEWLINK for the interface of index 1, with an ``ifinfomsg`` that changes IFF_UP alone."""
    request, acknowledge, running = 0x1, 0x4, 0x1
    header = struct.pack("=IHHII", 32, 16, request | acknowledge, 2 if up else 1, 0)
    return header + struct.pack("=BxHiII", 0, 0, 1, running if up else 0, running)


def _protocol(name: str, proto: str, summary: str, groups: str, **more: str) -> Protocol:
    return Protocol(
        name, "SOCK_RAW", proto, summary,
        local={"pid": "0", "groups": groups}, remote={"pid": "0", "groups": "0"},
        sample=more.get("sample", ""), help=more.get("help", ""), try_it=more.get("try_it", ""),
        rights=more.get("rights", ""), options=OPTIONS,
    )  # fmt: skip


class Netlink(Family):
    constant = "AF_NETLINK"
    systems = ("linux", "freebsd")
    shape = "AF_NETLINK address must be a pair (pid, groups)"
    title = "Netlink"
    summary = "talk with the kernel: (pid, groups)"
    availability = "Linux; FreeBSD 13.2 since Python 3.13"
    help = (
        "The address is (pid, groups): pid 0 lets the kernel choose this socket's port id, or means the kernel as a "
        "peer; groups is a mask of the multicast groups 1 to 32 to listen to."
    )
    pitfalls = (
        "A bit of groups is 1 << (group - 1); groups above 32 are joined with NETLINK_ADD_MEMBERSHIP.",
        "The pid is a port id: the first socket of a process gets its process id, the next ones do not.",
        "When the reader is slow the kernel drops messages, and recv() fails with ENOBUFS once.",
    )
    advice = {
        ("socket", "EPROTONOSUPPORT"): Advice(
            "This kernel has nobody behind that netlink protocol: it was built without, the module is not loaded, or "
            "the "
            "number is none (0 to 31).",
            (
                "see the protocols that are there: tr -s ' ' < /proc/net/netlink | cut -d' ' -f2 | sort -nu",
                "sudo modprobe net-pf-16-proto-NUMBER, if this system has that module",
            ),
        ),
        ("socket", "ESOCKTNOSUPPORT"): Advice("Netlink is raw or datagrams, which is the same.", ("choose SOCK_RAW",)),
        ("bind", "EPERM"): Advice(
            "This protocol, or one of these groups, is listened to by processes with CAP_NET_ADMIN only.",
            ("leave those groups out", *rights("CAP_NET_ADMIN")),
        ),
        ("bind", "EADDRINUSE"): Advice(
            "Another netlink socket of this protocol has that pid: it is a port id, and each has its own.",
            ("write 0: the kernel chooses", "see who has it: ss -f netlink -ap"),
        ),
        ("bind", "EINVAL"): Advice("The socket has another pid already.", ("close it and open another",)),
        ("bind", "ENOENT"): Advice(
            "The kernel's side of this protocol is gone: its module was unloaded.", ("load the module again",)
        ),
        ("connect", "EPERM"): Advice(
            "Without CAP_NET_ADMIN only the kernel (pid 0, groups 0) can be a peer of this protocol.",
            ("write (0, 0)", *rights("CAP_NET_ADMIN")),
        ),
        ("send", "EPERM"): Advice(
            "Without CAP_NET_ADMIN only the kernel (pid 0, groups 0) can be a peer of this protocol.",
            ("write (0, 0)", *rights("CAP_NET_ADMIN")),
        ),
        ("send", "ECONNREFUSED"): Advice(
            "No netlink socket of this protocol has that pid, or nobody listens to the group.",
            ("write (0, 0) for the kernel", "see who is there: ss -f netlink -ap"),
        ),
        ("send", "ENODATA"): Advice(
            "A message has at least its header: nlmsghdr, 16 bytes.", ("give a message, such as the sample of route",)
        ),
        ("send", "EMSGSIZE"): Advice(
            "The message is larger than the send buffer, less 32 bytes.", ("send less at once", "set SO_SNDBUF higher")
        ),
        ("send", "EAGAIN"): Advice("The receiver's queue is full: it does not read.", ("let it read first",)),
        ("send", "ENOBUFS"): Advice("The kernel has no memory for the message.", ("send less at once",)),
        ("read", "ENOBUFS"): Advice(
            "Messages came faster than they were read: the kernel dropped some and goes on.",
            ("ask for a fresh dump, since the picture has a gap", "set SO_RCVBUF higher"),
        ),
        ("setsockopt", "EINVAL"): Advice(
            "The protocol has no multicast group of that number: groups count from 1 (NETLINK_ADD_MEMBERSHIP).",
            ("ask the generic controller for a family's groups: genl ctrl list", "leave the option out"),
        ),
        ("setsockopt", "EPERM"): Advice(
            "That group is joined by processes with CAP_NET_ADMIN only, and NETLINK_LISTEN_ALL_NSID needs "
            "CAP_NET_BROADCAST.",
            ("leave the option out", *rights("CAP_NET_ADMIN")),
        ),
    }
    protocol_advice = {
        "audit": {
            ("bind", "EPERM"): Advice(
                "The audit log is read by processes with CAP_AUDIT_READ only.",
                rights("CAP_AUDIT_READ", namespace=False),
            ),
        },
        "usersock": {
            ("send", "ECONNREFUSED"): Advice(
                "There is no kernel behind this protocol (pid 0), and no process has that pid or listens to the group.",
                ("write the pid of another socket: ss -f netlink -ap",),
            ),
        },
        "selinux": {
            ("socket", "EPROTONOSUPPORT"): Advice(
                "SELinux is not in this kernel, or not switched on.", ("look at: cat /sys/kernel/security/lsm",)
            ),
        },
    }
    protocols = (
        _protocol(
            "route", "NETLINK_ROUTE", "links, addresses, routes", "LINK|IPV4_IFADDR|IPV6_IFADDR", sample=GETLINK,
            help="Changes of links, addresses and routes, as they happen. The composer's sample asks for all links.",
            try_it="sudo ip address add 127.0.0.2/8 dev lo",
        ),
        _protocol("generic", "NETLINK_GENERIC", "families by name (nl80211 …)", "0", sample=GETFAMILY,
                  help="Many kernel interfaces behind one protocol. The composer's sample asks the controller, type "
                  "16, for all of them, with their numbers and groups."),
        _protocol("kobject-uevent", "NETLINK_KOBJECT_UEVENT", "devices come and go", "UEVENT_KERNEL",
                  help="What udev listens to: one message a device event."),
        _protocol("sock-diag", "NETLINK_SOCK_DIAG", "what ss asks", "0", sample=UNIX_DIAG,
                  help="Queries about sockets. The composer's sample asks for all UNIX sockets."),
        _protocol("netfilter", "NETLINK_NETFILTER", "conntrack, nftables", "0",
                  help="Connection tracking, nftables and their events.",
                  rights="bind() to a group needs CAP_NET_ADMIN."),
        _protocol("xfrm", "NETLINK_XFRM", "IPsec", "0",
                  help="Security associations and policies.", rights="bind() to a group needs CAP_NET_ADMIN."),
        _protocol("audit", "NETLINK_AUDIT", "the audit log", "AUDIT_NLGRP_READLOG",
                  help="What auditd listens to.", rights="bind() to AUDIT_NLGRP_READLOG needs CAP_AUDIT_READ."),
        _protocol("connector", "NETLINK_CONNECTOR", "process events", "CN_IDX_PROC",
                  help="Group 1 tells of processes that fork, exec and exit."),
        _protocol("usersock", "NETLINK_USERSOCK", "between processes", "0",
                  help="Kept for messages between processes; no kernel side."),
        _protocol("selinux", "NETLINK_SELINUX", "SELinux events", "SELNLGRP_AVC",
                  help="Changes of the enforcing mode and of the loaded policy."),
        _protocol("fib-lookup", "NETLINK_FIB_LOOKUP", "routing decisions", "0",
                  help="Asks the kernel which route it would take (struct fib_result_nl)."),
        _protocol("iscsi", "NETLINK_ISCSI", "Open-iSCSI", "0", help="Between iscsid and the iSCSI transports."),
        _protocol("scsitransport", "NETLINK_SCSITRANSPORT", "SCSI transports", "0",
                  help="Events of SCSI transports such as Fibre Channel."),
        _protocol("rdma", "NETLINK_RDMA", "RDMA devices", "0", help="What rdma(8) speaks: InfiniBand, RoCE, iWARP."),
        _protocol("crypto", "NETLINK_CRYPTO", "the crypto API", "0",
                  help="Lists and configures algorithms (crypto_user); AF_ALG uses them."),
        _protocol("smc", "NETLINK_SMC", "SMC sockets", "0", help="Statistics of SMC sockets (smc_diag)."),
    )  # fmt: skip

    demos = {
        "route": Demo(
            "The loopback goes down and up again, in a namespace of its own: what the kernel tells of it.",
            (End("bind", (0, RTMGRP["RTMGRP_LINK"] | RTMGRP["RTMGRP_IPV4_IFADDR"])), End("bind", (0, 0))),
            (Act(1, _set_loopback(up=False), (0, 0)), Act(1, _set_loopback(up=True), (0, 0))), private=True,
        ),
        "usersock": Demo(
            "Two processes could speak like this.", (End("bind", (0, 0)), End("bind", (0, 0))),
            (Act(1, USER_MESSAGE, OTHER), Act(0, USER_MESSAGE, OTHER)), private=True,
        ),
    }  # fmt: skip

    def fields(self, protocol: Protocol) -> tuple[Field, ...]:
        groups = GROUPS.get(protocol.name, {})
        return (
            Field("pid", Integer(0, 2**32 - 1, wraps=True), "0", "0: the kernel chooses (bind), or is the peer",
                  pitfall="os.getpid() is taken when the process has another netlink socket."),
            Field(
                "groups", Integer(0, 2**32 - 1, wraps=True, names=groups, flags=True, base=16), "0",
                "multicast groups to listen to, joined by |",
                pitfall="Without a group only answers to own requests arrive. RTNLGRP_* are numbers, not bits.",
            ),
        )  # fmt: skip

    def text(self, address: object) -> str:
        if isinstance(address, tuple) and len(address) == 2 and all(isinstance(each, int) for each in address):
            pid, groups = address
            who = "kernel" if pid == 0 else f"pid {pid}"
            return f"{who} groups 0x{groups:x}" if groups else who
        return repr(address)

    def plain(self, protocol: Protocol, text: str) -> object:
        """``PID:GROUPS``, or only the groups by name: ``LINK|IPV4_IFADDR``; ``kernel groups 0x1``, as a row has it."""
        pid_field, groups_field = self.fields(protocol)
        if row := re.fullmatch(r"(?:kernel|pid (\d+))(?: groups (0x[0-9a-f]+))?", text.strip()):
            return (pid_field.read(row[1] or "0"), groups_field.read(row[2] or "0"))
        head, colon, tail = text.strip().partition(":")
        if not text.strip():
            raise FieldError("", text, "is empty", f"write {self.example(protocol)}")
        if not colon:
            return (0, groups_field.read(head))
        return (pid_field.read(head), groups_field.read(tail))

    def pack(self, protocol: Protocol, address: object) -> bytes:
        assert isinstance(address, tuple)
        pid, groups = (index(value) & 0xFFFFFFFF for value in address)
        return SOCKADDR.pack(nl_family=self.number, nl_pid=pid, nl_groups=groups)

    def unpack(self, protocol: Protocol, sockaddr: bytes) -> object:
        found = SOCKADDR.unpack(sockaddr)
        return None if found is None else (found["nl_pid"], found["nl_groups"])

    def layout(self, protocol: Protocol, sockaddr: bytes) -> Layout:
        return SOCKADDR


FAMILY = Netlink()
