"""``convert``: what Wireshark keeps of a pcapng beside its frames is kept, and frames without a time stay so."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support import PATIENCE

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
Done = Callable[..., subprocess.CompletedProcess[str]]
FRAME = bytes.fromhex("ffffffffffff 020000000001 88b5") + bytes(range(46))
KEYS = b"CLIENT_RANDOM %064d %096d\n" % (1, 2)
NAMES, JOURNAL, SECRETS, CUSTOM, NOT_COPIED = 4, 9, 10, 0xBAD, 0x40000BAD


def shown(path: Path, *fields: str) -> list[list[str]]:
    """What tshark shows of every frame."""
    command = ["tshark", "-r", path, "-T", "fields", *(word for field in fields for word in ("-e", field))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3 * PATIENCE, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def block(order: str, kind: int, body: bytes) -> bytes:
    length = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", kind) + length + body + length


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def section(order: str) -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order: str, snaplen: int, *options: tuple[int, bytes]) -> bytes:
    told = b"".join(option(order, *each) for each in options)
    return block(order, 1, struct.pack(f"{order}HHI", 1, 0, snaplen) + told + bytes(4))


def frame(order: str, number: int = 0, dropped: int | None = None, *options: tuple[int, bytes]) -> bytes:
    if dropped is not None:
        options = (4, struct.pack(f"{order}Q", dropped)), *options
    told = b"".join(option(order, *each) for each in options) + (bytes(4) if options else b"")
    head = struct.pack(f"{order}5I", number, 391_000, 7, len(FRAME), len(FRAME))
    return block(order, 6, head + padded(FRAME) + told)


def simple(order: str, kept: int = len(FRAME)) -> bytes:
    return block(order, 3, struct.pack(f"{order}I", len(FRAME)) + padded(FRAME[:kept]))


def beside(order: str) -> dict[int, bytes]:
    """A block of each kind that is no frame, by its type."""
    names = option(order, 1, bytes((192, 0, 2, 7)) + b"seven.example\0") + option(
        order, 2, bytes(16) + b"six.example\0"
    )
    names += bytes(4) + option(order, 2, b"ns.example") + bytes(4)
    return {
        NAMES: names,
        SECRETS: struct.pack(f"{order}II", 0x544C534B, len(KEYS)) + padded(KEYS) + option(order, 1, b"note") + bytes(4),
        CUSTOM: struct.pack(f"{order}I", 32473) + b"anything",
        JOURNAL: padded(b"__REALTIME_TIMESTAMP=1\nMESSAGE=hello\n"),
    }


def blocks(path: Path) -> list[tuple[int, bytes]]:
    """Type and body of all blocks of a little-endian file, but the comments and names of the program in the first."""
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        found.append((kind, data[at + 8 : at + (size - 4 if kind != 0x0A0D0D0A else 24)]))
        at += size
    return found


@pytest.mark.parametrize("order", "<>")
def test_blocks_beside_the_frames_stay_where_they_are(done: Done, tmp_path: Path, order: str) -> None:
    path, copy = tmp_path / "a.pcapng", tmp_path / "b.pcapng"
    made, wanted = beside(order), beside("<")
    data = section(order) + block(order, SECRETS, made[SECRETS]) + interface(order, 0) + frame(order)
    data += b"".join(block(order, kind, made[kind]) for kind in (NAMES, JOURNAL, CUSTOM)) + frame(order)
    path.write_bytes(data + block(order, NOT_COPIED, made[CUSTOM]) + block(order, NAMES, made[NAMES]))
    assert done("convert", str(path), str(copy)).returncode == 0
    found = [(kind, body) for kind, body in blocks(copy) if kind not in (0x0A0D0D0A, 1, 5)]
    kinds = (SECRETS, 6, NAMES, JOURNAL, CUSTOM, 6, NAMES)
    assert [kind for kind, _ in found] == list(kinds)
    assert [body for kind, body in found if kind != 6] == [wanted[kind] for kind in kinds if kind != 6]
    # Wireshark reads the same in both.
    info = [[each for each in shown(one, "_ws.col.Info") if "not be copied" not in each[0]] for one in (path, copy)]
    assert info[0] == info[1]
    assert len(info[0]) == 4
    assert hosts(copy) == hosts(path)
    assert secrets(copy) == secrets(path) == "1"
    assert {"seven.example", "six.example"} < set(hosts(copy))


def secrets(path: Path) -> str:
    """How many of them capinfos finds."""
    done = subprocess.run(["capinfos", "-A", path], capture_output=True, text=True, timeout=PATIENCE, check=True)
    return done.stdout.partition("decryption secrets in file:")[2].split()[0]


def hosts(path: Path) -> list[str]:
    """The names that tshark knows, and the addresses."""
    command = ["tshark", "-q", "-z", "hosts", "-r", path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    return [word for line in done.stdout.splitlines() if not line.startswith("#") for word in line.split()]


@pytest.mark.parametrize("order", "<>")
def test_options_of_an_interface_are_as_they_were(done: Done, tmp_path: Path, order: str) -> None:
    path, copy = tmp_path / "a.pcapng", tmp_path / "b.pcapng"
    number, whose = struct.pack(f"{order}Q", 10**9), struct.pack(f"{order}I", 32473)
    told = [
        (2, b"eth0"), (3, b"the first"), (4, bytes((192, 0, 2, 1, 255, 255, 255, 0))), (5, bytes(15) + b"\1\x40"),
        (6, bytes(range(6))), (7, bytes(range(8))), (8, number), (10, struct.pack(f"{order}I", 3600)),
        (11, b"\0udp port 53"), (12, b"an OS"), (15, b"a card"), (16, number), (17, number),
        (2988, whose + b"of somebody"), (19372, whose + b"not this"),
        (60000, b"unknown"),
    ]  # fmt: skip
    path.write_bytes(section(order) + interface(order, 4096, *told) + frame(order))
    assert done("convert", str(path), str(copy)).returncode == 0
    body = dict(blocks(copy))[1]
    found, at = {}, 8
    while at < len(body):
        code, size = struct.unpack_from("<HH", body, at)
        found[code] = body[at + 4 : at + 4 + size]
        at += 4 + size + -size % 4
    turned = (8, 10, 16, 17)
    wanted = {code: value[::-1] if code in turned and order == ">" else value for code, value in told if code != 19372}
    wanted[2988] = struct.pack("<I", 32473) + b"of somebody"
    assert found == wanted | {0: b"", 9: b"\x09"}
    assert struct.unpack_from("<I", body, 4) == (4096,)
    lines = [
        [line for line in told_by_capinfos(each) if "Time" not in line and "stat" not in line] for each in (path, copy)
    ]
    assert lines[0] == lines[1]


def told_of_a_frame(order: str) -> list[tuple[int, bytes]]:
    """An option of each kind that a copy keeps."""
    number, whose = struct.pack(f"{order}Q", 2), struct.pack(f"{order}I", 32473)
    return [
        (3, b"\2\1\2\3\4"), (5, struct.pack(f"{order}Q", 77)), (6, struct.pack(f"{order}I", 3)), (7, b"\0bits of it"),
        (7, b"\1" + number), (7, b"\2" + number), (2988, whose + b"of somebody"), (2989, whose + b"\0\1"),
        (60000, b"unknown"),
    ]  # fmt: skip


@pytest.mark.parametrize("order", "<>")
def test_options_of_a_frame_are_as_they_were(done: Done, tmp_path: Path, order: str) -> None:
    path, copy = tmp_path / "a.pcapng", tmp_path / "b.pcapng"
    not_copied = 19372, struct.pack(f"{order}I", 32473) + b"not this"
    told = *told_of_a_frame(order), not_copied
    path.write_bytes(section(order) + interface(order, 0) + frame(order, 0, None, *told) + frame(order))
    assert done("convert", str(path), str(copy)).returncode == 0
    first, second = (body[20 + len(padded(FRAME)) :] for kind, body in blocks(copy) if kind == 6)
    assert first == b"".join(option("<", *each) for each in told_of_a_frame("<")) + bytes(4)
    assert second == b""
    fields = ("frame.packet_id", "frame.interface_queue", "frame.verdict.hw", "frame.verdict.ebpf_tc")
    found = shown(path, *fields)
    assert shown(copy, *fields) == found
    assert [found[0][at] for at in (0, 1, 3)] == ["77", "3", "2"]


def told_by_capinfos(path: Path) -> list[str]:
    done = subprocess.run(["capinfos", "-I", path], capture_output=True, text=True, timeout=PATIENCE, check=True)
    return done.stdout.partition("Interface #0 info:")[2].splitlines()


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("snaplen", [0, 30, 4096])
def test_frames_without_a_time_have_none(done: Done, tmp_path: Path, order: str, snaplen: int) -> None:
    path, copy = tmp_path / "a.pcapng", tmp_path / "b.pcapng"
    kept = min(snaplen or len(FRAME), len(FRAME))
    data = section(order) + interface(order, snaplen) + interface(order, 0)
    # The one that comes first has another number in a copy.
    path.write_bytes(data + frame(order, 1) + simple(order, kept) + frame(order) + simple(order, kept))
    assert done("convert", str(path), str(copy)).returncode == 0
    fields = ("frame.time_epoch", "frame.len", "frame.cap_len", "eth.src")
    wanted = shown(path, *fields)
    assert [bool(each[0]) for each in wanted] == [True, False, True, False]
    assert shown(copy, *fields) == wanted
    for each in (path, copy):
        lines = done("open", str(each), "--json").stdout.splitlines()
        assert [json.loads(line)["time"] is None for line in lines] == [False, True, False, True]
        text = done("open", str(each), "--format", "text").stdout.splitlines()
        assert [line.split()[0] == "-" for line in text] == [False, True, False, True]
        assert len({line.index("←") for line in text}) == 1


@pytest.mark.parametrize("expression", ["time>=1970-01-01T00:00", "time<2200-01-01", "time!=00:00", "time>=00:00"])
def test_frames_without_a_time_pass_no_filter_by_time(done: Done, tmp_path: Path, expression: str) -> None:
    path = tmp_path / "a.pcapng"
    path.write_bytes(section("<") + interface("<", 0) + frame("<") + simple("<") + frame("<") + simple("<"))
    found = done("open", str(path), "--json", "--filter", expression).stdout.splitlines()
    assert [json.loads(line)["n"] for line in found] == [1, 3]


@pytest.mark.parametrize("order", "<>")
def test_how_many_were_lost_ahead_of_a_frame_is_told_with_it(done: Done, tmp_path: Path, order: str) -> None:
    path = tmp_path / "a.pcapng"
    path.write_bytes(section(order) + interface(order, 0) + frame(order) + frame(order, 0, 3) + frame(order, 0, 0))
    assert [each for (each,) in shown(path, "frame.drop_count")] == ["", "3", "0"]
    told = [json.loads(line)["ancillary"] for line in done("open", str(path), "--json").stdout.splitlines()]
    assert told == [None, {"dropped_before": 3}, None]
    found = done("open", str(path), "--json", "--filter", "anc.dropped_before>2").stdout.splitlines()
    assert [json.loads(line)["n"] for line in found] == [2]
