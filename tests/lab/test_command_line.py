"""``watch`` and ``send`` as a pair, family by family: what one sends is what the other prints."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support import ip

from sockexplorer.core.canframes import read_bcm, read_frame
from sockexplorer.families import find

Run = Callable[..., Any]
Done = Callable[..., subprocess.CompletedProcess[str]]
LOOPBACK = {"inet": "127.0.0.1", "inet6": "[::1]"}
UNTIL_ENDED = ("--wait", "600")
"""Of what waits for answers, and is ended by the test when it has them."""


@dataclass(frozen=True)
class Pair:
    """The arguments of both verbs. In those of ``send``, ``{0}`` and so on are the elements of the watcher's address.

    ``says`` are the arguments of what is sent, ``arrives`` how it is printed; ``peer`` is what the address of the
    sender begins with, as a Python literal.
    """

    path: str
    watch: tuple[str, ...]
    send: tuple[str, ...]
    says: tuple[str, ...] = ("--text", "from the command line")
    arrives: bytes = b"from the command line"
    peer: str = ""
    direction: str = "in"
    sender: str = ""
    """Another family/protocol that sends, "" for the same."""


def internet(name: str, kind: str) -> Pair:
    verb = ("--listen",) if kind in ("tcp", "mptcp") else ()
    way = "--connect" if verb else "--to"
    number = "{1}"
    return Pair(
        f"{name}/{kind}", (*verb, "--bind", f"{LOOPBACK[name]}:0"), (way, f"{LOOPBACK[name]}:{number}"),
        peer=f"('{LOOPBACK[name].strip('[]')}', ",
    )  # fmt: skip


PACKET = b"\xff" * 6 + b"\x02\0\0\0\0\x01\x88\xb5over the wire"
PING = bytes.fromhex("0800000000000001") + b"ping"
PAIRS = [
    *(internet(name, kind) for name in LOOPBACK for kind in ("udp", "tcp", "udplite", "mptcp")),
    Pair("inet6/udp", ("--bind", "[fe80::7%sx0]:0"), ("--to", "[fe80::7%sx0]:{1}"), peer="('fe80::7', "),
    Pair("inet/udplite", ("--bind", "127.0.0.1:0", "-o", "UDPLITE_RECV_CSCOV=16"),
         ("--to", "127.0.0.1:{1}", "-o", "UDPLITE_SEND_CSCOV=20"), peer="('127.0.0.1', "),
    Pair("inet/raw", ("--bind", "127.0.0.1"), ("--to", "127.0.0.1"),
         ("--hex", "0800f7ff00000000"), bytes.fromhex("0800f7ff00000000"), "('127.0.0.1', 0)"),
    Pair("inet6/raw", ("--bind", "::1", "--proto", "253"), ("--to", "::1", "--proto", "253"), peer="('::1', 0, 0, 0)"),
    Pair("unix/stream", ("--listen", "--bind", ""), ("--connect", "{address}")),
    Pair("unix/dgram", ("--bind", ""), ("--to", "{address}")),
    Pair("unix/seqpacket", ("--listen", "--bind", ""), ("--connect", "{address}")),
    Pair("netlink/usersock", ("--bind", "0:0"), ("--to", "{0}:0"), peer="("),
    Pair("tipc/rdm", ("--bind", "18888:0-10"), ("--to", "18888:5"), peer="(3, 0, "),
    Pair("tipc/dgram", ("--bind", "18888:0-10"), ("--to", "{address}"), peer="(3, 0, "),
    Pair("tipc/stream", ("--listen", "--bind", "18889:0-10"), ("--connect", "18889:5"), peer="(3, 0, "),
    Pair("tipc/seqpacket", ("--listen", "--bind", "18890:7-7"), ("--connect", "18890:7"), peer="(3, 0, "),
    Pair("can/raw", ("--bind", "vcan0"), ("--bind", "vcan0"), ("--frame", "123#DEADBEEF"),
         read_frame("123#DEADBEEF"), "('vcan0',)"),
    Pair("can/raw", ("--bind", "vcan0", "-o", "CAN_RAW_FILTER=123:7FF"), ("--bind", "vcan0"),
         ("--frame", "123##1" + "AA" * 64), read_frame("123##5" + "AA" * 64), "('vcan0',)"),
    Pair("can/raw", ("--bind", "vcan0"), ("--connect", "vcan0"), ("--frame", "TX_SEND 345#0102"),
         read_frame("345#0102"), "('vcan0',)", sender="can/bcm"),
    Pair("can/isotp", ("--bind", "vcan0:7e0:7e8"), ("--bind", "vcan0:7e8:7e0"), ("--text", "segments " * 50),
         b"segments " * 50),
    Pair("can/j1939", ("--bind", "vcan0:0:40000:30"), ("--bind", "vcan0:0:40000:20", "--to", "vcan0:0:12300:30"),
         ("--text", "12345678"), b"12345678", "('vcan0', 0, 74496, 32)"),
    Pair("can/j1939", ("--bind", "vcan0:0:40000:30"), ("--bind", "vcan0:0:40000:20", "--to", "vcan0:0:12300:30"),
         ("--text", "more than a frame " * 20), b"more than a frame " * 20, "('', 0, 74496, 32)"),
    Pair("vsock/stream", ("--listen", "--bind", "-1:-1"), ("--connect", "1:{1}"), peer="(1, "),
    Pair("vsock/seqpacket", ("--listen", "--bind", "1:-1"), ("--connect", "1:{1}"), peer="(1, "),
    Pair("packet/raw", ("--bind", "sx1:0x88b5"), ("--bind", "sx0:0x88b5"), ("--hex", PACKET.hex()), PACKET,
         "('sx1', 34997, 1, 1, b'\\x02\\x00\\x00\\x00\\x00\\x01')"),
    Pair("packet/raw", ("--bind", "sx0:ETH_P_ALL"), ("--bind", "sx0:0x88b5"), ("--hex", PACKET.hex()), PACKET,
         "('sx0', 34997, 4, 1, b'\\x02\\x00\\x00\\x00\\x00\\x01')", "out"),
    Pair("packet/dgram", ("--bind", "sx1:0x88b5"), ("--to", "('sx0', 0x88b5, 0, 0, b'\\xff\\xff\\xff\\xff\\xff\\xff')"),
         peer="('sx1', 34997, 1, 1, "),
    Pair("qipcrtr/dgram", ("--bind", "1:0"), ("--to", "1:{1}"), peer="(1, "),
    Pair("rds/seqpacket", ("--bind", "127.0.0.1:0"), ("--bind", "127.0.0.1:0", "--to", "127.0.0.1:{1}"),
         peer="('127.0.0.1', "),
]  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.path} {' '.join(pair.watch)}")
def test_what_is_sent_is_what_is_watched(run: Run, done: Done, pair: Pair, veth: tuple[str, str]) -> None:
    if "%" in pair.watch[-1]:
        Path("/proc/sys/net/ipv6/conf/sx0/disable_ipv6").write_text("0")
        ip("addr add fe80::7/64 dev sx0 nodad")
    watch = run("watch", pair.path, *pair.watch, "--json", "--count", "1")
    address = watch.address()
    parts = address if isinstance(address, tuple) else (address,)
    target = [each.format(*parts, address=repr(address)) if "(" not in each else each for each in pair.send]
    sent = done("send", pair.sender or pair.path, *target, *pair.says, "--json")
    assert sent.returncode == 0, sent.stderr
    assert watch.end() == 0, watch.err
    row = json.loads(watch.out[0])
    payload = bytes.fromhex(row["payload"])
    arrived = payload[20:] if pair.path == "inet/raw" else payload
    assert (arrived, row["length"]) == (pair.arrives, len(payload))
    assert (row["dir"], row["truncated"]) == (pair.direction, False)
    assert str(row["peer"]).startswith(pair.peer)
    report = json.loads(sent.stdout.splitlines()[0])
    if not pair.sender:
        assert report["sent"] == len(pair.arrives)
    if pair.path.startswith("can/raw"):
        assert row["ancillary"] == {"sent_by": "this host"}


def test_every_family_and_protocol_of_the_lab_has_a_pair() -> None:
    """All but those that have tests of their own below, and those that this file is not for."""
    below = {
        "vsock/dgram",
        "netlink/route",
        "netlink/generic",
        "netlink/kobject-uevent",
        "can/bcm",
        "inet/icmp",
        "inet6/icmp",
    }
    paired = {pair.path for pair in PAIRS}
    for name in ("unix", "tipc", "can", "vsock", "packet", "qipcrtr", "rds"):
        family, _ = find(name)
        assert {f"{name}/{each.name}" for each in family.protocols} <= paired | below


def test_the_router_of_links_tells_a_watcher(run: Run) -> None:
    watch = run("watch", "netlink/route", "--bind", "LINK", "--json", "--count", "2")
    assert watch.address()[1] == 1
    ip("link add sx5 type dummy")
    ip("link del sx5")
    assert watch.end() == 0
    assert all(b"sx5\0" in bytes.fromhex(json.loads(line)["payload"]) for line in watch.out)
    watch = run("watch", "netlink/route", "--bind", "LINK", "--count", "1")
    watch.address()
    ip("link add sx5 type dummy")
    ip("link del sx5")
    assert watch.end() == 0
    assert "RTM_NEWLINK sx5 <" in watch.out[0]


def test_devices_are_told_to_a_watcher(run: Run) -> None:
    watch = run("watch", "netlink/kobject-uevent", "--bind", "UEVENT_KERNEL", "--count", "1")
    watch.address()
    ip("link add sx5 type dummy")
    ip("link del sx5")
    assert watch.end() == 0
    assert "add@/devices/virtual/net/sx5" in watch.out[0]


def test_a_dump_is_asked_for_and_printed(run: Run) -> None:
    request = "1400000012000103010000000000000000000000"
    send = run("send", "netlink/route", "--to", "0:0", "--hex", request, *UNTIL_ENDED)
    send.prints("RTM_NEWLINK lo <")
    assert send.end(signal.SIGINT) == 0


def test_an_error_of_the_kernel_in_its_own_words(run: Run) -> None:
    # RTM_NEWLINK with IFLA_LINKINFO { IFLA_INFO_KIND "none" }: EXT_ACK is on without being asked for.
    request = bytes.fromhex("30000000 1000 0506 01000000 00000000") + bytes(16) + bytes.fromhex("1000 1200 0900 0100")
    request = (request + b"none\0\0\0\0").ljust(48, b"\0")
    send = run("send", "netlink/route", "--to", "0:0", "--hex", request.hex(), *UNTIL_ENDED)
    send.prints("NLMSG_ERROR EOPNOTSUPP Operation not supported: Unknown device type")


def test_generic_families_are_printed(run: Run) -> None:
    _, protocol = find("netlink/generic")
    send = run("send", "netlink/generic", "--to", "0:0", "--text", protocol.sample, *UNTIL_ENDED)
    send.prints("nlctrl CTRL_CMD_NEWFAMILY nlctrl id 16")


@pytest.mark.parametrize(("path", "host", "reply"), [("inet/icmp", "127.0.0.1", 0), ("inet6/icmp", "::1", 129)])
def test_ping(run: Run, path: str, host: str, reply: int, ping_allowed: None) -> None:
    _, protocol = find(path)
    send = run("send", path, "--to", host, "--text", protocol.sample, "--json", *UNTIL_ENDED)
    answer = json.loads(send.printed(2)[1])
    assert bytes.fromhex(answer["payload"])[0] == reply
    assert bytes.fromhex(answer["payload"])[8:] == b"ping"


def test_the_topology_service_answers(run: Run) -> None:
    _, protocol = find("tipc/seqpacket")
    send = run("send", "tipc/seqpacket", "--connect", "1:1", "--text", protocol.sample, *UNTIL_ENDED)
    send.said("^sent 28 bytes")
    with socket.socket(socket.AF_TIPC, socket.SOCK_RDM) as sock:
        sock.bind((1, 1000, 3, 4, 3))
        assert "PUBLISHED 1000:3-4 by node 0 ref" in send.printed(1)[0]
    assert "WITHDRAWN 1000:3-4 by node 0 ref" in send.printed(2)[1]
    assert send.end(signal.SIGINT) == 0


def test_the_name_service_answers(run: Run) -> None:
    _, protocol = find("qipcrtr/dgram")
    send = run("send", "qipcrtr/dgram", "--to", "1:control", "--text", protocol.sample, *UNTIL_ENDED)
    send.prints("1:control     20  NEW_SERVER end of the list")


def test_an_address_is_claimed(run: Run, done: Done) -> None:
    watch = run(
        "watch", "can/j1939", "--bind", "vcan0:0:40000:ff", "-o", "SO_BROADCAST=1", "-o", "SO_J1939_PROMISC=1",
        "--count", "1",
    )  # fmt: skip
    watch.address()
    name = 0x1122334455667788
    # The socket stays for longer than a claim takes, 250 ms: Linux 6.12 never lets go of an interface whose claimer was
    # closed before, and `ip link del` of it waits for ever.
    result = done(
        "send", "can/j1939", "--bind", f"vcan0:{name:x}:40000:80", "-o", "SO_BROADCAST=1", "--to", "vcan0:0:ee00:ff",
        "--hex", name.to_bytes(8, "little").hex(), "--wait", "1",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert watch.end() == 0
    assert "NAME 0x1122334455667788 claims address 0x80" in watch.out[0]


def test_a_flow_of_segments_as_asked_for(run: Run, done: Done) -> None:
    watch = run("watch", "can/isotp", "--bind", "vcan0:7e0:7e8", "-o", "CAN_ISOTP_RECV_FC=bs=4,stmin=1", "--count", "1")
    watch.address()
    wire = run("watch", "can/raw", "--bind", "vcan0", "-o", "CAN_RAW_FILTER=7E8:7FF", "--count", "1")
    wire.address()
    send = ("send", "can/isotp", "--bind", "vcan0:7e8:7e0", "-o", "CAN_ISOTP_OPTS=flags=TX_PADDING txpad_content=0x55")
    assert done(*send, "--text", "asked for by flow control").returncode == 0
    assert watch.end() == wire.end() == 0
    assert "asked for by flow control" in watch.out[0]
    assert "7E8#300401" in wire.out[0]


def test_the_broadcast_manager_sends_while_it_is_held(run: Run) -> None:
    watch = run("watch", "can/raw", "--bind", "vcan0", "--count", "4")
    watch.address()
    send = run("send", "can/bcm", "--connect", "vcan0", "--frame", "TX_SETUP 345#6869 ival2=20ms", *UNTIL_ENDED)
    assert watch.end() == 0
    assert all(line.endswith("vcan0     16  345#6869") for line in watch.out)
    send.end(signal.SIGINT)


def test_the_broadcast_manager_tells_of_content_that_changed(run: Run, done: Done) -> None:
    listen = run("send", "can/bcm", "--connect", "vcan0", "--frame", "RX_SETUP 456#FF00", "--json", *UNTIL_ENDED)
    listen.printed(1)
    assert json.loads(listen.out[0])["sent"] == len(read_bcm("RX_SETUP 456#FF00"))
    for frame in ("456#0101", "456#0102", "456#0203"):
        assert done("send", "can/raw", "--bind", "vcan0", "--frame", frame).returncode == 0
    rows = [json.loads(line) for line in listen.printed(3)[1:]]
    assert [bytes.fromhex(row["payload"])[-16:] for row in rows] == [read_frame("456#0101"), read_frame("456#0203")]
    listen.end(signal.SIGINT)


def test_people_read_frames_and_statistics(run: Run, done: Done, veth: tuple[str, str]) -> None:
    watch = run("watch", "can/raw", "--bind", "vcan0", "--count", "1")
    watch.address()
    done("send", "can/raw", "--bind", "vcan0", "--frame", "12345678#R4")
    assert watch.end() == 0
    assert "vcan0     16  12345678#R4" in watch.out[0]
    watch = run("watch", "packet/raw", "--bind", "sx1:0x88b5", "--count", "1")
    watch.address()
    assert done("send", "packet/raw", "--bind", "sx0:0x88b5", "--hex", PACKET.hex()).returncode == 0
    assert watch.end() == 0
    assert "sx1 0x88b5 02:00:00:00:00:01 broadcast" in watch.out[0]
    assert watch.err[-1] == "1 frame; the kernel dropped 0 of 1"


def test_credentials_and_descriptors_are_printed(run: Run) -> None:
    watch = run("watch", "unix/dgram", "--bind", "", "--json", "--count", "1")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock, socket.socket(socket.AF_TIPC, socket.SOCK_RDM) as it:
        sock.connect(watch.address())
        socket.send_fds(sock, [b"take"], [it.fileno()])
        assert watch.end() == 0
    beside = json.loads(watch.out[0])["ancillary"]
    assert beside["credentials"] == {"pid": os.getpid(), "uid": os.getuid(), "gid": os.getgid()}
    assert beside["descriptors"][0].startswith("AF_TIPC SOCK_RDM")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["can/raw", "--bind", "vcan0", "--frame", "123"], "is no frame"),
        (["can/bcm", "--connect", "vcan0", "--frame", "LOUDER 123#"], "is no command"),
        (["can/isotp", "--bind", "vcan0:7e0:7e8", "--frame", "123#"], "no notation"),
        (["can/raw", "--bind", "vcan0", "--frame", "123#", "--text", "x"], "give one of --text and --frame"),
        (["can/raw", "--bind", "vcan0", "--frame", "123#", "-o", "CAN_RAW_FILTER=12"], "is no filter"),
    ],
)
def test_wrong_usage(done: Done, arguments: list[str], reason: str) -> None:
    result = done("send", *arguments)
    assert result.returncode == 2
    assert reason in result.stderr.replace("\n", " ")
