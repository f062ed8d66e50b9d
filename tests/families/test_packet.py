"""AF_PACKET: (ifname, proto[, pkttype[, hatype[, addr]]]). Source: packet(7); ``case AF_PACKET``, read and run."""

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

PACKET = family("packet")
MAC = b"\2\0\0\0\0\1"

test_plain_forms = reads(
    PACKET,
    ("raw", "lo", ("lo", 3)),
    ("raw", "lo:ETH_P_IP", ("lo", 0x800)),
    ("raw", "lo:arp", ("lo", 0x806)),
    ("raw", "lo:0x88b5", ("lo", 0x88B5)),
    # As rows have it.
    ("raw", "lo ALL", ("lo", 3)),
    ("raw", "eth0 0x0806 02:00:00:00:00:01", ("eth0", 0x806, 0, 0, MAC)),
)
test_wrong_plain_forms = misreads(
    PACKET,
    ("raw", "", "ifname", "is empty"),
    ("raw", ":3", "ifname", "write an interface"),
    ("raw", "lo:ETH_P_NONESUCH", "proto", "ETH_P_ALL"),
    ("raw", "lo IP 02:000", "addr", "odd number of digits"),
)
test_rows = shows(
    PACKET,
    (("lo", 0x800, 0, 772, bytes(6)), "lo IP"),
    (("eth0", 0x806, 1, 1, MAC), "eth0 ARP 02:00:00:00:00:01 broadcast"),
    (("eth0", 0x88B5, 0, 1, MAC), "eth0 0x88b5 02:00:00:00:00:01"),
    (("", 3, 0, 0, b""), "(gone) ALL"),
    (("lo", 3), "lo ALL"),
    (("lo", 3, 0, 0), "lo ALL"),
    (("lo", 3, 0, 0, "x"), "lo ALL"),
    (("lo",), "('lo',)"),
)
test_fields = fields_read(
    PACKET,
    ("raw", "proto", "IPV6", 0x86DD),
    ("raw", "proto", "65536", None),
    ("raw", "pkttype", "OUTGOING", 4),
    ("raw", "addr", "02:00:00:00:00:01", MAC),
    ("raw", "addr", "00" * 9, None),
)
test_the_parser = decides(
    PACKET,
    ("raw", ("lo", 3), OK),
    ("raw", ("lo:1", 3), OK),
    ("raw", ("lo", 3, 256, 65536, b"12345678"), OK),
    ("raw", ("lo",), "TypeError: AF_PACKET address must be a tuple of two to five elements"),
    ("raw", (b"lo", 3), "TypeError"),
    ("raw", ("lo\0", 3), "ValueError"),
    ("raw", ("\ud800", 3), "UnicodeEncodeError"),
    ("raw", ("lo", 3, 0, 0, "str"), "TypeError"),
    # Types and C ints first, then the interface, the length of addr, and proto last.
    ("raw", ("lo", 3, 2**31), "OverflowError: bind(): address argument out of range"),
    ("raw", ("nosuch0", 2**31), "OverflowError: bind(): address argument out of range"),
    ("raw", ("nosuch0", 65536), "OSError"),
    ("raw", ("", 3), "OSError"),
    ("raw", ("lo", 3, 0, 0, b"123456789"), "ValueError: Hardware address must be 8 bytes or less"),
    ("raw", ("lo", 65536, 0, 0, b"123456789"), "ValueError"),
    ("raw", ("lo", 65536), "OverflowError: bind(): proto must be 0-65535."),
    ("raw", ("lo", -1), "OverflowError"),
)
test_refusals = refuses(
    PACKET,
    ("raw", ("nosuch-iface", 3), "ifname", "ip link"),
    ("raw", ("", 3), "ifname", "ip link"),
    ("raw", ("lo", 3, 0, 0, b"123456789"), "addr", "at most 8"),
    ("raw", ("lo", 65536), "proto", "0xffff"),
    ("raw", ("lo", 3, 2**31), "pkttype", "0 to 255"),
)
test_warnings = warns(
    PACKET,
    ("raw", ("lo", 0), "local", "proto", "keeps the protocol"),
    ("raw", ("lo:nonsense-that-is-long", 3), "local", "ifname", "15 bytes: 'lo:nonsense-tha'"),
    ("raw", ("lo:1", 3), "local", "ifname", "at the colon: 'lo'"),
    ("raw", ("lo", 3, 256), "local", "pkttype", "passes 0"),
    ("raw", ("lo", 3, 0, 65536), "local", "hatype", "passes 0"),
)
test_nothing_odd = accepts_silently(
    PACKET, ("raw", ("lo", 3), "local"), ("raw", ("lo", 0), "remote"), ("raw", ("lo", 3, 4, 772, MAC), "remote")
)
test_bytes = packs(
    PACKET,
    # The ethertype in network order, all else in the host's; the name gives way to the interface's index.
    ("raw", ("lo", 0x800), "1100 0800 01000000 0000 00 00 0000000000000000", ("lo", 0x800, 0, 0, b"")),
    (
        "raw", ("lo:1", 3, 256, 65537, MAC), "1100 0003 01000000 0100 00 06 020000000001 0000",
        ("lo", 3, 0, 1, MAC),
    ),
)  # fmt: skip
test_advice = explains(
    PACKET,
    ("raw", "bind", "ENODEV", "no such interface", "ip link"),
    ("raw", "connect", "EOPNOTSUPP", "can't be connected", "bind"),
    ("raw", "send", "ENXIO", "No interface", "bind"),
    ("raw", "send", "EINVAL", "too short", "14 bytes"),
    ("raw", "socket", "EPERM", "CAP_NET_RAW", "unshare"),
)


def test_an_interface_that_is_gone_has_no_name() -> None:
    for index in (bytes(4), b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff"):
        assert PACKET.unpack(PACKET.protocols[0], b"\x11\0\0\3" + index + bytes(12)) == ("", 3, 0, 0, b"")


def test_what_this_host_sent_is_told_from_what_it_got() -> None:
    for pkttype, outgoing in ((0, False), (3, False), (4, True)):
        sent = PACKET.pack(PACKET.protocols[0], ("lo", 3, pkttype))
        assert PACKET.outgoing(sent) == outgoing
        assert not PACKET.outgoing(sent[:10])


def test_a_row_has_a_sign_for_what_went_out() -> None:
    for pkttype, word in ((0, ""), (1, " broadcast"), (3, " otherhost"), (4, "")):
        assert PACKET.row_text(("lo", 0x800, pkttype, 772, bytes(6))) == f"lo IP{word}"
    assert PACKET.text(("lo", 0x800, 4, 772, bytes(6))) == "lo IP outgoing"
    assert PACKET.row_text(("outgoing", 3)) == "outgoing ALL"
