"""AF_INET and AF_INET6: scopes, coverage of checksums on the wire, several paths, pings and raw packets."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import PATIENCE, Desk, ip, rows, wait

from sockexplorer.client.client import Refused
from sockexplorer.client.session import Session
from sockexplorer.core.endpoint import SetOption
from sockexplorer.core.payload import from_text
from sockexplorer.families import family

LOOPBACK = {"inet": "127.0.0.1", "inet6": "::1"}
SOL_UDPLITE, SEND_COVERAGE, RECV_COVERAGE = 136, 10, 11
MP_CAPABLE = 30


def numeric(name: str) -> socket.AddressFamily:
    return socket.AF_INET if name == "inet" else socket.AF_INET6


@pytest.mark.parametrize("name", LOOPBACK)
@pytest.mark.parametrize("kind", ["udp", "udplite"])
def test_datagrams_both_ways(desk: Desk, name: str, kind: str) -> None:
    session = desk.open(f"{name}/{kind}", local=(LOOPBACK[name], 0))
    with socket.socket(numeric(name), socket.SOCK_DGRAM, 17 if kind == "udp" else 136) as peer:
        peer.settimeout(PATIENCE)
        peer.bind((LOOPBACK[name], 0))
        for payload in (b"hello", b"", bytes(1200)):
            peer.sendto(payload, session.local)  # type: ignore[arg-type]
        frames = desk.incoming(session, 3)
        assert [(each.payload, each.length) for each in frames] == [(b"hello", 5), (b"", 0), (bytes(1200), 1200)]
        assert {session.peers[each.peer].address for each in frames} == {peer.getsockname()}
        desk.send(session, b"back", to=peer.getsockname())
        assert peer.recvfrom(100) == (b"back", session.local)


@pytest.fixture
def scoped() -> Iterator[tuple[tuple[str, int], tuple[str, int]]]:
    """Two ends of a wire: the link-local address and the index of each interface."""
    ip("link add sx0 type veth peer name sx1")
    try:
        ends = []
        for number, each in enumerate(("sx0", "sx1"), 7):
            Path(f"/proc/sys/net/ipv6/conf/{each}/accept_dad").write_text("0")
            ip(f"link set {each} up")
            ip(f"addr add fe80::{number}/64 dev {each} nodad")
            ends.append((f"fe80::{number}", socket.if_nametoindex(each)))
        for each in ("sx0", "sx1"):
            wait(lambda each=each: Path(f"/sys/class/net/{each}/operstate").read_text() == "up\n", "a carrier")  # type: ignore[misc]
        yield ends[0], ends[1]
    finally:
        ip("link del sx0")


@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_link_local_addresses_have_a_scope(
    desk: Desk, kind: str, scoped: tuple[tuple[str, int], tuple[str, int]]
) -> None:
    (here, index), (there, other) = scoped
    with pytest.raises(Refused) as caught:
        desk.open(f"inet6/{kind}", "bind" if kind == "udp" else "listen", (here, 0))
    assert caught.value.problem.name == "EINVAL"
    assert "scope_id" in " ".join(caught.value.problem.fixes)
    # Both ends are in one namespace, so the kernel takes the short way; each end keeps its own scope.
    server = desk.open(f"inet6/{kind}", "bind" if kind == "udp" else "listen", (here, 0, 0, index))
    assert isinstance(server.local, tuple)
    assert server.local[::3] == (here, index)
    client = desk.open(f"inet6/{kind}", "connect", local=(here, 0, 0, index), remote=server.local)
    desk.until(lambda: client.state == "connected", "the connection")
    desk.send(client, b"in scope")
    assert desk.stream(server, 8) == b"in scope"
    frame = desk.incoming(server, 1)[0]
    assert server.peers[frame.peer].address == client.local
    assert server.peers[frame.peer].name == f"[fe80::7%{index}]:{client.local[1]}"  # type: ignore[index]
    assert (there, other) == ("fe80::8", socket.if_nametoindex("sx1"))


def test_a_multicast_group_over_the_wire(desk: Desk, scoped: tuple[tuple[str, int], tuple[str, int]]) -> None:
    (here, index), (_, other) = scoped
    group = socket.inet_pton(socket.AF_INET6, "ff02::1234") + struct.pack("=I", other)
    session = desk.open("inet6/udp", local=("::", 0), options=(SetOption("IPPROTO_IPV6", "IPV6_JOIN_GROUP", group),))
    assert isinstance(session.local, tuple)
    sender = desk.open("inet6/udp", local=(here, 0, 0, index))
    desk.send(sender, b"to the group", to=("ff02::1234", session.local[1], 0, index))
    frame = desk.incoming(session, 1)[0]
    assert frame.payload == b"to the group"
    assert session.peers[frame.peer].address == (here, sender.local[1], 0, other)  # type: ignore[index]


# --- UDP-Lite ------------------------------------------------------------------------------------------------


def coverage(name: str, session: Session, number: int, desk: Desk) -> int:
    """The coverage in the header of a packet that a raw socket saw (RFC 3828: after the two ports)."""
    packet = desk.incoming(session, number + 1)[number].payload
    return int(struct.unpack_from("!H", packet, (20 if name == "inet" else 0) + 4)[0])


@pytest.mark.parametrize("name", LOOPBACK)
def test_coverage_is_what_was_asked_for_on_the_wire(desk: Desk, name: str) -> None:
    host = LOOPBACK[name]
    wire = desk.open(f"{name}/raw", local=(host, 0), proto=136)
    receiver = desk.open(f"{name}/udplite", local=(host, 0))
    for number, asked in enumerate((20, 8, 3, 0)):
        options = (SetOption("SOL_UDPLITE", "UDPLITE_SEND_CSCOV", asked),)
        sender = desk.open(f"{name}/udplite", local=(host, 0), options=options)
        desk.send(sender, b"x" * 40, to=receiver.local)
        # 0 is all of it; 1 to 7 count as the header's 8 (udplite(7)).
        assert coverage(name, wire, number, desk) == (max(8, asked) if asked else 0)
        frame = desk.incoming(receiver, number + 1)[number]
        assert (frame.payload, receiver.peers[frame.peer].address) == (b"x" * 40, sender.local)


@pytest.mark.parametrize("name", LOOPBACK)
def test_what_is_covered_too_little_is_dropped(desk: Desk, name: str) -> None:
    host = LOOPBACK[name]
    wire = desk.open(f"{name}/raw", local=(host, 0), proto=136)
    receiver = desk.open(
        f"{name}/udplite", local=(host, 0), options=(SetOption("SOL_UDPLITE", "UDPLITE_RECV_CSCOV", 16),)
    )
    for number, (asked, payload) in enumerate([(8, b"too little"), (15, b"just too little"), (16, b"covered enough")]):
        options = (SetOption("SOL_UDPLITE", "UDPLITE_SEND_CSCOV", asked),)
        desk.send(desk.open(f"{name}/udplite", local=(host, 0), options=options), payload, to=receiver.local)
        assert coverage(name, wire, number, desk) == asked
    # They travelled in order: what the third one did not overtake was dropped.
    assert desk.incoming(receiver, 1)[0].payload == b"covered enough"
    assert receiver.log.received == 1


# --- MPTCP, ping, raw ----------------------------------------------------------------------------------------


def tcp_options(packet: bytes) -> set[int]:
    """The kinds of the TCP options in a packet without its IP header."""
    kinds, at, end = set(), 20, (packet[12] >> 4) * 4
    while at < end and packet[at]:
        kinds.add(packet[at])
        at += 1 if packet[at] == 1 else max(2, packet[at + 1])
    return kinds


@pytest.mark.parametrize("name", LOOPBACK)
def test_mptcp_speaks_mptcp(desk: Desk, name: str) -> None:
    host = LOOPBACK[name]
    wire = desk.open(f"{name}/raw", local=(host, 0), proto=6)
    server = desk.open(f"{name}/mptcp", "listen", (host, 0))
    client = desk.open(f"{name}/mptcp", "connect", remote=server.local)
    accepted = desk.event(server, "accepted").peer
    desk.until(lambda: client.state == "connected", "the connection")
    assert server.peers[accepted].address == client.local
    desk.send(client, b"over several paths" * 5000)
    assert desk.stream(server, 90_000, accepted) == b"over several paths" * 5000
    desk.send(server, b"answer", peer=accepted)
    assert desk.stream(client, 6) == b"answer"
    packets = [each.payload[20 if name == "inet" else 0 :] for each in desk.incoming(wire, 3)]
    assert [MP_CAPABLE in tcp_options(each) for each in packets] == [True] * 3, "SYN, SYN/ACK, ACK"
    desk.close(client)
    desk.event(server, "closed")


@pytest.mark.parametrize(("name", "reply"), [("inet", 0), ("inet6", 129)])
def test_ping(desk: Desk, name: str, reply: int, ping_allowed: None) -> None:
    session = desk.open(f"{name}/icmp", local=(LOOPBACK[name], 0))
    sample = from_text(family(name).protocol("icmp").sample)
    desk.send(session, sample, to=(LOOPBACK[name], 0))
    frame = desk.incoming(session, 1)[0]
    assert frame.payload[0] == reply
    # The kernel filled in the identifier, which is the socket's port.
    assert struct.unpack_from("!H", frame.payload, 4)[0] == session.local[1]  # type: ignore[index]
    assert frame.payload[6:] == sample[6:]
    assert session.peers[frame.peer].address[0] == LOOPBACK[name]  # type: ignore[index]


@pytest.mark.parametrize(("name", "request_type", "reply", "header"), [("inet", 8, 0, 20), ("inet6", 128, 129, 0)])
def test_raw_sees_the_request_and_the_reply(desk: Desk, name: str, request_type: int, reply: int, header: int) -> None:
    session = desk.open(f"{name}/raw", local=(LOOPBACK[name], 0))
    sample = from_text(family(name).protocol("raw").sample)
    assert desk.send(session, sample, to=(LOOPBACK[name], 0)) == len(sample)
    frames = desk.incoming(session, 2)
    assert [each.payload[header] for each in frames] == [request_type, reply]
    assert all(each.length == header + len(sample) for each in frames)
    assert all(each.payload[header + 4 :] == sample[4:] for each in frames)
    assert {session.peers[each.peer].address[0] for each in frames} == {LOOPBACK[name]}  # type: ignore[index]
    desk.until(lambda: session.log.sent == 1, "the row of what was sent")
    assert [each.payload for each in rows(session) if each.outgoing] == [sample]
