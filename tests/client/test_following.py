"""A conversation between the two ends of packets is the one that tshark follows."""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from live_rows import a_session
from support import PATIENCE
from talk import ACK, HERE, MACS, OTHER, SYN, TALK, THERE, capture, packet

from sockexplorer.capture import link_sift, pcapng
from sockexplorer.capture.conversation import Conversation, Mode
from sockexplorer.capture.link_types import ETHERNET, RAW_IP, SLL
from sockexplorer.capture.many_rows import frames, payloads
from sockexplorer.client.file_session import FileSession
from sockexplorer.client.following import Ends, between, ends_of, rows_between, rows_with, summary_of
from sockexplorer.client.session import Peer
from sockexplorer.core.frames import Flag


def followed(path: Path, row: int, vectorised_from: int = 0) -> tuple[Ends | None, list[tuple[bool, bytes]]]:
    """Between whom a row is, and what they say to each other, in hex lines."""
    session = FileSession(1, path, keeps_index=False, vectorised_from=vectorised_from)
    session.start()
    session.wait()
    ends = ends_of(session, session.log.frame(row))
    said: list[tuple[bool, bytes]] = []
    if ends is not None:
        conversation = Conversation(session.log, between(session, ends), "hex", 80, sift=rows_between(session, ends))
        conversation.go_on(PATIENCE)
        assert not conversation.behind
        for line in map(conversation.line, range(len(conversation))):
            data = b"" if line.text == "(empty)" else bytes.fromhex(line.text[6:54])
            said[len(said) :] = [(line.outgoing, data)] if line.first else [(line.outgoing, said.pop()[1] + data)]
    session.release()
    session.log.close()
    return ends, said


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("link_type", [ETHERNET, RAW_IP, SLL])
@pytest.mark.parametrize("row", [1, 3, 8, 10])
@pytest.mark.parametrize("vectorised_from", [0, 1 << 60])
def test_a_connection_is_followed_as_tshark_does(
    tmp_path: Path, link_type: int, row: int, vectorised_from: int
) -> None:
    capture(path := tmp_path / "talk.pcapng", link_type, *TALK)
    ends, said = followed(path, row, vectorised_from)
    assert ends == Ends("tcp", "10.0.0.1:50001", "10.0.0.2:80")
    command = ["tshark", "-r", path, "-q", "-z", "follow,tcp,raw,0"]
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.strip("\t").isalnum() and ":" not in line]
    # What the second end says is indented.
    assert said == [(not line.startswith("\t"), bytes.fromhex(line)) for line in lines]
    assert b"".join(data for outgoing, data in said if not outgoing) == TALK[8][40:] + TALK[9][40:]


def test_datagrams_are_followed_and_an_empty_one_was_said(tmp_path: Path) -> None:
    capture(path := tmp_path / "talk.pcapng", ETHERNET, *TALK, packet(THERE, HERE, b""))
    assert followed(path, 7) == (
        Ends("udp", "10.0.0.1:50001", "10.0.0.2:80"), [(True, b"not over this protocol\n"), (False, b"")]
    )  # fmt: skip


@pytest.mark.parametrize("protocol", [17, 58])
def test_ends_of_ipv6(tmp_path: Path, protocol: int) -> None:
    one, other = (socket.inet_pton(socket.AF_INET6, host) for host in ("2001:db8::1", "fe80::2"))
    there, back = (struct.pack(">HHHH", *ports, 12, 0) + b"said" for ports in ((5353, 53), (53, 5353)))
    made = pcapng.section("x", "y") + pcapng.interface(RAW_IP)
    for pair, inner in ((one + other, there), (other + one, back)):
        data = struct.pack(">IHBB", 6 << 28, 12, protocol, 64) + pair + inner
        made += pcapng.packet(0, 0, (data,), len(data), None)
    (path := tmp_path / "six.pcapng").write_bytes(made)
    ends, said = followed(path, 2)
    assert ends is not None
    if protocol == 17:
        assert ends == Ends("udp", "[2001:db8::1]:5353", "[fe80::2]:53")
        assert said == [(True, b"said"), (False, b"said")]
    else:
        assert (ends.over, {ends.first, ends.second}) == ("icmpv6", {"2001:db8::1", "fe80::2"})
        assert [data for _, data in said] == [there, back]
        assert {outgoing for outgoing, _ in said} == {True, False}


def test_what_is_not_of_ip_has_no_ends(tmp_path: Path) -> None:
    path = tmp_path / "arp.pcapng"
    path.write_bytes(
        pcapng.section("x", "y") + pcapng.interface(ETHERNET)
        + pcapng.packet(0, 0, (MACS, b"\x08\x06", bytes(46)), 60, None)
    )  # fmt: skip
    assert followed(path, 1) == (None, [])


@pytest.mark.parametrize("name", ["lo", "eth0"])
def test_what_a_loopback_interface_gives_twice_was_said_once(tmp_path: Path, name: str) -> None:
    path = tmp_path / "lo.pcapng"
    made, data = pcapng.section("x", "y") + pcapng.interface(ETHERNET, name), MACS + b"\x08\0" + TALK[6]
    for outgoing in (True, False):
        made += pcapng.packet(0, 0, (data,), len(data), outgoing)
    path.write_bytes(made)
    assert len(followed(path, 1)[1]) == (1 if name == "lo" else 2)


LOOP = {
    number: Peer(number, (name, 0x800, kind, hardware, b""), "", name)
    for number, (name, kind, hardware) in enumerate(
        (("lo", 0, 772), ("lo", 4, 772), ("eth0", 4, 1), ("tun0", 0, 65534)), 1
    )
}
FLAGS = st.sampled_from((0, 0, 0, int(Flag.OUT), int(Flag.META), int(Flag.EVENT | Flag.META)))
SAID = st.sampled_from((b"", b"a line\n", b"\0" * 64, "zwölf €".encode())) | st.binary(max_size=200)
END = st.sampled_from((HERE, THERE, OTHER))
PACKET = st.builds(packet, END, END, SAID) | st.builds(
    packet, END, END, SAID, *(st.sampled_from((0, 1, SYN, SYN | ACK)),) * 3
)
FRAME = st.builds(
    lambda tag, data, padding: MACS + tag + b"\x08\0" + data + bytes(padding),
    st.sampled_from((b"", b"\x81\0\0\5")), PACKET, st.sampled_from((0, 0, 6)),
) | st.binary(max_size=80)  # fmt: skip


def batches(payload: st.SearchStrategy[bytes]) -> st.SearchStrategy[list[list[tuple[bytes, int, int]]]]:
    return st.lists(st.lists(st.tuples(payload, FLAGS, st.integers(0, len(LOOP))), min_size=1), min_size=1, max_size=3)


def told(conversation: Conversation) -> list[tuple[int, int, int]]:
    """All of its lines: rows and what they have of their payloads."""
    while conversation.behind:
        conversation.go_on(0)
    lines = zip(conversation._frames, conversation._starts, conversation._ends, strict=True)
    return list(lines)


@pytest.mark.parametrize("mode", ["text", "hex"])
@given(batches(FRAME), st.data())
def test_two_ends_of_frames_that_come_are_followed_as_row_by_row(
    mode: Mode, rows: list[list[tuple[bytes, int, int]]], data: st.DataObject
) -> None:
    session = a_session("packet/raw", rows, LOOP)
    log = session.log
    found = [ends for number in range(1, log.end) if (ends := ends_of(session, log.frame(number))) is not None]
    for ends in {data.draw(st.sampled_from(found))} if found else ():
        whose = between(session, ends)
        quick = Conversation(log, whose, mode, 30, sift=rows_between(session, ends))
        with patch.object(link_sift, "LEAST", 1), patch.object(link_sift, "MOST_FRESH", 3):
            assert told(quick) == told(Conversation(log, whose, mode, 30))
    log.close()


@pytest.mark.parametrize("mode", ["text", "hex"])
@pytest.mark.parametrize("name", ["inet/udp", "netlink/route"])
@given(batches(SAID | st.binary(min_size=5000, max_size=9000)), st.integers(0, 2))
def test_a_peer_is_followed_as_row_by_row(
    name: str, mode: Mode, rows: list[list[tuple[bytes, int, int]]], peer: int
) -> None:
    session = a_session(name, rows, LOOP)
    log = session.log
    row_by_row = Conversation(log, peer, mode, 30, summary=session.summary)
    quick = Conversation(log, peer, mode, 30, None, summary_of(session), rows_with(session, peer))
    found = told(quick)
    assert found == told(row_by_row)
    assert {number for number, _, _ in found} == {
        number for number in range(1, log.end) if (frame := log.frame(number)).peer == peer and not frame.event
    }  # fmt: skip
    log.close()


@given(batches(SAID))
def test_rows_that_the_log_dropped_are_left_out(rows: list[list[tuple[bytes, int, int]]]) -> None:
    session = a_session("inet/udp", rows, LOOP)
    log = session.log
    log.limit = 1
    numbers = range(1, log.end)
    log.append(b"")
    assert [frame.number for frame in frames(log, numbers)] == [*range(log.first, log.end)]
    kept = [(number, log.frame(number)) for number in range(log.first, log.end)]
    assert list(payloads(log, numbers)) == [(number, frame.payload) for number, frame in kept if not frame.event]
    assert list(frames(log, numbers)) == [frame for _, frame in kept]
    log.close()


@pytest.mark.parametrize("name", ["inet/udp", "packet/raw"])
def test_of_a_flood_hardly_a_row_is_read_by_itself(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    payload = MACS + b"\x08\0" + packet(HERE, THERE, b"said")
    session = a_session(name, [[(payload, 0, 1)] * 100] * 3, LOOP)
    log = session.log
    ends = ends_of(session, log.frame(1))
    assert (ends is None) is (name == "inet/udp")
    if ends is None:
        conversation = Conversation(log, 1, "text", 80, None, summary_of(session), rows_with(session, 1))
    else:
        conversation = Conversation(log, between(session, ends), "text", 80, sift=rows_between(session, ends))
    read, frame = [], log.frame
    monkeypatch.setattr(log, "frame", lambda number: read.append(number) or frame(number))
    assert len({number for number, _, _ in told(conversation)}) == 300
    # Of frames one tells for all of them, but for the last of a block, behind which there is nothing more.
    assert read == ([] if ends is None else [1, 100, 200, 300])
    log.close()
