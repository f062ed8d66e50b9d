"""Netlink messages of the kernel: asked for here, or in a network namespace that this file fills when it is run there.

As a program it makes interfaces, addresses, routes, neighbours and rules, and prints what it sent and what came back:
a line of JSON each, [number of the protocol, whether it was sent, the datagram in hexadecimal]. What the kernel does
not have (a kind of interface, say) it answers with an error, which is a message as good as any.
"""

from __future__ import annotations

import json
import socket
import struct

HEADER = struct.Struct("=IHHII")
ROUTE, GENERIC = 0, 16
REQUEST, MULTI, ACK, DUMP, EXCL, CREATE = 1, 2, 4, 0x301, 0x200, 0x400
NLMSG_ERROR, NLMSG_DONE = 2, 3
SOL_NETLINK, CAP_ACK, EXT_ACK = 270, 10, 11
LINK, ADDR, NEW_ROUTE, NEIGH, RULE, NEXTHOP = 16, 20, 24, 28, 32, 104
MOST_DATAGRAMS = 1000


def request(kind: int, body: bytes, flags: int) -> bytes:
    """A message with the sequence number 7."""
    return HEADER.pack(16 + len(body), kind, flags, 7, 0) + body


def attribute(kind: int, data: bytes) -> bytes:
    """An attribute with its padding."""
    return struct.pack("=HH", 4 + len(data), kind) + data.ljust((len(data) + 3) & ~3, b"\0")


def is_last(datagram: bytes) -> bool:
    """Whether an answer ends with it: wherever in it the end of a dump, an error, or a message of its own stands."""
    at = 0
    while at + HEADER.size <= len(datagram):
        length, kind, flags, _, _ = HEADER.unpack_from(datagram, at)
        if kind in (NLMSG_DONE, NLMSG_ERROR) or not flags & MULTI or length < HEADER.size:
            return True
        at += (length + 3) & ~3
    return False


def ask(protocol: int, message: bytes, *options: int) -> list[bytes]:
    """The datagrams of the kernel's answer. Raises `TimeoutError` when it does not end."""
    found: list[bytes] = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol) as kernel:
        kernel.settimeout(20)
        kernel.bind((0, 0))
        for option in options:
            kernel.setsockopt(SOL_NETLINK, option, 1)
        kernel.send(message)
        while not (found and is_last(found[-1])):
            assert len(found) < MOST_DATAGRAMS, "a dump without an end"
            found.append(kernel.recv(1 << 17))
    return found


def _link(name: str, kind: str, index: int) -> bytes:
    info = attribute(18 | 0x8000, attribute(1, kind.encode()))
    head = struct.pack("=BxHiII", 0, 0, index, 1, 1)
    return request(LINK, head + attribute(3, name.encode() + b"\0") + info, REQUEST | ACK | EXCL | CREATE)


def _changes() -> list[bytes]:
    """What fills a namespace: two interfaces, addresses of both versions, routes, a neighbour, rules."""
    make = REQUEST | ACK | CREATE
    v4, v6 = (
        (lambda text: socket.inet_pton(socket.AF_INET, text)),
        (lambda text: socket.inet_pton(socket.AF_INET6, text)),
    )
    index = struct.pack("=I", 100)
    hop = struct.pack("=HBBi", 16, 0, 1, 100) + attribute(5, v4("192.0.2.8"))
    hops = hop + struct.pack("=HBBi", 16, 0, 4, 100) + attribute(5, v4("192.0.2.9"))

    def route(family: int, length: int, attributes: bytes) -> bytes:
        return request(NEW_ROUTE, struct.pack("=8BI", family, length, 0, 0, 254, 4, 0, 1, 0) + attributes, make)

    def rule(family: int, length: int, table: int, attributes: bytes) -> bytes:
        return request(RULE, struct.pack("=8BI", family, 0, length, 0, table, 0, 0, 1, 0) + attributes, make)

    return [
        request(LINK, struct.pack("=BxHiII", 0, 0, 1, 1, 1), REQUEST | ACK),
        _link("bridge0", "bridge", 100), _link("pair0", "veth", 102), _link("nothing0", "nosuchkind", 104),
        request(LINK + 3, struct.pack("=BxHiII", 0, 0, 100, 0, 0) + attribute(4, b"\1\2"), REQUEST | ACK),
        request(ADDR, struct.pack("=BBBBI", 2, 24, 0, 0, 100) + attribute(2, v4("192.0.2.1"))
                + attribute(1, v4("192.0.2.1")) + attribute(3, b"bridge0:x\0"), make),
        request(ADDR, struct.pack("=BBBBI", 10, 64, 2, 0, 100) + attribute(2, v6("2001:db8::1")), make),
        route(2, 0, attribute(5, v4("192.0.2.9")) + attribute(4, index) + attribute(6, struct.pack("=I", 7))),
        route(2, 24, attribute(1, v4("198.51.100.0")) + attribute(9, hops)),
        route(2, 24, attribute(1, v4("203.0.113.0")) + attribute(4, index) + attribute(8 | 0x8000,
              attribute(2, struct.pack("=I", 1400)))),
        route(10, 32, attribute(1, v6("2001:db8:1::")) + attribute(4, index) + attribute(15, struct.pack("=I", 1000))),
        request(NEIGH, struct.pack("=BxxxiHBB", 2, 100, 0x80, 0, 0) + attribute(1, v4("192.0.2.9"))
                + attribute(2, bytes.fromhex("020000000009")), make),
        rule(2, 24, 100, attribute(2, v4("192.0.2.0")) + attribute(6, struct.pack("=I", 50))),
        rule(2, 0, 0, attribute(15, struct.pack("=I", 1000)) + attribute(3, b"bridge0\0")),
    ]  # fmt: skip


def main() -> None:
    """Print every message, sent and received."""
    spoken = [(ROUTE, each, (EXT_ACK, CAP_ACK) if number % 2 else (EXT_ACK,)) for number, each in enumerate(_changes())]
    spoken += [
        (ROUTE, request(kind + 2, bytes(size), DUMP), (EXT_ACK,))
        for kind, size in ((LINK, 16), (ADDR, 8), (NEW_ROUTE, 12), (NEIGH, 12), (RULE, 12), (NEXTHOP, 8))
    ]
    spoken.append((ROUTE, request(LINK + 2, struct.pack("=BxHiII", 0, 0, 1, 0, 0), REQUEST), ()))
    spoken.append((GENERIC, request(16, struct.pack("=BBH", 3, 1, 0), DUMP), ()))
    spoken.append(
        (GENERIC, request(16, struct.pack("=BBH", 3, 1, 0) + attribute(2, b"nosuchname\0"), REQUEST), (EXT_ACK,))
    )
    for protocol, message, options in spoken:
        print(json.dumps([protocol, True, message.hex()]))
        for answer in ask(protocol, message, *options):
            print(json.dumps([protocol, False, answer.hex()]))


if __name__ == "__main__":
    main()
