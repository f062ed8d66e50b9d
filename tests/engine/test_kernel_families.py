"""Families whose peer is the kernel, in a network namespace that belongs to the test alone."""

from __future__ import annotations

import os
import signal
import socket
import struct
import time
from pathlib import Path

import pytest
from support import Desk, inside, rows, sane_time

from sockexplorer.client.client import Refused
from sockexplorer.core.endpoint import SetOption
from sockexplorer.core.frames import Flag
from sockexplorer.core.payload import from_text
from sockexplorer.families import family

RTM_NEWLINK, RTM_DELLINK, RTM_NEWADDR = 16, 17, 20
ECHO = b"\x08\0\0\0\0\0\0\x01ping"


def kinds(payloads: list[bytes]) -> list[int]:
    """The types of the netlink messages in datagrams."""
    found = []
    for data in payloads:
        at = 0
        while at + 16 <= len(data):
            length, kind = struct.unpack_from("=IH", data, at)
            found.append(kind)
            at += max(16, (length + 3) & ~3)
    return found


def test_netlink_route_tells_of_links_as_they_come(lab: Desk) -> None:
    session = lab.open("netlink/route", local=(0, 0x11))
    began = time.time()
    inside(lab.pid, "ip", "link", "add", "sx0", "type", "veth", "peer", "name", "sx1")
    inside(lab.pid, "ip", "addr", "add", "192.0.2.1/24", "dev", "sx0")
    inside(lab.pid, "ip", "link", "del", "sx0")

    def told() -> list[int]:
        return kinds([each.payload for each in rows(session) if not each.event and not each.outgoing])

    lab.until(lambda: {RTM_NEWLINK, RTM_NEWADDR, RTM_DELLINK} <= set(told()), "new link, new address, link gone")
    frames = [each for each in rows(session) if not each.event]
    assert b"sx0" in b"".join(each.payload for each in frames)
    assert all(sane_time(each, began) for each in frames)
    # The kernel's messages carry the group that they went to as the source's mask.
    assert {session.peers[each.peer].address for each in frames} <= {(0, 1), (0, 16)}


def test_netlink_answers_the_sample(lab: Desk) -> None:
    session = lab.open("netlink/route", local=(0, 0))
    sample = from_text(family("netlink").protocol("route").sample)
    assert lab.send(session, sample, to=(0, 0)) == 20
    frame = lab.incoming(session, 1)[0]
    assert RTM_NEWLINK in kinds([frame.payload])
    assert b"lo\0" in frame.payload
    assert session.peers[frame.peer].address == (0, 0)


def test_inet6_link_local_with_its_scope(lab: Desk) -> None:
    inside(lab.pid, "ip", "link", "add", "sx0", "type", "veth", "peer", "name", "sx1")
    inside(lab.pid, "sh", "-c", "ip link set sx0 up; ip link set sx1 up; ip addr add fe80::7/64 dev sx0 nodad")
    scope = int(inside(lab.pid, "sh", "-c", "ip -o link show sx0").partition(":")[0])
    with pytest.raises(Refused) as caught:
        lab.open("inet6/udp", local=("fe80::7", 5000))
    assert caught.value.problem.name == "EINVAL"
    assert "scope_id" in " ".join(caught.value.problem.fixes)
    session = lab.open("inet6/udp", local=("fe80::7", 5000, 0, scope))
    assert session.local == ("fe80::7", 5000, 0, scope)
    lab.send(session, b"to myself", to=("fe80::7", 5000, 0, scope))
    frame = lab.incoming(session, 1)[0]
    assert frame.payload == b"to myself"
    assert session.peers[frame.peer].address == ("fe80::7", 5000, 0, scope)
    lab.until(lambda: session.log.sent == 1, "the row of what was sent")
    assert {each.peer for each in rows(session)} == {frame.peer}


@pytest.mark.parametrize(
    ("path", "host", "reply"), [("inet/icmp", "127.0.0.1", 0), ("inet6/icmp", "::1", 129)], ids=["icmp", "icmpv6"]
)
def test_ping_without_root(lab: Desk, path: str, host: str, reply: int) -> None:
    session = lab.open(path, local=(host, 0))
    sample = from_text(family(path.partition("/")[0]).protocol("icmp").sample)
    lab.send(session, sample, to=(host, 0))
    frame = lab.incoming(session, 1)[0]
    assert frame.payload[0] == reply
    assert frame.payload[6:] == sample[6:]
    assert session.peers[frame.peer].address[0] == host  # type: ignore[index]


def test_a_ping_socket_that_the_kernel_refuses_is_explained(lab: Desk) -> None:
    inside(lab.pid, "sh", "-c", "echo '1 0' > /proc/sys/net/ipv4/ping_group_range")
    for path in ("inet/icmp", "inet6/icmp"):
        with pytest.raises(Refused) as caught:
            lab.open(path, local=("", 0))
        assert (caught.value.problem.stage, caught.value.problem.name) == ("socket", "EACCES")
        assert "ping_group_range" in caught.value.problem.what


def test_raw_ip_sees_the_header(lab: Desk) -> None:
    session = lab.open("inet/raw", local=("127.0.0.1", 0))
    sample = from_text(family("inet").protocol("raw").sample)
    lab.send(session, sample, to=("127.0.0.1", 0))
    frames = lab.incoming(session, 2)
    assert [each.payload[0] for each in frames] == [0x45, 0x45]
    assert [each.payload[9] for each in frames] == [1, 1]
    assert [each.payload[20] for each in frames] == [8, 0]
    assert frames[0].payload[20:] == sample
    assert session.peers[frames[0].peer].address == ("127.0.0.1", 0)


def test_raw_of_another_protocol(lab: Desk) -> None:
    session = lab.open("inet/raw", local=("127.0.0.1", 0), proto=17)
    sender = lab.open("inet/udp", local=("127.0.0.1", 0))
    receiver = lab.open("inet/udp", local=("127.0.0.1", 0))
    lab.send(sender, b"seen raw", to=receiver.local)
    assert lab.incoming(session, 1)[0].payload[28:] == b"seen raw"
    assert lab.incoming(receiver, 1)[0].payload == b"seen raw"


@pytest.mark.parametrize("kind", ["raw", "dgram"])
def test_packet_sees_both_ways_on_lo(lab: Desk, kind: str) -> None:
    session = lab.open(f"packet/{kind}", local=("lo", 3))
    peer = lab.open("inet/udp", local=("127.0.0.1", 0))
    lab.send(peer, b"through lo", to=peer.local)
    lab.until(lambda: session.log.received and session.log.sent, "one frame each way")
    header = 42 if kind == "raw" else 28
    out, back = rows(session)[:2]
    assert (out.outgoing, back.outgoing) == (True, False)
    assert out.payload == back.payload
    assert out.payload[header:] == b"through lo"
    assert out.length == header + 10
    assert session.peers[back.peer].address == ("lo", 0x800, 0, 772, bytes(6))
    assert session.peers[out.peer].address == ("lo", 0x800, 4, 772, bytes(6))


def test_packet_sends_the_sample(lab: Desk) -> None:
    watcher = lab.open("packet/raw", local=("lo", 0x88B5))
    sender = lab.open("packet/raw", local=("lo", 0x88B5))
    sample = from_text(family("packet").protocol("raw").sample)
    assert lab.send(sender, sample) == len(sample)
    assert lab.incoming(watcher, 1)[0].payload == sample


def test_an_interface_that_goes_away_is_an_event(lab: Desk) -> None:
    inside(lab.pid, "ip", "link", "add", "sx0", "type", "veth", "peer", "name", "sx1")
    inside(lab.pid, "ip", "link", "set", "sx0", "up")
    session = lab.open("packet/raw", local=("sx0", 3))
    inside(lab.pid, "ip", "link", "del", "sx0")
    assert lab.event(session, "error").meta["failure"]["name"] == "ENETDOWN"
    with pytest.raises(Refused) as caught:
        lab.open("packet/raw", local=("sx0", 3))
    assert caught.value.problem.name == "ENODEV"


def test_netlink_overrun_is_told_and_the_socket_goes_on(lab: Desk) -> None:
    """What is sent while the engine stands still is more than the smallest buffer holds."""
    smallest = SetOption("SOL_SOCKET", "SO_RCVBUF", 0)
    session = lab.open("netlink/route", local=(0, 0x10), options=(smallest,))
    pid = lab.pid
    os.kill(pid, signal.SIGSTOP)
    for number in range(2, 40):
        inside(pid, "ip", "address", "add", f"127.0.0.{number}/8", "dev", "lo")
    os.kill(pid, signal.SIGCONT)
    failure = lab.event(session, "error").meta["failure"]
    assert (failure["stage"], failure["name"]) == ("read", "ENOBUFS")
    assert "dump" in failure["fixes"][0]
    received = session.log.received
    inside(lab.pid, "ip", "address", "del", "127.0.0.2/8", "dev", "lo")
    lab.until(lambda: session.log.received > received, "what happens after the overrun")


def test_netlink_messages_between_processes(lab: Desk) -> None:
    session = lab.open("netlink/usersock", local=(0, 0))
    sender = lab.open("netlink/usersock", local=(0, 0))
    lab.send(sender, b"\x10\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0", to=session.local)
    frame = lab.incoming(session, 1)[0]
    assert session.peers[frame.peer].address == sender.local
    assert not frame.flags & Flag.TRUNCATED


@pytest.mark.optional_on_this_host(reason="needs vsock in the kernel and a device")
@pytest.mark.parametrize("kind", ["stream", "seqpacket"])
def test_vsock_binds_and_listens(desk: Desk, kind: str) -> None:
    try:
        socket.socket(40, socket.SOCK_STREAM if kind == "stream" else socket.SOCK_SEQPACKET).close()
    except OSError as error:
        pytest.skip(f"no AF_VSOCK {kind} in this kernel: {error}")
    session = desk.open(f"vsock/{kind}", "listen", (0xFFFFFFFF, 0xFFFFFFFF))
    assert session.state == "listening"
    assert isinstance(session.local, tuple)
    assert session.local[0] == 0xFFFFFFFF
    assert session.local[1] != 0xFFFFFFFF
    with pytest.raises(Refused) as caught:
        desk.open(f"vsock/{kind}", "listen", session.local)
    assert caught.value.problem.name == "EADDRINUSE"
    desk.close(session)


@pytest.mark.optional_on_this_host(reason="only where vsock_loopback is loaded does CID 1 answer")
def test_vsock_connects_over_the_loopback(desk: Desk) -> None:
    try:
        with socket.socket(40, socket.SOCK_STREAM) as probe:
            probe.bind((1, 0xFFFFFFFF))
    except OSError as error:
        pytest.skip(f"no vsock loopback here: {error}")
    server = desk.open("vsock/stream", "listen", (1, 0xFFFFFFFF))
    client = desk.open("vsock/stream", "connect", remote=server.local)
    desk.event(server, "accepted")
    desk.send(client, b"machine to machine")
    assert desk.stream(server, 18) == b"machine to machine"


def test_the_lab_is_no_namespace_of_ours(lab: Desk) -> None:
    assert Path(f"/proc/{lab.pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()
