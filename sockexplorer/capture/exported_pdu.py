"""Exported PDUs, link type 252: a payload behind tags that name its dissector, its addresses and its ports.

For what has no link type of its own. Source: ``wsutil/exported_pdu_tlvs.h`` and ``packet-exported_pdu.c`` of
Wireshark. Tags are big-endian: number and length of 16 bits, the value, zeros up to a multiple of four.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from typing import NamedTuple

END, DISSECTOR, IPV4_SRC, IPV4_DST, IPV6_SRC, IPV6_DST = 0, 12, 20, 21, 22, 23
PORT_TYPE, SRC_PORT, DST_PORT, PROTOCOL_COLUMN, DIRECTION = 24, 25, 26, 33, 35
SENT, RECEIVED = 0, 1
SOURCE, DESTINATION = (IPV4_SRC, IPV6_SRC, SRC_PORT), (IPV4_DST, IPV6_DST, DST_PORT)
"""The tags of an end: a host of 4 bytes, else one of 16, and a port."""
NONE, SCTP, TCP, UDP, DCCP = 0, 1, 2, 3, 4
"""Port types of EXP_PDU_TAG_PORT_TYPE."""
PORT_TYPES = {"udp": UDP, "udplite": UDP, "tcp": TCP, "mptcp": TCP, "sctp": SCTP, "dccp": DCCP}
PLAIN = "data"
"""The dissector of bytes that nothing is known of."""
BY_PORT = {
    "udp": {
        53: "dns", 67: "dhcp", 68: "dhcp", 69: "tftp", 123: "ntp", 137: "nbns", 161: "snmp", 162: "snmp",
        514: "syslog", 546: "dhcpv6", 547: "dhcpv6", 1812: "radius", 1813: "radius", 1900: "ssdp", 3478: "stun-udp",
        4789: "vxlan", 5060: "sip", 5353: "mdns", 5355: "llmnr", 5683: "coap",
    },
    "tcp": {
        21: "ftp", 22: "ssh", 23: "telnet", 25: "smtp", 53: "dns.tcp", 80: "http", 110: "pop", 143: "imap",
        389: "ldap", 443: "tls", 502: "mbtcp", 587: "smtp", 1883: "mqtt", 5060: "sip.tcp", 6379: "resp",
        6667: "irc", 8080: "http", 8883: "tls", 993: "tls", 995: "tls",
    },
}  # fmt: skip
"""Dissectors by well-known port. Both directions are told by the server's, which is the one that is in the table."""
BY_IP_PROTOCOL = {
    1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 41: "ipv6", 47: "gre", 50: "esp", 51: "ah", 58: "icmpv6", 89: "ospf",
    112: "vrrp", 132: "sctp", 136: "udplite",
}  # fmt: skip
OF_CAN = ("can-hostendian", "canfd")
"""Dissectors of what Wireshark makes of a log of candump, or of another's of CAN: frames as a raw socket has them."""
_TAG = struct.Struct(">HH")
_NUMBER = struct.Struct(">I")


class Tagged(NamedTuple):
    """What the tags say. Hosts are texts, "" where there is none; ports are None where there is none."""

    payload: bytes
    dissector: str = PLAIN
    source: str = ""
    destination: str = ""
    port_type: int = NONE
    source_port: int | None = None
    destination_port: int | None = None
    column: str = ""


def tag(number: int, value: bytes) -> bytes:
    """One tag. A text is padded within its length, as Wireshark writes it."""
    padded = value + bytes(-len(value) % 4)
    return _TAG.pack(number, len(padded)) + padded


def dissector(protocol: str, *ports: int | None) -> str:
    """The name of Wireshark's dissector for a protocol of AF_INET or AF_INET6 between these ports."""
    known = BY_PORT.get({"udplite": "udp", "mptcp": "tcp"}.get(protocol, protocol), {})
    return next((known[port] for port in ports if port in known), PLAIN)


def header(
    name: str, column: str, *, source: object = None, destination: object = None, port_type: int | None = None,
    outgoing: bool = False,
) -> bytes:  # fmt: skip
    """The tags ahead of a payload. ``source`` and ``destination`` are addresses of AF_INET or AF_INET6, or None."""
    parts = [tag(DISSECTOR, name.encode())]
    ports = []
    for address, four, six, port_tag in (
        (source, IPV4_SRC, IPV6_SRC, SRC_PORT), (destination, IPV4_DST, IPV6_DST, DST_PORT),
    ):  # fmt: skip
        host, port = endpoint(address)
        if host is not None:
            parts.append(tag(four if host.version == 4 else six, host.packed))
        if port is not None and port_type is not None:
            ports.append(tag(port_tag, _NUMBER.pack(port)))
    if ports:
        parts += [tag(PORT_TYPE, _NUMBER.pack(port_type or NONE)), *ports]
    parts.append(tag(PROTOCOL_COLUMN, column.encode()))
    parts.append(tag(DIRECTION, _NUMBER.pack(SENT if outgoing else RECEIVED)))
    return b"".join(parts) + _TAG.pack(END, 0)


def endpoint(address: object) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address | None, int | None]:
    """Host and port of an address, None each where it has none that a tag can carry."""
    if not isinstance(address, tuple) or len(address) < 2 or not isinstance(address[0], str):
        return None, None
    try:
        host = ipaddress.ip_address(address[0].partition("%")[0])
    except ValueError:
        host = None
    port = address[1]
    return host, port if isinstance(port, int) and 0 <= port <= 0xFFFFFFFF else None


def places(data: bytes) -> tuple[dict[int, tuple[int, int]], int]:
    """Where the values of tags begin and end, and where the payload begins. Raises ValueError where the tags do not end
    within the data."""
    at, told = 0, dict[int, tuple[int, int]]()
    while True:
        if at + _TAG.size > len(data):
            raise ValueError("the tags of an exported PDU do not end")
        number, length = _TAG.unpack_from(data, at)
        at += _TAG.size
        if number == END:
            break
        if at + length > len(data):
            raise ValueError("a tag of an exported PDU is longer than the frame")
        told.setdefault(number, (at, at + length))
        at += length
    return told, at


def read(data: bytes) -> Tagged:
    """Take the tags off. Raises ValueError as `places`."""
    where, at = places(data)
    told = {number: data[begin:end] for number, (begin, end) in where.items()}
    return Tagged(
        data[at:],
        _text(told.get(DISSECTOR, PLAIN.encode())),
        _host(told, IPV4_SRC, IPV6_SRC),
        _host(told, IPV4_DST, IPV6_DST),
        _number(told, PORT_TYPE) or NONE,
        _number(told, SRC_PORT),
        _number(told, DST_PORT),
        _text(told.get(PROTOCOL_COLUMN, b"")),
    )


def _text(value: bytes) -> str:
    return value.rstrip(b"\0").decode("utf-8", "replace")


def _host(told: dict[int, bytes], four: int, six: int) -> str:
    if len(packed := told.get(four, b"")) == 4:
        return host_text(packed)
    return host_text(packed) if len(packed := told.get(six, b"")) == 16 else ""


def host_text(packed: bytes) -> str:
    """The host of an address of 4 or 16 bytes, as the kernel's are told."""
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


def _number(told: dict[int, bytes], number: int) -> int | None:
    value = told.get(number, b"")
    return int(_NUMBER.unpack(value)[0]) if len(value) == 4 else None
