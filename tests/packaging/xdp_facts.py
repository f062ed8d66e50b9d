"""AF_XDP: (ifname, queue_id[, flags]). Source: Linux' af_xdp.rst; no Python has a form of its address."""

from __future__ import annotations

from family_tables import accepts_silently, explains, misreads, packs, reads, refuses, warns

from sockexplorer.families import family

XDP = family("xdp")

test_plain_forms = reads(XDP, ("raw", "lo:3", ("lo", 3)))
test_wrong_plain_forms = misreads(
    XDP, ("raw", "lo", "", "has no interface and queue"), ("raw", "lo:rx", "queue_id", "is not a number")
)
test_refusals = refuses(XDP, ("raw", ("lo", "3"), "queue_id", "without quotes"))
test_warnings = warns(XDP, ("raw", ("lo", 3, 6), "local", "flags", "XDP_COPY together"))
test_nothing_odd = accepts_silently(XDP, ("raw", ("lo", 3, 2), "local"))
test_bytes = packs(XDP, ("raw", ("lo", 3, 2), "2c00 0200 01000000 03000000 00000000", ("lo", 3, 2)))
test_advice = explains(XDP, ("raw", "bind", "EBUSY", "has that queue", "ethtool -l"))
