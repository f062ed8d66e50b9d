"""AF_TIPC: services by name in a cluster. Source: tipc(7), <linux/tipc.h>, net/tipc; ``case AF_TIPC``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sockexplorer.core.advice import Advice
from sockexplorer.core.cformats import index
from sockexplorer.core.demo import OTHER, Act, Demo, End, conversation
from sockexplorer.core.family import Family
from sockexplorer.core.faults import LOOK_UP, FieldError, Notice, Raises, shown
from sockexplorer.core.fields import Field, Integer
from sockexplorer.core.protocol import Option, Protocol, Role
from sockexplorer.core.sockaddr import Layout, Part, named

ORDER = 70
NAMESEQ, NAME, ID = 1, 2, 3
TYPES = {"TIPC_ADDR_NAMESEQ": NAMESEQ, "TIPC_ADDR_NAME": NAME, "TIPC_ADDR_ID": ID}
SCOPES = {"TIPC_ZONE_SCOPE": 1, "TIPC_CLUSTER_SCOPE": 2, "TIPC_NODE_SCOPE": 3}


class Scope(Integer):
    """``I``, of which ``sockaddr_tipc`` keeps a signed byte."""

    def notices(self, value: object) -> Iterator[str]:
        number = index(value)
        kept = (number + 128) % 256 - 128
        if kept < 0:
            yield f"the kernel keeps a signed byte, {kept}: a scope below 0 withdraws the name"
        elif kept != number:
            yield f"{shown(number)} does not fit a signed byte: the kernel gets {kept}"
        elif kept not in SCOPES.values():
            yield "there are the scopes 1 to 3"


WORD = Integer(0, 2**32 - 1, wraps=True)
LOCAL = {"addr_type": "TIPC_ADDR_NAMESEQ", "v1": "1000", "v2": "0", "v3": "10", "scope": "TIPC_CLUSTER_SCOPE"}
REMOTE = {"addr_type": "TIPC_ADDR_NAME", "v1": "1000", "v2": "5", "v3": "0", "scope": "TIPC_CLUSTER_SCOPE"}
SERVICE, INSTANCE = (NAMESEQ, 1000, 0, 10), (NAME, 1000, 5, 0)
CLIENT = (NAMESEQ, 1001, 0, 0)
"""Who waits for answers has to be bound, if only to a name that nobody uses."""
ACCEPTED = "the peer's accept()"
# struct tipc_subscr for the topology service (1:1), in this machine's order: service 1000, instances 0 to 100, for
# ever, each socket's coming and going.
SUBSCRIBE = r"\xe8\x03\0\0\0\0\0\0\x64\0\0\0\xff\xff\xff\xff\x01\0\0\0" + r"\0" * 8
MASK = 0xFFFFFFFF
IMPORTANCE = Option(
    "SOL_TIPC", "TIPC_IMPORTANCE", "0 low to 3 critical: which messages are dropped first when there is congestion",
    flag=False, kind=Integer(0, 3, names={"TIPC_LOW_IMPORTANCE": 0, "TIPC_MEDIUM_IMPORTANCE": 1,
                                          "TIPC_HIGH_IMPORTANCE": 2, "TIPC_CRITICAL_IMPORTANCE": 3}),
)  # fmt: skip
DROPPABLE = Option(
    "SOL_TIPC", "TIPC_DEST_DROPPABLE", "0: a message that nobody takes comes back; 1, as it is at first: it is dropped",
    flag=False, kind=Integer(0, 1),
)  # fmt: skip
CONN_TIMEOUT = Option(
    "SOL_TIPC", "TIPC_CONN_TIMEOUT", "milliseconds that connect() waits for the peer to accept; 8000 at first",
    flag=False, kind=Integer(0, 2**31 - 1),
)  # fmt: skip
_HEAD = (
    Part("family", "H", "address family", show=named({"AF_TIPC": 30})),
    Part("addrtype", "B", "what the rest means", show=named(TYPES)),
    Part("scope", "b", "how far a name is known; negative withdraws it", show=named(SCOPES)),
)
# One union, three readings. The reference stands before the node, other than in Python's tuple.
SOCKADDRS = {
    NAMESEQ: Layout(
        "sockaddr_tipc",
        *_HEAD,
        Part("nameseq.type", "I", "service type"),
        Part("nameseq.lower", "I", "lowest instance"),
        Part("nameseq.upper", "I", "highest instance"),
    ),
    NAME: Layout(
        "sockaddr_tipc",
        *_HEAD,
        Part("name.type", "I", "service type"),
        Part("name.instance", "I", "instance"),
        Part("name.domain", "I", "where to look; Python writes 0, anywhere"),
    ),
    ID: Layout(
        "sockaddr_tipc",
        *_HEAD,
        Part("id.ref", "I", "reference: which socket of the node"),
        Part("id.node", "I", "node"),
        Part("unused", "I", "unused"),
    ),
}
"""``struct sockaddr_tipc`` of ``<linux/tipc.h>`` by addrtype."""


class Tipc(Family):
    constant = "AF_TIPC"
    title = "TIPC"
    summary = "services by name: (addr_type, v1, v2, v3[, scope])"
    availability = "Linux 2.6.16"
    modules = ("tipc",)
    shape = "AF_TIPC address must be a tuple (addr_type, v1, v2, v3[, scope])"
    help = (
        "What v1, v2 and v3 mean depends on addr_type. NAMESEQ binds the instances v2 to v3 of service type v1; NAME "
        "reaches instance v2 of type v1; ID is node v1 and reference v2. Service types below 64 are the system's."
    )
    pitfalls = (
        "connect() returns only when the peer has accepted.",
        "getsockname() gives the id of the socket, never the name that was bound.",
        "In an ID the node comes first, in the structure the reference.",
    )
    advice = {
        ("socket", "EPROTONOSUPPORT"): Advice("TIPC has the protocol 0 only.", ("write proto 0",)),
        ("socket", "EPROTOTYPE"): Advice(
            "TIPC has streams, sequenced packets, datagrams and reliable datagrams.",
            ("choose stream, seqpacket, dgram or rdm",),
        ),
        ("socket", "EINVAL"): Advice("All of this node's TIPC ports are in use.", ("close some: tipc socket list",)),
        ("bind", "EAFNOSUPPORT"): Advice(
            "A socket is bound to a name, not to an id: every socket has an id of its own.",
            ("write TIPC_ADDR_NAMESEQ and a range",),
        ),
        ("bind", "EACCES"): Advice(
            "Service types below 64 are TIPC's own (0 and 1 are its topology service); or the socket is in a group.",
            ("choose a type from 64 up",),
        ),
        ("bind", "EINVAL"): Advice(
            "The range ends before it begins, the same socket has it already, or the socket is connected.",
            ("write v2 not above v3", "close the socket and open another"),
        ),
        ("bind", "EADDRINUSE"): Advice("The socket has bound as many names as it can.", ("open another socket",)),
        ("connect", "EOPNOTSUPP"): Advice(
            "A socket that has bound a name is a server's: it does not connect.", ("leave the local address out",)
        ),
        ("connect", "EINVAL"): Advice(
            "A connection goes to one instance (NAME) or one socket (ID), not to a range.", ("write TIPC_ADDR_NAME",)
        ),
        ("*", "EHOSTUNREACH"): Advice(
            "Nobody has bound that name in its scope, or the node of the id is not there.",
            ("start the server", "see: tipc nametable show", "see the other nodes: tipc node list"),
        ),
        ("connect", "ECONNREFUSED"): Advice(
            "The name is bound, or the id is there, but the socket does not listen, or its backlog is full.",
            ("let the server listen", "see: tipc socket list"),
        ),
        ("connect", "ETIMEDOUT"): Advice(
            "The server did not accept in time: a connection stands when it is accepted, not when it is queued.",
            ("let the server accept", "choose the server's type of socket"),
        ),
        ("connect", "EALREADY"): Advice("The server has not accepted yet.", ("wait for it",)),
        ("send", "EDESTADDRREQ"): Advice(
            "The socket is not connected, so each message needs a destination.",
            ("give a name or an id with the message", "connect to one peer"),
        ),
        ("send", "EINVAL"): Advice(
            "The destination is no name, range or id that TIPC sends to.", ("write v2 not above v3 in a range",)
        ),
        ("send", "EMSGSIZE"): Advice("A message has at most 66000 bytes.", ("send less at once", "use stream")),
        ("send", "ENOTCONN"): Advice("The connection does not stand.", ("connect it",)),
        ("send", "EPIPE"): Advice("The peer closed the connection.", ("connect again",)),
        ("send", "EISCONN"): Advice("The socket is connected: it sends to its peer only.", ("give no destination",)),
        ("send", "EAGAIN"): Advice(
            "The link is congested, or the peer has not read what it has.", ("wait a moment, then send again",)
        ),
        ("*", "ECONNRESET"): Advice(
            "The peer went away: it closed with data unread, ended, or its node was lost.",
            ("look at the peer's log", "see the other nodes: tipc node list", "connect again"),
        ),
        ("*", "ECONNABORTED"): Advice(
            "The peer did not answer the probes of an idle connection.", ("see: tipc node list", "connect again")
        ),
        ("read", "ENOTCONN"): Advice("The connection does not stand, or is over.", ("connect it",)),
        ("setsockopt", "EACCES"): Advice(
            "A group has a type from 64 up, and a socket is in one group at most.", ("choose another type",)
        ),
        ("setsockopt", "EINVAL"): Advice(
            "TIPC does not have the option, or the importance is above 3.", ("write an importance of 0 to 3",)
        ),
    }
    protocols = (
        Protocol(
            "stream", "SOCK_STREAM", "0", "byte streams", ("listen", "connect"),
            messages=False, connections=True, ends_in_reset=True, local=LOCAL, remote=REMOTE, connect_waits=ACCEPTED,
            options=(IMPORTANCE, CONN_TIMEOUT), help="A byte stream to a named service.",
        ),
        Protocol(
            "seqpacket", "SOCK_SEQPACKET", "0", "connected messages", ("listen", "connect"),
            connections=True, ends_in_reset=True, local=LOCAL, remote=REMOTE, snaplen=66000, sample=SUBSCRIBE,
            connect_waits=ACCEPTED, options=(IMPORTANCE, CONN_TIMEOUT),
            help="A connection with message boundaries. Connected to 1:1, the topology service, the sample subscribes "
            "to service 1000.",
        ),
        Protocol(
            "dgram", "SOCK_DGRAM", "0", "datagrams", local=LOCAL, remote=REMOTE, snaplen=66000,
            options=(IMPORTANCE, DROPPABLE), help="Messages that may be lost when the receiver is busy.",
        ),
        Protocol(
            "rdm", "SOCK_RDM", "0", "reliable datagrams", local=LOCAL, remote=REMOTE, snaplen=66000,
            options=(IMPORTANCE, DROPPABLE),
            help="Messages that are delivered, or come back to the sender with TIPC_DEST_DROPPABLE=0.",
        ),
    )  # fmt: skip

    demos = {
        name: conversation(
            "A service is published under a name, and found by it.", End("listen" if connects else "bind", SERVICE),
            End("connect", remote=INSTANCE),
        )
        for name, connects in (("stream", True), ("seqpacket", True))
    } | {
        name: Demo(
            "A message finds a service by its name; the sender is an id.", (End("bind", SERVICE), End("bind", CLIENT)),
            (Act(1, b"hello", INSTANCE), Act(0, b"hello yourself", OTHER)),
        )
        for name in ("dgram", "rdm")
    }  # fmt: skip

    def fields(self, protocol: Protocol) -> tuple[Field, ...]:
        return (
            Field("addr_type", Integer(0, MASK, wraps=True, names=TYPES), "TIPC_ADDR_NAME", "NAMESEQ, NAME or ID",
                  pitfall="bind wants NAMESEQ; an ID is refused with EAFNOSUPPORT."),
            Field("v1", WORD, "1000", "service type; for ID the node",
                  pitfall="Types below 64 are reserved."),
            Field("v2", WORD, "0", "instance, or the lowest of a range; for ID the reference",
                  pitfall="It must not be above v3 in a NAMESEQ."),
            Field("v3", WORD, "0", "highest instance of a NAMESEQ; else unused",
                  pitfall="In a NAME it is ignored, and reads back as the instance."),
            Field(
                "scope", Scope(0, MASK, wraps=True, names=SCOPES), "TIPC_CLUSTER_SCOPE", "how far the name is known",
                optional=True, pitfall="It is a signed byte in the kernel: -1 withdraws a name.",
            ),
        )  # fmt: skip

    def check(self, protocol: Protocol, address: object) -> None:
        super().check(protocol, address)
        assert isinstance(address, tuple)
        if index(address[0]) & MASK not in TYPES.values():
            raise FieldError(
                "addr_type",
                address[0],
                "is no address type",
                "write 1 NAMESEQ, 2 NAME or 3 ID",
                Raises("TypeError", "Invalid address type", LOOK_UP),
            )

    def notices(self, protocol: Protocol, address: object, role: Role) -> Iterator[Notice]:
        yield from super().notices(protocol, address, role)
        if not isinstance(address, tuple):
            return
        kind, v1, v2, v3 = (index(value) & MASK for value in address[:4])
        if role == "local" and kind == ID:
            yield Notice("addr_type", "the kernel refuses to bind an id; bind a NAMESEQ")
        if role == "local" and kind != ID and v1 < 64:
            yield Notice("v1", "service types below 64 are reserved for TIPC itself")
        if kind == NAMESEQ and v2 > v3:
            yield Notice("v3", "the range is empty: v3 is below v2")

    def text(self, address: object) -> str:
        if not isinstance(address, tuple) or len(address) < 4 or not all(isinstance(each, int) for each in address):
            return repr(address)
        kind, v1, v2, v3 = address[:4]
        shown = {NAMESEQ: f"{v1}:{v2}-{v3}", NAME: f"{v1}:{v2}", ID: f"node {v1:x} ref {v2}"}
        return shown.get(kind, repr(address))

    def plain(self, protocol: Protocol, text: str) -> object:
        """``TYPE:INSTANCE`` for a name, ``TYPE:LOWER-UPPER`` for a range, ``node HEX ref N`` for an id."""
        if row := re.fullmatch(r"node ([0-9a-f]+) ref (\d+)", text.strip()):
            return (ID, int(row[1], 16), int(row[2]), 0)
        kind, _, rest = text.strip().partition(":")
        lower, dash, upper = rest.partition("-")
        fields = self.fields(protocol)
        if not rest:
            raise FieldError(
                "", text, "has no type and instance", f"write 1000:5, 1000:0-10 or {self.example(protocol)}"
            )
        v1, v2 = fields[1].read(kind), fields[2].read(lower)
        return (NAMESEQ, v1, v2, fields[3].read(upper)) if dash else (NAME, v1, v2, 0)

    def pack(self, protocol: Protocol, address: object) -> bytes:
        assert isinstance(address, tuple)
        kind, v1, v2, v3 = (index(value) & MASK for value in address[:4])
        scope = index(address[4]) & 0xFF if len(address) > 4 else SCOPES["TIPC_CLUSTER_SCOPE"]
        layout = SOCKADDRS[kind]
        words = {NAMESEQ: (v1, v2, v3), NAME: (v1, v2, 0), ID: (v2, v1, 0)}[kind]
        names = (part.name for part in layout.parts[len(_HEAD) :])
        return layout.pack(
            family=self.number, addrtype=kind, scope=scope - 256 if scope > 127 else scope,
            **dict(zip(names, words, strict=True)),
        )  # fmt: skip

    def unpack(self, protocol: Protocol, sockaddr: bytes) -> object:
        found = self.layout(protocol, sockaddr).unpack(sockaddr)
        if found is None:
            return None
        _, kind, scope, first, second, third = found.values()
        scope &= MASK
        if kind == NAMESEQ:
            return (kind, first, second, third, scope)
        return (kind, first, second, second, scope) if kind == NAME else (kind, second, first, 0, scope)

    def layout(self, protocol: Protocol, sockaddr: bytes) -> Layout:
        return SOCKADDRS.get(sockaddr[2] if len(sockaddr) > 2 else ID, SOCKADDRS[ID])


FAMILY = Tipc()
