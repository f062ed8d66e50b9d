"""Addresses with nothing around them: who may have meant them, and who most likely did."""

from __future__ import annotations

import pytest

from sockexplorer.families import find
from sockexplorer.notations import read


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("('127.0.0.1', 80)", "inet/udp"),
        ("('', 80)", "inet/udp"),
        ("('example.org', 80)", "inet/udp"),
        ("('::1', 80)", "inet6/udp"),
        ("('::1', 80, 0, 0)", "inet6/udp"),
        ("('fe80::1', 80, 0, 2)", "inet6/udp"),
        ("'/run/x.sock'", "unix/stream"),
        ("b'\\0name'", "unix/stream"),
        ("(0, 0x11)", "netlink/route"),
        ("('lo', 3)", "packet/raw"),
        ("('lo', ETH_P_IP)", "packet/raw"),
        ("('eth7', 2048, 0, 1, b'\\0\\0\\0\\0\\0\\0')", "packet/raw"),
        ("('vcan0',)", "can/raw"),
        ("('can1', 0x123, 0x321)", "can/isotp"),
        ("('vcan0', 0, 0x40000, 0x20)", "can/j1939"),
        ("(4294967295, 1234)", "vsock/stream"),
        ("(socket.VMADDR_CID_HOST, 1234)", "vsock/stream"),
        ("(1, 1000, 0, 10)", "tipc/stream"),
        ("(1, 0xfffffffe)", "vsock/stream"),
        ("('00:1A:7D:DA:71:13', 3)", "bluetooth/l2cap"),
        ("('hash', 'sha256')", "alg/hash"),
        ("127.0.0.1:80", "inet/udp"),
        ("example.org:80", "inet/udp"),
        ("[::1]:80", "inet6/udp"),
        ("[fe80::1%lo]:80", "inet6/udp"),
        ("fe80::1%lo", "inet6/icmp"),
        ("10.0.0.1", "inet/icmp"),
        ("/run/x.sock", "unix/stream"),
        ("./x.sock", "unix/stream"),
        ("@name", "unix/stream"),
        ("LINK|IPV4_IFADDR", "netlink/route"),
        ("lo", "packet/raw"),
        ("lo:ETH_P_ARP", "packet/raw"),
        ("vcan0", "can/raw"),
        ("vcan0:7e8:7e0", "can/isotp"),
        ("any:1234", "vsock/stream"),
        ("1000:0-10", "tipc/stream"),
        ("hci0", "bluetooth/hci"),
    ],
)
def test_the_likeliest_comes_first(text: str, path: str) -> None:
    first = read(text)[0]
    assert (first.family, first.protocol) == find(path)
    assert first.operation is None
    assert first.local is not None
    assert first.notation in ("Python literal", "address as typed")


def test_every_protocol_that_takes_it_is_a_candidate() -> None:
    found = {f"{each.family.name}/{each.protocol.name}" for each in read("('127.0.0.1', 80)")}
    assert {"inet/udp", "inet/tcp", "inet/raw", "rds/seqpacket", "packet/raw"} <= found
    assert "inet6/udp" not in found
    assert {each.family.name for each in read("127.0.0.1:80")} <= {"inet", "rds", "divert"}


def test_an_address_of_a_protocol_that_only_connects_is_remote() -> None:
    found = {each.protocol.name: each for each in read("('vcan0',)")}
    assert found["bcm"].remote == ("vcan0",)
    assert found["bcm"].local is None


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "\n", "hello", "hello world", "80", "TCP", "foo(bar)", "a:b", "http://example.org/", "x" * 600, "('a'",
        "(1,)(2,)", "print('x')", "[1, 2]", "{1: 2}", "None", "1.5", "the address is 127.0.0.1:80", "((1, 2), 3)",
        "127.0.0.1:80\n127.0.0.1:81", "f'{1}'", "a.b",
    ],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    assert read(text) == []


def test_the_form_in_sight_comes_first() -> None:
    assert read("('127.0.0.1', 80)", find("inet/tcp"))[0].protocol.name == "tcp"
    assert read("(3, 4)", find("qipcrtr/dgram"))[0].family.name == "qipcrtr"
    assert read("127.0.0.1:80", find("rds/seqpacket"))[0].family.name == "rds"
    # Where it does not accept the text, the others are as they were.
    assert read("('127.0.0.1', 80)", find("unix/dgram")) == read("('127.0.0.1', 80)")
    # A notation that names its family is not an address of the form's, whatever that would take.
    assert read("TCP4:127.0.0.1:80", find("unix/dgram"))[0].family.name == "inet"
    assert read("  0: 0100007F:1F90 00000000:0000 0A", find("inet/mptcp"))[0].protocol.name == "mptcp"
