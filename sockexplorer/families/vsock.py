"""AF_VSOCK: between a virtual machine and its host. Source: vsock(7), <linux/vm_sockets.h>; ``case AF_VSOCK``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sockexplorer.core.advice import Advice, rights
from sockexplorer.core.cformats import index
from sockexplorer.core.demo import OTHER, End, conversation
from sockexplorer.core.family import Family
from sockexplorer.core.faults import FieldError, Notice
from sockexplorer.core.fields import Field, Integer
from sockexplorer.core.protocol import Protocol, Role
from sockexplorer.core.sockaddr import Layout, Part, named

ORDER = 60
CIDS = {
    "VMADDR_CID_ANY": 0xFFFFFFFF, "VMADDR_CID_HYPERVISOR": 0, "VMADDR_CID_LOCAL": 1, "VMADDR_CID_HOST": 2,
}  # fmt: skip
PORTS = {"VMADDR_PORT_ANY": 0xFFFFFFFF}
SOCKADDR = Layout(
    "sockaddr_vm",
    Part("svm_family", "H", "address family", show=named({"AF_VSOCK": 40})),
    Part("svm_reserved1", "H", "must be zero"),
    Part("svm_port", "I", "port", show=named(PORTS)),
    Part("svm_cid", "I", "context id: which machine", show=named(CIDS)),
    Part("svm_flags", "B", "VMADDR_FLAG_TO_HOST; Python can't set it"),
    Part("svm_zero", "3s", "must be zero"),
    least=12,
)
"""``<linux/vm_sockets.h>``."""
ANY, LOCAL_CID = 0xFFFFFFFF, 1
LOCAL = {"cid": "VMADDR_CID_ANY", "port": "1234"}
REMOTE = {"cid": "VMADDR_CID_HOST", "port": ""}
FOREIGN_CID = Advice(
    "That context id is not this machine's, or of a transport that is not loaded.",
    (
        "bind VMADDR_CID_ANY",
        "for VMADDR_CID_LOCAL load the loopback: sudo modprobe vsock_loopback",
        "for VMADDR_CID_HOST, on the host: sudo modprobe vhost_vsock",
    ),
)


class Vsock(Family):
    names_no_call = True
    constant = "AF_VSOCK"
    title = "VM sockets"
    summary = "between a virtual machine and its host: (cid, port)"
    availability = "Linux 3.9; Python 3.7"
    modules = ("vsock",)
    help = (
        "The address is (cid, port). The context id names a machine: 2 is the host, 1 this machine itself (loopback), "
        "VMADDR_CID_ANY any of this machine's own when binding."
    )
    pitfalls = (
        "The tuple is (cid, port) though the structure has the port first.",
        "CID 1, this machine itself, needs the module vsock_loopback.",
        "A virtual machine without a vsock device binds, but reaches nobody.",
    )
    advice = {
        ("socket", "ENODEV"): Advice(
            "No vsock transport here carries datagrams (VMware's alone does).", ("use stream or seqpacket",)
        ),
        ("socket", "ESOCKTNOSUPPORT"): Advice(
            "VM sockets are streams, sequenced packets or, rarely, datagrams.", ("choose stream or seqpacket",)
        ),
        ("socket", "EPROTONOSUPPORT"): Advice("VM sockets have the protocol 0 only.", ("write proto 0",)),
        ("bind", "EADDRNOTAVAIL"): FOREIGN_CID,
        ("listen", "EADDRNOTAVAIL"): FOREIGN_CID,
        ("bind", "EACCES"): Advice(
            "Ports below 1024 need CAP_NET_BIND_SERVICE.",
            ("choose a port from 1024 up", *rights("CAP_NET_BIND_SERVICE", namespace=False)),
        ),
        ("bind", "EADDRINUSE"): Advice(
            "Another socket has that port.",
            ("choose another, or VMADDR_PORT_ANY for a free one", "see who has it: ss --vsock -lp"),
        ),
        ("bind", "EINVAL"): Advice("The socket is bound already.", ("close it and open another",)),
        ("listen", "EINVAL"): Advice("The socket is not bound, or connected.", ("bind it, then listen",)),
        ("listen", "EPERM"): Advice(
            "A security module or filter of this machine forbids to listen.", ("look at: sudo dmesg",)
        ),
        ("connect", "ENODEV"): Advice(
            "No transport leads to that context id: this is no virtual machine, or it has no vsock device.",
            (
                "for the host itself: sudo modprobe vhost_vsock",
                "for CID 1: sudo modprobe vsock_loopback",
                "in a guest only 2, the host, can be reached",
            ),
        ),
        ("connect", "ESOCKTNOSUPPORT"): Advice(
            "The transport to that context id has no sequenced packets.", ("use stream",)
        ),
        ("connect", "ENETUNREACH"): Advice(
            "The transport does not lead to that context id or port.", ("connect to 2, the host",)
        ),
        ("connect", "EHOSTUNREACH"): Advice("No machine with that context id runs.", ("check the guest's CID",)),
        ("connect", "ECONNRESET"): Advice(
            "Nobody listens on that port over there, or with another type of socket: VM sockets answer by a reset.",
            ("start the server", "see what listens there: ss --vsock -l", "choose the server's type"),
        ),
        ("connect", "ETIMEDOUT"): Advice(
            "The other machine did not answer within two seconds: it is not running, or has no vsock.",
            ("check the context id", "start the guest with a device: qemu -device vhost-vsock-pci,guest-cid=3"),
        ),
        ("connect", "EINVAL"): Advice("The socket listens.", ("open another to connect",)),
        ("send", "ENOTCONN"): Advice("The connection does not stand.", ("connect it",)),
        ("send", "EPIPE"): Advice("The peer closed, or shut its reading side.", ("connect again",)),
        ("send", "EAGAIN"): Advice("The peer's buffer is full: it does not read.", ("let it read first",)),
        ("send", "EMSGSIZE"): Advice("The packet is longer than the peer's buffer.", ("send less at once",)),
        ("read", "ENOTCONN"): Advice("The connection does not stand.", ("connect it",)),
        ("read", "ECONNRESET"): Advice(
            "The peer reset the connection: it ended abruptly, or its machine was stopped or moved.", ("connect again",)
        ),
        ("read", "ENOMEM"): Advice("A packet did not fit the kernel's memory.", ("send smaller packets",)),
    }
    protocols = (
        Protocol(
            "stream", "SOCK_STREAM", "0", "byte streams", ("listen", "connect"),
            messages=False, connections=True, local=LOCAL, remote=REMOTE,
            help="A stream between machines without a network.",
            try_it="socat - VSOCK-CONNECT:1:{port}",
        ),
        Protocol(
            "seqpacket", "SOCK_SEQPACKET", "0", "connected messages", ("listen", "connect"),
            connections=True, local=LOCAL, remote=REMOTE, help="As stream, with message boundaries.",
            availability="Linux 5.14",
        ),
        Protocol(
            "dgram", "SOCK_DGRAM", "0", "datagrams", local=LOCAL, remote=REMOTE,
            help="Datagrams between machines. Of the kernel's transports only VMware's (VMCI) carries them.",
        ),
    )  # fmt: skip

    demos = {
        name: conversation(
            "This machine speaks to itself, by way of CID 1.", End("listen", (LOCAL_CID, ANY)),
            End("connect", remote=OTHER),
        )
        for name in ("stream", "seqpacket")
    }  # fmt: skip

    def fields(self, protocol: Protocol) -> tuple[Field, ...]:
        return (
            Field("cid", Integer(0, 2**32 - 1, wraps=True, names=CIDS, choices="cids"), "VMADDR_CID_ANY",
                  "context id of a machine",
                  pitfall="2 is the host as a guest sees it; binding it works on the host only."),
            Field("port", Integer(0, 2**32 - 1, wraps=True, names=PORTS), "1234", "any 32-bit number",
                  pitfall="Ports below 1024 need CAP_NET_BIND_SERVICE here, too."),
        )  # fmt: skip

    def notices(self, protocol: Protocol, address: object, role: Role) -> Iterator[Notice]:
        yield from super().notices(protocol, address, role)
        if not isinstance(address, tuple):
            return
        cid, port = (index(value) & 0xFFFFFFFF for value in address)
        if role == "local" and port < 1024:
            yield Notice("port", "ports below 1024 need CAP_NET_BIND_SERVICE")
        if role == "remote" and cid == 0xFFFFFFFF:
            yield Notice("cid", "VMADDR_CID_ANY is for bind; a peer has a number")

    def text(self, address: object) -> str:
        if not isinstance(address, tuple) or len(address) != 2 or not all(isinstance(each, int) for each in address):
            return repr(address)
        names = {0xFFFFFFFF: "any", 0: "hypervisor", 1: "local", 2: "host"}
        cid, port = address
        return f"{names.get(cid, cid)}:{'any' if port == 0xFFFFFFFF else port}"

    def plain(self, protocol: Protocol, text: str) -> object:
        """``CID:PORT``; a CID may be ``any``, ``local`` or ``host``."""
        found = re.fullmatch(r"([^:]+):([^:]+)", text.strip())
        if not found:
            raise FieldError("", text, "has no cid and port", f"write 2:1234 or {self.example(protocol)}")
        cid, port = self.fields(protocol)
        named = {"any": "VMADDR_CID_ANY", "local": "1", "host": "2", "hypervisor": "0"}
        return (
            cid.read(named.get(found[1].lower(), found[1])),
            port.read("VMADDR_PORT_ANY" if found[2].lower() == "any" else found[2]),
        )

    def pack(self, protocol: Protocol, address: object) -> bytes:
        assert isinstance(address, tuple)
        cid, port = (index(value) & 0xFFFFFFFF for value in address)
        return SOCKADDR.pack(svm_family=self.number, svm_port=port, svm_cid=cid)

    def unpack(self, protocol: Protocol, sockaddr: bytes) -> object:
        found = SOCKADDR.unpack(sockaddr)
        return None if found is None else (found["svm_cid"], found["svm_port"])

    def layout(self, protocol: Protocol, sockaddr: bytes) -> Layout:
        return SOCKADDR


FAMILY = Vsock()
