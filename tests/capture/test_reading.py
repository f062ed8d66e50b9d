"""Capture files are read back as they were recorded, others' as they mean it, and hostile ones are refused in words."""

from __future__ import annotations

import codecs
import io
import json
import shutil
import struct
import subprocess
import time
import tracemalloc
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import PATIENCE

from sockexplorer.capture import candump, pcapng
from sockexplorer.capture.copying import Copy
from sockexplorer.capture.link_types import Origin
from sockexplorer.capture.log import Frame
from sockexplorer.capture.reading import LONGEST, CaptureError, Drops, Interface, Record, Torn, Window, records
from sockexplorer.capture.recording import Recording
from sockexplorer.client import rows
from sockexplorer.client.file_session import FileSession
from sockexplorer.client.finding import filter_of
from sockexplorer.client.formats import TEXTS, as_lines
from sockexplorer.client.opened import Opened
from sockexplorer.core.canframes import frame_text
from sockexplorer.core.frames import Flag
from sockexplorer.families import all_families

PEERS: dict[str, st.SearchStrategy[object]] = {
    "inet/udp": st.tuples(st.sampled_from(["127.0.0.1", "192.0.2.7"]), st.integers(0, 65535)),
    "inet6/tcp": st.tuples(st.sampled_from(["::1", "fe80::1"]), st.integers(0, 65535), st.just(0), st.integers(0, 9)),
    "unix/dgram": st.none() | st.text(max_size=9) | st.binary(max_size=9),
    "netlink/route": st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 40)),
    "netlink/generic": st.just((0, 0)),
    "vsock/seqpacket": st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)),
    "can/bcm": st.just(("vcan0",)),
    "packet/raw": st.tuples(
        st.sampled_from(["lo", "eth0"]), st.integers(0, 65535), st.integers(0, 7), st.sampled_from([1, 772, 280, 9]),
        st.binary(min_size=6, max_size=6),
    ),
    "packet/dgram": st.tuples(
        st.just("lo"), st.integers(0, 65535), st.integers(0, 7), st.just(1), st.binary(max_size=8)
    ),
    "tipc/rdm": st.tuples(st.just(3), st.integers(0, 9), st.integers(0, 9), st.just(0)),
    "bluetooth/l2cap": st.tuples(st.just("00:11:22:33:44:55"), st.integers(0, 9)),
    "rds/seqpacket": st.tuples(st.just("10.0.0.1"), st.integers(0, 65535)),
    "key/raw": st.just((15, b"\0\1")),
}  # fmt: skip
META = st.dictionaries(st.sampled_from(["IP_TTL", "credentials", "x"]), st.integers() | st.text(max_size=5), max_size=2)


@st.composite
def recorded(draw: st.DrawFn) -> list[tuple[Origin, object, Frame]]:
    """Frames of several families, in one file."""
    found = []
    for number in range(1, draw(st.integers(0, 8)) + 1):
        path = draw(st.sampled_from(sorted(PEERS)))
        peer = draw(PEERS[path])
        payload = draw(st.binary(min_size=14 if path == "packet/raw" else 0, max_size=80))
        flags = draw(st.sampled_from([0, Flag.OUT, Flag.CONTROL_TRUNCATED, Flag.OWN | Flag.OUT, Flag.TRUNCATED]))
        more = draw(st.integers(1, 99)) if flags & Flag.TRUNCATED else 0
        meta = draw(META)
        local = ("127.0.0.1", 9) if path == "inet/udp" else None
        frame = Frame(number, draw(st.integers(0, 2**62)), len(payload) + more, 1, int(flags), payload, meta)
        found.append((Origin(path, 16 if path == "netlink/generic" else 0, local), peer, frame))
    return found


def written(frames: Sequence[tuple[Origin, object, Frame]]) -> bytes:
    """The file that a recording makes of them."""
    out = bytearray()

    def sink(blocks: Sequence[bytes]) -> None:
        out.extend(b"".join(blocks))

    recording = Recording(sink)
    for origin, peer, frame in frames:
        recording.add(origin.path, origin, frame, peer, None if peer is None else repr(peer))
    recording.dropped("inet/udp", 7)
    recording.flush()
    return bytes(out)


def read(data: bytes) -> list[Record]:
    return list(records(io.BytesIO(data).read))


@given(recorded())
def test_what_was_recorded_is_read_back(frames: list[tuple[Origin, object, Frame]]) -> None:
    opened = Opened()
    found = [opened.frame(record) for record in read(written(frames))]
    assert len(found) == len(frames)
    for back, (origin, peer, frame) in zip(found, frames, strict=True):
        assert back.meta.pop("socket") == origin.path
        assert rows.peer_literal(opened, back) == (None if peer is None else repr(peer))
        assert back._replace(peer=1, flags=back.flags & ~Flag.META) == frame
        opened.summary(back)


@given(recorded())
def test_a_copy_holds_the_same_records(frames: list[tuple[Origin, object, Frame]]) -> None:
    data = written(frames)
    parts: list[bytes] = []
    copy = Copy(parts.extend)
    for record in read(data):
        copy.add(record)
    copy.flush()
    assert read(b"".join(parts)) == read(data) if frames else parts == []


STEPS = st.lists(st.tuples(st.booleans(), st.integers(0, 1), st.integers(0, 9)) | st.none(), min_size=1, max_size=12)
"""Sections of ours or of others with an interface each, frames of it, and how many it dropped; or the next file."""


@given(STEPS)
def test_a_copy_tells_what_was_dropped(steps: list[tuple[bool, int, int] | None]) -> None:
    parts: list[bytes] = []
    copy, wanted = Copy(parts.extend), Counter[Interface]()
    files: list[list[tuple[bool, int, int]]] = [[]]
    for step in steps:
        if step is None:
            files.append([])
        else:
            files[-1].append(step)
    for told in files:
        data = b""
        for ours, name, dropped in told:
            data += pcapng.section("sockexplorer 1" if ours else "other", "")
            data += pcapng.interface(147, str(name)) + pcapng.packet(0, 5, (b"x",), 1, None)
            data += pcapng.statistics(0, 5, 1, dropped)
            wanted[Interface(147, str(name), "", ours)] += dropped
        drops: Drops = {}
        copy.begin(drops)
        for record in records(io.BytesIO(data).read, drops) if data else ():
            copy.add(record)
        copy.tell_drops()
    copy.flush()
    found, again = Counter[Interface](), dict[tuple[int, int], tuple[Interface, int]]()
    copied = b"".join(parts)
    assert len(list(records(io.BytesIO(copied).read, again)) if copied else []) == sum(map(len, files))
    for interface, count in again.values():
        found[interface] += count
    assert +found == +wanted


@given(recorded(), recorded())
def test_files_may_be_joined(first: list[tuple[Origin, object, Frame]], second: list) -> None:  # type: ignore[type-arg]
    assert read(written(first) + written(second)) == read(written(first)) + read(written(second))


@given(recorded(), st.data())
def test_a_torn_end_is_told_and_all_before_it_is_read(
    frames: list[tuple[Origin, object, Frame]], data: st.DataObject
) -> None:
    whole = written(frames)
    cut = data.draw(st.integers(4, len(whole)))
    found, torn = [], None
    try:
        for record in records(io.BytesIO(whole[:cut]).read):
            found.append(record)
    except Torn as error:
        torn = error.offset
    assert found == read(whole)[: len(found)]
    # What the repair leaves is whole.
    if torn:
        assert read(whole[:torn]) == found
    elif torn is None:
        assert read(whole[:cut]) == found


@settings(max_examples=300)
@given(recorded(), st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=6), st.integers(0, 10**6))
def test_a_damaged_file_is_an_error_in_words_and_nothing_else(
    frames: list[tuple[Origin, object, Frame]], flips: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(written(frames))
    for at, value in flips:
        data[at % len(data)] = value
    show(bytes(data[: len(data) - cut % 40]))


@given(
    st.sampled_from([b"", b"\n\r\r\n", b"\xd4\xc3\xb2\xa1\2\0\4\0", b"(1.000000) can0 ", b"\xa1\xb2\x3c\x4d"]),
    st.binary(),
)
def test_garbage_is_refused_in_words(start: bytes, rest: bytes) -> None:
    show(start + rest)


def show(data: bytes) -> None:
    """Read and print everything; only `CaptureError` may come of it."""
    opened = Opened()
    try:
        for record in records(io.BytesIO(data).read):
            frame = opened.frame(record)
            rows.as_json(frame.number, opened, frame)
            text = rows.as_text(opened, frame)
            assert text.isprintable()
    except CaptureError as error:
        refused = error
    else:
        return
    assert 0 <= refused.offset <= len(data)
    assert refused.reason


PATHS = [f"{family.name}/{protocol.name}" for family in all_families() for protocol in family.protocols]
LITERALS = st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | st.binary(max_size=9) | st.just("lo"),
    lambda inner: st.lists(inner, max_size=5) | st.lists(inner, max_size=5).map(tuple),
    max_leaves=6,
).map(repr)


@given(
    st.sampled_from([*PATHS, "15/raw", "x/y"]), LITERALS | st.text(max_size=9), st.binary(max_size=40),
    st.sampled_from([1, 9, 101, 113, 127, 201, 227, 252, 253, 254, 271, 276]), st.booleans(),
)  # fmt: skip
def test_what_a_file_says_of_a_peer_is_shown_whatever_it_is(
    path: str, literal: str, data: bytes, link_type: int, outgoing: bool
) -> None:
    opened = Opened()
    told = (f"peer: {literal}", 'ancillary: {"a": ["\x1b"]}', "flags: OWN")
    frame = opened.frame(Record(Interface(link_type, path, "eth0", True), 5, 50, data, outgoing, told))
    assert json.loads(rows.as_json(1, opened, frame))["peer"] in (literal, None)
    assert rows.as_text(opened, frame).isprintable()


@pytest.mark.parametrize(
    "told",
    ['{"socket": 5}', '{"socket": {"a": 1}}', '{"peer": [1]}', '{"text": 7, "event": [1], "failure": 1}',
     '{"comments": 3}', '{"descriptors": 4}', '{"descriptors": "ab"}', '{"a": NaN, "b": 1e999}',
     '{"a": ' + "[" * 900 + "]" * 900 + "}", '{"a":' * 900 + "1" + "}" * 900],
)  # fmt: skip
@pytest.mark.parametrize("link_type", [1, 147, 252])
def test_what_a_file_says_beside_a_frame_breaks_nothing(told: str, link_type: int) -> None:
    opened = Opened()
    interface = Interface(link_type, "unix/dgram", "", True)
    record = Record(interface, 5, 40, bytes(40), False, (f"ancillary: {told}", "flags: EVENT META OUT OWN"))
    frame = opened.frame(record)
    line = json.loads(rows.as_json(1, opened, frame), parse_constant=pytest.fail)
    assert line["socket"] == {1: "unix/dgram", 147: "link type 147", 252: "unix/dgram"}[link_type]
    assert (frame.event, line["dir"]) == ("", "in")
    for kind in TEXTS:
        assert as_lines(kind, opened, frame)
    assert isinstance(frame.meta.get("descriptors", []), list)
    # It is not lost: it is a comment, as that of anybody else.
    assert frame.meta["comments"]


@pytest.mark.parametrize("literal", [r"'\d'", "1if 2else 3", "0x1for x in y"])
def test_a_peer_that_is_odd_python_warns_nobody(literal: str, recwarn: pytest.WarningsRecorder) -> None:
    """On stderr, which is somebody's screen, the compiler warns of what was once valid."""
    opened = Opened()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        opened.frame(Record(Interface(252, "unix/dgram", "", True), 5, 9, bytes(9), False, (f"peer: {literal}",)))
    assert not recwarn.list


def test_frames_of_a_file_without_names_of_interfaces_have_peers() -> None:
    """tcpdump's files are such: who sent a frame stands in its header."""
    opened = Opened()
    head = bytes.fromhex("ffffffffffff 020000000001 0806")
    frame = opened.frame(Record(Interface(1), 5, 60, head + bytes(46), None, ()))
    assert opened.peers[frame.peer].address == ("?", 0x0806, 1, 1, bytes.fromhex("020000000001"))
    assert opened.peer_name(frame.peer) == "? ARP 02:00:00:00:00:01 broadcast"
    short = opened.frame(Record(Interface(1), 5, 60, head[:9], None, ()))
    assert (short.meta["socket"], short.peer) == ("packet/raw", 0)


@pytest.mark.parametrize(
    ("link_type", "sent", "received"),
    [
        (113, "0004 0001 0006 020000000001 0000 0800", "0001 0001 0006 020000000001 0000 0800"),
        (276, "0800 0000 00000002 0001 04 06 020000000001 0000", "0800 0000 00000002 0001 00 06 020000000001 0000"),
        (201, "00000000 01030c00", "00000001 040e0401030c00"),
        (254, "0000 0002 030c00", "0000 0003 0e0401030c00"),
    ],
)
@pytest.mark.parametrize("vectorised_from", [0, 1 << 60])
def test_a_header_that_says_which_way_a_frame_went_is_believed(
    tmp_path: Path, link_type: int, sent: str, received: str, vectorised_from: int
) -> None:
    """``tcpdump -i any`` and what captures Bluetooth tell it nowhere else."""
    made, told = pcapng.section("tcpdump", "") + pcapng.interface(link_type), []
    for number in range(300):
        data = bytes.fromhex(sent if number % 3 else received)
        made += pcapng.packet(0, number, (data,), len(data), None)
        told.append(bool(number % 3))
    # What is told beside the frame goes first.
    made += pcapng.packet(0, 300, (bytes.fromhex(sent),), 30, False)
    pcap = PCAP[:20] + struct.pack("<I", link_type)
    for number in range(300):
        data = bytes.fromhex(sent if number % 3 else received)
        pcap += struct.pack("<4I", 1, number, len(data), len(data)) + data
    for data, wanted in ((made, [*told, False]), (pcap, told)):
        (path := tmp_path / "capture").write_bytes(data)
        assert [each.outgoing for each in records(io.BytesIO(data).read)] == wanted
        session = FileSession(1, path, keeps_index=False, vectorised_from=vectorised_from)
        session.start()
        session.wait()
        assert [session.log.frame(number).outgoing for number in range(1, len(wanted) + 1)] == wanted
        predicate = filter_of("dir==out", session)
        assert predicate is not None
        _, found = session.sift(predicate).go_on(1, len(wanted) + 1, time.monotonic() + 60)
        assert list(found) == [number for number, out in enumerate(wanted, 1) if out]
        session.release()
        session.log.close()


@pytest.mark.parametrize(
    ("link_type", "header", "name", "socket"),
    [
        (113, "0000 0001 0006 020000000001 0000 0800", "? IP 02:00:00:00:00:01", "packet/dgram"),
        (276, "0800 0000 00000002 0001 00 06 020000000001 0000", "? IP 02:00:00:00:00:01", "packet/dgram"),
        (12, "", "", "inet/raw"),
        (0, "02000000", "", "inet/raw"),
        (108, "00000002", "", "inet/raw"),
        (14, "", "", "inet/raw"),
        # A tap has requests as well, which are not from the kernel.
        (253, "0004 0338 00000000000000000000 0000", "", "netlink/route"),
    ],
)
def test_what_a_capture_of_others_does_not_say_is_not_made_up(
    link_type: int, header: str, name: str, socket: str
) -> None:
    opened = Opened()
    payload = bytes.fromhex("4500001c000100004001 0000 7f000001 7f000001 0800f7fe00000001")
    data = bytes.fromhex(header) + payload
    frame = opened.frame(Record(Interface(link_type), 5, len(data), data))
    assert (frame.meta["socket"], opened.peer_name(frame.peer), frame.payload) == (socket, name, payload)


def test_what_was_cut_off_a_can_frame_is_not_made_up() -> None:
    opened = Opened()
    data = struct.pack(">IB3x8s", 0x123, 8, bytes(range(1, 9)))
    cut = opened.frame(Record(Interface(227), 5, 16, data[:10], None, ()))
    assert cut.payload == struct.pack("=IB3x2s", 0x123, 8, bytes((1, 2)))
    assert (cut.length, cut.flags & Flag.TRUNCATED) == (16, Flag.TRUNCATED)
    assert opened.summary(cut) == "123#0102…"
    assert opened.fields(cut)["can.id"][0].number == 0x123
    # Wireshark's own writers leave the padding out, and say so.
    whole = opened.frame(Record(Interface(227), 5, 10, struct.pack(">IB3x2s", 0x123, 2, bytes((1, 2))), None, ()))
    assert (len(whole.payload), opened.summary(whole)) == (16, "123#0102")


SECTION, ETHERNET = pcapng.section("x", "y"), pcapng.interface(1)
PCAP = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0, 1)


@pytest.mark.parametrize(
    ("data", "offset", "reason"),
    [
        (b"", 0, "nothing in it"),
        (b"hello world", 0, "68 65 6c 6c"),
        (b"\x1f\x8b\x08\x00", 0, "gzip -d"),
        (b"  vcan0  123   [4]  DE AD BE EF\n", 0, "candump -L or -l writes a log"),
        (b" (1.000000)  can0  RX - -  12345678  [12]  11 22\n", 0, "candump -L or -l"),
        (b"(000.000000)  can0  123   [0]  remote request\n", 0, "candump -L or -l"),
        (b"  can0  3E8 [1529] (11|81:7E:79DE2CF7) BE 0C\n", 0, "candump -L or -l"),
        (b"  can0  324A9C73   {B}  B7 F5 15 85 78 09 EB 02\n", 0, "candump -L or -l"),
        (b" \x1b[31m(1.000000)  can0\x1b[0m  123   [1]  11\n", 0, "candump -L or -l"),
        (b"\r\n# a comment\r\n  can0  123   [1]  11\r\n", 0, "candump -L or -l"),
        (b"#!/bin/sh\n\n# says it\necho hello\n", 0, "23 21 2f 62: neither"),
        (b"# 1\n" * 3000 + b"(1.000000) can0 123#00\n", 0, "23 20 31 0a: neither"),
        (b"# a comment\n(1.000000 can0 123#00\n(1.000000) can0 123#00\n", 0, "23 20 61 20: neither"),
        (b"\n\0\0\n(1.000000) can0 123#00\n", 0, "0a 00 00 0a: neither"),
        (b"***BUSMASTER Ver 3.2.2***\n***PROTOCOL CAN***\n", 0, "BUSMASTER: editcap -F pcapng FILE FILE.pcapng"),
        (b";$FILEVERSION=1.1\n;$STARTTIME=43007.58\n", 0, "python -m can.logconvert FILE.trc FILE.log"),
        (b"date Fri Jul 10 06:17:32 2015\nbase hex  timestamps absolute\n", 0, "asc2log < FILE > FILE.log"),
        (b"Time Stamp,ID,Extended,Dir,Bus,LEN,D1\r\n166,0000021A,false,Rx,0,1,FE,\r\n", 0, "Candump/Kayak"),
        (b'{"n": 1, "time": "2023-11-14T22:13:20.000000000Z"}\n', 0, "JSON lines"),
        (b"\xef\xbb\xbfTime Stamp,ID,Extended,Dir,Bus,LEN,D1\r\n", 0, "Candump/Kayak"),
        (codecs.BOM_UTF16_LE + "(1.0) can0 1#".encode("utf-16-le"), 0, "UTF-16: iconv -f UTF-16"),
        (b"date", 0, "64 61 74 65"),
        (b"\n\r\r\n" + bytes(40), 0, "order mark"),
        (SECTION + struct.pack("<II", 6, 0xFFFFFFFC) + bytes(50), len(SECTION), "length of 4294967292"),
        (SECTION + struct.pack("<II", 6, 8), len(SECTION), "length of 8"),
        (SECTION + struct.pack("<III", 99, 12, 16), len(SECTION), "ends with 10 00 00 00"),
        (SECTION + pcapng.packet(3, 0, (b"x",), 1, None), len(SECTION), "interface 3, of 0"),
        (SECTION + pcapng.block(3, struct.pack("<I", 4) + b"abcd"), len(SECTION), "before any interface"),
        (SECTION + ETHERNET + pcapng.block(6, struct.pack("<5I", 0, 0, 0, 500, 500)), None, "has room for 0"),
        (PCAP + struct.pack("<4I", 0, 0, 2**31, 9), 24, "2147483648"),
        (struct.pack("<IHHiIII", 0xA1B2C3D4, 7, 4, 0, 0, 0, 1), 0, "version 7"),
        (b"(1.000000) can0 123#00\n(1.000000) can0 123#0\n", 23, "no bytes"),
        (b"(1.000000) can0 123#00\nhello\n", 23, "no frame of candump"),
        (b"# a comment\n(1.000000) can0 123#00\n\n# another\n(1.000000) ca\n\n", 46, "no frame of candump"),
    ],
)  # fmt: skip
def test_the_error_names_the_byte_and_the_reason(data: bytes, offset: int | None, reason: str) -> None:
    with pytest.raises(CaptureError, match=reason) as caught:
        read(data)
    assert not isinstance(caught.value, Torn)
    assert offset is None or caught.value.offset == offset


def test_a_length_alone_takes_no_memory() -> None:
    data = SECTION + struct.pack("<II", 6, LONGEST)
    tracemalloc.start()
    try:
        with pytest.raises(Torn):
            read(data + bytes(1000))
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_big_endian_pcapng_with_clocks_of_its_own() -> None:
    def block(kind: int, body: bytes) -> bytes:
        return struct.pack(">II", kind, len(body) + 12) + body + struct.pack(">I", len(body) + 12)

    data = block(0x0A0D0D0A, struct.pack(">IHHq", 0x1A2B3C4D, 1, 0, -1))
    # 2**10 ticks a second, an hour behind.
    data += block(1, struct.pack(">HHIHHBxxxHHq", 1, 0, 0, 9, 1, 0x8A, 14, 8, 3600))
    data += block(6, struct.pack(">5I4sHHIHH4s", 0, 0, 1536, 4, 60, b"abcd", 2, 4, 2, 1, 4, b"note"))
    data += block(3, struct.pack(">I4s", 4, b"efgh"))
    first, second = read(data)
    assert (first.time, first.length, first.data) == (3601_500_000_000, 60, b"abcd")
    assert (first.outgoing, first.comments) == (True, ("note",))
    assert (second.data, second.outgoing) == (b"efgh", None)


@pytest.mark.skipif(shutil.which("editcap") is None, reason="editcap (of tshark) is not installed")
@pytest.mark.parametrize(("kind", "unit"), [("pcap", 1000), ("nsecpcap", 1), ("pcapng", 1)])
def test_what_wireshark_writes(tmp_path: Path, kind: str, unit: int) -> None:
    peer = ("eth0", 2048, 0, 1, bytes(6))
    frames = [
        (Origin("packet/raw"), peer, Frame(at, 10**18 + at * 1001, 20 + at, 1, 0, bytes([at] * (20 + at)), {}))
        for at in range(50)
    ]
    source, target = tmp_path / "a.pcapng", tmp_path / "b"
    source.write_bytes(written(frames))
    subprocess.run(["editcap", "-F", kind, source, target], check=True, capture_output=True, timeout=PATIENCE)
    found = read(target.read_bytes())
    assert [each.data for each in found] == [frame.payload for _, _, frame in frames]
    assert [each.time for each in found] == [frame.time // unit * unit for _, _, frame in frames]
    assert Opened().frame(found[0]).meta["socket"] == "packet/raw"


@pytest.mark.skipif(shutil.which("editcap") is None, reason="editcap (of tshark) is not installed")
@pytest.mark.parametrize("kind", [
    "modpcap", "snoop", "netmon1", "netmon2", "5views", "btsnoop", "ngsniffer", "ngwsniffer_1_1", "ngwsniffer_2_0",
    "visual", "lanalyzer",
])  # fmt: skip
def test_what_only_wireshark_reads_is_told_from_garbage_and_can_be_converted(tmp_path: Path, kind: str) -> None:
    source, target, again = tmp_path / "a.pcapng", tmp_path / "b", tmp_path / "c.pcapng"
    hci = kind == "btsnoop"
    origin = Origin("bluetooth/hci", 1, (0, 0)) if hci else Origin("packet/raw")
    payload = bytes.fromhex("01030c00") if hci else bytes(60)
    source.write_bytes(written([(origin, None, Frame(1, 10**18, len(payload), 0, 0, payload, {}))]))
    subprocess.run(["editcap", "-F", kind, source, target], check=True, capture_output=True, timeout=PATIENCE)
    with pytest.raises(CaptureError, match=r"of another kind, .*: editcap -F pcapng FILE FILE.pcapng converts it"):
        read(target.read_bytes())
    subprocess.run(["editcap", target, again], check=True, capture_output=True, timeout=PATIENCE)
    assert len(read(again.read_bytes())) == 1


def test_a_log_of_candump() -> None:
    lines = [
        "(1436509052.249713) vcan0 123#DEADBEEF", "(1436509052.249714) can1 12345678#R", "(1.000000) can1 7FF#R4 T",
        "(1.123456789) can0 123##1AABB R", "(2.000000) can0 20000004#0004000000000000",
        "(2.000000) can0 123#1122334455667788_B", "(2.000000) can0 123#R8_F T",
        "(2.000000) can0 45123#81:00:12345678#112233.44",
    ]  # fmt: skip
    found = read("".join(f"{line}\n" for line in lines).encode())
    opened = Opened()
    frames = [opened.frame(each) for each in found]
    assert [frame_text(each.payload) for each in frames[:-1]] == [line.split()[2] for line in lines[:4]] + [
        "00000004#0004000000000000",
        "123#1122334455667788_B",
        "123#R8_F",
    ]
    assert opened.summary(frames[-1]) == "45123#81:00:12345678#11223344"
    assert [each.time for each in frames[:1] + frames[3:4]] == [1436509052_249713000, 1_123456789]
    assert [each.outgoing for each in found] == [None, None, True, False, None, None, True, None]
    assert [rows.peer_literal(opened, each) for each in frames[:2]] == ["('vcan0',)", "('can1',)"]
    for wrong in ("123#01:00:12345678#11", "123#81:00:12345678#", "123#81:00:12345678#1", "123#81:00:1234#11"):
        with pytest.raises(CaptureError, match=r"at byte 0: .*(XL|bytes|candump)"):
            read(f"(1.000000) can0 {wrong}\n(1.000000) can0 123#0000\n".encode())


WHOLE = b"(1.000000) can0 123#0011\n"


@pytest.mark.parametrize("rest", [b"(1.000000) can0 123#0", b"(1.000000) ca", b"(", b"DROPCOUNT: dropped 1 CAN fr"])
def test_a_last_line_of_candump_that_is_not_whole_is_torn(rest: bytes) -> None:
    with pytest.raises(Torn) as caught:
        read(WHOLE + rest)
    assert caught.value.offset == len(WHOLE)


@pytest.mark.parametrize("last", [WHOLE.rstrip(), WHOLE.rstrip() + b" R", WHOLE.rstrip() + b"\r"])
def test_a_last_line_of_candump_without_its_end_is_a_frame_that_says_so(last: bytes) -> None:
    """Wireshark takes it as well; editors leave the end out, and a writer that was killed may have, amid a frame."""
    first, second = read(WHOLE + last)
    assert second.data == first.data
    assert [first.comments, second.comments] == [(), ("the line has no end: the frame may have been longer",)]
    with pytest.raises(Torn) as caught:
        list(candump.records(Window(io.BytesIO(WHOLE + last).read), {}, final=False))
    assert caught.value.offset == len(WHOLE)


@pytest.mark.parametrize(
    ("comment", "shown"), [("noté 再送", "noté 再送"), ("\x1b[31m\u202e\x9b", r"\u001b[31m\u202e\x9b")]
)
def test_people_read_a_comment_in_their_language(comment: str, shown: str) -> None:
    """And nothing in it acts on their terminal."""
    opened = Opened()
    frame = opened.frame(Record(Interface(1), 5, 1, b"x", comments=(comment,)))
    assert f'"{shown}"' in rows.as_text(opened, frame)


@pytest.mark.parametrize("text", [WHOLE, WHOLE.replace(b"\n", b"\r\n"), WHOLE * 2 + b"\xef\xbb\xbf" + WHOLE])
def test_a_log_of_candump_that_an_editor_saved(text: bytes) -> None:
    """With a byte order mark at its beginning, and, of files that were joined, amid it."""
    assert read(b"\xef\xbb\xbf" + text) == read(WHOLE) * text.count(b"#")


@pytest.mark.parametrize(
    "start",
    ["\n", "\r\n \t\n", "# the car\n", "  # the car\r\n\r\n#\r\n", "\ufeff", "\ufeff\r\n\ufeff# ä\n", "\n" * 8000],
)
@pytest.mark.parametrize("end", ["", "#", "# the end\n", "\r\n"])
def test_empty_lines_and_comments_of_a_log_of_candump_are_no_frames(start: str, end: str) -> None:
    data = start.encode() + WHOLE + b"# amid it\n\n" + WHOLE + end.encode()
    assert read(data) == read(WHOLE) * 2
    told = b"DROPCOUNT: dropped 1 CAN frame on 'can0' socket (total drops 1)\n"
    assert read(start.encode() + told + WHOLE) == read(WHOLE), "candump -d tells it ahead of a frame"


@pytest.mark.parametrize(
    ("text", "said", "field", "number"),
    [
        ("123#1122334455667788_F", "123#1122334455667788_F", "can.len8_dlc", 15),
        ("00000123#R8_b", "00000123#R8_B", "can.len8_dlc", 11),
        ("20000004#0004", "error: controller (receive warning)", "can.len", 2),
        ("20000040#", "error: bus off", "can.len", 0),
        ("3FFFFFFF#0000000000000000", None, "can.error", 0x1FFFFFFF),
        ("00123#81:03:12345678#DEADBEEF", "123#81:03:12345678#DEADBEEF", "can.vcid", 0),
        ("127FF#80:03:12345678#" + "00" * 2048, None, "can.vcid", 0x12),
    ],
)  # fmt: skip
def test_lines_of_candump_that_are_rare(text: str, said: str | None, field: str, number: int) -> None:
    """As snprintf_canframe() of can-utils writes them."""
    (record,) = read(f"(1.000000)  vcan0 {text}\r\n".encode())
    opened = Opened()
    frame = opened.frame(record)
    assert said in (None, opened.summary(frame))
    assert [each.number for each in opened.fields(frame)[field]] == [number]


@pytest.mark.parametrize(
    "text",
    ["123#11_F", "123#1122334455667788_8", "20000004#112", "20000004#" + "00" * 9, "20000004#R", "20000004##0",
     "123#01:03:12345678#00", "123#81:03:12345678#", "123#81:03:12345678#" + "00" * 2049, "923#81:03:12345678#00"],
)  # fmt: skip
def test_lines_that_candump_does_not_write_are_refused(text: str) -> None:
    with pytest.raises(CaptureError) as caught:
        read(f"(1.000000) vcan0 123#\n(1.000000) vcan0 {text}\n".encode())
    assert caught.value.offset == 22


def test_what_candump_says_it_dropped_is_counted() -> None:
    """As ``candump -d`` says it, of this and of older versions; the total is that of a socket, of 32 bits."""
    lines = (
        "(1.000000) can0 123#00",
        "DROPCOUNT: dropped 1 CAN frame on 'can0' socket (total drops 1)",
        "(1.000000) can0 123#00",
        "DROPCOUNT: dropped 7 CAN frames on 'can1,123:7FF' socket (total drops 7)",
        "DROPCOUNT: dropped 4 CAN frames on 'can0' socket (total drops 5)",
        "(1.000000) can1 123#00",
    )
    drops: Drops = {}
    data = "".join(f"{line}\n" for line in lines).encode()
    assert len(list(records(io.BytesIO(data).read, drops))) == 3
    assert sorted((each.name, count) for each, count in drops.values()) == [("can0", 5), ("can1", 7)]
    drops = {}
    list(records(io.BytesIO(data.replace(b"total drops 5", b"total drops -1")).read, drops))
    assert sum(count for _, count in drops.values()) == 2**32 - 1 + 7
