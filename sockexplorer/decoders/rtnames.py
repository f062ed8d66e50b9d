"""The names of rtnetlink's attributes, types and flags, as the kernel's headers have them.

Source: <linux/if_link.h>, <linux/if_addr.h>, <linux/rtnetlink.h>, <linux/neighbour.h>, <linux/fib_rules.h>,
<linux/if.h>, <linux/if_arp.h>, <sys/socket.h>.
"""

from __future__ import annotations


def _counted(names: str) -> dict[int, str]:
    """Names from 1 on; a hyphen where a number has none."""
    return {number: name for number, name in enumerate(names.split(), 1) if name != "-"}


ATTRIBUTES: dict[str, dict[int, str]] = {
    "LINK": _counted(
        "ADDRESS BROADCAST IFNAME MTU LINK QDISC STATS COST PRIORITY MASTER WIRELESS PROTINFO TXQLEN MAP WEIGHT "
        "OPERSTATE LINKMODE LINKINFO NET_NS_PID IFALIAS NUM_VF VFINFO_LIST STATS64 VF_PORTS PORT_SELF AF_SPEC GROUP "
        "NET_NS_FD EXT_MASK PROMISCUITY NUM_TX_QUEUES NUM_RX_QUEUES CARRIER PHYS_PORT_ID CARRIER_CHANGES "
        "PHYS_SWITCH_ID LINK_NETNSID PHYS_PORT_NAME PROTO_DOWN GSO_MAX_SEGS GSO_MAX_SIZE PAD XDP EVENT NEW_NETNSID "
        "TARGET_NETNSID CARRIER_UP_COUNT CARRIER_DOWN_COUNT NEW_IFINDEX MIN_MTU MAX_MTU PROP_LIST ALT_IFNAME "
        "PERM_ADDRESS PROTO_DOWN_REASON PARENT_DEV_NAME PARENT_DEV_BUS_NAME GRO_MAX_SIZE TSO_MAX_SIZE TSO_MAX_SEGS "
        "ALLMULTI DEVLINK_PORT GSO_IPV4_MAX_SIZE GRO_IPV4_MAX_SIZE DPLL_PIN MAX_PACING_OFFLOAD_HORIZON NETNS_IMMUTABLE"
    ),
    "ADDR": _counted(
        "ADDRESS LOCAL LABEL BROADCAST ANYCAST CACHEINFO MULTICAST FLAGS RT_PRIORITY TARGET_NETNSID PROTO"
    ),
    "ROUTE": _counted(
        "DST SRC IIF OIF GATEWAY PRIORITY PREFSRC METRICS MULTIPATH PROTOINFO FLOW CACHEINFO SESSION MP_ALGO TABLE "
        "MARK MFC_STATS VIA NEWDST PREF ENCAP_TYPE ENCAP EXPIRES PAD UID TTL_PROPAGATE IP_PROTO SPORT DPORT NH_ID"
    ),
    "NEIGH": _counted(
        "DST LLADDR CACHEINFO PROBES VLAN PORT VNI IFINDEX MASTER LINK_NETNSID SRC_VNI PROTOCOL NH_ID FDB_EXT_ATTRS "
        "FLAGS_EXT NDM_STATE_MASK NDM_FLAGS_MASK"
    ),
    "RULE": _counted(
        "DST SRC IIFNAME GOTO - PRIORITY - - - FWMARK FLOW TUN_ID SUPPRESS_IFGROUP SUPPRESS_PREFIXLEN TABLE FWMASK "
        "OIFNAME PAD L3MDEV UID_RANGE PROTOCOL IP_PROTO SPORT_RANGE DPORT_RANGE DSCP"
    ),
}
"""Without the prefixes IFLA_, IFA_, RTA_, NDA_ and FRA_."""
INFO = _counted("KIND DATA XSTATS SLAVE_KIND SLAVE_DATA")
XDP = _counted("XDP_FD XDP_ATTACHED XDP_FLAGS XDP_PROG_ID XDP_DRV_PROG_ID XDP_SKB_PROG_ID XDP_HW_PROG_ID")
PROPERTIES = {53: "ALT_IFNAME"}
METRICS = _counted(
    "LOCK MTU WINDOW RTT RTTVAR SSTHRESH CWND ADVMSS REORDERING HOPLIMIT INITCWND FEATURES RTO_MIN INITRWND QUICKACK "
    "CC_ALGO FASTOPEN_NO_COOKIE"
)
FAMILIES = {
    0: "AF_UNSPEC", 1: "AF_UNIX", 2: "AF_INET", 7: "AF_BRIDGE", 10: "AF_INET6", 12: "AF_DECnet", 16: "AF_NETLINK",
    17: "AF_PACKET", 28: "AF_MPLS", 29: "AF_CAN", 30: "AF_TIPC", 45: "AF_MCTP", 128: "RTNL_FAMILY_IPMR",
    129: "RTNL_FAMILY_IP6MR",
}  # fmt: skip
# Without ARPHRD_NETROM, 0: in what is asked for it means nothing.
HARDWARE = {
    1: "ARPHRD_ETHER", 32: "ARPHRD_INFINIBAND", 280: "ARPHRD_CAN", 512: "ARPHRD_PPP",
    519: "ARPHRD_RAWIP", 768: "ARPHRD_TUNNEL", 769: "ARPHRD_TUNNEL6", 772: "ARPHRD_LOOPBACK", 776: "ARPHRD_SIT",
    778: "ARPHRD_IPGRE", 801: "ARPHRD_IEEE80211", 803: "ARPHRD_IEEE80211_RADIOTAP", 804: "ARPHRD_IEEE802154",
    823: "ARPHRD_IP6GRE", 824: "ARPHRD_NETLINK", 825: "ARPHRD_6LOWPAN", 826: "ARPHRD_VSOCKMON",
    65534: "ARPHRD_NONE", 65535: "ARPHRD_VOID",
}  # fmt: skip
OPERSTATES = dict(enumerate(("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")))
SCOPES = {0: "universe", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
TABLES = {0: "unspec", 252: "compat", 253: "default", 254: "main", 255: "local"}
PROTOCOLS = {
    0: "unspec", 1: "redirect", 2: "kernel", 3: "boot", 4: "static", 8: "gated", 9: "ra", 10: "mrt", 11: "zebra",
    12: "bird", 13: "dnrouted", 14: "xorp", 15: "ntk", 16: "dhcp", 17: "mrouted", 18: "keepalived", 42: "babel",
    186: "bgp", 187: "isis", 188: "ospf", 189: "rip", 192: "eigrp",
}  # fmt: skip
RTN = dict(
    enumerate(
        f"RTN_{each}"
        for each in (
            "UNSPEC", "UNICAST", "LOCAL", "BROADCAST", "ANYCAST", "MULTICAST", "BLACKHOLE", "UNREACHABLE", "PROHIBIT",
            "THROW", "NAT", "XRESOLVE",
        )
    )
)  # fmt: skip
FRA_ACTIONS = dict(
    enumerate(
        f"FR_ACT_{each}" for each in ("UNSPEC", "TO_TBL", "GOTO", "NOP", "RES3", "RES4", "BLACKHOLE", "UNREACHABLE",
                                      "PROHIBIT")
    )
)  # fmt: skip


def _bits(prefix: str, names: str) -> dict[str, int]:
    """Flags by name from the lowest bit on; a hyphen where a bit has none."""
    return {prefix + name: 1 << bit for bit, name in enumerate(names.split()) if name != "-"}


IFF = _bits(
    "IFF_",
    "UP BROADCAST DEBUG LOOPBACK POINTOPOINT NOTRAILERS RUNNING NOARP PROMISC ALLMULTI MASTER SLAVE MULTICAST PORTSEL "
    "AUTOMEDIA DYNAMIC LOWER_UP DORMANT ECHO",
)
IFA_FLAGS = _bits(
    "IFA_F_",
    "SECONDARY NODAD OPTIMISTIC DADFAILED HOMEADDRESS DEPRECATED TENTATIVE PERMANENT MANAGETEMPADDR NOPREFIXROUTE "
    "MCAUTOJOIN STABLE_PRIVACY",
)
RTNH_FLAGS = _bits("RTNH_F_", "DEAD PERVASIVE ONLINK OFFLOAD LINKDOWN UNRESOLVED TRAP")
RTM_FLAGS = RTNH_FLAGS | {
    "RTM_F_NOTIFY": 0x100, "RTM_F_CLONED": 0x200, "RTM_F_EQUALIZE": 0x400, "RTM_F_PREFIX": 0x800,
    "RTM_F_LOOKUP_TABLE": 0x1000, "RTM_F_FIB_MATCH": 0x2000, "RTM_F_OFFLOAD": 0x4000, "RTM_F_TRAP": 0x8000,
    "RTM_F_OFFLOAD_FAILED": 0x20000000,
}  # fmt: skip
NUD = _bits("NUD_", "INCOMPLETE REACHABLE STALE DELAY PROBE FAILED NOARP PERMANENT")
NTF = _bits("NTF_", "USE SELF MASTER PROXY EXT_LEARNED OFFLOADED STICKY ROUTER")
