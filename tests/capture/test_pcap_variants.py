"""Variants of pcap are told from pcap as Wireshark tells them, and never taken for a damaged one."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from support import PATIENCE
from verbs import COMMAND

from sockexplorer.capture import pcapng
from sockexplorer.capture.index import Index
from sockexplorer.capture.link_types import ETHERNET
from sockexplorer.capture.pcap_variants import refusal
from sockexplorer.capture.reading import CaptureError, Torn, Window, kind_of, records

wireshark = pytest.mark.skipif(shutil.which("editcap") is None, reason="editcap (of tshark) is not installed")
FRAMES = {
    "zeros": bytes(60),
    "arp": bytes.fromhex("ffffffffffff 020000000001 0806 0001 0800 0604 0001") + bytes(28),
    "long": bytes.fromhex("525400123456 525400abcdef 0800 45") + bytes(range(256)) * 5,
}
NAMES = {"nokiapcap": "the pcap of Nokia's", "rh6_1pcap": "the pcap of Red Hat 6.1"}


def tool(*command: object) -> str:
    done = subprocess.run([*map(str, command)], check=True, capture_output=True, timeout=PATIENCE, text=True)
    return done.stdout


def kind_for_wireshark(path: Path) -> str:
    return tool("capinfos", "-t", path).partition("File type:")[2].strip()


def pcap(order: str, *parts: bytes, version: tuple[int, int] = (2, 4), link: int = 1) -> bytes:
    return struct.pack(f"{order}IHHIIII", 0xA1B2C3D4, *version, 0, 0, 262144, link) + b"".join(parts)


def record(order: str, frame: bytes, more: bytes = b"", second: int = 1_700_000_000) -> bytes:
    return struct.pack(f"{order}4I", second, 1234, len(frame), len(frame)) + more + frame


@wireshark
@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("count", [1, 2, 3, 40])
def test_what_editcap_writes_is_refused_by_name(tmp_path: Path, kind: str, frame: str, count: int) -> None:
    source, target, again = tmp_path / "a.pcapng", tmp_path / "b", tmp_path / "c.pcapng"
    data = FRAMES[frame]
    packets = [pcapng.packet(0, 1_700_000_000_123_456_789, (data,), len(data), None)] * count
    source.write_bytes(pcapng.section("x", "") + pcapng.interface(ETHERNET) + b"".join(packets))
    tool("editcap", "-F", kind, source, target)
    written = target.read_bytes()
    with pytest.raises(CaptureError, match=rf"{NAMES[kind]}.*: editcap -F pcapng FILE FILE.pcapng") as caught:
        kind_of(Window(io.BytesIO(written).read))
    assert (caught.value.offset, type(caught.value)) == (0, CaptureError)
    with pytest.raises(CaptureError, match=NAMES[kind]):
        Index(target)
    if count == 2:
        repaired = subprocess.run(
            [*COMMAND, "open", target, "--repair"], capture_output=True, timeout=PATIENCE, text=True, check=False
        )
        assert (repaired.returncode, repaired.stdout, target.read_bytes()) == (1, "", written)
        assert NAMES[kind] in repaired.stderr
    tool("editcap", "-F", "pcapng", target, again)
    assert [each.data for each in records(io.BytesIO(again.read_bytes()).read)] == [data] * count


@wireshark
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    ("name", "more"), [("Nokia", b"\x9f\xbf\xb6\x01"), ("RedHat", struct.pack(">IHBx", 2, 0x800, 4))]
)  # fmt: skip
def test_either_byte_order(tmp_path: Path, order: str, name: str, more: bytes) -> None:
    if order == "<":
        more = more[::-1] if len(more) == 4 else struct.pack("<IHBx", 2, 0x800, 4)
    (path := tmp_path / "a").write_bytes(pcap(order, *[record(order, FRAMES["arp"], more)] * 5))
    assert name in kind_for_wireshark(path)
    with pytest.raises(CaptureError, match=name.replace("RedHat", "Red Hat")):
        Index(path)


@pytest.mark.parametrize("count", [2, 3, 9])
@pytest.mark.parametrize(("name", "more"), [("Nokia", b"\x01\xb6\xbf\x9f"), ("Nokia", bytes(4)), ("RedHat", bytes(8))])
def test_one_that_keeps_more_than_it_says(tmp_path: Path, name: str, more: bytes, count: int) -> None:
    """As its writers do as well as those of pcap: it is another's, and whole, and nobody cuts it."""
    made = bytearray(pcap("<", *[record("<", FRAMES["long"], more)] * count))
    made[16:20] = struct.pack("<I", 96)
    (path := tmp_path / "a").write_bytes(made)
    with pytest.raises(CaptureError, match=name.replace("RedHat", "Red Hat")):
        Index(path)


@wireshark
@pytest.mark.parametrize(("link", "name"), [(6, "AIX"), (9, "AIX"), (15, "AIX"), (24, "AIX"), (1, "Wireshark/tcpdump")])
def test_that_of_aix(tmp_path: Path, link: int, name: str) -> None:
    (path := tmp_path / "a").write_bytes(pcap(">", record(">", FRAMES["arp"]), version=(2, 2), link=link))
    assert kind_for_wireshark(path).startswith(name)
    data = path.read_bytes()
    assert ("AIX" in refusal(lambda at, size: data[at : at + size])) == (name == "AIX")


@wireshark
@pytest.mark.parametrize("magic", [0x1C0001AC, 0x1C0001AB])
@pytest.mark.parametrize("order", "<>")
def test_that_of_ixia(tmp_path: Path, magic: int, order: str) -> None:
    body = pcap(order)[4:] + bytes(4) + record(order, FRAMES["arp"])
    (path := tmp_path / "a").write_bytes(struct.pack(f"{order}I", magic) + body)
    assert tool("tshark", "-r", path, "-T", "fields", "-e", "frame.len") == f"{len(FRAMES['arp'])}\n"
    with pytest.raises(CaptureError, match="Ixia lcap"):
        Index(path)


@pytest.mark.parametrize("frame", FRAMES)
def test_pcap_that_is_cut_anywhere_is_torn_pcap(frame: str) -> None:
    data = pcap("<", *[record("<", FRAMES[frame])] * 2)
    one = len(pcap("<", record("<", FRAMES[frame])))
    for size in range(25, len(data)):
        if frame == "zeros" and size in (one + 4, one + 8):
            # It may be either: Wireshark takes it for the whole of the other, and so nobody cuts it.
            continue
        found = records(io.BytesIO(data[:size]).read)
        if size == one:
            assert len(list(found)) == 1
        else:
            with pytest.raises(Torn):
                list(found)


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("count", [1, 2, 3, 9])
@pytest.mark.parametrize("quirk", ["nanoseconds", "more than the snaplen", "no snaplen", "no time"])
def test_pcap_with_the_faults_of_its_writer_is_pcap(frame: str, count: int, quirk: str) -> None:
    data, second = FRAMES[frame], 0 if quirk == "no time" else 1_700_000_000
    fraction = 999_999_999 if quirk == "nanoseconds" else 5
    head = struct.pack("<4I", second, fraction, len(data), len(data))
    made = bytearray(pcap("<", *[head + data] * count))
    if "snaplen" in quirk:
        made[16:20] = struct.pack("<I", 0 if quirk == "no snaplen" else 20)
    assert refusal(lambda at, size: bytes(made[at : at + size])) == ""
    assert [each.data for each in records(io.BytesIO(made).read)] == [data] * count


def test_a_file_that_had_too_little_to_tell_is_not_torn_later(tmp_path: Path) -> None:
    (path := tmp_path / "a").write_bytes(pcap("<"))
    index = Index(path, 0)
    try:
        for more in (b"", record("<", FRAMES["arp"], bytes(4)), record("<", FRAMES["arp"], bytes(4))[:40]):
            with path.open("ab") as file:
                file.write(more)
            index.grow()
            for _ in index.steps():
                pass
        assert type(index.error) is CaptureError
        assert "Nokia" in index.error.reason
    finally:
        index.close()


@pytest.mark.parametrize("more", [bytes(4), bytes(8)])
def test_of_a_live_stream_it_is_told_where_enough_came_at_once(more: bytes) -> None:
    for count in range(2, 5):
        pieces = [pcap("<", *[record("<", FRAMES["arp"], more)] * count), b""]
        with pytest.raises(CaptureError, match=r"further bytes a record: editcap"):
            next(records(lambda size: pieces.pop(0), live=True))  # noqa: B023


@pytest.mark.parametrize("frame", FRAMES)
def test_what_came_of_a_live_stream_may_end_anywhere(frame: str) -> None:
    data = pcap("<", *[record("<", FRAMES[frame])] * 4)
    for size in range(1, len(data)):
        pieces = [data[:size], data[size:], b""]
        assert [each.data for each in records(lambda size: pieces.pop(0), live=True)] == [FRAMES[frame]] * 4  # noqa: B023


def test_of_a_live_stream_no_more_is_waited_for_than_is_shown() -> None:
    pieces = [pcap("<"), record("<", FRAMES["arp"])]
    found = records(lambda size: pieces.pop(0), live=True)
    assert next(found).data == FRAMES["arp"]
    assert pieces == []
