"""Recordings that mergecap put together, by the time of their frames, still tell what they told."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE

from sockexplorer.capture import pcapng
from sockexplorer.capture.copying import Copy
from sockexplorer.capture.link_types import ETHERNET, EXPORTED_PDU, NETLINK, Origin, wrap
from sockexplorer.capture.reading import Record, records
from sockexplorer.capture.sink import pieces
from sockexplorer.client.opened import Opened

FRAME = bytes.fromhex("ffffffffffff0200000000010800") + bytes(46)
GROUP = "peer: (0, 16)"
PARTS = {
    "unix/dgram": ("sockexplorer 1", EXPORTED_PDU, "unix/dgram", "unix/dgram /tmp/x", "peer: '/tmp/y'"),
    "packet/raw": ("sockexplorer 1", ETHERNET, "packet/raw", "lo", 'ancillary: {"vlan": {"id": 5}}'),
    "netlink/route": ("sockexplorer 1", NETLINK, "netlink/route", "it", GROUP),
    "others": ("dumpcap", ETHERNET, "eth0", "", GROUP),
    "remote": ("dumpcap", ETHERNET, "rpcap://host/eth0", "lo", GROUP),
}
"""Application, link type, name and description of the interface, and a comment on each frame."""


def part(name: str, first: int) -> bytes:
    """A capture of three frames, the others' among them in time."""
    who, link, interface, description, told = PARTS[name]
    made = pcapng.section(who, "Linux") + pcapng.interface(link, interface, description)
    for time in range(first, first + 30, 10):
        data = FRAME if link == ETHERNET else bytes(20)
        if link != ETHERNET:
            _, head, _ = wrap(Origin(interface), None, data, outgoing=False)
            data = head + data
        made += pcapng.packet(0, time, (data,), len(data), False, (told,))
    return made


def told(found: list[Record]) -> list[tuple[Any, ...]]:
    """What is shown of records."""
    opened = Opened()
    frames = [opened.frame(each) for each in found]
    return [(each.time, opened.peer_name(each.peer), each.payload, each.meta) for each in frames]


@pytest.mark.skipif(shutil.which("mergecap") is None, reason="mergecap (of tshark) is not installed")
@pytest.mark.parametrize("names", [("unix/dgram", "packet/raw", "netlink/route"), tuple(PARTS)], ids=["ours", "mixed"])
def test_what_is_merged_is_shown_and_copied_as_its_parts_are(tmp_path: Path, names: tuple[str, ...]) -> None:
    parts: list[tuple[Any, ...]] = []
    for number, name in enumerate(names):
        path = tmp_path / f"{number}.pcapng"
        path.write_bytes(part(name, number))
        parts += told(list(records(io.BytesIO(path.read_bytes()).read)))
    merged = tmp_path / "merged.pcapng"
    command = ["mergecap", "-w", merged, *(tmp_path / f"{number}.pcapng" for number in range(len(names)))]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
    found = list(records(io.BytesIO(merged.read_bytes()).read))
    assert told(found) == sorted(parts, key=lambda each: each[0])

    blocks: list[bytes] = []
    copy = Copy(lambda written: blocks.extend(pieces(written)))
    copy.begin({})
    for record in found:
        copy.add(record)
    copy.flush()
    again = b"".join(blocks)
    assert told(list(records(io.BytesIO(again).read))) == told(found)
    # It does not begin a section for each frame of another program's.
    assert again.count(bytes.fromhex("0a0d0d0a")) <= 2
