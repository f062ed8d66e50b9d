"""Numbers of ``<linux/…>`` headers by name: what this Python calls them, or what the kernel does.

Python lacks many names (socketmodule.c adds only what its build found); the kernel's ABI is the same everywhere
but for the few that differ by architecture, which are taken from Python.
"""

from __future__ import annotations

import socket

LINUX: dict[str, int] = {
    "AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16, "AF_PACKET": 17, "AF_RDS": 21, "AF_CAN": 29,
    "AF_TIPC": 30, "AF_BLUETOOTH": 31, "AF_ALG": 38, "AF_VSOCK": 40, "AF_QIPCRTR": 42, "AF_AX25": 3, "AF_X25": 9,
    "AF_KEY": 15, "AF_LLC": 26, "AF_PHONET": 35, "AF_IEEE802154": 36, "AF_CAIF": 37, "AF_NFC": 39, "AF_KCM": 41,
    "AF_SMC": 43, "AF_XDP": 44, "AF_MCTP": 45,
    "SOCK_STREAM": 1, "SOCK_DGRAM": 2, "SOCK_RAW": 3, "SOCK_RDM": 4, "SOCK_SEQPACKET": 5, "SOCK_DCCP": 6,
    "SOCK_PACKET": 10, "BTPROTO_L2CAP": 0, "BTPROTO_HCI": 1, "BTPROTO_SCO": 2, "BTPROTO_RFCOMM": 3, "BTPROTO_BNEP": 4,
    "BTPROTO_CMTP": 5, "BTPROTO_HIDP": 6, "BTPROTO_AVDTP": 7, "BTPROTO_ISO": 8,
    "ETH_P_ALL": 3, "ETH_P_IP": 0x800, "ETH_P_ARP": 0x806, "ETH_P_8021Q": 0x8100, "ETH_P_IPV6": 0x86DD,
    "CAN_RAW": 1, "CAN_BCM": 2, "CAN_ISOTP": 6, "CAN_J1939": 7,
    "IPPROTO_ICMP": 1, "IPPROTO_TCP": 6, "IPPROTO_UDP": 17, "IPPROTO_DCCP": 33, "IPPROTO_ICMPV6": 58,
    "IPPROTO_SCTP": 132, "IPPROTO_UDPLITE": 136, "IPPROTO_RAW": 255, "IPPROTO_MPTCP": 262,
    "NETLINK_ROUTE": 0, "NETLINK_USERSOCK": 2, "NETLINK_SOCK_DIAG": 4, "NETLINK_XFRM": 6, "NETLINK_SELINUX": 7,
    "NETLINK_ISCSI": 8, "NETLINK_AUDIT": 9, "NETLINK_FIB_LOOKUP": 10, "NETLINK_CONNECTOR": 11,
    "NETLINK_NETFILTER": 12, "NETLINK_KOBJECT_UEVENT": 15, "NETLINK_GENERIC": 16, "NETLINK_SCSITRANSPORT": 18,
    "NETLINK_FIREWALL": 3, "NETLINK_INET_DIAG": 4, "NETLINK_NFLOG": 5, "NETLINK_IP6_FW": 13, "NETLINK_DNRTMSG": 14,
    "NETLINK_ECRYPTFS": 19, "NETLINK_RDMA": 20, "NETLINK_CRYPTO": 21, "NETLINK_SMC": 22,
    "SOL_SOCKET": 1, "SOL_IP": 0, "SOL_IPV6": 41, "SOL_PACKET": 263, "SOL_NETLINK": 270, "SOL_UDPLITE": 136,
    "SO_REUSEADDR": 2, "SO_BROADCAST": 6, "SO_RCVBUF": 8, "SO_KEEPALIVE": 9, "SO_REUSEPORT": 15,
    "SO_PASSCRED": 16, "SO_PEERCRED": 17, "SO_RCVBUFFORCE": 33, "SO_TIMESTAMPNS": 35, "SO_RXQ_OVFL": 40,
    "SO_PRIORITY": 12, "SO_SNDBUFFORCE": 32, "SO_PASSSEC": 34, "SO_PASSPIDFD": 76, "SO_MARK": 36, "SO_LOCK_FILTER": 44,
    "SO_BUSY_POLL": 46,
    "IP_TOS": 1, "IP_TTL": 2, "IP_PKTINFO": 8, "IP_MTU_DISCOVER": 10, "IP_RECVTTL": 12, "IP_RECVTOS": 13,
    "SO_MEMINFO": 55, "SCM_RIGHTS": 1, "SCM_CREDENTIALS": 2, "SCM_TIMESTAMPNS": 35,
    "IPV6_V6ONLY": 26, "IP_FREEBIND": 15, "UDPLITE_SEND_CSCOV": 10, "UDPLITE_RECV_CSCOV": 11, "TCP_NODELAY": 1,
    "SOL_TIPC": 271, "TIPC_IMPORTANCE": 127, "TIPC_DEST_DROPPABLE": 129, "TIPC_CONN_TIMEOUT": 130,
    "SOL_CAN_RAW": 101, "CAN_RAW_FILTER": 1, "CAN_RAW_ERR_FILTER": 2, "CAN_RAW_LOOPBACK": 3,
    "CAN_RAW_RECV_OWN_MSGS": 4, "CAN_RAW_FD_FRAMES": 5, "CAN_RAW_JOIN_FILTERS": 6,
    "SOL_CAN_ISOTP": 106, "CAN_ISOTP_OPTS": 1, "CAN_ISOTP_RECV_FC": 2, "CAN_ISOTP_LL_OPTS": 5,
    "SOL_CAN_J1939": 107, "SO_J1939_FILTER": 1, "SO_J1939_PROMISC": 2, "SO_J1939_SEND_PRIO": 3, "SO_J1939_ERRQUEUE": 4,
    "PACKET_AUXDATA": 8, "NETLINK_PKTINFO": 3, "NETLINK_CAP_ACK": 10, "NETLINK_GET_STRICT_CHK": 12,
    "SOL_HCI": 0, "HCI_FILTER": 2, "PACKET_STATISTICS": 6, "NETLINK_ADD_MEMBERSHIP": 1, "NETLINK_EXT_ACK": 11,
    "MSG_CMSG_CLOEXEC": 0x40000000, "MSG_TRUNC": 0x20, "MSG_CTRUNC": 0x8, "MSG_DONTWAIT": 0x40,
}  # fmt: skip
FOREIGN: dict[str, int] = {
    "AF_SYSTEM": 32, "PF_SYSTEM": 32, "SYSPROTO_CONTROL": 2, "AF_HYPERV": 34, "HV_PROTOCOL_RAW": 1, "AF_DIVERT": 44,
}  # fmt: skip
"""Numbers of macOS, Windows and FreeBSD, which mean other things on Linux."""


def number(name: str) -> int:
    """The value of a constant by name, or the number that the text spells. Raises KeyError for an unknown name."""
    value = getattr(socket, name, None)
    if isinstance(value, int):
        return int(value)
    if name in LINUX:
        return LINUX[name]
    if name in FOREIGN:
        return FOREIGN[name]
    try:
        return int(name, 0)
    except ValueError:
        raise KeyError(name) from None


def in_python(name: str) -> bool:
    """Whether this Python's ``socket`` has the constant."""
    return hasattr(socket, name)
