"""Control messages: what they say, and buffers that lie."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.engine import ancillary


def header(length: int, level: int, kind: int) -> bytes:
    return struct.pack("=Qii", length, level, kind)


# No SCM_RIGHTS or SCM_PIDFD: their numbers would be closed, which is the point of another test.
CONTROLS = st.lists(
    st.tuples(st.sampled_from([0, 1, 41, 270]), st.sampled_from([2, 3, 8, 29, 35, 40, 99]), st.binary(max_size=40)),
    max_size=5,
)


@given(CONTROLS)
def test_walk_reads_back_what_was_laid_out(controls: list[tuple[int, int, bytes]]) -> None:
    laid = b"".join(
        header(16 + len(data), level, kind) + data.ljust((len(data) + 7) & ~7, b"\0") for level, kind, data in controls
    )
    assert list(ancillary.walk(memoryview(laid))) == controls
    ancillary.read(controls)


@given(st.binary(max_size=100))
def test_walk_ends_whatever_the_buffer_says(data: bytes) -> None:
    for _, _, part in ancillary.walk(memoryview(data)):
        assert len(part) <= len(data)


def test_a_header_that_lies_ends_the_walk() -> None:
    for length in (0, 15, 1000, 2**63):
        assert list(ancillary.walk(memoryview(header(length, 1, 2) + bytes(8)))) == []


def test_the_kernels_clock_and_counter() -> None:
    said = ancillary.read([(1, 35, struct.pack("=qq", 12, 34)), (1, 40, struct.pack("=I", 7)), (1, 35, b"short")])
    assert (said.time, said.drops) == (12_000_000_034, 7)
    assert said.meta["control"][0]["name"] == "level 1 type 35"


@pytest.mark.parametrize(
    ("control", "meta"),
    [
        ((263, 8, struct.pack("=IIIHHHH", 0x01, 60, 60, 0, 14, 0, 0)), {}),
        (
            (263, 8, struct.pack("=IIIHHHH", 0x51, 60, 60, 0, 14, 0xB123, 0x88A8)),
            {"vlan": {"id": 0x123, "priority": 5, "drop_eligible": True, "tpid": "0x88a8"}},
        ),
        (
            (263, 8, struct.pack("=IIIHHHH", 0x11, 60, 60, 0, 14, 7, 0)),
            {"vlan": {"id": 7, "priority": 0, "drop_eligible": False, "tpid": "0x8100"}},
        ),
        ((271, 3, struct.pack("=3I", 1000, 0, 5)), {"name": {"type": 1000, "lower": 0, "upper": 5}}),
        ((271, 1, struct.pack("=II", 2, 3)), {"returned": {"error": "TIPC_ERR_NO_PORT", "length": 3}}),
        ((271, 1, struct.pack("=II", 99, 3)), {"returned": {"error": "error 99", "length": 3}}),
        ((271, 1, b"short"), {"control": [{"name": "level 271 type 1", "data": "73686f7274"}]}),
    ],
)
def test_what_a_message_says_has_names(control: ancillary.Control, meta: dict[str, object]) -> None:
    assert ancillary.read([control]).meta == meta


def test_every_sort_of_descriptor_has_a_description(tmp_path: Path) -> None:
    read, write = os.pipe()
    (tmp_path / "f").write_text("")
    with (tmp_path / "f").open() as file, socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        directory = os.open(tmp_path, os.O_RDONLY)
        null = os.open("/dev/null", os.O_RDONLY)
        memory = os.memfd_create("m")
        poll = os.eventfd(0)
        found = {
            ancillary.describe(each).partition(" ")[0]
            for each in (file.fileno(), sock.fileno(), directory, null, memory)
        }
        assert found == {"file", "AF_INET6", "directory", "device"}
        assert ancillary.describe(read).startswith("pipe:[")
        assert ancillary.describe(poll) == "anon_inode:[eventfd]"
        assert ancillary.describe(999_999) == "descriptor (Bad file descriptor)"
        assert sock.fileno() >= 0
        for each in (read, write, directory, null, memory, poll):
            os.close(each)
