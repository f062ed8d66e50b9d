"""CAN frames, filters and broadcast manager messages: what is written is what is read, and nonsense is refused."""

from __future__ import annotations

import contextlib
import re
import shutil
import struct
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.core import canframes
from sockexplorer.core.canframes import (
    BCM_FLAGS,
    BCM_HEAD,
    filters_text,
    frame_text,
    read_bcm,
    read_filters,
    read_frame,
)
from sockexplorer.core.canoptions import FLOW_CONTROL, ISOTP_OPTIONS, Filters
from sockexplorer.core.faults import Invalid
from sockexplorer.core.payload import PayloadError

IDS = st.integers(0, 0x7FF).map("{:03X}".format) | st.integers(0, 0x1FFFFFFF).map("{:08X}".format)


def data(longest: int) -> st.SearchStrategy[str]:
    return st.binary(max_size=longest).map(lambda each: each.hex().upper())


FRAMES = (
    st.tuples(IDS, data(8)).map("#".join)
    | st.tuples(IDS, st.sampled_from(["R", *(f"R{length}" for length in range(1, 9))])).map("#".join)
    | st.tuples(IDS, st.sampled_from(["R8", "0011223344556677"]), st.sampled_from("9ABCDEF")).map(
        "{0[0]}#{0[1]}_{0[2]}".format
    )
    | st.tuples(IDS, st.sampled_from("012389AB"), st.sampled_from(canframes.FD_LENGTHS)).map(
        lambda each: f"{each[0]}##{each[1]}{bytes(range(each[2])).hex().upper()}"
    )
)


@given(FRAMES)
def test_a_frame_as_it_is_written(text: str) -> None:
    frame = read_frame(text)
    assert len(frame) == (72 if "##" in text else 16)
    assert frame_text(frame) == text


@given(st.binary(min_size=16, max_size=16) | st.binary(min_size=72, max_size=72))
def test_any_frame_has_a_text(frame: bytes) -> None:
    text = frame_text(frame)
    assert re.fullmatch(r"([0-9A-F]{3}|[0-9A-F]{8})(#(R\d*|([0-9A-F]{2})*)(_[9A-F])?|##[0-9A-F]([0-9A-F]{2})*)", text)


@given(st.binary(max_size=100))
def test_other_lengths_are_no_frames(frame: bytes) -> None:
    assert (frame_text(frame) == "") is (len(frame) not in (16, 72))


def test_the_bytes_are_those_of_the_kernels_structures() -> None:
    assert read_frame("123#DEADBEEF") == struct.pack("=IB3x8s", 0x123, 4, bytes.fromhex("DEADBEEF"))
    assert read_frame("00000123#11.22") == struct.pack("=IB3x8s", 0x80000123, 2, b"\x11\x22")
    assert read_frame("7FF#r") == struct.pack("=IB3x8s", 0x400007FF, 0, b"")
    # Nine bytes are no length of CAN FD: the next one is twelve.
    assert read_frame("123##1" + "AA" * 9) == struct.pack("=IBB2x64s", 0x123, 12, 1, b"\xaa" * 9)


@pytest.mark.parametrize(
    "text",
    ["", "123", "12#AA", "1234#AA", "FFFFFFFF#", "800#", "123#A", "123#XX", "123#" + "00" * 9, "123##", "123##G",
     "123##0" + "00" * 65, "123#R9", "123#RR", "123#R7_9", "123#0011_B",
     "123#0011223344556677_8", "123#0011223344556677_", "123##0AA_B", "123#AA 124#BB"],
)  # fmt: skip
def test_what_is_no_frame(text: str) -> None:
    with pytest.raises(PayloadError):
        read_frame(text)


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)), max_size=5))
def test_any_filters_read_back(filters: list[tuple[int, int]]) -> None:
    value = b"".join(struct.pack("=II", *each) for each in filters)
    assert read_filters(filters_text(value)) == value


@pytest.mark.parametrize(
    ("text", "filters"),
    [
        ("123:7FF", [(0x123, 0x7FF)]),
        ("123:7ff, 200~700", [(0x123, 0x7FF), (0x20000200, 0x700)]),
        ("00000123:1FFFFFFF", [(0x80000123, 0x1FFFFFFF)]),
        ("0x40000123:0xC00007FF", [(0x40000123, 0xC00007FF)]),
        ("none", []),
    ],
)
def test_filters(text: str, filters: list[tuple[int, int]]) -> None:
    assert read_filters(text) == b"".join(struct.pack("=II", *each) for each in filters)
    kind = Filters()
    assert kind.parse(text) == read_filters(kind.show(kind.read(text)))


@pytest.mark.parametrize("text", ["", "123", "123:", ":7FF", "123:7FF,", "G:7FF", "123456789:0", "123:123456789"])
def test_what_is_no_filter(text: str) -> None:
    with pytest.raises(PayloadError):
        read_filters(text)
    with pytest.raises(Invalid):
        Filters().read(text)


def test_messages_of_the_broadcast_manager() -> None:
    message = read_bcm("tx_setup 123#AA 123#BB ival1=10ms ival2=1.5s count=3 flags=TX_COUNTEVT")
    flags = BCM_FLAGS["SETTIMER"] | BCM_FLAGS["STARTTIMER"] | BCM_FLAGS["TX_COUNTEVT"]
    assert BCM_HEAD.unpack_from(message) == (1, flags, 3, 0, 10_000, 1, 500_000, 0x123, 2)
    assert message[BCM_HEAD.size :] == read_frame("123#AA") + read_frame("123#BB")
    assert BCM_HEAD.unpack(read_bcm("RX_SETUP id=00000456")) == (5, 0x20, 0, 0, 0, 0, 0, 0x80000456, 0)
    fd = read_bcm("TX_SEND 123##0AA")
    assert BCM_HEAD.unpack_from(fd)[1] == BCM_FLAGS["CAN_FD_FRAME"]
    assert len(fd) == BCM_HEAD.size + 72
    assert BCM_HEAD.unpack_from(read_bcm("TX_SETUP 123# flags=0x8|TX_CP_CAN_ID"))[1] == 0x18


@pytest.mark.parametrize(
    "text",
    ["", "123#AA", "TX_NOTHING 123#AA", "TX_SETUP", "TX_SETUP 123#AA ival2=5", "TX_SETUP 123#AA ival2=fast",
     "TX_SETUP 123#AA every=5ms", "TX_SETUP 123#AA 123##0AA", "TX_SETUP 123#AA count=x", "TX_SETUP 123#AA flags=LOUD",
     "TX_DELETE id=800", "TX_SETUP 123#AAA"],
)  # fmt: skip
def test_what_is_no_message_of_the_broadcast_manager(text: str) -> None:
    with pytest.raises(PayloadError):
        read_bcm(text)


NEARLY = st.tuples(
    st.sampled_from(["TX_SETUP 123#AA ", "RX_SETUP ", "123#", "123:"]),
    st.text(alphabet="0123456789ABCDEF#:=.msivaltcoungd| ", max_size=40),
).map("".join)


@given(st.text(max_size=60) | NEARLY)
def test_no_text_breaks_the_readers(text: str) -> None:
    for read in (read_frame, read_filters, read_bcm):
        with contextlib.suppress(PayloadError):
            assert isinstance(read(text), bytes)


@given(st.binary(min_size=12, max_size=12))
def test_a_records_fields_read_back(value: bytes) -> None:
    assert ISOTP_OPTIONS.read(ISOTP_OPTIONS.show(value)) == value


def test_a_record_has_the_kernels_defaults() -> None:
    assert ISOTP_OPTIONS.read("flags=TX_PADDING|0x8") == struct.pack("=IIBBBB", 0xC, 50000, 0, 0xCC, 0xCC, 0)
    assert FLOW_CONTROL.read("bs=8, stmin=0x14") == bytes([8, 20, 0])
    for wrong in ("", "bs", "bs=x", "bs=256", "block=3", "bs=-1"):
        with pytest.raises(Invalid):
            FLOW_CONTROL.read(wrong)


@pytest.mark.optional_on_this_host(reason="needs the kernel's headers and a C compiler")
def test_the_head_is_laid_out_as_in_c(tmp_path: object) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here")
    source = (
        "#include <stdio.h>\n#include <stddef.h>\n#include <linux/can/bcm.h>\nint main(void) {"
        'printf("%zu %zu %zu", sizeof(struct bcm_msg_head), offsetof(struct bcm_msg_head, ival1),'
        "offsetof(struct bcm_msg_head, can_id)); return 0; }"
    )
    program = f"{tmp_path}/head"
    built = subprocess.run([compiler, "-xc", "-", "-o", program], input=source, text=True, capture_output=True)
    if built.returncode:
        pytest.skip(f"no headers of the kernel here: {built.stderr.splitlines()[0]}")
    told = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    assert told == f"{BCM_HEAD.size} {canframes.BCM_INTERVALS} {canframes.BCM_ID}"
