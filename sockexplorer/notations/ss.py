"""Lines that ss prints, with the column Netid or without it.

Source: ss(8); misc/ss.c and lib/ll_proto.c of iproute2, which print the columns. ss shows no protocol of UDP-Lite.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from sockexplorer.core.constants import number
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol
from sockexplorer.families import family as family_named
from sockexplorer.notations.proc_net import names
from sockexplorer.notations.reading import Reading, accepts, ends, fitting

NOTATION = "line of ss"
ANY = 0xFFFFFFFF
_PROTO_MAX = 255
_INTERNET = {
    "tcp": ("SOCK_STREAM", "IPPROTO_TCP"), "mptcp": ("SOCK_STREAM", "IPPROTO_MPTCP"),
    "udp": ("SOCK_DGRAM", "IPPROTO_UDP"), "sctp": ("SOCK_STREAM", "IPPROTO_SCTP"),
    "dccp": ("SOCK_DCCP", "IPPROTO_DCCP"), "raw": ("SOCK_RAW", ""), "icmp6": ("SOCK_RAW", ""),
}  # fmt: skip
_TYPES = {
    "u_str": ("unix", "SOCK_STREAM"), "u_seq": ("unix", "SOCK_SEQPACKET"), "u_dgr": ("unix", "SOCK_DGRAM"),
    "p_raw": ("packet", "SOCK_RAW"), "p_dgr": ("packet", "SOCK_DGRAM"), "nl": ("netlink", ""),
    "v_str": ("vsock", "SOCK_STREAM"), "v_dgr": ("vsock", "SOCK_DGRAM"),
    "ti_st": ("tipc", "SOCK_STREAM"), "ti_dg": ("tipc", "SOCK_DGRAM"), "ti_rd": ("tipc", "SOCK_RDM"),
    "ti_sq": ("tipc", "SOCK_SEQPACKET"),
}  # fmt: skip
_NETLINK = {
    "rtnl": 0, "usersock": 2, "fw": 3, "tcpdiag": 4, "nflog": 5, "xfrm": 6, "selinux": 7, "iscsi": 8, "audit": 9,
    "fiblookup": 10, "connector": 11, "nft": 12, "ip6fw": 13, "dec-rt": 14, "uevent": 15, "genl": 16,
    "scsi-trans": 18, "ecryptfs": 19, "rdma": 20, "crypto": 21,
}  # fmt: skip
"""iproute2's own names of the protocols (etc/iproute2/nl_protos)."""
_LINE = re.compile(
    rf"\s*(?:(?P<netid>{'|'.join((*_INTERNET, *_TYPES))}|\?\?\?)\s+)?"
    r"(?:(?P<state>LISTEN|UNCONN|ESTAB|TIME-WAIT|CLOSE-WAIT|LAST-ACK|FIN-WAIT-[12]|SYN-SENT|SYN-RECV|CLOSING)\s+)?"
    r"\d+\s+\d+\s+(?P<rest>\S.*)"
)
_UNIX_SHAPE = re.compile(r"(?P<local>.*?) \d+\s+\* \d+(?:\s.*)?")
_UNIX_ENDS = re.compile(r"(?P<local>.*?)[ :]\s*\d+\s+\S+[ :]\s*\d+(?:\s.*)?")
"""The other end with its name or after a colon, as older versions print it."""
_HOST = re.compile(r"\[?(?P<host>[^\[\]%]*)(?:%(?P<inner>[^\[\]]+))?\]?(?:%(?P<zone>.+))?")


@dataclass(frozen=True)
class _Row:
    """The columns of a line; ``netid`` and ``state`` are "" where ss leaves them out."""

    netid: str
    state: str
    rest: str

    @property
    def local(self) -> str:
        return self.rest.split(maxsplit=1)[0]

    @property
    def remote(self) -> str:
        return (*self.rest.split(maxsplit=2), "")[1]


def read(text: str) -> Iterator[Reading]:
    """The socket of the first line that is one; the header and the details below a socket are passed over."""
    for line in text.split("\n"):
        found = _LINE.fullmatch(line.rstrip())
        if found is None:
            continue
        readings = list(_row(_Row(found["netid"] or "", found["state"] or "", found["rest"])))
        if readings:
            yield from readings
            return


def _row(row: _Row) -> Iterator[Reading]:
    family, kind = _TYPES.get(row.netid, ("", ""))
    if row.netid in _INTERNET:
        yield from _internet(row, row.netid)
    elif family == "unix":
        yield from _unix(row, [kind])
    elif family == "netlink":
        yield from _netlink(row)
    elif family == "packet":
        yield from _packet(row, kind)
    elif family in ("vsock", "tipc"):
        yield from _pair(row, family, kind)
    else:
        yield from _guessed(row)


def _guessed(row: _Row) -> Iterator[Reading]:
    """A line without Netid: ss leaves it out where it shows sockets of one kind only."""
    if _UNIX_SHAPE.fullmatch(row.rest):
        kinds = ["SOCK_DGRAM"] if row.state == "UNCONN" else ["SOCK_STREAM", "SOCK_SEQPACKET", "SOCK_DGRAM"]
        yield from _unix(row, kinds)
    elif row.remote == "-":
        for kind in ("SOCK_STREAM", "SOCK_SEQPACKET", "SOCK_DGRAM", "SOCK_RDM"):
            yield from _pair(row, "tipc", kind)
    elif row.remote == "*":
        yield from _netlink(row)
        yield from _packet(row, "SOCK_RAW")
        yield from _packet(row, "SOCK_DGRAM")
    elif row.netid == "???":
        # A type or a protocol that ss has no name for: SOCK_SEQPACKET of vsock, a raw socket.
        yield from _pair(row, "vsock", "SOCK_SEQPACKET")
        yield from _internet(row, "raw")
    elif re.fullmatch(rf"\d+|{'|'.join(_NETLINK)}", row.local.rpartition(":")[0]):
        yield from _netlink(row)
        yield from _pair(row, "vsock", "SOCK_STREAM")
    elif ":" in row.remote:
        unconnected = ("raw", "udp") if _looks_raw(row.local) else ("udp", "raw")
        likely = {"UNCONN": unconnected, "ESTAB": ("tcp", "mptcp", "udp"), "": ("tcp", "udp")}
        for netid in likely.get(row.state, ("tcp", "mptcp")):
            yield from _internet(row, netid)
        yield from _pair(row, "vsock", "SOCK_STREAM")


def _looks_raw(local: str) -> bool:
    """Whether what stands for the port is one of the protocol numbers that raw sockets are mostly opened with."""
    port = local.rpartition(":")[2]
    usual = {each for protocol in family_named("inet").protocols for each in protocol.proto_choices.values()}
    usual |= {each for protocol in family_named("inet6").protocols for each in protocol.proto_choices.values()}
    return port in {str(each) for each in usual}


# --- internet ------------------------------------------------------------------------------------------------------


def _internet(row: _Row, netid: str) -> Iterator[Reading]:
    for family in _versions(row.local, row.remote):
        type_name, proto_name = _INTERNET[netid]
        local, remote = (_end(family, text, netid) for text in (row.local, row.remote))
        if local is None:
            continue
        if netid in ("raw", "icmp6"):
            proto = int(str(local[1]))
            if proto > _PROTO_MAX:
                continue
            local = (local[0], 0, *local[2:])
            remote = None if remote is None else (remote[0], 0, *remote[2:])
            fits: list[tuple[Protocol, int | None]] = [(each, proto) for each in family.protocols if each.proto_choices]
        else:
            fits = fitting(family, number(type_name), number(proto_name))
        unconnected = remote is None or row.remote.endswith(":*")
        for protocol, proto_ in fits:
            if accepts(family, protocol, local) and (unconnected or accepts(family, protocol, remote)):
                yield from ends(
                    family, protocol, local, None if unconnected else remote, listening=row.state == "LISTEN",
                    proto=proto_, notation=NOTATION,
                )  # fmt: skip


def _versions(*texts: str) -> list[Family]:
    """By the hosts: ``*`` alone is IPv6's, which takes IPv4 too; of iproute2 before 4.17 it was IPv4's."""
    hosts = [text.rpartition(":")[0] for text in texts]
    if any(":" in each for each in hosts):
        return [family_named("inet6")]
    if all(each.partition("%")[0] == "*" for each in hosts):
        return [family_named("inet6"), family_named("inet")]
    return [family_named("inet")]


def _end(family: Family, text: str, netid: str) -> tuple[object, ...] | None:
    """``[fe80::1]%eth0:546``, ``*:ssh``, ``127.0.0.1:domain``: the address as getsockname() gives it."""
    host_text, colon, port_text = text.rpartition(":")
    found = _HOST.fullmatch(host_text if not host_text.startswith(":") else f"[{host_text}]")
    port = 0 if port_text == "*" else _port(port_text, netid)
    if not colon or found is None or port is None:
        return None
    host = found["host"]
    if family.constant == "AF_INET":
        return ("0.0.0.0" if host == "*" else host, port)
    zone = found["zone"] or found["inner"] or ""
    return ("::" if host == "*" else host, port, 0, _scope(host, zone))


def _scope(host: str, zone: str) -> int:
    """The index of a zone where the address needs one; elsewhere it only says which device the socket is bound to."""
    try:
        address = ipaddress.IPv6Address(host)
        local = address.is_link_local or (address.is_multicast and address.packed[1] & 0xF == 2)
        if not local or not zone:
            return 0
        return int(zone) & ANY if zone.isdecimal() else socket.if_nametoindex(zone)
    except (OSError, ValueError):
        return 0


def _port(text: str, netid: str) -> int | None:
    """A port, or the protocol of a raw socket: a number, or a name of the local tables (/etc/services, protocols)."""
    if re.fullmatch(r"[0-9]{1,5}", text):
        return int(text)
    try:
        if netid in ("raw", "icmp6"):
            return socket.getprotobyname(text)
        return socket.getservbyname(text, "udp" if netid == "udp" else "tcp")
    except (OSError, UnicodeError, ValueError):
        return None


# --- the others ----------------------------------------------------------------------------------------------------


def _unix(row: _Row, kinds: list[str]) -> Iterator[Reading]:
    family = family_named("unix")
    found = _UNIX_SHAPE.fullmatch(row.rest) or _UNIX_ENDS.fullmatch(row.rest)
    if found is None:
        return
    for kind in kinds:
        for protocol, _ in fitting(family, number(kind), 0):
            if found["local"] == "*":
                yield from ends(family, protocol, None, None, notation=NOTATION)
            else:
                for address in names(found["local"]):
                    if accepts(family, protocol, address):
                        yield from ends(
                            family, protocol, address, None, listening=row.state == "LISTEN", notation=NOTATION
                        )  # fmt: skip


def _netlink(row: _Row) -> Iterator[Reading]:
    family = family_named("netlink")
    proto, _, who = row.local.partition(":")
    pid = re.fullmatch(r"(?:.*/)?(-?\d{1,10})", who) if who not in ("kernel", "*") else None
    if proto not in _NETLINK and not re.fullmatch(r"\d{1,3}", proto):
        return
    if pid is None and who not in ("kernel", "*"):
        return
    address = (int(pid[1]) & ANY if pid else 0, 0)
    for protocol, _ in fitting(family, None, _NETLINK[proto] if proto in _NETLINK else int(proto)):
        yield from ends(family, protocol, address, None, notation=NOTATION)


def _packet(row: _Row, kind: str) -> Iterator[Reading]:
    family = family_named("packet")
    proto_text, colon, interface = row.local.rpartition(":")
    for protocol, _ in fitting(family, number(kind), 0):
        proto = _ethertype(family, protocol, proto_text)
        if colon and proto is not None:
            address = ("" if interface == "*" else interface, proto)
            yield from ends(family, protocol, address, None, notation=NOTATION)


def _ethertype(family: Family, protocol: Protocol, text: str) -> object:
    """``*`` is every frame, ``[2048]`` a number (in brackets), the rest iproute2's name, mostly the kernel's."""
    if found := re.fullmatch(r"\[(\d{1,5})\]", text):
        return int(found[1])
    name = {"*": "ALL", "802.1Q": "8021Q", "802.1ad": "8021AD", "ipv4": "IP"}.get(text, text.upper())
    try:
        return family.fields(protocol)[1].parse(f"ETH_P_{name}")
    except ValueError:
        return None


def _pair(row: _Row, name: str, kind: str) -> Iterator[Reading]:
    """Two numbers: cid and port of vsock, node and reference of TIPC."""
    family = family_named(name)
    local, remote = (_numbers(name, text) for text in (row.local, row.remote))
    if local is None:
        return
    for protocol, _ in fitting(family, number(kind), 0):
        yield from ends(
            family, protocol, local, None if row.remote in ("*:*", "-") else remote,
            listening=row.state == "LISTEN", notation=NOTATION,
        )  # fmt: skip


def _numbers(name: str, text: str) -> tuple[int, ...] | None:
    found = re.fullmatch(r"(\*|\d{1,10}):(\*|\d{1,10})", text)
    if found is None:
        return None
    first, second = (ANY if each == "*" else int(each) for each in found.groups())
    return (first, second) if name == "vsock" else (number("TIPC_ADDR_ID"), first, second, 0)
