"""AF_CAN on a virtual bus: frames and filters, the broadcast manager, long messages, J1939."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator

import pytest
from support import PATIENCE, Desk, rows, wait

from sockexplorer.capture.log import Frame
from sockexplorer.client.client import Refused
from sockexplorer.client.session import Session
from sockexplorer.core.canframes import frame_text, read_bcm, read_filters, read_frame
from sockexplorer.core.canoptions import FLOW_CONTROL, ISOTP_OPTIONS
from sockexplorer.core.endpoint import SetOption
from sockexplorer.core.frames import Flag
from sockexplorer.core.payload import from_text
from sockexplorer.families import family

BUS = "vcan0"
FD_FRAMES = SetOption("SOL_CAN_RAW", "CAN_RAW_FD_FRAMES", 1)
NO_NAME, NO_PGN, NO_ADDR = 0, 0x40000, 0xFF
CLAIM = 0xEE00


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    """A raw socket of the test on the bus, for frames of both lengths."""
    with socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW) as sock:
        sock.settimeout(PATIENCE)
        sock.setsockopt(socket.SOL_CAN_RAW, socket.CAN_RAW_FD_FRAMES, 1)
        sock.bind((BUS,))
        yield sock


def said(session: Session, frames: list[Frame]) -> list[str]:
    return [session.summary(each) for each in frames]


# --- raw -----------------------------------------------------------------------------------------------------


def test_frames_both_ways(desk: Desk, peer: socket.socket) -> None:
    session = desk.open("can/raw", local=(BUS,))
    assert session.local == (BUS,)
    written = ["123#DEADBEEF", "7FF#", "123#R4", "12345678#1122334455667788"]
    for each in written:
        peer.send(read_frame(each))
    frames = desk.incoming(session, 4)
    assert [(each.payload, each.length) for each in frames] == [(read_frame(each), 16) for each in written]
    assert said(session, frames) == written
    assert {session.peers[each.peer].address for each in frames} == {(BUS,)}
    # They came from this host, and no socket of another host sent them.
    assert all(each.flags & Flag.LOCAL and not each.flags & Flag.OWN and not each.outgoing for each in frames)
    assert desk.send(session, read_frame("321#0102")) == 16
    assert peer.recv(72) == read_frame("321#0102")
    desk.until(lambda: session.log.sent, "the row of what was sent")
    assert said(session, [each for each in rows(session) if each.outgoing]) == ["321#0102"]


def test_the_sample_is_a_frame(desk: Desk, peer: socket.socket) -> None:
    session = desk.open("can/raw", local=(BUS,))
    desk.send(session, from_text(family("can").protocol("raw").sample))
    assert frame_text(peer.recv(72)) == "123#68656C6C6F"


def test_every_bus_at_once(desk: Desk, peer: socket.socket) -> None:
    session = desk.open("can/raw", local=("",))
    peer.send(read_frame("123#01"))
    frame = desk.incoming(session, 1)[0]
    assert session.peers[frame.peer].address == (BUS,)
    assert desk.send(session, read_frame("124#02"), to=(BUS,)) == 16
    assert frame_text(peer.recv(72)) == "124#02"


@pytest.mark.parametrize(
    ("filters", "passed"),
    [
        ("123:7FF,200:700", ["123#01", "2FF#03"]),
        ("123~7FF", ["124#02", "2FF#03"]),
        ("00000123:9FFFFFFF", ["00000123#04"]),
        ("none", []),
    ],
)
def test_filters(desk: Desk, peer: socket.socket, filters: str, passed: list[str]) -> None:
    option = SetOption("SOL_CAN_RAW", "CAN_RAW_FILTER", read_filters(filters))
    session = desk.open("can/raw", local=(BUS,), options=(option,))
    everything = desk.open("can/raw", local=(BUS,))
    written = ["123#01", "124#02", "2FF#03", "00000123#04"]
    for each in written:
        peer.send(read_frame(each))
    assert said(everything, desk.incoming(everything, 4)) == written
    # A mask of 7FF means the id of 29 bits as well: it does not ask for the flag that tells them apart.
    expected = passed if filters != "123:7FF,200:700" else [*passed, "00000123#04"]
    assert said(session, desk.incoming(session, len(expected))) == expected
    assert session.log.received == len(expected)


def test_filters_that_all_have_to_match(desk: Desk, peer: socket.socket) -> None:
    options = (
        SetOption("SOL_CAN_RAW", "CAN_RAW_FILTER", read_filters("100~7F0,120~7F0")),
        SetOption("SOL_CAN_RAW", "CAN_RAW_JOIN_FILTERS", 1),
    )
    session = desk.open("can/raw", local=(BUS,), options=options)
    for each in ("101#", "111#", "121#", "131#"):
        peer.send(read_frame(each))
    assert said(session, desk.incoming(session, 2)) == ["111#", "131#"]


def test_can_fd(desk: Desk, peer: socket.socket) -> None:
    session = desk.open("can/raw", local=(BUS,), options=(FD_FRAMES,))
    old = desk.open("can/raw", local=(BUS,), options=(SetOption("SOL_CAN_RAW", "CAN_RAW_FD_FRAMES", 0),))
    long = "12345678##1" + bytes(range(64)).hex().upper()
    for each in (long, "123##0AABB", "123#CC"):
        peer.send(read_frame(each))
    frames = desk.incoming(session, 3)
    assert said(session, frames) == [long, "123##0AABB", "123#CC"]
    assert [each.length for each in frames] == [72, 72, 16]
    assert frames[0].payload[8:] == bytes(range(64))
    assert said(old, desk.incoming(old, 1)) == ["123#CC"]
    assert desk.send(session, read_frame("321##3" + "11" * 12)) == 72
    assert frame_text(peer.recv(72)) == "321##3" + "11" * 12
    with pytest.raises(Refused) as caught:
        desk.send(old, read_frame("321##0"))
    assert caught.value.problem.name == "EINVAL"


def test_frames_of_ones_own(desk: Desk, peer: socket.socket) -> None:
    own = SetOption("SOL_CAN_RAW", "CAN_RAW_RECV_OWN_MSGS", 1)
    session = desk.open("can/raw", local=(BUS,), options=(own,))
    desk.send(session, read_frame("111#01"))
    desk.until(lambda: session.log.sent == 2, "the frame as it was given and as it went")
    given, went = rows(session)
    assert given.payload == went.payload == read_frame("111#01")
    assert (given.outgoing, bool(given.flags & Flag.OWN)) == (True, False)
    assert (went.outgoing, bool(went.flags & Flag.OWN), bool(went.flags & Flag.LOCAL)) == (True, True, True)
    assert frame_text(peer.recv(72)) == "111#01"
    peer.send(read_frame("222#02"))
    assert not desk.incoming(session, 1)[0].flags & Flag.OWN


def test_without_loopback_no_other_socket_sees_it(desk: Desk) -> None:
    quiet = desk.open("can/raw", local=(BUS,), options=(SetOption("SOL_CAN_RAW", "CAN_RAW_LOOPBACK", 0),))
    loud = desk.open("can/raw", local=(BUS,))
    watcher = desk.open("can/raw", local=(BUS,))
    desk.send(quiet, read_frame("111#"))
    desk.send(loud, read_frame("222#"))
    assert said(watcher, desk.incoming(watcher, 1)) == ["222#"]


def test_error_frames_are_read_in_words(desk: Desk, peer: socket.socket) -> None:
    bus_off_and_counters, controller = 0x240, 0x004
    every = SetOption("SOL_CAN_RAW", "CAN_RAW_ERR_FILTER", 0x1FFFFFFF)
    one_class = SetOption("SOL_CAN_RAW", "CAN_RAW_ERR_FILTER", 0x40)
    session = desk.open("can/raw", local=(BUS,), options=(every,))
    narrow = desk.open("can/raw", local=(BUS,), options=(one_class,))
    plain = desk.open("can/raw", local=(BUS,))
    # No controller stands behind a virtual bus: the test says what one would.
    for classes, data in ((controller, b"\0\x30\0\0\0\0\0\0"), (bus_off_and_counters, b"\0\0\0\0\0\0\xff\x07")):
        peer.send(struct.pack("=IB3x8s", 0x20000000 | classes, 8, data))
    peer.send(read_frame("123#"))
    assert said(session, desk.incoming(session, 3)) == [
        "error: controller (receive passive, send passive)",
        "error: bus off, error counters (send 255, receive 7)",
        "123#",
    ]
    assert said(narrow, desk.incoming(narrow, 2))[0].startswith("error: bus off")
    assert said(plain, desk.incoming(plain, 1)) == ["123#"]


# --- the broadcast manager -----------------------------------------------------------------------------------


def test_the_broadcast_manager_sends_by_itself(desk: Desk, peer: socket.socket) -> None:
    session = desk.open("can/bcm", "connect", remote=(BUS,))
    desk.send(session, read_bcm("TX_SETUP 345#6869 345#6870 ival2=20ms"))
    came = [frame_text(peer.recv(72)) for _ in range(6)]
    assert came == ["345#6869", "345#6870"] * 3
    desk.send(session, read_bcm("TX_READ id=345"))
    status = session.summary(desk.incoming(session, 1)[0])
    assert status == "TX_STATUS 345#6869 345#6870 ival2=20ms"
    desk.send(session, read_bcm("TX_DELETE id=345"))
    desk.send(session, read_bcm("TX_SEND 346#FF"))
    while (last := frame_text(peer.recv(72))) != "346#FF":
        assert last.startswith("345#")
    desk.until(lambda: session.log.sent == 4, "the rows of what was asked")
    assert said(session, [each for each in rows(session) if each.outgoing]) == [
        "TX_SETUP 345#6869 345#6870 ival2=20ms", "TX_READ id=345", "TX_DELETE id=345", "TX_SEND 346#FF",
    ]  # fmt: skip


def test_the_broadcast_manager_tells_when_it_is_done(desk: Desk, peer: socket.socket) -> None:
    session = desk.open("can/bcm", "connect", remote=(BUS,))
    desk.send(session, read_bcm("TX_SETUP 345#01 count=3 ival1=10ms flags=TX_COUNTEVT"))
    assert session.summary(desk.incoming(session, 1)[0]).startswith("TX_EXPIRED")
    assert [frame_text(peer.recv(72)) for _ in range(3)] == ["345#01"] * 3


def test_content_that_did_not_change_is_not_told(desk: Desk, peer: socket.socket) -> None:
    session = desk.open("can/bcm", "connect", remote=(BUS,))
    # The first byte counts, the second does not.
    desk.send(session, read_bcm("RX_SETUP 456#FF00"))
    for each in ("456#0100", "456#0101", "456#0202", "455#FFFF", "456#0203", "456#0300"):
        peer.send(read_frame(each))
    frames = desk.incoming(session, 3)
    assert said(session, frames) == ["RX_CHANGED 456#0100", "RX_CHANGED 456#0202", "RX_CHANGED 456#0300"]
    assert session.log.received == 3


def test_an_id_alone_and_a_silence(desk: Desk, peer: socket.socket) -> None:
    session = desk.open("can/bcm", "connect", remote=(BUS,))
    desk.send(session, read_bcm("RX_SETUP id=456 ival1=300ms"))
    peer.send(read_frame("456#7A"))
    changed, silence = desk.incoming(session, 2)
    assert said(session, [changed]) == ["RX_CHANGED 456#7A ival1=300ms"]
    assert said(session, [silence])[0].startswith("RX_TIMEOUT id=456")
    assert (silence.time - changed.time) / 1e9 > 0.2


def test_can_fd_by_the_broadcast_manager(desk: Desk, peer: socket.socket) -> None:
    session = desk.open("can/bcm", "connect", remote=(BUS,))
    desk.send(session, read_bcm("TX_SEND 345##1" + "55" * 64))
    assert frame_text(peer.recv(72)) == "345##1" + "55" * 64


# --- ISO-TP --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [5, 100, 4000, 8000])
def test_long_messages_between_both_ends(desk: Desk, length: int) -> None:
    wire = desk.open("can/raw", local=(BUS,))
    tester = desk.open("can/isotp", local=(BUS, 0x7E8, 0x7E0))
    unit = desk.open("can/isotp", local=(BUS, 0x7E0, 0x7E8))
    message = bytes(number % 251 for number in range(length))
    assert desk.send(tester, message) == length
    frame = desk.incoming(unit, 1)[0]
    assert (frame.payload, frame.length) == (message, length)
    assert unit.local == (BUS, 0x7E0, 0x7E8)
    desk.send(unit, b"understood and done")
    assert desk.incoming(tester, 1)[0].payload == b"understood and done"
    came = [each for each in said(wire, desk.incoming(wire, 1 if length < 8 else 4)) if each.startswith("7E0#")]
    if length < 8:
        assert came == [f"7E0#{length:02X}{message.hex().upper()}"]
    elif length < 4096:
        assert came[0] == f"7E0#1{length:03X}{message[:6].hex().upper()}"
        assert came[1] == f"7E0#21{message[6:13].hex().upper()}"
    else:
        assert came[0] == f"7E0#1000{length:08X}{message[:2].hex().upper()}"


def test_options_of_long_messages(desk: Desk) -> None:
    wire = desk.open("can/raw", local=(BUS,))
    padded = SetOption("SOL_CAN_ISOTP", "CAN_ISOTP_OPTS", ISOTP_OPTIONS.read("flags=TX_PADDING txpad_content=0x55"))
    asked = SetOption("SOL_CAN_ISOTP", "CAN_ISOTP_RECV_FC", FLOW_CONTROL.read("bs=2 stmin=1"))
    tester = desk.open("can/isotp", local=(BUS, 0x7E8, 0x7E0), options=(padded,))
    unit = desk.open("can/isotp", local=(BUS, 0x7E0, 0x7E8), options=(asked,))
    desk.send(tester, b"\x22" * 3)
    desk.incoming(unit, 1)
    desk.send(tester, b"\x33" * 30)
    assert desk.incoming(unit, 2)[1].payload == b"\x33" * 30
    frames = said(wire, desk.incoming(wire, 7))
    assert frames[0] == "7E0#0322222255555555"
    assert "7E8#300201" in frames[2:4]
    assert sum(each.startswith("7E8#30") for each in frames) == 2, "flow control after every block of two"


def test_equal_ids_are_refused(desk: Desk) -> None:
    with pytest.raises(Refused) as caught:
        desk.open("can/isotp", local=(BUS, 0x7E0, 0x7E0))
    assert caught.value.problem.name == "EADDRNOTAVAIL"
    assert "two different ids" in caught.value.problem.fixes[0]


# --- J1939 ---------------------------------------------------------------------------------------------------

BROADCAST = SetOption("SOL_SOCKET", "SO_BROADCAST", 1)
PROMISCUOUS = SetOption("SOL_CAN_J1939", "SO_J1939_PROMISC", 1)


@pytest.mark.parametrize("length", [8, 300, 4000])
def test_messages_of_any_length_by_parameter_group(desk: Desk, length: int) -> None:
    receiver = desk.open("can/j1939", local=(BUS, NO_NAME, NO_PGN, 0x30))
    assert receiver.local == (BUS, NO_NAME, NO_PGN, 0x30)
    priority = SetOption("SOL_CAN_J1939", "SO_J1939_SEND_PRIO", 3)
    sender = desk.open("can/j1939", local=(BUS, NO_NAME, NO_PGN, 0x20), options=(priority,))
    message = bytes(number % 251 for number in range(length))
    assert desk.send(sender, message, to=(BUS, NO_NAME, 0x1BC00, 0x30)) == length
    frame = desk.incoming(receiver, 1)[0]
    assert (frame.payload, frame.length) == (message, length)
    # Of a message that it put together the kernel tells no interface.
    bus = BUS if length == 8 else ""
    assert receiver.peers[frame.peer].address == (bus, NO_NAME, 0x1BC00, 0x20)
    assert receiver.peers[frame.peer].name == f"{bus or 'any'} pgn 1bc00 addr 20"
    assert frame.meta["destination"] == {"address": 0x30}
    assert frame.meta["priority"] == (3 if length == 8 else frame.meta["priority"])
    assert bool(frame.flags & Flag.LOCAL) is (length == 8)


def test_a_fixed_peer_answers(desk: Desk) -> None:
    first = desk.open("can/j1939", "connect", (BUS, NO_NAME, NO_PGN, 0x20), (BUS, NO_NAME, 0x12300, 0x30))
    second = desk.open("can/j1939", local=(BUS, NO_NAME, NO_PGN, 0x30))
    desk.send(first, b"ping")
    frame = desk.incoming(second, 1)[0]
    assert frame.payload == b"ping"
    desk.send(second, b"pong", to=(BUS, NO_NAME, 0x12300, 0x20))
    assert desk.incoming(first, 1)[0].payload == b"pong"


def test_who_claims_an_address_is_known_by_its_name(desk: Desk) -> None:
    name = 0x8000_1234_5678_9ABC
    watcher = desk.open("can/j1939", local=(BUS, NO_NAME, NO_PGN, NO_ADDR), options=(BROADCAST, PROMISCUOUS))
    claimer = desk.open("can/j1939", local=(BUS, name, NO_PGN, 0x80), options=(BROADCAST,))
    plain = desk.open("can/j1939", local=(BUS, NO_NAME, NO_PGN, 0x30))
    with pytest.raises(Refused) as caught:
        desk.send(claimer, b"too early", to=(BUS, NO_NAME, 0x12300, 0x30))
    assert caught.value.problem.name == "EADDRNOTAVAIL"
    assert "claim" in caught.value.problem.what

    desk.send(claimer, name.to_bytes(8, "little"), to=(BUS, NO_NAME, CLAIM, NO_ADDR))
    frame = desk.incoming(watcher, 1)[0]
    assert frame.payload == name.to_bytes(8, "little")
    assert watcher.peers[frame.peer].address == (BUS, name, CLAIM, 0x80)
    assert watcher.summary(frame) == f"NAME 0x{name:016x} claims address 0x80"
    # The destination is told where it is one node's.
    assert frame.meta == {"priority": 6}

    # The bus has 250 ms to object (SAE J1939-81); then the name stands for the address.
    sent = when_allowed(lambda: desk.send(claimer, b"by name", to=(BUS, NO_NAME, 0x12300, 0x30)))
    assert sent == 7
    frame = desk.incoming(plain, 1)[0]
    assert (frame.payload, plain.peers[frame.peer].address) == (b"by name", (BUS, name, 0x12300, 0x80))
    desk.send(plain, b"to the name", to=(BUS, name, 0x12300, NO_ADDR))
    frame = desk.incoming(claimer, 1)[0]
    assert frame.payload == b"to the name"
    assert frame.meta["destination"] == {"address": 0x80, "name": f"0x{name:016x}"}


def when_allowed(send: Callable[[], int]) -> int:
    """Send as soon as the kernel has the address."""

    def attempt() -> int | None:
        try:
            return send()
        except Refused as refused:
            if refused.problem.name != "EADDRNOTAVAIL":
                raise
            return None

    return int(wait(attempt, "the address"))
