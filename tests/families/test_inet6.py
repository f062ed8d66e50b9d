"""AF_INET6: (host, port[, flowinfo[, scope_id]]). Source: ipv6(7), RFC 4007; ``case AF_INET6``, read and run."""

from __future__ import annotations

from addresses import HOSTS4, PORTS, canonical_host
from family_tables import (
    OK,
    accepts_silently,
    decides,
    explains,
    fields_read,
    misreads,
    packs,
    reads,
    refuses,
    shows,
    suggests,
    warns,
)
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.families import family

INET6 = family("inet6")
ONE = "0000000000000000 0000000000000001"

test_plain_forms = reads(
    INET6,
    ("udp", "[::1]:9999", ("::1", 9999)),
    ("udp", "[fe80::1%lo]:9", ("fe80::1", 9, 0, 1)),
    ("udp", "[fe80::1%7]:9", ("fe80::1", 9, 0, 7)),
    ("udp", "[]:9", ("", 9)),
    ("raw", "::1", ("::1", 0)),
    ("raw", "fe80::1%lo", ("fe80::1", 0, 0, 1)),
    ("icmp", "::1", ("::1", 0)),
)
test_wrong_plain_forms = misreads(
    INET6,
    ("udp", "", "", "is empty"),
    ("udp", "::1:9999", "", "write [::1]:9999"),
    ("udp", "[::1]:http", "port", "0 to 65535"),
    ("udp", "[fe80::1%nosuch0]:9", "scope_id", "is no interface"),
    ("udp", "[fe80::1%\0]:9", "scope_id", "is no interface"),
)
test_rows = shows(
    INET6,
    (("::1", 80, 0, 0), "[::1]:80"),
    (("fe80::1", 80, 0, 2), "[fe80::1%2]:80"),
    # A flow label has no plain form.
    (("::1", 80, 5, 0), "('::1', 80, 5, 0)"),
)
test_fields = fields_read(
    INET6,
    ("udp", "scope_id", "lo", 1),
    ("udp", "scope_id", "4", 4),
    ("udp", "scope_id", "nosuch0", None),
    ("udp", "host", "[::1]", "::1"),
    ("udp", "flowinfo", "0x100000", None),
)
test_the_parser = decides(
    INET6,
    ("tcp", ("::1", 1), OK),
    ("tcp", ("::1",), "TypeError: AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])"),
    ("tcp", ("::1", 1, 0, 0, 0), "TypeError"),
    # flowinfo is masked to 32 bits, and then has 20; scope_id is masked and never a name.
    ("tcp", ("::1", 1, 0xFFFFF, -1), OK),
    ("tcp", ("::1", 1, 0x100000), "OverflowError: bind(): flowinfo must be 0-1048575."),
    ("tcp", ("::1", 1, -1), "OverflowError"),
    ("tcp", ("::1", 1, 2**32), OK),
    ("tcp", ("::1", 1, 0, 2**40 + 7), OK),
    ("tcp", ("::1", 1, 0, "lo"), "TypeError"),
    # The port is looked at before flowinfo.
    ("tcp", ("::1", 65536, 0x100000), "OverflowError: bind(): port must be 0-65535."),
    # A zone has to exist by name, and only where there are scopes; by number it may be anything.
    ("tcp", ("fe80::1%lo", 1), OK),
    ("tcp", ("fe80::1%nosuch0", 1), "gaierror"),
    ("tcp", ("::1%lo", 1), "gaierror"),
    ("tcp", ("::1%1", 1), OK),
    ("tcp", ("[::1]", 1), "gaierror"),
    ("tcp", ("127.0.0.1", 1), "gaierror"),
    ("tcp", ("<broadcast>", 1), "OSError: address family mismatched"),
    ("tcp", ("255.255.255.255", 1), "OSError: address family mismatched"),
)
test_refusals = refuses(
    INET6,
    ("udp", ("::1", 80, 0x100000), "flowinfo", "1048575"),
    ("udp", ("::1", 80, 0, "lo"), "scope_id", "without quotes"),
    ("udp", ("127.0.0.1", 80), "host", "write ::ffff:1.2.3.4"),
    ("udp", ("<broadcast>", 80), "host", "ff02::1"),
    ("udp", ("fe80::1%nosuch0", 80), "host", "put it in scope_id"),
    ("udp", ("::1",), "", "(host, port, flowinfo, scope_id)"),
)
test_warnings = warns(
    INET6,
    ("udp", ("fe80::1%lo", 1024), "remote", "host", "put it in scope_id"),
    ("udp", ("fe80::1%1", 8000, 0, 7), "remote", "host", "scope_id 7 wins"),
    ("udp", ("fe80::1%lo", 8000, 0, 7), "remote", "host", "scope_id 7 wins"),
    ("udp", ("fe80::1", 1024), "local", "scope_id", "link-local address needs the interface's index"),
    ("udp", ("ff01::1", 8000), "local", "scope_id", "multicast address of a link needs the interface's index"),
    ("udp", ("FF02::1", 8000), "remote", "scope_id", "multicast address of a link needs the interface's index"),
    ("udp", ("::1", 1024, 0, 2**32 + 1), "remote", "scope_id", "passes 1"),
    ("udp", ("::1", 8000, 2**32 + 1), "remote", "flowinfo", "passes 1 silently (3.15 warns)"),
    ("udp", ("::1", 8000, 5 - 2**32), "remote", "flowinfo", "passes 5 silently (3.15 warns)"),
    ("tcp", ("::1", 80), "local", "port", "CAP_NET_BIND_SERVICE"),
    ("udp", ("::1", 0), "remote", "port", "nobody"),
)
test_nothing_odd = accepts_silently(
    INET6,
    ("udp", ("::", 0), "local"),
    ("udp", ("", 0, 0, 0), "local"),
    ("udp", ("fe80::1", 8000, 0, 1), "remote"),
    # A zone that says the same as scope_id, as a number and as a name.
    ("udp", ("fe80::1%1", 8000, 0, 1), "remote"),
    ("udp", ("fe80::1%lo", 8000, 0, 1), "remote"),
    # Multicast of a site and beyond, and all that is routed.
    ("udp", ("ff05::1", 8000), "remote"),
    ("udp", ("fec0::1", 8000), "remote"),
    ("udp", ("::ffff:192.0.2.1", 8000), "remote"),
    ("icmp", ("::1", 0), "remote"),
)
test_bytes = packs(
    INET6,
    # Port and flow label in network order, the interface in the host's.
    ("udp", ("::1", 0x50, 5, 7), f"0a00 0050 00000005 {ONE} 07000000", ("::1", 80, 5, 7)),
    ("udp", ("::1", 0x50), f"0a00 0050 00000000 {ONE} 00000000", ("::1", 80, 0, 0)),
    ("udp", ("::1", 0x50, 2**32 + 5, -1), f"0a00 0050 00000005 {ONE} ffffffff", ("::1", 80, 5, 2**32 - 1)),
    # CPython drops the zone: scope_id stays 0.
    (
        "udp", ("fe80::1%lo", 9), "0a00 0009 00000000 fe80000000000000 0000000000000001 00000000",
        ("fe80::1", 9, 0, 0),
    ),
    (
        "udp", ("::ffff:1.2.3.4", 9), "0a00 0009 00000000 00000000000000000000ffff01020304 00000000",
        ("::ffff:1.2.3.4", 9, 0, 0),
    ),
)  # fmt: skip
test_advice = explains(
    INET6,
    ("udp", "bind", "EINVAL", "link-local", "scope_id"),
    ("udp", "connect", "EINVAL", "link-local", "scope_id"),
    ("udp", "bind", "EADDRNOTAVAIL", "IPv6", "disable_ipv6"),
    ("tcp", "socket", "EAFNOSUPPORT", "ipv6.disable=1", "/proc/net/if_inet6"),
    ("tcp", "listen", "EACCES", "ip_unprivileged_port_start", "from 1024 up"),
    ("icmp", "socket", "EACCES", "ping_group_range", "CAP_NET_RAW"),
    ("raw", "socket", "EPERM", "CAP_NET_RAW", "unshare"),
)
test_commands = suggests(
    INET6,
    ("tcp", ("::", 9999, 0, 0), "nc ::1 9999"),
    ("udplite", ("::1", 9999), "echo hello | socat - UDP6-SENDTO:[::1]:9999,protocol=136"),
)


@given(st.ip_addresses(v=6).map(str), PORTS, st.integers(0, 0xFFFFF), st.integers(0, 2**32 - 1))
def test_bytes_come_back(host: str, port: int, flowinfo: int, scope: int) -> None:
    found = INET6.unpack(INET6.protocols[0], INET6.pack(INET6.protocols[0], (host, port, flowinfo, scope)))
    assert isinstance(found, tuple)
    assert (canonical_host(found[0]), *found[1:]) == (canonical_host(host), port, flowinfo, scope)


@given(st.ip_addresses(v=6).map(str), PORTS, st.integers(1, 2**32 - 1))
def test_the_plain_form_comes_back(host: str, port: int, scope: int) -> None:
    assert INET6.plain(INET6.protocol("udp"), INET6.text((host, port))) == (host, port)
    assert INET6.plain(INET6.protocol("udp"), INET6.text((host, port, 0, scope))) == (host, port, 0, scope)


@given(HOSTS4, PORTS)
def test_trailing_defaults_are_left_out(host: str, port: int) -> None:
    values = {"host": host, "port": port, "flowinfo": 0, "scope_id": 0}
    assert INET6.build(INET6.protocols[0], values) == (host, port)
    assert INET6.build(INET6.protocols[0], {**values, "scope_id": 3}) == (host, port, 0, 3)


def test_the_zone_that_a_resolver_gives_becomes_the_scope_id() -> None:
    assert INET6.with_host(("host.example", 80), "fe80::1%3") == ("fe80::1", 80, 0, 3)
    assert INET6.with_host(("host.example", 80, 5, 1), "fe80::1%3") == ("fe80::1", 80, 5, 3)
    assert INET6.with_host(("host.example", 80, 5, 1), "2001:db8::1") == ("2001:db8::1", 80, 5, 1)
