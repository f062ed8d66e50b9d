"""AF_DIVERT: (host, port) of FreeBSD's firewall. Source: divert(4); ``case AF_INET``, which it shares.

The declaration decides alone where this is not FreeBSD with Python 3.12 or later.
"""

from __future__ import annotations

from family_tables import OK, accepts_silently, decides, explains, misreads, packs, reads, refuses, warns

from sockexplorer.core.interpreter import Interpreter
from sockexplorer.families import family
from sockexplorer.families.divert import Divert

DIVERT = family("divert")

test_plain_forms = reads(
    DIVERT,
    ("raw", "0.0.0.0:8668", ("0.0.0.0", 8668)),
    ("raw", ":8668", ("", 8668)),
    ("raw", "*:8668", ("", 8668)),
)
test_wrong_plain_forms = misreads(
    DIVERT, ("raw", "", "", "('0.0.0.0', 8668)"), ("raw", "0.0.0.0:natd", "port", "0 to 65535")
)
test_the_parser = decides(
    DIVERT,
    ("raw", ("0.0.0.0", 8668), OK),
    ("raw", "8668", "TypeError: bind(): AF_INET address must be tuple, not str"),
    ("raw", ("0.0.0.0",), "TypeError: AF_INET address must be a pair (host, port)"),
    ("raw", ("0.0.0.0", -1), "OverflowError: bind(): port must be 0-65535."),
    ("raw", ("::1", 8668), "gaierror"),
)
test_refusals = refuses(
    DIVERT, ("raw", ("0.0.0.0", 65536), "port", "0 to 65535"), ("raw", ("::1", 8668), "host", "choose that family")
)
test_warnings = warns(
    DIVERT,
    ("raw", ("natd.example", 8668), "local", "host", "lookup"),
    ("raw", ("010.0.0.1", 8668), "local", "host", "8.0.0.1"),
)
test_nothing_odd = accepts_silently(DIVERT, ("raw", ("0.0.0.0", 1), "local"), ("raw", ("", 0), "remote"))
test_bytes = packs(
    DIVERT,
    # FreeBSD's structure: a byte of length, which Python leaves 0, then one of family.
    ("raw", ("0.0.0.0", 8668), "00 02 21dc 00000000 0000000000000000", ("0.0.0.0", 8668)),
    ("raw", (b"127.0.0.1", 1), "00 02 0001 7f000001 0000000000000000", ("127.0.0.1", 1)),
)
test_advice = explains(
    DIVERT,
    ("raw", "socket", "EPERM", "root", "sudo"),
    ("raw", "socket", "EAFNOSUPPORT", "no divert sockets", "kldload ipdivert"),
)
test_in_an_older_python = warns(
    Divert(Interpreter((3, 11))), ("raw", ("0.0.0.0", 8668), "local", "", "came with Python 3.12; this is")
)
test_in_the_python_that_brought_it = accepts_silently(Divert(Interpreter((3, 12))), ("raw", ("0.0.0.0", 8668), "local"))
