"""AF_INET: (host, port). Source: ip(7), getaddrinfo(3); ``case AF_INET`` of CPython's socketmodule.c, read and run."""

from __future__ import annotations

import pytest
from addresses import PORTS
from family_tables import OK, accepts_silently, decides, explains, misreads, packs, reads, refuses, suggests, warns
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.families import family

INET = family("inet")
LOOPBACK = "0200 0050 7f000001 0000000000000000"

test_plain_forms = reads(
    INET,
    ("udp", "127.0.0.1:9999", ("127.0.0.1", 9999)),
    ("udp", " 127.0.0.1:9999\n", ("127.0.0.1", 9999)),
    ("udp", "localhost:80", ("localhost", 80)),
    ("udp", "*:0", ("", 0)),
    ("udp", ":80", ("", 80)),
    ("udp", "('127.0.0.1', 80)", ("127.0.0.1", 80)),
    ("raw", "10.0.0.1", ("10.0.0.1", 0)),
    ("raw", "10.0.0.1:7", ("10.0.0.1", 7)),
    ("icmp", "10.0.0.1", ("10.0.0.1", 0)),
)
test_wrong_plain_forms = misreads(
    INET,
    ("udp", "", "", "is empty"),
    ("udp", "127.0.0.1", "", "write 127.0.0.1:9999"),
    ("udp", "127.0.0.1:http", "port", "0 to 65535"),
    ("udp", "127.0.0.1:", "port", "is not a number"),
    ("udp", "('127.0.0.1', 80", "", "write ('127.0.0.1', 9999)"),
)
test_the_parser = decides(
    INET,
    # A tuple and nothing else; its length before its elements; elements from left to right.
    ("udp", ("127.0.0.1", 9999), OK),
    ("udp", ["127.0.0.1", 9999], "TypeError: bind(): AF_INET address must be tuple, not list"),
    ("udp", ("127.0.0.1",), "TypeError: AF_INET address must be a pair (host, port)"),
    ("udp", ("127.0.0.1", 1, 2), "TypeError"),
    ("udp", "127.0.0.1:9999", "TypeError"),
    ("udp", (None, None, None), "TypeError"),
    ("udp", None, "TypeError"),
    # The host: str, bytes or bytearray.
    ("udp", ("", 0), OK),
    ("udp", ("<broadcast>", 0), OK),
    ("udp", ("<BROADCAST>", 0), "gaierror"),
    ("udp", (b"127.0.0.1", 0), OK),
    ("udp", (bytearray(b"127.0.0.1"), 0), OK),
    ("udp", (memoryview(b"127.0.0.1"), 0), "TypeError"),
    ("udp", (2130706433, 0), "TypeError"),
    ("udp", ("2130706433", 0), OK),
    ("udp", ("127.1", 0), OK),
    ("udp", ("0177.0.0.1", 0), OK),
    ("udp", ("256.0.0.1", 0), "gaierror"),
    ("udp", ("1.2.3.4.5", 0), "gaierror"),
    ("udp", ("::ffff:1.2.3.4", 0), OK),
    ("udp", ("::1", 0), "gaierror"),
    ("udp", ("a b", 0), "gaierror"),
    ("udp", ("127.0.0.1\0", 0), "TypeError"),
    ("udp", ("é" * 70, 0), "TypeError"),
    ("udp", ("１２７.0.0.1", 0), OK),
    # The port: a C int, then 0 to 65535; the host is resolved in between.
    ("udp", ("127.0.0.1", True), OK),
    ("udp", ("127.0.0.1", 65535), OK),
    ("udp", ("127.0.0.1", 65536), "OverflowError: bind(): port must be 0-65535."),
    ("udp", ("127.0.0.1", -1), "OverflowError"),
    ("udp", ("127.0.0.1", 2**31), "OverflowError"),
    ("udp", ("256.0.0.1", 70000), "gaierror"),
    ("udp", ("256.0.0.1", 2**31), "OverflowError"),
    ("udp", ("127.0.0.1", 80.0), "TypeError"),
    ("udp", ("127.0.0.1", "80"), "TypeError"),
)
test_refusals = refuses(
    INET,
    ("udp", ("127.0.0.1", 65536), "port", "0 to 65535"),
    ("udp", ("127.0.0.1", "80"), "port", "without quotes"),
    ("udp", ("256.0.0.1", 80), "host", "192.0.2.1"),
    ("udp", ("127.0.0.1:80", 80), "host", "write 127.0.0.1 here, and 80 as the port"),
    ("udp", ("a b", 80), "host", "127.0.0.1 or a name"),
    ("udp", ("::1", 80), "host", "choose that family"),
    ("udp", ("localhost\0", 80), "host", "take the NUL out"),
    ("udp", (None, 80), "host", "127.0.0.1"),
    ("udp", ["127.0.0.1", 80], "", "(host, port)"),
)
test_warnings = warns(
    INET,
    ("udp", ("010.0.0.1", 1024), "remote", "host", "8.0.0.1"),
    ("udp", ("127.1", 1024), "remote", "host", "127.0.0.1"),
    ("udp", ("１２７.0.0.1", 1024), "remote", "host", "127.0.0.1"),
    ("udp", ("::ffff:1.2.3.4", 8000), "remote", "host", "read as 1.2.3.4"),
    ("udp", ("::ffff:1.2.3.4%1", 8000), "remote", "host", "the zone after '%'"),
    ("tcp", ("127.0.0.1", 80), "local", "port", "CAP_NET_BIND_SERVICE"),
    ("udp", ("127.0.0.1", 0), "remote", "port", "nobody"),
)
test_nothing_odd = accepts_silently(
    INET,
    ("udp", ("", 0), "local"),
    ("udp", ("<broadcast>", 9), "remote"),
    ("tcp", ("127.0.0.1", 80), "remote"),
    ("tcp", (b"127.0.0.1", 1024), "local"),
    # No ports: the number is the kernel's to ignore.
    ("raw", ("127.0.0.1", 80), "local"),
    ("raw", ("127.0.0.1", 0), "remote"),
    ("icmp", ("127.0.0.1", 0), "remote"),
)
test_bytes = packs(
    INET,
    ("udp", ("127.0.0.1", 80), LOOPBACK, ("127.0.0.1", 80)),
    ("udp", ("", 0x1234), "0200 1234 00000000 0000000000000000", ("0.0.0.0", 0x1234)),
    ("udp", ("<broadcast>", 9), "0200 0009 ffffffff 0000000000000000", ("255.255.255.255", 9)),
    # Hosts in disguise.
    ("udp", (b"127.0.0.1", 80), LOOPBACK, ("127.0.0.1", 80)),
    ("udp", (bytearray(b"127.0.0.1"), 80), LOOPBACK, ("127.0.0.1", 80)),
    ("udp", ("127.1", 80), LOOPBACK, ("127.0.0.1", 80)),
    ("udp", ("１２７.0.0.1", 80), LOOPBACK, ("127.0.0.1", 80)),
    ("udp", ("::ffff:127.0.0.1", 80), LOOPBACK, ("127.0.0.1", 80)),
)
test_advice = explains(
    INET,
    ("tcp", "listen", "EACCES", "ip_unprivileged_port_start", "from 1024 up"),
    ("udp", "send", "EACCES", "broadcast", "SO_BROADCAST"),
    ("udp", "connect", "EACCES", "broadcast", "SO_BROADCAST"),
    ("udp", "send", "EINVAL", "port 0", "the peer's port"),
    ("icmp", "socket", "EACCES", "ping_group_range", "CAP_NET_RAW"),
    ("raw", "socket", "EPERM", "CAP_NET_RAW", "unshare"),
)
test_commands = suggests(
    INET,
    ("udp", ("192.0.2.1", 9999), "echo hello | nc -u -w1 192.0.2.1 9999"),
    # All addresses are reached by the loopback's.
    ("tcp", ("0.0.0.0", 9999), "nc 127.0.0.1 9999"),
    ("tcp", ("", 9999), "nc 127.0.0.1 9999"),
    ("raw", ("127.0.0.1", 0), ""),
)


@given(st.ip_addresses(v=4).map(str), PORTS)
def test_bytes_come_back(host: str, port: int) -> None:
    assert INET.unpack(INET.protocols[0], INET.pack(INET.protocols[0], (host, port))) == (host, port)


@given(st.ip_addresses(v=4).map(str) | st.just(""), PORTS)
def test_the_plain_form_comes_back(host: str, port: int) -> None:
    assert INET.plain(INET.protocol("udp"), INET.text((host, port))) == (host, port)


@pytest.mark.parametrize(("proto", "name"), [(1, "raw"), (47, "raw"), (200, "raw")])
def test_a_raw_socket_of_any_ip_protocol(proto: int, name: str) -> None:
    """The address is the same for all of them, those in the list of choices and the others."""
    found = INET.protocol_of(3, proto)
    assert found is not None
    assert found.name == name
