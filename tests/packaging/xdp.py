"""AF_XDP: frames of one queue of an interface, past the stack. Source: Linux' af_xdp.rst, <linux/if_xdp.h>."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from sockexplorer.core.advice import Advice
from sockexplorer.core.cformats import index
from sockexplorer.core.family import Family
from sockexplorer.core.faults import FieldError, Notice, Raises
from sockexplorer.core.fields import Field, Integer, InterfaceName
from sockexplorer.core.protocol import Protocol, Role
from sockexplorer.core.sockaddr import Layout, Part, named

ORDER = 55
FLAGS = {"XDP_SHARED_UMEM": 1, "XDP_COPY": 2, "XDP_ZEROCOPY": 4, "XDP_USE_NEED_WAKEUP": 8}
SOCKADDR = Layout(
    "sockaddr_xdp",
    Part("sxdp_family", "H", "address family", show=named({"AF_XDP": 44})),
    Part("sxdp_flags", "H", "how frames are handed over"),
    Part("sxdp_ifindex", "I", "index of the interface"),
    Part("sxdp_queue_id", "I", "queue of the interface"),
    Part("sxdp_shared_umem_fd", "I", "the socket whose memory is shared"),
)


class Xdp(Family):
    constant = "AF_XDP"
    title = "XDP"
    summary = "frames of one queue of an interface: (ifname, queue_id[, flags])"
    availability = "Linux 4.18"
    shape = "AF_XDP address must be a tuple (ifname, queue_id[, flags])"
    help = "The address is (ifname, queue_id, flags). Frames come after UMEM and rings are set up, by an XDP program."
    pitfalls = ("No Python has a form of its address: bind() says 'bad family', so the explorer goes to libc.",)
    advice = {
        ("bind", "EINVAL"): Advice("The rings or the UMEM are missing.", ("set XDP_UMEM_REG and the rings first",)),
        ("bind", "EBUSY"): Advice("Another socket has that queue.", ("choose another queue: ethtool -l INTERFACE",)),
    }
    protocols = (
        Protocol(
            "raw", "SOCK_RAW", "0", "frames of a queue", ("bind",), local={"ifname": "lo", "queue_id": "0"},
            privilege="CAP_NET_RAW", help="Whole frames, in memory that is shared with the driver.",
        ),
    )  # fmt: skip

    def fields(self, protocol: Protocol) -> tuple[Field, ...]:
        flags = Integer(0, 0xFFFF, wraps=True, names=FLAGS, flags=True)
        name = InterfaceName(Raises("TypeError", self.shape))
        return (
            Field("ifname", name, "lo", "the interface's name", pitfall="Virtual interfaces have no zero-copy mode."),
            Field("queue_id", Integer(0, 2**32 - 1, wraps=True), "0", "its queue", pitfall="Other queues pass it by."),
            Field("flags", flags, "0", "XDP_COPY and others", optional=True, pitfall="A driver may refuse ZEROCOPY."),
        )

    def notices(self, protocol: Protocol, address: object, role: Role) -> Iterator[Notice]:
        yield from super().notices(protocol, address, role)
        if isinstance(address, tuple) and len(address) > 2 and index(address[2]) & 6 == 6:
            yield Notice("flags", "the kernel refuses XDP_COPY together with XDP_ZEROCOPY")

    def plain(self, protocol: Protocol, text: str) -> object:
        """``eth0:3``: the interface and its queue."""
        name, colon, queue = text.strip().rpartition(":")
        if not colon:
            raise FieldError("", text, "has no interface and queue", f"write lo:0 or {self.example(protocol)}")
        ifname, queue_id = self.fields(protocol)[:2]
        return (ifname.parse(name), queue_id.parse(queue))

    def pack(self, protocol: Protocol, address: object) -> bytes:
        assert isinstance(address, tuple)
        name, queue, flags = (*address, 0)[:3]
        return SOCKADDR.pack(
            sxdp_family=self.number,
            sxdp_flags=index(flags) & 0xFFFF,
            sxdp_ifindex=socket.if_nametoindex(name),
            sxdp_queue_id=index(queue) & 0xFFFFFFFF,
        )

    def unpack(self, protocol: Protocol, sockaddr: bytes) -> object:
        found = SOCKADDR.unpack(sockaddr)
        if found is None:
            return None
        try:
            name = socket.if_indextoname(found["sxdp_ifindex"]) if 0 < found["sxdp_ifindex"] < 2**31 else ""
        except OSError:
            name = ""
        return (name, found["sxdp_queue_id"], found["sxdp_flags"])

    def layout(self, protocol: Protocol, sockaddr: bytes) -> Layout:
        return SOCKADDR


FAMILY = Xdp()
