"""AF_QIPCRTR: (node, port). Source: <linux/qrtr.h>, net/qrtr/af_qrtr.c; ``case AF_QIPCRTR``, read and run."""

from __future__ import annotations

from family_tables import OK, accepts_silently, decides, explains, misreads, packs, reads, refuses, shows, warns

from sockexplorer.families import family

QIPCRTR = family("qipcrtr")
CONTROL = 0xFFFFFFFE

test_plain_forms = reads(
    QIPCRTR,
    ("dgram", "1:0x4000", (1, 0x4000)),
    ("dgram", "1:control", (1, CONTROL)),
    ("dgram", "QRTR_NODE_BCAST:QRTR_PORT_CTRL", (0xFFFFFFFF, CONTROL)),
    ("dgram", "bcast:ctrl", (0xFFFFFFFF, CONTROL)),
)
test_wrong_plain_forms = misreads(
    QIPCRTR,
    ("dgram", "", "", "write 1:0"),
    ("dgram", "control", "", "has no node and port"),
    ("dgram", "modem:1", "node", "QRTR_NODE_BCAST"),
    ("dgram", "1:x", "port", "QRTR_PORT_CTRL"),
)
test_rows = shows(QIPCRTR, ((1, 0x4000), "1:16384"), ((1, CONTROL), "1:control"), ((1,), "(1,)"))
test_the_parser = decides(
    QIPCRTR,
    ("dgram", (1, 0), OK),
    ("dgram", (-1, 2**70), OK),
    ("dgram", (1,), "TypeError: getsockaddrarg() takes exactly 2 arguments (1 given)"),
    ("dgram", [1, 0], "TypeError: getsockaddrarg: AF_QIPCRTR address must be tuple, not list"),
    ("dgram", ("1", 0), "TypeError: 'str' object cannot be interpreted as an integer"),
)
test_refusals = refuses(
    QIPCRTR, ("dgram", ("1", 0), "node", "without quotes"), ("dgram", (1, 0, 0), "", "(node, port)")
)
test_warnings = warns(
    QIPCRTR,
    ("dgram", (1, -1), "remote", "port", "passes 4294967295"),
    ("dgram", (1, 0x3FFF), "local", "port", "CAP_NET_ADMIN"),
    ("dgram", (1, 2**32 + 1), "local", "port", "CAP_NET_ADMIN"),
)
test_nothing_odd = accepts_silently(
    QIPCRTR,
    ("dgram", (1, 0), "local"),
    ("dgram", (1, 0x4000), "local"),
    ("dgram", (1, 1), "remote"),
    # How C writes QRTR_NODE_BCAST.
    ("dgram", (-1, CONTROL), "remote"),
)
test_bytes = packs(
    QIPCRTR,
    ("dgram", (1, CONTROL), "2a00 0000 01000000 feffffff", (1, CONTROL)),
    ("dgram", (-1, 2**32 + 1), "2a00 0000 ffffffff 01000000", (0xFFFFFFFF, 1)),
)
test_advice = explains(
    QIPCRTR,
    ("dgram", "bind", "EINVAL", "not this machine's", "getsockname()"),
    ("dgram", "bind", "EACCES", "CAP_NET_ADMIN", "port 0"),
    ("dgram", "send", "ENODEV", "own port", "another port"),
)
