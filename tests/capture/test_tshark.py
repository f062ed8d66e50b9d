"""tshark reads what is recorded of every family: the protocol, who with whom, the ports, and the payload."""

from __future__ import annotations

import ast
import shutil
import struct
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from support import PATIENCE

from sockexplorer.capture.link_types import Origin
from sockexplorer.capture.log import Frame
from sockexplorer.capture.recording import Recording
from sockexplorer.capture.sink import FileSink
from sockexplorer.core.canframes import read_frame
from sockexplorer.core.frames import Flag
from sockexplorer.families import all_families

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

DNS = bytes.fromhex("123401000001000000000000076578616d706c65036f72670000010001")
LINKS = struct.pack("=IHHIIBxHiII", 32, 18, 0x301, 7, 0, 0, 0, 0, 0, 0)
"""RTM_GETLINK with NLM_F_REQUEST | NLM_F_DUMP."""
PING4 = bytes.fromhex("4500001c000100004001 0000 7f000001 7f000001 0800f7fe00000001".replace(" ", ""))
ETHERNET = bytes.fromhex("ffffffffffff020000000001") + b"\x08\x00" + PING4
MULTICAST = ("eth0", 0x0800, 1, 1, bytes.fromhex("020000000001"))
LO = ("lo", 0x0800, 0, 772, bytes(6))
HCI_RESET = bytes.fromhex("01030c00")
MONITORED = struct.pack("<HHH", 2, 0, 3) + HCI_RESET[1:]


class Case(NamedTuple):
    origin: Origin
    peer: object
    payload: bytes
    expected: dict[str, str]
    """Fields of tshark and what they have to be; ``chain`` is the end of frame.protocols."""
    outgoing: bool = False


HERE4, THERE4 = ("127.0.0.1", 9999), ("192.0.2.7", 53)
HERE6, THERE6 = ("::1", 9999, 0, 0), ("2001:db8::7", 80, 0, 0)
PDU4 = {
    "exported_pdu.ipv4_src": "192.0.2.7", "exported_pdu.ipv4_dst": "127.0.0.1", "exported_pdu.src_port": "53",
    "exported_pdu.dst_port": "9999",
}  # fmt: skip
PDU6 = {
    "exported_pdu.ipv6_src": "::1", "exported_pdu.ipv6_dst": "2001:db8::7", "exported_pdu.src_port": "9999",
    "exported_pdu.dst_port": "80",
}  # fmt: skip


def plain(path: str, local: object = None, peer: object = None, **more: str) -> Case:
    """A payload that no dissector of Wireshark knows."""
    expected = {"chain": "exported_pdu:data", "data.data": "68656c6c6f", "exported_pdu.col_proto_str": path}
    return Case(Origin(path, 0, local), peer, b"hello", expected | more)


CASES = [
    Case(Origin("inet/udp", 0, HERE4), THERE4, DNS, {"chain": "dns", "dns.qry.name": "example.org", **PDU4,
         "exported_pdu.port_type": "3"}),
    plain("inet/udplite", HERE4, ("192.0.2.7", 5), **{"exported_pdu.src_port": "5", "exported_pdu.port_type": "3"}),
    Case(Origin("inet6/tcp", 0, HERE6), THERE6, b"GET / HTTP/1.0\r\n\r\n", {"chain": "http", **PDU6,
         "http.request.method": "GET", "exported_pdu.port_type": "2"}, outgoing=True),
    plain("inet/mptcp", HERE4, ("192.0.2.7", 5), **{"exported_pdu.port_type": "2"}),
    plain("inet/sctp", HERE4, THERE4, **PDU4, **{"exported_pdu.port_type": "1"}),
    plain("inet/dccp", HERE4, THERE4, **PDU4, **{"exported_pdu.port_type": "4"}),
    Case(Origin("inet/icmp", 1, ("0.0.0.0", 1)), ("127.0.0.1", 0), PING4[20:], {"chain": "icmp", "icmp.type": "8",
         "exported_pdu.ipv4_src": "127.0.0.1"}),
    Case(Origin("inet/raw", 1, ("0.0.0.0", 1)), ("127.0.0.1", 0), PING4, {"chain": "raw:ip:icmp", "icmp.type": "8"}),
    Case(Origin("inet/raw", 1, ("0.0.0.0", 1)), ("127.0.0.1", 0), PING4[20:], {"chain": "icmp", "icmp.type": "8"},
         outgoing=True),
    Case(Origin("inet6/raw", 58, ("::1", 0, 0, 0)), ("::1", 0, 0, 0), bytes.fromhex("8000000000000001"),
         {"chain": "icmpv6", "icmpv6.type": "128", "exported_pdu.ipv6_src": "::1"}),
    plain("unix/stream", "/tmp/a.sock", None, **{"frame.comment": ""}),
    plain("unix/dgram", b"\0abstract", "/tmp/b.sock", **{"frame.comment": "peer: '/tmp/b.sock'"}),
    Case(Origin("netlink/route", 0, (7, 0)), (0, 0), LINKS, {"chain": "netlink:netlink-route", "frame.comment": "",
         "netlink-route.nltype": "18"}),
    Case(Origin("netlink/generic", 16, (7, 0)), (0, 16), LINKS, {"chain": "netlink:genl:data",
         "frame.comment": "peer: (0, 16)"}),
    Case(Origin("packet/raw", 3, ("eth0", 3, 0, 1, b"")), MULTICAST, ETHERNET, {"chain": "eth:ethertype:ip:icmp",
         "eth.src": "02:00:00:00:00:01", "frame.interface_description": "eth0", "frame.comment": ""}),
    Case(Origin("packet/dgram", 3, ("lo", 3, 0, 772, b"")), LO, PING4, {"chain": "sll:ethertype:ip:icmp",
         "sll.hatype": "772"}),
    Case(Origin("vsock/stream", 0, (2, 1234)), (3, 5555), b"hello", {"chain": "vsock", "vsock.src_cid": "3",
         "vsock.src_port": "5555", "vsock.dst_cid": "2", "vsock.dst_port": "1234", "vsock.payload": "68656c6c6f"}),
    plain("can/bcm", None, ("vcan0",)),
    plain("can/isotp", ("vcan0", 1, 2), ("vcan0", 1, 2)),
    plain("can/j1939", ("vcan0", 0, 1, 2), ("vcan0", 0, 1, 2)),
    Case(Origin("can/raw", 1, ("vcan0",)), ("vcan0",), read_frame("123#DEADBEEF"), {"chain": "can:data",
         "can.id": "291", "can.len": "4", "data.data": "deadbeef", "frame.comment": ""}),
    Case(Origin("can/raw", 1, ("vcan0",)), ("vcan0",), read_frame("12345678##1" + "AB" * 12),
         {"can.id": str(0x12345678), "chain": "can:data", "canfd.flags.brs": "1", "data.data": "ab" * 12}),
    plain("tipc/rdm", (1, 1000, 0, 10), (3, 5, 6, 7)),
    Case(Origin("bluetooth/hci", 1, (0, 0)), None, HCI_RESET, {"chain": "bluetooth:hci_h4:bthci_cmd",
         "bthci_cmd.opcode": "0x0c03", "hci_h4.direction": "0x00"}, outgoing=True),
    Case(Origin("bluetooth/hci", 1, (0xFFFF, 2)), None, MONITORED, {"bthci_cmd.opcode": "0x0c03",
         "chain": "bluetooth:hci_mon:bthci_cmd"}),
    plain("bluetooth/hci", (0xFFFF, 3), None),
    plain("bluetooth/l2cap", ("00:00:00:00:00:00", 1), ("00:11:22:33:44:55", 1)),
    plain("bluetooth/rfcomm"), plain("bluetooth/sco"), plain("qipcrtr/dgram", (1, 5), (1, 6)), plain("alg/hash"),
    plain("rds/seqpacket", HERE4, THERE4, **PDU4), plain("system/control"), plain("hyperv/raw"), plain("key/raw"),
    Case(Origin("divert/raw", 0, None), None, PING4, {"chain": "raw:ip:icmp"}),
]  # fmt: skip


def record(path: Path, cases: list[Case]) -> None:
    """All cases in one file, a session each."""
    sink = FileSink(path)
    recording = Recording(sink)
    for number, case in enumerate(cases):
        flags = Flag.OUT if case.outgoing else 0
        frame = Frame(number, 1_700_000_000_123_456_789 + number, len(case.payload), 1, int(flags), case.payload, {})
        literal = None if case.peer is None else repr(case.peer)
        recording.add(number, case.origin, frame, case.peer, literal)
        recording.dropped(number, number)
    recording.flush()
    sink.close()


def tshark(path: Path, *fields: str) -> list[dict[str, str]]:
    """The fields of every frame, as tshark prints them."""
    command = ["tshark", "-r", str(path), "-T", "fields", "-E", "separator=/t", "-E", "occurrence=f"]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3 * PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return [dict(zip(fields, line.split("\t"), strict=True)) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    path = tmp_path_factory.mktemp("tshark") / "all.pcapng"
    record(path, CASES)
    wanted = sorted({name for case in CASES for name in case.expected} - {"chain"})
    return tshark(path, "frame.protocols", "frame.time_epoch", "frame.packet_flags_direction", *wanted)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{case.origin.path}-{at}" for at, case in enumerate(CASES)])
def test_each_frame_is_read_back(seen: list[dict[str, str]], number: int) -> None:
    case, row = CASES[number], seen[number]
    assert len(seen) == len(CASES)
    assert row["frame.protocols"].endswith(case.expected.get("chain", "")), row["frame.protocols"]
    told = {name: value.lower() for name, value in row.items() if name in case.expected}
    assert told == {name: value.lower() for name, value in case.expected.items() if name != "chain"}
    assert row["frame.time_epoch"] == f"1700000000.{123456789 + number}"
    assert int(row["frame.packet_flags_direction"], 0) == (2 if case.outgoing else 1)


def test_every_family_is_among_the_cases() -> None:
    assert {each.name for each in all_families()} <= {case.origin.family for case in CASES}


SAMPLES = {"can/raw": read_frame("123#DEADBEEF"), "packet/raw": ETHERNET, "packet/dgram": PING4, "divert/raw": PING4,
           "inet/icmp": PING4[20:], "inet/raw": PING4, "netlink": LINKS}  # fmt: skip
LINKS_OF_THEIR_OWN = {"can/raw": "can", "packet/raw": "eth", "packet/dgram": "sll", "divert/raw": "raw:ip",
                      "inet/raw": "raw:ip", "bluetooth/hci": "bluetooth", "netlink": "netlink",
                      "vsock": "vsock"}  # fmt: skip


def test_every_protocol_of_every_family_in_both_directions(tmp_path: Path) -> None:
    cases = []
    for family in all_families():
        for protocol in family.protocols:
            path = f"{family.name}/{protocol.name}"
            address = ast.literal_eval(family.example(protocol))
            payload = SAMPLES.get(path, SAMPLES.get(family.name, b"hello"))
            origin = Origin(path, protocol.proto_number or 0, address)
            cases += [Case(origin, address, payload, {}, outgoing) for outgoing in (False, True)]
    record(tmp_path / "every.pcapng", cases)
    seen = tshark(tmp_path / "every.pcapng", "frame.protocols", "exported_pdu.col_proto_str", "_ws.malformed")
    assert len(seen) == len(cases) > 100
    for case, row in zip(cases, seen, strict=True):
        path = case.origin.path
        own = LINKS_OF_THEIR_OWN.get(path, LINKS_OF_THEIR_OWN.get(case.origin.family, ""))
        if path == "inet/raw" and case.outgoing:
            own = ""
        assert row["frame.protocols"].startswith(own or "exported_pdu:"), path
        assert row["exported_pdu.col_proto_str"] == ("" if own else path)
        if path in SAMPLES and (path, case.outgoing) != ("inet/raw", True):
            assert row["_ws.malformed"] == "", path


def test_drops_are_told(tmp_path: Path) -> None:
    record(tmp_path / "d.pcapng", CASES[:3])
    said = subprocess.run(
        ["capinfos", "-I", tmp_path / "d.pcapng"], capture_output=True, text=True, timeout=PATIENCE, check=True
    ).stdout
    assert said.count("Number of stat entries = 1") == 2


def test_a_message_that_is_too_long_for_a_packet_is_cut_and_says_so(tmp_path: Path) -> None:
    """Wireshark would read neither it nor what follows."""
    path, sink = tmp_path / "long.pcapng", FileSink(tmp_path / "long.pcapng")
    recording = Recording(sink)
    for number, length in enumerate((262_144, 300_000, 1)):
        frame = Frame(number, number, length, 1, 0, bytes(length), {})
        recording.add("key", Origin("unix/seqpacket", 0, "/tmp/a"), frame, None, None)
    recording.flush()
    sink.close()
    command = ["tshark", "-r", str(path), "-T", "fields"]
    for field in ("frame.cap_len", "frame.len", "frame.comment"):
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    ahead = int(rows[2][0]) - 1
    assert [int(kept) for kept, *_ in rows] == [262_144, 262_144, 1 + ahead]
    assert [int(length) for _, length, _ in rows] == [262_144 + ahead, 300_000 + ahead, 1 + ahead]
    assert rows[1][2] == f"{300_000 + ahead - 262_144} bytes more than a packet may have were left out"
    assert rows[2][2] == ""
