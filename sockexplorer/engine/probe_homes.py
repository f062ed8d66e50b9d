"""Where a constant belongs: its header, its family, and for an option the level and the sockets to ask.

Sources: <bits/socket.h>, <netinet/in.h>, <linux/*.h> and <bluetooth/*.h>; the kernel's ``*_getsockopt()``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Home:
    """What the constants of a prefix have in common."""

    header: str
    family: str = ""
    """The constants mean something with this family only; "" for all."""
    protocol: str = ""
    """With this declared protocol of the family only, by its constant; "" for all."""
    level: str = ""
    """For options: the level's constant."""
    ask: tuple[str, ...] = ()
    """For options: which of `SOCKETS` to ask, the likeliest first."""
    options: frozenset[str] | None = None
    """For options: which of the prefix's names are options; None for all."""


SOCKETS: dict[str, tuple[str, str, str]] = {
    "unix": ("AF_UNIX", "SOCK_STREAM", "0"),
    "tcp": ("AF_INET", "SOCK_STREAM", "IPPROTO_TCP"),
    "udp": ("AF_INET", "SOCK_DGRAM", "IPPROTO_UDP"),
    "udplite": ("AF_INET", "SOCK_DGRAM", "IPPROTO_UDPLITE"),
    "raw": ("AF_INET", "SOCK_RAW", "IPPROTO_ICMP"),
    "tcp6": ("AF_INET6", "SOCK_STREAM", "IPPROTO_TCP"),
    "udp6": ("AF_INET6", "SOCK_DGRAM", "IPPROTO_UDP"),
    "raw6": ("AF_INET6", "SOCK_RAW", "IPPROTO_ICMPV6"),
    "can": ("AF_CAN", "SOCK_RAW", "CAN_RAW"),
    "isotp": ("AF_CAN", "SOCK_DGRAM", "CAN_ISOTP"),
    "j1939": ("AF_CAN", "SOCK_DGRAM", "CAN_J1939"),
    "l2cap": ("AF_BLUETOOTH", "SOCK_SEQPACKET", "BTPROTO_L2CAP"),
    "sco": ("AF_BLUETOOTH", "SOCK_SEQPACKET", "BTPROTO_SCO"),
    "hci": ("AF_BLUETOOTH", "SOCK_RAW", "BTPROTO_HCI"),
    "tipc": ("AF_TIPC", "SOCK_RDM", "0"),
    "vsock": ("AF_VSOCK", "SOCK_STREAM", "0"),
    "rds": ("AF_RDS", "SOCK_SEQPACKET", "0"),
    "key": ("AF_KEY", "SOCK_RAW", "2"),  # PF_KEY_V2 is the only protocol there is.
}
"""Sockets that options are asked of, by family, type and protocol."""


def _names(prefix: str, names: str) -> frozenset[str]:
    return frozenset(prefix + name for name in names.split())


_SOCKET, _INET = "<sys/socket.h>", "<netinet/in.h>"
_BT, _HCI = "<bluetooth/bluetooth.h>", "<bluetooth/hci.h>"
_BT_OPTIONS = _names(
    "BT_", "SECURITY DEFER_SETUP FLUSHABLE POWER CHANNEL_POLICY VOICE SNDMTU RCVMTU PHY MODE PKT_STATUS ISO_QOS CODEC"
)

HOMES: dict[str, Home] = {
    "AI_": Home("<netdb.h>"),
    "EAI_": Home("<netdb.h>"),
    "NI_": Home("<netdb.h>"),
    "E": Home("<errno.h>"),
    "INADDR_": Home(_INET),
    "IPPORT_": Home(_INET),
    "IPPROTO_": Home(_INET),
    "SHUT_": Home(_SOCKET),
    "SOMAXCONN": Home(_SOCKET),
    "SOL_": Home(_SOCKET),
    "MSG_": Home(_SOCKET),
    "SCM_": Home(_SOCKET, "AF_UNIX"),
    "LOCAL_": Home("<sys/un.h>", "AF_UNIX"),
    "ETH_P_": Home("<linux/if_ether.h>"),
    "ETHERTYPE_": Home("<net/ethernet.h>"),
    "SO_": Home(_SOCKET, level="SOL_SOCKET", ask=("tcp", "unix")),
    "SO_ORIGINAL_DST": Home("<linux/netfilter_ipv4.h>", "AF_INET", level="SOL_IP", ask=("tcp",)),
    "IP_": Home(_INET, "AF_INET", level="SOL_IP", ask=("udp", "tcp")),
    "IP_HDRINCL": Home(_INET, "AF_INET", level="SOL_IP", ask=("raw",)),
    "IP_DEFAULT_": Home(_INET, "AF_INET"),
    "IP_MAX_": Home(_INET, "AF_INET"),
    "IPV6_": Home(_INET, "AF_INET6", level="SOL_IPV6", ask=("udp6", "tcp6")),
    "IPV6_CHECKSUM": Home(_INET, "AF_INET6", level="SOL_IPV6", ask=("raw6",)),
    "IPV6_HDRINCL": Home(_INET, "AF_INET6", level="SOL_IPV6", ask=("raw6",)),
    "IPV6_RTHDR_TYPE_0": Home(_INET, "AF_INET6"),
    "TCP_": Home("<linux/tcp.h>", "AF_INET", "IPPROTO_TCP", level="IPPROTO_TCP", ask=("tcp",)),
    "UDPLITE_": Home("<linux/udp.h>", "AF_INET", "IPPROTO_UDPLITE", level="SOL_UDPLITE", ask=("udplite",)),
    "IPX_": Home("<linux/ipx.h>", "AF_IPX"),
    "SOL_IPX": Home("<linux/socket.h>", "AF_IPX"),
    "SOL_ATALK": Home("<linux/socket.h>", "AF_APPLETALK"),
    "SOL_AX25": Home("<linux/socket.h>", "AF_AX25"),
    "SOL_NETROM": Home("<linux/socket.h>", "AF_NETROM"),
    "SOL_ROSE": Home("<linux/socket.h>", "AF_ROSE"),
    "CAN_": Home("<linux/can.h>", "AF_CAN"),
    "SOL_CAN_": Home("<linux/can.h>", "AF_CAN"),
    "SOL_CAN_ISOTP": Home("<linux/can/isotp.h>", "AF_CAN", "CAN_ISOTP"),
    "CAN_RAW_": Home("<linux/can/raw.h>", "AF_CAN", "CAN_RAW", level="SOL_CAN_RAW", ask=("can",)),
    "CAN_BCM_": Home("<linux/can/bcm.h>", "AF_CAN", "CAN_BCM"),
    "CAN_ISOTP_": Home(
        "<linux/can/isotp.h>", "AF_CAN", "CAN_ISOTP", level="SOL_CAN_ISOTP", ask=("isotp",),
        options=_names("CAN_ISOTP_", "OPTS RECV_FC TX_STMIN RX_STMIN LL_OPTS"),
    ),
    "J1939_": Home("<linux/can/j1939.h>", "AF_CAN", "CAN_J1939"),
    "SCM_J1939_": Home("<linux/can/j1939.h>", "AF_CAN", "CAN_J1939"),
    "SO_J1939_": Home("<linux/can/j1939.h>", "AF_CAN", "CAN_J1939", level="107", ask=("j1939",)),
    "ALG_": Home("<linux/if_alg.h>", "AF_ALG"),
    "SOL_ALG": Home("<linux/if_alg.h>", "AF_ALG"),
    "BDADDR_": Home(_BT, "AF_BLUETOOTH"),
    "BTPROTO_": Home(_BT, "AF_BLUETOOTH"),
    "BT_": Home(_BT, "AF_BLUETOOTH", level="SOL_BLUETOOTH", ask=("l2cap", "sco"), options=_BT_OPTIONS),
    "SOL_BLUETOOTH": Home(_BT, "AF_BLUETOOTH"),
    "SOL_HCI": Home(_HCI, "AF_BLUETOOTH", "BTPROTO_HCI"),
    "SOL_L2CAP": Home(_BT, "AF_BLUETOOTH", "BTPROTO_L2CAP"),
    "SOL_RFCOMM": Home(_BT, "AF_BLUETOOTH", "BTPROTO_RFCOMM"),
    "SOL_SCO": Home(_BT, "AF_BLUETOOTH", "BTPROTO_SCO"),
    "HCI_": Home(
        _HCI, "AF_BLUETOOTH", "BTPROTO_HCI", level="SOL_HCI", ask=("hci",),
        options=_names("HCI_", "DATA_DIR FILTER TIME_STAMP"),
    ),
    "L2CAP_": Home(
        "<bluetooth/l2cap.h>", "AF_BLUETOOTH", "BTPROTO_L2CAP", level="SOL_L2CAP", ask=("l2cap",),
        options=frozenset({"L2CAP_LM"}),
    ),
    "TIPC_": Home(
        "<linux/tipc.h>", "AF_TIPC", level="SOL_TIPC", ask=("tipc",),
        options=_names("TIPC_", "IMPORTANCE DEST_DROPPABLE SRC_DROPPABLE CONN_TIMEOUT"),
    ),
    "SOL_TIPC": Home("<linux/tipc.h>", "AF_TIPC"),
    "VMADDR_": Home("<linux/vm_sockets.h>", "AF_VSOCK"),
    "VM_SOCKETS_": Home("<linux/vm_sockets.h>", "AF_VSOCK"),
    "IOCTL_VM_": Home("<linux/vm_sockets.h>", "AF_VSOCK"),
    "SO_VM_SOCKETS_": Home("<linux/vm_sockets.h>", "AF_VSOCK", level="AF_VSOCK", ask=("vsock",)),
    "PACKET_": Home("<linux/if_packet.h>", "AF_PACKET"),
    "NETLINK_": Home("<linux/netlink.h>", "AF_NETLINK"),
    "RDS_": Home(
        "<linux/rds.h>", "AF_RDS", level="SOL_RDS", ask=("rds",),
        options=_names("RDS_", "CANCEL_SENT_TO GET_MR FREE_MR RECVERR CONG_MONITOR GET_MR_FOR_DEST"),
    ),
    "SOL_RDS": Home("<linux/rds.h>", "AF_RDS"),
}  # fmt: skip
"""By prefix; the longest that fits a name holds."""

SET_WITH_NOTHING = frozenset(
    {
        *_names("IP_", "ADD_MEMBERSHIP DROP_MEMBERSHIP ADD_SOURCE_MEMBERSHIP DROP_SOURCE_MEMBERSHIP"),
        *_names("IP_", "BLOCK_SOURCE UNBLOCK_SOURCE"),
        *_names("IPV6_", "JOIN_GROUP LEAVE_GROUP"),
    }
)
"""Set-only options for which the kernel checks the length first, so that setting an empty value changes nothing."""
PLAIN_PROTOCOLS = frozenset(
    f"IPPROTO_{name}" for name in ("IP", "HOPOPTS", "IPV6", "ROUTING", "FRAGMENT", "NONE", "DSTOPTS", "MAX")
)
"""Numbers in headers, or "any"; no socket is opened with them."""
NO_FAMILY = {
    **dict.fromkeys(("AF_ASH", "AF_SECURITY", "AF_SNA", "AF_NETBEUI"), "a reserved number, never more on Linux"),
    "AF_BRIDGE": "a number for netlink messages; Linux has no such sockets",
    "AF_WANPIPE": "removed from Linux long ago", "AF_ECONET": "removed from Linux 3.5",
    "AF_IRDA": "removed from Linux 4.17", "AF_IPX": "removed from Linux 4.18", "AF_DECnet": "removed from Linux 6.1",
}  # fmt: skip
"""Families that no current Linux has, and why."""


@cache
def home_of(name: str) -> Home | None:
    """The home of the longest prefix that fits."""
    for length in range(len(name), 0, -1):
        if home := HOMES.get(name[:length]):
            return home
    return None
