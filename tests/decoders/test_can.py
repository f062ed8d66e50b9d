"""CAN decoding: no bytes break it, every range lies in the payload, and what it says is what the bytes mean."""

from __future__ import annotations

import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sockexplorer.capture.link_types import Origin, unwrap, wrap
from sockexplorer.core.canframes import BCM_HEAD, read_bcm, read_frame
from sockexplorer.decoders import decode, summary


def exactly(size: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=size, max_size=size)


CLAIM = ("vcan0", 0x8000000000000001, 0xEE00, 0x80)


@given(
    st.sampled_from(["raw", "bcm", "isotp", "j1939"]),
    st.binary(max_size=200) | st.sampled_from([8, 16, 72, 56, 128]).flatmap(lambda size: exactly(size)),
)  # fmt: skip
@example("bcm", BCM_HEAD.pack(1, 0x800, 0, 0, 0, 0, 0, 0, 2**32 - 1) + bytes(71))
@example("bcm", BCM_HEAD.pack(99, 2**32 - 1, 0, -1, -(2**63), 2**62, 5, 0, 3) + bytes(100))
@example("raw", struct.pack("=IB3x8s", 0x3FFFFFFF, 255, b"\xff" * 8))
def test_any_bytes(protocol: str, payload: bytes) -> None:
    root = decode("AF_CAN", protocol, payload, CLAIM)
    assert (root.start, root.end) == (0, len(payload))
    for _, node in root.walk():
        assert 0 <= node.start <= node.end <= len(payload), node
        assert isinstance(node.value, str)
    assert isinstance(summary("AF_CAN", protocol, payload, CLAIM), str)


@pytest.mark.parametrize("text", ["123#DEADBEEF", "12345678#", "7FF#R8", "123##1AABB"])
def test_a_frame_is_summed_up_as_it_is_written(text: str) -> None:
    payload = read_frame(text)
    assert summary("AF_CAN", "raw", payload) == text
    # The same bytes over another protocol are a person's own.
    assert summary("AF_CAN", "isotp", payload) == ""


def test_the_fields_of_a_frame_have_their_places() -> None:
    payload = read_frame("12345678##3" + "AA" * 12)
    found = {node.name: node for _, node in decode("AF_CAN", "raw", payload).walk()}
    assert (found["can_id"].value, found["id_flags"].value, found["len"].value) == ("12345678", "EFF", "12")
    assert found["flags"].value == "BRS|ESI"
    assert payload[found["data"].start : found["data"].end] == b"\xaa" * 12


@pytest.mark.parametrize(
    ("classes", "data", "said"),
    [
        (0x002, b"\x0b", "arbitration lost (bit 11)"),
        (0x004, b"\0\x14", "controller (receive warning, receive passive)"),
        (0x008, b"\0\0\x84", "protocol (bit stuffing, while sending)"),
        (0x010, b"\0\0\0\0\x04", "transceiver (0x04)"),
        (0x020, b"", "nobody acknowledged"),
        (0x0C0, b"", "bus off, bus error"),
        (0x101, b"", "transmission timed out, controller restarted"),
        (0x200, b"\0\0\0\0\0\0\x80\x7f", "error counters (send 128, receive 127)"),
        (0x400, b"", "0x400"),
        (0x000, b"", "none"),
    ],
)  # fmt: skip
def test_error_frames_in_words(classes: int, data: bytes, said: str) -> None:
    payload = struct.pack("=IB3x8s", 0x20000000 | classes, 8, data)
    assert summary("AF_CAN", "raw", payload) == f"error: {said}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("TX_SETUP 123#AA ival2=100ms", "TX_SETUP 123#AA ival2=100ms"),
        ("TX_SETUP 123#AA count=5 ival1=10ms ival2=1500ms", "TX_SETUP 123#AA count=5 ival1=10ms ival2=1500ms"),
        ("RX_SETUP 123#FF00 ival2=1us", "RX_SETUP 123#FF00 ival2=1us"),
        ("TX_DELETE id=00000123", "TX_DELETE id=00000123"),
        ("TX_SEND 123##0AABB", "TX_SEND 123##0AABB"),
        ("TX_SETUP 123#01 123#02 123#03 123#04 123#05",
         "TX_SETUP 123#01 123#02 123#03 and 2 more"),
    ],
)  # fmt: skip
def test_messages_of_the_broadcast_manager_read_back(text: str, said: str) -> None:
    payload = read_bcm(text)
    assert summary("AF_CAN", "bcm", payload) == said
    found = {node.name: node for node in decode("AF_CAN", "bcm", payload).children}
    frames = [node for name, node in found.items() if name.startswith("frame")]
    assert len(frames) == int(found["nframes"].value)
    assert all(payload[node.start : node.end] for node in frames)


def xl(data: bytes, prio: int = 0x123, flags: int = 0x81) -> bytes:
    """``struct canxl_frame``, as long as its data makes it."""
    return struct.pack("=IBBHI", prio, flags, 0x03, len(data), 0x12345678) + data


def test_frames_of_can_xl() -> None:
    payload = xl(b"\xde\xad" * 40, 0x120123)
    root = decode("AF_CAN", "raw", payload)
    assert root.value == "12123#81:03:12345678#" + "DEAD" * 40
    found = {node.name: node for _, node in root.walk()}
    told = {name: found[name].value for name in ("can_id", "format", "vcid", "flags", "sdt", "len", "af")}
    assert told == {
        "can_id": "123", "format": "XL", "vcid": "18", "flags": "XLF|SEC", "sdt": "0x03", "len": "80",
        "af": "0x12345678",
    }  # fmt: skip
    assert payload[found["data"].start : found["data"].end] == b"\xde\xad" * 40
    # One as long as a classic frame is known by its flag, and so are its bytes when they come out of a file.
    short = xl(b"\1\2\3\4", 0x7FF, 0x80)
    assert summary("AF_CAN", "raw", short) == "7FF#80:03:12345678#01020304"
    link_type, ahead, replaced = wrap(Origin("can/raw", 1, ("vcan0",)), ("vcan0",), payload, outgoing=False)
    assert unwrap(link_type, ahead + payload[replaced:]).payload == payload


def test_what_an_identifier_says() -> None:
    found = {node.name: node.value for _, node in decode("AF_CAN", "raw", read_frame("18EAFF03#00EE00")).walk()}
    assert (found["format"], found["prio"], found["pgn"]) == ("EFF, 29 bits", "6", "59904 RQST request")
    assert (found["dst"], found["src"]) == ("255", "3")
    found = {node.name: node.value for _, node in decode("AF_CAN", "raw", read_frame("123#R4")).walk()}
    assert (found["format"], found["id_flags"], found["len"]) == ("SFF, 11 bits", "RTR", "4")
    assert "data" not in found, "a remote request carries none"
    long = struct.pack("=IB3x8s", 0x123, 9, bytes(8))
    found = {node.name: node.value for _, node in decode("AF_CAN", "raw", long).walk()}
    assert found["len"] == "9, more than 8"
    raw_dlc = struct.pack("=IBBBB8s", 0x123, 8, 0, 0, 15, bytes(8))
    found = {node.name: node.value for _, node in decode("AF_CAN", "raw", raw_dlc).walk()}
    assert (found["len"], found["len8_dlc"]) == ("8", "15")


def test_an_address_claim_has_the_parts_of_its_name() -> None:
    name = 1 << 63 | 2 << 60 | 3 << 56 | 4 << 49 | 5 << 40 | 6 << 35 | 7 << 32 | 8 << 21 | 9
    payload = name.to_bytes(8, "little")
    root = decode("AF_CAN", "j1939", payload, CLAIM)
    assert root.value == f"NAME 0x{name:016x} claims address 0x80"
    found = {node.name: node.value for _, node in root.walk()}
    assert found == {
        "NAME": f"0x{name:016x}", "identity": "9", "manufacturer": "8", "ecu_instance": "7", "function_instance": "6",
        "function": "5", "vehicle_system": "4", "vehicle_system_instance": "3", "industry_group": "2",
        "arbitrary_address": "1",
    }  # fmt: skip
    assert "cannot claim" in summary("AF_CAN", "j1939", payload, (*CLAIM[:3], 0xFE))
    assert summary("AF_CAN", "j1939", payload, ("vcan0", 0, 0x12300, 0x80)) == ""
