"""A filter over a large capture file, by its columns, lets through the rows that it lets through one by one."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sockexplorer.capture import byte_search, column_answers, column_sift, pcapng
from sockexplorer.capture.column_sift import ColumnSift
from sockexplorer.capture.index import Index
from sockexplorer.capture.link_types import ETHERNET, EXPORTED_PDU, NETLINK, SOCKETCAN, Origin, wrap
from sockexplorer.client.file_session import FileSession
from sockexplorer.client.finding import filter_of
from sockexplorer.core.canframes import EFF

ATOMS = (
    "dir==in", "dir!=in", "len>20", "len==0", "len<=16", "len!=40", "n>=3", "n==1", "n<99999999999999999999999",
    "len>-1", "len<0x100000000", "time>=1970-01-01T00:00:00Z", "time<1970-01-01T00:00:00.000000005Z", "time==0",
    "time>12:00", "time<=23:59:59.999999999", "peer~127", 'peer==""', 'peer!=""', "event==x", 'event!=""', 'event~""',
    "hex:00", "hex:61", "hex:0000", "hex:de ad", "a", '"A"', "lo", "127", "53", "/a/", "/lib.*x/", '""', "é",
    "/ction=/", "/RTM/", "/lo/", r"/7\.0/",
    "protocol==udp", "proto!=raw", 'protocol=="link type 147"', "protocol~/^0x/", 'protocol~"K"', "protocol==ipv4",
    "nl.type==RTM_GETLINK", "can.id==0x123", "RTM", "123#", "uevent.action==add", "can.len>4", "can.id_flags==EFF",
    "can.pgn!=5", "can.data~61", "can.error~bus",
)  # fmt: skip
filters = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(("and", "or", "")), inner) | inner.map("not ({})".format)
    ),
    max_leaves=5,
)
LINKS = (SOCKETCAN, NETLINK, ETHERNET, EXPORTED_PDU, EXPORTED_PDU, 147)
NAMES = ("can/raw", "netlink/route", "packet/raw", "inet/udp", "netlink/kobject-uevent", "")
data = st.binary(max_size=40) | st.sampled_from(
    (b"", b"a", b"\xde\xad", b"ACTION=add\0", b"libudev x", struct.pack("=IHHII", 16, 18, 1, 0, 0),
     struct.pack(">IBBH8s", 0x123 | EFF, 8, 0, 0, b"\xde\xad"), struct.pack(">IB3x8s", 0x123, 8, b"a" * 8))
)  # fmt: skip
frames = st.tuples(
    st.integers(0, len(LINKS) - 1), data, st.sampled_from((True, False, None)),
    st.integers(0, 9) | st.integers(0, 2**64 - 1), st.sampled_from((0, 0, 0, 5)),
)  # fmt: skip
"""The number of an interface, the bytes, the direction, the time, and how many bytes were cut off."""


def recording(told: list[tuple[int, bytes, bool | None, int, int]]) -> bytes:
    made = pcapng.section("sockexplorer 1", "Linux")
    made += b"".join(pcapng.interface(link, name, "lo") for link, name in zip(LINKS, NAMES, strict=True))
    for which, payload, outgoing, moment, cut in told:
        head = b""
        if LINKS[which] == EXPORTED_PDU:
            head = wrap(Origin(NAMES[which]), ("127.0.0.1", 53), payload, outgoing=bool(outgoing))[1]
        length = len(head) + len(payload) + cut
        made += pcapng.packet(which, moment, (head, payload), length, outgoing, ["a comment"] * (cut > 0))
    return made


@contextmanager
def opened(path: Path) -> Iterator[FileSession]:
    session = FileSession(1, path, keeps_index=False, vectorised_from=0)
    session.start()
    session.wait()
    try:
        yield session
    finally:
        session.release()
        session.log.close()


def check(session: FileSession, text: str) -> list[int]:
    """Compare both; the rows."""
    predicate = filter_of(text, session)
    assert predicate is not None
    sift = session.sift(predicate)
    assert isinstance(sift, ColumnSift)
    number, found = 1, []
    while number < session.log.end:
        number, passed = sift.go_on(number, session.log.end, time.monotonic() + 1)
        found += passed
    wanted = [each for each in range(1, session.log.end) if predicate(session.log.frame(each))]
    assert found == wanted, text
    return wanted


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(
    st.lists(frames, min_size=1, max_size=30), st.lists(filters, min_size=1, max_size=4), st.sampled_from((1, 3, 64))
)
def test_any_filter_finds_the_rows_that_it_finds_one_by_one(
    tmp_path: Path, told: list[tuple[int, bytes, bool | None, int, int]], texts: list[str], dense: int
) -> None:
    path = tmp_path / "any.pcapng"
    path.write_bytes(recording(told))
    with (
        patch.object(column_sift, "SLICE_ROWS", 7), patch.object(column_sift, "SLICE_BYTES", 300),
        patch.object(byte_search, "DENSE", dense), patch.object(byte_search, "PIECE", 64),
        opened(path) as session,
    ):  # fmt: skip
        for text in texts:
            check(session, text)


@pytest.mark.parametrize("text", ["hex:71", "qq", "not qq"])
def test_what_is_left_of_a_file_that_was_cut_off_is_searched(tmp_path: Path, text: str) -> None:
    path = tmp_path / "cut.pcapng"
    made = recording([(5, b"q" * 100, False, 5, 0)] * 100)
    path.write_bytes(made)
    with opened(path) as session:
        path.write_bytes(made[: len(made) // 2])
        assert len(check(session, text)) in range(40, 60)


@pytest.mark.parametrize("order", "<>")
def test_payloads_of_many_interfaces_are_searched(tmp_path: Path, order: str) -> None:
    """Of either byte order; the lengths in the records are of that order."""

    def block(kind: int, body: bytes) -> bytes:
        length = struct.pack(f"{order}I", len(body) + 12)
        return struct.pack(f"{order}I", kind) + length + body + length

    path = tmp_path / "many.pcapng"
    made = block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))
    made += block(1, struct.pack(f"{order}HHI", 147, 0, 0)) * 300
    made += b"".join(
        block(6, struct.pack(f"{order}5I4s", each, 0, each, 3, 3, b"a%02x" % (each & 0xFF))) for each in range(300)
    )
    path.write_bytes(made)
    with opened(path) as session:
        assert len(check(session, "a07")) == 2


MANY = 300


def many_peers(tmp_path: Path) -> Path:
    """A file with a frame of each of so many peers."""
    made = [pcapng.section("sockexplorer 1", "Linux"), pcapng.interface(EXPORTED_PDU, "inet/udp")]
    for each in range(MANY):
        head = wrap(Origin("inet/udp"), (f"10.0.{each >> 8}.{each & 255}", 7), b"x", outgoing=False)[1]
        made.append(pcapng.packet(0, each, (head, b"x"), len(head) + 1, False))
    (path := tmp_path / "many.pcapng").write_bytes(b"".join(made))
    return path


@pytest.mark.parametrize("text", ["peer~10.0.1", "protocol==udp", "10.0.1", "not peer~/7/"])
def test_a_filter_asks_some_names_at_a_time(tmp_path: Path, text: str) -> None:
    """And reads no record for them: they were told when the file was indexed."""
    with opened(many_peers(tmp_path)) as session, patch.object(column_answers, "NAMES_TOGETHER", 50):
        check(session, text)
        predicate = filter_of(text, session)
        assert predicate is not None
        sift, asked = session.sift(predicate), 0
        with patch.object(Index, "record", side_effect=AssertionError):
            # The time is over at once: each time as many names are asked as have no clock between them.
            while sift.go_on(1, session.log.end, 0.0)[0] == 1:
                asked += 1
        assert asked == MANY // 50


@pytest.mark.parametrize(
    "text", ["time<2200-01-01", "time>=1970-01-01T00:00:00Z", "time!=0", "time>=00:00", "not time>=00:00", "n>1"]
)
def test_frames_without_a_time_pass_no_test_of_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "untimed.pcapng"
    simple, timed = pcapng.simple(1, b"x"), pcapng.packet(0, 5, (b"y",), 1, None)
    path.write_bytes(pcapng.section("x", "") + pcapng.interface(147) + simple + timed * 2 + simple)
    with opened(path) as session:
        wanted = [1, 4] if text.startswith("not") else [2, 3, 4] if text == "n>1" else [2, 3]
        assert check(session, text) == wanted
