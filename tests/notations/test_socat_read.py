"""socat's addresses in all their dresses."""

from __future__ import annotations

import os
import socket
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.core.endpoint import SetOption
from sockexplorer.families import find
from sockexplorer.notations import Reading, read
from sockexplorer.notations.socat_syntax import addresses, data, escaped

ANY4, ANY6 = "0.0.0.0", "::"
LO = socket.if_nametoindex("lo").to_bytes(4, sys.byteorder).hex()


def shown(found: Reading) -> tuple[str, object, object, object]:
    return (f"{found.family.name}/{found.protocol.name}", found.operation, found.local, found.remote)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("TCP4:127.0.0.1:80", ("inet/tcp", "connect", None, ("127.0.0.1", 80))),
        ("tcp4-connect:127.0.0.1:0x50", ("inet/tcp", "connect", None, ("127.0.0.1", 80))),
        ("INET4:127.0.0.1:http", ("inet/tcp", "connect", None, ("127.0.0.1", 80))),
        ("TCP:[::1]:80,bind=[::1]:5", ("inet6/tcp", "connect", ("::1", 5), ("::1", 80))),
        ("tcp:127.0.0.1:80,sourceport=5", ("inet/tcp", "connect", (ANY4, 5), ("127.0.0.1", 80))),
        ("TCP:example.org:80,pf=ip6", ("inet6/tcp", "connect", None, ("example.org", 80))),
        ("TCP-LISTEN:80,bind=127.0.0.1,reuseaddr,fork", ("inet/tcp", "listen", ("127.0.0.1", 80), None)),
        ("tcp-l:80", ("inet/tcp", "listen", (ANY4, 80), None)),
        ("TCP6-L:80", ("inet6/tcp", "listen", (ANY6, 80), None)),
        ("TCP-LISTEN:80,pf=ip6", ("inet6/tcp", "listen", (ANY6, 80), None)),
        ("TCP-LISTEN:80,bind=[::1]", ("inet6/tcp", "listen", ("::1", 80), None)),
        ("TCP4-LISTEN:80,so-protocol=262", ("inet/mptcp", "listen", (ANY4, 80), None)),
        ("UDP4-RECV:53,bind=127.0.0.1", ("inet/udp", "bind", ("127.0.0.1", 53), None)),
        ("UDP6-RECVFROM:domain", ("inet6/udp", "bind", (ANY6, 53), None)),
        ("UDP-LISTEN:53", ("inet/udp", "bind", (ANY4, 53), None)),
        ("UDP4-SENDTO:127.0.0.1:53", ("inet/udp", "open", None, ("127.0.0.1", 53))),
        ("UDP4-SEND:127.0.0.1:53,bind=127.0.0.1:7", ("inet/udp", "connect", ("127.0.0.1", 7), ("127.0.0.1", 53))),
        ("UDP4-DATAGRAM:224.0.0.251:5353,bind=:5353,ip-add-membership=224.0.0.251:lo",
         ("inet/udp", "bind", (ANY4, 5353), ("224.0.0.251", 5353))),
        ("UDP4-DGRAM:127.255.255.255:9,broadcast", ("inet/udp", "open", None, ("127.255.255.255", 9))),
        ("UDPLITE6-CONNECT:[::1]:9", ("inet6/udplite", "connect", None, ("::1", 9))),
        ("UDP4-RECV:9,prototype=136", ("inet/udplite", "bind", (ANY4, 9), None)),
        ("SCTP4-LISTEN:9", ("inet/sctp", "listen", (ANY4, 9), None)),
        ("SCTP:[::1]:9", ("inet6/sctp", "connect", None, ("::1", 9))),
        ("DCCP4-CONNECT:127.0.0.1:9", ("inet/dccp", "connect", None, ("127.0.0.1", 9))),
        ("IP4-SENDTO:127.0.0.1:47", ("inet/raw", "open", None, ("127.0.0.1", 0))),
        ("IP6-RECV:58,bind=[::1]", ("inet6/raw", "bind", ("::1", 0), None)),
        ("IP:[::1]:253", ("inet6/raw", "open", None, ("::1", 0))),
        ("UNIX-CONNECT:/tmp/x", ("unix/stream", "connect", None, "/tmp/x")),
        ("LOCAL:/tmp/x", ("unix/stream", "connect", None, "/tmp/x")),
        ("UNIX:/tmp/x", ("unix/stream", "connect", None, "/tmp/x")),
        ("UNIX-L:/tmp/x,mode=600,fork", ("unix/stream", "listen", "/tmp/x", None)),
        ("UNIX-LISTEN:/tmp/x,so-type=5", ("unix/seqpacket", "listen", "/tmp/x", None)),
        ("UNIX-RECVFROM:/tmp/x", ("unix/dgram", "bind", "/tmp/x", None)),
        ("UNIX-SENDTO:/tmp/x,bind=/tmp/y", ("unix/dgram", "connect", "/tmp/y", "/tmp/x")),
        ("ABSTRACT-LISTEN:name", ("unix/stream", "listen", b"\0name", None)),
        ("ABSTRACT:name", ("unix/stream", "connect", None, b"\0name")),
        ("VSOCK-CONNECT:2:1234", ("vsock/stream", "connect", None, (2, 1234))),
        ("VSOCK-L:1234,bind=1,type=5", ("vsock/seqpacket", "listen", (1, 1234), None)),
        ("VSOCK:2:1234,bind=:9", ("vsock/stream", "connect", (0xFFFFFFFF, 9), (2, 1234))),
        ("IF:lo", ("packet/raw", "bind", ("lo", 3), None)),
        ("INTERFACE:lo,type=2", ("packet/dgram", "bind", ("lo", 3), None)),
        ("SOCKET-CONNECT:2:6:x00507f000001x0000000000000000", ("inet/tcp", "connect", None, ("127.0.0.1", 80))),
        ("SOCKET-CONNECT:1:0:\\\"/tmp/x\\\"", ("unix/stream", "connect", None, "/tmp/x")),
        ("SOCKET-LISTEN:1:0:x0061,socktype=5", ("unix/seqpacket", "listen", b"\0a", None)),
        ("SOCKET-RECV:16:3:15:x0000i0i1", ("netlink/kobject-uevent", "bind", (0, 1), None)),
        ("SOCKET-RECVFROM:17:3:0:x88cc" + LO, ("packet/raw", "bind", ("lo", 0x88CC, 0, 0, b""), None)),
        ("DATAGRAM:2:2:17:x0035e0000001x0000000000000000,bind=x00350000000000x00000000000000",
         ("inet/udp", "bind", (ANY4, 53), ("224.0.0.1", 53))),
        ("SENDTO:30:4:0:x0202i1000i5i0", ("tipc/rdm", "open", None, (2, 1000, 5, 5, 2))),
        ("SOCKET-SENDTO:42:2:0:x0000i1i7", ("qipcrtr/dgram", "open", None, (1, 7))),
        ("SOCKET-CONNECT:29:2:x0000" + LO + "00" * 16 + ",type=2", ("can/bcm", "connect", None, ("lo",))),
    ],
)  # fmt: skip
def test_addresses(text: str, wanted: object) -> None:
    if text.startswith("SOCKET-RECVFROM:17"):
        text += "00" * 12
    for spelling in (text, f"socat - '{text}'", f"/usr/bin/socat -d -d -lf /tmp/log -b 8192 '{text}' STDOUT | tee /x"):
        found = read(spelling)
        assert found, spelling
        assert shown(found[0]) == wanted
        assert found[0].notation == "socat address"


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("socat TCP-LISTEN:80,fork EXEC:'cat /etc/motd'", [("inet/tcp", "listen", (ANY4, 80), None)]),
        ("sudo /usr/bin/socat -6 TCP-LISTEN:80,fork TCP4:10.0.0.1:8080",
         [("inet6/tcp", "listen", (ANY6, 80), None), ("inet/tcp", "connect", None, ("10.0.0.1", 8080))]),
        ("printf '/x' | socat - 'UNIX-CONNECT:/a b\\,c' | tee /tmp/log", [("unix/stream", "connect", None, "/a b,c")]),
        ("socat - UNIX-CONNECT:$'/tmp/s\\303\\266ck\\x21'", [("unix/stream", "connect", None, "/tmp/s\u00f6ck!")]),
        ("socat STDIN!!UDP4-SENDTO:127.0.0.1:5 UDP4-RECV:6!!STDOUT",
         [("inet/udp", "open", None, ("127.0.0.1", 5)), ("inet/udp", "bind", (ANY4, 6), None)]),
        ("socat - UNIX-SENDTO:/a,bind=/b", [("unix/dgram", "connect", "/b", "/a")]),
    ],
)  # fmt: skip
def test_command_lines(line: str, wanted: list[object]) -> None:
    found = [shown(each) for each in read(line)]
    assert [each for each in found if each in wanted] == wanted
    assert found[0] == wanted[0]


def test_a_bare_path_is_whatever_it_is() -> None:
    found = read("socat - /run/x.sock")
    assert [each.protocol.name for each in found] == ["stream", "dgram", "seqpacket"]
    assert {each.remote for each in found} == {"/run/x.sock"}


def test_both_versions_where_the_text_does_not_tell() -> None:
    assert [each.family.name for each in read("TCP-LISTEN:80")] == ["inet", "inet6"]
    assert [each.family.name for each in read("TCP:example.org:80")] == ["inet", "inet6"]
    assert [each.family.name for each in read("TCP:127.0.0.1:80")] == ["inet"]


def test_options_come_along() -> None:
    found = read("TCP6-L:80,reuseaddr,ipv6only=0,nodelay,keepalive,setsockopt-int=1:12:3,setsockopt-listen=1:12:i-4")[0]
    assert found.options == (
        SetOption("SOL_SOCKET", "SO_REUSEADDR", 1), SetOption("SOL_IPV6", "IPV6_V6ONLY", 0),
        SetOption("IPPROTO_TCP", "TCP_NODELAY", 1), SetOption("SOL_SOCKET", "SO_KEEPALIVE", 1),
        SetOption("1", "12", 3), SetOption("1", "12", -4),
    )  # fmt: skip
    lite = read("UDP4-RECV:5,prototype=136,setsockopt-listen=136:11:i8")[0]
    assert lite.options == (SetOption("SOL_UDPLITE", "UDPLITE_RECV_CSCOV", 8),)


def test_the_number_of_a_raw_protocol() -> None:
    assert read("IP4-RECV:47")[0].proto == 47
    assert read("SOCKET-RECV:2:3:253:x" + "00" * 14)[0].proto == 253


@pytest.mark.parametrize(
    "text",
    [
        "TCP4", "TCP4:", "TCP4:127.0.0.1", "TCP4:127.0.0.1:", "TCP4:127.0.0.1:nosuchservice", "TCP4-NOSUCH:80",
        "TCP5:x:1", "TCP4:127.0.0.1:99999", "TCP4:::1:80", "TCP6:127.0.0.1:80", "UNIX-CONNECT",
        "UNIX-CONNECT:" + "x" * 108,
        "VSOCK:host:1", "SOCKET-CONNECT:2:6", "SOCKET-CONNECT:2:6:zz", "SOCKET-CONNECT:2:6:x0",
        "SOCKET-CONNECT:999:0:x00",
        "SOCKET-CONNECT:2:99:x00507f000001", "IP4-RECV:x", "EXEC:/bin/sh", "OPEN:/etc/passwd", "socat", "socat - -",
        "SOCKET-RECV:2:2:17:x00", "VSOCK-LISTEN:1:2", "socat EXEC:true PTY",
    ],
)  # fmt: skip
def test_what_is_no_socket(text: str) -> None:
    assert [each for each in read(text) if each.notation == "socat address"] == []


@pytest.mark.parametrize(
    ("text", "raw"),
    [
        ("x00ff", b"\0\xff"), ("x00 xff", b"\0\xff"), ('"a\\n\\"b\\0"', b'a\n"b\0'), ("s-1", b"\xff\xff"),
        ("B255b-1", b"\xff\xff"), ("", b""), ("5", (5).to_bytes(4, sys.byteorder)), ("x0", None), ("z", None),
        ("B256", None),
        ("i" + "9" * 30, None), ('"open', None),
    ],
)  # fmt: skip
def test_data_notation(text: str, raw: bytes | None) -> None:
    assert data(text) == raw


@given(st.binary(max_size=107).filter(lambda raw: b"\0" not in raw), st.binary(max_size=30))
def test_escapes_come_back(parameter: bytes, value: bytes) -> None:
    text = os.fsdecode(b"KEY:" + escaped(parameter) + b",name=" + escaped(value))
    (found,) = addresses(text)
    assert found.keyword == "key"
    assert [os.fsencode(each) for each in found.parameters] == [parameter]
    assert os.fsencode(found.option("name") or "") == value


def test_a_protocol_that_is_not_declared_is_not_another(monkeypatch: pytest.MonkeyPatch) -> None:
    family, protocol = find("inet/sctp")
    kept = tuple(each for each in family.protocols if each is not protocol)
    monkeypatch.setattr(type(family), "protocols", kept)
    assert read("SCTP4-CONNECT:127.0.0.1:80") == []
