"""The network interfaces where the engine runs, as the kernel tells them: index, state, addresses, counters.

Source: rtnetlink(7), <linux/if_link.h>, <linux/if_addr.h>.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ARPHRD_CAN = 280
IFF_UP, IFF_RUNNING = 1, 0x40
RTM_GETLINK, RTM_GETADDR = 18, 22
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST_DUMP = 0x301
IFLA_IFNAME, IFLA_MTU, IFLA_STATS64 = 3, 4, 23
IFA_ADDRESS, IFA_LOCAL = 1, 2


@dataclass(frozen=True, slots=True)
class Interface:
    """One interface. ``addresses`` are (family number, address) as inet_ntop(3) writes them; counters are bytes."""

    name: str
    index: int
    kind: int
    """``ARPHRD_…``, <linux/if_arp.h>."""
    up: bool
    """Whether packets pass: it is switched on, and has a carrier (netdevice(7), IFF_RUNNING)."""
    mtu: int
    addresses: tuple[tuple[int, str], ...] = ()
    received: int = 0
    sent: int = 0
    enabled: bool = False
    """Whether it is switched on, as ``ip link set NAME up`` does it, with a carrier or without (IFF_UP)."""

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Interface:
        """The interface of `dataclasses.asdict`, after it was JSON."""
        return cls(**{**value, "addresses": tuple((int(family), str(host)) for family, host in value["addresses"])})

    def hosts(self, family: int) -> list[str]:
        """Its addresses of a family, without zone."""
        return [address for number, address in self.addresses if number == family]

    @property
    def state(self) -> str:
        """``up`` or ``down``."""
        return "up" if self.up else "down"


def interfaces() -> list[Interface]:
    """Every interface, in the order of the index. Raises OSError where the kernel has no rtnetlink."""
    hosts: dict[int, list[tuple[int, str]]] = {}
    found = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
        sock.bind((0, 0))
        # struct ifaddrmsg: family, prefix length, flags, scope, then the index.
        for message in _dump(sock, RTM_GETADDR, bytes(8)):
            family, _, _, _, index = struct.unpack_from("=BBBBI", message)
            attributes = dict(_attributes(message[8:]))
            address = attributes.get(IFA_LOCAL, attributes.get(IFA_ADDRESS, b""))
            if len(address) == {socket.AF_INET: 4, socket.AF_INET6: 16}.get(family):
                hosts.setdefault(index, []).append((family, socket.inet_ntop(family, address)))
        # struct ifinfomsg: family, padding, type, index, flags, change.
        for message in _dump(sock, RTM_GETLINK, bytes(16)):
            kind, index, flags = struct.unpack_from("=xxHiI", message)
            attributes = dict(_attributes(message[16:]))
            # struct rtnl_link_stats64 begins with the packets, then the bytes, of both directions.
            counters = attributes.get(IFLA_STATS64, b"").ljust(32, b"\0")
            received, sent = struct.unpack_from("=QQ", counters, 16)
            name = os.fsdecode(attributes.get(IFLA_IFNAME, b"").rstrip(b"\0"))
            mtu = int.from_bytes(attributes.get(IFLA_MTU, b""), sys.byteorder)
            addresses = tuple(hosts.get(index, ()))
            up, enabled = bool(flags & IFF_RUNNING), bool(flags & IFF_UP)
            found.append(Interface(name, index, kind, up, mtu, addresses, received, sent, enabled))
    return sorted(found, key=lambda each: each.index)


def _dump(sock: socket.socket, kind: int, body: bytes) -> Iterator[bytes]:
    """The bodies of what the kernel answers to a request for everything. Raises OSError."""
    sock.send(struct.pack("=IHHII", 16 + len(body), kind, NLM_F_REQUEST_DUMP, 1, 0) + body)
    while True:
        data = sock.recv(2**20)
        while len(data) >= 16:
            length, answer = struct.unpack_from("=IH", data)
            message, data = data[16:length], data[(max(length, 16) + 3) & ~3 :]
            if answer == NLMSG_DONE:
                return
            if answer == NLMSG_ERROR:
                (number,) = struct.unpack_from("=i", message)
                raise OSError(-number, os.strerror(-number))
            yield message


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and value of each ``struct rtattr``."""
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        yield kind, data[4:length]
        data = data[(max(length, 4) + 3) & ~3 :]
