"""What an errno means for AF_INET and AF_INET6: what both share, by call and by protocol.

Sources: ip(7), ipv6(7), udp(7), tcp(7), raw(7), icmp(7), sctp(7); net/ipv4, net/ipv6, net/mptcp, net/sctp and net/dccp
of Linux: ``__inet_bind()``, ``icmp_err_convert[]``, ``tab_unreach[]``, ``dccp_reset_code_convert()``.
"""

from __future__ import annotations

from sockexplorer.core.advice import Advice, rights

Table = dict[tuple[str, str], Advice]

ROUTE = "see the way that packets take: ip route get ADDRESS"
FIREWALL = "see this host's firewall: sudo nft list ruleset"
BOUND = Advice("The socket is bound or connected already.", ("close it and open another",))
RAW_RIGHT = rights("CAP_NET_RAW")

PRIVILEGED_PORT = Advice(
    "Ports below net.ipv4.ip_unprivileged_port_start (1024) need CAP_NET_BIND_SERVICE.",
    (
        "choose a port from 1024 up",
        "lower the limit: sudo sysctl net.ipv4.ip_unprivileged_port_start=80",
        *rights("CAP_NET_BIND_SERVICE", namespace=False),
    ),
)
PING_RANGE = Advice(
    "Ping sockets are for the groups in net.ipv4.ping_group_range, and this process is in none of them (nor is root).",
    ("sudo sysctl net.ipv4.ping_group_range='0 2147483647'", "use a raw socket, with CAP_NET_RAW"),
)
NO_ROUTE = Advice(
    "The routing table has no route to that network, or the interface that leads there is down.",
    (ROUTE, "see which interfaces are up: ip -br address", "127.0.0.1 and ::1 need no route: sudo ip link set lo up"),
)
NO_ANSWER = Advice(
    "There is a route, but the host is not there: nobody on the last link answers for its address (ARP, neighbour "
    "discovery), or a router or firewall says that it can't be reached.",
    ("check the address", "see the neighbours of this host: ip neigh", "see whether it is up: ping ADDRESS", ROUTE),
)
NO_PORT = Advice(
    "An earlier message was answered by ICMP port unreachable: the host is there, but nobody has bound that port.",
    ("start the receiver", "look there: ss -lun", "localhost may be ::1 there and 127.0.0.1 here: write the number"),
)
FIREWALLED = Advice(
    "A firewall of this host, or a filter on this process's control group, dropped the packet as it left.",
    (FIREWALL, "in a systemd unit: look at IPAddressDeny="),
)
PORTS_USED_UP = Advice(
    "No local port is free towards that peer: all of net.ipv4.ip_local_port_range are in use, or a connection between "
    "the same two ends exists.",
    ("bind port 0, or another local address", "see what is open: ss -tan", "wait a minute: old connections linger"),
)
NO_SUCH_PROTOCOL = Advice(
    "The host answered that it does not have this protocol (ICMP protocol unreachable).",
    ("choose another protocol", "load it over there, such as: sudo modprobe sctp"),
)

INTERNET: Table = {
    ("socket", "ESOCKTNOSUPPORT"): Advice(
        "IP has no sockets of this type: RDM has none, SEQPACKET is SCTP's and type 6 DCCP's, which this kernel lacks.",
        ("choose SOCK_STREAM or SOCK_DGRAM", "load the module if there is one: sudo modprobe sctp"),
    ),
    ("socket", "EINVAL"): Advice(
        "IP has no protocol of that number: they end at 262 (IPPROTO_MPTCP), and for a header at 255.",
        ("choose a number of /etc/protocols",),
    ),
    ("setsockopt", "ENODEV"): Advice(
        "SO_BINDTODEVICE names an interface that this host does not have.", ("choose one from the list: ip link",)
    ),
    ("setsockopt", "EADDRNOTAVAIL"): Advice(
        "The option names an address that no interface here has, or a group that the socket has not joined.",
        ("choose one of: ip -br address", "join the group first"),
    ),
    ("setsockopt", "EADDRINUSE"): Advice("The socket has joined that group already.", ("leave the option out",)),
    ("bind", "EACCES"): PRIVILEGED_PORT,
    ("listen", "EACCES"): PRIVILEGED_PORT,
    ("bind", "EPERM"): Advice(
        "A filter on this process's control group, or a security module, forbids the address.",
        ("in a systemd unit: look at SocketBindDeny= and IPAddressDeny=", "choose another port"),
    ),
    ("bind", "ENODEV"): Advice(
        "The interface that the socket or the address names is gone.", ("choose one from the list: ip link",)
    ),
    ("connect", "ENETUNREACH"): NO_ROUTE,
    ("send", "ENETUNREACH"): NO_ROUTE,
    ("read", "ENETUNREACH"): Advice("A router on the way has no route to that network.", (ROUTE, "traceroute ADDRESS")),
    ("*", "EHOSTUNREACH"): NO_ANSWER,
    ("*", "EHOSTDOWN"): Advice(
        "A router on the way does not know the host (ICMP host unknown).", ("check the address",)
    ),
    ("*", "ENONET"): Advice(
        "A router on the way says that the host is isolated (ICMP).", ("ask who runs that network",)
    ),
    ("*", "ENETDOWN"): Advice(
        "The interface that leads there is down.",
        (ROUTE, "sudo ip link set INTERFACE up"),
    ),
    ("connect", "EPERM"): FIREWALLED,
    ("send", "EPERM"): FIREWALLED,
    ("connect", "EADDRNOTAVAIL"): PORTS_USED_UP,
    ("connect", "EAGAIN"): PORTS_USED_UP,
    ("*", "ETIMEDOUT"): Advice(
        "Nothing came back in time: the host is off, or a firewall on the way drops without a word.",
        ("see whether it is up: ping ADDRESS", ROUTE, "look for a firewall on the way: sudo traceroute ADDRESS"),
    ),
    ("*", "EPROTO"): Advice(
        "A router or the peer found a fault in the packet's header (ICMP parameter problem).",
        ("leave options of IP out",),
    ),
    ("*", "ENOPROTOOPT"): NO_SUCH_PROTOCOL,
    ("send", "ENOBUFS"): Advice(
        "The queue of the interface is full: it can't send as fast.",
        ("send more slowly", "see what it drops: ip -s link", "sudo ip link set INTERFACE txqueuelen 1000"),
    ),
}

DATAGRAMS: Table = {
    ("bind", "EADDRINUSE"): Advice(
        "Another socket has this address. Two share a port only if both set SO_REUSEADDR or SO_REUSEPORT before bind.",
        ("choose another port, or 0 for a free one", "see who has it: ss -anup", "set SO_REUSEPORT on both"),
    ),
    ("connect", "EADDRNOTAVAIL"): Advice(
        "No address of this host can be the sender towards that peer.",
        ("bind one of this host's addresses first: ip -br address", ROUTE),
    ),
    ("connect", "EAGAIN"): Advice(
        "No local port is free: all of net.ipv4.ip_local_port_range are bound.", ("close some: ss -anup",)
    ),
    ("send", "EAGAIN"): Advice(
        "The send buffer is full: the interface is slower than this sends.", ("wait a moment, then send again",)
    ),
    ("*", "ECONNREFUSED"): NO_PORT,
    ("send", "EDESTADDRREQ"): Advice(
        "The socket is not connected, so each message needs a destination.",
        ("give a peer with the message", "connect to one peer"),
    ),
    ("send", "EMSGSIZE"): Advice(
        "The message does not fit one datagram: IPv4 carries 65507 bytes of UDP, IPv6 65527, and no more than the "
        "path's "
        "MTU where fragments are forbidden (IP_MTU_DISCOVER).",
        ("send less at once: 1472 bytes go over Ethernet in one piece", "see the MTU: ip route get ADDRESS"),
    ),
    ("read", "EMSGSIZE"): Advice(
        "A router on the way could not forward a message that is longer than the next link's MTU.",
        ("send less at once: 1232 bytes pass nearly everywhere", "see the MTU: tracepath ADDRESS"),
    ),
}

STREAMS: Table = {
    ("bind", "EADDRINUSE"): Advice(
        "Another socket has this address. A server listens there, or connections of the last one linger (TIME_WAIT).",
        (
            "choose another port, or 0 for a free one",
            "see who has it: ss -tanp",
            "set SO_REUSEADDR, which ignores connections that linger",
        ),
    ),
    ("listen", "EADDRINUSE"): Advice(
        "Another socket has this address, and listens. SO_REUSEADDR lets both bind, but only one listen.",
        ("choose another port", "see who has it: ss -ltnp", "set SO_REUSEPORT on both"),
    ),
    ("listen", "EINVAL"): Advice("The socket is connected, so it can't listen.", ("close it and open another",)),
    ("connect", "ECONNREFUSED"): Advice(
        "Nobody listens there: the host is up and refused the connection, or a firewall did in its name. Port 0 is "
        "always refused.",
        (
            "start the server, or check the address and the port",
            "see what listens there: ss -ltn",
            "localhost may be ::1 there and 127.0.0.1 here: write the number",
        ),
    ),
    ("read", "ECONNRESET"): Advice(
        "The peer reset the connection: it crashed, closed with data unread, or knows nothing of the connection.",
        ("look at the peer's log", "connect again"),
    ),
    ("send", "ECONNRESET"): Advice(
        "The peer reset the connection: it crashed, closed with data unread, or knows nothing of the connection.",
        ("look at the peer's log", "connect again"),
    ),
    ("connect", "ECONNRESET"): Advice(
        "The peer reset the connection while it was made: its queue was full, or a firewall cut it.",
        ("try again", "look at the peer's log"),
    ),
    ("read", "ETIMEDOUT"): Advice(
        "The peer stopped answering: what was sent, or a keep-alive, was never acknowledged.",
        ("see whether it is up: ping ADDRESS", "connect again"),
    ),
    ("send", "ETIMEDOUT"): Advice(
        "The peer stopped answering: what was sent, or a keep-alive, was never acknowledged.",
        ("see whether it is up: ping ADDRESS", "connect again"),
    ),
    ("send", "EPIPE"): Advice(
        "The connection is over: the peer closed or reset it, or it never stood.", ("connect again",)
    ),
    ("read", "ENOTCONN"): Advice("The socket is not connected.", ("connect it",)),
    ("send", "ENOTCONN"): Advice("The socket is not connected.", ("connect it",)),
    ("connect", "EALREADY"): Advice(
        "An earlier connect is still under way.", ("wait for it to end, or close and open again",)
    ),
}

SCTP: Table = STREAMS | {
    ("connect", "EINVAL"): Advice(
        "SCTP connects to one host: not to a multicast or broadcast address.", ("give the address of a host",)
    ),
    ("send", "EMSGSIZE"): Advice(
        "A message of SCTP has to fit the send buffer whole.", ("send less at once", "set SO_SNDBUF higher")
    ),
    ("send", "EINVAL"): Advice("SCTP sends no empty message.", ("give at least one byte",)),
    ("connect", "EISCONN"): Advice("The association stands already.", ("close the socket and open another",)),
    ("connect", "ETIMEDOUT"): Advice(
        "No answer to the association's INIT came: the host is off, has no SCTP, or a firewall drops what is not TCP "
        "or "
        "UDP, as many do.",
        ("see whether it is up: ping ADDRESS", "over there: sudo modprobe sctp; ss -lnS"),
    ),
}

DCCP: Table = STREAMS | {
    ("socket", "ESOCKTNOSUPPORT"): Advice(
        "This kernel has no DCCP: the module is not there, or the kernel is Linux 6.16 or later, which has none.",
        ("sudo modprobe dccp_ipv4, if this system has that module", "boot a kernel before Linux 6.16"),
    ),
    ("connect", "EBADRQC"): Advice(
        "The peer listens for another service code.", ("set DCCP_SOCKOPT_SERVICE to the same on both ends",)
    ),
    ("connect", "EUSERS"): Advice("The peer is too busy to take a connection.", ("try again later",)),
    ("*", "EDQUOT"): Advice("The peer punished this end for sending too fast.", ("connect again, and send slower",)),
    ("*", "EBADR"): Advice("The peer did not accept the connection's cookie.", ("connect again",)),
    ("*", "ENOMSG"): Advice("The peer found a fault in a packet.", ("connect again",)),
    ("send", "EMSGSIZE"): Advice(
        "The message is longer than one packet of DCCP, which is never fragmented.", ("send less than the path's MTU",)
    ),
    ("send", "EAGAIN"): Advice(
        "The send queue is full: congestion control lets one packet go at a time.", ("wait a moment, then send again",)
    ),
}

MPTCP: Table = STREAMS | {
    ("socket", "ENOPROTOOPT"): Advice(
        "MPTCP is switched off (net.mptcp.enabled = 0).", ("sudo sysctl net.mptcp.enabled=1", "use tcp")
    ),
}

UDPLITE: Table = DATAGRAMS | {
    ("socket", "EPROTONOSUPPORT"): Advice(
        "This kernel has no UDP-Lite: it was built without, or is Linux 7.1 or later, which has none.",
        ("use udp", "boot a kernel before Linux 7.1"),
    ),
    ("read", "ENOPROTOOPT"): NO_SUCH_PROTOCOL,
    ("setsockopt", "EINVAL"): Advice("A coverage is 0 to 65535 bytes.", ("write 0 for the whole packet, or 8 and up",)),
}

UDP: Table = DATAGRAMS | {
    ("setsockopt", "ENOPROTOOPT"): Advice(
        "Sockets of UDP do not have the option: the UDPLITE_* options are for a socket made with IPPROTO_UDPLITE.",
        ("open udplite instead", "leave the option out"),
    ),
}

ICMP: Table = DATAGRAMS | {
    ("socket", "EACCES"): PING_RANGE,
    ("socket", "EPERM"): PING_RANGE,
    ("bind", "EADDRINUSE"): Advice(
        "Another ping socket has this identifier: the port is the identifier of its echo requests.",
        ("bind port 0: the kernel chooses",),
    ),
    ("send", "EMSGSIZE"): Advice("An echo request has at most 65507 bytes.", ("send less at once",)),
    ("*", "ECONNREFUSED"): Advice(
        "The host answered an earlier echo request by port unreachable, which is odd for a ping.", ("try again",)
    ),
    ("*", "EREMOTEIO"): Advice(
        "A router answered an earlier echo request: a redirect, or that it was congested.", (ROUTE,)
    ),
    ("send", "EDESTADDRREQ"): Advice(
        "The socket is not connected, so each echo request needs a destination.", ("give a peer with the message",)
    ),
}

RAW: Table = {
    ("socket", "EPERM"): Advice("Raw sockets need CAP_NET_RAW, which this process lacks.", RAW_RIGHT),
    ("socket", "EACCES"): Advice("Raw sockets need CAP_NET_RAW, which this process lacks.", RAW_RIGHT),
    ("socket", "EPROTONOSUPPORT"): Advice(
        "A raw socket is for one protocol, and 0 is none.",
        ("choose a number from 1 to 255, such as IPPROTO_ICMP", "IPPROTO_RAW (255) sends packets of any"),
    ),
    ("bind", "EINVAL"): Advice("The socket is connected, so it can't be bound.", ("bind first, then connect",)),
    ("setsockopt", "EOPNOTSUPP"): Advice(
        "The filter of ICMP is for raw sockets of ICMP.", ("open the socket with IPPROTO_ICMP or IPPROTO_ICMPV6",)
    ),
    ("send", "EDESTADDRREQ"): Advice(
        "The socket is not connected, so each packet needs a destination.", ("give a peer with the message",)
    ),
    ("connect", "EADDRNOTAVAIL"): DATAGRAMS["connect", "EADDRNOTAVAIL"],
    ("read", "EMSGSIZE"): DATAGRAMS["read", "EMSGSIZE"],
    ("send", "EMSGSIZE"): Advice(
        "The packet is longer than IP carries (65535 bytes), or, with a header of its own (IPPROTO_RAW, IP_HDRINCL), "
        "than "
        "the interface's MTU: such packets are not fragmented.",
        ("send less at once", "see the MTU: ip route get ADDRESS"),
    ),
    ("*", "ECONNREFUSED"): Advice(
        "An earlier packet was answered by ICMP port unreachable.", ("start the receiver over there",)
    ),
}

BY_PROTOCOL: dict[str, Table] = {
    "udp": UDP, "udplite": UDPLITE, "tcp": STREAMS, "mptcp": MPTCP, "sctp": SCTP, "dccp": DCCP, "icmp": ICMP,
    "raw": RAW,
}  # fmt: skip
