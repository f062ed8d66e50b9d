"""A conversation between the two ends of packets is the one that tshark follows."""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
from pathlib import Path

import pytest
from support import PATIENCE
from talk import HERE, MACS, TALK, THERE, capture, packet

from sockexplorer.capture import pcapng
from sockexplorer.capture.conversation import Conversation
from sockexplorer.capture.link_types import ETHERNET, RAW_IP, SLL
from sockexplorer.client.file_session import FileSession
from sockexplorer.client.following import Ends, between, ends_of, rows_between


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
