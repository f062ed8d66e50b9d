"""The fields of decoded payloads by name: what each payload gives, and that every name is known beforehand."""

from __future__ import annotations

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.capture.filter import compile_filter
from sockexplorer.capture.log import Frame
from sockexplorer.capture.predicate import Decoded, Vocabulary
from sockexplorer.decoders.fields import OPEN_PREFIXES, Value, field_names, field_values, message_types

NAMES = frozenset(field_names())


def can_frame(identifier: int, data: bytes) -> bytes:
    return struct.pack("=IB3x8s", identifier, len(data), data)


def test_a_j1939_frame_on_a_raw_socket() -> None:
    values = field_values("AF_CAN", "raw", can_frame(0x98F00401, b"abc"))
    assert values["can.id"] == [Value("18F00401", 0x18F00401)]
    assert values["can.pgn"] == [Value("61444 EEC1 engine 1", 61444)], "EEC1 of SAE J1939-71"
    assert values["can.src"] == [Value("1", 1)]
    assert "can.dst" not in values, "PDU2 goes to all"
    values = field_values("AF_CAN", "raw", can_frame(0x98EAFF03, b"abc"))
    assert (values["can.pgn"][0].number, values["can.dst"][0].number) == (0xEA00, 0xFF)


def test_a_frame_with_a_standard_identifier_has_no_group() -> None:
    values = field_values("AF_CAN", "raw", can_frame(0x123, b""))
    assert values["can.id"] == [Value("123", 0x123)]
    assert "can.pgn" not in values


def test_the_group_of_a_j1939_socket_is_in_the_address() -> None:
    values = field_values("AF_CAN", "j1939", b"abc", ("vcan0", 0, 61444, 0x80))
    assert (values["can.pgn"][0].number, values["can.src"][0].number) == (61444, 0x80)
    assert "can.pgn" not in field_values("AF_CAN", "j1939", b"abc", ("vcan0", 0, 0x40000, 0x80))


def test_netlink_messages_by_type() -> None:
    link = struct.pack("=IHHIIBxHiII", 32, 16, 0, 7, 0, socket.AF_UNSPEC, 772, 1, 0x49, 0)
    done = struct.pack("=IHHIIi", 20, 3, 2, 7, 0, 0)
    values = field_values("AF_NETLINK", "route", link + done)
    assert [each.text for each in values["nl.type"]] == ["RTM_NEWLINK", "NLMSG_DONE"]
    assert [each.number for each in values["nl.type"]] == [16, 3]
    assert values["nl.ifi_flags"] == [Value("IFF_UP|IFF_LOOPBACK|IFF_RUNNING", 0x49)]
    assert values["nl.family"] == [Value("AF_UNSPEC", 0)]
    assert values["nl.seq"] == [Value("7", 7), Value("7", 7)]
    assert {"RTM_NEWLINK", "NLMSG_DONE", "RTM_DELROUTE"} <= set(message_types())


LINK_UP = struct.pack("=IHHIIBxHiII", 40, 16, 2, 7, 0, 0, 772, 1, 0x49, 0) + struct.pack("=HHI", 8, 4, 65536)
ROUTE = struct.pack("=IHHII8BI", 36, 24, 2, 7, 0, 2, 24, 0, 0, 254, 2, 253, 1, 0) + struct.pack(
    "=HH4B", 8, 1, 192, 0, 2, 0
)
REFUSED = struct.pack("=IHHIIi", 36, 2, 0x100, 7, 0, -95) + struct.pack("=IHHII", 32, 19, 5, 7, 0)
EEC1, STANDARD = can_frame(0x98F00401, b"abc"), can_frame(0x123, b"")


@pytest.mark.parametrize(
    ("text", "which"),
    [
        ("nl.type==RTM_NEWLINK", {LINK_UP}), ("nl.type==16", {LINK_UP}), ("nl.type~RTM_NEW", {LINK_UP, ROUTE}),
        ("nl.ifi_flags~IFF_UP", {LINK_UP}), ("nl.mtu>1500", {LINK_UP}), ("nl.ifi_type==ARPHRD_LOOPBACK", {LINK_UP}),
        ("nl.dst==192.0.2.0", {ROUTE}), ("nl.table==main", {ROUTE}), ("nl.table==254", {ROUTE}),
        ("nl.family==AF_INET", {ROUTE}), ("nl.error==-95", {REFUSED}), ("nl.error~EOPNOTSUPP", {REFUSED}),
        ("nl.request==RTM_SETLINK", {REFUSED}), ("nl.type==RTM_SETLINK", set()),
        ("can.id==0x123", {STANDARD}), ("can.pgn==61444", {EEC1}), ("can.pgn~EEC1", {EEC1}), ("can.prio<7", {EEC1}),
        ("can.format~SFF", {STANDARD}), ("can.src==1 and can.len==3", {EEC1}),
    ],
)  # fmt: skip
def test_a_filter_finds_them(text: str, which: set[bytes]) -> None:
    payloads = {LINK_UP: "route", ROUTE: "route", REFUSED: "route", EEC1: "raw", STANDARD: "raw"}

    def fields(frame: Frame) -> Decoded:
        protocol = payloads[frame.payload]
        return field_values("AF_CAN" if protocol == "raw" else "AF_NETLINK", protocol, frame.payload, (0, 0))

    predicate = compile_filter(text, lambda peer: "", fields=fields, vocabulary=Vocabulary(NAMES))
    assert predicate is not None
    frames = [Frame(number, 0, len(each), 0, 0, each, {}) for number, each in enumerate(payloads)]
    assert {each.payload for each in frames if predicate(each)} == which


def test_an_event_of_the_kernel() -> None:
    values = field_values("AF_NETLINK", "kobject-uevent", b"add@/devices/x\0ACTION=add\0SEQNUM=12\0")
    assert values["uevent.action"] == [Value("add")]
    assert values["uevent.seqnum"] == [Value("12", 12)]


def test_a_payload_that_nothing_is_known_of() -> None:
    assert field_values("AF_INET", "udp", b"hello") == {}


@pytest.mark.parametrize(
    ("family", "protocol", "peer"),
    [
        ("AF_NETLINK", "route", (0, 0)), ("AF_NETLINK", "generic", (0, 0)), ("AF_CAN", "raw", ("vcan0",)),
        ("AF_CAN", "bcm", ("vcan0",)), ("AF_CAN", "j1939", ("vcan0", 0, 0xEE00, 1)),
        ("AF_QIPCRTR", "dgram", (1, 0xFFFFFFFE)),
        ("AF_TIPC", "stream", (2, 1, 1, 0)), ("AF_NETLINK", "kobject-uevent", (0, 1)), ("AF_INET", "udp", None),
    ],
)  # fmt: skip
@given(payload=st.binary(max_size=120) | st.binary(min_size=16, max_size=16) | st.binary(min_size=72, max_size=72))
def test_every_name_is_known_beforehand(family: str, protocol: str, peer: object, payload: bytes) -> None:
    for name, values in field_values(family, protocol, payload, peer).items():
        assert name in NAMES or name.partition(".")[0] in OPEN_PREFIXES or "malformed" in name, name
        assert all(each.number is None or isinstance(each.text, str) for each in values)
