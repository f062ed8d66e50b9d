"""What the kernel gives of every family, recorded: tshark reads it as what it is, and it opens again frame by frame."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE, Desk, rows, wait

from sockexplorer.capture.reading import records
from sockexplorer.capture.sink import FileSink
from sockexplorer.client.demonstration import Demonstration
from sockexplorer.client.opened import Opened
from sockexplorer.client.recorder import Recorder
from sockexplorer.core.frames import Flag
from sockexplorer.families import all_families, find

DEMOS = [f"{each.name}/{name}" for each in all_families() for name in each.demos]
CHAINS = {"can/raw": "can", "netlink": "netlink", "vsock": "vsock", "packet/raw": "eth", "packet/dgram": "sll",
          "bluetooth/hci": "bluetooth:hci_h4"}  # fmt: skip
"""How frame.protocols begins for those with a link type of their own; it is exported_pdu for all others."""
SLOW = 6 * PATIENCE
"""Seconds that tshark may take to start in the lab's kernel."""


def tshark(path: Path, *fields: str) -> list[dict[str, str]]:
    """The fields of every frame, as tshark prints them."""
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    command = ["tshark", "-r", str(path), "-T", "fields", "-E", "occurrence=f"]
    command += [word for each in fields for word in ("-e", each)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SLOW, check=False)
    assert done.returncode == 0, done.stderr
    return [dict(zip(fields, line.split("\t"), strict=True)) for line in done.stdout.splitlines()]


@pytest.mark.usefixtures("ping_allowed")
def test_every_demonstration_in_one_file(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "all.pcapng"
    sink = FileSink(path)
    recorder = Recorder(sink)
    expected: list[tuple[str, str | None, Any]] = []
    for name in DEMOS:
        family, protocol = find(name)
        played = Demonstration(desk.hub, family, protocol, family.demos[protocol.name])

        def over(played: Demonstration = played) -> bool:
            played.step()
            return played.over

        desk.until(over, f"the end of {name}")
        assert played.problem is None, (name, played.problem)
        for session in played.sessions:
            for frame in rows(session):
                recorder.add(session, frame)
                if not frame.event:
                    peer = session.peers.get(frame.peer)
                    literal = peer.literal if peer else frame.meta.get("peer")
                    shown = f"{session.family.name}/{session.protocol.name}"
                    expected.append((shown, None if literal == "None" else literal, frame))
            recorder.flush(session, last=True)
            desk.close(session)
    sink.close()

    opened = Opened()
    with path.open("rb") as file:
        found = [opened.frame(each) for each in records(file.read)]
    assert len(found) == len(expected) > len(DEMOS)
    seen = tshark(path, "frame.protocols", "frame.len", "exported_pdu.col_proto_str", "_ws.malformed")
    assert len(seen) == len(expected)
    for back, (name, literal, frame), row in zip(found, expected, seen, strict=True):
        assert (back.meta["socket"], back.time, back.outgoing) == (name, frame.time, frame.outgoing)
        assert (back.payload, back.length) == (frame.payload, max(frame.length, len(frame.payload))), name
        if literal is not None:
            told = opened.peers.get(back.peer)
            assert (told.literal if told else None) == literal, name
        assert back.flags & Flag.OWN == frame.flags & Flag.OWN
        chain = next((CHAINS[each] for each in (name, name.partition("/")[0]) if each in CHAINS), "exported_pdu")
        if name.endswith("/raw") and name.startswith("inet/") and not frame.outgoing:
            chain = "raw:ip"
        assert row["frame.protocols"].startswith(chain), (name, row)
        if chain == "exported_pdu":
            assert row["exported_pdu.col_proto_str"] == name


def test_a_log_of_candump_and_our_own_of_the_same_bus(run: Callable[..., Any], done: Any, tmp_path: Path) -> None:
    path = tmp_path / "bus.pcapng"
    sent = ["123#DEADBEEF", "12345678#", "7FF#R4", "123##1" + "AB" * 12]
    listeners = Path("/proc/net/can/rcvlist_all")
    others = listeners.read_text().count(" raw")
    watch = run("watch", "can/raw", "--bind", "vcan0", "--write", str(path), "--count", "4", "--json")
    candump = run("-L", "-n", "4", "vcan0", tool="candump")
    wait(lambda: listeners.read_text().count(" raw") == others + 2, "both to listen")
    for each in sent:
        subprocess.run(["cansend", "vcan0", each], check=True, timeout=PATIENCE)
    assert watch.end() == 0
    assert candump.end() == 0
    log = tmp_path / "bus.log"
    log.write_text("".join(f"{line}\n" for line in candump.out))
    theirs = [json.loads(line) for line in done("open", str(log), "--json").stdout.splitlines()]
    ours = [json.loads(line) for line in done("open", str(path), "--json").stdout.splitlines()]
    assert {(row["socket"], row["peer"]) for row in theirs + ours} == {("can/raw", "('vcan0',)")}
    assert [row["payload"] for row in ours] == [json.loads(line)["payload"] for line in watch.out]
    assert [row["payload"] for row in theirs] == [row["payload"] for row in ours]
