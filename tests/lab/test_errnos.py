"""Errnos of the families that few hosts have, provoked through the engine, with the explanation that comes."""

from __future__ import annotations

import socket
import struct
import subprocess
from collections.abc import Callable, Iterator

import pytest
from errnos import Case, check, explained, failures, without_rights
from support import Desk

from sockexplorer.client.client import Refused
from sockexplorer.client.hub import Hub
from sockexplorer.client.link import start_thread
from sockexplorer.core.endpoint import SetOption

FRAME = struct.pack("=IB3x8s", 0x123, 5, b"hello")
FD_FRAME = struct.pack("=IB3x64s", 0x123, 12, b"hello")
V, DOWN = "vcan0", "vcan8"
EFF = 0x18DA00F1
"""A 29-bit id, without the flag that says so."""
NAME = 0x1122334455667788
NO_PGN = 0x40000
KEY = bytes(range(16))
LONG = bytes(100)


def job(opcode: int, frames: bytes = b"", count: int | None = None) -> bytes:
    """A ``struct bcm_msg_head`` on 64 bits, and frames."""
    count = len(frames) // 16 if count is None else count
    return struct.pack("@IIIllllII0q", opcode, 0, 0, 0, 0, 0, 0, 0x123, count) + frames


CAN = [
    Case("can/raw", "socket", "EPROTOTYPE", "SOCK_DGRAM", (V,), proto=2),
    Case("can/raw", "socket", "EINVAL", "protocols 1 to 7", (V,), proto=8),
    Case("can/raw", "bind", "ENODEV", "another kind, such as lo", ("lo",)),
    Case("can/raw", "send", "EINVAL", "16 bytes", (V,), send=(b"hello",)),
    Case("can/raw", "send", "EINVAL", "CAN_RAW_FD_FRAMES", (V,), send=(FD_FRAME,)),
    Case("can/raw", "send", "ENXIO", "all of them", ("",), send=(FRAME,)),
    Case("can/raw", "send", "EPERM", "none of CAN", ("",), send=(FRAME,), to=("lo",)),
    Case("can/raw", "read", "ENETDOWN", "down", (DOWN,)),
    Case("can/raw", "setsockopt", "EINVAL", "8 bytes each", (V,),
         options=(SetOption("SOL_CAN_RAW", "CAN_RAW_FILTER", b"1234567"),)),
    Case("can/bcm", "connect", "ENODEV", "another kind", remote=("lo",), operation="connect"),
    Case("can/bcm", "send", "ENODEV", "all interfaces", remote=("",), operation="connect", send=(job(4, FRAME),)),
    Case("can/bcm", "send", "EINVAL", "bcm_msg_head", remote=(V,), operation="connect", send=(b"short",)),
    Case("can/bcm", "send", "EINVAL", "deletes or reads only", remote=(V,), operation="connect", send=(job(2),)),
    Case("can/bcm", "send", "E2BIG", "more frames", remote=(V,), operation="connect",
         send=(job(1, FRAME), job(1, FRAME * 2))),
    Case("can/isotp", "bind", "EADDRNOTAVAIL", "the same", (V, 0x7E0, 0x7E0)),
    Case("can/isotp", "bind", "EINVAL", "CAN_EFF_FLAG", (V, EFF, 0x7E0)),
    Case("can/isotp", "bind", "ENODEV", "one CAN interface", ("", 1, 2)),
    Case("can/isotp", "bind", "ENODEV", "one CAN interface", ("lo", 1, 2)),
    Case("can/isotp", "send", "EINVAL", "8300", (V, 1, 2), send=(bytes(9000),)),
    Case("can/isotp", "send", "EAGAIN", "still under way", (V, 1, 2), send=(LONG, LONG), timeout=0),
    Case("can/isotp", "read", "ECOMM", "no flow control", (V, 0x11, 0x12), send=(LONG,)),
    Case("can/isotp", "read", "ENETDOWN", "down", (DOWN, 1, 2)),
    Case("can/isotp", "setsockopt", "EINVAL", "CAN_ISOTP_OPTS 12", (V, 1, 2),
         options=(SetOption("106", "1", bytes(3)),)),
    Case("can/j1939", "bind", "ENODEV", "one CAN interface", ("", 0, NO_PGN, 0x20)),
    Case("can/j1939", "bind", "ENODEV", "one CAN interface", ("lo", 0, NO_PGN, 0x20)),
    Case("can/j1939", "bind", "ENETDOWN", "down", (DOWN, 0, NO_PGN, 0x20)),
    Case("can/j1939", "bind", "EINVAL", "ends in 00", (V, 0, 0x1234, 0x20)),
    Case("can/j1939", "connect", "EINVAL", "binds before", remote=(V, 0, 0xF000, 0x30), operation="connect"),
    Case("can/j1939", "connect", "EACCES", "SO_BROADCAST", (V, 0, NO_PGN, 0x20), (V, 0, 0xFE00, 0xFF),
         operation="connect"),
    Case("can/j1939", "send", "EACCES", "SO_BROADCAST", (V, 0, NO_PGN, 0x20), send=(b"x",), to=(V, 0, 0xFE00, 0xFF)),
    Case("can/j1939", "send", "EBADFD", "no address to send from", (V, 0, NO_PGN, 0xFF), send=(b"x",),
         to=(V, 0, 0xFE00, 0x30)),
    Case("can/j1939", "send", "EBADFD", "another interface", (V, 0, NO_PGN, 0x20), send=(b"x",),
         to=(DOWN, 0, 0xFE00, 0x30)),
    Case("can/j1939", "send", "EADDRNOTAVAIL", "not claimed", (V, NAME, NO_PGN, 0xFF), send=(b"x",),
         to=(V, 0, 0xFE00, 0x30)),
    Case("can/j1939", "send", "EADDRNOTAVAIL", "not claimed", (V, 0, NO_PGN, 0x20), send=(b"x",),
         to=(V, 0x99, 0xEF00, 0xFF)),
    Case("can/j1939", "send", "EINVAL", "ends in 00", (V, 0, NO_PGN, 0x20), send=(b"x",), to=(V, 0, 0x1234, 0x30)),
    Case("can/j1939", "send", "EDOM", "transport protocol itself", (V, 0, NO_PGN, 0x20), send=(LONG,),
         to=(V, 0, 0xEC00, 0x30)),
    Case("can/j1939", "send", "EPROTO", "claim of an address", (V, NAME, NO_PGN, 0x21), send=(b"x",),
         to=(V, 0, 0xEE00, 0xFF), options=(SetOption("SOL_SOCKET", "SO_BROADCAST", 1),)),
    Case("can/j1939", "send", "EDESTADDRREQ", "1785", (V, 0, NO_PGN, 0x20), send=(bytes(2000),),
         to=(V, 0, 0xFE00, 0xFF), options=(SetOption("SOL_SOCKET", "SO_BROADCAST", 1),)),
    Case("can/j1939", "read", "EHOSTUNREACH", "request to send", (V, 0, NO_PGN, 0x20), send=(LONG,),
         to=(V, 0, 0xFE00, 0x30)),
    Case("can/j1939", "setsockopt", "EDOM", "0 (highest) to 7", (V, 0, NO_PGN, 0x20),
         options=(SetOption("107", "3", 9),)),
]  # fmt: skip
TIPC = [
    Case("tipc/rdm", "bind", "EAFNOSUPPORT", "not to an id", (3, 0, 1, 0)),
    Case("tipc/rdm", "bind", "EACCES", "below 64", (1, 10, 0, 0)),
    Case("tipc/rdm", "bind", "EINVAL", "before it begins", (1, 1000, 5, 0)),
    Case("tipc/stream", "connect", "EHOSTUNREACH", "Nobody has bound", remote=(2, 4000, 0, 0), operation="connect"),
    Case("tipc/stream", "connect", "EINVAL", "not to a range", remote=(1, 4000, 0, 0), operation="connect"),
    Case("tipc/stream", "connect", "ECONNREFUSED", "does not listen", remote=(3, 0, 12345, 0), operation="connect"),
    Case("tipc/stream", "connect", "EOPNOTSUPP", "a server's", (1, 4004, 0, 0), (2, 1, 0, 0), operation="connect"),
    Case("tipc/rdm", "send", "EHOSTUNREACH", "Nobody has bound", (1, 4005, 0, 0), send=(b"x",), to=(2, 4000, 0, 0)),
    Case("tipc/dgram", "send", "EHOSTUNREACH", "Nobody has bound", (1, 4006, 0, 0), send=(b"x",), to=(1, 4000, 0, 9)),
    Case("tipc/rdm", "send", "EDESTADDRREQ", "needs a destination", (1, 4007, 0, 0), send=(b"x",)),
    Case("tipc/rdm", "send", "EMSGSIZE", "66000", (1, 4008, 0, 0), send=(bytes(66001),), to=(2, 4008, 0, 0)),
    Case("tipc/rdm", "socket", "EPROTONOSUPPORT", "protocol 0 only", (1, 4009, 0, 0), proto=1),
    Case("tipc/rdm", "setsockopt", "EINVAL", "importance", (1, 4009, 0, 0),
         options=(SetOption("SOL_TIPC", "TIPC_IMPORTANCE", 9),)),
    Case("tipc/rdm", "setsockopt", "EACCES", "from 64 up", (1, 4009, 0, 0),
         options=(SetOption("SOL_TIPC", "135", struct.pack("4I", 5, 1, 2, 0)),)),
]  # fmt: skip
ROUTER = [
    Case("qipcrtr/dgram", "bind", "EINVAL", "not this machine's", (7, 0)),
    Case("qipcrtr/dgram", "bind", "EADDRINUSE", "name service's", (1, 0xFFFFFFFE)),
    Case("qipcrtr/dgram", "send", "ENODEV", "No socket has that port", (1, 0), send=(b"x",), to=(1, 0x6000)),
    Case("qipcrtr/dgram", "send", "ECONNRESET", "no node of that number", (1, 0), send=(b"x",), to=(9, 0x6000)),
    Case("qipcrtr/dgram", "send", "ENOTCONN", "no peer", (1, 0), send=(b"x",)),
    Case("qipcrtr/dgram", "send", "ENOTCONN", "only the control port", (1, 0), send=(b"x",), to=(0xFFFFFFFF, 0x6000)),
    Case("qipcrtr/dgram", "send", "EMSGSIZE", "65535", (1, 0), send=(bytes(65536),), to=(1, 0x6000)),
]
RDS = [
    Case("rds/seqpacket", "bind", "EINVAL", "not all (0.0.0.0)", ("", 4000)),
    Case("rds/seqpacket", "bind", "EINVAL", "multicast", ("224.0.0.1", 4000)),
    Case("rds/seqpacket", "bind", "EINVAL", "prober's", ("127.0.0.1", 1)),
    Case("rds/seqpacket", "bind", "EADDRNOTAVAIL", "No RDS transport", ("198.51.100.7", 4000)),
    Case("rds/seqpacket", "bind", "EADDRINUSE", "Another RDS socket", ("127.0.0.1", 4001), twice=True),
    Case("rds/seqpacket", "socket", "ESOCKTNOSUPPORT", "protocol 0 only", ("127.0.0.1", 4001), proto=5),
    Case("rds/seqpacket", "connect", "EDESTADDRREQ", "nobody's address", remote=("", 1), operation="connect"),
    Case("rds/seqpacket", "connect", "EINVAL", "multicast peers", remote=("224.0.0.1", 1), operation="connect"),
    Case("rds/seqpacket", "send", "ENOTCONN", "no destination", ("127.0.0.1", 0), send=(b"x",)),
    Case("rds/seqpacket", "send", "EINVAL", "no destination", ("127.0.0.1", 0), send=(b"x",), to=("224.0.0.1", 9)),
    Case("rds/seqpacket", "send", "EMSGSIZE", "1 MiB", ("127.0.0.1", 0), send=(bytes(2**20 + 1),),
         to=("127.0.0.1", 9)),
    Case("rds/seqpacket", "setsockopt", "ENOPROTOOPT", "not loaded", ("127.0.0.1", 0),
         options=(SetOption("276", "8", 0),)),
]  # fmt: skip
VSOCK = [
    Case("vsock/stream", "bind", "EADDRNOTAVAIL", "not this machine's", (2, 5000), operation="listen"),
    Case("vsock/stream", "bind", "EADDRINUSE", "has that port", (1, 5000), operation="listen", twice=True),
    Case("vsock/stream", "connect", "ECONNRESET", "answer by a reset", remote=(1, 6000), operation="connect"),
    Case("vsock/seqpacket", "connect", "ECONNRESET", "another type", remote=(1, 6000), operation="connect"),
    Case("vsock/stream", "connect", "ENODEV", "No transport", remote=(77, 6000), operation="connect"),
    Case("vsock/stream", "socket", "EPROTONOSUPPORT", "protocol 0 only", (1, 5000), operation="listen", proto=3),
]


def key(value: bytes) -> SetOption:
    return SetOption("SOL_ALG", "ALG_SET_KEY", value)


TAG = SetOption("SOL_ALG", "ALG_SET_AEAD_AUTHSIZE", 16)
IV, NONCE = bytes(16), bytes(12)
CBC, GCM, HMAC = ("skcipher", "cbc(aes)"), ("aead", "gcm(aes)"), ("hash", "hmac(sha256)")
ALG = [
    Case("alg/hash", "bind", "ENOENT", "no algorithm of that type", ("hash", "nonesuch")),
    Case("alg/hash", "bind", "ENOENT", "no algorithm of that type", ("nonesuch", "sha256")),
    Case("alg/hash", "bind", "EINVAL", "another type", ("hash", "cbc(aes)")),
    Case("alg/hash", "bind", "EINVAL", "feat or mask", ("hash", "sha256", 1)),
    Case("alg/hash", "socket", "EPROTONOSUPPORT", "protocol 0 only", ("hash", "sha256"), proto=1),
    Case("alg/hash", "setsockopt", "ENOSYS", "no key", ("hash", "sha256"), options=(key(b"x"),)),
    Case("alg/hash", "send", "ENOKEY", "an HMAC computes nothing", HMAC, send=(b"x",)),
    Case("alg/hash", "setsockopt", "ENOPROTOOPT", "does not have the option", ("hash", "sha256"), options=(TAG,)),
    Case("alg/skcipher", "setsockopt", "EINVAL", "24 or 32", CBC, options=(key(b"short"),)),
    Case("alg/skcipher", "send", "ENOKEY", "its key first", CBC, send=(IV,), fields={"op": 1, "iv": IV}),
    Case("alg/skcipher", "send", "EINVAL", "The IV", CBC, options=(key(KEY),), send=(IV,),
         fields={"op": 1, "iv": b"x"}),
    Case("alg/skcipher", "send", "EINVAL", "op is neither", CBC, options=(key(KEY),), send=(IV,),
         fields={"op": 7, "iv": IV}),
    Case("alg/skcipher", "read", "EINVAL", "whole number", CBC, options=(key(KEY),), send=(b"fifteen letters",),
         fields={"op": 1, "iv": IV}),
    Case("alg/aead", "setsockopt", "EINVAL", "no tag of that", GCM,
         options=(key(KEY), SetOption("SOL_ALG", "ALG_SET_AEAD_AUTHSIZE", 99))),
    Case("alg/aead", "send", "EINVAL", "12 bytes for GCM", GCM, options=(key(KEY), TAG), send=(LONG,),
         fields={"op": 1, "iv": b"x", "assoclen": 4}),
    Case("alg/aead", "read", "EINVAL", "associated data", GCM, options=(key(KEY), TAG), send=(b"1234567890",),
         fields={"op": 0, "iv": NONCE, "assoclen": 4}),
    Case("alg/aead", "read", "EBADMSG", "The tag does not fit", GCM, options=(key(KEY), TAG), send=(LONG,),
         fields={"op": 0, "iv": NONCE, "assoclen": 4}),
    Case("alg/rng", "read", "EINVAL", "its seed first", ("rng", "stdrng"), send=(b"",), fields={"read": 16}),
]  # fmt: skip
INTERNET = [
    Case("inet/sctp", "connect", "ECONNREFUSED", "Nobody listens there", remote=("127.0.0.1", 9), operation="connect"),
    Case("inet/sctp", "connect", "EINVAL", "one host", remote=("224.0.0.1", 9), operation="connect"),
    Case("inet/sctp", "bind", "EADDRINUSE", "Another socket", ("127.0.0.1", 7009), operation="listen", twice=True),
    Case("inet/sctp", "bind", "EADDRNOTAVAIL", "No interface", ("203.0.113.9", 0), operation="listen"),
    Case("inet/dccp", "connect", "ECONNREFUSED", "Nobody listens there", remote=("127.0.0.1", 9), operation="connect"),
    Case("inet6/dccp", "bind", "EINVAL", "multicast", ("ff02::1", 0), operation="listen"),
    Case("inet6/sctp", "connect", "ECONNREFUSED", "Nobody listens", remote=("::1", 9), operation="connect"),
    Case("inet6/udplite", "send", "EINVAL", "port 0", ("::1", 0), send=(b"x",), to=("::1", 0)),
]
A, P = "00:00:00:00:00:00", "AA:BB:CC:DD:EE:FF"
BLUETOOTH = [
    Case("bluetooth/l2cap", "bind", "EINVAL", "it is odd", (A, 0x1002), operation="listen"),
    Case("bluetooth/l2cap", "bind", "EADDRINUSE", "that PSM", (A, 0x1001), operation="listen", twice=True),
    Case("bluetooth/l2cap", "connect", "EHOSTUNREACH", "No adapter", remote=(P, 0x1001), operation="connect"),
    Case("bluetooth/rfcomm", "bind", "EADDRINUSE", "that PSM or channel", (A, 1), operation="listen", twice=True),
    Case("bluetooth/rfcomm", "connect", "EINVAL", "channels 1 to 30", remote=(P, 40), operation="connect"),
    Case("bluetooth/rfcomm", "connect", "EHOSTUNREACH", "No adapter", remote=(P, 1), operation="connect"),
    Case("bluetooth/hci", "bind", "ENODEV", "no such adapter", (0,)),
    Case("bluetooth/hci", "send", "EINVAL", "4 bytes at least", (0xFFFF,), send=(b"\x01",)),
    Case("bluetooth/hci", "send", "EBADFD", "no adapter", (0xFFFF,), send=(b"\x01\x01\x10\x00",)),
    Case("bluetooth/hci", "bind", "EINVAL", "HCI_DEV_NONE", (1 << 16 | 0xFFFF,)),
    Case("bluetooth/sco", "connect", "EHOSTUNREACH", "No adapter", remote=P.encode(), operation="connect"),
]
EVERY = [*CAN, *TIPC, *ROUTER, *RDS, *VSOCK, *ALG, *INTERNET, *BLUETOOTH]


@pytest.fixture(scope="module")
def everything() -> Iterator[Desk]:
    """A hub for all cases, which close their sockets; and a CAN interface that is down."""
    subprocess.run(["ip", "link", "add", DOWN, "type", "vcan"], check=True)
    desk = Desk(Hub(start_thread))
    yield desk
    desk.hub.shut_down()
    subprocess.run(["ip", "link", "del", DOWN], check=True)


@pytest.mark.parametrize("case", EVERY, ids=lambda case: case.id)
def test_an_errno_is_explained_for_its_call(everything: Desk, case: Case) -> None:
    check(everything, case)


def send_can(identifier: int, *payloads: bytes) -> None:
    """Frames of another node on the bus."""
    with socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW) as node:
        node.bind((V,))
        for each in payloads:
            node.send(struct.pack("=IB3x8s", identifier, len(each), each))


@pytest.mark.parametrize(
    ("sent", "answers", "errno", "says"),
    [
        (b"", (b"\x10\x14abcdef",), "ETIMEDOUT", "the next of its frames"),
        (b"", (b"\x10\x14abcdef", b"\x25abcdefg"), "EILSEQ", "sequence number"),
        (LONG, (b"\x32\0\0",), "EMSGSIZE", "too long for it"),
        (LONG, (b"\x35\0\0",), "EBADMSG", "unknown status"),
    ],
    ids=["stopped", "out-of-turn", "overflow", "unknown-status"],
)
def test_what_goes_wrong_in_a_long_message_of_isotp(
    everything: Desk, sent: bytes, answers: tuple[bytes, ...], errno: str, says: str
) -> None:
    session = everything.open("can/isotp", local=(V, 0x31, 0x32))
    try:
        if sent:
            everything.send(session, sent)
        send_can(0x31, *answers)
        problem = everything.until(lambda: failures(session), errno)[0]
        assert (problem.stage, problem.name) == ("read", errno)
        explained("can/isotp", problem, says)
    finally:
        everything.close(session)


def test_a_full_queue_of_a_receiver(everything: Desk) -> None:
    """A receiver that does not read: QRTR says so at once."""
    with socket.socket(socket.AF_QIPCRTR, socket.SOCK_DGRAM) as receiver:
        receiver.bind((1, 0))
        session = everything.open("qipcrtr/dgram", local=(1, 0))
        try:
            with pytest.raises(Refused) as caught:  # noqa: PT012 - the first that finds no room
                for _ in range(5000):
                    everything.send(session, bytes(1000), to=receiver.getsockname())
            assert (caught.value.problem.stage, caught.value.problem.name) == ("send", "ENOSPC")
            explained("qipcrtr/dgram", caught.value.problem, "does not read")
        finally:
            everything.close(session)


RIGHTS = [
    Case("qipcrtr/dgram", "bind", "EACCES", "below 0x4000", (1, 5)),
    Case("vsock/stream", "bind", "EACCES", "below 1024", (1, 5), operation="listen"),
    Case("can/j1939", "setsockopt", "EPERM", "CAP_NET_ADMIN", (V, 0, NO_PGN, 0x20),
         options=(SetOption("107", "3", 1),)),
    Case("bluetooth/l2cap", "bind", "EACCES", "CAP_NET_BIND_SERVICE", (A, 1), operation="listen"),
    Case("bluetooth/hci", "bind", "EPERM", "CAP_NET_ADMIN", (1 << 16,)),
    Case("bluetooth/hci", "bind", "EPERM", "CAP_NET_RAW", (2 << 16 | 0xFFFF,)),
    Case("netlink/crypto", "bind", "EPERM", "CAP_NET_ADMIN", (0, 1)),
]  # fmt: skip


@pytest.fixture(scope="module")
def without(engines: Callable[[str], Desk], tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A hub whose engine has no right at all; each case closes its sockets."""
    return engines(without_rights(tmp_path_factory.mktemp("rights")))


@pytest.mark.parametrize("case", RIGHTS, ids=lambda case: case.id)
def test_a_missing_right_is_explained(without: Desk, case: Case) -> None:
    check(without, case)
