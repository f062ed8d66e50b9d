"""AF_NETLINK: (pid, groups). Source: netlink(7), <linux/rtnetlink.h>; ``case AF_NETLINK``, read and run."""

from __future__ import annotations

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
    warns,
)

from sockexplorer.families import family

NETLINK = family("netlink")

test_plain_forms = reads(
    NETLINK,
    ("route", "LINK|IPV4_IFADDR", (0, 0x11)),
    ("route", "RTMGRP_LINK", (0, 1)),
    ("route", "0x11", (0, 0x11)),
    ("route", "7:0x3", (7, 3)),
    ("kobject-uevent", "udev", (0, 2)),
    ("netfilter", "CONNTRACK_NEW|CONNTRACK_DESTROY", (0, 5)),
    # As rows have it.
    ("route", "kernel", (0, 0)),
    ("kobject-uevent", "kernel groups 0x1", (0, 1)),
    ("route", "pid 77", (77, 0)),
    ("route", "pid 77 groups 0x11", (77, 0x11)),
)
test_wrong_plain_forms = misreads(
    NETLINK,
    ("route", "", "", "is empty"),
    ("route", "LNIK", "groups", "RTMGRP_LINK"),
    ("route", "LINK|LNIK", "groups", "has 'LNIK'"),
    ("route", "x:1", "pid", "is not a number"),
    # A group of another protocol.
    ("generic", "LINK", "groups", "is not a number"),
)
test_rows = shows(
    NETLINK,
    ((0, 0), "kernel"),
    ((0, 0x11), "kernel groups 0x11"),
    ((77, 0), "pid 77"),
    ((77, 1), "pid 77 groups 0x1"),
    (("x", 1), "('x', 1)"),
)
test_fields = fields_read(
    NETLINK,
    # IFADDR is a group of IPv4 and of IPv6, so it is none.
    ("route", "groups", "IFADDR", None),
    ("route", "groups", "ipv6_route | neigh", 0x404),
)
test_the_parser = decides(
    NETLINK,
    # It masks whatever number it gets.
    ("route", (0, 0), OK),
    ("route", (-1, 2**40), OK),
    ("route", (0, 0, 0), "TypeError: AF_NETLINK address must be a pair (pid, groups)"),
    ("route", (0.0, 0), "TypeError"),
    ("route", "kernel", "TypeError: bind(): AF_NETLINK address must be tuple, not str"),
)
test_refusals = refuses(
    NETLINK,
    ("route", (0,), "", "(pid, groups)"),
    ("route", (0, "LINK"), "groups", "without quotes"),
    ("route", ("0", 0), "pid", "without quotes"),
)
test_warnings = warns(
    NETLINK,
    ("route", (-1, 1), "local", "pid", "passes 4294967295"),
    ("route", (0, 2**32 + 1), "local", "groups", "passes 1 silently (3.15 warns)"),
)
test_nothing_odd = accepts_silently(NETLINK, ("route", (0, 2**32 - 1), "local"), ("route", (0, 0), "remote"))
test_bytes = packs(
    NETLINK,
    ("route", (0x1234, 0x11), "1000 0000 34120000 11000000", (0x1234, 0x11)),
    ("route", (-1, 2**32), "1000 0000 ffffffff 00000000", (2**32 - 1, 0)),
)
test_advice = explains(
    NETLINK,
    ("netfilter", "bind", "EPERM", "CAP_NET_ADMIN", "leave those groups out"),
    ("route", "connect", "EPERM", "only the kernel", "(0, 0)"),
    ("route", "send", "EPERM", "only the kernel", "(0, 0)"),
    ("route", "bind", "EADDRINUSE", "that pid", "write 0"),
    ("route", "send", "ECONNREFUSED", "No netlink socket", "(0, 0)"),
    ("route", "read", "ENOBUFS", "dropped", "dump"),
)
