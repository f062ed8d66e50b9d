"""AF_NETLINK: groups while links come and go, dumps, generic netlink, events of devices, errors in words."""

from __future__ import annotations

import errno
import os
import socket
import struct
from pathlib import Path

import pytest
from support import Desk, ip, rows

from sockexplorer.capture.log import Frame
from sockexplorer.client.session import Session
from sockexplorer.core.endpoint import SetOption
from sockexplorer.core.payload import from_text
from sockexplorer.decoders import decode
from sockexplorer.decoders.tree import Node
from sockexplorer.families import family

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK = 16, 17, 18, 19
LINK, IPV4_IFADDR, IPV6_IFADDR = 0x1, 0x10, 0x100
REQUEST, ACK, DUMP = 0x1, 0x4, 0x300
IFLA_IFNAME, IFLA_MTU, IFLA_LINKINFO, IFLA_INFO_KIND = 3, 4, 18, 1
EXT_ACK = SetOption("SOL_NETLINK", "NETLINK_EXT_ACK", 1)
KERNEL = (0, 0)


def message(kind: int, body: bytes, flags: int = REQUEST | ACK) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 7, 0) + body


def attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(data), kind) + data.ljust((len(data) + 3) & ~3, b"\0")


def ifinfo(index: int = 0) -> bytes:
    return struct.pack("=BxHiII", 0, 0, index, 0, 0)


def tree(session: Session, frame: Frame) -> Node:
    return decode(session.family.constant, session.protocol.name, frame.payload)


def messages(session: Session) -> list[Node]:
    """Every netlink message that came."""
    came = [each for each in rows(session) if not each.event and not each.outgoing]
    return [node for each in came for node in tree(session, each).children]


def said(session: Session) -> list[str]:
    """The summaries of what came."""
    return [session.summary(each) for each in rows(session) if not each.event and not each.outgoing]


def test_groups_while_links_and_addresses_come_and_go(desk: Desk) -> None:
    session = desk.open("netlink/route", local=(0, LINK | IPV4_IFADDR | IPV6_IFADDR))
    assert isinstance(session.local, tuple)
    assert session.local[1] == LINK | IPV4_IFADDR | IPV6_IFADDR
    ip("link add sx0 type dummy")
    try:
        ip("addr add 192.0.2.1/24 dev sx0")
        ip("link set sx0 up")
        ip("link set sx0 mtu 1300")
    finally:
        ip("link del sx0")
    desk.until(lambda: any(each.startswith("RTM_DELLINK sx0") for each in said(session)), "the end of the link")
    told = said(session)
    assert told[0].startswith("RTM_NEWLINK sx0 <")
    assert "RTM_NEWADDR 192.0.2.1/24 on sx0" in told
    assert any(each.startswith("RTM_NEWADDR fe80::") and "/64 on" in each for each in told)
    assert any(each.startswith("RTM_NEWLINK sx0 <") and "UP" in each for each in told)
    assert any(each.endswith("mtu 1300") for each in told)
    assert "RTM_DELADDR 192.0.2.1/24 on sx0" in told
    groups = {each[:11]: session.peers[frame.peer].address for each, frame in zip(told, rows(session), strict=False)}
    assert groups["RTM_NEWLINK"] == groups["RTM_DELLINK"] == (0, LINK)
    assert groups["RTM_NEWADDR"] in ((0, IPV4_IFADDR), (0, IPV6_IFADDR))


def test_the_sample_asks_for_every_link(desk: Desk) -> None:
    session = desk.open("netlink/route", local=(0, 0))
    desk.send(session, from_text(family("netlink").protocol("route").sample), to=KERNEL)
    desk.until(lambda: any(node.name == "NLMSG_DONE" for node in messages(session)), "the end of the dump")
    assert messages(session)[-1].name == "NLMSG_DONE"
    names = [part.value for each in messages(session) for part in each.children if part.name == "IFNAME"]
    assert sorted(names) == sorted(name for _, name in socket.if_nameindex())
    assert {"lo", "vcan0"} <= set(names)
    desk.until(lambda: session.log.sent, "the row of the request")
    request = next(each for each in rows(session) if each.outgoing)
    assert session.summary(request).startswith("RTM_GETLINK")
    assert "NLM_F_REQUEST|NLM_F_DUMP" in {part.value for _, part in tree(session, request).walk()}


def generic_families(desk: Desk, session: Session) -> dict[str, dict[str, str]]:
    """The fields of every family by name, asked for with the composer's sample."""
    desk.send(session, from_text(family("netlink").protocol("generic").sample), to=KERNEL)
    desk.until(lambda: any(node.name == "NLMSG_DONE" for node in messages(session)), "the end of the dump")
    return {
        node.value.split()[1]: {part.name: part.value for part in node.children}
        for node in messages(session)
        if node.name == "nlctrl"
    }


def test_generic_netlink_tells_its_families(desk: Desk) -> None:
    session = desk.open("netlink/generic", local=(0, 0), options=(EXT_ACK,))
    families = generic_families(desk, session)
    assert {"nlctrl", "TIPCv2", "mptcp_pm"} <= set(families)
    assert families["nlctrl"]["FAMILY_ID"] == "16"
    assert families["nlctrl"]["MCAST_GROUPS"] == "notify 16"
    # A family by name gives its number; one that is not there an error.
    before = len(said(session))
    asked = struct.pack("=BBH", 3, 1, 0)
    desk.send(session, message(16, asked + attribute(2, b"TIPCv2\0"), REQUEST), to=KERNEL)
    desk.until(lambda: len(said(session)) > before, "the answer")
    number = families["TIPCv2"]["FAMILY_ID"]
    assert said(session)[-1].startswith(f"nlctrl CTRL_CMD_NEWFAMILY TIPCv2 id {number} version ")
    desk.send(session, message(16, asked + attribute(2, b"nobody\0"), REQUEST), to=KERNEL)
    desk.until(lambda: len(said(session)) > before + 1, "the error")
    assert said(session)[-1].startswith("NLMSG_ERROR ENOENT")


def test_a_group_by_its_number(desk: Desk) -> None:
    """What has only a number, as the groups of generic netlink: one tells of MPTCP connections."""
    asking = desk.open("netlink/generic", local=(0, 0))
    manager = generic_families(desk, asking)["mptcp_pm"]
    groups = dict(each.split() for each in manager["MCAST_GROUPS"].split(", "))
    number = int(groups["mptcp_pm_events"])
    options = (
        SetOption("SOL_NETLINK", "NETLINK_ADD_MEMBERSHIP", number),
        SetOption("SOL_NETLINK", "NETLINK_PKTINFO", 1),
    )
    session = desk.open("netlink/generic", local=(0, 0), options=options)
    server = desk.open("inet/mptcp", "listen", ("127.0.0.1", 0))
    desk.open("inet/mptcp", "connect", remote=server.local)
    frame = desk.incoming(session, 1)[0]
    assert frame.meta == {"group": number}
    kind = struct.unpack_from("=H", frame.payload, 4)[0]
    assert kind == int(manager["FAMILY_ID"])
    assert session.summary(frame).startswith(f"type {kind} command ")


def test_the_group_stands_beside_the_message(desk: Desk) -> None:
    session = desk.open("netlink/route", local=(0, LINK), options=(SetOption("SOL_NETLINK", "NETLINK_PKTINFO", 1),))
    ip("link add sx0 type dummy")
    ip("link del sx0")
    frames = desk.incoming(session, 2)
    assert [each.meta for each in frames] == [{"group": 1}, {"group": 1}]


def test_devices_come_and_go(desk: Desk) -> None:
    session = desk.open("netlink/kobject-uevent", local=(0, 1))
    ip("link add sx0 type dummy")
    ip("link del sx0")
    desk.until(lambda: "remove@/devices/virtual/net/sx0" in said(session), "the device's end")
    told = {session.summary(each): each for each in rows(session)}
    added = {node.name: node.value for node in tree(session, told["add@/devices/virtual/net/sx0"]).children}
    assert added["ACTION"] == "add"
    assert added["SUBSYSTEM"] == "net"
    assert added["INTERFACE"] == "sx0"
    assert added["SEQNUM"].isdecimal()
    assert session.peers[told["add@/devices/virtual/net/sx0"].peer].address == (0, 1)


@pytest.mark.parametrize("capped", [False, True])
def test_an_error_says_in_words_what_was_wrong_and_where(desk: Desk, capped: bool) -> None:
    options = (EXT_ACK, *((SetOption("SOL_NETLINK", "NETLINK_CAP_ACK", 1),) if capped else ()))
    session = desk.open("netlink/route", local=(0, 0), options=options)
    # An MTU of two bytes, after a name that is right: byte 16 + 16 + 8 is where it stands.
    request = message(RTM_SETLINK, ifinfo(1) + attribute(IFLA_IFNAME, b"lo\0") + attribute(IFLA_MTU, b"\0\0"))
    desk.send(session, request, to=KERNEL)
    frame = desk.incoming(session, 1)[0]
    outcome = {node.name: node for node in tree(session, frame).children[0].children}
    assert outcome["error"].value == f"{errno.errorcode[errno.ERANGE]} {os.strerror(errno.ERANGE)}"
    assert outcome["request"].value == "RTM_SETLINK"
    assert outcome["OFFS"].value == "byte 40" + ("" if capped else ", attribute 4 MTU")
    assert ("CAPPED" in outcome["flags"].value) is capped
    assert "ACK_TLVS" in outcome["flags"].value
    words = outcome["MSG"].value
    assert words.encode() in frame.payload
    summary = session.summary(frame)
    assert summary.startswith("NLMSG_ERROR ERANGE")
    assert words in summary
    assert "byte 40" in summary


def test_an_error_in_words_alone(desk: Desk) -> None:
    session = desk.open("netlink/route", local=(0, 0), options=(EXT_ACK,))
    kind = attribute(IFLA_LINKINFO, attribute(IFLA_INFO_KIND, b"nothing\0"))
    desk.send(session, message(RTM_NEWLINK, ifinfo() + kind, REQUEST | ACK | 0x600), to=KERNEL)
    told = session.summary(desk.incoming(session, 1)[0])
    assert told == "NLMSG_ERROR EOPNOTSUPP Operation not supported: Unknown device type"


def test_without_the_option_there_are_no_words(desk: Desk) -> None:
    session = desk.open("netlink/route", local=(0, 0), options=(SetOption("SOL_NETLINK", "NETLINK_EXT_ACK", 0),))
    kind = attribute(IFLA_LINKINFO, attribute(IFLA_INFO_KIND, b"nothing\0"))
    desk.send(session, message(RTM_NEWLINK, ifinfo() + kind, REQUEST | ACK | 0x600), to=KERNEL)
    assert session.summary(desk.incoming(session, 1)[0]) == "NLMSG_ERROR EOPNOTSUPP Operation not supported"


def test_strict_checks(desk: Desk) -> None:
    """A dump whose header asks for one interface: taken as a dump of all, or refused."""
    request = message(RTM_GETLINK, struct.pack("=BxHiII", 0, 1, 1, 0, 0), REQUEST | DUMP)
    lax = desk.open("netlink/route", local=(0, 0), options=(EXT_ACK,))
    desk.send(lax, request, to=KERNEL)
    assert lax.summary(desk.incoming(lax, 1)[0]).startswith("RTM_NEWLINK")
    strict = SetOption("SOL_NETLINK", "NETLINK_GET_STRICT_CHK", 1)
    session = desk.open("netlink/route", local=(0, 0), options=(EXT_ACK, strict))
    desk.send(session, request, to=KERNEL)
    summary = session.summary(desk.incoming(session, 1)[0])
    # A dump that fails ends with the error.
    assert summary == "NLMSG_DONE EINVAL Invalid argument: Invalid values in header for link dump request"


def test_every_unix_socket_by_the_sample(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "asked for"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(path))
        session = desk.open("netlink/sock-diag", local=(0, 0))
        desk.send(session, from_text(family("netlink").protocol("sock-diag").sample), to=KERNEL)
        desk.until(lambda: any(node.name == "NLMSG_DONE" for node in messages(session)), "the end of the dump")
    assert any(bytes(path) in each.payload for each in rows(session) if not each.outgoing)


def test_messages_between_processes(desk: Desk) -> None:
    session = desk.open("netlink/usersock", local=(0, 0))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_USERSOCK) as peer:
        peer.bind((0, 0))
        peer.settimeout(20)
        peer.sendto(b"from a process", session.local)  # type: ignore[arg-type]
        frame = desk.incoming(session, 1)[0]
        assert (frame.payload, frame.length) == (b"from a process", 14)
        assert session.peers[frame.peer].address == peer.getsockname()
        desk.send(session, b"to a process", to=peer.getsockname())
        assert peer.recvfrom(100) == (b"to a process", session.local)


def test_processes_come_and_go(desk: Desk) -> None:
    """The connector's group of process events, once its listener is counted (struct cn_msg, PROC_CN_MCAST_LISTEN)."""
    session = desk.open("netlink/connector", local=(0, 1))
    listen = struct.pack("=IIIIHHI", 1, 1, 0, 0, 4, 0, 1)
    desk.send(session, message(3, listen, 0), to=KERNEL)
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)

    def ended() -> bool:
        # cn_msg has 20 bytes, proc_event what, cpu and timestamp before the process id: PROC_EVENT_EXIT is 1 << 31.
        events = [each.payload for each in rows(session) if not each.event and not each.outgoing]
        return any(
            len(each) >= 56 and struct.unpack_from("=I", each, 36)[0] == 0x80000000
            and struct.unpack_from("=i", each, 52)[0] == child
            for each in events
        )  # fmt: skip

    desk.until(ended, "the end of a process")
