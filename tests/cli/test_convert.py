"""``convert``: what Wireshark shows of a copy is what it shows of the capture that it was made of."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support import PATIENCE

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
Done = Callable[..., subprocess.CompletedProcess[str]]
FRAME = bytes.fromhex("ffffffffffff 020000000001 88b5") + bytes(range(46))
FRAME += struct.pack("<I", zlib.crc32(FRAME))


def shown(path: Path, *fields: str) -> list[list[str]]:
    """What tshark shows of every frame."""
    command = ["tshark", "-r", path, "-o", "eth.check_fcs:TRUE", "-T", "fields"]
    command += [word for field in fields for word in ("-e", field)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3 * PATIENCE, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def pcap(order: str, bits: int) -> bytes:
    """A capture of Ethernet, with bits beside the link type."""
    head = struct.pack(f"{order}IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, bits | 1)
    return head + struct.pack(f"{order}4I", 1, 2, len(FRAME), len(FRAME)) + FRAME


def block(order: str, kind: int, body: bytes) -> bytes:
    length = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", kind) + length + body + length


def pcapng(order: str, fcs: int | None, flags: int | None) -> bytes:
    """The same with IF_FCSLEN and EPB_FLAGS."""
    data = block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))
    told = b"" if fcs is None else struct.pack(f"{order}HHB3xI", 13, 1, fcs, 0)
    data += block(order, 1, struct.pack(f"{order}HHI", 1, 0, 0) + told)
    told = b"" if flags is None else struct.pack(f"{order}HHII", 2, 4, flags, 0)
    return data + block(order, 6, struct.pack(f"{order}5I", 0, 0, 7, len(FRAME), len(FRAME)) + FRAME + told)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    ("made", "bytes_"),
    [
        (lambda order: pcap(order, 0), 0),
        (lambda order: pcap(order, 1 << 26), 0),
        (lambda order: pcap(order, 1 << 26 | 2 << 28), 4),
        (lambda order: pcap(order, 1 << 26 | 1 << 28), 2),
        (lambda order: pcapng(order, 32, None), 4),
        (lambda order: pcapng(order, 4, 1), 4),
        (lambda order: pcapng(order, 0, 2), 0),
        (lambda order: pcapng(order, None, 4 << 5), 4),
        (lambda order: pcapng(order, 32, 2 << 5 | 1), 2),
        (lambda order: pcapng(order, 32, 1 << 24 | 1 << 29 | 3 << 2 | 1), 4),
    ],
)
def test_check_sequences_and_errors_are_those_of_the_capture(
    done: Done, tmp_path: Path, order: str, made: Callable[[str], bytes], bytes_: int
) -> None:
    path, copy = tmp_path / "a", tmp_path / "b.pcapng"
    path.write_bytes(made(order))
    assert done("convert", str(path), str(copy)).returncode == 0
    fields = ("eth.fcs", "eth.fcs.status", "eth.trailer", "data.data", "frame.packet_flags", "frame.time_epoch")
    wanted = shown(path, *fields)
    assert len(bytes.fromhex(wanted[0][3])) == 50 - bytes_
    assert shown(copy, *fields) == wanted


@pytest.mark.parametrize("order", "<>")
def test_what_was_lost_ahead_of_a_frame_is_counted_and_told_alike(done: Done, tmp_path: Path, order: str) -> None:
    path, copy = tmp_path / "a.pcapng", tmp_path / "b.pcapng"
    data, size = pcapng(order, None, None), len(FRAME)
    for count in (3, 0, 2**40):
        lost = struct.pack(f"{order}HHQI", 4, 8, count, 0)
        data += block(order, 6, struct.pack(f"{order}5I", 0, 0, 8, size, size) + FRAME + lost)
    # The last has no count.
    for count in (4, 0, 0xFFFF):
        data += block(order, 2, struct.pack(f"{order}HH4I", 0, count, 0, 9, size, size) + FRAME)
    path.write_bytes(data)
    assert done("convert", str(path), str(copy)).returncode == 0
    wanted = [[""], ["3"], ["0"], [str(2**40)], ["4"], ["0"], [""]]
    assert shown(copy, "frame.drop_count") == shown(path, "frame.drop_count") == wanted
    for each in (path, copy):
        assert done("open", str(each)).stderr == f"7 frames; {2**40 + 7} were dropped when it was captured\n"
    # What an interface tells of itself are the same frames, and more.
    path.write_bytes(data + block(order, 5, struct.pack(f"{order}3IHHQI", 0, 0, 0, 5, 8, 2**41, 0)))
    assert done("convert", str(path), str(copy), "--overwrite").returncode == 0
    assert done("open", str(copy)).stderr == f"7 frames; {2**41} were dropped when it was captured\n"


def clocks(order: str) -> bytes:
    """Frames of interfaces with clocks of their own, cut, and of a section behind."""
    resolutions = ((3, None), (6, None), (9, None), (0x80 | 10, None), (6, 3600), (9, -100), (None, None), (0, None))
    data = block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))
    for resolution, offset in resolutions:
        told = b"" if resolution is None else struct.pack(f"{order}HHB3x", 9, 1, resolution)
        told += b"" if offset is None else struct.pack(f"{order}HHq", 14, 8, offset)
        data += block(order, 1, struct.pack(f"{order}HHI", 1, 0, 0) + told)
    for number, (resolution, _) in enumerate(resolutions):
        unit = 2**10 if resolution == 0x80 | 10 else 10 ** (6 if resolution is None else resolution)
        ticks, kept = 1_700_000_000 * unit + 123_456_789 % unit, 60 - 4 * number
        told = struct.pack(f"{order}HH4sI", 1, 4, b"c%3d" % number, 0) * (number % 2)
        head = struct.pack(f"{order}5I", number, ticks >> 32, ticks & 0xFFFFFFFF, kept, 64)
        data += block(order, 6, head + FRAME[:kept] + told)
    return data + pcapng(order, None, 2)


@pytest.mark.parametrize("order", "<>")
def test_times_lengths_and_comments_are_those_that_wireshark_reads(done: Done, tmp_path: Path, order: str) -> None:
    path, copy = tmp_path / "a.pcapng", tmp_path / "b.pcapng"
    path.write_bytes(clocks(order))
    assert done("convert", str(path), str(copy)).returncode == 0
    fields = ("frame.time_epoch", "frame.len", "frame.cap_len", "frame.comment")
    wanted = shown(path, *fields)
    assert len({row[0].partition(".")[2] for row in wanted}) > 5
    assert shown(copy, *fields) == wanted
    found = [json.loads(line) for line in done("open", str(path), "--json").stdout.splitlines()]
    for row, (time, length, kept, comment) in zip(found, wanted, strict=True):
        seconds, fraction = time.split(".")
        said = datetime.fromtimestamp(int(seconds), UTC).strftime("%FT%T")
        assert row["time"] == f"{said}.{fraction}Z"
        assert (row["length"], len(row["payload"]) // 2) == (int(length), int(kept))
        assert (row["ancillary"] or {"comments": [""]})["comments"] == [comment]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("minor", "lengths"), [(3, (99, 60)), (3, (60, 99)), (2, (99, 60)), (4, (60, 99))])
def test_old_pcap_may_have_its_lengths_the_other_way_round(
    done: Done, tmp_path: Path, order: str, minor: int, lengths: tuple[int, int]
) -> None:
    path, copy = tmp_path / "a.pcap", tmp_path / "b.pcapng"
    frame = struct.pack(f"{order}4I", 1, 2, *lengths) + FRAME[:60]
    path.write_bytes(struct.pack(f"{order}IHHiIII", 0xA1B2C3D4, 2, minor, 0, 0, 65535, 1) + frame * 2)
    assert done("convert", str(path), str(copy)).returncode == 0
    fields = ("frame.len", "frame.cap_len", "eth.src", "data.data")
    assert [row[:2] for row in shown(path, *fields)] == [["99", "60"]] * 2
    assert shown(copy, *fields) == shown(path, *fields)


def test_more_lost_frames_than_can_be_told_of_are_as_many_as_can_be(done: Done, tmp_path: Path) -> None:
    path, copy = tmp_path / "a.pcapng", tmp_path / "b.pcapng"
    told = block("<", 5, struct.pack("<3IHHQI", 0, 0, 0, 5, 8, 2**64 - 1, 0))
    path.write_bytes(2 * (pcapng("<", None, None) + told))
    assert done("convert", str(path), str(copy)).stderr == ""
    assert done("open", str(copy)).stderr == f"2 frames; {2**64 - 1} were dropped when it was captured\n"
