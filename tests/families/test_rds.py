"""AF_RDS: (host, port) of IPv4. Source: Linux' rds.txt, net/rds/bind.c; ``case AF_RDS``, the branch of AF_INET."""

from __future__ import annotations

from family_tables import OK, accepts_silently, decides, explains, misreads, packs, reads, refuses, warns

from sockexplorer.families import family

RDS = family("rds")

test_plain_forms = reads(RDS, ("seqpacket", "127.0.0.1:9999", ("127.0.0.1", 9999)))
test_wrong_plain_forms = misreads(
    RDS, ("seqpacket", "127.0.0.1", "", "write 127.0.0.1:9999"), ("seqpacket", "127.0.0.1:x", "port", "0 to 65535")
)
test_the_parser = decides(
    RDS,
    # The branch of AF_INET, and its words; IPv6 is impossible from Python.
    ("seqpacket", ("127.0.0.1", 9999), OK),
    ("seqpacket", ["127.0.0.1", 9999], "TypeError: bind(): AF_INET address must be tuple, not list"),
    ("seqpacket", ("127.0.0.1",), "TypeError: AF_INET address must be a pair (host, port)"),
    ("seqpacket", ("::1", 9999), "gaierror"),
    ("seqpacket", ("127.0.0.1", 65536), "OverflowError: bind(): port must be 0-65535."),
)
test_refusals = refuses(
    RDS,
    ("seqpacket", ("127.0.0.1", 65536), "port", "0 to 65535"),
    ("seqpacket", ["127.0.0.1", 80], "", "(host, port)"),
)
test_warnings = warns(
    RDS,
    ("seqpacket", ("", 9999), "local", "host", "all addresses"),
    ("seqpacket", ("0.0.0.0", 9999), "local", "host", "all addresses"),
    ("seqpacket", ("0", 9999), "local", "host", "all addresses"),
    ("seqpacket", ("224.0.0.1", 8080), "local", "host", "multicast"),
    ("seqpacket", ("<broadcast>", 8080), "local", "host", "broadcast"),
    ("seqpacket", ("255.255.255.255", 8080), "local", "host", "broadcast"),
    ("seqpacket", ("239.255.255.255", 8080), "local", "host", "multicast"),
    ("seqpacket", ("", 9999), "remote", "host", "has no peer at all addresses"),
    ("seqpacket", ("224.0.0.1", 8080), "remote", "host", "multicast"),
    ("seqpacket", ("rds.example", 8080), "remote", "host", "lookup"),
    ("seqpacket", ("127.0.0.1", 0), "remote", "port", "nobody"),
)
test_nothing_odd = accepts_silently(
    RDS,
    # Its ports need no right.
    ("seqpacket", ("127.0.0.1", 80), "local"),
    ("seqpacket", ("223.255.255.255", 0), "local"),
    ("seqpacket", ("240.0.0.1", 80), "remote"),
)
test_bytes = packs(
    RDS,
    # The structure's family is AF_INET, not AF_RDS.
    ("seqpacket", ("127.0.0.1", 80), "0200 0050 7f000001 0000000000000000", ("127.0.0.1", 80)),
)
test_advice = explains(
    RDS,
    ("seqpacket", "bind", "EADDRNOTAVAIL", "transport", "rds_tcp"),
    ("seqpacket", "bind", "EINVAL", "not all", "127.0.0.1"),
    ("seqpacket", "send", "ENOTCONN", "not bound", "bind it first"),
)
