"""AF_QIPCRTR: Qualcomm's router between processors. Source: <linux/qrtr.h>, net/qrtr; ``case AF_QIPCRTR``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sockexplorer.core.advice import Advice, rights
from sockexplorer.core.cformats import index
from sockexplorer.core.demo import OTHER, Act, Demo, End
from sockexplorer.core.family import Family
from sockexplorer.core.faults import FieldError, Notice
from sockexplorer.core.fields import Field, Integer
from sockexplorer.core.protocol import Protocol, Role
from sockexplorer.core.sockaddr import Layout, Part, named

ORDER = 90
MASK = 0xFFFFFFFF
NODES = {"QRTR_NODE_BCAST": MASK}
PORTS = {"QRTR_PORT_CTRL": 0xFFFFFFFE}
SOCKADDR = Layout(
    "sockaddr_qrtr",
    Part("sq_family", "H", "address family", show=named({"AF_QIPCRTR": 42})),
    Part("padding", "2s", "unused"),
    Part("sq_node", "I", "node: which processor", show=named(NODES)),
    Part("sq_port", "I", "port of a service", show=named(PORTS)),
)
# struct qrtr_ctrl_pkt, little-endian: QRTR_TYPE_NEW_LOOKUP, then service, instance, node and port, 0 for any.
LOOKUP = r"\x0a\0\0\0" + r"\0" * 16


class Qipcrtr(Family):
    names_no_call = True
    constant = "AF_QIPCRTR"
    title = "QIPC router"
    summary = "services of modems and DSPs: (node, port)"
    availability = "Linux 4.7; Python 3.8"
    modules = ("qrtr",)
    help = (
        "The address is (node, port). Node 1 is this machine unless told otherwise; port 0xfffffffe is the name "
        "service, where servers are announced and looked up. bind with port 0 lets the kernel choose one."
    )
    pitfalls = (
        "Sending to the socket's own port is ENODEV.",
        "connect() binds by itself, to a port that the kernel chooses.",
    )
    advice = {
        ("socket", "EAFNOSUPPORT"): Advice(
            "This kernel has no AF_QIPCRTR, or this process is in a network namespace of its own, where there is none.",
            (
                "sudo modprobe qrtr, if this system has that module",
                "start it outside of the container",
                "see what this host has: sockexplorer doctor qipcrtr",
            ),
        ),
        ("socket", "EPROTOTYPE"): Advice("The router has datagrams only.", ("choose SOCK_DGRAM",)),
        ("bind", "EINVAL"): Advice(
            "The node is not this machine's: a socket is bound to a port of its own node.",
            ("write node 1, or what getsockname() says",),
        ),
        ("bind", "EACCES"): Advice(
            "Ports below 0x4000 need CAP_NET_ADMIN.",
            ("write port 0: the kernel chooses", *rights("CAP_NET_ADMIN", namespace=False)),
        ),
        ("bind", "EADDRINUSE"): Advice(
            "Another socket has that port; 0xfffffffe (control) is the name service's.",
            ("write port 0: the kernel chooses",),
        ),
        ("send", "ENODEV"): Advice(
            "No socket has that port on this node, or it is the socket's own port.",
            ("see which services there are: qrtr-lookup", "send to another port"),
        ),
        ("send", "ECONNRESET"): Advice(
            "The router knows no node of that number: the processor is off, or its link is down.",
            ("see which nodes there are: qrtr-lookup", "this machine's own node is usually 1"),
        ),
        ("send", "ENOTCONN"): Advice(
            "The socket has no peer; and to all nodes (QRTR_NODE_BCAST) only the control port can be reached.",
            ("give a node and a port", "connect first"),
        ),
        ("send", "ENOSPC"): Advice("The receiver's queue is full: it does not read.", ("let it read first",)),
        ("send", "EMSGSIZE"): Advice("A message has at most 65535 bytes.", ("send less at once",)),
        ("send", "EINVAL"): Advice(
            "A control message has at least 4 bytes, its command.", ("send struct qrtr_ctrl_pkt, 20 bytes",)
        ),
        ("send", "EPIPE"): Advice("The link to that node went down.", ("wait until the processor is back",)),
        ("send", "EAGAIN"): Advice(
            "Too many messages to that port wait to be acknowledged.", ("wait a moment, then send again",)
        ),
        ("read", "EADDRNOTAVAIL"): Advice("The socket has no port yet.", ("bind it, or send first",)),
        ("*", "ENETRESET"): Advice(
            "The name service was started anew, and closed the ports of all.", ("open the socket again",)
        ),
    }
    protocols = (
        Protocol(
            "dgram", "SOCK_DGRAM", "0", "messages", local={"node": "1", "port": "0"},
            remote={"node": "1", "port": "QRTR_PORT_CTRL"},
            sender_waits=True, sample=LOOKUP,
            help="Messages between services on this and other processors. The sample, sent to the "
            "control port, asks the name service for every service.",
        ),
    )  # fmt: skip

    demos = {
        "dgram": Demo(
            "Two ports of this node.", (End("bind", (1, 0)), End("bind", (1, 0))),
            (Act(1, b"hello", OTHER), Act(0, b"hello yourself", OTHER)),
        )
    }  # fmt: skip

    def fields(self, protocol: Protocol) -> tuple[Field, ...]:
        return (
            Field("node", Integer(0, MASK, wraps=True, names=NODES), "1", "the processor; 1 is usually this one",
                  pitfall="bind takes this processor's number only."),
            Field("port", Integer(0, MASK, wraps=True, names=PORTS), "0", "the service's port",
                  pitfall="Ports below 0x4000 need CAP_NET_ADMIN."),
        )  # fmt: skip

    def notices(self, protocol: Protocol, address: object, role: Role) -> Iterator[Notice]:
        yield from super().notices(protocol, address, role)
        if isinstance(address, tuple) and role == "local" and 0 < index(address[1]) & MASK < 0x4000:
            yield Notice("port", "ports below 0x4000 need CAP_NET_ADMIN")

    def text(self, address: object) -> str:
        if not isinstance(address, tuple) or len(address) != 2:
            return repr(address)
        node, port = address
        return f"{node}:{'control' if port == PORTS['QRTR_PORT_CTRL'] else port}"

    def plain(self, protocol: Protocol, text: str) -> object:
        """``NODE:PORT``."""
        found = re.fullmatch(r"([^:]+):([^:]+)", text.strip())
        if not found:
            raise FieldError("", text, "has no node and port", f"write 1:0 or {self.example(protocol)}")
        node, port = self.fields(protocol)
        return (node.read(found[1]), port.read("QRTR_PORT_CTRL" if found[2] == "control" else found[2]))

    def pack(self, protocol: Protocol, address: object) -> bytes:
        assert isinstance(address, tuple)
        node, port = (index(value) & MASK for value in address)
        return SOCKADDR.pack(sq_family=self.number, sq_node=node, sq_port=port)

    def unpack(self, protocol: Protocol, sockaddr: bytes) -> object:
        found = SOCKADDR.unpack(sockaddr)
        return None if found is None else (found["sq_node"], found["sq_port"])

    def layout(self, protocol: Protocol, sockaddr: bytes) -> Layout:
        return SOCKADDR


FAMILY = Qipcrtr()
