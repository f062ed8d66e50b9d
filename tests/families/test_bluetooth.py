"""AF_BLUETOOTH by version of Python, whether this one was built with it or not."""

from __future__ import annotations

import pytest
from family_tables import (
    accepts_silently,
    explains,
    fields_read,
    lacks_protocol,
    misreads,
    packs,
    reads,
    refuses,
    shows,
    warns,
)
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.core.bdaddr import from_text, to_text
from sockexplorer.core.faults import FieldError
from sockexplorer.core.interpreter import Interpreter
from sockexplorer.families.bluetooth import Bluetooth

OLD, NEW = Bluetooth(Interpreter((3, 13))), Bluetooth(Interpreter((3, 14)))
DEVICE = "00:1A:7D:DA:71:13"


def refused(family: Bluetooth, protocol: str, address: object) -> str:
    """The exception and message, "" where it is accepted."""
    try:
        family.check(family.protocol(protocol), address)
    except FieldError as error:
        return f"{error.raises.exception}: {error.raises.text('bind')}" if error.raises else str(error)
    return ""


WRONG = "OSError: bind(): wrong format"


@pytest.mark.parametrize(
    ("protocol", "address", "old", "new"),
    [
        ("l2cap", (DEVICE, 2**31), WRONG, ""),
        ("l2cap", (DEVICE, 1, 4), WRONG, ""),
        ("l2cap", (DEVICE, 1, 4, 1), WRONG, ""),
        ("l2cap", (DEVICE, 1, 4, 1, 0), WRONG, WRONG),
        ("l2cap", ("nonsense", 1), "OSError: bad bluetooth address", "OSError: bad bluetooth address"),
        ("rfcomm", (DEVICE, 2**31), WRONG, ""),
        ("rfcomm", [DEVICE, 1], WRONG, WRONG),
        ("hci", 0, WRONG, ""),
        ("hci", True, WRONG, ""),
        ("hci", (0,), "", ""),
        ("hci", (0, 1), WRONG, ""),
        ("hci", (0, 1, 2), WRONG, WRONG),
        ("sco", DEVICE, WRONG, ""),
        ("sco", DEVICE.encode(), "", ""),
        ("sco", DEVICE.encode() + b"\0x", "", "ValueError: embedded null byte"),
        ("sco", DEVICE + "\0x", WRONG, "ValueError: embedded null character"),
        ("sco", 5, WRONG, WRONG),
    ],
)
def test_what_changed_with_3_14(protocol: str, address: object, old: str, new: str) -> None:
    assert refused(OLD, protocol, address) == old
    assert refused(NEW, protocol, address) == new


test_plain_forms = reads(
    NEW,
    ("l2cap", f"{DEVICE} 0x1001", (DEVICE, 0x1001)),
    ("l2cap", f"{DEVICE}/0x1001", (DEVICE, 0x1001)),
    ("l2cap", f"{DEVICE} 0 4 1", (DEVICE, 0, 4, 1)),
    ("rfcomm", f"{DEVICE} 1", (DEVICE, 1)),
    ("sco", DEVICE, DEVICE),
    ("hci", "hci0", 0),
    ("hci", "1", 1),
    ("hci", "hci0 channel 1", (0, 1)),
)
test_plain_forms_before_3_14 = reads(
    OLD,
    ("l2cap", f"{DEVICE} 0x1001", (DEVICE, 0x1001)),
    ("sco", DEVICE, DEVICE.encode()),
    ("hci", "hci0", (0,)),
)
test_wrong_plain_forms = misreads(
    NEW,
    ("l2cap", "", "", "is not of this form"),
    ("l2cap", DEVICE, "", "write ('00:00:00:00:00:00', 4097)"),
    ("l2cap", "00-1A-7D-DA-71-13 1", "", "is not of this form"),
    ("l2cap", f"{DEVICE} 1 0 0 0", "", "is not of this form"),
    ("l2cap", f"{DEVICE} sdp", "psm", "is not a number"),
    ("rfcomm", f"{DEVICE} 1 2", "", "is not of this form"),
    ("sco", f"{DEVICE} 1", "", "is not of this form"),
    ("hci", "hci", "device", "write hci0"),
    ("hci", DEVICE, "device", "write hci0"),
)
test_wrong_plain_forms_before_3_14 = misreads(
    OLD,
    ("l2cap", f"{DEVICE} 0 4 1", "", "is not of this form"),
    ("hci", "hci0 channel 1", "device", "is no adapter"),
)
test_rows = shows(
    NEW,
    ((DEVICE, 1), f"{DEVICE} 1"),
    ((DEVICE, 255), f"{DEVICE} 255"),
    ((DEVICE, "1"), f"('{DEVICE}', '1')"),
    ((), "()"),
    ((DEVICE, 0x1001, 4, 1), f"{DEVICE} 0x1001 4 1"),
    (DEVICE, DEVICE),
    (DEVICE.encode(), DEVICE),
    (0, "hci0"),
    ((0,), "hci0"),
    ((0, 1), "hci0 channel 1"),
    (None, "None"),
    (True, "True"),
)
test_fields = fields_read(
    NEW,
    ("l2cap", "bdaddr", DEVICE, DEVICE),
    ("l2cap", "bdaddr", DEVICE[:-1] + "G", None),
    ("l2cap", "bdaddr_type", "le_random", 2),
    ("hci", "device", "HCI_DEV_NONE", 0xFFFF),
    ("hci", "channel", "user", 1),
)
test_protocols_that_the_parser_lacks = lacks_protocol(
    NEW, (4, "OSError: bind(): unknown Bluetooth protocol"), (8, "OSError: bind(): unknown Bluetooth protocol")
)
test_refusals = refuses(
    NEW,
    ("l2cap", ("nonsense", 1), "bdaddr", "six pairs"),
    ("l2cap", (DEVICE, "1"), "psm", "without quotes"),
    ("rfcomm", DEVICE, "", "(bdaddr, channel)"),
    ("sco", DEVICE + "\0x", "bdaddr", "NUL"),
    ("sco", DEVICE.encode() + b"\0x", "bdaddr", "NUL"),
)
test_refusals_before_3_14 = refuses(
    OLD,
    ("sco", DEVICE, "bdaddr", "write b'00:00:00:00:00:00' for this Python"),
    ("hci", 0, "", "(device,)"),
    ("rfcomm", (DEVICE, 2**31), "channel", "0 to 255"),
)
test_warnings = warns(
    NEW,
    ("hci", 65536, "local", "device", "passes 0"),
    ("hci", (0, 2), "local", "device", "HCI_DEV_NONE"),
    ("hci", (0, 3), "local", "device", "HCI_DEV_NONE"),
    ("hci", (0, 4), "local", "device", "HCI_DEV_NONE"),
    ("hci", (0xFFFF, 1), "local", "device", "owns one adapter"),
    ("hci", (0xFFFF, 5), "local", "channel", "0 to 4"),
    ("l2cap", (DEVICE, 0x1001, 0, 1), "local", "psm", "up to 0xff"),
    ("l2cap", (DEVICE, 0x7F, 0, 1), "local", "psm", "0x80 needs"),
    ("l2cap", (DEVICE, 0, 5, 1), "local", "cid", "channel 4"),
    ("l2cap", (DEVICE, 0x1001, 4), "local", "cid", "not both"),
    ("l2cap", (DEVICE, 0, 4, 7), "local", "bdaddr_type", "0 to 2"),
    ("l2cap", (DEVICE, 0x1101), "remote", "psm", "second byte is odd"),
    ("rfcomm", (DEVICE, 0), "remote", "channel", "1 to 30"),
    ("sco", "1:2:3:4:5:6", "remote", "bdaddr", "read as 01:02:03:04:05:06"),
)
test_warnings_before_3_14 = warns(
    OLD,
    ("hci", (65536,), "local", "device", "becomes 1"),
    ("hci", (5 << 16,), "local", "device", "0 to 4"),
    ("sco", b"1:2:3:4:5:6\0junk", "local", "bdaddr", "stops at the NUL"),
    ("sco", b"1:2:3:4:5:6", "local", "bdaddr", "unusual spelling"),
    ("l2cap", (DEVICE, 0x1002), "local", "psm", "even"),
    ("l2cap", (DEVICE, 1), "local", "psm", "CAP_NET_BIND_SERVICE"),
    ("rfcomm", (DEVICE, 31), "local", "channel", "1 to 30"),
)
test_nothing_odd = accepts_silently(
    NEW,
    ("l2cap", (DEVICE, 0x1001), "local"),
    ("l2cap", (DEVICE, 1), "remote"),
    ("l2cap", (DEVICE, 0), "local"),
    ("l2cap", (DEVICE, 0x80, 0, 1), "local"),
    ("l2cap", (DEVICE, 0xFF, 0, 1), "remote"),
    ("l2cap", (DEVICE, 0, 4, 2), "remote"),
    ("rfcomm", (DEVICE, 0), "local"),
    ("rfcomm", (DEVICE, 1), "remote"),
    ("rfcomm", (DEVICE, 30), "remote"),
    ("hci", 0, "local"),
    ("hci", 0xFFFF, "local"),
    ("hci", (0xFFFF, 2), "local"),
    ("hci", (0xFFFF, 4), "local"),
    ("hci", (0, 1), "local"),
    ("sco", DEVICE, "remote"),
)
test_bytes = packs(
    NEW,
    # The address last byte first; PSM and channel id as little-endian as the host.
    (
        "l2cap", (DEVICE, 0x1001, 0x10004, 0x101), "1f00 0110 1371da7d1a00 0400 01 00",
        (DEVICE, 0x1001, 4, 1),
    ),
    ("l2cap", (DEVICE, 0x1001), "1f00 0110 1371da7d1a00 0000 00 00", (DEVICE, 0x1001)),
    ("rfcomm", (DEVICE, 257), "1f00 1371da7d1a00 01 00", (DEVICE, 1)),
    ("sco", "0x1: 2:+3:4:5:6", "1f00 060504030201", "01:02:03:04:05:06"),
    ("hci", 1, "1f00 0100 0000", 1),
    ("hci", (1, 3), "1f00 0100 0300", (1, 3)),
)  # fmt: skip
test_bytes_before_3_14 = packs(
    OLD,
    ("l2cap", (DEVICE, 0x21001), "1f00 0110 1371da7d1a00 0000 00 00", (DEVICE, 0x1001)),
    ("sco", b"1:2:3:4:5:6\0junk", "1f00 060504030201", "01:02:03:04:05:06"),
    # Four bytes are written over the adapter and the channel; getsockname() tells of the first two alone.
    ("hci", (0x10001,), "1f00 0100 0100", 1),
)
test_advice = explains(
    NEW,
    ("hci", "bind", "ENODEV", "no such adapter", "bluetoothctl"),
    ("l2cap", "bind", "EACCES", "0x1001", "+net_bind_service"),
    ("hci", "bind", "EBUSY", "adapter is up", "hci0 down"),
    ("rfcomm", "connect", "EHOSTDOWN", "does not answer", "visible"),
    ("rfcomm", "socket", "EPROTONOSUPPORT", "BTPROTO_RFCOMM", "modprobe rfcomm"),
)


@pytest.mark.parametrize("family", [OLD, NEW], ids=["3.13", "3.14"])
@pytest.mark.parametrize("protocol", ["l2cap", "rfcomm", "hci", "sco"])
def test_the_forms_address_is_accepted_and_comes_back(family: Bluetooth, protocol: str) -> None:
    declared = family.protocol(protocol)
    fields = family.fields(declared)
    address = family.build(declared, {each.name: each.parse(each.default) for each in fields})
    assert refused(family, protocol, address) == ""
    texts = family.texts(declared, address)
    assert family.build(declared, {each.name: each.parse(texts[each.name]) for each in fields}) == address
    found = family.unpack(declared, family.pack(declared, address))
    if family is NEW:
        assert found == address, "since 3.14 what getsockname() gives can be bound"


@pytest.mark.parametrize(
    ("first", "byte"),
    [
        ("ff", 0xFF),
        ("100", None),
        ("0x", 0),
        ("0000000ff", 0xFF),
        # Of 64 bits that strtoul() keeps, 32 are stored.
        ("100000001", 1),
        ("-ffffff01", 0xFF),
        ("-1", None),
        ("-ffffffffffffffff", 1),
        ("ffffffffffffffff", None),
        ("-10000000000000000", None),
        ("-1ffffffffffffff01", None),
    ],
)
def test_numbers_as_sscanf_reads_them(first: str, byte: int | None) -> None:
    """Seen with Debian's Python, whose parser hands the text to glibc's ``sscanf("%X")``."""
    assert from_text(f"{first}:2:3:4:5:6".encode()) == (None if byte is None else bytes([6, 5, 4, 3, 2, byte]))


@given(st.binary(min_size=6, max_size=6))
def test_addresses_come_back(raw: bytes) -> None:
    assert from_text(to_text(raw).encode()) == raw


def test_a_long_text_is_refused_at_once() -> None:
    with pytest.raises(FieldError):
        OLD.plain(OLD.protocol("l2cap"), ":" * 100_000)
