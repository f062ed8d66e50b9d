"""Which link type the frames of a family and protocol have in a capture file, with which header; and the way back.

Link types and their headers: https://www.tcpdump.org/linktypes.html. ARP hardware types: <linux/if_arp.h>.
"""

from __future__ import annotations

import struct
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from sockexplorer.capture import exported_pdu
from sockexplorer.core import canframes

ETHERNET, RAW_IP, SLL, IEEE802_11, RADIOTAP = 1, 101, 113, 105, 127
H4, H4_DIRECTION, SOCKETCAN, IPV4, IPV6 = 187, 201, 227, 228, 229
EXPORTED_PDU, NETLINK, BLUETOOTH_MONITOR, VSOCK, SLL2 = 252, 253, 254, 271, 276
LOOPBACK = (0, 108)
"""LINKTYPE_NULL, LINKTYPE_LOOP: IP behind four bytes with a family of the host that captured it, mostly a BSD."""
LOOPBACK_HEADER = 4
WHOLE_IP = (RAW_IP, IPV4, IPV6, 12, 14)
"""Link types of IP without a header ahead of it; 12, and 14 on OpenBSD, is what some write for `RAW_IP`."""
OF_HARDWARE = {
    1: ETHERNET, 772: ETHERNET, 801: IEEE802_11, 803: RADIOTAP, 65534: RAW_IP, 768: RAW_IP, 776: RAW_IP, 280: SOCKETCAN,
    824: NETLINK, 826: VSOCK,
}  # fmt: skip
"""Link types of whole frames of a network interface, by its ARP hardware type: ARPHRD_ETHER, ARPHRD_LOOPBACK …"""
COOKED = struct.Struct(">HHIHBB8s")
"""LINKTYPE_LINUX_SLL2: protocol, 0, index of the interface, hardware type, packet type, length of address, address."""
COOKED_1 = struct.Struct(">HHH8sH")
"""LINKTYPE_LINUX_SLL: packet type, hardware type, length of address, address, protocol."""
OF_NETLINK = struct.Struct(">HH10xH")
"""LINKTYPE_NETLINK: packet type, ARPHRD_NETLINK, netlink family."""
OF_VSOCK = struct.Struct("<QQIIHHH2x")
"""``struct af_vsockmon_hdr``: cids and ports of source and destination, operation, transport, length of its header."""
OF_MONITOR = struct.Struct("<HHH")
"""``struct hci_mon_hdr``: opcode, index of the adapter, length."""
HOST, PACKET_BROADCAST, PACKET_MULTICAST, OUTGOING = 0, 1, 2, 4
ARPHRD_ETHER, ARPHRD_LOOPBACK, ARPHRD_NETLINK = 1, 772, 824
ETHERNET_HEADER = 14
VSOCK_PAYLOAD, VSOCK_NO_INFO = 4, 1
HCI_CHANNEL_RAW, HCI_CHANNEL_USER, HCI_CHANNEL_MONITOR = 0, 1, 2
IPPROTO_RAW = 255
MASK = 0xFFFFFFFF
OTHER_PATHS = {
    exported_pdu.UDP: "udp", exported_pdu.TCP: "tcp", exported_pdu.SCTP: "sctp", exported_pdu.DCCP: "dccp",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Origin:
    """Where frames are from: ``inet/udp``, the number of the protocol, and the address of this end."""

    path: str
    proto: int = 0
    local: object = None

    @property
    def family(self) -> str:
        return self.path.partition("/")[0]

    @property
    def protocol(self) -> str:
        return self.path.partition("/")[2]


class Unwrapped(NamedTuple):
    """What a socket would have given of a frame in a file. ``path`` is "" where no family of sockets has such frames.

    ``peer`` is the peer's address as a Python literal, as far as the frame has it.
    """

    path: str
    payload: bytes
    peer: str | None = None


def wrap(origin: Origin, peer: object, payload: bytes, *, outgoing: bool) -> tuple[int, bytes, int]:
    """Link type, bytes ahead of the payload, and how many of the payload's own bytes they replace."""
    if origin.family == "packet":
        return _packet(origin, peer, outgoing)
    if origin.path == "can/raw" and len(payload) >= 8:
        head = payload[:4][:: -1 if sys.byteorder == "little" else 1]
        if len(payload) == canframes.FD:
            # The kernel sets the flag when it sends; Wireshark knows a CAN FD frame by it.
            return SOCKETCAN, head + bytes((payload[4], payload[5] | canframes.FDF)), 6
        return SOCKETCAN, head, 4
    if origin.family == "netlink":
        return NETLINK, OF_NETLINK.pack(OUTGOING if outgoing else HOST, ARPHRD_NETLINK, origin.proto & 0xFFFF), 0
    if origin.family == "vsock":
        return VSOCK, _vsock(origin.local, peer, outgoing), 0
    if origin.path == "bluetooth/hci":
        return _hci(origin, payload, outgoing)
    if origin.family == "divert" or _whole_ip(origin, payload, outgoing):
        return RAW_IP, b"", 0
    return EXPORTED_PDU, _exported(origin, peer, outgoing), 0


def told_by(origin: Origin) -> int | None:
    """How many of a payload's first bytes `wrap` and a frame's comments depend on; None where it is more than that."""
    if origin.family == "packet":
        return ETHERNET_HEADER
    return None if origin.path in ("can/raw", "bluetooth/hci", "inet/raw") else 0


def _packet(origin: Origin, peer: object, outgoing: bool) -> tuple[int, bytes, int]:
    address = peer if isinstance(peer, tuple) and len(peer) >= 4 else origin.local
    numbers = address[1:4] if isinstance(address, tuple) and len(address) >= 4 else ()
    proto, pkttype, hatype = numbers if all(isinstance(each, int) for each in numbers) and numbers else (0, 0, 1)
    if origin.protocol != "dgram":
        link = OF_HARDWARE.get(hatype, EXPORTED_PDU)
        return link, _exported(origin, None, outgoing) if link == EXPORTED_PDU else b"", 0
    hardware = address[4] if isinstance(address, tuple) and len(address) > 4 else b""
    hardware = bytes(hardware)[:8] if isinstance(hardware, bytes) else b""
    kind = OUTGOING if outgoing else pkttype & 0xFF
    return SLL2, COOKED.pack(proto & 0xFFFF, 0, 0, hatype & 0xFFFF, kind, len(hardware), hardware), 0


def _vsock(local: object, peer: object, outgoing: bool) -> bytes:
    mine, theirs = (
        (each[0] & MASK, each[1] & MASK)
        if isinstance(each, tuple) and len(each) == 2 and all(isinstance(part, int) for part in each)
        else (MASK, MASK)
        for each in (local, peer)
    )
    source, destination = (mine, theirs) if outgoing else (theirs, mine)
    return OF_VSOCK.pack(
        source[0], destination[0], source[1], destination[1], VSOCK_PAYLOAD, VSOCK_NO_INFO, 0
    )  # fmt: skip


def _hci(origin: Origin, payload: bytes, outgoing: bool) -> tuple[int, bytes, int]:
    local = origin.local
    channel = local[1] if isinstance(local, tuple) and len(local) > 1 else HCI_CHANNEL_RAW
    if channel == HCI_CHANNEL_MONITOR and len(payload) >= OF_MONITOR.size:
        opcode, index, _ = OF_MONITOR.unpack_from(payload)
        return BLUETOOTH_MONITOR, struct.pack(">HH", index, opcode), OF_MONITOR.size
    if channel in (HCI_CHANNEL_RAW, HCI_CHANNEL_USER):
        return H4_DIRECTION, struct.pack(">I", not outgoing), 0
    return EXPORTED_PDU, _exported(origin, None, outgoing), 0


def _whole_ip(origin: Origin, payload: bytes, outgoing: bool) -> bool:
    """Whether a raw socket gave or took a packet with its IP header (raw(7)); that of IPv6 never does."""
    if origin.path != "inet/raw" or len(payload) < 20 or payload[0] >> 4 != 4:
        return False
    return not outgoing or origin.proto == IPPROTO_RAW


@lru_cache(maxsize=1024)
def _exported(origin: Origin, peer: object, outgoing: bool) -> bytes:
    protocol, column = origin.protocol, f"{origin.family}/{origin.protocol}"
    internet = origin.family in ("inet", "inet6")
    port_type = exported_pdu.PORT_TYPES.get(protocol) if internet else None
    if origin.family == "rds":
        port_type = exported_pdu.NONE
    source, destination = (origin.local, peer) if outgoing else (peer, origin.local)
    name = exported_pdu.PLAIN
    if internet and port_type is not None:
        ports = (exported_pdu.endpoint(each)[1] for each in (peer, origin.local))
        name = exported_pdu.dissector(protocol, *ports)
    elif internet:
        name = exported_pdu.BY_IP_PROTOCOL.get(origin.proto, exported_pdu.PLAIN)
    if not internet and origin.family != "rds":
        source = destination = None
    return exported_pdu.header(
        name, column, source=source, destination=destination, port_type=port_type, outgoing=outgoing
    )


# --- the way back --------------------------------------------------------------------------------------------

UNNAMED = "?"
"""Stands for the interface in the address of a frame where the file has no name for it."""


def unwrap(
    link_type: int, data: bytes, *, outgoing: bool = False, path: str = "", interface: str = "", cut: bool = False
) -> Unwrapped:  # fmt: skip
    """What a socket would have given. Never raises: what is too short for its header comes as it is, without a path.

    ``path`` is what the file says that the frame is from, "" where it does not; ``interface`` the name of the
    interface that it was captured on; ``cut`` that the frame had more bytes than the file has of it.
    """
    try:
        return _unwrap(link_type, data, outgoing, path, interface, cut)
    except (struct.error, ValueError, IndexError):
        return Unwrapped("", data)


def _unwrap(link_type: int, data: bytes, outgoing: bool, path: str, interface: str, cut: bool) -> Unwrapped:
    if link_type == EXPORTED_PDU:
        return _of_exported(exported_pdu.read(data), outgoing, path)
    if link_type == ETHERNET:
        told = ethernet_peer(data, interface, outgoing=outgoing) if len(data) >= ETHERNET_HEADER else None
        return Unwrapped(path or "packet/raw", data, told)
    if path == "packet/raw":
        return Unwrapped(path, data)
    if link_type == SOCKETCAN:
        if len(data) < 8:
            raise ValueError("shorter than the head of a CAN frame")
        head = data[:4][:: -1 if sys.byteorder == "little" else 1]
        # Wireshark's own writers leave the padding of a short frame out.
        frame = head + data[4:]
        if frame[4] & canframes.XLF:
            return Unwrapped("can/raw", frame, f"({interface!a},)" if interface else None)
        if not cut and len(frame) <= 72:
            frame = frame.ljust(16 if len(frame) <= 16 else 72, b"\0")
        return Unwrapped("can/raw", frame, f"({interface!a},)" if interface else None)
    if link_type == NETLINK:
        _, _, family = OF_NETLINK.unpack_from(data)
        # A tap has both directions and does not tell them apart; what a socket receives is from the kernel, mostly.
        kernel = "(0, 0)" if path and not outgoing else None
        return Unwrapped(path or _netlink_path(family), data[OF_NETLINK.size :], kernel)
    if link_type == VSOCK:
        source, destination, source_port, destination_port, _, _, transport = OF_VSOCK.unpack_from(data)
        peer = (destination, destination_port) if outgoing else (source, source_port)
        return Unwrapped(path or "vsock/stream", data[OF_VSOCK.size + transport :], repr(peer))
    if link_type in (H4, H4_DIRECTION):
        return Unwrapped("bluetooth/hci", data[4:] if link_type == H4_DIRECTION else data)
    if link_type == BLUETOOTH_MONITOR:
        index, opcode = struct.unpack_from(">HH", data)
        return Unwrapped("bluetooth/hci", OF_MONITOR.pack(opcode, index, (len(data) - 4) & 0xFFFF) + data[4:])
    if link_type in (SLL, SLL2):
        return _of_cooked(link_type, data, interface or UNNAMED)
    if link_type in LOOPBACK and data[LOOPBACK_HEADER] >> 4 in (4, 6):
        return _unwrap(RAW_IP, data[LOOPBACK_HEADER:], outgoing, path, interface, cut)
    if link_type in WHOLE_IP:
        return Unwrapped(path or ("inet6/raw" if data[0] >> 4 == 6 else "inet/raw"), data)
    return Unwrapped("packet/raw" if link_type in (IEEE802_11, RADIOTAP) else "", data)


def ethernet_peer(data: bytes, interface: str, *, outgoing: bool) -> str:
    """The address of AF_PACKET that a frame comes with, as far as its header tells; ``interface`` is "" for unknown."""
    to, sender, proto = struct.unpack_from(">6s6sH", data)
    arrived = PACKET_BROADCAST if to == b"\xff" * 6 else PACKET_MULTICAST if to[0] & 1 else HOST
    hatype = ARPHRD_LOOPBACK if interface == "lo" else ARPHRD_ETHER
    return repr((interface or UNNAMED, proto, OUTGOING if outgoing else arrived, hatype, sender))


def _of_cooked(link_type: int, data: bytes, interface: str) -> Unwrapped:
    if link_type == SLL2:
        proto, _, _, hatype, pkttype, length, hardware = COOKED.unpack_from(data)
        payload = data[COOKED.size :]
    else:
        pkttype, hatype, length, hardware, proto = COOKED_1.unpack_from(data)
        payload = data[COOKED_1.size :]
    return Unwrapped("packet/dgram", payload, repr((interface, proto, pkttype, hatype, hardware[: min(length, 8)])))


def _of_exported(tagged: exported_pdu.Tagged, outgoing: bool, path: str) -> Unwrapped:
    if not path and tagged.dissector in exported_pdu.OF_CAN:
        # The byte order of the ids is that of whoever wrote them, and nobody says which: mostly it is ours.
        return Unwrapped("can/raw", tagged.payload)
    host, port = (
        (tagged.destination, tagged.destination_port) if outgoing else (tagged.source, tagged.source_port)
    )  # fmt: skip
    if not path and tagged.port_type in OTHER_PATHS and host:
        path = f"{'inet6' if ':' in host else 'inet'}/{OTHER_PATHS[tagged.port_type]}"
    if not host:
        return Unwrapped(path, tagged.payload)
    return Unwrapped(path, tagged.payload, peer_at(host, port or 0, path))


def peer_at(host: str, port: int, path: str) -> str:
    """The literal of an address of IP."""
    flow = ", 0, 0" if ":" in host and not path.startswith("rds") else ""
    return f"('{host}', {port}{flow})"


def _netlink_path(family: int) -> str:
    from sockexplorer.families import family as find_family

    known = find_family("netlink").protocols
    return next((f"netlink/{each.name}" for each in known if each.proto_number == family), "netlink/route")
