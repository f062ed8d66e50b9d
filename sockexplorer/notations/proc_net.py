"""Lines of /proc/net/tcp, udp, udplite, raw, icmp (and their …6), unix, netlink and packet.

Source: proc(5); tcp4_seq_show() and its like in net/ipv4 and net/ipv6, unix_seq_show(), netlink_native_seq_show(),
packet_seq_show(). Addresses are in hexadecimal, each word of 32 bits in the byte order of the machine.
"""

from __future__ import annotations

import os
import re
import socket
import struct
from collections.abc import Iterator

from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol
from sockexplorer.families import family as family_named
from sockexplorer.notations.reading import Reading, accepts, ends, fitting, operation

ESTABLISHED, LISTEN, CLOSE = 0x01, 0x0A, 0x07
"""States of <net/tcp_states.h>; a UDP, raw or ping socket is in CLOSE while it is not connected."""
_FILE = r"(?:/proc/(?:(?:\d+|self|thread-self)/)?net/(?P<file>\w+):\s*)?"
_END = r"(?P<{0}_host>[0-9A-Fa-f]{{8}}|[0-9A-Fa-f]{{32}}):(?P<{0}_port>[0-9A-Fa-f]{{4}})"
_INTERNET = re.compile(
    rf"\s*{_FILE}\d+:\s+{_END.format('local')}\s+{_END.format('remote')}\s+(?P<state>[0-9A-Fa-f]{{2}})\b"
    r"(?:\s+\S+\s+\S+\s+\S+\s+\d+\s+\d+\s+(?P<tail>\d+.*))?"
)
_UNIX = re.compile(
    rf"\s*{_FILE}[0-9a-f]{{8,16}}: [0-9A-F]{{8}} [0-9A-F]{{8}} (?P<flags>[0-9A-F]{{8}}) (?P<type>[0-9A-F]{{4}})"
    r" (?P<state>[0-9A-F]{2}) +\d+(?: (?P<path>[^\n]+))?"
)
_NETLINK = re.compile(
    rf"\s*{_FILE}[0-9a-f]{{8,16}}\s+(?P<proto>\d{{1,3}})\s+(?P<pid>-?\d{{1,10}})\s+(?P<groups>[0-9a-f]{{8}})"
    r"(?:\s+-?\w+){3,6}\s*"
)
_PACKET = re.compile(
    rf"\s*{_FILE}[0-9a-f]{{8,16}}\s+\d+\s+(?P<type>\d{{1,2}})\s+(?P<proto>[0-9a-f]{{4}})\s+(?P<index>\d{{1,10}})"
    r"\s+[01]\s+\d+\s+\d+\s+\d+\s*"
)
_ACCEPTING = 0x10000
"""__SO_ACCEPTCON of <linux/net.h>: the socket listens."""


def read(text: str) -> Iterator[Reading]:
    """The socket of the first line that is one; a header and anything else is passed over."""
    for line in text.split("\n"):
        found = list(_line(line.rstrip("\r")))
        if found:
            yield from found
            return


def _line(line: str) -> Iterator[Reading]:
    for pattern, reader in ((_INTERNET, _internet), (_UNIX, _unix), (_NETLINK, _netlink), (_PACKET, _packet)):
        found = pattern.fullmatch(line)
        if found is not None:
            yield from reader(found)
            return


# --- internet ------------------------------------------------------------------------------------------------------


def _internet(found: re.Match[str]) -> Iterator[Reading]:
    family = family_named("inet" if len(found["local_host"]) == 8 else "inet6")
    local, remote = (_address(found[f"{end}_host"], int(found[f"{end}_port"], 16)) for end in ("local", "remote"))
    state = int(found["state"], 16)
    connected = int(found["remote_port"], 16) or any(each != "0" for each in found["remote_host"])
    for protocol, proto, name in _files(family, found, state):
        here, there = (_without_port(end) if proto is not None else end for end in (local, remote))
        yield from ends(
            family, protocol, here, there if connected and state != LISTEN else None,
            listening=state == LISTEN, proto=proto, notation=f"line of /proc/net/{name}",
        )  # fmt: skip


def _address(digits: str, port: int) -> tuple[object, ...]:
    raw = b"".join(struct.pack("=I", int(digits[at : at + 8], 16)) for at in range(0, len(digits), 8))
    if len(raw) == 4:
        return (socket.inet_ntop(socket.AF_INET, raw), port)
    return (socket.inet_ntop(socket.AF_INET6, raw), port, 0, 0)


def _without_port(address: tuple[object, ...]) -> tuple[object, ...]:
    return (address[0], 0, *address[2:])


def _files(family: Family, found: re.Match[str], state: int) -> list[tuple[Protocol, int | None, str]]:
    """The protocols whose file may have the line, likeliest first, with the number of a raw one and the file's name."""
    six = "6" if family.constant == "AF_INET6" else ""
    port = int(found["local_port"], 16)
    datagrams: list[tuple[Protocol, int | None, str]] = []
    streams: list[tuple[Protocol, int | None, str]] = []
    for protocol in family.protocols:
        if protocol.proto_choices:
            # What stands for the port of a raw socket is its protocol number.
            if port <= 0xFF:
                entry = (protocol, port, f"{protocol.name}{six}")
                first = port in protocol.proto_choices.values()
                datagrams.insert(0 if first else len(datagrams), entry)
        elif protocol.type == "SOCK_DGRAM":
            datagrams.append((protocol, None, f"{protocol.name}{six}"))
        elif protocol.type == "SOCK_STREAM" and not protocol.messages:
            streams.append((protocol, None, f"tcp{six}"))
    if found["file"]:
        return [each for each in datagrams + streams if each[2] == found["file"]]
    if state == CLOSE:
        return datagrams
    # "inode ref pointer drops" ends a line of udp; of tcp, eight numbers.
    ends_like_udp = found["tail"] is not None and len(found["tail"].split()) == 4
    if state == ESTABLISHED and found["tail"] is None:
        return streams + datagrams
    return datagrams if state == ESTABLISHED and ends_like_udp else streams


# --- the others ----------------------------------------------------------------------------------------------------


def _unix(found: re.Match[str]) -> Iterator[Reading]:
    family = family_named("unix")
    listening = bool(int(found["flags"], 16) & _ACCEPTING)
    for protocol, _ in fitting(family, int(found["type"], 16), 0):
        if not found["path"]:
            yield from ends(family, protocol, None, None, notation="line of /proc/net/unix")
        for address in names(found["path"] or ""):
            if not accepts(family, protocol, address):
                continue
            if protocol.connections and not listening and int(found["state"], 16) == 3:
                # An accepted connection bears the name of its listener: somebody else reaches that by connecting.
                yield Reading(
                    family, protocol, operation(protocol, "connect"), None, address, notation="line of /proc/net/unix"
                )
            yield from ends(
                family, protocol, address, None, listening=listening, notation="line of /proc/net/unix"
            )  # fmt: skip


def names(shown: str) -> list[object]:
    """The addresses that the kernel shows so: it writes @ for each NUL of an abstract name (unix_seq_show)."""
    if not shown.startswith("@"):
        return [shown] if shown else []
    raw = os.fsencode(shown) if _encodable(shown) else b""
    padded, plain = b"\0" + raw[1:].replace(b"@", b"\0"), b"\0" + raw[1:]
    if padded == plain:
        return [plain] if raw else []
    return [padded, plain] if raw.endswith(b"@") else [plain, padded]


def _encodable(text: str) -> bool:
    try:
        os.fsencode(text)
    except UnicodeError:
        return False
    return True


def _netlink(found: re.Match[str]) -> Iterator[Reading]:
    family = family_named("netlink")
    address = (int(found["pid"]) & 0xFFFFFFFF, int(found["groups"], 16))
    for protocol, _ in fitting(family, None, int(found["proto"])):
        yield from ends(family, protocol, address, None, notation="line of /proc/net/netlink")


def _packet(found: re.Match[str]) -> Iterator[Reading]:
    family = family_named("packet")
    try:
        interface = socket.if_indextoname(int(found["index"])) if int(found["index"]) else ""
    except (OSError, OverflowError):
        interface = ""
    for protocol, _ in fitting(family, int(found["type"]), 0):
        address = (interface, int(found["proto"], 16))
        yield from ends(family, protocol, address, None, notation="line of /proc/net/packet")
