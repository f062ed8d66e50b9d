"""The program of a stage: a network namespace of its own, whose sockets it hands to the engine one by one.

It runs as a process of its own, as plain source, with a UNIX socket as descriptor 0. A request is the JSON list
[family, type, protocol]; the answer is an errno in text, 0 with a descriptor as ancillary data. A socket belongs to the
namespace that it was made in, whoever holds it; and the owner of a user namespace has every capability in it.
Source: unshare(2), user_namespaces(7), network_namespaces(7), rtnetlink(7), netdevice(7), <linux/if_link.h>,
<linux/veth.h>.
"""

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import socket
import struct
import sys
import time
from pathlib import Path

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
RTM_NEWLINK, REQUEST_CREATE = 16, 0x0605  # NLM_F_REQUEST | NLM_F_ACK | NLM_F_EXCL | NLM_F_CREATE
REQUEST = 0x0005  # NLM_F_REQUEST | NLM_F_ACK
IFLA_IFNAME, IFLA_LINKINFO, IFLA_INFO_KIND, IFLA_INFO_DATA, VETH_INFO_PEER = 3, 18, 1, 2, 1
NESTED = 0x8000
SIOCGIFFLAGS = 0x8913
IFF_UP, IFF_RUNNING = 1, 0x40
PATIENCE = 1.0
"""Seconds; the kernel mostly takes less than a millisecond."""


def unshare() -> None:
    """Leave for a namespace of our own: as root of the network alone, else with a user namespace around it."""
    uid, gid = os.geteuid(), os.getegid()
    flags = CLONE_NEWNET if uid == 0 else CLONE_NEWUSER | CLONE_NEWNET
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    if uid:
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
            Path(f"/proc/self/{name}").write_text(text)


def attribute(kind: int, data: bytes) -> bytes:
    """One ``struct nlattr`` with its padding."""
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def link(name: str, kind: str = "", data: bytes = b"", index: int = 0) -> bytes:
    """The body of RTM_NEWLINK: make an interface of a kind, or bring the one of this index up."""
    header = struct.pack("=BxHiII", 0, 0, index, IFF_UP, IFF_UP)
    if not kind:
        return header
    info = attribute(IFLA_INFO_KIND, kind.encode())
    if data:
        info += attribute(IFLA_INFO_DATA | NESTED, data)
    return header + attribute(IFLA_IFNAME, name.encode() + b"\0") + attribute(IFLA_LINKINFO | NESTED, info)


def ask(route: socket.socket, flags: int, body: bytes) -> int:
    """Send RTM_NEWLINK, wait for its acknowledgement; the errno, 0 for success."""
    route.send(struct.pack("=IHHII", 16 + len(body), RTM_NEWLINK, flags, 1, 0) + body)
    return -int(struct.unpack_from("=i", route.recv(65536), 16)[0])


def furnish() -> None:
    """``lo`` up, a veth pair, a CAN bus where the kernel has one; ping sockets for our group."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as route:
        route.bind((0, 0))
        ask(route, REQUEST, link("", index=socket.if_nametoindex("lo")))
        # What interfaces say by themselves would stand between what a demonstration says.
        switch("net/ipv6/conf/default/disable_ipv6", "1")
        peer = attribute(VETH_INFO_PEER | NESTED, struct.pack("=BxHiII", 0, 0, 0, 0, 0) + attribute(3, b"right\0"))
        ask(route, REQUEST_CREATE, link("left", "veth", peer))
        with contextlib.suppress(OSError):  # a kernel without veth
            ask(route, REQUEST, link("", index=socket.if_nametoindex("right")))
            wait_for("left", "right")
            # Its frames are dropped in silence until the kernel's work on the carrier is done, which has the same lock.
            ask(route, REQUEST, link("", index=socket.if_nametoindex("left")))
        ask(route, REQUEST_CREATE, link("vcan0", "vcan"))
    switch("net/ipv4/ping_group_range", "0 0")


def wait_for(*names: str) -> None:
    """Wait until interfaces have a carrier, for `PATIENCE` at most. Raises OSError for one that is not there."""
    until = time.monotonic() + PATIENCE
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asking:
        for name in names:
            while time.monotonic() < until:
                said = fcntl.ioctl(asking, SIOCGIFFLAGS, struct.pack("16s24x", name.encode()))
                if struct.unpack_from("=H", said, 16)[0] & IFF_RUNNING:
                    break
                time.sleep(0.001)


def switch(name: str, value: str) -> None:
    """Set a sysctl of the namespace, where there is such a one."""
    with contextlib.suppress(OSError):
        Path("/proc/sys", name).write_text(value)


def serve(client: socket.socket) -> None:
    """Make sockets until nobody asks any more."""
    while request := client.recv(4096):
        try:
            made = socket.socket(*json.loads(request))
        except OSError as error:
            client.send(str(error.errno or errno.EINVAL).encode())
            continue
        with made:
            socket.send_fds(client, [b"0"], [made.fileno()])


def main() -> None:
    """Begin; the first word on the stream is an errno as well, 0 when the stage is set."""
    client = socket.socket(fileno=os.dup(0))
    try:
        unshare()
        furnish()
    except OSError as error:
        client.send(str(error.errno or errno.EINVAL).encode())
        sys.exit(1)
    client.send(b"0")
    serve(client)


if __name__ == "__main__":
    main()
