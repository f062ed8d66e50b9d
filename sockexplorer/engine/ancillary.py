"""Ancillary data: what a control message says, as plain values. Descriptors that came along are described and closed.

Source: cmsg(3), unix(7), ip(7), ipv6(7), socket(7).
"""

from __future__ import annotations

import os
import socket
import stat
import struct
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from sockexplorer.core.constants import number
from sockexplorer.core.tpacket import vlan_tag

SOL_SOCKET = number("SOL_SOCKET")
SCM_RIGHTS = number("SCM_RIGHTS")
SCM_CREDENTIALS = number("SCM_CREDENTIALS")
SCM_TIMESTAMPNS = number("SCM_TIMESTAMPNS")
SO_RXQ_OVFL = number("SO_RXQ_OVFL")
SO_TYPE, SO_DOMAIN = 3, 39
SCM_SECURITY = 3
SCM_PIDFD = 4

_HEADER = struct.Struct("=Qii")
SOL_NETLINK = number("SOL_NETLINK")
NETLINK_PKTINFO = number("NETLINK_PKTINFO")
SOL_PACKET = number("SOL_PACKET")
PACKET_AUXDATA = number("PACKET_AUXDATA")
AUXDATA = struct.Struct("=IIIHHHH")
"""``struct tpacket_auxdata``: status, length, length captured, offsets of two headers, the VLAN's TCI and TPID."""
TP_STATUS_VLAN_VALID, TP_STATUS_VLAN_TPID_VALID = 0x10, 0x40
ETH_P_8021Q = number("ETH_P_8021Q")
SOL_TIPC = 271
TIPC_ERRINFO, TIPC_RETDATA, TIPC_DESTNAME = 1, 2, 3
_TIPC_ERRORS = (
    "TIPC_OK", "TIPC_ERR_NO_NAME", "TIPC_ERR_NO_PORT", "TIPC_ERR_NO_NODE", "TIPC_ERR_OVERLOAD", "TIPC_CONN_SHUTDOWN",
)  # fmt: skip
SOL_CAN_J1939 = 107
SCM_J1939_DEST_ADDR, SCM_J1939_DEST_NAME, SCM_J1939_PRIO = 1, 2, 3
_NAMES = {
    (0, 1): "IP_TOS", (0, 2): "IP_TTL", (0, 8): "IP_PKTINFO", (41, 50): "IPV6_PKTINFO", (41, 52): "IPV6_HOPLIMIT",
    (41, 67): "IPV6_TCLASS",
}  # fmt: skip

Control = tuple[int, int, bytes]


def walk(control: memoryview) -> Iterator[Control]:
    """The (level, type, data) of a control buffer of 64-bit Linux; stops at the first malformed header."""
    at = 0
    while at + _HEADER.size <= len(control):
        length, level, kind = _HEADER.unpack_from(control, at)
        if length < _HEADER.size or at + length > len(control):
            return
        yield level, kind, bytes(control[at + _HEADER.size : at + length])
        at += (length + 7) & ~7


class Said:
    """What the control messages of one frame said: the kernel's time, its drop counter, and the rest for people."""

    __slots__ = ("drops", "meta", "time")

    def __init__(self) -> None:
        self.time: int | None = None
        self.drops: int | None = None
        self.meta: dict[str, Any] = {}


def read(messages: Iterable[Control]) -> Said:
    """Sort the control messages of a frame. Every descriptor in them is closed before this returns."""
    said = Said()
    for level, kind, data in messages:
        if level == SOL_SOCKET and kind == SCM_TIMESTAMPNS and len(data) >= 16:
            seconds, nanoseconds = struct.unpack_from("=qq", data)
            said.time = seconds * 1_000_000_000 + nanoseconds
        elif level == SOL_SOCKET and kind == SO_RXQ_OVFL and len(data) >= 4:
            (said.drops,) = struct.unpack_from("=I", data)
        elif level == SOL_SOCKET and kind == SCM_RIGHTS:
            said.meta.setdefault("descriptors", []).extend(_close_all(data))
        elif level == SOL_SOCKET and kind == SCM_CREDENTIALS and len(data) >= 12:
            pid, uid, gid = struct.unpack_from("=iII", data)
            said.meta["credentials"] = {"pid": pid, "uid": uid, "gid": gid}
        elif level == SOL_SOCKET and kind == SCM_PIDFD and len(data) >= 4:
            said.meta.setdefault("descriptors", []).extend(_close_all(data[:4]))
        elif level == SOL_SOCKET and kind == SCM_SECURITY:
            said.meta["security"] = data.rstrip(b"\0").decode("utf-8", "backslashreplace")
        elif level == SOL_NETLINK and kind == NETLINK_PKTINFO and len(data) >= 4:
            # struct nl_pktinfo: the group that the message went to, which may be above 32; 0 for this socket alone.
            (said.meta["group"],) = struct.unpack_from("=I", data)
        elif level == SOL_PACKET and kind == PACKET_AUXDATA and len(data) >= AUXDATA.size:
            _auxdata(data, said.meta)
        elif (level == SOL_TIPC and _tipc(kind, data, said.meta)) or (
            level == SOL_CAN_J1939 and _j1939(kind, data, said.meta)
        ):
            continue
        else:
            name = _NAMES.get((level, kind), f"level {level} type {kind}")
            said.meta.setdefault("control", []).append({"name": name, "data": data.hex()})
    return said


def _auxdata(data: bytes, meta: dict[str, Any]) -> None:
    """The VLAN tag, which the kernel takes off a frame. Source: packet(7)."""
    status, _, _, _, _, tci, tpid = AUXDATA.unpack_from(data)
    if status & TP_STATUS_VLAN_VALID:
        tpid = tpid if status & TP_STATUS_VLAN_TPID_VALID else ETH_P_8021Q
        meta["vlan"] = vlan_tag(tci, tpid)


def _j1939(kind: int, data: bytes, meta: dict[str, Any]) -> bool:
    """To whom a message went, and its priority (0 is the highest). Source: ``<linux/can/j1939.h>``."""
    if kind == SCM_J1939_DEST_ADDR and data:
        meta["destination"] = {**meta.get("destination", {}), "address": data[0]}
    elif kind == SCM_J1939_DEST_NAME and len(data) >= 8:
        name = int.from_bytes(data[:8], sys.byteorder)
        meta["destination"] = {**meta.get("destination", {}), "name": f"0x{name:016x}"}
    elif kind == SCM_J1939_PRIO and data:
        meta["priority"] = data[0]
    else:
        return False
    return True


def _tipc(kind: int, data: bytes, meta: dict[str, Any]) -> bool:
    """Why a message came back and what it was, or the name that it was sent to. Source: ``<linux/tipc.h>``."""
    if kind == TIPC_ERRINFO and len(data) >= 8:
        code, length = struct.unpack_from("=II", data)
        error = _TIPC_ERRORS[code] if code < len(_TIPC_ERRORS) else f"error {code}"
        meta["returned"] = {**meta.get("returned", {}), "error": error, "length": length}
    elif kind == TIPC_RETDATA:
        meta["returned"] = {**meta.get("returned", {}), "data": data.hex()}
    elif kind == TIPC_DESTNAME and len(data) >= 12:
        meta["name"] = dict(zip(("type", "lower", "upper"), struct.unpack_from("=3I", data), strict=True))
    else:
        return False
    return True


def _close_all(data: bytes) -> list[str]:
    descriptors = struct.unpack(f"={len(data) // 4}i", data[: len(data) // 4 * 4])
    described = []
    for descriptor in descriptors:
        try:
            described.append(describe(descriptor))
        finally:
            os.close(descriptor)
    return described


def _socket_kind(descriptor: int) -> str:
    """``AF_INET SOCK_STREAM``. The family is claimed, then asked for: finding it out fails where there is no name."""
    passed = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=descriptor)
    try:
        family = passed.getsockopt(SOL_SOCKET, SO_DOMAIN)
        kind = passed.getsockopt(SOL_SOCKET, SO_TYPE)
    except OSError:
        return "socket"
    finally:
        passed.detach()
    names = [
        next((each.name for each in known if each == value), str(value))
        for known, value in ((socket.AddressFamily, family), (socket.SocketKind, kind))
    ]
    return " ".join(names)


def describe(descriptor: int) -> str:
    """What an open descriptor is: ``socket …``, ``pipe``, ``file /path``, ``directory /path`` …"""
    try:
        mode = os.fstat(descriptor).st_mode
        target = os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115
    except OSError as error:
        return f"descriptor ({error.strerror})"
    if stat.S_ISSOCK(mode):
        return f"{_socket_kind(descriptor)} {target}"
    for test, word in (
        (stat.S_ISREG, "file"), (stat.S_ISDIR, "directory"), (stat.S_ISCHR, "device"), (stat.S_ISFIFO, "pipe"),
        (stat.S_ISBLK, "block device"),
    ):  # fmt: skip
        if test(mode):
            return target if word == "pipe" and target.startswith("pipe:") else f"{word} {target}"
    return target
