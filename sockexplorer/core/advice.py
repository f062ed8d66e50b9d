"""What an errno means, why it usually comes, and what to try next.

Families override entries that are truer for them; see ``Family.advice``. Sources: errno(3), the man page of each
call, ip(7), unix(7), netlink(7), packet(7), vsock(7), capabilities(7).
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sockexplorer.core.family import Protocol


@dataclass(frozen=True, slots=True)
class Advice:
    """``what`` happened in a sentence; ``fixes`` are things to try, the likeliest first."""

    what: str
    fixes: tuple[str, ...] = ()


def errno_name(number: int | None) -> str:
    """``EACCES`` for 13; Linux gives EOPNOTSUPP and ENOTSUP one number, and the first is the usual name."""
    if number is None:
        return ""
    name = errno.errorcode.get(number, f"errno {number}")
    return "EOPNOTSUPP" if name == "ENOTSUP" else name


_AMBIENT = (
    "sudo setpriv --reuid $USER --regid $(id -g) --init-groups --inh-caps +{cap} --ambient-caps +{cap} sockexplorer"
)
RIGHTS = (
    "run it as root: sudo sockexplorer",
    f"grant the one right to the one process: {_AMBIENT}",
    "try it in a namespace of your own, no rights needed: unshare -rn sockexplorer",
)


def rights(capability: str) -> tuple[str, ...]:
    """Ways to run with a capability. Never a setcap on python: any script would inherit it."""
    cap = capability.removeprefix("CAP_").lower()
    return tuple(line.format(cap=cap) for line in RIGHTS)


_GENERAL: dict[str, Advice] = {
    "EADDRINUSE": Advice(
        "Another socket has this address.",
        ("choose another port or name", "see who has it: ss -lnp", "set SO_REUSEADDR or SO_REUSEPORT on both"),
    ),
    "EADDRNOTAVAIL": Advice(
        "This host does not have that address.",
        ("bind an address of one of this host's interfaces, or '' for all of them",),
    ),
    "EAFNOSUPPORT": Advice("This kernel does not have the address family.", ()),
    "EPROTONOSUPPORT": Advice("This kernel does not have the protocol, or not for this socket type.", ()),
    "ESOCKTNOSUPPORT": Advice("The family has no sockets of this type.", ("choose another type",)),
    "EPROTOTYPE": Advice("The socket type does not fit the protocol or the peer.", ("choose the peer's type",)),
    "EPERM": Advice("The kernel does not let this process do that.", ()),
    "EACCES": Advice("The kernel does not let this process do that.", ()),
    "ECONNREFUSED": Advice(
        "Nobody listens there: the peer's host answered with a refusal.",
        ("start the server, or check the address and the port",),
    ),
    "ECONNRESET": Advice("The peer closed the connection abruptly.", ("look at the peer's log",)),
    "ETIMEDOUT": Advice("No answer came in time.", ("check the address, the route (ip route get …) and any firewall",)),
    "ENETUNREACH": Advice(
        "There is no route to that network.", ("look at: ip route get ADDRESS", "for IPv6 link-local set scope_id")
    ),
    "EHOSTUNREACH": Advice(
        "There is a route, but the host does not answer on it.", ("check that the host is up: ip neigh",)
    ),
    "ENETDOWN": Advice("The interface is down.", ("ip link set INTERFACE up",)),
    "ENODEV": Advice("There is no such interface or device.", ("choose one from the list: ip link",)),
    "ENXIO": Advice("The interface is gone.", ("choose one from the list: ip link",)),
    "ENOENT": Advice("There is nothing of that name.", ("check the spelling, and that it was created",)),
    "EMSGSIZE": Advice("The message is longer than the protocol carries in one piece.", ("send less at once",)),
    "EDESTADDRREQ": Advice(
        "The socket is not connected and no destination was given.", ("give a peer, or connect first",)
    ),
    "ENOTCONN": Advice("The socket has no peer.", ("connect it, or give a destination",)),
    "EISCONN": Advice("The socket is connected already.", ("close it and open another",)),
    "EPIPE": Advice("The connection is closed for sending.", ("open it again",)),
    "EINVAL": Advice("The kernel takes no such argument here.", ("check the values one by one",)),
    "EOPNOTSUPP": Advice("Sockets of this kind do not do that.", ("choose another action",)),
    "ENOBUFS": Advice("The kernel's buffer was full.", ("read faster, or make the receive buffer larger",)),
    "ENOPROTOOPT": Advice("This socket or kernel does not have the option.", ("leave the option out",)),
    "EMFILE": Advice("This process has as many descriptors as it may.", ("close something", "ulimit -n 4096")),
    "ENAMETOOLONG": Advice("The path is too long.", ("choose a shorter one",)),
    "ENOTDIR": Advice("A part of the path is not a directory.", ("check the path",)),
    "EROFS": Advice("The file system is read-only.", ("choose another directory, such as /tmp",)),
}


def general_advice(family: str, protocol: Protocol, operation: str, name: str, modules: tuple[str, ...] = ()) -> Advice:
    """The explanation of an errno that holds for every family. ``operation`` is the call that failed."""
    base = _GENERAL.get(name)
    look = f"see what this host has: sockexplorer doctor {family.partition('_')[2].lower()}"
    if name == "EAFNOSUPPORT":
        load = (f"sudo modprobe {modules[0]}, if this system has that module",) if modules else ()
        return Advice(f"This kernel has no {family}.", (*load, look))
    if name == "EPROTONOSUPPORT":
        load = (f"sudo modprobe {modules[-1]}, if this system has that module",) if modules else ()
        what = f"This kernel has no {protocol.proto} for {family} {protocol.type}."
        return Advice(what, (*load, look))
    if name in ("EPERM", "EACCES") and operation == "socket" and protocol.privilege:
        return Advice(
            f"Opening {family} {protocol.type} needs {protocol.privilege}, which this process lacks.",
            rights(protocol.privilege),
        )
    if base is None:
        number = getattr(errno, name, 0)
        return Advice(f"{os.strerror(number)}." if number else "The call failed.", ())
    return base
