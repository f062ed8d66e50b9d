"""The host's network interfaces, as psutil tells them: index, state, addresses, counters."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass
from pathlib import Path

ARPHRD_CAN = 280


@dataclass(frozen=True, slots=True)
class Interface:
    """One interface. ``addresses`` are (family number, address) as the system writes them; counters are bytes."""

    name: str
    index: int
    up: bool
    mtu: int
    addresses: tuple[tuple[int, str], ...]
    received: int = 0
    sent: int = 0

    def hosts(self, family: int) -> list[str]:
        """Its addresses of a family, without zone."""
        return [address.partition("%")[0] for number, address in self.addresses if number == family]

    @property
    def state(self) -> str:
        """``up`` or ``down``."""
        return "up" if self.up else "down"


def interfaces() -> list[Interface]:
    """Every interface, in the order of the index."""
    import psutil

    states, addresses = psutil.net_if_stats(), psutil.net_if_addrs()
    counters = psutil.net_io_counters(pernic=True)
    found = []
    for name, state in states.items():
        index = 0
        with contextlib.suppress(OSError):
            index = socket.if_nametoindex(name)
        count = counters.get(name)
        found.append(
            Interface(
                name,
                index,
                state.isup,
                state.mtu,
                tuple((int(each.family), each.address) for each in addresses.get(name, ())),
                count.bytes_recv if count else 0,
                count.bytes_sent if count else 0,
            )
        )
    return sorted(found, key=lambda each: each.index)


def can_interfaces() -> list[Interface]:
    """Those of CAN: ``type`` in sysfs is their ARPHRD number (<linux/if_arp.h>)."""
    found = []
    for each in interfaces():
        with contextlib.suppress(OSError, ValueError):
            if int((Path("/sys/class/net") / each.name / "type").read_text()) == ARPHRD_CAN:
                found.append(each)
    return found


def unix_sockets() -> list[tuple[str, str]]:
    """The paths and abstract names (with ``@``) of this host's named UNIX sockets that we may see, with their types."""
    import psutil

    try:
        connections = psutil.net_connections(kind="unix")
    except (psutil.Error, OSError):
        return []
    names = {1: "stream", 2: "dgram", 5: "seqpacket"}
    return sorted(
        {(str(each.laddr), names.get(int(each.type), str(int(each.type)))) for each in connections if each.laddr}
    )
