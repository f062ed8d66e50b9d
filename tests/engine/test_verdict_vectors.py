"""Facts of ``getsockaddrarg()``, one by one: what each family takes, and which exception it raises for the rest.

Source: socketmodule.c of CPython 3.11 to 3.14, read and run.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from support import descriptors

from sockexplorer.engine.verdict import ask_cpython, judge
from sockexplorer.families import find

OK = None
VECTORS: list[tuple[str, Any, str | None]] = [
    # A tuple and nothing else; its length before its elements; elements from left to right.
    ("inet/udp", ("127.0.0.1", 9999), OK),
    ("inet/udp", ["127.0.0.1", 9999], "TypeError"),
    ("inet/udp", ("127.0.0.1",), "TypeError"),
    ("inet/udp", ("127.0.0.1", 1, 2), "TypeError"),
    ("inet/udp", "127.0.0.1:9999", "TypeError"),
    ("inet/udp", (None, None, None), "TypeError"),
    ("inet/udp", None, "TypeError"),
    # The host: str, bytes or bytearray.
    ("inet/udp", ("", 0), OK),
    ("inet/udp", ("<broadcast>", 0), OK),
    ("inet/udp", ("<BROADCAST>", 0), "gaierror"),
    ("inet/udp", (b"127.0.0.1", 0), OK),
    ("inet/udp", (bytearray(b"127.0.0.1"), 0), OK),
    ("inet/udp", (memoryview(b"127.0.0.1"), 0), "TypeError"),
    ("inet/udp", (2130706433, 0), "TypeError"),
    ("inet/udp", ("2130706433", 0), OK),
    ("inet/udp", ("127.1", 0), OK),
    ("inet/udp", ("0177.0.0.1", 0), OK),
    ("inet/udp", ("256.0.0.1", 0), "gaierror"),
    ("inet/udp", ("1.2.3.4.5", 0), "gaierror"),
    ("inet/udp", ("::ffff:1.2.3.4", 0), OK),
    ("inet/udp", ("::1", 0), "gaierror"),
    ("inet/udp", ("a b", 0), "gaierror"),
    ("inet/udp", ("127.0.0.1\0", 0), "TypeError"),
    ("inet/udp", ("é" * 70, 0), "TypeError"),
    ("inet/udp", ("１２７.0.0.1", 0), OK),
    # The port: a C int, then 0 to 65535; the host is resolved in between.
    ("inet/udp", ("127.0.0.1", True), OK),
    ("inet/udp", ("127.0.0.1", 65535), OK),
    ("inet/udp", ("127.0.0.1", 65536), "OverflowError"),
    ("inet/udp", ("127.0.0.1", -1), "OverflowError"),
    ("inet/udp", ("127.0.0.1", 2**31), "OverflowError"),
    ("inet/udp", ("256.0.0.1", 70000), "gaierror"),
    ("inet/udp", ("256.0.0.1", 2**31), "OverflowError"),
    ("inet/udp", ("127.0.0.1", 80.0), "TypeError"),
    ("inet/udp", ("127.0.0.1", "80"), "TypeError"),
    ("inet6/tcp", ("::1", 1), OK),
    ("inet6/tcp", ("::1", 1, 0xFFFFF, -1), OK),
    ("inet6/tcp", ("::1", 1, 0x100000), "OverflowError"),
    ("inet6/tcp", ("::1", 1, -1), "OverflowError"),
    ("inet6/tcp", ("::1", 1, 2**32), OK),
    ("inet6/tcp", ("::1", 1, 0, 2**40 + 7), OK),
    ("inet6/tcp", ("::1", 1, 0, "lo"), "TypeError"),
    ("inet6/tcp", ("::1", 1, 0, 0, 0), "TypeError"),
    ("inet6/tcp", ("fe80::1%lo", 1), OK),
    ("inet6/tcp", ("fe80::1%nosuch0", 1), "gaierror"),
    ("inet6/tcp", ("::1%lo", 1), "gaierror"),
    ("inet6/tcp", ("[::1]", 1), "gaierror"),
    ("inet6/tcp", ("127.0.0.1", 1), "gaierror"),
    ("inet6/tcp", ("<broadcast>", 1), "OSError"),
    ("inet6/tcp", ("255.255.255.255", 1), "OSError"),
    # AF_UNIX counts bytes, and takes any buffer, but no Path and no tuple.
    ("unix/stream", "x" * 107, OK),
    ("unix/stream", "x" * 108, "OSError"),
    ("unix/stream", "é" * 53 + "x", OK),
    ("unix/stream", "é" * 54, "OSError"),
    ("unix/stream", b"\0" * 108, OK),
    ("unix/stream", b"\0" * 109, "OSError"),
    ("unix/stream", "", OK),
    ("unix/stream", bytearray(b"/tmp/x"), OK),
    ("unix/stream", memoryview(b"/tmp/x y")[::2], "BufferError"),
    ("unix/stream", "a\0b", OK),
    ("unix/stream", "\udcff", OK),
    ("unix/stream", "\ud800", "UnicodeEncodeError"),
    ("unix/stream", ("/tmp/x",), "TypeError"),
    ("unix/stream", 7, "TypeError"),
    # AF_NETLINK and AF_VSOCK wrap whatever they get.
    ("netlink/route", (0, 0), OK),
    ("netlink/route", (-1, 2**40), OK),
    ("netlink/route", (0, 0, 0), "TypeError"),
    ("netlink/route", (0.0, 0), "TypeError"),
    ("netlink/route", "kernel", "TypeError"),
    ("vsock/stream", (-1, -1), OK),
    ("vsock/stream", (2**70, 1), OK),
    ("vsock/stream", (2,), "TypeError"),
    ("vsock/stream", ("2", 1), "TypeError"),
    ("vsock/stream", [2, 1], "TypeError"),
    # AF_PACKET: types, then the interface, then the length of addr, then proto.
    ("packet/raw", ("lo", 3), OK),
    ("packet/raw", ("lo:1", 3), OK),
    ("packet/raw", ("lo", 3, 256, 65536, b"12345678"), OK),
    ("packet/raw", ("lo", 3, 2**31), "OverflowError"),
    ("packet/raw", ("lo", 65536), "OverflowError"),
    ("packet/raw", ("lo", -1), "OverflowError"),
    ("packet/raw", ("lo", 3, 0, 0, b"123456789"), "ValueError"),
    ("packet/raw", ("lo", 65536, 0, 0, b"123456789"), "ValueError"),
    ("packet/raw", ("nosuch0", 65536), "OSError"),
    ("packet/raw", ("", 3), "OSError"),
    ("packet/raw", (b"lo", 3), "TypeError"),
    ("packet/raw", ("lo\0", 3), "ValueError"),
    ("packet/raw", ("\ud800", 3), "UnicodeEncodeError"),
    ("packet/raw", ("lo",), "TypeError"),
    ("packet/raw", ("lo", 3, 0, 0, "str"), "TypeError"),
]


@pytest.mark.parametrize(("path", "address", "expected"), VECTORS, ids=lambda value: repr(value)[:40])
def test_vector(path: str, address: Any, expected: str | None) -> None:
    verdict = judge(*find(path), address, "local")
    assert (verdict.accepted, verdict.exception) == (expected is None, expected), verdict.message
    assert verdict.decided_by == "cpython"
    if not verdict.accepted:
        assert verdict.message


def test_a_family_that_the_parser_does_not_know_is_no_verdict() -> None:
    with pytest.raises(LookupError, match="bad family"):
        ask_cpython(250, 1, 0, ("x", 1))


def test_asking_leaves_no_descriptor_behind() -> None:
    before = descriptors(os.getpid())
    for path, address, _ in VECTORS * 3:
        judge(*find(path), address, "local")
    assert descriptors(os.getpid()) == before
