"""AF_CAN with can-utils at the other end: programs that share no line with this one read and write the same."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE, Desk, wait

from sockexplorer.core.canframes import read_frame
from sockexplorer.core.endpoint import SetOption

BUS = "vcan0"
FRAMES = [
    "123#DEADBEEF",
    "7FF#",
    "123#R",
    "123#R4",
    "12345678#1122334455667788",
    "123##1AABB",
    "00000001##0" + "5A" * 64,
]
FD_FRAMES = SetOption("SOL_CAN_RAW", "CAN_RAW_FD_FRAMES", 1)
BROADCAST = SetOption("SOL_SOCKET", "SO_BROADCAST", 1)
PROMISCUOUS = SetOption("SOL_CAN_J1939", "SO_J1939_PROMISC", 1)
pytestmark = pytest.mark.optional_on_this_host(reason="needs can-utils")

Run = Callable[..., Any]


def receivers(interface: str) -> str:
    """Who receives from an interface by now: the kernel's lists of filters."""
    return "".join(each.read_text() for each in Path("/proc/net/can").glob("rcvlist_*"))


def test_cansend_writes_what_is_shown(desk: Desk, run: Run) -> None:
    session = desk.open("can/raw", local=(BUS,), options=(FD_FRAMES,))
    for each in FRAMES:
        assert run(BUS, each, tool="cansend").end() == 0
    assert [session.summary(each) for each in desk.incoming(session, len(FRAMES))] == FRAMES


def test_candump_reads_what_was_written(desk: Desk, run: Run) -> None:
    session = desk.open("can/raw", local=(BUS,), options=(FD_FRAMES,))
    before = receivers(BUS)
    dump = run("-L", "-n", str(len(FRAMES)), BUS, tool="candump")
    wait(lambda: receivers(BUS) != before, "candump's filter")
    for each in FRAMES:
        desk.send(session, read_frame(each))
    assert dump.end() == 0
    read = [re.fullmatch(rf"\([\d.]+\) {BUS} (\S+?)(?: [TR])?", line)[1] for line in dump.out]  # type: ignore[index]
    # Later versions of can-utils leave out the flag that the kernel adds to frames of CAN FD.
    assert [re.sub(r"##([0-9A-F])", lambda flags: f"##{int(flags[1], 16) & 11:X}", each) for each in read] == FRAMES


def test_isotpsend_and_isotprecv(desk: Desk, run: Run) -> None:
    session = desk.open("can/isotp", local=(BUS, 0x7E0, 0x7E8))
    message = bytes(range(200))
    send = run("-s", "7E0", "-d", "7E8", BUS, tool="isotpsend", stdin=subprocess.PIPE)
    send.process.stdin.write(message.hex(" ").encode() + b"\n")
    send.process.stdin.close()
    assert desk.incoming(session, 1)[0].payload == message
    assert send.end() == 0
    before = receivers(BUS)
    receive = run("-s", "7E0", "-d", "7E8", BUS, tool="isotprecv")
    wait(lambda: receivers(BUS) != before, "isotprecv's filter")
    desk.send(session, message[::-1])
    assert receive.end() == 0
    assert bytes.fromhex(receive.out[0]) == message[::-1]


def test_a_daemon_claims_an_address(desk: Desk, run: Run, tmp_path: Path) -> None:
    options = (BROADCAST, PROMISCUOUS)
    session = desk.open("can/j1939", local=(BUS, 0, 0x40000, 0xFF), options=options)
    name = 0x1122334455667788
    daemon = run("-r", "100-120", "-c", str(tmp_path / "claimed"), f"{name:x}", BUS, tool="j1939acd")

    def claims() -> list[str]:
        return [
            said for each in desk.incoming(session, session.log.received) if "claims" in (said := session.summary(each))
        ]

    desk.until(claims, "a claim", PATIENCE)
    assert claims()[0] == f"NAME 0x{name:016x} claims address 0x64"
    daemon.end(signal.SIGTERM)
