"""What Python prints of sockets, and Python code that opens them."""

from __future__ import annotations

import ast
import asyncio
import os
import socket
from pathlib import Path

import psutil
import pytest
from addresses import GOOD
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.core.endpoint import Endpoint, SetOption
from sockexplorer.families import all_families, family, find
from sockexplorer.notations import Reading, expression, read


def the(text: str) -> Reading:
    """The first reading."""
    found = read(text)
    assert found, text
    return found[0]


def shown(found: Reading) -> tuple[str, object, object, object]:
    return (f"{found.family.name}/{found.protocol.name}", found.operation, found.local, found.remote)


# --- reprs ---------------------------------------------------------------------------------------------------------

KINDS = [
    (socket.AF_INET, socket.SOCK_STREAM, 0, "inet/tcp", ("127.0.0.1", 0)),
    (socket.AF_INET, socket.SOCK_STREAM, 6, "inet/tcp", ("127.0.0.1", 0)),
    (socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, 0, "inet/udp", ("127.0.0.1", 0)),
    (socket.AF_INET6, socket.SOCK_DGRAM, 17, "inet6/udp", ("::1", 0)),
    (socket.AF_UNIX, socket.SOCK_STREAM, 0, "unix/stream", "a, raddr (b) c"),
    (socket.AF_UNIX, socket.SOCK_DGRAM, 0, "unix/dgram", b"\0sockexplorer (repr) > '\"%d" % os.getpid()),
    (socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, "unix/seqpacket", b"\0sockexplorer, raddr=%d" % os.getpid()),
    (socket.AF_NETLINK, socket.SOCK_RAW, 15, "netlink/kobject-uevent", (0, 1)),
    (socket.AF_NETLINK, socket.SOCK_DGRAM, 0, "netlink/route", (0, 0)),
]


@pytest.mark.parametrize(("domain", "kind", "proto", "path", "local"), KINDS)
def test_the_repr_of_a_bound_socket(
    tmp_path: Path, domain: int, kind: int, proto: int, path: str, local: object
) -> None:
    with socket.socket(domain, kind, proto) as sock:
        unbound = the(repr(sock))
        assert (unbound.family, unbound.protocol) == find(path)
        sock.bind(str(tmp_path / local) if isinstance(local, str) else local)  # type: ignore[arg-type]
        if find(path)[1].connections:
            sock.listen()
        text = repr(sock)
        wanted = (path, find(path)[1].operations[0], sock.getsockname(), None)
        assert shown(the(text)) == wanted
        assert shown(the(f"Exception ignored in: {text}\nResourceWarning: unclosed {text}")) == wanted
        assert the(text).notation == "repr of a socket"
    assert shown(the(repr(sock))) == (path, None, None, None)


def test_the_repr_of_a_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        found = read(repr(client))
        assert shown(found[0]) == ("inet/tcp", "connect", client.getsockname(), server.getsockname())
        assert shown(found[1]) == ("inet/tcp", "listen", client.getsockname(), None)
        named = repr(client).replace("family=2, type=1", "family=AddressFamily.AF_INET, type=SocketKind.SOCK_STREAM")
        assert read(named) == found
        bare = f"<socket object, fd=3, family={int(client.family)}, type={int(client.type)}, proto={client.proto}>"
        assert shown(the(bare)) == ("inet/tcp", None, None, None)


def test_what_asyncio_prints() -> None:
    async def reprs() -> tuple[str, str, object, object]:
        accepted: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
        server = await asyncio.start_server(lambda reader, writer: accepted.put_nowait(writer), "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        _, client = await asyncio.open_connection(*address)
        sock = client.get_extra_info("socket")
        texts = (repr(server), repr(sock), address, sock.getsockname())
        for writer in (client, await accepted.get()):
            writer.close()
            await writer.wait_closed()
        server.close()
        await server.wait_closed()
        return texts

    server, client, address, own = asyncio.run(reprs())
    assert shown(the(server)) == ("inet/tcp", "listen", address, None)
    assert shown(the(client)) == ("inet/tcp", "connect", own, address)


def test_what_psutil_prints(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        with socket.socket(socket.AF_UNIX) as path:
            path.bind(str(tmp_path / "x-y"))
            path.listen()
            here = psutil.Process().net_connections("all")
        texts = {each.fd: repr(each) for each in here}
        assert shown(the(texts[server.fileno()])) == ("inet/tcp", "listen", server.getsockname(), None)
        wanted = ("inet/tcp", "connect", client.getsockname(), client.getpeername())
        assert shown(the(texts[client.fileno()])) == wanted
        found = next(the(text) for text in texts.values() if "x-y" in text)
        assert shown(found) == ("unix/stream", "listen", str(tmp_path / "x-y"), None)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("<socket.socket fd=3, family=17, type=3, proto=768, laddr=('lo', 3, 0, 772, b'\\x00\\x00')>",
         ("packet/raw", "bind", ("lo", 3, 0, 772, b"\0\0"), None)),
        ("<socket.socket fd=3, family=AddressFamily.AF_CAN, type=SocketKind.SOCK_DGRAM, proto=6, laddr=('', 0, 0)>",
         ("can/isotp", "bind", ("", 0, 0), None)),
        ("<socket.socket fd=8, family=30, type=4, proto=0, laddr=(3, 0, 1529940233, 0, 0)>",
         ("tipc/rdm", "bind", (3, 0, 1529940233, 0, 0), None)),
        ("<socket.socket fd=3, family=40, type=1, proto=0, laddr=(1, 1234), raddr=(1, 1710464830)>",
         ("vsock/stream", "connect", (1, 1234), (1, 1710464830))),
        ("<socket.socket fd=3, family=42, type=2, proto=0, laddr=(1, 5)>", ("qipcrtr/dgram", "bind", (1, 5), None)),
        ("<socket.socket fd=3, family=2, type=2049, proto=6, laddr=('0.0.0.0', 80)>",
         ("inet/tcp", "listen", ("0.0.0.0", 80), None)),
        ("<ssl.SSLSocket fd=4, family=2, type=1, proto=6, laddr=('10.0.0.1', 4), raddr=('10.0.0.2', 443)>",
         ("inet/tcp", "connect", ("10.0.0.1", 4), ("10.0.0.2", 443))),
        ("sconn(family=<AddressFamily.AF_INET6: 10>, type=<SocketKind.SOCK_DGRAM: 2>, laddr=addr(ip='::', port=5))",
         ("inet6/udp", "bind", ("::", 5), None)),
        ("<socket.socket fd=3, family=1, type=1, proto=0, raddr=/a b>", ("unix/stream", "connect", None, "/a b")),
    ],
)  # fmt: skip
def test_reprs_of_other_hosts(text: str, wanted: object) -> None:
    assert shown(the(text)) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "<socket.socket fd=3, family=2, type=77, proto=0>",
        "<socket.socket fd=3, family=7777, type=1, proto=0>",
        "<socket.socket fd=3, family=AddressFamily.AF_NOSUCH, type=SocketKind.SOCK_STREAM, proto=0>",
        "<socket.socket fd=3, family=2, type=SocketKind.SOCK_NOSUCH, proto=0>",
        "<socket.socket fd=3, family=2, type=1, proto=99>",
        "<family=, type=>",
    ],
)
def test_reprs_of_what_is_not_declared(text: str) -> None:
    assert read(text) == []


def test_the_raw_socket_keeps_its_protocol() -> None:
    assert the("<socket.socket fd=3, family=2, type=3, proto=47, laddr=('0.0.0.0', 47)>").proto == 47


@pytest.mark.parametrize("each", all_families(), ids=lambda each: each.name)
@given(data=st.data())
def test_a_repr_holds_any_address_of_a_family(each: object, data: st.DataObject) -> None:
    assert isinstance(each, type(family("inet")).__mro__[-2])
    protocol = each.protocols[0]
    address = data.draw(GOOD[each.constant].filter(lambda address: address not in ("", b"")))
    shown_ = address if isinstance(address, str) else repr(address)
    if isinstance(address, str) and (", raddr=" in address or ">" in address or address[0] in "('\"bB0123456789-N"):
        return
    text = f"<socket.socket fd=3, family={each.constant}, type={protocol.type_number}, proto={protocol.proto_number}, "
    found = read(f"{text}laddr={shown_}>")
    assert any(found_.protocol is protocol and found_.local == address for found_ in found)


# --- code ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("sock.bind(('::1', 80))", ("inet6/udp", "bind", ("::1", 80), None)),
        ("self.sock.bind(('127.0.0.1', 80)); self.sock.listen(5)", ("inet/tcp", "listen", ("127.0.0.1", 80), None)),
        ('s.connect("/run/x.sock")', ("unix/stream", "connect", None, "/run/x.sock")),
        ("s.connect_ex(('10.0.0.1', 80))", ("inet/tcp", "connect", None, ("10.0.0.1", 80))),
        ("s.sendto(b'x', ('127.0.0.1', 9999))", ("inet/udp", "open", None, ("127.0.0.1", 9999))),
        ("s.sendto(data, flags, ('127.0.0.1', 9999))", ("inet/udp", "open", None, ("127.0.0.1", 9999))),
        ("socket.create_connection(('a.example', 80), timeout=3)", ("inet/tcp", "connect", None, ("a.example", 80))),
        ("socket.create_server(('::', 80), family=socket.AF_INET6)", ("inet6/tcp", "listen", ("::", 80), None)),
        ("reader, writer = await asyncio.open_connection('::1', 8888)", ("inet6/tcp", "connect", None, ("::1", 8888))),
        ("asyncio.start_server(handle, None, 8888)", ("inet/tcp", "listen", ("", 8888), None)),
        ("asyncio.start_unix_server(handle, '/tmp/x')", ("unix/stream", "listen", "/tmp/x", None)),
        ("asyncio.open_unix_connection(path='/tmp/x')", ("unix/stream", "connect", None, "/tmp/x")),
        ("loop.create_datagram_endpoint(P, local_addr=('::1', 5))", ("inet6/udp", "bind", ("::1", 5), None)),
        ("loop.create_connection(P, '127.0.0.1', 80)", ("inet/tcp", "connect", None, ("127.0.0.1", 80))),
        ("socket.socket(socket.AF_CAN, socket.SOCK_DGRAM, socket.CAN_ISOTP)", ("can/isotp", None, None, None)),
        ("socket.socket()", ("inet/tcp", None, None, None)),
        ("with socket(AF_INET, SOCK_DGRAM) as sock:", ("inet/udp", None, None, None)),
        (">>> s.bind((socket.VMADDR_CID_ANY, 1234))", ("vsock/stream", "listen", (0xFFFFFFFF, 1234), None)),
        ("s = socket.socket(40, 5)\ns.bind((-1, 1234))", ("vsock/seqpacket", "listen", (-1, 1234), None)),
        ("s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))\ns.bind(('lo', 0x0800))",
         ("packet/raw", "bind", ("lo", 0x800), None)),
        ("s.bind(('can0', 1 | socket.CAN_EFF_FLAG, 1 << 8))", ("can/isotp", "bind", ("can0", 0x80000001, 256), None)),
        ("s.bind(('lo', ETH_P_ALL))", ("packet/raw", "bind", ("lo", 3), None)),
        ("s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\ns.bind('/a')\ns.connect(b'\\0' + b'b')",
         ("unix/dgram", "connect", "/a", b"\0b")),
        ("    s.bind(('127.0.0.1', 5))  # the server", ("inet/udp", "bind", ("127.0.0.1", 5), None)),
    ],
)  # fmt: skip
def test_code(text: str, wanted: object) -> None:
    assert shown(the(text)) == wanted
    assert the(text).notation == "Python code"


def test_options_of_code() -> None:
    code = "s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\ns.setsockopt(6, 4, 30)\ns.bind(('127.0.0.1', 5))"
    assert the(code).options == (SetOption("SOL_SOCKET", "SO_REUSEADDR", 1), SetOption("6", "4", 30))
    assert the("s = socket.socket(2, 3, 47); s.bind(('127.0.0.1', 0))").proto == 47


@pytest.mark.parametrize(
    "text",
    [
        "s.bind(address)", "s.bind((HOST, PORT))", "s.bind((host(), 80))", "s.bind(('::1', 80)", "s.bind(*address)",
        "s.bind(('127.0.0.1', 1 << 99))", "bind(", "s.bind(os.system('true'))", "socket.socket(AF_NOSUCH)",
        "socket.socket('a')", "s.bind(__import__('os'))", "print('bind(')", "s.bind(('127.0.0.1', -'x'))",
    ],
)  # fmt: skip
def test_code_that_does_not_tell(text: str) -> None:
    if text == "s.bind(('::1', 80)":  # a parenthesis was not copied
        assert the(text).local == ("::1", 80)
    else:
        assert read(text) == []


def test_nothing_is_run(tmp_path: Path) -> None:
    file = tmp_path / "ran"
    for text in (f"s.bind(open({str(file)!r}, 'w'))", f"s.bind(({str(file)!r}, open({str(file)!r}, 'w')))"):
        assert read(text) == []
    assert not file.exists()


@pytest.mark.parametrize("path", ["inet/udp", "inet6/tcp", "unix/dgram", "netlink/route", "packet/raw", "vsock/stream"])
def test_the_programs_own_lines_are_read(path: str) -> None:
    """What the form shows as code comes back as the endpoint."""
    from sockexplorer.core.script import address_line

    family_, protocol = find(path)
    address = ast.literal_eval(family_.example(protocol))
    does = protocol.operations[0]
    line = address_line(family_, protocol, Endpoint(family_.constant, protocol.name, does, address))
    # The code of a bind alone is that of any protocol of the family.
    assert any((each.family, each.operation, each.local) == (family_, does, address) for each in read(line))


# --- expressions ---------------------------------------------------------------------------------------------------

LITERALS = st.recursive(
    st.integers() | st.text() | st.binary() | st.none() | st.booleans(), lambda inner: st.lists(inner).map(tuple)
)


@given(LITERALS)
def test_literals_are_those_of_python(value: object) -> None:
    assert expression.literal(repr(value)) == value
