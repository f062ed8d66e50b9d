"""What an errno means for every family; what is truer for one stands with it, see ``Family.advice``.

Sources: errno(3), the man page of each call, socket(7), capabilities(7), net/socket.c and net/core of Linux.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from sockexplorer.core.advice import Advice, AdviceTable, look_up, rights

if TYPE_CHECKING:
    from sockexplorer.core.protocol import Protocol

DESCRIPTORS = ("close a session", "allow more, then start again: ulimit -n 4096")

GENERAL: AdviceTable = {
    # --- opening a socket ---
    ("socket", "ESOCKTNOSUPPORT"): Advice(
        "The family has no sockets of this type, or not with this protocol.", ("choose another type or protocol",)
    ),
    ("socket", "EPROTOTYPE"): Advice(
        "The protocol exists, for another type of socket.", ("choose the type that the protocol is for",)
    ),
    ("socket", "EINVAL"): Advice(
        "The family has no protocol of that number: it is out of range.", ("choose one of the declared protocols",)
    ),
    ("socket", "EPERM"): Advice(
        "This process may not open such a socket: a capability is missing, or a seccomp filter or a security module "
        "forbids the family.",
        ("open it as root: sockexplorer --via sudo", "in a container: allow the family in its seccomp profile"),
    ),
    ("socket", "EACCES"): Advice(
        "This process may not open such a socket: a capability is missing, or a seccomp filter or a security module "
        "forbids the family.",
        ("open it as root: sockexplorer --via sudo", "in a container: allow the family in its seccomp profile"),
    ),
    # --- options ---
    ("setsockopt", "ENOPROTOOPT"): Advice(
        "This socket or kernel does not have the option: the level does not belong to the protocol, or the name not "
        "to the level.",
        ("leave the option out", "see what this host has: sockexplorer doctor"),
    ),
    ("setsockopt", "EINVAL"): Advice(
        "The option takes no such value or length, or not at this point: some are for before bind, some for after.",
        ("check the value against the man page of the protocol", "leave the option out"),
    ),
    ("setsockopt", "EDOM"): Advice("The value is outside of the option's range.", ("choose a smaller one",)),
    ("setsockopt", "EPERM"): Advice(
        "The option, or this value of it, is for processes with CAP_NET_ADMIN (some with CAP_NET_RAW).",
        ("leave the option out", *rights("CAP_NET_ADMIN", namespace=False)),
    ),
    ("setsockopt", "EACCES"): Advice(
        "The option, or this value of it, is for processes with CAP_NET_ADMIN.",
        ("leave the option out", *rights("CAP_NET_ADMIN", namespace=False)),
    ),
    ("setsockopt", "EOPNOTSUPP"): Advice("Sockets of this kind do not have that option.", ("leave the option out",)),
    ("setsockopt", "ENODEV"): Advice(
        "The option names an interface that this host does not have.", ("choose one from the list: ip link",)
    ),
    ("setsockopt", "EISCONN"): Advice(
        "The option is for before the socket is bound or connected.", ("set it before bind",)
    ),
    ("setsockopt", "EBUSY"): Advice("The option can't change while it is in use.", ("open another socket",)),
    ("setsockopt", "EFAULT"): Advice(
        "The option wants a longer value than it was given.", ("give bytes of the structure's length",)
    ),
    # --- addresses ---
    ("*", "EADDRINUSE"): Advice(
        "Another socket has this address.",
        ("choose another port or name", "see who has it: ss -lnp", "set SO_REUSEADDR or SO_REUSEPORT on both"),
    ),
    ("*", "EADDRNOTAVAIL"): Advice(
        "This host does not have that address.",
        ("bind an address of one of this host's interfaces, or '' for all of them",),
    ),
    ("*", "EAFNOSUPPORT"): Advice(
        "The address is of another family than the socket.", ("write an address of the socket's family",)
    ),
    ("*", "EPROTONOSUPPORT"): Advice("The kernel lacks a protocol that this needs.", ("choose another protocol",)),
    ("*", "ESOCKTNOSUPPORT"): Advice("The type of socket is not supported over there.", ("choose another type",)),
    ("*", "EPROTOTYPE"): Advice("The socket type does not fit the protocol or the peer.", ("choose the peer's type",)),
    ("*", "EDESTADDRREQ"): Advice(
        "The socket is not connected and no destination was given.", ("give a peer, or connect first",)
    ),
    ("*", "ENAMETOOLONG"): Advice("The path is too long.", ("choose a shorter one",)),
    ("*", "ENOTDIR"): Advice("A part of the path is not a directory.", ("check the path: ls -ld PATH",)),
    ("*", "EISDIR"): Advice("The path is a directory.", ("write the path of a file in it",)),
    ("*", "ELOOP"): Advice("Symbolic links of the path lead in a circle.", ("look at: namei -l PATH",)),
    ("*", "EROFS"): Advice("The file system is read-only.", ("choose another directory, such as /tmp",)),
    ("*", "ENOENT"): Advice("There is nothing of that name.", ("check the spelling, and that it was created",)),
    # --- rights ---
    ("*", "EPERM"): Advice(
        "The kernel does not let this process do that: a capability is missing, or a firewall, a seccomp filter or a "
        "security module forbids it.",
        ("open it as root: sockexplorer --via sudo", "look at: sudo nft list ruleset; sudo dmesg"),
    ),
    ("*", "EACCES"): Advice(
        "The kernel does not let this process do that: a right is missing, or a security module forbids it.",
        ("open it as root: sockexplorer --via sudo", "look at: sudo dmesg"),
    ),
    # --- interfaces and routes ---
    ("*", "ENETDOWN"): Advice("The interface is down.", ("sudo ip link set INTERFACE up",)),
    ("*", "ENODEV"): Advice("There is no such interface or device.", ("choose one from the list: ip link",)),
    ("*", "ENXIO"): Advice("The interface is gone.", ("choose one from the list: ip link",)),
    ("*", "ENETUNREACH"): Advice(
        "There is no route to that network.", ("look at: ip route get ADDRESS", "for IPv6 link-local set scope_id")
    ),
    ("*", "EHOSTUNREACH"): Advice(
        "There is a route, but the host does not answer on it.", ("check that the host is up: ip neigh",)
    ),
    ("*", "EHOSTDOWN"): Advice("The host is down.", ("check that it is up, and reachable: ip neigh",)),
    ("*", "ENETRESET"): Advice("The connection was dropped by a reset of the network below.", ("open it again",)),
    ("*", "ENONET"): Advice("A router says that the host is cut off from the network.", ("ask who runs that network",)),
    # --- connections ---
    ("*", "ECONNREFUSED"): Advice(
        "Nobody listens there: the peer's host answered with a refusal.",
        ("start the server, or check the address and the port",),
    ),
    ("*", "ECONNRESET"): Advice(
        "The peer ended the connection abruptly: it crashed, or closed with data unread.", ("look at the peer's log",)
    ),
    ("*", "ECONNABORTED"): Advice("The connection was given up before it stood.", ("connect again",)),
    ("*", "ETIMEDOUT"): Advice(
        "No answer came in time.", ("check the address, the route (ip route get …) and any firewall",)
    ),
    ("*", "ENOTCONN"): Advice("The socket has no peer.", ("connect it, or give a destination",)),
    ("*", "EISCONN"): Advice("The socket is connected already.", ("close it and open another",)),
    ("*", "EALREADY"): Advice("The same is under way already.", ("wait for it to end, or close and open again",)),
    ("*", "EINPROGRESS"): Advice("The call goes on in the background.", ("wait for it to end",)),
    ("*", "EPIPE"): Advice("The connection is closed for sending: the peer is gone.", ("open it again",)),
    ("*", "ESHUTDOWN"): Advice("The connection was shut down.", ("open it again",)),
    ("*", "ENOTUNIQ"): Advice("The name is not unique on the network.", ("choose another name",)),
    # --- messages ---
    ("*", "EMSGSIZE"): Advice("The message is longer than the protocol carries in one piece.", ("send less at once",)),
    ("*", "EBADMSG"): Advice("A message was not well-formed.", ("compare it with the protocol's description",)),
    ("*", "EPROTO"): Advice(
        "The peer or a router on the way found a mistake in the protocol.", ("compare both ends' protocol and options",)
    ),
    ("*", "EILSEQ"): Advice("Parts of a message came in the wrong order.", ("send it again",)),
    ("*", "ENODATA"): Advice("There is nothing to send, or nothing to read.", ("give at least one byte",)),
    ("*", "ENOMSG"): Advice("There is no such message.", ("wait for one",)),
    ("*", "ETIME"): Advice("A timer of the protocol ran out.", ("check that the peer is there, and try again",)),
    # --- want of room ---
    ("send", "EAGAIN"): Advice(
        "The send buffer is full: the peer or the network takes nothing now.", ("wait a moment, then send again",)
    ),
    ("send", "ENOBUFS"): Advice(
        "The send queue of the interface, or the kernel's memory for it, is full.",
        ("send more slowly", "make the queue longer: sudo ip link set INTERFACE txqueuelen 1000"),
    ),
    ("read", "ENOBUFS"): Advice(
        "Messages came faster than they were read: the kernel dropped some.",
        ("read faster, or make the receive buffer larger (SO_RCVBUF)",),
    ),
    ("accept", "EMFILE"): Advice(
        "A peer waits to be accepted, but this process has as many descriptors as it may.", DESCRIPTORS
    ),
    ("accept", "EINVAL"): Advice("The socket does not listen any more.", ("close it, and listen again",)),
    ("accept", "EPERM"): Advice("A firewall of this host forbids the connection.", ("sudo nft list ruleset",)),
    ("*", "EAGAIN"): Advice("The call would have to wait, and the socket does not.", ("try again in a moment",)),
    ("*", "ENOBUFS"): Advice("The kernel's buffer was full.", ("try again in a moment, with less at once",)),
    ("*", "ENOMEM"): Advice("The kernel has no memory for this.", ("close something", "send less at once")),
    ("*", "EMFILE"): Advice("This process has as many descriptors as it may.", DESCRIPTORS),
    ("*", "ENFILE"): Advice(
        "The whole system has as many open files as it may.", ("close something", "look at: sysctl fs.file-nr")
    ),
    ("*", "ENOSPC"): Advice("There is no room left.", ("free some: df -h, df -i",)),
    ("*", "EUSERS"): Advice("There are too many users of it.", ("try again when one has left",)),
    ("*", "ETOOMANYREFS"): Advice(
        "Too many descriptors are on their way through sockets.", ("let the peer read first",)
    ),
    # --- the call itself ---
    ("bind", "EINVAL"): Advice(
        "The kernel does not bind that address, or the socket is bound already.",
        ("check the address field by field", "close the socket and open another"),
    ),
    ("listen", "EINVAL"): Advice(
        "The socket can't listen as it is: it is not bound, or connected already.", ("bind it, then listen",)
    ),
    ("connect", "EINVAL"): Advice(
        "The kernel does not connect to that address, or not from the one that the socket is bound to.",
        ("check the address field by field", "leave the local address out"),
    ),
    ("listen", "EOPNOTSUPP"): Advice("Sockets of this type have no connections.", ("bind instead",)),
    ("accept", "EOPNOTSUPP"): Advice("Sockets of this type have no connections.", ("bind instead",)),
    ("bind", "EOPNOTSUPP"): Advice("Sockets of this kind are not bound.", ("connect instead",)),
    ("connect", "EOPNOTSUPP"): Advice("Sockets of this kind are not connected.", ("bind instead",)),
    ("send", "EOPNOTSUPP"): Advice(
        "Sockets of this kind do not send like that: not with these flags, or not to an address.",
        ("connect first, and send without an address",),
    ),
    ("*", "EINVAL"): Advice("The kernel takes no such argument here.", ("check the values one by one",)),
    ("*", "EOPNOTSUPP"): Advice("Sockets of this kind do not do that.", ("choose another action",)),
    ("*", "ENOPROTOOPT"): Advice("The protocol is not available there.", ("choose another protocol",)),
    ("*", "ENOSYS"): Advice("The kernel was built without that.", ("see what this host has: sockexplorer doctor",)),
    ("*", "EBUSY"): Advice("It is in use.", ("close what uses it, then try again",)),
    ("*", "EDOM"): Advice("A number is outside of what the protocol takes.", ("check the numbers of the address",)),
    ("*", "ERANGE"): Advice("A number or a length is out of range.", ("choose a smaller one",)),
    ("*", "E2BIG"): Advice("There is more of it than the kernel takes.", ("give less",)),
    ("*", "EINTR"): Advice("A signal interrupted the call.", ("try again",)),
    ("*", "EIO"): Advice("The device or the link failed.", ("look at: sudo dmesg",)),
    ("*", "EBADF"): Advice("The socket is closed.", ("open it again",)),
    ("*", "EBADFD"): Advice("The socket is not in a state for this call.", ("close it and open another",)),
    ("*", "ENOTSOCK"): Advice("The descriptor is no socket.", ("open the socket again",)),
    ("*", "EFAULT"): Advice(
        "The kernel could not read or write the memory that it was given.", ("give a longer buffer",)
    ),
    ("*", "EOVERFLOW"): Advice("A number does not fit.", ("choose a smaller one",)),
    ("*", "EREMOTEIO"): Advice("The other end reported a failure of its own.", ("look at the peer's log",)),
    ("*", "ENOLINK"): Advice("The link was lost.", ("connect again",)),
    ("*", "ENOKEY"): Advice("A key is needed first.", ("set the key",)),
    ("*", "EKEYREVOKED"): Advice("The key was revoked.", ("set another key",)),
    ("*", "EKEYEXPIRED"): Advice("The key has expired.", ("set another key",)),
    ("*", "EKEYREJECTED"): Advice("The peer or the kernel rejected the key.", ("set another key",)),
    ("*", "EXDEV"): Advice("The two ends are on different devices.", ("use the same device for both",)),
    ("*", "ENOMEDIUM"): Advice("The device has no medium.", ("put one in",)),
    ("*", "ECOMM"): Advice("The line failed while sending.", ("check that the peer is there, and send again",)),
}


def general_advice(family: str, protocol: Protocol, operation: str, name: str, modules: tuple[str, ...] = ()) -> Advice:
    """The explanation of an errno that holds for every family. ``operation`` is the call that failed."""
    look = f"see what this host has: sockexplorer doctor {family.partition('_')[2].lower()}"
    if operation == "socket" and name == "EAFNOSUPPORT":
        load = (f"sudo modprobe {modules[0]}, if this system has that module",) if modules else ()
        return Advice(f"This kernel has no {family}.", (*load, look))
    if operation == "socket" and name == "EPROTONOSUPPORT":
        load = (f"sudo modprobe {modules[-1]}, if this system has that module",) if modules else ()
        what = f"This kernel has no {protocol.proto} for {family} {protocol.type}."
        return Advice(what, (*load, look))
    if operation == "socket" and name in ("EPERM", "EACCES") and protocol.privilege:
        return Advice(
            f"Opening {family} {protocol.type} needs {protocol.privilege}, which this process lacks.",
            rights(protocol.privilege),
        )
    known = look_up((GENERAL,), operation, name)
    if known is None:
        number = getattr(errno, name, 0)
        return Advice(f"{os.strerror(number)}." if number else "The call failed.", ())
    return known
