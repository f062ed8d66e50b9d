"""Where a family warns that the kernel refuses an address, the kernel does; and where it is silent, it does not."""

from __future__ import annotations

import ctypes
import errno
import os

import pytest

from sockexplorer.core.family import Family
from sockexplorer.core.interpreter import Interpreter
from sockexplorer.core.protocol import Protocol
from sockexplorer.families import find
from sockexplorer.families.bluetooth import Bluetooth

LIBC = ctypes.CDLL(None, use_errno=True)
BLUETOOTH = Bluetooth(Interpreter((3, 14)))
EFF = 0x80000000


def answer(each: Family, protocol: Protocol, call: str, address: object) -> str:
    """The errno that ``bind()`` or ``connect()`` ends with, "" for none; by libc, for Python may lack the family."""
    descriptor = LIBC.socket(each.number, protocol.type_number, protocol.proto_number)
    assert descriptor >= 0, os.strerror(ctypes.get_errno())
    try:
        sockaddr = each.pack(protocol, address)
        failed = getattr(LIBC, call)(descriptor, sockaddr, len(sockaddr))
        return errno.errorcode[ctypes.get_errno()] if failed else ""
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    ("path", "call", "address", "refused"),
    [
        ("can/isotp", "bind", ("vcan0", 0x7FF, 1), ""),
        ("can/isotp", "bind", ("vcan0", 0x800, 1), "EINVAL"),
        ("can/isotp", "bind", ("vcan0", 1, 0x40000123), "EINVAL"),
        ("can/isotp", "bind", ("vcan0", 1, EFF | 0x20000000), "EINVAL"),
        ("can/isotp", "bind", ("vcan0", EFF | 0x1FFFFFFF, EFF), ""),
        ("can/isotp", "bind", ("vcan0", 1, 1), "EADDRNOTAVAIL"),
        ("can/isotp", "bind", ("", 1, 2), "ENODEV"),
        ("can/j1939", "bind", ("", 0, 0x40000, 1), "ENODEV"),
        ("can/j1939", "bind", ("vcan0", 0, 0x1201, 1), "EINVAL"),
        ("can/j1939", "bind", ("vcan0", 0, 0x1EF01, 1), "EINVAL"),
        ("can/j1939", "bind", ("vcan0", 0, 0x1EF00, 1), ""),
        ("can/j1939", "bind", ("vcan0", 0, 0xF001, 1), ""),
        ("tipc/rdm", "bind", (1, 63, 0, 10), "EACCES"),
        ("tipc/rdm", "bind", (1, 64, 0, 10), ""),
        ("tipc/rdm", "bind", (1, 1000, 11, 10), "EINVAL"),
        ("tipc/rdm", "bind", (1, 1000, 10, 10), ""),
        ("tipc/rdm", "bind", (3, 1, 2, 0), "EAFNOSUPPORT"),
        ("alg/hash", "bind", ("hash", "sha256", 0x1000), ""),
        ("alg/hash", "bind", ("hash", "sha256", 0x2000), "EINVAL"),
        ("alg/hash", "bind", ("hash", "sha256", 0, 1), "EINVAL"),
        ("alg/hash", "bind", ("cipher", "aes"), "ENOENT"),
        ("alg/hash", "bind", ("hash", ""), "ENOENT"),
        ("rds/seqpacket", "bind", ("127.0.0.1", 9999), ""),
        ("rds/seqpacket", "bind", ("", 9999), "EINVAL"),
        ("rds/seqpacket", "bind", ("<broadcast>", 9999), "EINVAL"),
        ("rds/seqpacket", "bind", ("224.0.0.1", 9999), "EINVAL"),
        ("rds/seqpacket", "connect", ("240.0.0.1", 9999), ""),
        ("rds/seqpacket", "connect", ("239.255.255.255", 9999), "EINVAL"),
        ("rds/seqpacket", "connect", ("0.0.0.0", 9999), "EDESTADDRREQ"),
        ("inet6/udp", "bind", ("fe80::1", 9999), "EINVAL"),
        ("inet6/udp", "bind", ("ff02::1", 9999), "EINVAL"),
        ("inet6/udp", "bind", ("ff02::1", 9999, 0, 1), ""),
        ("inet6/udp", "bind", ("ff05::1", 9999), ""),
        ("bluetooth/hci", "bind", 0xFFFF, ""),
        ("bluetooth/hci", "bind", (0xFFFF, 1), "EINVAL"),
        *(("bluetooth/hci", "bind", (0, channel), "EINVAL") for channel in (2, 3, 4, 5)),
        *(("bluetooth/hci", "bind", (0xFFFF, channel), "") for channel in (2, 3, 4)),
        ("bluetooth/hci", "bind", (0xFFFF, 5), "EINVAL"),
        ("bluetooth/l2cap", "bind", ("00:00:00:00:00:00", 0x1001), ""),
        ("bluetooth/l2cap", "bind", ("00:00:00:00:00:00", 0x1002), "EINVAL"),
        ("bluetooth/l2cap", "bind", ("00:00:00:00:00:00", 0x1101), "EINVAL"),
        ("bluetooth/l2cap", "bind", ("00:00:00:00:00:00", 0x1001, 4), "EINVAL"),
        ("bluetooth/l2cap", "bind", ("00:00:00:00:00:00", 0x80, 0, 1), ""),
        ("bluetooth/l2cap", "bind", ("00:00:00:00:00:00", 0x101, 0, 1), "EINVAL"),
        ("bluetooth/l2cap", "bind", ("00:00:00:00:00:00", 0, 4, 1), ""),
        ("bluetooth/l2cap", "bind", ("00:00:00:00:00:00", 0, 5, 1), "EINVAL"),
        ("bluetooth/l2cap", "bind", ("00:00:00:00:00:00", 0, 4, 7), "EINVAL"),
    ],
)
def test_a_warning_is_true(path: str, call: str, address: object, refused: str) -> None:
    each, protocol = find(path)
    if each.name == "bluetooth":
        each = BLUETOOTH
    warned = list(each.notices(protocol, address, "local" if call == "bind" else "remote"))
    assert answer(each, protocol, call, address) == refused
    assert bool(warned) == bool(refused), warned
