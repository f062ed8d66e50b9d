"""AF_TIPC: (addr_type, v1, v2, v3[, scope]). Source: tipc(7), <linux/tipc.h>; ``case AF_TIPC``, read and run."""

from __future__ import annotations

from family_tables import OK, accepts_silently, decides, explains, misreads, packs, reads, refuses, shows, warns

from sockexplorer.families import family

TIPC = family("tipc")
NAMESEQ, NAME, ID = 1, 2, 3

test_plain_forms = reads(
    TIPC,
    ("rdm", "1000:5", (NAME, 1000, 5, 0)),
    ("rdm", "1000:0-10", (NAMESEQ, 1000, 0, 10)),
    ("rdm", "0x3e8:5", (NAME, 1000, 5, 0)),
    # As a row has it: the node in hexadecimal, as the tools of TIPC write it.
    ("rdm", "node 1001 ref 5", (ID, 0x1001, 5, 0)),
)
test_wrong_plain_forms = misreads(
    TIPC,
    ("rdm", "", "", "write 1000:5"),
    ("rdm", "service", "", "has no type and instance"),
    ("rdm", "x:5", "v1", "is not a number"),
    ("rdm", "1000:x", "v2", "is not a number"),
    ("rdm", "1000:0-x", "v3", "is not a number"),
)
test_rows = shows(
    TIPC,
    ((NAME, 1000, 5, 5, 2), "1000:5"),
    ((NAMESEQ, 1000, 0, 10, 2), "1000:0-10"),
    ((ID, 0x1001, 5, 0, 2), "node 1001 ref 5"),
    ((NAME, 1000, 5, 0), "1000:5"),
    ((9, 1, 2, 3), "(9, 1, 2, 3)"),
    ((NAME, 1), "(2, 1)"),
)
test_the_parser = decides(
    TIPC,
    ("rdm", (NAME, 1000, 5, 0), OK),
    ("rdm", (2**32 + 1, 1, 2, 3, -1), OK),
    ("rdm", (0, 1, 2, 3), "TypeError: Invalid address type"),
    ("rdm", (4, 1, 2, 3), "TypeError: Invalid address type"),
    ("rdm", (NAME, 1, 2), "TypeError: AF_TIPC address must be a tuple (addr_type, v1, v2, v3[, scope])"),
    # The type of address is looked at after all are converted.
    ("rdm", (0, 1, 2, None), "TypeError: 'NoneType' object cannot be interpreted as an integer"),
)
test_refusals = refuses(
    TIPC,
    ("rdm", (0, 1, 2, 3), "addr_type", "1 NAMESEQ, 2 NAME or 3 ID"),
    ("rdm", (NAME, "1000", 5, 0), "v1", "without quotes"),
    ("rdm", (NAME, 1, 2), "", "(addr_type, v1, v2, v3, scope)"),
)
test_warnings = warns(
    TIPC,
    ("rdm", (NAMESEQ, 1000, 0, 10, -1), "local", "scope", "a signed byte, -1: a scope below 0 withdraws"),
    ("rdm", (NAMESEQ, 1000, 0, 10, 255), "local", "scope", "a signed byte, -1: a scope below 0 withdraws"),
    ("rdm", (NAMESEQ, 1000, 0, 10, 258), "local", "scope", "the kernel gets 2"),
    ("rdm", (NAMESEQ, 1000, 0, 10, 0), "local", "scope", "1 to 3"),
    ("rdm", (NAMESEQ, 1, 0, 10), "local", "v1", "reserved"),
    ("rdm", (NAME, 63, 0, 0), "local", "v1", "reserved"),
    ("rdm", (NAMESEQ, 1000, 11, 10), "local", "v3", "empty"),
    ("rdm", (ID, 1, 2, 0), "local", "addr_type", "bind a NAMESEQ"),
    ("rdm", (2**32 + NAME, 1000, 5, 0), "remote", "addr_type", "passes 2"),
    ("rdm", (NAME, 1000, -1, 0), "remote", "v2", "passes 4294967295"),
)
test_nothing_odd = accepts_silently(
    TIPC,
    ("rdm", (NAMESEQ, 64, 10, 10, 3), "local"),
    ("rdm", (NAME, 1, 0, 0), "remote"),
    ("rdm", (ID, 1, 2, 0), "remote"),
    # A NAME has no range to be empty.
    ("rdm", (NAME, 1000, 5, 0), "local"),
)
test_bytes = packs(
    TIPC,
    ("rdm", (NAMESEQ, 1000, 0, 10), "1e00 01 02 e8030000 00000000 0a000000", (1, 1000, 0, 10, 2)),
    # v3 of a NAME is not passed, and reads back as the instance.
    ("rdm", (NAME, 1000, 5, 7, 3), "1e00 02 03 e8030000 05000000 00000000", (2, 1000, 5, 5, 3)),
    # The reference stands before the node, other than in the tuple.
    ("rdm", (ID, 0x1001, 5, 9), "1e00 03 02 05000000 01100000 00000000", (3, 0x1001, 5, 0, 2)),
    ("rdm", (NAMESEQ, 1000, 0, 10, 127), "1e00 01 7f e8030000 00000000 0a000000", (1, 1000, 0, 10, 127)),
    ("rdm", (NAMESEQ, 1000, 0, 10, -1), "1e00 01 ff e8030000 00000000 0a000000", (1, 1000, 0, 10, 2**32 - 1)),
)
test_advice = explains(
    TIPC,
    ("rdm", "bind", "EAFNOSUPPORT", "not to an id", "TIPC_ADDR_NAMESEQ"),
    ("rdm", "socket", "EAFNOSUPPORT", "no AF_TIPC", "modprobe tipc"),
    ("rdm", "bind", "EACCES", "below 64", "from 64 up"),
    ("rdm", "bind", "EINVAL", "range", "v2 not above v3"),
    ("stream", "connect", "EHOSTUNREACH", "Nobody has bound that name", "nametable"),
)
