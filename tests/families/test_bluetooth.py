"""AF_BLUETOOTH by version of Python, whether this one was built with it or not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.core.faults import FieldError
from sockexplorer.core.interpreter import Interpreter
from sockexplorer.families.bluetooth import Bluetooth, from_text, to_text

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


@pytest.mark.parametrize(
    ("family", "protocol", "address", "field", "says"),
    [
        (NEW, "hci", 65536, "device", "passes 0"),
        (NEW, "hci", (0, 2), "device", "HCI_DEV_NONE"),
        (NEW, "hci", (0xFFFF, 1), "device", "monitor and control"),
        (OLD, "hci", (65536,), "device", "becomes 1"),
        (OLD, "sco", b"1:2:3:4:5:6\0junk", "bdaddr", "stops at the NUL"),
        (OLD, "sco", b"1:2:3:4:5:6", "bdaddr", "unusual spelling"),
        (OLD, "l2cap", (DEVICE, 0x1002), "psm", "even"),
        (OLD, "l2cap", (DEVICE, 1), "psm", "CAP_NET_BIND_SERVICE"),
        (NEW, "l2cap", (DEVICE, 0x1001, 0, 1), "psm", "up to 0xff"),
        (NEW, "l2cap", (DEVICE, 0x7F, 0, 1), "psm", "0x80 needs"),
        (NEW, "l2cap", (DEVICE, 0, 5, 1), "cid", "channel 4"),
        (NEW, "l2cap", (DEVICE, 0x1001, 4), "cid", "not both"),
        (NEW, "l2cap", (DEVICE, 0, 4, 7), "bdaddr_type", "0 to 2"),
        (OLD, "rfcomm", (DEVICE, 31), "channel", "1 to 30"),
    ],
)
def test_what_is_accepted_but_rarely_meant(
    family: Bluetooth, protocol: str, address: Any, field: str, says: str
) -> None:
    family.check(family.protocol(protocol), address)
    notices = list(family.notices(family.protocol(protocol), address, "local"))
    assert any(each.field == field and says in each.text for each in notices), notices


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


@given(st.binary(min_size=6, max_size=6))
def test_addresses_come_back(raw: bytes) -> None:
    assert from_text(to_text(raw).encode()) == raw


def test_a_long_text_is_refused_at_once() -> None:
    with pytest.raises(FieldError):
        OLD.plain(OLD.protocol("l2cap"), ":" * 100_000)
