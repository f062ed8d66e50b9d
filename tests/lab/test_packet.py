"""AF_PACKET on a wire of two ends: what is sent and received, for whom, with which VLAN, and how much was lost."""

from __future__ import annotations

import os
import signal
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import PATIENCE, Desk, rows, wait

from sockexplorer.core.endpoint import SetOption
from sockexplorer.core.frames import HEADER
from sockexplorer.families import family

ETH_P_ALL, ETH_P_8021Q, ETH_P_8021AD, EXPERIMENT = 3, 0x8100, 0x88A8, 0x88B5
HOST, BROADCAST, MULTICAST, OTHERHOST, OUTGOING = range(5)
EVERYBODY, SOME, NOBODY = b"\xff" * 6, b"\x33\x33\0\0\0\x09", b"\x02\0\0\0\0\x99"
Ends = tuple[str, str]


def hardware(interface: str) -> bytes:
    """The address of an interface."""
    return bytes.fromhex(Path(f"/sys/class/net/{interface}/address").read_text().strip().replace(":", ""))


@pytest.fixture
def sender(veth: Ends) -> Iterator[socket.socket]:
    """A packet socket of the test at the far end, which receives nothing."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.settimeout(PATIENCE)
        sock.bind((veth[1], 0))
        yield sock


def frame(to: bytes, source: bytes, payload: bytes, ethertype: int = EXPERIMENT) -> bytes:
    """An Ethernet frame."""
    return to + source + struct.pack("!H", ethertype) + payload


@pytest.mark.parametrize("kind", ["raw", "dgram"])
def test_for_whom_a_frame_was(desk: Desk, veth: Ends, sender: socket.socket, kind: str) -> None:
    here, there = map(hardware, veth)
    session = desk.open(f"packet/{kind}", local=(veth[0], EXPERIMENT))
    assert session.local == (veth[0], EXPERIMENT, 0, 1, here)
    sent = [(here, HOST, ""), (EVERYBODY, BROADCAST, " broadcast"), (SOME, MULTICAST, " multicast")]
    sent.append((NOBODY, OTHERHOST, " otherhost"))
    for to, _, _ in sent:
        sender.send(frame(to, there, b"payload for " + to))
    frames = desk.incoming(session, 4)
    for each, (to, pkttype, word) in zip(frames, sent, strict=True):
        payload = b"payload for " + to
        assert each.payload == (frame(to, there, payload) if kind == "raw" else payload)
        assert each.length == len(each.payload)
        assert not each.outgoing
        peer = session.peers[each.peer]
        assert peer.address == (veth[0], EXPERIMENT, pkttype, 1, there)
        assert peer.name == f"{veth[0]} 0x88b5 {there.hex(':')}{word}"
        assert family("packet").read(session.protocol, peer.name)[:3] == (veth[0], EXPERIMENT, pkttype)  # type: ignore[index]
        assert each.meta == {}


def test_both_directions_of_one_interface(desk: Desk, veth: Ends, sender: socket.socket) -> None:
    here, there = map(hardware, veth)
    watcher = desk.open("packet/raw", local=(veth[0], ETH_P_ALL))
    talker = desk.open("packet/raw", local=(veth[0], EXPERIMENT))
    going, coming = frame(there, here, b"going"), frame(here, there, b"coming")
    assert desk.send(talker, going) == len(going)
    sender.send(coming)
    desk.until(lambda: watcher.log.received and watcher.log.sent, "a frame each way")
    seen = {each.payload: each for each in rows(watcher)}
    assert set(seen) == {going, coming}
    assert seen[going].outgoing
    assert watcher.peers[seen[going].peer].address == (veth[0], EXPERIMENT, OUTGOING, 1, here)
    assert watcher.peers[seen[going].peer].name.endswith(f"{here.hex(':')} outgoing")
    assert not seen[coming].outgoing
    assert desk.incoming(talker, 1)[0].payload == coming


def test_what_a_ring_brought_is_read_when_directions_are_asked_for(
    desk: Desk, veth: Ends, sender: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = map(hardware, veth)
    session = desk.open("packet/raw", local=(veth[0], ETH_P_ALL))
    talker = desk.open("packet/raw", local=(veth[0], EXPERIMENT))
    log, sizes = session.log, list[int]()
    read = log.store.read
    monkeypatch.setattr(log.store, "read", lambda size, offset: sizes.append(size) or read(size, offset))
    sender.send(frame(here, there, bytes(500)))
    desk.hub.send(talker, frame(there, here, bytes(300)))
    wait(lambda: desk.hub.poll(0.01) < 0 or len(log) == 2, "two frames")
    assert (log.received, log.sent, max(sizes)) == (2, 0, HEADER.size)
    for _ in range(2):
        desk.hub.tell_directions()
        assert (log.received, log.bytes_in, log.sent, log.bytes_out) == (1, 514, 1, 314)
    assert max(sizes) > 300


def test_the_kernel_writes_the_header(desk: Desk, veth: Ends) -> None:
    here, there = map(hardware, veth)
    far = desk.open("packet/raw", local=(veth[1], EXPERIMENT))
    near = desk.open("packet/dgram", local=(veth[0], EXPERIMENT))
    assert desk.send(near, b"without a header", to=(veth[0], EXPERIMENT, 0, 0, there)) == 16
    each = desk.incoming(far, 1)[0]
    assert each.payload == frame(there, here, b"without a header")
    assert far.peers[each.peer].address == (veth[1], EXPERIMENT, HOST, 1, here)


@pytest.mark.parametrize(
    ("tci", "tpid", "said"),
    [
        (0x0005, ETH_P_8021Q, {"id": 5, "priority": 0, "drop_eligible": False, "tpid": "0x8100"}),
        (0xB123, ETH_P_8021Q, {"id": 0x123, "priority": 5, "drop_eligible": True, "tpid": "0x8100"}),
        (0x6000, ETH_P_8021AD, {"id": 0, "priority": 3, "drop_eligible": False, "tpid": "0x88a8"}),
    ],
)
def test_the_tag_of_a_vlan_comes_beside_the_frame(
    desk: Desk, veth: Ends, sender: socket.socket, tci: int, tpid: int, said: dict[str, object]
) -> None:
    here, there = map(hardware, veth)
    session = desk.open("packet/raw", local=(veth[0], ETH_P_ALL))
    sender.send(frame(here, there, struct.pack("!HH", tci, EXPERIMENT) + b"tagged", tpid))
    sender.send(frame(here, there, b"not tagged"))
    tagged, plain = desk.incoming(session, 2)
    assert tagged.payload == frame(here, there, b"tagged")
    assert tagged.meta == {"vlan": said}
    assert (plain.payload, plain.meta) == (frame(here, there, b"not tagged"), {})


def test_a_long_frame_is_cut_and_said_to_be(desk: Desk, veth: Ends, sender: socket.socket) -> None:
    here, there = map(hardware, veth)
    session = desk.open("packet/raw", local=(veth[0], EXPERIMENT), snaplen=20)
    whole = frame(here, there, bytes(range(200)))
    sender.send(whole)
    each = desk.incoming(session, 1)[0]
    assert (each.payload, each.length) == (whole[:20], len(whole))


def test_seen_is_kept_and_dropped(desk: Desk, veth: Ends, sender: socket.socket) -> None:
    """The kernel's own statistics, its counter of drops and what was kept agree with what was sent."""
    here, there = map(hardware, veth)
    smallest = (SetOption("SOL_SOCKET", "SO_RCVBUF", 0),)
    session = desk.open("packet/raw", local=(veth[0], EXPERIMENT), options=smallest)
    sent, engine = 100, desk.pid
    for first in (0, 50):
        os.kill(engine, signal.SIGSTOP)
        try:
            for number in range(first, first + 50):
                sender.send(frame(here, there, number.to_bytes(4, "big") + bytes(400)))
        finally:
            os.kill(engine, signal.SIGCONT)
        desk.until(lambda total=first + 50: session.packets == total, "what the kernel saw")
    desk.until(lambda: session.log.received + session.drops == sent, f"{sent} frames, kept or dropped")
    assert 0 < session.drops < sent
    events = [each.meta for each in rows(session) if each.event == "dropped"]
    assert sum(each["count"] for each in events) == session.drops
    numbers = [int.from_bytes(each.payload[14:18], "big") for each in desk.incoming(session, session.log.received)]
    assert numbers == sorted(set(numbers))
    desk.close(session)
    assert (session.packets, session.log.received + session.drops) == (sent, sent)
